"""Photos of a filled profile, and a look into a national list with what proves it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import InvalidInput
from appliance.registry import profile, record_files
from appliance.registry.record_files import PROFILE_KINDS
from webui.aid import READERS, RECORDERS
from webui.person_files import about_file, file_form, sent_content
from webui.session import actor, now, signed_in

blueprint = Blueprint("record_files", __name__)


@blueprint.get("/profil/<profile_id>/berkas")
@signed_in(*RECORDERS)
def choose_for_profile(profile_id: str) -> ResponseReturnValue:
    """The form to take in a photo of a filled profile."""
    return _profile_form(profile_id, {})


@blueprint.post("/profil/<profile_id>/berkas")
@signed_in(*RECORDERS)
def add_to_profile(profile_id: str) -> ResponseReturnValue:
    """Store a photo of a filled profile."""
    try:
        record_files.add_profile_file(profile_id, sent_content(), **about_file(), by=actor(), at=now())
    except InvalidInput as error:
        return _profile_form(profile_id, error.problems), 422
    flash("Berkas tersimpan.", "good")
    return redirect(url_for("profiles.show", profile_id=profile_id), 303)


@blueprint.get("/hasil-cek/<status_id>")
@signed_in(*READERS)
def show_look(status_id: str) -> ResponseReturnValue:
    """One look into a national list, with what proves it and the form to add to it."""
    return _look_page(status_id, {})


@blueprint.post("/hasil-cek/<status_id>")
@signed_in(*RECORDERS)
def add_to_look(status_id: str) -> ResponseReturnValue:
    """Store what proves it."""
    try:
        record_files.add_evidence(status_id, sent_content(), title=about_file()["title"], by=actor(), at=now())
    except InvalidInput as error:
        return _look_page(status_id, error.problems), 422
    flash("Bukti tersimpan.", "good")
    return redirect(url_for("record_files.show_look", status_id=status_id), 303)


def _profile_form(profile_id: str, problems: dict[str, str]) -> str:
    found = profile.look_at_profile(profile_id, by=actor(), at=now())
    return file_form(found.person_name, url_for("profiles.show", profile_id=profile_id), problems, PROFILE_KINDS)


def _look_page(status_id: str, problems: dict[str, str]) -> str:
    look = record_files.look_at_status(status_id, by=actor(), at=now())
    return render_template("programmes/look.html", look=look, problems=problems, typed=request.form)
