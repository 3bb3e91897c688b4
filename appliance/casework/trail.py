"""Who opened, changed, revealed, printed or exported the data of a person or a case: the journal, read for one subject.

The manager reads it, for the citizen who asks and for herself. Reading it stands in the journal as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require, scope
from appliance.casework.moving import case_not_found
from appliance.database import db, transaction
from appliance.models.account import Account
from appliance.models.audit import AuditEntry
from appliance.models.case import Case, Referral
from appliance.models.letter import Letter, LetterCase
from appliance.models.person import PersonFile
from appliance.models.roles import Role
from appliance.models.visit import CasePaper, Visit
from appliance.registry.people import person_in_scope

READERS = (Role.MANAJER,)
PAGE = 50
NODE_NAMES = {audit.SYSTEM: "Sistem", "warga": "Warga di kios", "nobody": "Tidak dikenal"}


@dataclass(frozen=True)
class Entry:
    """One line of the journal: who did what with which of the subjects, and what was noted with it."""

    position: int
    at: datetime
    who: str
    username: str
    device: str
    action: str
    subject: str
    detail: dict[str, object]


@dataclass(frozen=True)
class Trail:
    """One page, the newest first; `following` is the position to go on below, None at the end."""

    title: str
    entries: tuple[Entry, ...]
    following: int | None


def trail_of_person(person_id: str, *, before: int | None = None, by: Actor, at: datetime) -> Trail:
    """The journal about a person, her family as it is now, her files, her cases with what belongs to them, and her letters.

    Raises NotFound, NotAllowed.
    """
    require(by, *READERS)
    with transaction():
        person = person_in_scope(person_id, by)
        subjects = [f"person:{person.id}"]
        if person.family_id:
            subjects.append(f"family:{person.family_id}")
        hers = sa.or_(
            PersonFile.person_id == person.id,
            sa.and_(PersonFile.family_id.is_not(None), PersonFile.family_id == person.family_id),
        )
        subjects += _named("file", sa.select(PersonFile.id).where(hers))
        subjects += _about_cases(list(db.session.scalars(sa.select(Case.id).where(Case.applicant_id == person.id))))
        subjects += _named("letter", sa.select(Letter.id).where(Letter.person_id == person.id))
        subjects = list(dict.fromkeys(subjects))
        return _read(person.name, subjects, before, by, at)


def trail_of_case(case_id: str, *, before: int | None = None, by: Actor, at: datetime) -> Trail:
    """The journal about a case with its referrals, visits, papers and letters. Raises NotFound, NotAllowed."""
    require(by, *READERS)
    with transaction():
        case = db.session.scalar(scope(sa.select(Case).where(Case.id == case_id), Case, by))
        if case is None:
            raise case_not_found()
        return _read(case.number, _about_cases([case.id]), before, by, at)


def _about_cases(cases: Sequence[str]) -> list[str]:
    """The cases themselves and everything that belongs to them; also the collective letters that name them."""
    subjects = [f"case:{case_id}" for case_id in cases]
    for kind, table in (("referral", Referral), ("visit", Visit), ("paper", CasePaper), ("letter", Letter)):
        subjects += _named(kind, sa.select(table.id).where(table.case_id.in_(cases)))
    return subjects + _named("letter", sa.select(LetterCase.letter_id).where(LetterCase.case_id.in_(cases)))


def _named(kind: str, ids: sa.Select[str]) -> list[str]:
    return [f"{kind}:{key}" for key in db.session.scalars(ids)]


def _read(title: str, subjects: Sequence[str], before: int | None, by: Actor, at: datetime) -> Trail:
    statement = (
        sa.select(AuditEntry, Account.name, Account.username)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .where(AuditEntry.subject.in_(subjects))
        .order_by(AuditEntry.position.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        statement = statement.where(AuditEntry.position < before)
    found = db.session.execute(statement).all()
    entries = tuple(_entry(*row) for row in found[:PAGE])
    audit.record("lihat_jejak", subjects[0], by=by, at=at, detail={"sebelum": before} if before else None)
    return Trail(title, entries, entries[-1].position if len(found) > PAGE else None)


def _entry(row: AuditEntry, name: str | None, username: str | None) -> Entry:
    return Entry(
        position=row.position,
        at=row.at,
        who=name or NODE_NAMES.get(row.account_id, "Tidak dikenal"),
        username=username or "",
        device=row.device,
        action=row.action,
        subject=row.subject.partition(":")[0],
        detail=json.loads(row.detail),
    )
