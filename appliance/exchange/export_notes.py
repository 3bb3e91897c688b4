"""What is said about an export, in its file and on its page: who asked, why, for whom, which people, how many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from babel.dates import format_datetime

from appliance.database import db, settings_in_use
from appliance.exchange.export_columns import PERSON_STATUSES, SEXES, day
from appliance.exchange.export_filter import CASES_ENDED, CASES_OPEN, ListFilter
from appliance.exchange.export_layouts import LAYOUTS, Subject
from appliance.exchange.exports import REASONS
from appliance.models.area import Area
from appliance.models.export import Export
from appliance.models.programme import Programme
from appliance.models.proposal_words import ProposalState
from appliance.registry.participation import STATUSES

MOST_NAMES = 12
CONFIDENTIAL = (
    "RAHASIA. Berisi data pribadi yang dilindungi UU 27/2022. Hanya untuk keperluan dan penerima di atas; jangan diteruskan, "
    "dan hapus setelah dipakai."
)


def notes_of(export: Export, rows: int) -> list[tuple[str, str]]:
    """Labels and values for the file itself."""
    settings = settings_in_use()
    asked = format_datetime(export.asked_at, "d MMMM y 'pukul' HH.mm z", tzinfo=settings.zone, locale="id")
    return [
        ("Daftar", LAYOUTS[export.layout].name),
        ("Jumlah baris", str(rows)),
        ("Wilayah", area_words(export.area_codes)),
        ("Saringan", filter_words(export)),
        ("NIK dan nomor KK", "Disamarkan" if export.masked else "Lengkap"),
        ("Diminta oleh", f"{export.asker.name} ({export.asker.username})"),
        ("Diminta pada", asked),
        ("Alasan", f"{REASONS[export.reason]}: {export.reason_note}"),
        ("Penerima", export.recipient),
        ("Sumber", f"{settings.node.office}, ekspor {export.id}"),
        ("Kerahasiaan", CONFIDENTIAL),
    ]


def area_words(codes: Sequence[str]) -> str:
    """The areas by name; of many only the first ones and how many more."""
    shown = sa.select(Area.code, Area.kind, Area.name).where(Area.code.in_(codes[:MOST_NAMES]))
    # districts carry their kind in the name already: "Kabupaten Bantaeng"
    names = {
        code: name if code.count(".") < 2 else f"{kind.capitalize()} {name}" for code, kind, name in db.session.execute(shown)
    }
    more = f" dan {len(codes) - MOST_NAMES} lainnya" if len(codes) > MOST_NAMES else ""
    return ", ".join(names.get(code, code) for code in codes[:MOST_NAMES]) + more


def filter_words(export: Export) -> str:
    """The conditions of a list: "Hidup, perempuan, umur 60 tahun ke atas"."""
    wanted = ListFilter(**export.filters)
    match LAYOUTS[export.layout].subject:
        case Subject.FAMILIES:
            return "Keluarga aktif"
        case Subject.PARTICIPANTS:
            return _programme_words(wanted)
        case Subject.CASES:
            return _case_words(wanted)
        case Subject.PROPOSALS:
            return _proposal_words(wanted)
        case Subject.PEOPLE:
            return _people_words(wanted)


def _programme_words(wanted: ListFilter) -> str:
    programme = db.session.get(Programme, wanted.programme_id)
    status = STATUSES.get(wanted.participation, "Semua status kepesertaan")
    return f"{programme.name if programme else 'Program'}, {status.lower()}"


def _case_words(wanted: ListFilter) -> str:
    said = [{CASES_OPEN: "Kasus terbuka", CASES_ENDED: "Kasus selesai"}.get(wanted.cases, "Semua kasus")]
    if wanted.received_from:
        said.append(f"diterima sejak {day(date.fromisoformat(wanted.received_from))}")
    if wanted.received_to:
        said.append(f"diterima sampai {day(date.fromisoformat(wanted.received_to))}")
    return ", ".join(said)


def _proposal_words(wanted: ListFilter) -> str:
    said = ProposalState(wanted.proposals).label if wanted.proposals else "Semua usulan yang tidak ditarik"
    return f"{said}, periode {wanted.period}" if wanted.period else said


def _people_words(wanted: ListFilter) -> str:
    said = [PERSON_STATUSES.get(wanted.status, wanted.status) if wanted.status else "Semua status"]
    if wanted.sex:
        said.append(SEXES[wanted.sex].lower())
    if wanted.without_nik:
        said.append("tanpa NIK")
    if ages := _age_words(wanted.age_from, wanted.age_to):
        said.append(ages)
    return ", ".join(said)


def _age_words(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"umur {low} sampai {high} tahun"
    if low is not None:
        return f"umur {low} tahun ke atas"
    return "" if high is None else f"umur sampai {high} tahun"
