"""Lists that leave the office: asking for one, seeing how far it is, fetching it once it is ready, and their columns."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from appliance.access import EXPORT_ROLES, EXPORT_WHOLE_ROLES, LAYOUT_ROLES
from appliance.errors import InvalidInput
from appliance.exchange import export_layouts, export_shelf, exports
from appliance.exchange.export_columns import PERSON_STATUSES
from appliance.exchange.export_filter import CASES_ENDED, CASES_OPEN
from appliance.exchange.export_layouts import LAYOUTS, ChosenLayout, Format
from appliance.exchange.export_shelf import Expired, Shelf
from appliance.models.columns import new_id
from appliance.models.proposal_words import ProposalState
from appliance.registry import areas
from appliance.registry.areas import Village
from appliance.registry.participation import STATUSES as PARTICIPATIONS
from appliance.registry.programmes import list_programmes
from webui import navigation, words
from webui.forms.exports import MASKED, WHOLE, ExportForm, asked_again, columns_typed
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("exports", __name__)
ASKERS = tuple(sorted(EXPORT_ROLES))
LAYERS = tuple(sorted(LAYOUT_ROLES))
NAVIGATION = (Entry("Ekspor", "exports.listing", icon="download", roles=ASKERS, order=70, group=navigation.DATA),)
STATES = {
    Shelf.WAITING: words.Word("Menunggu giliran", "info"),
    Shelf.RUNNING: words.Word("Sedang ditulis", "info"),
    Shelf.READY: words.Word("Siap diunduh", "good"),
    Shelf.EXPIRED: words.Word("Kedaluwarsa"),
    Shelf.FAILED: words.Word("Gagal", "bad"),
}
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/ekspor")
@signed_in(*ASKERS)
def listing() -> ResponseReturnValue:
    """My exports, the newest first."""
    found = export_shelf.list_exports(by=actor(), at=now())
    return render_template("exports/listing.html", exports=found, states=STATES, may_lay_out=actor().has(*LAYERS))


@blueprint.get("/ekspor/baru")
@signed_in(*ASKERS)
def new() -> ResponseReturnValue:
    """An empty form; with `dari` the wishes of an earlier export, of which the file is gone."""
    again = request.args.get("dari", "")
    known = (
        asked_again(export_shelf.export_asked_before(again, by=actor())) if again else _begun_with(request.args.get("bentuk", ""))
    )
    return _form_page(ExportForm(data={"request_id": new_id(), **known}))


def _begun_with(layout: str) -> dict[str, object]:
    """The layout that another page asks for, with numbers as it needs them."""
    found = next((one for one in export_layouts.layouts_for(actor()) if one.code == layout), None)
    return {"layout": found.code, "masked": WHOLE if found.whole else MASKED} if found else {}


@blueprint.post("/ekspor/baru")
@signed_in(*ASKERS)
def ask() -> ResponseReturnValue:
    """Queue it, or show the form again with everything that was typed."""
    form = ExportForm(request.form)
    if not form.validate():
        return _form_page(form), 422
    try:
        export_id = exports.ask_export(form.new_export(), request_id=form.request_id.data or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form), 422
    return redirect(url_for("exports.show", export_id=export_id), 303)


def _form_page(form: ExportForm) -> str:
    grouped: dict[tuple[str, str], list[Village]] = {}
    for village in areas.villages(by=actor(), roles=EXPORT_ROLES):
        grouped.setdefault((village.subdistrict_code, village.subdistrict), []).append(village)
    whole = actor().has(*EXPORT_WHOLE_ROLES)
    return render_template(
        "exports/new.html",
        form=form,
        problems=form.problems,
        layouts=export_layouts.layouts_for(actor()),
        formats=[(one.value, one.label) for one in Format],
        numbers=[(MASKED, "Disamarkan"), *([(WHOLE, "Lengkap")] if whole else [])],
        area_groups=grouped,
        covers=lambda code: actor().has_in(code, *EXPORT_ROLES),
        programmes=[(one.id, one.name) for one in list_programmes(by=actor())],
        participations=[("", "Semua status kepesertaan"), *PARTICIPATIONS.items()],
        case_choices=[("", "Semua kasus"), (CASES_OPEN, "Kasus terbuka"), (CASES_ENDED, "Kasus selesai")],
        proposal_choices=[("", "Semua yang tidak ditarik"), *((state.value, state.label) for state in ProposalState)],
        reasons=list(exports.REASONS.items()),
        statuses=[("", "Semua status"), *PERSON_STATUSES.items()],
        keep_hours=settings().exports.keep_hours,
    )


@blueprint.get("/ekspor/<export_id>")
@signed_in(*ASKERS)
def show(export_id: str) -> ResponseReturnValue:
    """One export: how far it is, what it holds, and the button to fetch it."""
    return _export_page(export_id)


def _export_page(export_id: str) -> str:
    export = export_shelf.look_at_export(export_id, by=actor(), at=now())
    return render_template("exports/show.html", export=export, line=export.line, states=STATES)


@blueprint.get("/ekspor/<export_id>/keadaan")
@signed_in(*ASKERS)
def progress(export_id: str) -> ResponseReturnValue:
    """How far it is, for the page that stays open."""
    line = export_shelf.look_at_export(export_id, by=actor(), at=now()).line
    return jsonify(state=line.state, percent=line.percent, done=words.number_words(line.done))


@blueprint.get("/ekspor/<export_id>/berkas")
@signed_in(*ASKERS)
def download(export_id: str) -> ResponseReturnValue:
    """The file; when its time is over, the page that says so with the button to ask again."""
    try:
        given = export_shelf.hand_out(export_id, by=actor(), at=now())
    except Expired:
        return _export_page(export_id), 410
    kind = "text/csv; charset=utf-8" if given.csv else XLSX_TYPE
    return send_file(given.path, mimetype=kind, as_attachment=True, download_name=given.name, conditional=False)


@blueprint.post("/ekspor/<export_id>/hapus")
@signed_in(*ASKERS)
def discard(export_id: str) -> ResponseReturnValue:
    """Delete the file before its time."""
    export_shelf.discard(export_id, by=actor(), at=now())
    flash("Berkas ekspor sudah dihapus dari server.", "good")
    return redirect(url_for("exports.show", export_id=export_id), 303)


@blueprint.get("/ekspor/susunan")
@signed_in(*LAYERS)
def layouts() -> ResponseReturnValue:
    """The lists whose columns the office may choose."""
    return render_template("exports/layouts.html", layouts=[one for one in LAYOUTS.values() if not one.fixed])


@blueprint.get("/ekspor/susunan/<layout_code>")
@signed_in(*LAYERS)
def layout(layout_code: str) -> ResponseReturnValue:
    """The columns of one list as they are."""
    chosen = export_layouts.look_at_layout(layout_code, by=actor())
    return _layout_page(chosen, list(chosen.columns), chosen.row_version)


@blueprint.post("/ekspor/susunan/<layout_code>")
@signed_in(*LAYERS)
def save_layout(layout_code: str) -> ResponseReturnValue:
    """Store the new order; the button "as delivered" brings back the one of the program."""
    chosen = export_layouts.look_at_layout(layout_code, by=actor())
    columns = [] if "bawaan" in request.form else columns_typed(request.form, chosen.layout.fields)
    version = request.form.get("row_version", 0, type=int)
    try:
        if not columns and "bawaan" not in request.form:
            raise InvalidInput({"columns": "Beri nomor urut pada paling sedikit satu kolom."})
        export_layouts.save_layout(layout_code, columns, row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        return _layout_page(chosen, columns, version, error.problems), 422
    flash("Susunan kolom tersimpan dan berlaku untuk ekspor berikutnya.", "good")
    return redirect(url_for("exports.layout", layout_code=layout_code), 303)


def _layout_page(
    chosen: ChosenLayout, columns: list[tuple[str, str]], version: int, problems: dict[str, str] | None = None
) -> str:
    """All possible columns: the chosen ones first, each with its number and heading."""
    places: dict[str, tuple[Any, str]] = {key: (at, heading) for at, (key, heading) in enumerate(columns, start=1)}
    rest = {key: ("", field.label) for key, field in chosen.layout.fields.items() if key not in places}
    lines = [(key, chosen.layout.fields[key].label, place, heading) for key, (place, heading) in (places | rest).items()]
    return render_template("exports/layout.html", chosen=chosen, lines=lines, version=version, problems=problems or {})
