"""Proposals for the national list: writing them, their lists and steps, and the monthly window.

What they rest on has pages of its own (`proposal_bases`), as has entering them in SIKS-NG (`proposal_entry`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from appliance.models.proposal_words import ProposalKind, ProposalState
from appliance.models.roles import Role
from appliance.proposals import book, proposals, window_rules
from appliance.proposals.book import ProposalDetail, ProposalFilter, QueueCount
from appliance.proposals.kinds import KINDS
from appliance.proposals.proposals import Act
from appliance.proposals.steps import RELEASERS, WRITERS, ProposalStep
from appliance.proposals.windows import Rule
from appliance.registry import areas, people
from appliance.registry.programmes import list_programmes
from webui import navigation, words
from webui.forms.fields import read_day
from webui.forms.proposals import ProposalForm, read_period
from webui.navigation import Entry
from webui.session import actor, may_open, now, required, signed_in

blueprint = Blueprint("proposals", __name__)
READERS = tuple(sorted(AREA_ROLES))
WRITING = tuple(sorted(WRITERS))
CONCERNED = (*WRITING, Role.SUPERVISOR, Role.TKSK, Role.MANAJER, Role.PIMPINAN)
NAVIGATION = (Entry("Usulan DTSEN", "proposals.listing", icon="check", roles=CONCERNED, order=43, group=navigation.CASES),)
TOGETHER = {ProposalStep.RELEASE.value: "tetapkan", ProposalStep.CARRY.value: book.LATE}
GRAVE = frozenset({ProposalStep.RETURN, ProposalStep.WITHDRAW, ProposalStep.REJECT, ProposalStep.UNDO_ENTRY})
TONES = {
    ProposalState.AGREED: "warn",
    ProposalState.NEEDS_REPAIR: "warn",
    ProposalState.ON_HOLD: "warn",
    ProposalState.SIGNED: "info",
    ProposalState.CHECKED: "info",
    ProposalState.READY: "info",
    ProposalState.ENTERED: "info",
    ProposalState.ACCEPTED: "good",
    ProposalState.NOT_AGREED: "bad",
    ProposalState.REJECTED: "bad",
}


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """What the pages of proposals and the panels on other pages draw with."""
    return {
        "proposal_tones": TONES,
        "period_words": period_words,
        "proposal_queues": waiting_queues,
        "proposals_of_person": lambda person_id: book.proposals_of_person(person_id, by=actor(), at=now()),
        "proposals_of_case": lambda case_id: book.proposals_of_case(case_id, by=actor(), at=now()),
        "person_may": lambda endpoint: may_open(endpoint, required()),
        "may_propose": lambda village_code: actor().has_in(village_code, *WRITERS),
    }


def period_words(period: str) -> str:
    """November 2026."""
    return words.month_words(date.fromisoformat(f"{period}-01")) if period else ""


def waiting_queues() -> tuple[QueueCount, ...]:
    """Her queues in which something waits."""
    return book.count_queues(by=actor(), at=now())


@blueprint.get("/usulan")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """One list, narrowed; everything stands readable in the address."""
    return _listing_page({})


def _listing_page(problems: Mapping[str, str]) -> str:
    asked = {name: request.args.get(name, "") for name in ("antrean", "status", "jenis", "periode", "desa")}
    wanted = ProposalFilter(
        queue=asked["antrean"],
        state=asked["status"],
        kind=asked["jenis"],
        period=read_period(asked["periode"]),
        village_code=asked["desa"],
    )
    found = book.list_proposals(wanted, by=actor(), at=now(), after=request.args.get("sesudah", ""))
    return render_template(
        "proposals/listing.html",
        found=found,
        wanted=wanted,
        kept={name: value for name, value in asked.items() if value},
        window=window_rules.window_now(now()),
        queues=waiting_queues(),
        together=_together(wanted.queue),
        kinds=[(kind.value, KINDS[kind].label) for kind in ProposalKind],
        states=list(ProposalState),
        villages=areas.villages(by=actor(), roles=AREA_ROLES),
        problems=problems,
    )


def _together(queue: str) -> str:
    """The step that may be taken for several proposals of this queue by her, "" for none."""
    may = {"tetapkan": RELEASERS, book.LATE: {Role.BO, Role.MANAJER}}
    step = next((step for step, of in TOGETHER.items() if of == queue), "")
    return step if step and actor().has(*may[queue]) else ""


@blueprint.post("/usulan/bersama/<together_step>")
@signed_in(Role.BO, Role.MANAJER)
def take_together(together_step: str) -> ResponseReturnValue:
    """The same step for the proposals that were ticked, for all or for none."""
    chosen = request.form.getlist("chosen")
    step = together_step if together_step in TOGETHER else ""
    acts = {one: Act(step, {}, request.form.get(f"version-{one}", 0, type=int)) for one in chosen}
    try:
        count = proposals.take_steps(acts, by=actor(), at=now())
    except InvalidInput as error:
        return _listing_page(error.problems), 422
    flash(f"{count} usulan tersimpan.", "good")
    return redirect(url_for("proposals.listing", antrean=TOGETHER[step]), 303)


@blueprint.get("/warga/<person_id>/usulan-baru")
@signed_in(*WRITING)
def new(person_id: str) -> ResponseReturnValue:
    """An empty proposal about this resident; `kasus` is the number of the case it arises from."""
    resident = people.look_at_person(person_id, by=actor(), at=now())
    known = {
        "request_id": new_id(),
        "case_number": request.args.get("kasus", ""),
        "family": "ya" if resident.family_id else "tidak",
    }
    return _form_page(ProposalForm(data=known), person_id)


@blueprint.post("/warga/<person_id>/usulan-baru")
@signed_in(*WRITING)
def create(person_id: str) -> ResponseReturnValue:
    """Write it, and with the first button hand it to the next meeting."""
    form = ProposalForm(request.form)
    if not form.validate():
        return _form_page(form, person_id), 422
    given: dict[str, Any] = {"case_number": form.case_number.data or "", "submit": "draft" not in request.form}
    try:
        made = proposals.propose(
            person_id, form.wish(), **given, request_id=form.request_id.data or new_id(), by=actor(), at=now()
        )  # fmt: skip
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form, person_id), 422
    flash("Usulan diajukan; menunggu musyawarah atau SPTJM." if given["submit"] else "Usulan tersimpan sebagai draf.", "good")
    return redirect(url_for("proposals.show", proposal_id=made), 303)


def _form_page(form: ProposalForm, person_id: str, proposal: ProposalDetail | None = None, **more: Any) -> str:
    return render_template(
        "proposals/edit.html",
        form=form,
        problems=form.problems,
        resident=people.look_at_person(person_id, by=actor(), at=now()),
        proposal=proposal,
        kinds=[(kind.value, KINDS[kind].label, KINDS[kind].note) for kind in ProposalKind],
        programmes=[(one.id, one.name) for one in list_programmes(by=actor())],
        window=window_rules.window_now(now()),
        **more,
    )


@blueprint.get("/usulan/<proposal_id>")
@signed_in(*READERS)
def show(proposal_id: str) -> ResponseReturnValue:
    """One proposal: where it stands, what holds it, the steps she may take, its history. `langkah` opens a step."""
    return _page(proposal_id, request.args.get("langkah", ""))


@blueprint.get("/usulan/<proposal_id>/ubah")
@signed_in(*WRITING)
def edit(proposal_id: str) -> ResponseReturnValue:
    """The form with what is stored, while it may be changed."""
    found = book.look_at_proposal(proposal_id, by=actor(), at=now())
    if ProposalStep.CHANGE not in {line.step for line in found.steps}:
        raise Conflict("Usulan ini tidak dapat diubah pada statusnya sekarang.", "Kembali ke halaman usulan.")
    known = {
        "row_version": found.line.row_version,
        "kind": found.line.kind.value,
        "family": "ya" if found.line.whole_family else "tidak",
        "programme_id": found.programme_id,
        "reason": found.reason,
        "evidence": found.evidence,
    }
    return _form_page(ProposalForm(data=known), found.line.person_id, found)


@blueprint.post("/usulan/<proposal_id>/ubah")
@signed_in(*WRITING)
def change(proposal_id: str) -> ResponseReturnValue:
    """Store the changed proposal; over a newer state what was typed is shown again."""
    found = book.look_at_proposal(proposal_id, by=actor(), at=now())
    form = ProposalForm(request.form)
    if not form.validate():
        return _form_page(form, found.line.person_id, found), 422
    version = form.row_version.data or 0
    try:
        proposals.change_proposal(proposal_id, form.wish(), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form, found.line.person_id, found), 422
    except Conflict as error:
        form.go_on_from(found.line.row_version)
        return _form_page(form, found.line.person_id, found, conflict=error), 409
    flash("Perubahan usulan tersimpan.", "good")
    return redirect(url_for("proposals.show", proposal_id=proposal_id), 303)


@blueprint.post("/usulan/<proposal_id>/langkah/<proposal_step>")
@signed_in(*READERS)
def move(proposal_id: str, proposal_step: str) -> ResponseReturnValue:
    """Take one step. Whoever was slower gets the proposal as it is now, with what she typed."""
    typed = {name: value for name, value in request.form.items() if name not in ("csrf_token", "row_version")}
    given = {name: iso_day(value) if name.endswith("_on") else value for name, value in typed.items()}
    version = request.form.get("row_version", 0, type=int)
    try:
        proposals.take_step(proposal_id, proposal_step, given, row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        return _page(proposal_id, proposal_step, typed=typed, problems=error.problems), 422
    except Conflict as error:
        return _page(proposal_id, proposal_step, typed=typed, conflict=error), 409
    flash("Langkah tersimpan dan tercatat di riwayat.", "good")
    return redirect(url_for("proposals.show", proposal_id=proposal_id), 303)


def iso_day(typed: str) -> str:
    """A date as the service reads it; what is no date stays as it was typed, for the service to refuse."""
    try:
        return read_day(typed.strip()).isoformat()
    except ValueError:
        return typed


def _page(proposal_id: str, wanted: str = "", **more: Any) -> str:
    found = book.look_at_proposal(proposal_id, by=actor(), at=now())
    steps = [line for line in found.steps if line.step is not ProposalStep.CHANGE]
    chosen = next((line for line in steps if line.step == wanted), None)
    if chosen is None and "conflict" not in more:
        chosen = next((line for line in steps if line.step not in GRAVE | {ProposalStep.FIELD_CHECK, ProposalStep.CARRY}), None)
    may_change = len(steps) < len(found.steps)
    return render_template(
        "proposals/show.html", proposal=found, steps=steps, chosen=chosen, may_change=may_change, grave=GRAVE, **more
    )  # fmt: skip


@blueprint.get("/usulan/jendela")
@signed_in(*READERS)
def window() -> ResponseReturnValue:
    """The window of each month; the manager changes it."""
    return _window_page({})


@blueprint.post("/usulan/jendela")
@signed_in(Role.MANAJER)
def save_window() -> ResponseReturnValue:
    """Set the usual days, or those of one month."""
    typed = request.form
    days = (typed.get(name, 0, type=int) for name in ("opens_day", "closes_day", "result_days"))
    period = read_period(typed.get("period", "")) if "special" in typed else ""
    if "special" in typed and not period:
        return _window_page({"period": "Tulis bulan dan tahun, contoh 12-2026."}), 422
    version = typed.get("row_version", 0, type=int)
    try:
        window_rules.save_rule(period, Rule(*days), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        return _window_page(error.problems), 422
    flash("Jendela usulan tersimpan.", "good")
    return redirect(url_for("proposals.window"), 303)


@blueprint.post("/usulan/jendela/hapus")
@signed_in(Role.MANAJER)
def remove_window() -> ResponseReturnValue:
    """Let the usual days hold for a month again."""
    window_rules.remove_rule(request.form.get("period", ""), by=actor(), at=now())
    flash("Bulan itu memakai tanggal yang biasa lagi.", "good")
    return redirect(url_for("proposals.window"), 303)


def _window_page(problems: Mapping[str, str]) -> str:
    rules = window_rules.look_at_rules(by=actor(), at=now())
    return render_template(
        "proposals/window.html",
        rules=rules,
        window=window_rules.window_now(now()),
        may_set=actor().has(*window_rules.KEEPERS),
        typed=request.form,
        problems=problems,
    )
