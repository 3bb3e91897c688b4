"""What may be the same matter twice: other cases of the family, and people who may be the applicant once more.

Whoever confirms a case has seen this list; `mark` is the fingerprint of what she saw, so that a newer list asks again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance.access import Actor, scope
from appliance.database import db
from appliance.models.case import Case
from appliance.models.duplicate import DuplicateCandidate, PairState
from appliance.models.person import Person

LOOK_BACK = timedelta(days=365)
MOST_SHOWN = 20


@dataclass(frozen=True)
class Similar:
    """Other cases of the last year, the newest first, and how many open pairs of people the applicant stands in."""

    cases: tuple[Case, ...]
    pairs: int
    mark: str

    @property
    def seen(self) -> str:
        """What is ticked, and kept in the history."""
        if not self.cases and not self.pairs:
            return "Sudah saya periksa: tidak ada kasus lain keluarga ini dan tidak ada dugaan data ganda"
        return f"Sudah saya periksa: {len(self.cases)} kasus lain keluarga ini, {self.pairs} dugaan data ganda"


def similar_to(case: Case, by: Actor) -> Similar:
    """What `by` can see of it."""
    person = db.session.get_one(Person, case.applicant_id)
    whose = Case.applicant_id == person.id
    if person.family_id:
        whose = Case.applicant_id.in_(sa.select(Person.id).where(Person.family_id == person.family_id))
    others = scope(sa.select(Case), Case, by).where(whose, Case.id != case.id, Case.received_at >= case.received_at - LOOK_BACK)
    newest = others.options(joinedload(Case.applicant), joinedload(Case.service_type)).order_by(Case.received_at.desc())
    cases = tuple(db.session.scalars(newest.limit(MOST_SHOWN)))
    pairs = _open_pairs(person.id)
    content = "\n".join([*sorted(other.id for other in cases), str(pairs)])
    return Similar(cases, pairs, hashlib.sha256(content.encode()).hexdigest()[:16])


def _open_pairs(person_id: str) -> int:
    statement = sa.select(sa.func.count()).where(
        sa.or_(DuplicateCandidate.first_id == person_id, DuplicateCandidate.second_id == person_id),
        DuplicateCandidate.state == PairState.OPEN,
    )
    return db.session.scalar(statement) or 0
