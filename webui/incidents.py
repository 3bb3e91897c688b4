"""The register of incidents with personal data: opening, the clock of the law, the list of people it touches, and the form on paper."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import Conflict, InvalidInput
from appliance.incidents import affected, book, register
from appliance.incidents.rules import DECIDERS, READERS, IncidentKind, IncidentState, IncidentStep
from appliance.models.columns import new_id
from webui.forms.fields import read_day
from webui.forms.incidents import IncidentForm
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("incidents", __name__)
DECIDING = tuple(sorted(DECIDERS))
NAVIGATION = (Entry("Insiden data", "incidents.listing", icon="warn", roles=READERS, order=92),)
TONES = {IncidentState.OPEN: "bad", IncidentState.HANDLED: "warn", IncidentState.TOLD: "info"}
GRAVE = frozenset({IncidentStep.DISMISS, IncidentStep.REOPEN})


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """What the pages of incidents and the first page draw with."""
    return {
        "incident_tones": TONES,
        "time_left": time_left,
        "late_incidents": lambda: book.count_late(by=actor(), at=now()),
    }


def time_left(left: timedelta) -> str:
    """2 hari 5 jam; of what is over, how long it is over."""
    hours = int(abs(left) // timedelta(hours=1))
    days, rest = divmod(hours, 24)
    words = " ".join(f"{count} {unit}" for count, unit in ((days, "hari"), (rest, "jam")) if count)
    return words or "kurang dari satu jam"


@blueprint.get("/insiden")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The register, the newest first; `sebelum` goes on below a number."""
    found = book.list_incidents(by=actor(), at=now(), before=request.args.get("sebelum", ""))
    following = found[-1].number if len(found) == book.PAGE_SIZE else ""
    return render_template("incidents/list.html", incidents=found, following=following)


@blueprint.get("/insiden/baru")
@signed_in(*READERS)
def new() -> ResponseReturnValue:
    """An empty form; from the list of devices it names account and device (`akun`, `perangkat`)."""
    form = IncidentForm(
        data={"request_id": new_id(), "account_id": request.args.get("akun", ""), "device": request.args.get("perangkat", "")}
    )
    if form.device.data:
        form.kind.process_data(IncidentKind.LOST.value)
    form.set_moment("noticed_at", now(), settings().zone)
    return _form(form)


@blueprint.post("/insiden/baru")
@signed_in(*READERS)
def create() -> ResponseReturnValue:
    """Open it. The form's token makes a second press of the button find the first one."""
    form = IncidentForm(request.form)
    read = form.validate()
    try:
        text = form.incident(settings().zone)
        if read:
            made = register.open_incident(text, request_id=form.request_id.data or new_id(), by=actor(), at=now())
            flash("Insiden dibuka. Waktu 3 x 24 jam dihitung sejak insiden diketahui.", "good")
            return redirect(url_for("incidents.show", incident_id=made), 303)
    except InvalidInput as error:
        _refuse(form, error)
    return _form(form), 422


@blueprint.get("/insiden/<incident_id>")
@signed_in(*READERS)
def show(incident_id: str) -> ResponseReturnValue:
    """One incident; `langkah` opens the form of a step."""
    return _page(incident_id, request.args.get("langkah", ""))


@blueprint.get("/insiden/<incident_id>/ubah")
@signed_in(*READERS)
def edit(incident_id: str) -> ResponseReturnValue:
    """What is noted, to be changed as long as nobody was told."""
    known = book.look_at_incident(incident_id, by=actor(), at=now())
    if IncidentStep.CHANGE not in {line.step for line in known.steps}:
        raise Conflict("Catatan insiden ini tidak diubah lagi.", "Tambahkan keterangan pada langkah berikutnya.")
    form = IncidentForm()
    form.show(known, settings().zone)
    return _form(form, incident_id)


@blueprint.post("/insiden/<incident_id>/ubah")
@signed_in(*READERS)
def change(incident_id: str) -> ResponseReturnValue:
    """Note it anew."""
    form = IncidentForm(request.form)
    read = form.validate()
    try:
        text = form.incident(settings().zone)
        if read:
            register.change_incident(incident_id, text, row_version=form.row_version.data or 0, by=actor(), at=now())
            flash("Catatan insiden tersimpan.", "good")
            return redirect(url_for("incidents.show", incident_id=incident_id), 303)
    except InvalidInput as error:
        _refuse(form, error)
    book.look_at_incident(incident_id, by=actor(), at=now())
    return _form(form, incident_id), 422


@blueprint.post("/insiden/<incident_id>/langkah/<incident_step>")
@signed_in(*READERS)
def move(incident_id: str, incident_step: str) -> ResponseReturnValue:
    """Take a step."""
    version = request.form.get("row_version", 0, type=int)
    try:
        register.take_step(incident_id, incident_step, _answers(), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        return _page(incident_id, incident_step, error.problems), 422
    flash("Langkah tersimpan.", "good")
    return redirect(url_for("incidents.show", incident_id=incident_id), 303)


@blueprint.get("/insiden/<incident_id>/cetak")
@signed_in(*READERS)
def sheet(incident_id: str) -> ResponseReturnValue:
    """The form of the incident on paper: what the law asks."""
    found = book.look_at_incident(incident_id, by=actor(), at=now(), printed=True)
    return render_template("incidents/sheet.html", found=found)


@blueprint.get("/insiden/<incident_id>/terdampak")
@signed_in(*DECIDING)
def affected_sheet(incident_id: str) -> ResponseReturnValue:
    """The people it touches, on paper."""
    found = affected.print_affected(incident_id, by=actor(), at=now())
    return render_template("incidents/affected.html", found=found, incident_id=incident_id)


def _refuse(form: IncidentForm, error: InvalidInput) -> None:
    """In a form `data` is what all fields hold, so that the field has another name."""
    names = {"data": "data_seen"}
    form.refuse(InvalidInput({names.get(name, name): sentence for name, sentence in error.problems.items()}))


def _answers() -> dict[str, str | date]:
    """The answers to a step; a day that cannot be read counts as none. Raises InvalidInput with the sentence for it."""
    answers: dict[str, str | date] = {}
    problems: dict[str, str] = {}
    for name, text in request.form.items():
        answers[name] = text
        if name.endswith("_on") and text.strip():
            try:
                answers[name] = read_day(text.strip())
            except ValueError as error:
                problems[name] = str(error)
    if problems:
        raise InvalidInput(problems)
    return answers


def _form(form: IncidentForm, incident_id: str = "") -> str:
    account_id = form.account_id.data or ""
    return render_template(
        "incidents/form.html",
        form=form,
        problems=form.problems,
        incident_id=incident_id,
        kinds=[(kind.value, kind.label) for kind in IncidentKind],
        accounts=book.accounts_to_name(by=actor()),
        devices=[(name, name) for name in register.devices_of(account_id)] if account_id else [],
    )


def _page(incident_id: str, step: str = "", problems: dict[str, str] | None = None) -> str:
    found = book.look_at_incident(incident_id, by=actor(), at=now())
    return render_template(
        "incidents/show.html",
        found=found,
        chosen=next((line for line in found.steps if line.step == step and line.fields), None),
        problems=problems or {},
        typed=request.form,
        grave=GRAVE,
        may_print_affected=actor().has(*DECIDING),
    )
