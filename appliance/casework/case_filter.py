"""Which cases a list shows: what was asked for as conditions, and the index by which such cases are read. In the reader's scope."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime

import sqlalchemy as sa

from appliance.access import AREA_ROLES, Actor, few_villages, in_areas, scope
from appliance.casework import queues
from appliance.casework.case_lines import stuck_since
from appliance.casework.delegations import delegated_areas
from appliance.casework.office_calendar import calendar_in_use
from appliance.casework.transitions import queue_of
from appliance.database import begins_with, by_index
from appliance.models.case import Case, ServiceType, is_open
from appliance.models.roles import Role
from appliance.models.states import OPEN, CaseState
from appliance.registry.people_search import matching_ids

NOBODY = "-"
_NUMBER_PREFIX = "SLRT-"
# Not more of a number than its year: so many cases begin like this that the newest are sooner found among all.
_WIDE_NUMBER = re.compile(r"SLRT-\d{0,4}(?:-(\d{0,4}))?")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class CaseFilter:
    """What a list shows. `queue`: what waits for a step of her roles; `mine`: what she opened or has taken;
    `to_ratify`: emergencies that were referred without a decision; `in_queue`: the key of one of her queues; `told`: lateness
    that was told to her; `stuck`: what waits too long for an outside body; `owner` is an account, or "-" for none; `age` a key
    of `queues.AGES`; `area_code` a village or above.
    """

    state: str = ""
    queue: bool = False
    mine: bool = False
    open_only: bool = False
    overdue: bool = False
    to_ratify: bool = False
    due_today: bool = False
    told: bool = False
    stuck: bool = False
    in_queue: str = ""
    text: str = ""
    village_code: str = ""
    area_code: str = ""
    service_code: str = ""
    priority: str = ""
    age: str = ""
    owner: str = ""
    applicant_id: str = ""

    @property
    def waits(self) -> bool:
        """Whether it is a queue, which is read by urgency; any other list begins with the newest."""
        return self.queue or bool(self.in_queue)

    @property
    def only_open(self) -> bool:
        """Whether all that it shows is open."""
        shown = (self.waits, self.open_only, self.overdue, self.due_today, self.told, self.stuck)
        return any(shown) or self.state in OPEN


def matching(wanted: CaseFilter, *, by: Actor, at: datetime) -> tuple[sa.Select[str], ...]:
    """The identifiers of the cases in scope that match: one statement, or several where each is read by an index of its own.

    Then a case may be found by more than one of them.
    """
    found = _narrowed(_waiting(scope(sa.select(Case.id), Case, by), wanted, by, at), wanted, at)
    if wanted.area_code and not _reaches(wanted.area_code, by):  # or all cases would be walked for one that fits both
        found = found.where(sa.false())
    found = _with_text(found, wanted.text.strip(), by)
    if wanted.only_open:
        found = found.where(is_open())
    if wanted.mine:
        hers = {"creator": Case.created_by == by.account_id, "owner": Case.owner_id == by.account_id}
        if wanted.only_open or _named(wanted):
            return (_read(found.where(sa.or_(*hers.values())), wanted, by),)
        return tuple(by_index(found.where(condition), Case, f"ix_case_newest_of_{whose}") for whose, condition in hers.items())
    return (_read(found, wanted, by),)


def _read(statement: sa.Select[str], wanted: CaseFilter, by: Actor) -> sa.Select[str]:
    """By the index that leaves least to pass over."""
    if wanted.applicant_id or (wanted.text.strip() and not _is_number(wanted.text)):
        return by_index(statement, Case, "ix_case_applicant_id")
    if _named(wanted):
        # Of a village the numbers stand in its index; or its rows would all be read for them.
        by_village = _is_number(wanted.text) and few_villages(by) and not wanted.to_ratify
        return by_index(statement, Case, "ix_case_newest_of_village") if by_village else statement
    if wanted.only_open:
        return by_index(statement, Case, "ix_case_open")
    walks = {
        "_of_state": wanted.state,
        "_of_owner": wanted.owner,
        "_of_village": wanted.village_code or few_villages(by),
        "_of_service": wanted.service_code,
    }
    walked = by_index(statement, Case, f"ix_case_newest{next((name for name, fits in walks.items() if fits), '')}")
    # Who counts the cases of a year must come from its end as well, not through all the years before it.
    return walked.order_by(Case.received_at.desc(), Case.id.desc()) if wanted.text.strip() else walked


def _reaches(area: str, by: Actor) -> bool:
    """Whether any part of the area lies in one of hers."""
    return any(f"{own}.".startswith(f"{area}.") or f"{area}.".startswith(f"{own}.") for own in by.areas_of(AREA_ROLES))


def _named(wanted: CaseFilter) -> bool:
    """Whether few cases are asked for by their own names: the database finds these by itself."""
    few = bool(wanted.text.strip()) and _wide(wanted.text) is None
    return bool(few or wanted.applicant_id or wanted.to_ratify)


def _waiting(statement: sa.Select[str], wanted: CaseFilter, by: Actor, at: datetime) -> sa.Select[str]:
    if wanted.queue:
        statement = statement.where(_in_queue(by, at))
    if wanted.in_queue:
        statement = statement.where(queues.in_queue(wanted.in_queue, by))
    if wanted.overdue:
        statement = statement.where(queues.is_late(at))
    if wanted.due_today:
        statement = statement.where(queues.is_due_today(calendar_in_use(), at))
    if wanted.told:
        statement = statement.where(queues.is_told_to(by))
    if wanted.stuck:
        statement = statement.where(Case.state == CaseState.WAITING_OUTSIDE, Case.state_since <= stuck_since(at))
    if wanted.to_ratify:
        # Few of very many: as a list of identifiers, and as a range, or SQLite would read all cases instead of the index.
        statement = statement.where(Case.id.in_(sa.select(Case.id).where(Case.ratify_due > _LONG_AGO)))
    return statement


def _narrowed(statement: sa.Select[str], wanted: CaseFilter, at: datetime) -> sa.Select[str]:
    same = {Case.state: wanted.state, Case.village_code: wanted.village_code, Case.priority: wanted.priority}
    same[Case.applicant_id] = wanted.applicant_id
    statement = statement.where(*(column == value for column, value in same.items() if value))
    if wanted.area_code:
        statement = statement.where(in_areas(Case.village_code, (wanted.area_code,)))
    if wanted.service_code:
        kinds = sa.select(ServiceType.id).where(ServiceType.code == wanted.service_code)
        statement = statement.where(Case.service_type_id.in_(kinds))
    if wanted.age:
        statement = statement.where(queues.has_age(wanted.age, calendar_in_use(), at))
    if wanted.owner:
        statement = statement.where(Case.owner_id.is_(None) if wanted.owner == NOBODY else Case.owner_id == wanted.owner)
    return statement


def _in_queue(by: Actor, at: datetime) -> sa.ColumnElement[bool]:
    """Cases in a state that waits for one of her roles, each role in its own areas, and what she decides for the manager."""
    roles: dict[tuple[str, ...], set[Role]] = {}
    for role in sorted(by.roles & AREA_ROLES):
        roles.setdefault(by.areas_of({role}), set()).add(role)
    waiting = {areas: _in_states(queue_of(frozenset(held))) for areas, held in roles.items()}
    delegated = delegated_areas(by, at)
    if len(waiting) == 1 and not delegated:  # the scope asks for these areas already
        return next(iter(waiting.values()))
    if delegated:
        decisions = _in_states(queue_of(frozenset({Role.MANAJER})))
        waiting[delegated] = sa.or_(waiting[delegated], decisions) if delegated in waiting else decisions
    return sa.or_(sa.false(), *(sa.and_(condition, in_areas(Case.village_code, areas)) for areas, condition in waiting.items()))


def _in_states(states: frozenset[CaseState]) -> sa.ColumnElement[bool]:
    return Case.state.in_(sorted(states)) if states else sa.false()


def _is_number(text: str) -> bool:
    return text.strip().upper().startswith(_NUMBER_PREFIX)


def _wide(text: str) -> re.Match[str] | None:
    """The beginning of a number that very many cases have."""
    return _WIDE_NUMBER.fullmatch(text.strip().upper())


def _with_text(statement: sa.Select[str], text: str, by: Actor) -> sa.Select[str]:
    if not text:
        return statement
    if _is_number(text):
        numbered, wide = begins_with(Case.number, text.upper()), _wide(text)
        if wide is None:
            # Few of very many, as above; of a village they are read with its index.
            return statement.where(numbered if few_villages(by) else Case.id.in_(sa.select(Case.id).where(numbered)))
        if len(wide[1] or "") == len("2026") and int(wide[1]) < MAXYEAR:
            # A number is given after the case was received: the walk from the newest begins at the end of that year.
            statement = statement.where(Case.received_at < datetime(int(wide[1]) + 1, 1, 3, tzinfo=UTC))
        return statement.where(numbered)
    people = matching_ids(text, by)
    return statement.where(Case.applicant_id.in_(people) if people is not None else sa.false())
