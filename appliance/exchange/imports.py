"""Imports as an officer sees them: upload, say what is what, look at the report, confirm, take back.

Each step is one transaction and one fact in the journal; what takes long is asked of the worker (`import_run` does it). A file that
cannot be read is refused at once and leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import IO

import sqlalchemy as sa

from appliance import audit, background
from appliance.access import IMPORT_ROLES, Actor, require, require_area, scope
from appliance.background import Progress
from appliance.care.reserve import require_room
from appliance.config import Settings
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.exchange import import_files
from appliance.exchange.formats import LAYOUTS, Layout
from appliance.exchange.import_notes import answered, with_notes
from appliance.exchange.mapping import ROWS_TO_LOOK_AT, Heading, Recognised, headings_of, problems_of, recognise, signature_of
from appliance.exchange.programme_sheet import ToldProgramme, likeliest, programme_sheet, read_programme
from appliance.exchange.sheets import Book, Unreadable, open_book
from appliance.models.columns import new_id
from appliance.models.imports import FILE_NAME_LENGTH, Existing, Import, ImportRow, ImportState, Verdict
from appliance.models.profile import NationalList
from appliance.models.programme import Programme
from appliance.registry import areas, list_status, profile
from appliance.registry.holders import office_day
from appliance.registry.programmes import EDITORS, ProgrammeLine, list_programmes

CHECK, STORE, UNDO = "impor_periksa", "impor_simpan", "impor_batal"
PAGE_SIZE = 50
MOST_LISTED = 60
TASKS = {ImportState.CHECKING: CHECK, ImportState.STORING: STORE, ImportState.UNDOING: UNDO}


@dataclass(frozen=True)
class Choice:
    """What the officer says about a file. `mapping` is by field of the layout: the column, from 0."""

    layout: str
    sheet: str
    header_row: int
    mapping: Mapping[str, int]
    existing: str = Existing.FILL
    village_code: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportLine:
    """One import in a list. `counts` is by verdict."""

    id: str
    file_name: str
    state: ImportState
    layout: str
    village: str
    created_at: datetime
    counts: Mapping[str, int]
    rows: int | None
    problem: str


@dataclass(frozen=True)
class Columns:
    """The sheets and columns of a file, for the mapping screen. `known`: these headings were mapped by hand before."""

    kind: str
    sheets: tuple[str, ...]
    headings: tuple[Heading, ...]
    first_rows: tuple[int, ...]


@dataclass(frozen=True)
class ImportDetail:
    """One import with all that its page shows. `earlier` are the moments at which the same file was stored before."""

    line: ImportLine
    choice: Choice
    progress: Progress | None
    remarks: tuple[str, ...]
    earlier: tuple[datetime, ...]
    stored_at: datetime | None
    row_version: int
    doubtful: int
    kept: int

    @property
    def stuck(self) -> bool:
        """Whether the worker ended without finishing: it can be asked again."""
        return self.line.state.busy and (self.progress is None or self.progress.state.ended)


@dataclass(frozen=True)
class RowLine:
    """One row in the report."""

    number: int
    verdict: str
    name: str
    findings: tuple[tuple[str, ...], ...]
    person_id: str | None
    taken_back: str


def receive(stream: IO[bytes], file_name: str, *, request_id: str, by: Actor, at: datetime) -> str:
    """Keep an uploaded file and recognise its layout; the import's identifier. The same `request_id` again gives the same import.

    Raises InvalidInput({"file": …}) for a file that cannot be read, NotAllowed, DiskTight.
    """
    require(by, *IMPORT_ROLES)
    earlier = _of_request(request_id, by)
    if earlier:
        return earlier
    settings, import_id = settings_in_use(), new_id()
    require_room(settings)
    kept = import_files.keep(stream, settings, import_id)
    try:
        with open_book(kept.path) as book:
            sheet, found = _recognise(book)
        row = Import(id=import_id, request_id=request_id, file_name=_short(file_name), sha256=kept.sha256, size=kept.size)
        row.remarks = list(book.remarks)
        _apply(row, sheet, found)
        with transaction() as session:
            row.stamp(by.account_id, at)
            session.add(row)
            session.flush()
            detail = {"sha256": kept.sha256, "bytes": kept.size, "layout": row.layout}
            audit.record("impor-unggah", f"import:{import_id}", by=by, at=at, detail=detail)
    except Unreadable as error:
        import_files.forget(settings, import_id)
        raise InvalidInput({"file": f"{error.message} {error.hint}"}) from error
    except Duplicate:
        import_files.forget(settings, import_id)
        return _of_request(request_id, by) or import_id
    except BaseException:
        import_files.forget(settings, import_id)
        raise
    return import_id


def _of_request(request_id: str, by: Actor) -> str | None:
    mine = sa.select(Import.id).where(Import.request_id == request_id, Import.created_by == by.account_id)
    return db.session.scalar(mine)


def _short(file_name: str) -> str:
    name = file_name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[-FILE_NAME_LENGTH:] or "tanpa nama"


def _recognise(book: Book) -> tuple[str, Recognised]:
    """The sheet that looks most like one of the layouts, and how it is read. Raises Unreadable when none holds a table."""
    readings = []
    for sheet in book.sheets:
        found = recognise(book.first_rows(sheet, ROWS_TO_LOOK_AT))
        if found and found.sure and not LAYOUTS[found.layout].households:
            return sheet, found
        if found:
            readings.append((sheet, found))
    if not readings:
        tried = ", ".join(f"“{sheet}”" for sheet in book.sheets[:5])
        raise Unreadable(
            f"Tidak ada baris judul kolom (nama, NIK, …) di 30 baris pertama lembar {tried}.",
            "Pastikan berkas ini berisi tabel dengan judul kolom di baris pertamanya, lalu unggah lagi.",
        )
    return max(readings, key=lambda reading: (reading[1].sure, len(reading[1].mapping)))


def _apply(row: Import, sheet: str, found: Recognised) -> None:
    """Write how a file was understood; headings that were mapped by hand once are read the same way again."""
    remembered = db.session.scalars(
        sa.select(Import)
        .where(Import.signature == found.signature, Import.state.not_in((ImportState.MAPPING, ImportState.DROPPED)))
        .order_by(Import.created_at.desc())
        .limit(1)
    ).first()
    row.state, row.sheet, row.header_row, row.signature = ImportState.MAPPING, sheet, found.header_row, found.signature
    row.layout, row.mapping = found.layout, found.mapping
    if remembered is not None and remembered.layout in LAYOUTS:
        row.layout, row.mapping = remembered.layout, dict(remembered.mapping)


def list_imports(*, by: Actor) -> tuple[ImportLine, ...]:
    """The newest imports that `by` may see."""
    require(by, *IMPORT_ROLES)
    found = db.session.scalars(
        scope(sa.select(Import), Import, by).order_by(Import.created_at.desc(), Import.id.desc()).limit(MOST_LISTED)
    )
    rows = list(found)
    names = areas.area_names({row.village_code for row in rows if row.village_code})
    return tuple(_line(row, names) for row in rows)


def _line(row: Import, names: Mapping[str, str]) -> ImportLine:
    layout = LAYOUTS[row.layout].name if row.layout in LAYOUTS else row.layout
    village = names.get(row.village_code, row.village_code)
    return ImportLine(
        row.id, row.file_name, ImportState(row.state), layout, village, row.created_at, row.counts, row.rows, row.problem
    )


def look_at_import(import_id: str, *, by: Actor) -> ImportDetail:
    """One import. Raises NotFound."""
    row = import_in_scope(import_id, by)
    earlier = sa.select(Import.stored_at).where(
        Import.sha256 == row.sha256, Import.id != row.id, Import.state == ImportState.STORED, Import.stored_at.is_not(None)
    )
    mine = sa.select(sa.func.count()).select_from(ImportRow).where(ImportRow.import_id == row.id)
    doubtful = mine.where(ImportRow.findings.is_not(None), ImportRow.verdict.in_((Verdict.NEW, Verdict.CHANGED, Verdict.SAME)))
    return ImportDetail(
        line=_line(row, areas.area_names({row.village_code} if row.village_code else set())),
        choice=Choice(row.layout, row.sheet, row.header_row, row.mapping, row.existing, row.village_code, row.options),
        progress=background.progress_of(row.id),
        remarks=tuple(row.remarks),
        earlier=tuple(moment for moment in db.session.scalars(earlier.order_by(Import.stored_at)) if moment),
        stored_at=row.stored_at,
        row_version=row.row_version,
        doubtful=db.session.scalar(doubtful) or 0,
        kept=db.session.scalar(mine.where(ImportRow.taken_back.not_in(("", "ya")))) or 0,
    )


def import_in_scope(import_id: str, by: Actor) -> Import:
    """The row of an import that `by` may see. Raises NotFound, NotAllowed. For services."""
    require(by, *IMPORT_ROLES)
    row = db.session.scalar(scope(sa.select(Import).where(Import.id == import_id), Import, by))
    if row is None:
        raise NotFound("Impor itu tidak ditemukan.", "Mulai lagi dari daftar impor.")
    return row


def columns_of(import_id: str, *, sheet: str = "", header_row: int = 0, by: Actor) -> Columns:
    """The columns of the uploaded file, of another sheet or below another row if wanted. Raises NotFound, Unreadable."""
    row = _with_file(import_id, by)
    with open_book(import_files.upload_of(settings_in_use(), row.id)) as book:
        rows = book.first_rows(sheet or row.sheet, ROWS_TO_LOOK_AT)
        headings = headings_of(rows, header_row or row.header_row)
        return Columns(book.kind, book.sheets, tuple(headings), tuple(number for number, _ in rows[:15]))


def _with_file(import_id: str, by: Actor) -> Import:
    row = import_in_scope(import_id, by)
    if row.state == ImportState.DROPPED:
        raise NotFound("Berkas itu sudah dibuang.", "Unggah lagi di halaman Impor.")
    return row


def reading_of(import_id: str, *, sheet: str, by: Actor) -> Recognised | None:
    """How another sheet of the file would be read."""
    row = _with_file(import_id, by)
    with open_book(import_files.upload_of(settings_in_use(), row.id)) as book:
        return recognise(book.first_rows(sheet, ROWS_TO_LOOK_AT))


def check_import(import_id: str, choice: Choice, *, row_version: int, by: Actor, at: datetime) -> None:
    """Store what the officer says about the file and let the worker read all of it without storing anybody.

    Raises InvalidInput with all problems, Conflict, NotFound.
    """
    columns = columns_of(import_id, sheet=choice.sheet, header_row=choice.header_row, by=by)
    problems = _problems(choice, columns, office_day(at))
    if problems:
        raise InvalidInput(problems)
    with transaction() as session:
        row = _in_state(import_id, by, ImportState.MAPPING, ImportState.CHECKED, ImportState.CHECKING)
        if row.row_version != row_version:
            raise changed_meanwhile()
        if background.is_asked(CHECK, row.id):
            raise Conflict("Berkas ini sedang diperiksa.", "Tunggu sampai selesai.")
        if choice.village_code:
            require_area(by, choice.village_code, *IMPORT_ROLES)
        session.execute(sa.delete(ImportRow).where(ImportRow.import_id == row.id))
        row.layout, row.sheet, row.header_row = choice.layout, choice.sheet, choice.header_row
        row.mapping, row.options, row.existing = dict(choice.mapping), dict(choice.options), choice.existing
        row.village_code = choice.village_code
        day = choice.options.get("checked_on", "")
        row.remarks = with_notes(row.remarks, LAYOUTS[choice.layout], choice.mapping, columns.headings, day)
        row.signature = signature_of([heading.text for heading in _dense(columns.headings)])
        _begin(row, ImportState.CHECKING, by, at)


def _dense(headings: tuple[Heading, ...]) -> list[Heading]:
    """With the empty columns between them, as the signature counts them."""
    by_index = {heading.index: heading for heading in headings}
    return [by_index.get(index, Heading(index, "", ())) for index in range(max(by_index, default=-1) + 1)]


def _problems(choice: Choice, columns: Columns, today: date) -> dict[str, str]:
    layout = LAYOUTS.get(choice.layout)
    if layout is None:
        return {"layout": "Pilih jenis berkas."}
    problems = problems_of(choice.mapping, layout)
    indexes = {heading.index for heading in columns.headings}
    problems |= {key: "Kolom itu tidak ada di lembar ini." for key, index in choice.mapping.items() if index not in indexes}
    if choice.existing not in set(Existing):
        problems["existing"] = "Pilih apa yang terjadi dengan warga yang sudah terdaftar."
    if not choice.village_code and "village" not in choice.mapping and not layout.households:
        problems["village_code"] = "Pilih desa/kelurahan, atau kolom yang menyebutkannya."
    return problems | _list_problems(layout, choice, today)


def _list_problems(layout: Layout, choice: Choice, today: date) -> dict[str, str]:
    if not layout.asks_list and not layout.only_known and not answered(layout, choice.mapping):
        return {}
    problems = {}
    if layout.only_known and not db.session.get(Programme, choice.options.get("programme_id", "")):
        problems["programme_id"] = "Pilih program yang pesertanya ada di berkas ini."
    if layout.asks_list and not db.session.get(NationalList, choice.options.get("list_id", "")):
        problems["list_id"] = "Pilih daftar nasional yang dimaksud berkas ini."
    try:
        day = date.fromisoformat(choice.options.get("checked_on", ""))
    except ValueError:
        problems["checked_on"] = "Tulis tanggal data itu, contoh 21-11-2026."
    else:
        earliest = profile.EARLIEST if layout.blanks else list_status.EARLIEST
        if not earliest <= day <= today:
            problems["checked_on"] = f"Tanggal data itu antara {earliest:%d-%m-%Y} dan hari ini."
    return problems


def national_lists() -> list[tuple[str, str]]:
    """The national lists to choose from."""
    rows = db.session.execute(
        sa.select(NationalList.id, NationalList.name).where(NationalList.active).order_by(NationalList.position)
    )
    return [(row.id, row.name) for row in rows]


@dataclass(frozen=True)
class ProgrammeChoice:
    """The running programmes to choose from, what the file says of its own, which of them that may be, and who may add it."""

    known: tuple[ProgrammeLine, ...]
    told: ToldProgramme | None
    likely: str
    may_add: bool


def programmes_for(import_id: str, *, by: Actor) -> ProgrammeChoice:
    """Which programme the participants of a file may belong to. Raises NotFound, Unreadable."""
    row = _with_file(import_id, by)
    known = list_programmes(by=by, active_only=True)
    with open_book(import_files.upload_of(settings_in_use(), row.id)) as book:
        sheet = programme_sheet(book.sheets)
        told = read_programme(book.first_rows(sheet, ROWS_TO_LOOK_AT)) if sheet else None
    return ProgrammeChoice(known, told, likeliest(told, known) if told else "", by.has(*EDITORS))


def problems_of_choice(import_id: str, choice: Choice, *, by: Actor, at: datetime) -> dict[str, str]:
    """What `check_import` would refuse of a choice, by its fields. Raises NotFound, Unreadable."""
    return _problems(choice, columns_of(import_id, sheet=choice.sheet, header_row=choice.header_row, by=by), office_day(at))


def store_import(import_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Let the worker store what the report promised. Raises Conflict, NotFound."""
    with transaction():
        row = _in_state(import_id, by, ImportState.CHECKED)
        if row.row_version != row_version:
            raise changed_meanwhile()
        _begin(row, ImportState.STORING, by, at)


def undo_import(import_id: str, *, by: Actor, at: datetime) -> None:
    """Let the worker take back what was stored, as far as nobody built on it. Raises Conflict, NotFound."""
    with transaction():
        row = _in_state(import_id, by, ImportState.STORED, ImportState.STORING)
        if background.is_asked(STORE, row.id):
            raise Conflict("Impor ini sedang disimpan.", "Tunggu sampai selesai, lalu batalkan.")
        _begin(row, ImportState.UNDOING, by, at)


def resume_import(import_id: str, *, by: Actor, at: datetime) -> None:
    """Ask the worker again after it gave up. It goes on where it was. Raises Conflict, NotFound."""
    with transaction():
        row = _in_state(import_id, by, *TASKS)
        kind = TASKS[ImportState(row.state)]
        if background.is_asked(kind, row.id):
            raise Conflict("Pekerjaan ini sudah menunggu atau berjalan.", "Tunggu sampai selesai.")
        before = background.progress_of(row.id)
        task = background.ask(kind, row.id, by=by.account_id, at=at)
        if before and before.kind == kind:
            background.move(task, before.done, before.total, at=at)
        row.problem = ""
        row.stamp(by.account_id, at)
        audit.record("impor-lanjut", f"import:{row.id}", by=by, at=at)


def drop_import(import_id: str, *, by: Actor, at: datetime) -> None:
    """Put away a file of which nothing was stored, with its report. Raises Conflict, NotFound."""
    with transaction() as session:
        row = _in_state(import_id, by, ImportState.MAPPING, ImportState.CHECKED, ImportState.CHECKING)
        if background.is_asked(CHECK, row.id):
            raise Conflict("Berkas ini sedang diperiksa.", "Tunggu sampai selesai, lalu buang.")
        session.execute(sa.delete(ImportRow).where(ImportRow.import_id == row.id))
        row.state, row.counts = ImportState.DROPPED, {}
        row.stamp(by.account_id, at)
        audit.record("impor-buang", f"import:{row.id}", by=by, at=at)
    import_files.forget(settings_in_use(), import_id)


def remove_unneeded(settings: Settings, *, at: datetime) -> int:
    """Delete the uploads that no import needs any more, and those that were cut off while they arrived; how many."""
    over = (ImportState.STORED, ImportState.UNDOING, ImportState.UNDONE, ImportState.DROPPED)
    needed = set(db.session.scalars(sa.select(Import.id).where(Import.state.not_in(over))))
    return import_files.sweep(settings, needed, at)


def _in_state(import_id: str, by: Actor, *states: ImportState) -> Import:
    row = import_in_scope(import_id, by)
    if row.state not in states:
        raise Conflict("Impor ini sudah melewati langkah itu.", "Muat ulang halamannya.")
    return row


def _begin(row: Import, state: ImportState, by: Actor, at: datetime) -> None:
    if state is not ImportState.UNDOING:
        require_room(settings_in_use())
    row.state, row.problem = state, ""
    row.stamp(by.account_id, at)
    background.ask(TASKS[state], row.id, by=by.account_id, at=at)
    audit.record(TASKS[state].replace("_", "-"), f"import:{row.id}", by=by, at=at, detail={"existing": row.existing})


def rows_of(import_id: str, *, verdict: str = "", doubtful: bool = False, after: int = 0, by: Actor) -> tuple[RowLine, ...]:
    """One page of the report, by row: those with a verdict, or those with a remark, behind the row `after`."""
    row = import_in_scope(import_id, by)
    statement = sa.select(ImportRow).where(ImportRow.import_id == row.id, ImportRow.number > after)
    if verdict == "bertahan":
        statement = statement.where(ImportRow.taken_back.not_in(("", "ya")))
    elif verdict:
        statement = statement.where(ImportRow.verdict == verdict)
    if doubtful:
        statement = statement.where(ImportRow.findings.is_not(None))
    found = db.session.scalars(statement.order_by(ImportRow.number).limit(PAGE_SIZE))
    return tuple(
        RowLine(one.number, one.verdict, one.name, tuple(map(tuple, one.findings or ())), one.person_id, one.taken_back)
        for one in found
    )
