"""What a person and her family get, got and need: the panel on her page, the page behind it, and writing it all down."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from appliance.registry import aid, list_status, needs, participation, people
from appliance.registry.aid import AidView, ParticipationDetail
from appliance.registry.combination import Caution
from appliance.registry.holders import RECORDER_ROLES
from appliance.registry.instruments import instruments
from appliance.registry.national_lists import national_lists
from webui import aid_words
from webui.forms.aid import NeedForm, ParticipationChangeForm, ParticipationForm, PaymentForm, StatusForm
from webui.programmes import by_sector
from webui.session import actor, now, settings, signed_in
from webui.words import options_of

blueprint = Blueprint("aid", __name__)
READERS = tuple(sorted(AREA_ROLES))
RECORDERS = tuple(sorted(RECORDER_ROLES))


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """What the panel on a person's page asks for."""
    return {"aid_of": aid_of, "survey_blanks": instruments}


def aid_of(person_id: str) -> AidView:
    """What is known of a person's and her family's aid, for the panel. Raises NotFound."""
    return aid.aid_of_person(person_id, by=actor())


@blueprint.get("/warga/<person_id>/bantuan")
@signed_in(*READERS)
def show(person_id: str) -> ResponseReturnValue:
    """Everything of the panel, with what is over too."""
    resident = people.look_at_person(person_id, by=actor(), at=now())
    return render_template("programmes/aid.html", resident=resident, aid=aid_of(person_id))


@blueprint.get("/warga/<person_id>/kepesertaan-baru")
@signed_in(*RECORDERS)
def new_participation(person_id: str) -> ResponseReturnValue:
    """An empty form, beside what the family gets already."""
    form = ParticipationForm(data={"request_id": new_id(), "known_on": today(), "status": "aktif"})
    return _participation_form(form, person_id)


@blueprint.post("/warga/<person_id>/kepesertaan-baru")
@signed_in(*RECORDERS)
def record_participation(person_id: str) -> ResponseReturnValue:
    """Store it; what the rules warn of is shown once before."""
    form = ParticipationForm(request.form)
    if not form.validate():
        return _participation_form(form, person_id), 422
    new, by = form.participation(), actor()
    cautions = () if form.seen.data else participation.cautions_before(person_id, new, by=by)
    if cautions:
        return _participation_form(form, person_id, cautions), 422
    try:
        participation.record_participation(person_id, new, request_id=form.request_id.data or new_id(), by=by, at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _participation_form(form, person_id), 422
    flash("Kepesertaan tercatat.", "good")
    return redirect(url_for("aid.show", person_id=person_id), 303)


@blueprint.get("/kepesertaan/<participation_id>")
@signed_in(*READERS)
def participation_page(participation_id: str) -> ResponseReturnValue:
    """One participation with its payments, and the forms to change it and to add a payment."""
    detail = aid.look_at_participation(participation_id, by=actor(), at=now())
    return _participation_page(detail)


@blueprint.post("/kepesertaan/<participation_id>/ubah")
@signed_in(*RECORDERS)
def change_participation(participation_id: str) -> ResponseReturnValue:
    """Store what is known now."""
    form, version = ParticipationChangeForm(request.form), request.form.get("row_version", 0, type=int)
    conflict = None
    try:
        if form.validate():
            participation.change_participation(participation_id, form.change(), row_version=version, by=actor(), at=now())
            flash("Perubahan kepesertaan tercatat.", "good")
            return redirect(url_for("aid.participation_page", participation_id=participation_id), 303)
    except InvalidInput as error:
        form.refuse(error)
    except Conflict as error:
        conflict = error
    detail = aid.look_at_participation(participation_id, by=actor(), at=now())
    return _participation_page(detail, change=form, conflict=conflict), 409 if conflict else 422


@blueprint.post("/kepesertaan/<participation_id>/penyaluran")
@signed_in(*RECORDERS)
def record_payment(participation_id: str) -> ResponseReturnValue:
    """Store a payment."""
    form = PaymentForm(request.form)
    try:
        if form.validate():
            request_id = form.request_id.data or new_id()
            participation.record_payment(participation_id, form.payment(), request_id=request_id, by=actor(), at=now())
            flash("Penyaluran tercatat.", "good")
            return redirect(url_for("aid.participation_page", participation_id=participation_id), 303)
    except InvalidInput as error:
        form.refuse(error)
    detail = aid.look_at_participation(participation_id, by=actor(), at=now())
    return _participation_page(detail, payment=form), 422


@blueprint.post("/penyaluran/<payment_id>/coret")
@signed_in(*RECORDERS)
def strike_payment(payment_id: str) -> ResponseReturnValue:
    """Strike out a payment that was wrong."""
    reason, version = request.form.get("struck_reason", ""), request.form.get("row_version", 0, type=int)
    participation_id = participation.strike_payment(payment_id, reason, row_version=version, by=actor(), at=now())
    flash("Penyaluran dicoret; alasannya tercatat.", "good")
    return redirect(url_for("aid.participation_page", participation_id=participation_id), 303)


@blueprint.get("/warga/<person_id>/kebutuhan-baru")
@signed_in(*RECORDERS)
def new_need(person_id: str) -> ResponseReturnValue:
    """An empty form for a need."""
    return _need_form(NeedForm(data={"request_id": new_id(), "noted_on": today()}), person_id)


@blueprint.post("/warga/<person_id>/kebutuhan-baru")
@signed_in(*RECORDERS)
def note_need(person_id: str) -> ResponseReturnValue:
    """Store a need."""
    form = NeedForm(request.form)
    if not form.validate():
        return _need_form(form, person_id), 422
    try:
        needs.note_need(person_id, form.need(), request_id=form.request_id.data or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _need_form(form, person_id), 422
    flash("Kebutuhan tercatat.", "good")
    return redirect(url_for("aid.show", person_id=person_id), 303)


@blueprint.get("/kebutuhan/<need_id>")
@signed_in(*READERS)
def need_page(need_id: str) -> ResponseReturnValue:
    """One need, and the form to close it."""
    return _need_page(need_id)


@blueprint.post("/kebutuhan/<need_id>/tutup")
@signed_in(*RECORDERS)
def close_need(need_id: str) -> ResponseReturnValue:
    """Say how it ended."""
    typed, version = request.form, request.form.get("row_version", 0, type=int)
    try:
        needs.close_need(
            need_id, typed.get("outcome", ""), typed.get("outcome_note", ""), row_version=version, by=actor(), at=now()
        )
    except InvalidInput as error:
        return _need_page(need_id, typed=typed, problems=error.problems), 422
    except Conflict as error:
        return _need_page(need_id, typed=typed, conflict=error), 409
    flash("Kebutuhan ditutup.", "good")
    return redirect(url_for("aid.need_page", need_id=need_id), 303)


@blueprint.get("/warga/<person_id>/status-data-baru")
@signed_in(*RECORDERS)
def new_status(person_id: str) -> ResponseReturnValue:
    """An empty form for a look into a national list."""
    return _status_form(StatusForm(data={"request_id": new_id(), "checked_on": today()}), person_id)


@blueprint.post("/warga/<person_id>/status-data-baru")
@signed_in(*RECORDERS)
def note_status(person_id: str) -> ResponseReturnValue:
    """Append what was seen."""
    form = StatusForm(request.form)
    if not form.validate():
        return _status_form(form, person_id), 422
    try:
        list_status.note_status(person_id, form.status(), request_id=form.request_id.data or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _status_form(form, person_id), 422
    flash("Hasil cek tercatat. Hasil sebelumnya tetap tersimpan.", "good")
    return redirect(url_for("aid.show", person_id=person_id), 303)


def today() -> date:
    """The office's day."""
    return now().astimezone(settings().zone).date()


def resident_page(template: str, person_id: str, **more: Any) -> str:
    """A page about one resident, beside what is known of her aid."""
    line = people.look_at_person(person_id, by=actor(), at=now()).line
    return render_template(template, resident=line, aid=aid_of(person_id), **more)


def _participation_form(form: ParticipationForm, person_id: str, cautions: tuple[Caution, ...] = ()) -> str:
    return resident_page(
        "programmes/participation_new.html",
        person_id,
        form=form,
        problems=form.problems,
        cautions=cautions,
        programmes=by_sector(),
        statuses=options_of(aid_words.STATUSES),
        sources=options_of(aid_words.SOURCES),
    )


def _participation_page(detail: ParticipationDetail, **more: Any) -> str:
    known = {name: getattr(detail.line, name) for name in ("status", "source", "known_on", "starts", "ends", "reason")}
    known |= {"card_number": detail.card_number, "note": detail.note, "row_version": detail.row_version}
    more.setdefault("change", ParticipationChangeForm(data=known))
    more.setdefault("payment", PaymentForm(data={"request_id": new_id(), "paid_on": today()}))
    return render_template(
        "programmes/participation.html",
        detail=detail,
        statuses=options_of(aid_words.STATUSES),
        sources=options_of(aid_words.SOURCES),
        forms=options_of(aid_words.FORMS),
        **more,
    )


def _need_form(form: NeedForm, person_id: str) -> str:
    return resident_page(
        "programmes/need_new.html",
        person_id,
        form=form,
        problems=form.problems,
        programmes=by_sector(),
        sectors=options_of(aid_words.SECTORS),
        priorities=options_of(aid_words.PRIORITIES),
    )


def _need_page(need_id: str, **more: Any) -> str:
    need, person_id, person = aid.look_at_need(need_id, by=actor(), at=now())
    more.setdefault("typed", {})
    more.setdefault("problems", {})
    may_record = actor().has(*RECORDERS)
    outcomes = options_of(aid_words.OUTCOMES)
    return render_template(
        "programmes/need.html",
        need=need,
        person_id=person_id,
        person_name=person,
        may_record=may_record,
        outcomes=outcomes,
        **more,
    )


def _status_form(form: StatusForm, person_id: str) -> str:
    return resident_page(
        "programmes/status_new.html",
        person_id,
        form=form,
        problems=form.problems,
        lists=[(found.id, found.name) for found in national_lists(active_only=True)],
        listed=options_of(aid_words.LISTED),
        deciles=[(number, f"Desil {number}") for number in range(1, 11)],
    )
