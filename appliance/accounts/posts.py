"""Who serves which village, today, before and later, as the assignments say; and which villages have no facilitator.

Reads only. There are a few thousand assignments at most, so they are read at once and matched with the villages here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.models.account import Account, Assignment
from appliance.models.roles import Role
from appliance.registry.area_pages import look_at_area, reachable_villages
from appliance.registry.areas import Village

# Roles of the field; those of the office serve every village and are no news on a village's page.
FIELD_ROLES = (
    Role.FASILITATOR,
    Role.SUPERVISOR,
    Role.KOORDINATOR_PUSKESOS,
    Role.FO_PUSKESOS,
    Role.BO_PUSKESOS,
    Role.TKSK,
)


@dataclass(frozen=True)
class Post:
    """Somebody's time in a village. `when` is "kini", "nanti" or "dahulu"."""

    account_id: str
    name: str
    role: Role
    starts: date
    ends: date | None
    decree: str
    when: str


def posts_in(village_code: str, *, by: Actor, today: date) -> tuple[Post, ...]:
    """Everybody who served, serves or will serve a village in the field, the latest first. Raises NotFound."""
    look_at_area(village_code, by=by)
    statement = sa.select(Assignment, Account.name).join(Assignment.account).where(Assignment.role.in_(FIELD_ROLES))
    found = [
        _post(assignment, name, today)
        for assignment, name in db.session.execute(statement)
        if reaches(assignment.area_codes, village_code) and (assignment.ends is None or assignment.ends >= assignment.starts)
    ]
    return tuple(sorted(found, key=lambda post: (post.starts, post.name), reverse=True))


def facilitators_on(day: date) -> dict[str, list[str]]:
    """Area code → names of the facilitators assigned to it on `day`; a code stands for all below it."""
    statement = (
        sa.select(Assignment.area_codes, Account.name)
        .join(Assignment.account)
        .where(
            Assignment.role == Role.FASILITATOR,
            Assignment.starts <= day,
            sa.or_(Assignment.ends.is_(None), Assignment.ends >= day),
            Account.active,
        )
        .order_by(Account.name)
    )
    serving: dict[str, list[str]] = {}
    for codes, name in db.session.execute(statement):
        for code in codes:
            serving.setdefault(code, []).append(name)
    return serving


def serving_in(village_code: str, serving: dict[str, list[str]]) -> list[str]:
    """The names among `serving` that serve one village."""
    return [name for code in with_parents(village_code) for name in serving.get(code, ())]


def gaps(*, by: Actor, today: date) -> tuple[Village, ...]:
    """The villages in reach of `by` that no facilitator serves today."""
    serving = facilitators_on(today)
    return tuple(village for village in reachable_villages(by) if not serving_in(village.code, serving))


def with_parents(code: str) -> Sequence[str]:
    """A code and those above it: "73.03.01" is followed by "73.03" and "73"."""
    parts = code.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def reaches(area_codes: Iterable[str], village_code: str) -> bool:
    """Whether areas below the district name the village: itself, or its subdistrict."""
    return not {village_code, village_code.rpartition(".")[0]}.isdisjoint(area_codes)


def _post(assignment: Assignment, name: str, today: date) -> Post:
    later = "nanti" if assignment.starts > today else "dahulu"
    when = "kini" if assignment.holds_on(today) else later
    return Post(assignment.account_id, name, assignment.kind, assignment.starts, assignment.ends, assignment.decree or "", when)
