"""The pages of handing villages over: choose, look at what stands open, do it or plan it, and print the sheet again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from appliance.access import AREA_ROLES
from appliance.casework import handover, handover_plans, handover_records
from appliance.casework.handover import HANDING_ROLES, ListChanged, NewHandover
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.columns import new_id
from appliance.models.handover import PlanState
from appliance.models.roles import Role
from webui.accounts import today
from webui.forms.fields import read_day
from webui.security import reads_only
from webui.session import actor, now, signed_in

blueprint = Blueprint("handovers", __name__)
READERS = tuple(sorted({*AREA_ROLES, Role.ADMIN}))
HANDERS = (Role.ADMIN, *HANDING_ROLES)


@blueprint.get("/serah-terima")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """What was handed over, the newest first."""
    found = handover_records.list_handovers(by=actor(), before=request.args.get("sebelum", ""))
    plans = () if request.args.get("sebelum") else handover_plans.list_plans(by=actor())
    return render_template("handovers/list.html", found=found, plans=plans, may_hand_over=actor().has(*HANDERS))


@blueprint.get("/serah-terima/baru")
@signed_in(*HANDERS)
def new() -> ResponseReturnValue:
    """Who gives; then what goes to whom."""
    typed = MultiDict({"starts": today().strftime("%d-%m-%Y"), "from_account_id": request.args.get("dari", "")})
    typed.setlist("village_codes", request.args.getlist("desa"))
    return _form(typed, {})


@blueprint.post("/serah-terima/tinjau")
@signed_in(*HANDERS)
@reads_only
def review() -> ResponseReturnValue:
    """What stands open and would pass, before anything is done."""
    try:
        return _review(request.form)
    except InvalidInput as error:
        return _form(request.form, error.problems), 422


@blueprint.post("/serah-terima/serahkan")
@signed_in(*HANDERS)
def create() -> ResponseReturnValue:
    """Do it. The form's token makes a second press of the button find the first record."""
    typed = request.form
    try:
        made = handover.hand_over(
            _read(typed),
            seen=typed.get("seen", ""),
            request_id=typed.get("request_id", "") or new_id(),
            by=actor(),
            at=now(),
        )
    except InvalidInput as error:
        return _form(typed, error.problems), 422
    except ListChanged as error:
        return _review(typed, trouble=error), 409
    flash("Serah terima tercatat. Cetak berita acaranya, lalu minta kedua pihak menandatangani.", "good")
    return redirect(url_for("handovers.show", handover_id=made), 303)


@blueprint.post("/serah-terima/rencanakan")
@signed_in(*HANDERS)
def plan() -> ResponseReturnValue:
    """Keep it for a later day."""
    typed = request.form
    try:
        made = handover_plans.plan_handover(
            _read(typed), request_id=typed.get("request_id", "") or new_id(), by=actor(), at=now()
        )
    except InvalidInput as error:
        return _form(typed, error.problems), 422
    except Conflict as error:
        return _form(typed, {"village_codes": f"{error.message} {error.hint}"}), 409
    flash("Rencana tersimpan. Serah terima dilakukan sendiri pada harinya.", "good")
    return redirect(url_for("handovers.show_plan", plan_id=made), 303)


@blueprint.get("/serah-terima/rencana/<plan_id>")
@signed_in(*READERS)
def show_plan(plan_id: str) -> ResponseReturnValue:
    """One plan, with what would pass as things are now; what was done is shown as such."""
    found = handover_plans.look_at_plan(plan_id, by=actor(), at=now())
    if found.line.handover_id:
        return redirect(url_for("handovers.show", handover_id=found.line.handover_id), 303)
    may_cancel = found.line.state is PlanState.WAITING and actor().has(*HANDERS)
    return render_template("handovers/plan.html", found=found, may_cancel=may_cancel)


@blueprint.get("/serah-terima/rencana/<plan_id>/cetak")
@signed_in(*READERS)
def plan_sheet(plan_id: str) -> ResponseReturnValue:
    """The sheet as it would be, marked as a plan."""
    found = handover_plans.look_at_plan(plan_id, by=actor(), at=now())
    if found.sheet is None:
        raise NotFound("Lembar rencana itu belum dapat dicetak.", "Buka rencananya untuk melihat sebabnya.")
    return render_template("handovers/sheet.html", found=found, sheet=found.sheet, planned=True)


@blueprint.post("/serah-terima/rencana/<plan_id>/batal")
@signed_in(*HANDERS)
def cancel_plan(plan_id: str) -> ResponseReturnValue:
    """Call it off."""
    version = request.form.get("row_version", 0, type=int)
    handover_plans.cancel_plan(plan_id, row_version=version, by=actor(), at=now())
    flash("Rencana dibatalkan; tidak ada yang berpindah.", "good")
    return redirect(url_for("handovers.listing"), 303)


@blueprint.get("/serah-terima/<handover_id>")
@signed_in(*READERS)
def show(handover_id: str) -> ResponseReturnValue:
    """One handover as it was done."""
    return render_template("handovers/show.html", found=handover_records.look_at_handover(handover_id, by=actor()))


@blueprint.get("/serah-terima/<handover_id>/cetak")
@signed_in(*READERS)
def sheet(handover_id: str) -> ResponseReturnValue:
    """The sheet on A4, as often as it is needed; the journal notes each time."""
    found = handover_records.print_sheet(handover_id, by=actor(), at=now())
    return render_template("handovers/sheet.html", found=found, sheet=found.sheet, planned=False)


def _form(typed: MultiDict[str, str], problems: Mapping[str, str]) -> str:
    givers = handover_records.givers(by=actor(), today=today())
    giver = next((one for one in givers if one.account_id == typed.get("from_account_id")), None)
    takers = [taker for taker in handover_records.takers(by=actor()) if giver is None or taker[0] != giver.account_id]
    chosen = typed.getlist("village_codes")
    return render_template(
        "handovers/new.html", givers=givers, giver=giver, takers=takers, chosen=chosen, typed=typed, problems=problems
    )


def _review(typed: MultiDict[str, str], trouble: ListChanged | None = None) -> str:
    new = _read(typed)
    seen = handover.preview(new, by=actor(), at=now())
    return render_template(
        "handovers/review.html",
        seen=seen,
        typed=typed,
        request_id=typed.get("request_id") or new_id(),
        trouble=trouble,
        planned=new.starts if handover.is_planned(new, now()) else None,
    )


def _read(typed: MultiDict[str, str]) -> NewHandover:
    """What was typed. Raises InvalidInput for a date that cannot be read."""
    text = typed.get("starts", "").strip()
    try:
        starts: date | None = read_day(text) if text else None
    except ValueError as error:
        raise InvalidInput({"starts": str(error)}) from error
    return NewHandover(
        from_account_id=typed.get("from_account_id", ""),
        to_account_id=typed.get("to_account_id", ""),
        village_codes=tuple(typed.getlist("village_codes")),
        starts=starts,
        decree=typed.get("decree", ""),
        note=typed.get("note", ""),
    )
