"""Imports: upload a file, say what its columns are, look at the report, confirm, watch, take back. Works without a script."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from appliance.access import IMPORT_ROLES
from appliance.errors import InvalidInput
from appliance.exchange import import_report, imports
from appliance.exchange.formats import LAYOUTS, Layout
from appliance.exchange.import_notes import unkept
from appliance.exchange.imports import Choice, Columns, ImportDetail
from appliance.exchange.mapping import propose
from appliance.exchange.sheets import MEGABYTE, MOST_BYTES
from appliance.models.columns import new_id
from appliance.models.imports import Existing, ImportState
from appliance.registry import areas
from appliance.registry.programmes import add_programme
from webui import aid_words, navigation
from webui.forms.fields import read_day
from webui.forms.imports import PREFIX, NewProgrammeForm
from webui.navigation import Entry
from webui.security import takes_files
from webui.session import actor, now, signed_in

blueprint = Blueprint("imports", __name__)
IMPORTERS = tuple(sorted(IMPORT_ROLES))
NAVIGATION = (Entry("Impor", "imports.listing", icon="upload", roles=IMPORTERS, order=60, group=navigation.DATA),)
REFRESH_SECONDS = 3
NEW_PROGRAMME = "baru"
EXISTING = (
    (Existing.FILL, "Isi yang kosong saja; isian yang sudah ada tidak disentuh"),
    (Existing.UPDATE, "Perbarui dengan isi berkas; isian lama tetap tercatat di riwayat"),
    (Existing.SKIP, "Lewati; hanya warga baru yang didaftarkan"),
)


@blueprint.get("/impor")
@signed_in(*IMPORTERS)
def listing() -> ResponseReturnValue:
    """The form to upload a file, and the imports so far."""
    return _listing_page()


@blueprint.post("/impor")
@signed_in(*IMPORTERS)
@takes_files(MOST_BYTES + MEGABYTE)
def receive() -> ResponseReturnValue:
    """Keep the file and go on to its page, or say why it cannot be read."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _listing_page({"file": "Pilih berkas yang akan diimpor."}), 422
    request_id = request.form.get("request_id", "")[:64] or new_id()
    try:
        import_id = imports.receive(file.stream, file.filename, request_id=request_id, by=actor(), at=now())
    except InvalidInput as error:
        return _listing_page(error.problems), 422
    return redirect(url_for("imports.show", import_id=import_id), 303)


def _listing_page(problems: dict[str, str] | None = None) -> str:
    found = imports.list_imports(by=actor())
    limit = MOST_BYTES // MEGABYTE
    return render_template("imports/listing.html", imports=found, problems=problems or {}, request_id=new_id(), limit=limit)


@blueprint.get("/impor/<import_id>")
@signed_in(*IMPORTERS)
def show(import_id: str) -> ResponseReturnValue:
    """One import: its columns, how far the worker is, or its report."""
    seen = imports.look_at_import(import_id, by=actor())
    if seen.line.state is ImportState.MAPPING:
        return _mapping_page(seen, seen.choice)
    wanted, after = request.args.get("isi", ""), request.args.get("sesudah", 0, type=int)
    rows = imports.rows_of(import_id, verdict=wanted.replace("ragu", ""), doubtful=wanted == "ragu", after=after, by=actor())
    layout = LAYOUTS.get(seen.choice.layout)
    shown = {"import_": seen, "rows": rows, "wanted": wanted, "households": layout is not None and layout.households}
    page = Response(render_template("imports/show.html", page_size=imports.PAGE_SIZE, **shown))
    if seen.line.state.busy and not seen.stuck:
        page.headers["Refresh"] = str(REFRESH_SECONDS)
    return page


@blueprint.get("/impor/<import_id>/kolom")
@signed_in(*IMPORTERS)
def columns(import_id: str) -> ResponseReturnValue:
    """The mapping screen, for another sheet, another layout or another row of headings if asked."""
    seen = imports.look_at_import(import_id, by=actor())
    return _mapping_page(seen, _other_reading(seen))


def _other_reading(seen: ImportDetail) -> Choice:
    """The choice as it is, with what the officer asked to see instead."""
    choice = seen.choice
    sheet = request.args.get("lembar", choice.sheet)
    found = imports.reading_of(seen.line.id, sheet=sheet, by=actor()) if sheet != choice.sheet else None
    header = request.args.get("judul", found.header_row if found else choice.header_row, type=int)
    layout = request.args.get("jenis", found.layout if found else choice.layout)
    mapping = dict(found.mapping if found else choice.mapping)
    if layout in LAYOUTS and (layout, sheet, header) != (choice.layout, choice.sheet, choice.header_row):
        read = imports.columns_of(seen.line.id, sheet=sheet, header_row=header, by=actor())
        width = max((heading.index for heading in read.headings), default=-1) + 1
        texts = {heading.index: heading.text for heading in read.headings}
        mapping = propose([_plain(texts.get(index, "")) for index in range(width)], LAYOUTS[layout])
    return Choice(layout, sheet, header, mapping, choice.existing, choice.village_code, choice.options)


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isascii() and letter.isalnum())


@blueprint.post("/impor/<import_id>/periksa")
@signed_in(*IMPORTERS)
def check(import_id: str) -> ResponseReturnValue:
    """Store the choice and let the worker check the file, or show the form again with what is missing."""
    choice, new = _typed(), NewProgrammeForm(request.form, prefix=PREFIX)
    try:
        choice = _with_programme(import_id, choice, new)
        imports.check_import(import_id, choice, row_version=request.form.get("row_version", 0, type=int), by=actor(), at=now())
    except InvalidInput as error:
        return _mapping_page(imports.look_at_import(import_id, by=actor()), choice, error.problems, new), 422
    return redirect(url_for("imports.show", import_id=import_id), 303)


def _with_programme(import_id: str, choice: Choice, new: NewProgrammeForm) -> Choice:
    """The choice with the programme that the file brings along, added to the catalogue if that was asked for."""
    if choice.options.get("programme_id") != NEW_PROGRAMME:
        return choice
    problems = imports.problems_of_choice(import_id, choice, by=actor(), at=now())
    problems.pop("programme_id", None)
    if not new.validate():
        problems |= new.problems
    if problems:
        raise InvalidInput(problems)
    try:
        programme_id = add_programme(new.fields(), by=actor(), at=now())
    except InvalidInput as error:
        raise InvalidInput({f"{PREFIX}{name}": sentence for name, sentence in error.problems.items()}) from error
    return replace(choice, options={**choice.options, "programme_id": programme_id})


def _typed() -> Choice:
    form = request.form
    chosen = {name[6:]: value for name, value in form.items() if name.startswith("kolom-") and value.isdigit()}
    options = {name: form.get(name, "").strip() for name in ("list_id", "period", "programme_id") if form.get(name)}
    if form.get("checked_on"):
        try:
            options["checked_on"] = read_day(form["checked_on"].strip()).isoformat()
        except ValueError:
            options["checked_on"] = form["checked_on"].strip()
    return Choice(
        layout=form.get("layout", ""),
        sheet=form.get("sheet", ""),
        header_row=form.get("header_row", 1, type=int),
        mapping={name: int(value) for name, value in chosen.items()},
        existing=form.get("existing", ""),
        village_code=form.get("village_code", ""),
        options=options,
    )


def _mapping_page(
    seen: ImportDetail, choice: Choice, problems: dict[str, str] | None = None, new: NewProgrammeForm | None = None
) -> str:
    layout = LAYOUTS.get(choice.layout) or LAYOUTS["warga"]
    read = imports.columns_of(seen.line.id, sheet=choice.sheet, header_row=choice.header_row, by=actor())
    mapped = _mapped(layout, read, choice)
    return render_template(
        "imports/mapping.html",
        import_=seen,
        choice=choice,
        layout=layout,
        layouts=[(one.key, one.name) for one in LAYOUTS.values()],
        columns=read,
        options=_column_options(read),
        mapped=[one for one in mapped if one["key"] not in layout.questions],
        asked=[
            one | {"options": _free_options(read, choice, layout, one["key"])} for one in mapped if one["key"] in layout.questions
        ],
        unkept=unkept(read.headings, choice.mapping),
        problems={_field_id(name): sentence for name, sentence in (problems or {}).items()},
        villages=areas.villages(by=actor(), roles=IMPORT_ROLES),
        existing=EXISTING,
        lists=imports.national_lists() if layout.asks_list else [],
        **_programmes(seen, choice, new) if layout.only_known else {},
    )


def _programmes(seen: ImportDetail, choice: Choice, new: NewProgrammeForm | None) -> dict[str, Any]:
    """The programme of the participants: chosen before, or the one that the file names, or a new one by what the file says."""
    offered = imports.programmes_for(seen.line.id, by=actor())
    names = [(one.id, one.name) for one in offered.known]
    if offered.may_add:
        names.append((NEW_PROGRAMME, f"Program baru: {offered.told.name}"[:80] if offered.told else "Program baru …"))
    told = offered.told.fields() if offered.told else None
    return {
        "programmes": names,
        "programme": choice.options.get("programme_id") or offered.likely or (NEW_PROGRAMME if told and offered.may_add else ""),
        "offered": offered,
        "new": new or NewProgrammeForm(obj=told, prefix=PREFIX),
        "levels": list(aid_words.LEVELS.items()),
        "sectors": list(aid_words.SECTORS.items()),
        "targets": list(aid_words.TARGETS.items()),
    }


def _field_id(name: str) -> str:
    own = {"layout", "existing", "village_code", "list_id", "checked_on", "programme_id"}
    return name if name in own or name.startswith(PREFIX) else f"kolom-{name}"


def _column_options(read: Columns) -> list[tuple[int, str]]:
    """The columns as a person knows them: the letter, the heading, what stands below."""
    from appliance.exchange.xlsx import column_letters

    options = []
    for heading in read.headings:
        text = heading.text or (f"contoh: {heading.samples[0]}" if heading.samples else "")
        options.append((heading.index, f"{column_letters(heading.index)} · {text}"[:60]))
    return options


def _free_options(read: Columns, choice: Choice, layout: Layout, question: str) -> list[tuple[int, str]]:
    """The columns that answer no other question: eighty questions with all eighty columns would be too much of a page."""
    taken = {index for key, index in choice.mapping.items() if key in layout.questions and key != question}
    return [(index, text) for index, text in _column_options(read) if index not in taken]


def _mapped(layout: Layout, read: Columns, choice: Choice) -> list[dict[str, Any]]:
    """Each field of the layout with its column and the first values of that column."""
    samples = {heading.index: heading.samples for heading in read.headings}
    return [
        {"key": field.key, "label": field.label, "column": choice.mapping.get(field.key, ""), "samples": samples.get(choice.mapping.get(field.key, -1), ())}
        for field in layout.fields
    ]  # fmt: skip


@blueprint.post("/impor/<import_id>/simpan")
@signed_in(*IMPORTERS)
def store(import_id: str) -> ResponseReturnValue:
    """Let the worker store what the report promised."""
    imports.store_import(import_id, row_version=request.form.get("row_version", 0, type=int), by=actor(), at=now())
    return redirect(url_for("imports.show", import_id=import_id), 303)


@blueprint.post("/impor/<import_id>/batal")
@signed_in(*IMPORTERS)
def undo(import_id: str) -> ResponseReturnValue:
    """Let the worker take it back."""
    imports.undo_import(import_id, by=actor(), at=now())
    return redirect(url_for("imports.show", import_id=import_id), 303)


@blueprint.post("/impor/<import_id>/lanjut")
@signed_in(*IMPORTERS)
def resume(import_id: str) -> ResponseReturnValue:
    """Ask the worker again."""
    imports.resume_import(import_id, by=actor(), at=now())
    return redirect(url_for("imports.show", import_id=import_id), 303)


@blueprint.post("/impor/<import_id>/buang")
@signed_in(*IMPORTERS)
def drop(import_id: str) -> ResponseReturnValue:
    """Put the file away."""
    imports.drop_import(import_id, by=actor(), at=now())
    flash("Berkas dibuang; tidak ada data yang berubah.", "good")
    return redirect(url_for("imports.listing"), 303)


@blueprint.get("/impor/<import_id>/laporan.xlsx")
@signed_in(*IMPORTERS)
def report(import_id: str) -> ResponseReturnValue:
    """The report as a workbook to send back to the village."""
    with tempfile.TemporaryDirectory() as folder:
        path = import_report.write(import_id, Path(folder), by=actor(), at=now())
        # opened here: what is open can still be sent when the folder is gone
        return send_file(
            path.open("rb"), import_report.XLSX, as_attachment=True, download_name=f"laporan-impor-{import_id[-6:]}.xlsx"
        )
