"""Noting what happened to a person or a family: one page with one form for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import EDITOR_ROLES
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.columns import new_id
from appliance.registry import areas, families, happenings, marriages, people
from appliance.registry.families import FamilyDetail
from appliance.registry.people import NikTaken, PersonDetail
from appliance.registry.people_search import PersonLine
from webui.forms.people import (
    BirthForm,
    CardForm,
    DeathForm,
    DivorceForm,
    HappeningForm,
    HeadForm,
    MarriageForm,
    MoveForm,
    SplitForm,
)
from webui.session import actor, now, signed_in

blueprint = Blueprint("happenings", __name__)
EDITORS = tuple(sorted(EDITOR_ROLES))


@dataclass(frozen=True)
class Step:
    """One kind of happening: what its page and button say, and its form."""

    title: str
    button: str
    form: type[HappeningForm]


PERSON_STEPS: Mapping[str, Step] = {
    "pindah": Step("Catat pindah", "Simpan kepindahan", MoveForm),
    "meninggal": Step("Catat meninggal", "Simpan kematian", DeathForm),
    "kawin": Step("Catat kawin", "Simpan perkawinan", MarriageForm),
    "cerai": Step("Catat cerai", "Simpan perceraian", DivorceForm),
    "hilang": Step("Catat hilang", "Simpan", HappeningForm),
    "datang": Step("Catat datang kembali", "Simpan kedatangan", MoveForm),
}
FAMILY_STEPS: Mapping[str, Step] = {
    "lahir": Step("Catat kelahiran", "Simpan kelahiran", BirthForm),
    "pecah-kk": Step("Pecah KK", "Simpan KK baru", SplitForm),
    "kk-baru": Step("Ganti nomor KK", "Simpan nomor KK", CardForm),
    "kepala": Step("Pilih kepala keluarga", "Simpan kepala keluarga", HeadForm),
    "pindah": Step("Pindah sekeluarga", "Simpan kepindahan", MoveForm),
}


@blueprint.get("/warga/<person_id>/peristiwa/<kind>")
@signed_in(*EDITORS)
def ask_person(person_id: str, kind: str) -> ResponseReturnValue:
    """The empty form for one kind of happening."""
    step = _step(PERSON_STEPS, kind)
    seen = people.look_at_person(person_id, by=actor(), at=now())
    people.require_there(actor(), seen.line.village_code, *EDITORS)
    return _person_page(kind, step, step.form(data={"row_version": seen.row_version}), seen)


@blueprint.post("/warga/<person_id>/peristiwa/<kind>")
@signed_in(*EDITORS)
def note_person(person_id: str, kind: str) -> ResponseReturnValue:
    """Store it with its consequences, or show the form again."""
    step = _step(PERSON_STEPS, kind)
    form = step.form(request.form)
    seen = people.look_at_person(person_id, by=actor(), at=now())

    def again(**more: Any) -> str:
        return _person_page(kind, step, form, seen, **more)

    refused = _refused(form, lambda: _do_person(kind, person_id, form), again, seen.row_version)
    return refused or _stored(kind, step, form, url_for("people.show", person_id=person_id))


@blueprint.get("/keluarga/<family_id>/peristiwa/<kind>")
@signed_in(*EDITORS)
def ask_family(family_id: str, kind: str) -> ResponseReturnValue:
    """The empty form for one kind of happening."""
    step = _step(FAMILY_STEPS, kind)
    seen = families.look_at_family(family_id, by=actor(), at=now())
    people.require_there(actor(), seen.village_code, *EDITORS)
    return _family_page(kind, step, step.form(data={"row_version": seen.row_version, "request_id": new_id()}), seen)


@blueprint.post("/keluarga/<family_id>/peristiwa/<kind>")
@signed_in(*EDITORS)
def note_family(family_id: str, kind: str) -> ResponseReturnValue:
    """Store it with its consequences, or show the form again."""
    step = _step(FAMILY_STEPS, kind)
    form = step.form(request.form)
    seen = families.look_at_family(family_id, by=actor(), at=now())

    def again(**more: Any) -> str:
        return _family_page(kind, step, form, seen, **more)

    refused = _refused(form, lambda: _do_family(kind, family_id, form), again, seen.row_version)
    return refused or _stored(kind, step, form, url_for("families.show", family_id=family_id))


def _stored(kind: str, step: Step, form: HappeningForm, page: str) -> ResponseReturnValue:
    """Back to her page, unless she moved out of the reader's areas with it."""
    flash(f"{step.title}: tersimpan.", "good")
    still_seen = kind != "pindah" or not form["village_code"].data or actor().covers(form["village_code"].data)
    return redirect(page if still_seen else url_for("people.listing"), 303)


def _step(steps: Mapping[str, Step], kind: str) -> Step:
    if kind not in steps:
        raise NotFound("Jenis peristiwa itu tidak ada.", "Pilih peristiwa dari halaman warga atau keluarga.")
    return steps[kind]


def _refused(form: HappeningForm, act: Callable[[], object], again: Callable[..., str], version: int) -> tuple[str, int] | None:
    """Do it; the page with the form when it could not be done, with the newest version to go on from."""
    if not form.validate():
        return again(), 422
    try:
        act()
    except InvalidInput as error:
        form.refuse(error)
        return again(), 422
    except families.CardTaken as error:
        form.refused["kk"] = error.message
        return again(), 409
    except NikTaken as error:
        form.refused["nik"] = error.message
        return again(), 409
    except Conflict as error:
        form.go_on_from(version)
        return again(conflict=error), 409
    return None


def _do_person(kind: str, person_id: str, form: Any) -> None:
    known: dict[str, Any] = {"row_version": form.row_version.data or 0, "by": actor(), "at": now()}
    match kind:
        case "meninggal":
            paper = {"on": form.on.data, "evidence": form.evidence.data}
            happenings.record_death(person_id, new_head_id=form.head_id.data, **paper, **known)
        case "kawin":
            paper = {"on": form.on.data, "evidence": form.evidence.data}
            marriages.record_marriage(person_id, spouse=form.spouse.data, **paper, **known)
        case "cerai":
            marriages.record_divorce(person_id, form.divorce(), **known)
        case "hilang":
            happenings.record_missing(person_id, on=form.on.data, evidence=form.evidence.data, **known)
        case "datang":
            happenings.record_return(person_id, form.move(), **known)
        case _:
            happenings.record_move(person_id, form.move(), **known)


def _do_family(kind: str, family_id: str, form: Any) -> None:
    known: dict[str, Any] = {"row_version": form.row_version.data or 0, "by": actor(), "at": now()}
    match kind:
        case "lahir":
            request_id = form.request_id.data or new_id()
            happenings.record_birth(family_id, form.birth(), request_id=request_id, by=known["by"], at=known["at"])
        case "pecah-kk":
            families.split_family(family_id, form.split(), **known)
        case "kk-baru":
            families.renew_card(family_id, form.kk.data, reason=form.why, on=form.on.data, **known)
        case "kepala":
            families.choose_head(family_id, form.head_id.data, **known)
        case _:
            happenings.record_family_move(family_id, form.move(), **known)


def _person_page(kind: str, step: Step, form: HappeningForm, seen: PersonDetail, conflict: Conflict | None = None) -> str:
    return render_template(
        "people/happening.html",
        kind=kind,
        step=step,
        form=form,
        problems=form.problems,
        resident=seen,
        members=_alive(seen.family),
        villages=_villages(kind),
        conflict=conflict,
    )


def _family_page(kind: str, step: Step, form: HappeningForm, seen: FamilyDetail, conflict: Conflict | None = None) -> str:
    return render_template(
        "families/happening.html",
        kind=kind,
        step=step,
        form=form,
        problems=form.problems,
        family=seen,
        members=_alive(seen.members),
        reasons=[(reason, reason) for reason in families.CARD_REASONS],
        villages=_villages(kind),
        conflict=conflict,
    )


def _alive(lines: Iterable[PersonLine]) -> list[tuple[str, str]]:
    """The members to choose from."""
    return [(line.id, line.name) for line in lines if line.status == families.ALIVE]


def _villages(kind: str) -> tuple[areas.Village, ...]:
    """Anywhere in the district to go to; only own villages to come to."""
    if kind == "pindah":
        return areas.active_villages()
    return areas.villages(by=actor(), roles=EDITORS) if kind == "datang" else ()
