"""Kinds of service: the list, the form by which the Dinas changes them, and what a citizen has to bring, printed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.casework import catalogue, service_types
from appliance.errors import Conflict, InvalidInput
from webui import navigation
from webui.forms.services import ServiceForm
from webui.navigation import Entry
from webui.session import actor, now, signed_in

blueprint = Blueprint("services", __name__)
READERS = tuple(sorted(AREA_ROLES))
NAVIGATION = (Entry("Layanan", "services.listing", icon="check", roles=READERS, order=46, group=navigation.CASES),)


@blueprint.get("/layanan")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """All services with what they ask for."""
    found = service_types.list_services(by=actor())
    return render_template("services/listing.html", services=found, edits=actor().has(*service_types.EDITORS))


@blueprint.get("/layanan/<service_code>/berkas")
@signed_in(*READERS)
def papers(service_code: str) -> ResponseReturnValue:
    """What to bring, on a small paper for the citizen."""
    service = service_types.look_at_service(service_code, by=actor())
    return render_template("services/papers.html", service=service.fields, kinds=service_types.PAPER_KINDS)


@blueprint.get("/layanan/baru")
@signed_in(*service_types.EDITORS)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _page(ServiceForm(data={"active": True}))


@blueprint.post("/layanan/baru")
@signed_in(*service_types.EDITORS)
def add() -> ResponseReturnValue:
    """Store a new service."""
    form = ServiceForm(request.form)
    if not form.validate():
        return _page(form), 422
    try:
        service_types.add_service(form.fields(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _page(form), 422
    flash("Layanan ditambahkan dan langsung dapat dipilih.", "good")
    return redirect(url_for("services.listing"), 303)


@blueprint.get("/layanan/<service_code>/ubah")
@signed_in(*service_types.EDITORS)
def edit(service_code: str) -> ResponseReturnValue:
    """The form with what stands."""
    return _page(ServiceForm.of(service_types.look_at_service(service_code, by=actor())), service_code)


@blueprint.post("/layanan/<service_code>/ubah")
@signed_in(*service_types.EDITORS)
def change(service_code: str) -> ResponseReturnValue:
    """Store a new version."""
    form = ServiceForm(request.form)
    form.code.data = service_types.look_at_service(service_code, by=actor()).fields.code
    if not form.validate():
        return _page(form, service_code), 422
    try:
        service_types.change_service(service_code, form.fields(), version=form.version.data or 0, by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _page(form, service_code), 422
    except Conflict as error:
        return _page(form, service_code, error), 409
    flash("Layanan tersimpan. Kasus yang sudah terbuka tetap memakai ketentuan lama.", "good")
    return redirect(url_for("services.listing"), 303)


def _page(form: ServiceForm, code: str = "", conflict: Conflict | None = None) -> str:
    return render_template(
        "services/edit.html",
        form=form,
        code=code,
        known=service_types.look_at_service(code, by=actor()) if code else None,
        conflict=conflict,
        problems=form.problems,
        categories=list(catalogue.CATEGORIES.items()),
        kinds=list(service_types.PAPER_KINDS.items()),
    )
