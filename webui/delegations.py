"""The manager hands her decisions to somebody in writing, and takes them back."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.casework import delegations
from appliance.casework.delegations import NewDelegation
from appliance.errors import InvalidInput
from appliance.models.roles import Role
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.session import actor, now, signed_in

blueprint = Blueprint("delegations", __name__)
NAVIGATION = (Entry("Pendelegasian", "delegations.listing", icon="account", roles=(Role.MANAJER,), order=75),)


@blueprint.get("/pendelegasian")
@signed_in(Role.MANAJER)
def listing() -> ResponseReturnValue:
    """What was handed over, and the form to do so."""
    return _page({})


@blueprint.post("/pendelegasian")
@signed_in(Role.MANAJER)
def add() -> ResponseReturnValue:
    """Hand the decisions over."""
    typed = request.form
    new = NewDelegation(
        account_id=typed.get("account_id", ""),
        starts=_day("starts"),
        ends=_day("ends"),
        document=" ".join(typed.get("document", "").split()),
    )
    try:
        delegations.delegate_decisions(new, by=actor(), at=now())
    except InvalidInput as error:
        return _page(error.problems), 422
    flash("Pendelegasian tersimpan.", "good")
    return redirect(url_for("delegations.listing"), 303)


@blueprint.post("/pendelegasian/<delegation_id>/akhiri")
@signed_in(Role.MANAJER)
def end(delegation_id: str) -> ResponseReturnValue:
    """Take it back at once."""
    version = request.form.get("row_version", 0, type=int)
    delegations.end_delegation(delegation_id, row_version=version, by=actor(), at=now())
    flash("Pendelegasian diakhiri.", "good")
    return redirect(url_for("delegations.listing"), 303)


def _day(name: str) -> date | None:
    try:
        return read_day(request.form.get(name, "").strip())
    except ValueError:
        return None


def _page(problems: dict[str, str]) -> str:
    return render_template(
        "delegations/list.html",
        delegations=delegations.list_delegations(by=actor(), at=now()),
        candidates=delegations.candidates(by=actor(), at=now()),
        problems=problems,
        typed=request.form,
    )
