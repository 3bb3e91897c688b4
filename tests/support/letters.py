"""Short ways to a letter for tests: the people who take it through its life, a signatory, and a letter in a state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.letters import letters, office
from appliance.letters.letters import NewLetter
from appliance.models.letter import Letter
from appliance.models.roles import Role
from tests.support.desk import open_case, request
from tests.support.staff import AT, Staff, hire_one

SKTM = "sktm"
PURPOSE = "Biaya berobat"


@dataclass(frozen=True)
class Signers:
    """Who initials and who approves; the drafter is the office's back officer."""

    head: Actor
    agency: Actor
    signatory_id: str


def signers(staff: Staff) -> Signers:
    """The officials, and the one whose name stands on the paper."""
    agency = hire_one("penandatangan.uji", Role.PENANDATANGAN, ("73.03",))
    fields = office.SignatoryFields("Dra. Hj. Nurhayati, M.Si.", "Kepala Dinas Sosial", "Pembina", "197001011995032001")
    return Signers(staff.manager, agency, office.save_signatory(None, fields, by=staff.admin, at=AT))


def new_letter(signer: Signers, **changes: Any) -> NewLetter:
    """What is typed for a plain letter, with changes."""
    return NewLetter(**{"wording": SKTM, "purpose": PURPOSE, "signatory_id": signer.signatory_id, **changes})


def drafted(staff: Staff, signer: Signers, case: str | None = None, **changes: Any) -> str:
    """A draft; its identifier."""
    case = case or open_case(staff.fo)
    return letters.draft_letter(case, new_letter(signer, **changes), request_id=request(), by=staff.bo, at=AT)


def row(letter: str) -> Letter:
    """The row as it is stored now."""
    db.session.rollback()
    return db.session.scalars(sa.select(Letter).where(Letter.id == letter).execution_options(populate_existing=True)).one()


def version(letter: str) -> int:
    return row(letter).row_version


def approved(staff: Staff, signer: Signers, case: str | None = None, **changes: Any) -> str:
    """A letter that is ready to be issued."""
    letter = drafted(staff, signer, case, **changes)
    letters.initial_letter(letter, row_version=version(letter), by=signer.head, at=AT)
    letters.approve_letter(letter, row_version=version(letter), by=signer.agency, at=AT)
    return letter


def issue(letter: str, by: Actor, at: datetime = AT) -> str:
    return letters.issue_letter(letter, row_version=version(letter), by=by, at=at)


def issued(staff: Staff, signer: Signers, case: str | None = None, at: datetime = AT, **changes: Any) -> str:
    """A letter with its number and paper."""
    letter = approved(staff, signer, case, **changes)
    issue(letter, staff.bo, at)
    return letter
