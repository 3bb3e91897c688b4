"""Filling a blank of a survey, drawn from its definition, and reading a filled one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import InvalidInput
from appliance.models.columns import new_id
from appliance.registry import profile
from appliance.registry.profile import ANSWER
from webui import aid_words
from webui.aid import READERS, RECORDERS, resident_page, today
from webui.forms.aid import ProfileForm
from webui.session import actor, now, signed_in
from webui.words import options_of

blueprint = Blueprint("profiles", __name__)


@blueprint.get("/warga/<person_id>/profil-baru/<instrument>")
@signed_in(*RECORDERS)
def new(person_id: str, instrument: str) -> ResponseReturnValue:
    """The newest version of the blank, empty."""
    version = profile.blank_for(person_id, instrument, None, by=actor()).version
    return _form_page(
        ProfileForm(data={"request_id": new_id(), "version": version, "surveyed_on": today()}), person_id, instrument
    )


@blueprint.post("/warga/<person_id>/profil-baru/<instrument>")
@signed_in(*RECORDERS)
def store(person_id: str, instrument: str) -> ResponseReturnValue:
    """Append what was answered, or show the blank again with everything that was typed."""
    form = ProfileForm(request.form)
    if not form.validate():
        return _form_page(form, person_id, instrument), 422
    typed = form.profile(instrument, _answers())
    try:
        profile_id = profile.store_profile(person_id, typed, request_id=form.request_id.data or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form, person_id, instrument), 422
    flash("Profil tersimpan. Profil sebelumnya tetap ada.", "good")
    return redirect(url_for("profiles.show", profile_id=profile_id), 303)


@blueprint.get("/profil/<profile_id>")
@signed_in(*READERS)
def show(profile_id: str) -> ResponseReturnValue:
    """One filled blank."""
    return render_template("programmes/profile.html", profile=profile.look_at_profile(profile_id, by=actor(), at=now()))


def _answers() -> dict[str, list[str]]:
    """What was typed for each question."""
    return {name.removeprefix(ANSWER): request.form.getlist(name) for name in request.form if name.startswith(ANSWER)}


def _form_page(form: ProfileForm, person_id: str, instrument: str) -> str:
    return resident_page(
        "programmes/profile_new.html",
        person_id,
        form=form,
        problems=form.problems,
        blank=profile.blank_for(person_id, instrument, form.version.data or None, by=actor()),
        answers=_answers(),
        prefix=ANSWER,
        opinions=options_of(aid_words.OPINIONS),
    )
