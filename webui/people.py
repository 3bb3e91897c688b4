"""Residents: find one, look at her, register her. The search words travel sealed, so that no address shows a NIK."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES, EDITOR_ROLES, HEALTH_ROLES, REGISTRAR_ROLES, REVEAL_ROLES
from appliance.casework import casebook
from appliance.casework.case_filter import CaseFilter
from appliance.casework.numbers import find_numbered
from appliance.errors import InvalidInput
from appliance.models.columns import new_id
from appliance.registry import areas, codes, contacts, duplicates, files, life_events, people, unmerging
from appliance.registry.duplicates import LooksKnown
from appliance.registry.hamlets import Suggestions, suggestions
from appliance.registry.hits import whole_number
from appliance.registry.lookalikes import Lookalike
from appliance.registry.people import NikTaken, PersonDetail
from appliance.registry.people_search import find_people, search_people
from webui import drafts, navigation
from webui.cases import url_of
from webui.forms.people import FindForm, PersonForm, ReasonForm
from webui.navigation import Entry
from webui.sealed import seal, unseal
from webui.security import reads_only
from webui.session import actor, now, signed_in

blueprint = Blueprint("people", __name__)
READERS = tuple(sorted(AREA_ROLES))
REGISTRARS = tuple(sorted(REGISTRAR_ROLES))
NAVIGATION = (Entry("Warga", "people.listing", icon="people", roles=READERS, order=20, group=navigation.PEOPLE),)
NIK_LENGTH = 16
# The newest events of a life that a person's page shows; the rest is on a page of its own.
RECENT_EVENTS = 5
# The hamlets of so many villages can be suggested together.
FEW_VILLAGES = 3


@blueprint.get("/warga")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The search box, and what the last search found."""
    text, village = unseal(request.args.get("cari", "")), request.args.get("desa", "")
    form = FindForm(data={"q": text, "village_code": village})
    found = None
    if text or village:
        found = find_people(text, by=actor(), at=now(), village_code=village, page=request.args.get("page", 1, type=int))
    return render_template("people/listing.html", form=form, found=found, villages=areas.villages(by=actor()))


@blueprint.post("/warga/cari")
@signed_in(*READERS)
@reads_only
def search() -> ResponseReturnValue:
    """One box for everything: the number of a case or referral opens it, a whole NIK the person, anything else the list."""
    form = FindForm(request.form)
    text, village = " ".join((form.q.data or "").split()), form.village_code.data or ""
    numbered = find_numbered(text, by=actor())
    if numbered:
        return redirect(url_of(numbered), 303)
    if whole_number(text):
        found = search_people(text, by=actor(), at=now(), village_code=village)
        if found.total == 1:
            return redirect(url_for("people.show", person_id=found.people[0].id), 303)
    return redirect(url_for("people.listing", cari=seal(text) or None, desa=village or None), 303)


@blueprint.get("/warga/<person_id>")
@signed_in(*READERS)
def show(person_id: str) -> ResponseReturnValue:
    """One resident: who she is, her family, her cases. Numbers are masked."""
    person = people.look_at_person(person_id, by=actor(), at=now())
    if person.line.id != person_id:  # the address of a record that was merged into hers
        return redirect(url_for("people.show", person_id=person.line.id), 303)
    return _person_page(person)


@blueprint.post("/warga/<person_id>/nik")
@signed_in(*READERS)
def reveal(person_id: str) -> ResponseReturnValue:
    """The same with the whole NIK and family card; who asked and why is noted."""
    try:
        person = people.reveal_person(person_id, reason=ReasonForm(request.form).why, by=actor(), at=now())
    except InvalidInput as error:
        return _person_page(people.look_at_person(person_id, by=actor(), at=now()), problems=error.problems), 422
    return _person_page(person, revealed=True)


def _person_page(person: PersonDetail, *, revealed: bool = False, problems: Mapping[str, str] | None = None) -> str:
    line = person.line
    return render_template(
        "people/show.html",
        resident=person,
        cases=casebook.list_cases(CaseFilter(applicant_id=line.id), by=actor(), at=now()),
        happened=life_events.of_person(line.id, by=actor(), most=RECENT_EVENTS),
        contacts=contacts.contacts_of(line.id, by=actor()),
        files=files.of_person(line.id, by=actor()),
        pairs=duplicates.pairs_of(line.id, by=actor(), at=now()),
        merges=unmerging.merges_of(line.id, by=actor(), at=now()),
        revealed=revealed,
        problems=problems or {},
        codes=codes,
        reasons=[(reason, reason) for reason in people.REVEAL_REASONS],
        may_reveal=actor().has_in(line.village_code, *REVEAL_ROLES),
        may_see_health=actor().has_in(line.village_code, *HEALTH_ROLES),
        may_edit=actor().has_in(line.village_code, *EDITOR_ROLES),
    )


@blueprint.get("/warga/baru")
@signed_in(*REGISTRARS)
def new() -> ResponseReturnValue:
    """An empty form, with what was searched for in its place already."""
    before = drafts.typed_before(request.path)
    if before:
        return _form_page(PersonForm(before))
    form = PersonForm(data={"request_id": new_id()} | _carried_over(unseal(request.args.get("cari", ""))))
    form.village_code.data = request.args.get("desa", "") or _only_village()
    return _form_page(form)


@blueprint.post("/warga/baru")
@signed_in(*REGISTRARS)
def register() -> ResponseReturnValue:
    """Store her, or show the form again with everything that was typed."""
    form = PersonForm(request.form)
    if not form.validate():
        return _form_page(form), 422
    request_id, despite = form.request_id.data or new_id(), form.despite.data or ""
    try:
        person_id = duplicates.register(form.person(), despite=despite, request_id=request_id, by=actor(), at=now())
    except LooksKnown as found:
        holder = next((one.line.name for one in found.people if one.has_her_nik), "")
        if holder:
            form.refused["nik"] = f"NIK sudah dipakai oleh {holder}. Cocokkan dengan KTP."
        elif form.asked.data:
            form.refused["despite"] = "Tulis mengapa ini orang lain, paling sedikit beberapa kata."
        return _form_page(form, known=found.people), 422
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form), 422
    except NikTaken as error:
        form.refused["nik"] = f"{error.message} {error.hint}"
        return _form_page(form, holder_id=error.person_id), 409
    drafts.stored(request.path)
    flash("Warga terdaftar. Silakan buka kasus untuk keluhannya.", "good")
    return redirect(url_for("people.show", person_id=person_id), 303)


def _form_page(form: PersonForm, known: tuple[Lookalike, ...] = (), holder_id: str | None = None) -> str:
    return render_template(
        "people/register.html",
        form=form,
        problems=form.problems,
        known=known,
        holder_id=holder_id,
        villages=areas.villages(by=actor(), roles=REGISTRARS),
        codes=codes,
        nik_reasons=people.NIK_REASONS,
        suggested=_suggested(form.village_code.data or ""),
    )


def _suggested(village_code: str) -> Suggestions:
    """For an address: of the village that is chosen, else of all of hers when these are few."""
    known = [village.code for village in areas.villages(by=actor(), roles=REGISTRARS)]
    if village_code in known:
        return suggestions([village_code])
    return suggestions(known) if len(known) <= FEW_VILLAGES else Suggestions()


def _carried_over(text: str) -> dict[str, str]:
    """What the officer searched for, in the field it belongs to."""
    if not re.search(r"\d", text):
        return {"name": text}
    return {"nik": text} if len(re.sub(r"\D", "", text)) == NIK_LENGTH else {}


def _only_village() -> str:
    known = areas.villages(by=actor(), roles=REGISTRARS)
    return known[0].code if len(known) == 1 else ""
