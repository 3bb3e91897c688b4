"""Asking for a list, and letting go of it: who takes which people out of the system, why and for whom.

Asking stores the request and queues the work; `export_run` writes the file, `export_shelf` hands it out.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from appliance import audit, background
from appliance.access import EXPORT_ROLES, EXPORT_WHOLE_ROLES, Actor, require
from appliance.care.reserve import require_room
from appliance.config import Settings
from appliance.database import Duplicate, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput
from appliance.exchange.export_columns import PERSON_STATUSES, SEXES
from appliance.exchange.export_filter import CASES_ENDED, CASES_OPEN, ListFilter
from appliance.exchange.export_layouts import LAYOUTS, Format, Subject, chosen_layout
from appliance.models.export import NOTE_LENGTH, RECIPIENT_LENGTH, Export
from appliance.models.programme import ParticipationStatus, Programme
from appliance.models.proposal_words import ProposalState
from appliance.models.roles import Role
from appliance.proposals.windows import is_period
from appliance.registry.areas import knows_area

KIND = "ekspor"
MOST_OPEN = 3
OLDEST = 150
SHORTEST_NOTE = 10
REASONS: Mapping[str, str] = {
    "verifikasi": "Verifikasi dan validasi data",
    "siksng": "Pengusulan lewat SIKS-NG",
    "desa": "Pertukaran data dengan desa/kelurahan",
    "musyawarah": "Musyawarah desa/kelurahan",
    "penyaluran": "Penyaluran bantuan",
    "kunjungan": "Kunjungan atau pendataan lapangan",
    "laporan": "Laporan kepada pimpinan",
    "lain": "Keperluan lain",
}
_LONG_NUMBER = re.compile(r"\d(?:[\s.\-]?\d){11,}")


@dataclass(frozen=True)
class NewExport:
    """What is asked for. No `area_codes` means all areas of the person who asks."""

    layout: str
    format: str
    reason: str
    reason_note: str
    recipient: str
    area_codes: tuple[str, ...] = ()
    wanted: ListFilter = field(default_factory=ListFilter)
    masked: bool = True


def ask_export(new: NewExport, *, request_id: str, by: Actor, at: datetime) -> str:
    """Store the request and queue the work; its identifier. The same `request_id` again gives the same export.

    Raises InvalidInput with all problems, NotAllowed, Conflict while too many of hers are not done, DiskTight.
    """
    require(by, *EXPORT_ROLES)
    try:
        with transaction():
            return _asked(request_id, by) or _ask(new, request_id, by, at)
    except Duplicate:
        with transaction():
            return _asked(request_id, by) or _ask(new, request_id, by, at)


def _asked(request_id: str, by: Actor) -> str | None:
    return db.session.scalar(sa.select(Export.id).where(Export.request_id == request_id, Export.asked_by == by.account_id))


def _ask(new: NewExport, request_id: str, by: Actor, at: datetime) -> str:
    problems = problems_of(new, by)
    if problems:
        raise InvalidInput(problems)
    _refuse_too_many(by)
    require_room(settings_in_use())
    export = Export(
        request_id=request_id,
        layout=new.layout,
        format=new.format,
        masked=new.masked,
        area_codes=_widest(new.area_codes or by.areas_of(roles_for(masked=new.masked))),
        filters=asdict(new.wanted),
        columns=[list(pair) for pair in chosen_layout(new.layout).columns],
        reason=new.reason,
        reason_note=new.reason_note.strip(),
        recipient=new.recipient.strip(),
        asked_by=by.account_id,
        asked_at=at,
        device=by.device[:64],
    )
    db.session.add(export)
    db.session.flush()
    background.ask(KIND, export.id, by=by.account_id, at=at)
    audit.record("ekspor-minta", f"export:{export.id}", by=by, at=at, detail=_detail(export))
    return export.id


def _detail(export: Export) -> dict[str, object]:
    """What the journal says of a request: everything but people."""
    return {
        "bentuk": export.layout,
        "format": export.format,
        "nomor": "disamarkan" if export.masked else "lengkap",
        "wilayah": export.area_codes,
        "saringan": export.filters,
        "alasan": export.reason,
        "keterangan": export.reason_note,
        "penerima": export.recipient,
    }


def problems_of(new: NewExport, by: Actor) -> dict[str, str]:
    """Everything that is wrong with a request, by field. It may name areas: ask it inside a transaction or a request."""
    problems = _shape_problems(new, by) | _reason_problems(new) | _filter_problems(new.wanted)
    if new.layout in LAYOUTS and LAYOUTS[new.layout].subject is Subject.PARTICIPANTS:
        problems |= _programme_problems(new.wanted)
    # of two wrongs only the first is told: the areas are looked at as if she had asked for masked numbers
    roles = roles_for(masked=new.masked or "masked" in problems)
    if not new.area_codes and not by.areas_of(roles):
        problems["area_codes"] = "Anda tidak mempunyai wilayah tugas untuk ini; mintalah penugasan kepada admin."
    elif [code for code in new.area_codes if not (by.has_in(code, *roles) and knows_area(code))]:
        problems["area_codes"] = "Ada wilayah di luar wilayah tugas Anda; pilih lagi."
    return problems


def roles_for(*, masked: bool) -> frozenset[Role]:
    """Who may take out a list with masked, or with whole numbers; an area counts where she is one of these."""
    return EXPORT_ROLES if masked else EXPORT_WHOLE_ROLES


def _shape_problems(new: NewExport, by: Actor) -> dict[str, str]:
    layout = LAYOUTS.get(new.layout)
    if layout is None:
        return {"layout": "Pilih bentuk daftar."}
    if new.format not in set(Format):
        return {"format": "Pilih jenis berkas."}
    problems = {}
    if Format(new.format) not in layout.formats:
        problems["format"] = f"{layout.name} selalu berupa {layout.formats[0].label}."
    if not new.masked and not by.has(*EXPORT_WHOLE_ROLES):
        problems["masked"] = "Peran Anda hanya boleh mengekspor dengan NIK dan nomor KK yang disamarkan."
    elif new.masked and layout.whole:
        problems["masked"] = f"{layout.name} hanya berguna dengan NIK dan nomor KK lengkap."
    return problems


def _reason_problems(new: NewExport) -> dict[str, str]:
    problems = {}
    if new.reason not in REASONS:
        problems["reason"] = "Pilih alasan."
    for name, text, longest in (
        ("reason_note", new.reason_note, NOTE_LENGTH),
        ("recipient", new.recipient, RECIPIENT_LENGTH),
    ):
        if len(text) > longest:
            problems[name] = f"Terlalu panjang; paling banyak {longest} huruf."
        elif _LONG_NUMBER.search(text):
            problems[name] = "Jangan menulis NIK atau nomor KK di sini; isian ini dibaca orang lain."
    if len(new.reason_note.strip()) < SHORTEST_NOTE:
        problems["reason_note"] = "Jelaskan dengan satu kalimat untuk apa daftar ini dipakai."
    if not new.recipient.strip():
        problems["recipient"] = "Tulis siapa yang akan menerima daftar ini."
    return problems


def _filter_problems(wanted: ListFilter) -> dict[str, str]:
    problems = {}
    if wanted.status and wanted.status not in PERSON_STATUSES:
        problems["status"] = "Pilih status warga."
    if wanted.sex and wanted.sex not in SEXES:
        problems["sex"] = "Pilih jenis kelamin."
    if wanted.cases not in {"", CASES_OPEN, CASES_ENDED}:
        problems["cases"] = "Pilih kasus yang mana."
    if wanted.received_from and wanted.received_to and wanted.received_from > wanted.received_to:
        problems["received_to"] = "Tanggal akhir sebelum tanggal awal."
    if wanted.proposals and wanted.proposals not in set(ProposalState):
        problems["proposals"] = "Pilih usulan yang mana."
    if wanted.period and not is_period(wanted.period):
        problems["period"] = "Tulis bulan dan tahun, contoh 11-2026."
    for name, years in (("age_from", wanted.age_from), ("age_to", wanted.age_to)):
        if years is not None and not 0 <= years <= OLDEST:
            problems[name] = f"Umur antara 0 dan {OLDEST} tahun."
    ages_ok = "age_from" not in problems and "age_to" not in problems
    if ages_ok and wanted.age_from is not None and wanted.age_to is not None and wanted.age_from > wanted.age_to:
        problems["age_to"] = "Umur tertinggi lebih kecil daripada umur terendah."
    return problems


def _programme_problems(wanted: ListFilter) -> dict[str, str]:
    problems = {}
    if db.session.get(Programme, wanted.programme_id) is None:
        problems["programme_id"] = "Pilih program."
    if wanted.participation and wanted.participation not in set(ParticipationStatus):
        problems["participation"] = "Pilih status kepesertaan."
    return problems


def _refuse_too_many(by: Actor) -> None:
    mine = sa.select(Export.id).where(Export.asked_by == by.account_id, Export.finished_at.is_(None))
    recent = db.session.scalars(mine.order_by(Export.asked_at.desc()).limit(4 * MOST_OPEN))
    if sum(background.is_asked(KIND, one) for one in recent) >= MOST_OPEN:
        raise Conflict(
            f"Masih ada {MOST_OPEN} ekspor Anda yang belum selesai.", "Tunggu sampai salah satunya selesai, lalu minta lagi."
        )


def _widest(codes: tuple[str, ...]) -> list[str]:
    """Without those that lie in another one of them, so that nobody is listed twice."""
    known = set(codes)
    return sorted(code for code in known if not any(code.startswith(f"{other}.") for other in known))


def folder_of(settings: Settings, export_id: str) -> Path:
    """Where the file of an export lies, and its unfinished parts before."""
    return settings.export_files / export_id


def file_of(settings: Settings, export: Export) -> Path:
    """The finished file."""
    return folder_of(settings, export.id) / f"daftar.{Format(export.format).ending}"


def remove_expired(settings: Settings, *, at: datetime) -> int:
    """Delete the files whose time is over, and what a killed or failed run left; how many folders went.

    A folder stays as long as its export may be fetched or is being written. Each file that expired is a fact in the journal.
    """
    due = sa.select(Export.id).where(Export.removed_at.is_(None), Export.expires_at <= at)
    expired = db.session.scalars(due).all()
    for export_id in expired:
        shutil.rmtree(folder_of(settings, export_id), ignore_errors=True)
        with transaction() as session:
            session.get_one(Export, export_id).removed_at = at
            audit.record("ekspor-kedaluwarsa", f"export:{export_id}", by=None, at=at)
    folders = list(settings.export_files.iterdir()) if settings.export_files.is_dir() else []
    left = [folder for folder in folders if not _is_wanted(folder.name)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(expired) + len(left)


def _is_wanted(export_id: str) -> bool:
    export = db.session.get(Export, export_id)
    if export is None:
        return False
    return export.removed_at is None if export.finished_at else background.is_asked(KIND, export_id)
