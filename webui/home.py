"""The first page of the day: what waits for this person now, oldest first, and the quickest way to the next resident."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES, REGISTRAR_ROLES
from appliance.casework import casebook
from appliance.casework.case_filter import CaseFilter
from appliance.casework.casebook import CasesFound
from appliance.casework.office_calendar import calendar_in_use
from appliance.casework.queues import QueueCount, count_queues
from appliance.casework.referral_list import ReferralsFound, list_referrals
from appliance.models.roles import Role
from appliance.models.states import ReferralState
from appliance.status import Part, read_status
from webui import words
from webui.cases import AGE_WORDS, ratifies
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("home", __name__)
NAVIGATION = (Entry("Beranda", "home.show", icon="home", order=10),)


@dataclass(frozen=True)
class Desk:
    """The cases on somebody's desk: what waits for her step, and the numbers around it; `to_ratify` only for who ratifies."""

    waiting: CasesFound
    queues: tuple[QueueCount, ...]
    overdue: int
    due_today: int
    told: int
    mine: int
    to_ratify: int | None
    open: int


@blueprint.get("/")
@signed_in()
def show() -> ResponseReturnValue:
    """The desk of everybody who works with cases, the inbox of an organisation, or both."""
    by = actor()
    return render_template(
        "home/show.html",
        desk=_desk() if by.has(*AREA_ROLES) else None,
        inbox=_inbox() if by.has(Role.OPD) else None,
        ages=AGE_WORDS,
        registrar=by.has(*REGISTRAR_ROLES),
        parts=_parts() if by.has(Role.ADMIN) else None,
    )


def _desk() -> Desk:
    by, at = actor(), now()
    calendar = calendar_in_use()
    return Desk(
        waiting=casebook.list_cases(CaseFilter(queue=True), by=by, at=at),
        queues=count_queues(calendar, by=by, at=at),
        overdue=casebook.count_matching(CaseFilter(overdue=True), by=by, at=at),
        due_today=casebook.count_matching(CaseFilter(due_today=True), by=by, at=at),
        told=casebook.count_matching(CaseFilter(told=True), by=by, at=at),
        mine=casebook.count_matching(CaseFilter(mine=True, open_only=True), by=by, at=at),
        to_ratify=casebook.count_matching(CaseFilter(to_ratify=True), by=by, at=at) if ratifies() else None,
        open=casebook.count_matching(CaseFilter(open_only=True), by=by, at=at),
    )


def _inbox() -> dict[str, ReferralsFound]:
    """The referrals that wait for this organisation, by what waits."""
    return {
        state: list_referrals(by=actor(), at=now(), state=state)
        for state in (ReferralState.SENT, ReferralState.ACCEPTED, ReferralState.IN_PROCESS)
    }


def _parts() -> list[tuple[str, Part]]:
    """How the node is, for whoever looks after it. Whether the pages answer needs no telling here, and the units are not ours to ask."""
    status = read_status(settings(), now())
    return [(label, status[name]) for name, label in words.PARTS.items()]
