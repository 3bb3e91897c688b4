"""The catalogue of programmes, the rules that warn, the names of the national lists, and who takes part, village by village."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.casework import catalogue
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from appliance.registry import areas, national_lists, programmes, rules
from appliance.registry.participants import ParticipantsWanted, list_participants
from webui import aid_words, navigation
from webui.forms.programmes import ListForm, ProgrammeForm, RuleForm
from webui.navigation import Entry
from webui.sealed import seal, unseal
from webui.session import actor, now, signed_in
from webui.words import options_of

blueprint = Blueprint("programmes", __name__)
READERS = tuple(sorted(AREA_ROLES))
NAVIGATION = (Entry("Program", "programmes.listing", icon="aid", roles=READERS, order=45, group=navigation.PEOPLE),)


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """The words of codes, for every template."""
    return {"aid_words": aid_words, "is_programme_editor": lambda: actor().has(*programmes.EDITORS)}


@blueprint.get("/program")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """All programmes by sector."""
    found = programmes.list_programmes(by=actor())
    return render_template("programmes/listing.html", programmes=found)


@blueprint.get("/program/<programme_id>")
@signed_in(*READERS)
def show(programme_id: str) -> ResponseReturnValue:
    """One programme, and who of a village takes part."""
    village, status = request.args.get("desa", "") or _only_village(), request.args.get("status", "")
    wanted = ParticipantsWanted(programme_id, village, status, unseal(request.args.get("sesudah", "")))
    programme = programmes.look_at_programme(programme_id, by=actor())
    found = list_participants(wanted, by=actor()) if village else None
    return render_template(
        "programmes/show.html",
        programme=programme,
        found=found,
        following=seal(found.following) if found and found.following else "",
        village=village,
        status=status,
        villages=areas.villages(by=actor()),
    )


@blueprint.get("/program/baru")
@signed_in(*programmes.EDITORS)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _programme_page(ProgrammeForm(data={"active": True}))


@blueprint.post("/program/baru")
@signed_in(*programmes.EDITORS)
def add() -> ResponseReturnValue:
    """Store a new programme."""
    form = ProgrammeForm(request.form)
    if not form.validate():
        return _programme_page(form), 422
    try:
        programme_id = programmes.add_programme(form.fields(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _programme_page(form), 422
    flash("Program ditambahkan.", "good")
    return redirect(url_for("programmes.show", programme_id=programme_id), 303)


@blueprint.get("/program/<programme_id>/ubah")
@signed_in(*programmes.EDITORS)
def edit(programme_id: str) -> ResponseReturnValue:
    """The form with what is known."""
    programme = programmes.look_at_programme(programme_id, by=actor())
    return _programme_page(ProgrammeForm(obj=programme), programme_id)


@blueprint.post("/program/<programme_id>/ubah")
@signed_in(*programmes.EDITORS)
def change(programme_id: str) -> ResponseReturnValue:
    """Store what was changed."""
    form, version = ProgrammeForm(request.form), request.form.get("row_version", 0, type=int)
    if not form.validate():
        return _programme_page(form, programme_id), 422
    try:
        programmes.change_programme(programme_id, form.fields(), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _programme_page(form, programme_id), 422
    except Conflict as error:
        return _programme_page(form, programme_id, conflict=error), 409
    flash("Program tersimpan.", "good")
    return redirect(url_for("programmes.show", programme_id=programme_id), 303)


@blueprint.get("/program/aturan")
@signed_in(*READERS)
def rule_listing() -> ResponseReturnValue:
    """All rules that warn."""
    return render_template("programmes/rules.html", rules=rules.list_rules(by=actor()))


@blueprint.get("/program/aturan/baru")
@signed_in(*programmes.EDITORS)
def new_rule() -> ResponseReturnValue:
    """An empty form for a rule."""
    return _rule_page(RuleForm(data={"request_id": new_id(), "active": True}))


@blueprint.post("/program/aturan/baru")
@signed_in(*programmes.EDITORS)
def add_rule() -> ResponseReturnValue:
    """Store a new rule."""
    form = RuleForm(request.form)
    if not form.validate():
        return _rule_page(form), 422
    try:
        rules.add_rule(form.fields(), request_id=form.request_id.data or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _rule_page(form), 422
    flash("Aturan ditambahkan dan langsung berlaku.", "good")
    return redirect(url_for("programmes.rule_listing"), 303)


@blueprint.get("/program/aturan/<rule_id>")
@signed_in(*programmes.EDITORS)
def edit_rule(rule_id: str) -> ResponseReturnValue:
    """The form with what is known of a rule."""
    line = rules.look_at_rule(rule_id, by=actor())
    return _rule_page(RuleForm(obj=line.fields, row_version=line.row_version), rule_id)


@blueprint.post("/program/aturan/<rule_id>")
@signed_in(*programmes.EDITORS)
def change_rule(rule_id: str) -> ResponseReturnValue:
    """Store what was changed of a rule."""
    form, version = RuleForm(request.form), request.form.get("row_version", 0, type=int)
    if not form.validate():
        return _rule_page(form, rule_id), 422
    try:
        rules.change_rule(rule_id, form.fields(), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _rule_page(form, rule_id), 422
    except Conflict as error:
        return _rule_page(form, rule_id, conflict=error), 409
    flash("Aturan tersimpan dan langsung berlaku.", "good")
    return redirect(url_for("programmes.rule_listing"), 303)


@blueprint.get("/program/daftar-nasional")
@signed_in(*programmes.EDITORS)
def list_listing() -> ResponseReturnValue:
    """The national lists by their names, each with a form to change it."""
    return _lists_page(ListForm(data={"has_decile": True, "active": True}))


@blueprint.post("/program/daftar-nasional")
@signed_in(*programmes.EDITORS)
def add_list() -> ResponseReturnValue:
    """Store a new national list."""
    form = ListForm(request.form)
    if not form.validate():
        return _lists_page(form), 422
    try:
        national_lists.add_list(form.code.data or "", form.fields(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _lists_page(form), 422
    flash("Daftar ditambahkan.", "good")
    return redirect(url_for("programmes.list_listing"), 303)


@blueprint.post("/program/daftar-nasional/<list_id>")
@signed_in(*programmes.EDITORS)
def change_list(list_id: str) -> ResponseReturnValue:
    """Rename a national list or switch it off."""
    form, version = ListForm(request.form), request.form.get("row_version", 0, type=int)
    national_lists.change_list(list_id, form.fields(), row_version=version, by=actor(), at=now())
    flash("Daftar tersimpan.", "good")
    return redirect(url_for("programmes.list_listing"), 303)


def by_sector() -> dict[str, list[tuple[str, str]]]:
    """The running programmes to choose from, under the names of their sectors."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for line in programmes.list_programmes(by=actor(), active_only=True):
        groups.setdefault(programmes.SECTORS[line.sector], []).append((line.id, line.name))
    return groups


def _programme_page(form: ProgrammeForm, programme_id: str = "", conflict: Conflict | None = None) -> str:
    return render_template(
        "programmes/edit.html",
        form=form,
        problems=form.problems,
        programme=programmes.look_at_programme(programme_id, by=actor()) if programme_id else None,
        conflict=conflict,
        levels=options_of(aid_words.LEVELS),
        sectors=options_of(aid_words.SECTORS),
        targets=options_of(aid_words.TARGETS),
        units=[(unit.id, unit.name) for unit in catalogue.units()],
    )


def _rule_page(form: RuleForm, rule_id: str = "", conflict: Conflict | None = None) -> str:
    return render_template(
        "programmes/rule.html",
        form=form,
        problems=form.problems,
        rule_id=rule_id,
        conflict=conflict,
        kinds=options_of(aid_words.RULE_KINDS),
        within=options_of(aid_words.WITHIN),
        sectors=options_of(aid_words.SECTORS),
        choices=[(line.id, line.name) for line in programmes.list_programmes(by=actor())],
    )


def _lists_page(form: ListForm) -> str:
    return render_template("programmes/lists.html", form=form, problems=form.problems, lists=national_lists.national_lists())


def _only_village() -> str:
    known = areas.villages(by=actor())
    return known[0].code if len(known) == 1 else ""
