"""The organisations that cases are referred to, kept by the admin."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.casework import units
from appliance.casework.units import UnitDetail
from appliance.errors import Conflict, InvalidInput
from appliance.models.roles import Role
from webui.forms.units import UnitForm
from webui.navigation import Entry
from webui.session import actor, now, signed_in

blueprint = Blueprint("units", __name__)
NAVIGATION = (Entry("Unit dan OPD", "units.listing", icon="referral", roles=(Role.ADMIN,), order=77),)


@blueprint.get("/unit")
@signed_in(Role.ADMIN)
def listing() -> ResponseReturnValue:
    """All organisations, with what is open at each."""
    return render_template("units/listing.html", units=units.list_units(by=actor(), at=now()), kinds=units.KINDS)


@blueprint.get("/unit/baru")
@signed_in(Role.ADMIN)
def new() -> ResponseReturnValue:
    """The empty form."""
    return _form_page(UnitForm(data={"active": True}))


@blueprint.post("/unit/baru")
@signed_in(Role.ADMIN)
def add() -> ResponseReturnValue:
    """Put an organisation on the list."""
    form = UnitForm(request.form)
    if not form.validate():
        return _form_page(form), 422
    try:
        units.add_unit(form.code.data or "", form.unit(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form), 422
    flash("Unit tersimpan.", "good")
    return redirect(url_for("units.listing"), 303)


@blueprint.get("/unit/<unit_id>")
@signed_in(Role.ADMIN)
def edit(unit_id: str) -> ResponseReturnValue:
    """One organisation, to correct."""
    found = units.look_at_unit(unit_id, by=actor(), at=now())
    return _form_page(UnitForm(data={**vars(found.text), "row_version": found.row_version}), found)


@blueprint.post("/unit/<unit_id>")
@signed_in(Role.ADMIN)
def change(unit_id: str) -> ResponseReturnValue:
    """Store the corrections. Whoever was slower keeps what she typed and sees that it would land on a newer state."""
    found = units.look_at_unit(unit_id, by=actor(), at=now())
    form = UnitForm(request.form)
    if not form.validate():
        return _form_page(form, found), 422
    try:
        units.change_unit(unit_id, form.unit(), row_version=form.row_version.data or 0, by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form, found), 422
    except Conflict as error:
        form.go_on_from(found.row_version)
        return _form_page(form, found, error), 409
    flash("Unit tersimpan.", "good")
    return redirect(url_for("units.listing"), 303)


def _form_page(form: UnitForm, found: UnitDetail | None = None, conflict: Conflict | None = None) -> str:
    kinds = [(code, words) for code, words in units.KINDS.items() if code != "sekretariat" or (found and found.fixed)]
    return render_template("units/edit.html", form=form, problems=form.problems, unit=found, kinds=kinds, conflict=conflict)
