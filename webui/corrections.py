"""Putting right what is stored of a person or a family, and what is known of somebody's health."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import EDITOR_ROLES, HEALTH_ROLES
from appliance.errors import Conflict, InvalidInput
from appliance.registry import codes, corrections, families, health, life_events, people
from appliance.registry.families import FamilyDetail
from appliance.registry.people import NikTaken, PersonDetail
from appliance.registry.person_fields import PersonFields
from webui.forms.people import CorrectForm, FamilyForm, HealthForm, ReasonForm
from webui.session import actor, now, signed_in

blueprint = Blueprint("corrections", __name__)
EDITORS = tuple(sorted(EDITOR_ROLES))
HEALTH = tuple(sorted(HEALTH_ROLES))
# The newest events that a refused form shows, to tell what happened meanwhile.
MEANWHILE = 3


@blueprint.get("/warga/<person_id>/ubah")
@signed_in(*EDITORS)
def edit_person(person_id: str) -> ResponseReturnValue:
    """The form with what is stored; the NIK stays hidden and is only typed to be replaced."""
    seen = people.look_at_person(person_id, by=actor(), at=now())
    people.require_there(actor(), seen.line.village_code, *EDITORS)
    return _person_form(CorrectForm(data=asdict(seen.fields) | {"row_version": seen.row_version}), seen)


@blueprint.post("/warga/<person_id>/ubah")
@signed_in(*EDITORS)
def correct_person(person_id: str) -> ResponseReturnValue:
    """Store it, or show the form again: with the problems, or with what somebody else changed meanwhile."""
    form = CorrectForm(request.form)
    by, at = actor(), now()
    seen = people.look_at_person(person_id, by=by, at=at)
    version = form.row_version.data or 0

    def act() -> object:
        return corrections.correct_person(person_id, form.person(), reason=form.why, row_version=version, by=by, at=at)

    def again(*, stale: bool = False, holder_id: str | None = None) -> str:
        return _person_form(form, seen, newer=_newer(seen.fields, form.person()) if stale else None, holder_id=holder_id)

    refused = _refused(form, act, again, seen.row_version)
    if refused:
        return refused
    return redirect(url_for("people.show", person_id=person_id), 303)


@blueprint.get("/keluarga/<family_id>/ubah")
@signed_in(*EDITORS)
def edit_family(family_id: str) -> ResponseReturnValue:
    """The form with the family's place as it is stored."""
    seen = families.look_at_family(family_id, by=actor(), at=now())
    people.require_there(actor(), seen.village_code, *EDITORS)
    return _family_form(FamilyForm(data=asdict(seen.fields) | {"row_version": seen.row_version}), seen)


@blueprint.post("/keluarga/<family_id>/ubah")
@signed_in(*EDITORS)
def correct_family(family_id: str) -> ResponseReturnValue:
    """Store it, or show the form again."""
    form = FamilyForm(request.form)
    by, at = actor(), now()
    seen = families.look_at_family(family_id, by=by, at=at)
    version = form.row_version.data or 0

    def act() -> object:
        return corrections.correct_family(family_id, form.family(), reason=form.why, row_version=version, by=by, at=at)

    def again(*, stale: bool = False) -> str:
        return _family_form(form, seen, newer=_newer(seen.fields, form.family()) if stale else None)

    refused = _refused(form, act, again, seen.row_version)
    if refused:
        return refused
    return redirect(url_for("families.show", family_id=family_id), 303)


@blueprint.get("/warga/<person_id>/kesehatan")
@signed_in(*HEALTH)
def show_health(person_id: str) -> ResponseReturnValue:
    """Disability, illness and pregnancy; the look is in the journal."""
    seen, version = health.look_at_health(person_id, by=actor(), at=now())
    return _health_form(person_id, HealthForm(data=asdict(seen) | {"row_version": version}))


@blueprint.post("/warga/<person_id>/kesehatan")
@signed_in(*HEALTH)
def change_health(person_id: str) -> ResponseReturnValue:
    """Store what is known now."""
    form = HealthForm(request.form)
    try:
        version = form.row_version.data or 0
        changed = health.change_health(person_id, form.health(), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _health_form(person_id, form), 422
    flash("Data kesehatan tersimpan." if changed else "Tidak ada isian yang berubah.", "good" if changed else "info")
    return redirect(url_for("people.show", person_id=person_id), 303)


def _refused(form: ReasonForm, act: Callable[[], object], again: Callable[..., str], version: int) -> tuple[str, int] | None:
    """Store it; the page with the form when it could not be stored, with the newest version to go on from."""
    if not form.validate():
        return again(), 422
    try:
        changed = act()
    except InvalidInput as error:
        form.refuse(error)
        return again(), 422
    except NikTaken as error:
        form.refused["nik"] = error.message
        return again(holder_id=error.person_id), 409
    except Conflict:
        form.go_on_from(version)
        return again(stale=True), 409
    flash("Perbaikan tersimpan." if changed else "Tidak ada isian yang berubah.", "good" if changed else "info")
    return None


def _person_form(
    form: CorrectForm, seen: PersonDetail, *, newer: Mapping[str, str] | None = None, holder_id: str | None = None
) -> str:
    return render_template(
        "people/correct.html",
        form=form,
        problems=form.problems,
        resident=seen,
        newer=newer,
        happened=life_events.of_person(seen.line.id, by=actor(), most=MEANWHILE) if newer is not None else None,
        holder_id=holder_id,
        codes=codes,
        nik_reasons=people.NIK_REASONS,
        reasons=[(reason, reason) for reason in corrections.REASONS],
    )


def _family_form(form: FamilyForm, seen: FamilyDetail, *, newer: Mapping[str, str] | None = None) -> str:
    return render_template(
        "families/correct.html",
        form=form,
        problems=form.problems,
        family=seen,
        newer=newer,
        happened=life_events.of_family(seen.id, by=actor(), most=MEANWHILE) if newer is not None else None,
        reasons=[(reason, reason) for reason in corrections.REASONS],
    )


def _health_form(person_id: str, form: HealthForm) -> str:
    line = people.look_at_person(person_id, by=actor(), at=now()).line
    return render_template("people/health.html", form=form, problems=form.problems, line=line, codes=codes)


def _newer(stored: PersonFields | corrections.FamilyFields, typed: PersonFields | corrections.FamilyFields) -> dict[str, str]:
    """What is stored now in the fields where something else was typed. The NIK is not among them: it is not shown."""
    now_stored: dict[str, Any] = asdict(stored)
    differing = {name: now_stored[name] for name, value in asdict(typed).items() if value != now_stored[name]}
    return {name: _words(name, value) for name, value in differing.items() if name not in ("nik", "nik_reason")}


def _words(field: str, value: Any) -> str:
    if isinstance(value, date):
        return f"{value:%d-%m-%Y}"
    return codes.label(field, str(value)) if field in codes.LISTS else str(value if value is not None else "")
