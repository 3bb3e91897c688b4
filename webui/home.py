"""The first page of the day: what waits for this person now, oldest first, and the quickest way to the next resident."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES, REGISTRAR_ROLES
from appliance.casework import casebook
from appliance.casework.case_filter import CaseFilter
from appliance.casework.casebook import CasesFound
from appliance.casework.office_calendar import calendar_in_use
from appliance.casework.queues import QueueCount, count_queues
from appliance.casework.referral_list import ReferralsFound, count_late_referrals, list_referrals
from appliance.letters import book
from appliance.models.roles import Role
from appliance.models.states import ReferralState
from appliance.status import Part, read_status
from webui import navigation, words
from webui.cases import AGE_WORDS, ratifies
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("home", __name__)
NAVIGATION = (Entry("Beranda", "home.show", icon="home", order=10, group=navigation.HOME),)
DECIDERS = (Role.MANAJER, Role.PENANDATANGAN, Role.PIMPINAN)


@dataclass(frozen=True)
class Matter:
    """Something that waits for whoever decides; `late` when time is over."""

    count: int
    text: str
    url: str
    late: bool = False


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
    desk = _desk() if by.has(*AREA_ROLES) else None
    return render_template(
        "home/show.html",
        desk=desk,
        matters=_matters(desk) if desk and by.has(*DECIDERS) else None,
        watches=by.roles == {Role.PIMPINAN},
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


def _matters(desk: Desk) -> list[Matter]:
    """What waits for a decision, or for the attention of whoever leads; the empty ones are left out."""
    by = actor()
    decisions = next((line for line in desk.queues if line.queue.key == "penetapan"), None)
    lateness = decisions.late if decisions else 0
    told = (
        f"kasus menunggu penetapan, {words.number_words(lateness)} lewat batas waktu" if lateness else "kasus menunggu penetapan"
    )
    matters = (
        Matter(desk.to_ratify or 0, "rujukan darurat belum disahkan", url_for("cases.listing", tampil="darurat"), late=True),
        Matter(decisions.count if decisions else 0, told, url_for("cases.listing", tampil="penetapan"), late=lateness > 0),
        Matter(
            book.count_waiting(by=by), "surat menunggu paraf atau tanda tangan Anda", url_for("letters.listing", tampil=book.MINE)
        ),
        Matter(desk.told, "keterlambatan disampaikan kepada Anda", url_for("cases.listing", tampil="disampaikan"), late=True),
        Matter(
            count_late_referrals(by=by, at=now()),
            "rujukan lewat batas jawaban OPD",
            url_for("referrals.listing", status="lewat"),
            late=True,
        ),
    )
    return [matter for matter in matters if matter.count]


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
