"""Whom a list holds: the conditions that can be asked for, and how each kind of row is narrowed by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from appliance.database import settings_in_use
from appliance.models.case import Case
from appliance.models.person import Family, Person
from appliance.models.programme import Participation
from appliance.models.proposal import Proposal
from appliance.models.proposal_words import ProposalState
from appliance.models.states import OPEN

Statement: TypeAlias = "sa.Select[*tuple[Any, ...]]"
CASES_OPEN, CASES_ENDED = "terbuka", "selesai"


@dataclass(frozen=True)
class ListFilter:
    """Empty texts and None leave a condition out. Ages are full years; `received_from` and `received_to` are ISO days.

    Each kind of row looks at its own conditions: residents at the first five, participants at the programme and the status of
    the participation, cases at the next three. `cases` is "terbuka", "selesai" or "". Proposals look at `proposals` (a state, "" for all
    that were not withdrawn) and at their month ("2026-11").
    """

    status: str = "hidup"
    without_nik: bool = False
    sex: str = ""
    age_from: int | None = None
    age_to: int | None = None
    programme_id: str = ""
    participation: str = ""
    cases: str = ""
    received_from: str = ""
    received_to: str = ""
    proposals: str = ProposalState.READY
    period: str = ""


def years_before(today: date, years: int) -> date:
    """The same day so many years earlier; the last of February in the place of the 29th."""
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return today.replace(year=today.year - years, day=28)


def narrow_people(statement: Statement, wanted: ListFilter, today: date) -> Statement:
    """Residents; who was merged into somebody else is nobody."""
    statement = statement.where(Person.merged_into_id.is_(None))
    if wanted.status:
        statement = statement.where(Person.status == wanted.status)
    if wanted.without_nik:
        statement = statement.where(Person.nik.is_(None))
    if wanted.sex:
        statement = statement.where(Person.sex == wanted.sex)
    if wanted.age_from is not None:
        statement = statement.where(Person.birth_date <= years_before(today, wanted.age_from))
    if wanted.age_to is not None:
        # who turns a year older today is too old already
        statement = statement.where(Person.birth_date > years_before(today, wanted.age_to + 1))
    return statement


def narrow_families(statement: Statement, wanted: ListFilter, today: date) -> Statement:
    """Families that are one still."""
    return statement.where(Family.status == "aktif")


def narrow_participants(statement: Statement, wanted: ListFilter, today: date) -> Statement:
    """Those of one programme."""
    statement = statement.where(Participation.programme_id == wanted.programme_id)
    if wanted.participation:
        statement = statement.where(Participation.status == wanted.participation)
    return statement


def narrow_cases(statement: Statement, wanted: ListFilter, today: date) -> Statement:
    """By whether they are open, and the days on which they were received."""
    if wanted.cases:
        statement = statement.where(Case.state.in_(OPEN) if wanted.cases == CASES_OPEN else Case.state.not_in(OPEN))
    zone = settings_in_use().zone
    if wanted.received_from:
        statement = statement.where(Case.received_at >= _midnight(wanted.received_from, zone))
    if wanted.received_to:
        statement = statement.where(Case.received_at < _midnight(wanted.received_to, zone) + timedelta(days=1))
    return statement


def narrow_proposals(statement: Statement, wanted: ListFilter, today: date) -> Statement:
    """By where they stand, and their month."""
    if wanted.proposals:
        statement = statement.where(Proposal.state == wanted.proposals)
    else:
        statement = statement.where(Proposal.state != ProposalState.WITHDRAWN)
    return statement.where(Proposal.period == wanted.period) if wanted.period else statement


def _midnight(day: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.min, zone)
