"""Writing the file of an export: page by page below a temporary name, then whole under its own.

A spreadsheet cannot be continued, so a run that was cut off begins again from nothing. The rights of the person who asked are
looked at again when the work begins: what was taken from her meanwhile is not in the file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from appliance import accounts, audit, background
from appliance.access import Actor
from appliance.background import Taken
from appliance.config import Settings
from appliance.database import db, settings_in_use, transaction
from appliance.errors import ApplianceError, InvalidInput, NotAllowed
from appliance.exchange import export_opensid
from appliance.exchange.export_columns import Around, Field
from appliance.exchange.export_filter import ListFilter
from appliance.exchange.export_layouts import LAYOUTS, Format, Layout
from appliance.exchange.export_notes import notes_of
from appliance.exchange.export_rows import Rows, Village
from appliance.exchange.exports import file_of, folder_of, roles_for
from appliance.exchange.workbooks import MOST_XLSX_ROWS, Column, CsvTable, Table, XlsxTable
from appliance.models.account import Account
from appliance.models.export import Export
from appliance.registry import nik

MOST_STARTS = 5
DEVICE = "slrt-work"
# What a cell needs while a file is being written, and what must stay free on the disk for everything else.
BYTES_A_CELL = 64
RESERVE_BYTES = 1024**3


class Hands(Protocol):
    """The part of the worker that this work uses."""

    @property
    def settings(self) -> Settings: ...

    @property
    def now(self) -> Callable[[], datetime]: ...

    def check(self) -> None: ...


def run(task: Taken, work: Hands) -> str:
    """Write the file that `task` is about; the sentence for the person who asked. Whoever was cut off begins anew.

    Raises NotAllowed when she may no longer, ApplianceError when it does not fit.
    """
    export = _begin(task.subject)
    if export.finished_at is not None:
        return _said(export.row_count or 0)  # killed between the last two lines: it was whole already
    with _forgiven_unless_killed(export.id):
        rows = _rows(export, _asker(export, work), work)
        total = rows.count()
        _refuse_what_does_not_fit(total, export, work.settings)
        folder = _empty(folder_of(work.settings, export.id))
        part = folder / f"tulis.{Format(export.format).ending}"
        written = _write(part, export, rows, lambda done: _moved(task.id, done, total, work))
        size, digest = _keep(part, file_of(work.settings, export))
        _finish(export.id, written, size, digest, work)
    return _said(written)


def _said(rows: int) -> str:
    return f"{rows} baris siap diunduh." if rows else "Tidak ada baris yang cocok; berkasnya kosong."


def _begin(export_id: str) -> Export:
    """Count the start, so that a list that kills its worker each time is given up."""
    with transaction() as session:
        export = session.get_one(Export, export_id)
        if export.finished_at is None:
            if export.starts >= MOST_STARTS:
                raise ApplianceError(background.GIVEN_UP)
            export.starts += 1
        return export


@contextmanager
def _forgiven_unless_killed(export_id: str) -> Iterator[None]:
    """Only a start that ended without a word counts against the list: a power-off in good order is no fault of it."""
    try:
        yield
    except Exception:
        with transaction() as session:
            session.get_one(Export, export_id).starts -= 1
        raise


def _asker(export: Export, work: Hands) -> Actor:
    """The person who asked with her rights of now. Raises NotAllowed when they do not reach so far any more."""
    account = db.session.get_one(Account, export.asked_by)
    by = accounts.actor_of(account, work.now(), DEVICE, work.settings.zone)
    if not account.active or not may_have(export, by):
        raise NotAllowed("Wilayah tugas atau peran Anda sudah berubah.", "Minta ekspor baru menurut penugasan Anda sekarang.")
    return by


def may_have(export: Export, by: Actor) -> bool:
    """Whether the rights of `by` reach as far as this list does."""
    needed = roles_for(masked=export.masked)
    return export.asked_by == by.account_id and all(by.has_in(code, *needed) for code in export.area_codes)


def _rows(export: Export, by: Actor, work: Hands) -> Rows:
    today = work.now().astimezone(work.settings.zone).date()
    subject = LAYOUTS[export.layout].subject
    return Rows(subject, ListFilter(**export.filters), tuple(export.area_codes), by, today)


def _refuse_what_does_not_fit(total: int, export: Export, settings: Settings) -> None:
    if total > MOST_XLSX_ROWS and export.format == Format.XLSX:
        raise InvalidInput({}, f"{total} baris tidak muat di satu lembar Excel.", "Pilih wilayah yang lebih sempit, atau CSV.")
    free = shutil.disk_usage(settings.paths.data).free
    if total * len(export.columns) * BYTES_A_CELL + RESERVE_BYTES > free:
        raise ApplianceError(
            "Ruang penyimpanan tidak cukup untuk daftar sebesar ini.", "Pilih wilayah yang lebih sempit, atau hubungi admin."
        )


def _empty(folder: Path) -> Path:
    """The folder without anything a cut-off run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def _write(part: Path, export: Export, rows: Rows, moved: Callable[[int], None]) -> int:
    """Write everything; how many rows it was. `moved` is told after each page, and raises when the work shall stop."""
    layout = LAYOUTS[export.layout]
    fields = [(layout.fields[key], heading) for key, heading in export.columns if key in layout.fields]
    table = _open(part, layout, Format(export.format), fields)
    values = [field.value for field, _ in fields]
    number = nik.mask if export.masked else whole_number
    done = 0
    moved(done)
    for village in rows.villages():
        around = around_of(village, rows, number, settings_in_use().zone)
        for page in rows.pages(village.code):
            for row in page:
                table.write([value(row, around) for value in values])
            done += len(page)
            moved(done)
    table.close(notes_of(export, done))
    return done


def _open(part: Path, layout: Layout, wanted: Format, fields: list[tuple[Field, str]]) -> Table:
    columns = [Column(heading, field.number, field.width) for field, heading in fields]
    if wanted is not Format.XLSX:
        return CsvTable(part, columns, wanted.separator)
    if layout.code == "opensid":
        return XlsxTable(part, columns, export_opensid.SHEET, export_opensid.NOTES_SHEET, end_mark=True)
    return XlsxTable(part, columns, "Data", "Keterangan")


def whole_number(number: str | None) -> str:
    """A NIK or card number as it is, for who may have it."""
    return number or ""


def around_of(village: Village, rows: Rows, number: Callable[[str | None], str], zone: ZoneInfo) -> Around:
    """What the rows of a village share; `number` shows a NIK."""
    where: dict[str, Any] = {
        "village_code": village.code,
        "village": village.name,
        "village_bps": village.bps_code,
        "subdistrict_code": village.subdistrict_code,
        "subdistrict": village.subdistrict,
        "district": village.district,
        "postcode": village.postcode,
    }
    return Around(**where, today=rows.today, zone=zone, number=number)


def _moved(task_id: str, done: int, total: int, work: Hands) -> None:
    work.check()
    with transaction():
        background.move(task_id, done, max(total, done), at=work.now())


def _keep(part: Path, file: Path) -> tuple[int, str]:
    """Put the file on the disk under its own name; its size and SHA-256."""
    with part.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        os.fsync(content.fileno())
    part.chmod(0o600)
    part.replace(file)
    handle = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return file.stat().st_size, digest


def _finish(export_id: str, rows: int, size: int, digest: str, work: Hands) -> None:
    at = work.now()
    with transaction() as session:
        export = session.get_one(Export, export_id)
        export.row_count, export.file_size, export.sha256 = rows, size, digest
        export.finished_at, export.expires_at = at, at + timedelta(hours=work.settings.exports.keep_hours)
        audit.record(
            "ekspor-selesai",
            f"export:{export_id}",
            by=None,
            account_id=export.asked_by,
            device=DEVICE,
            at=at,
            detail={"baris": rows, "sha256": digest},
        )
