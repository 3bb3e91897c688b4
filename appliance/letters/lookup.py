"""One letter as other services of this folder need it: within the reader's scope, its state of today, and what its paper shows."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from appliance.access import AREA_ROLES, Actor, scope
from appliance.database import db
from appliance.errors import NotFound
from appliance.letters import facts, sheet
from appliance.letters.life import Hands, LetterState, state_on
from appliance.letters.markup import filled
from appliance.letters.office import letterhead
from appliance.letters.wordings import wording_of
from appliance.models.account import Account
from appliance.models.letter import Letter
from appliance.registry.holders import office_day


def sheet_of(letter: Letter, *, by: Actor, at: datetime) -> sheet.Sheet:
    """What the paper shows: frozen if it is approved, else as things are now."""
    if letter.frozen:
        return sheet.thaw(letter.frozen)
    wording = wording_of(letter.wording)
    writer = db.session.get(Account, letter.created_by)
    about = facts.About(
        case=letter.case,
        kind=wording.kind,
        head=letterhead(),
        writer=writer.name if writer else "",
        referral=letter.referral,
        signatory=letter.signatory,
        purpose=letter.purpose,
        typed=dict(letter.typed),
    )
    content = facts.gather(about, by=by, at=at)
    addressee = filled(letter.addressee, content.values)
    return sheet.Sheet(wording, about.head, sheet.signer_of(letter.signatory), content, addressee)


def letter_in_scope(letter_id: str, by: Actor) -> Letter:
    """One letter that `by` may see. Raises NotFound."""
    found = db.session.scalar(scope(sa.select(Letter).where(Letter.id == letter_id), Letter, by))
    if found is None:
        raise NotFound("Surat tidak ditemukan.", "Buka daftar surat, lalu pilih dari sana.")
    return found


def hands_of(letter: Letter) -> Hands:
    """Who had it in her hands."""
    return Hands(frozenset(letter.drafters), letter.initialled_by)


def current_state(letter: Letter, at: datetime) -> LetterState:
    """The state as it counts today."""
    return state_on(LetterState(letter.state), letter.valid_until, office_day(at))


def issue_of(letter: Letter) -> sheet.Issue:
    """Number, day and code of a letter."""
    return sheet.Issue(letter.number or "", letter.day, letter.valid_until, letter.check_code or "")


def is_outsider(letter: Letter, by: Actor) -> bool:
    """Whether she sees the letter only for the organisation that its referral was sent to."""
    addressed = letter.referral is not None and by.speaks_for(letter.referral.unit_id)
    return addressed and not by.has_in(letter.area_code, *sorted(AREA_ROLES))
