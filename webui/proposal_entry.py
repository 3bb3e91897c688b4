"""Entering proposals in SIKS-NG: the rows to copy, ticking what was entered, and the results as they come back."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import InvalidInput
from appliance.exchange import proposal_entry, proposal_results
from appliance.exchange.sheets import Unreadable
from appliance.proposals import book, proposals, window_rules
from appliance.proposals.book import ProposalFilter
from appliance.proposals.proposals import Act
from appliance.proposals.steps import ENTERERS, ProposalStep
from appliance.registry import areas
from webui.forms.fields import read_day
from webui.proposals import iso_day
from webui.session import actor, now, signed_in

blueprint = Blueprint("proposal_entry", __name__)
ENTERING = tuple(sorted(ENTERERS))


@blueprint.get("/usulan/entri")
@signed_in(*ENTERING)
def listing() -> ResponseReturnValue:
    """What is ready, village by village; `desa` narrows to one."""
    return _page({})


def _page(problems: Mapping[str, str]) -> str:
    village = request.values.get("desa", "")
    found = book.list_proposals(ProposalFilter(queue="siap-entri", village_code=village), by=actor(), at=now())
    return render_template(
        "proposals/entry.html",
        found=found,
        village_code=village,
        villages=areas.villages(by=actor(), roles=ENTERERS),
        window=window_rules.window_now(now()),
        at_once=proposal_entry.AT_ONCE,
        typed=request.form,
        problems=problems,
    )


@blueprint.post("/usulan/entri/salin")
@signed_in(*ENTERING)
def copy() -> ResponseReturnValue:
    """The next rows of a village with whole numbers, in the order of SIKS-NG. That they were opened is recorded."""
    village, chosen = request.form.get("desa", ""), request.form.getlist("chosen")
    try:
        rows = proposal_entry.rows_to_key_in(village, chosen=chosen, by=actor(), at=now())
    except InvalidInput as error:
        return _page(error.problems), 422
    return render_template(
        "proposals/copy.html", rows=rows, village_code=village, window=window_rules.window_now(now()), today=_today()
    )


@blueprint.post("/usulan/entri/tandai")
@signed_in(*ENTERING)
def tick() -> ResponseReturnValue:
    """Note which were entered, on which day, under which number; all or none."""
    typed = request.form
    entered_on = iso_day(typed.get("entered_on", ""))
    acts = {
        one: Act(
            ProposalStep.ENTER,
            {"entered_on": entered_on, "outside_number": typed.get(f"outside-{one}", "")},
            typed.get(f"version-{one}", 0, type=int),
        )
        for one in typed.getlist("entered")
    }
    try:
        count = proposals.take_steps(acts, by=actor(), at=now())
    except InvalidInput as error:
        return _page(error.problems), 422
    flash(f"{count} usulan ditandai sudah dientri di SIKS-NG.", "good")
    return redirect(url_for("proposal_entry.listing", desa=typed.get("desa") or None), 303)


@blueprint.get("/usulan/hasil")
@signed_in(*ENTERING)
def results() -> ResponseReturnValue:
    """Where a sheet with results is handed over, and what still waits for one."""
    return _results_page({})


@blueprint.post("/usulan/hasil")
@signed_in(*ENTERING)
def store_results() -> ResponseReturnValue:
    """Read the sheet and store all of it, or nothing."""
    sent = request.files.get("file")
    try:
        result_on = read_day(request.form.get("result_on", "").strip())
    except ValueError:
        result_on = None
    try:
        stored, foreign = proposal_results.store_results(sent.read() if sent else b"", result_on, by=actor(), at=now())
    except InvalidInput as error:
        return _results_page(error.problems), 422
    except Unreadable as error:
        return _results_page({"file": f"{error.message} {error.hint}"}), 422
    flash(f"{stored} hasil tersimpan; {foreign} baris bukan usulan kita yang menunggu hasil.", "good" if stored else "warn")
    return redirect(url_for("proposals.listing", antrean="hasil"), 303)


def _results_page(problems: Mapping[str, str]) -> str:
    found = book.list_proposals(ProposalFilter(queue="hasil"), by=actor(), at=now())
    return render_template("proposals/results.html", found=found, typed=request.form, problems=problems, today=_today())


def _today() -> str:
    return f"{window_rules.window_now(now()).today:%d-%m-%Y}"
