"""The telephone numbers of a person."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import EDITOR_ROLES
from appliance.errors import InvalidInput
from appliance.registry import contacts, people
from webui.forms.people import ContactForm
from webui.session import actor, now, signed_in

blueprint = Blueprint("contacts", __name__)
EDITORS = tuple(sorted(EDITOR_ROLES))


@blueprint.get("/warga/<person_id>/telepon")
@signed_in(*EDITORS)
def listing(person_id: str) -> ResponseReturnValue:
    """Her numbers, and a form for another one."""
    return _page(person_id, ContactForm())


@blueprint.post("/warga/<person_id>/telepon")
@signed_in(*EDITORS)
def add(person_id: str) -> ResponseReturnValue:
    """Store a number."""
    form = ContactForm(request.form)
    if not form.validate():
        return _page(person_id, form), 422
    try:
        contacts.add_contact(person_id, form.contact(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _page(person_id, form), 422
    flash("Nomor tersimpan.", "good")
    return redirect(url_for("contacts.listing", person_id=person_id), 303)


@blueprint.post("/warga/<person_id>/telepon/<contact_id>/hapus")
@signed_in(*EDITORS)
def remove(person_id: str, contact_id: str) -> ResponseReturnValue:
    """Take a number away."""
    contacts.remove_contact(person_id, contact_id, by=actor(), at=now())
    flash("Nomor dihapus.", "good")
    return redirect(url_for("contacts.listing", person_id=person_id), 303)


def _page(person_id: str, form: ContactForm) -> str:
    line = people.look_at_person(person_id, by=actor(), at=now()).line
    people.require_there(actor(), line.village_code, *EDITORS)
    return render_template(
        "people/contacts.html",
        form=form,
        problems=form.problems,
        line=line,
        contacts=contacts.contacts_of(person_id, by=actor()),
        owners=contacts.OWNERS,
    )
