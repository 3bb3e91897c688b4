"""The exports of one person: how far they are, and handing a finished file out. Every download is a fact in the journal.

Nobody but the person who asked sees an export, and she gets its file only while her rights still reach as far as the list does.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import sqlalchemy as sa

from appliance import audit, background
from appliance.access import EXPORT_ROLES, Actor, require
from appliance.database import db, settings_in_use, transaction
from appliance.errors import Conflict, NotAllowed, NotFound
from appliance.exchange.export_layouts import LAYOUTS, Format
from appliance.exchange.export_notes import area_words, filter_words
from appliance.exchange.export_run import may_have
from appliance.exchange.exports import REASONS, file_of, folder_of
from appliance.models.export import Export
from appliance.models.task import TaskState

SHOWN = 30


class Shelf(StrEnum):
    """Where an export is: waiting, being written, to be fetched, gone, failed."""

    WAITING = "menunggu"
    RUNNING = "berjalan"
    READY = "siap"
    EXPIRED = "kedaluwarsa"
    FAILED = "gagal"


class Expired(Conflict):
    """The file is gone; it has to be asked for again."""

    def __init__(self) -> None:
        super().__init__("Berkas ini sudah kedaluwarsa dan dihapus.", "Minta lagi ekspor yang sama.")


@dataclass(frozen=True)
class ExportLine:
    """One export. `percent` is None while nobody knows how much there is to do; `text` is how the work ended."""

    id: str
    name: str
    format: Format
    masked: bool
    areas: str
    asked_at: datetime
    state: Shelf
    done: int
    percent: int | None
    text: str
    row_count: int | None
    file_size: int | None
    expires_at: datetime | None


@dataclass(frozen=True)
class ExportDetail:
    """Everything a page shows of one export; `filters` is a sentence."""

    line: ExportLine
    filters: str
    reason: str
    reason_note: str
    recipient: str
    sha256: str
    finished_at: datetime | None
    downloads: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Handout:
    """A file to send: where it lies, and what it is called on the other side."""

    path: Path
    name: str
    csv: bool


def list_exports(*, by: Actor, at: datetime) -> tuple[ExportLine, ...]:
    """The latest exports of this person, the newest first. Raises NotAllowed."""
    require(by, *EXPORT_ROLES)
    mine = sa.select(Export).where(Export.asked_by == by.account_id).order_by(Export.asked_at.desc(), Export.id.desc())
    return tuple(_line(export, at) for export in db.session.scalars(mine.limit(SHOWN)))


def look_at_export(export_id: str, *, by: Actor, at: datetime) -> ExportDetail:
    """One export of this person. Raises NotFound, NotAllowed."""
    export = _mine(export_id, by)
    return ExportDetail(
        line=_line(export, at),
        filters=filter_words(export),
        reason=REASONS.get(export.reason, export.reason),
        reason_note=export.reason_note,
        recipient=export.recipient,
        sha256=export.sha256,
        finished_at=export.finished_at,
        downloads=export.downloads,
        columns=tuple(heading for _, heading in export.columns),
    )


def export_asked_before(export_id: str, *, by: Actor) -> Export:
    """The row, to ask for the same again. Raises NotFound, NotAllowed."""
    return _mine(export_id, by)


def hand_out(export_id: str, *, by: Actor, at: datetime) -> Handout:
    """The file, for the one download that is recorded. Raises NotFound, NotAllowed, Expired, Conflict when it is not written yet."""
    with transaction():
        export = _mine(export_id, by)
        if not may_have(export, by):
            raise NotAllowed("Wilayah tugas atau peran Anda sudah berubah.", "Minta ekspor baru menurut penugasan Anda sekarang.")
        if export.finished_at is None:
            raise Conflict("Berkas ini belum selesai ditulis.", "Tunggu sebentar, lalu buka lagi halaman ekspor ini.")
        file = file_of(settings_in_use(), export)
        # after a restore from a backup the row is there and the file is not
        if _is_over(export, at) or not file.exists():
            raise Expired
        export.downloads += 1
        audit.record("ekspor-unduh", f"export:{export.id}", by=by, at=at, detail={"sha256": export.sha256})
        return Handout(file, _file_name(export), export.format != Format.XLSX)


def discard(export_id: str, *, by: Actor, at: datetime) -> None:
    """Delete the file before its time. Raises NotFound, NotAllowed; of one that is gone already nothing changes."""
    with transaction():
        export = _mine(export_id, by)
        if export.finished_at is None or export.removed_at is not None:
            return
        shutil.rmtree(folder_of(settings_in_use(), export.id), ignore_errors=True)
        export.removed_at = at
        audit.record("ekspor-hapus", f"export:{export.id}", by=by, at=at)


def _mine(export_id: str, by: Actor) -> Export:
    require(by, *EXPORT_ROLES)
    export = db.session.scalar(sa.select(Export).where(Export.id == export_id, Export.asked_by == by.account_id))
    if export is None:
        raise NotFound("Ekspor itu tidak ada.", "Buka lagi dari halaman Ekspor.")
    return export


def _is_over(export: Export, at: datetime) -> bool:
    return export.removed_at is not None or export.expires_at is None or export.expires_at <= at


def _file_name(export: Export) -> str:
    """Without anything about people: daftar-siksng-20261125.xlsx."""
    day = export.asked_at.astimezone(settings_in_use().zone).strftime("%Y%m%d")
    return f"daftar-{export.layout}-{day}.{Format(export.format).ending}"


def _line(export: Export, at: datetime) -> ExportLine:
    progress = None if export.finished_at else background.progress_of(export.id)
    return ExportLine(
        id=export.id,
        name=LAYOUTS[export.layout].name,
        format=Format(export.format),
        masked=export.masked,
        areas=area_words(export.area_codes),
        asked_at=export.asked_at,
        state=_state(export, progress.state if progress else TaskState.WAITING, at),
        done=progress.done if progress else export.row_count or 0,
        percent=progress.percent if progress else None,
        text=progress.text if progress else "",
        row_count=export.row_count,
        file_size=export.file_size,
        expires_at=export.expires_at,
    )


def _state(export: Export, task: TaskState, at: datetime) -> Shelf:
    if export.finished_at is not None:
        return Shelf.EXPIRED if _is_over(export, at) else Shelf.READY
    if task.ended:
        return Shelf.FAILED
    return Shelf.RUNNING if task is TaskState.RUNNING else Shelf.WAITING
