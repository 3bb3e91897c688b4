"""Photos and papers of people and families: taking one in, showing it, taking a wrong one away."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from appliance.access import AREA_ROLES, EDITOR_ROLES
from appliance.errors import InvalidInput
from appliance.registry import families, files, people
from appliance.registry.file_store import PDF, FileContent
from webui.session import actor, now, signed_in
from webui.words import FILE_KINDS

blueprint = Blueprint("person_files", __name__)
READERS = tuple(sorted(AREA_ROLES))
EDITORS = tuple(sorted(EDITOR_ROLES))
# Not even a file that slipped through may do anything in the browser.
ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@blueprint.get("/warga/<person_id>/berkas")
@signed_in(*EDITORS)
def choose_for_person(person_id: str) -> ResponseReturnValue:
    """The form to take in a file of a person."""
    line = people.look_at_person(person_id, by=actor(), at=now()).line
    people.require_there(actor(), line.village_code, *EDITORS)
    return file_form(line.name, url_for("people.show", person_id=person_id), {})


@blueprint.post("/warga/<person_id>/berkas")
@signed_in(*EDITORS)
def add_to_person(person_id: str) -> ResponseReturnValue:
    """Store a file of a person."""
    name = people.look_at_person(person_id, by=actor(), at=now()).line.name
    back = url_for("people.show", person_id=person_id)
    try:
        files.add_person_file(person_id, sent_content(), **about_file(), by=actor(), at=now())
    except InvalidInput as error:
        return file_form(name, back, error.problems), 422
    flash("Berkas tersimpan.", "good")
    return redirect(back, 303)


@blueprint.get("/keluarga/<family_id>/berkas")
@signed_in(*EDITORS)
def choose_for_family(family_id: str) -> ResponseReturnValue:
    """The form to take in a file of a family."""
    family = families.look_at_family(family_id, by=actor(), at=now())
    people.require_there(actor(), family.village_code, *EDITORS)
    return file_form("Keluarga", url_for("families.show", family_id=family_id), {})


@blueprint.post("/keluarga/<family_id>/berkas")
@signed_in(*EDITORS)
def add_to_family(family_id: str) -> ResponseReturnValue:
    """Store a file of a family."""
    families.look_at_family(family_id, by=actor(), at=now())
    back = url_for("families.show", family_id=family_id)
    try:
        files.add_family_file(family_id, sent_content(), **about_file(), by=actor(), at=now())
    except InvalidInput as error:
        return file_form("Keluarga", back, error.problems), 422
    flash("Berkas tersimpan.", "good")
    return redirect(back, 303)


@blueprint.get("/berkas/<file_id>")
@signed_in(*READERS)
def show(file_id: str) -> ResponseReturnValue:
    """The file itself; a PDF is only ever saved, never opened within these pages."""
    return sent_file(files.open_file(file_id, by=actor(), at=now()))


@blueprint.get("/berkas/<file_id>/kecil")
@signed_in(*READERS)
def thumbnail(file_id: str) -> ResponseReturnValue:
    """The small picture of a file."""
    return sent_file(files.open_thumbnail(file_id, by=actor()))


@blueprint.post("/berkas/<file_id>/hapus")
@signed_in(*EDITORS)
def remove(file_id: str) -> ResponseReturnValue:
    """Take a wrong file away."""
    row = files.remove_file(file_id, by=actor(), at=now())
    flash("Berkas dihapus dari halaman.", "good")
    if row.person_id:
        return redirect(url_for("people.show", person_id=row.person_id), 303)
    return redirect(url_for("families.show", family_id=row.family_id), 303)


def sent_content() -> bytes:
    """What was sent as a file; empty for nothing."""
    sent = request.files.get("file")
    return sent.read() if sent else b""


def about_file() -> dict[str, str]:
    """The kind and the title that were typed beside a file."""
    return {"kind": request.form.get("kind", ""), "title": " ".join(request.form.get("title", "").split())}


def file_form(name: str, back: str, problems: dict[str, str], kinds: frozenset[str] = files.KINDS) -> str:
    """The form to take in a file of one of `kinds`."""
    offered = [(kind, label) for kind, label in FILE_KINDS.items() if kind in kinds]
    return render_template("people/add_file.html", name=name, back=back, problems=problems, kinds=offered, typed=request.form)


def sent_file(content: FileContent) -> Response:
    """The file as an answer in which nothing may run, not even what slipped through."""
    response = send_file(content.path, mimetype=content.media, as_attachment=content.media == PDF, download_name=content.name)
    response.headers["Content-Security-Policy"] = ALONE
    return response
