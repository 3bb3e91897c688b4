"""The shapes of lists, as data: which columns in which order, and the office's own order in the place of ours.

The order of SIKS-NG changes with the ministry's forms; whoever leads the office sets it on a page, without a new program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from appliance import audit
from appliance.access import EXPORT_WHOLE_ROLES, LAYOUT_ROLES, Actor, require
from appliance.database import changed_meanwhile, db, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.exchange import export_opensid
from appliance.exchange.export_columns import CASES, FAMILIES, PARTICIPANTS, PEOPLE, PROPOSALS, Field
from appliance.models.export import ExportLayout

LONGEST_HEADING = 60
# In this order a proposal is keyed in by hand, too.
ENTRY_LAYOUT = "usulan-siksng"


class Subject(StrEnum):
    """What a row of a list is."""

    PEOPLE = "warga"
    FAMILIES = "keluarga"
    PARTICIPANTS = "peserta"
    CASES = "kasus"
    PROPOSALS = "usulan"


class Format(StrEnum):
    """The kind of file. The two CSV differ in the separator; an Indonesian Excel expects the semicolon."""

    XLSX = "xlsx"
    CSV_SEMICOLON = "csv-titik-koma"
    CSV_COMMA = "csv-koma"

    @property
    def label(self) -> str:
        """What a page calls it."""
        return _FORMATS[self][0]

    @property
    def ending(self) -> str:
        """How the file's name ends."""
        return "xlsx" if self is Format.XLSX else "csv"

    @property
    def separator(self) -> str:
        """Between two cells of a CSV file."""
        return _FORMATS[self][1]


_FORMATS = {
    Format.XLSX: ("Excel (XLSX)", ""),
    Format.CSV_SEMICOLON: ("CSV, pemisah titik koma (;)", ";"),
    Format.CSV_COMMA: ("CSV, pemisah koma (,)", ","),
}


@dataclass(frozen=True)
class Layout:
    """One shape of a list: its possible columns and the order that comes with the program.

    `fixed`: the receiving program wants exactly this; `whole`: it is useless with masked numbers.
    """

    code: str
    name: str
    note: str
    subject: Subject
    fields: Mapping[str, Field]
    order: tuple[str, ...]
    fixed: bool = False
    whole: bool = False
    formats: tuple[Format, ...] = tuple(Format)

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Keys and headings as they come with the program."""
        return [(key, self.fields[key].label) for key in self.order]


LAYOUTS: Mapping[str, Layout] = {
    layout.code: layout
    for layout in (
        Layout(
            "warga",
            "Daftar warga",
            "Daftar biasa untuk dibaca dan dicetak.",
            Subject.PEOPLE,
            PEOPLE,
            (
                *("nik", "no_kk", "nama", "tempat_lahir", "tanggal_lahir", "umur", "jenis_kelamin", "hubungan", "alamat"),
                *("rt", "rw", "dusun", "desa", "kecamatan", "kode_pos", "telepon", "status_nik", "status"),
            ),
        ),
        Layout(
            "keluarga",
            "Daftar keluarga",
            "Satu baris untuk setiap keluarga.",
            Subject.FAMILIES,
            FAMILIES,
            (
                *("no_kk", "nama_kepala", "nik_kepala", "anggota", "alamat", "rt", "rw", "dusun", "kode_desa", "desa"),
                *("kecamatan", "kode_pos", "telepon"),
            ),
        ),
        Layout(
            "peserta",
            "Peserta program",
            "Warga dan keluarga dalam satu program bantuan.",
            Subject.PARTICIPANTS,
            PARTICIPANTS,
            (
                *("program", "penerima", "nama", "nik", "no_kk", "tanggal_lahir", "alamat", "rt", "rw", "dusun", "desa"),
                *("kecamatan", "telepon", "no_kartu", "status_peserta", "mulai", "selesai", "sumber", "status"),
            ),
        ),
        Layout(
            "kasus",
            "Register kasus",
            "Satu baris untuk setiap kasus, tanpa uraiannya.",
            Subject.CASES,
            CASES,
            (
                *("nomor", "diterima", "pemohon", "nik", "desa", "kecamatan", "layanan", "kategori", "prioritas", "status"),
                *("sejak", "batas", "petugas", "hasil", "ditutup"),
            ),
        ),
        Layout(
            "siksng",
            "Urutan SIKS-NG",
            "Urutan kolom untuk disalin ke SIKS-NG.",
            Subject.PEOPLE,
            PEOPLE,
            (
                *("nik", "no_kk", "nama", "tempat_lahir", "tanggal_lahir", "jenis_kelamin", "nama_ibu", "alamat", "rt", "rw"),
                *("dusun", "kode_desa", "desa", "kecamatan", "pekerjaan", "status_kawin", "hubungan", "telepon"),
            ),
            whole=True,
        ),
        Layout(
            ENTRY_LAYOUT,
            "Usulan DTSEN, urutan SIKS-NG",
            "Usulan yang siap dientri, dengan urutan isian SIKS-NG.",
            Subject.PROPOSALS,
            PROPOSALS,
            (
                *("nik", "no_kk", "nama", "tempat_lahir", "tanggal_lahir", "jenis_kelamin", "nama_ibu", "alamat", "rt", "rw"),
                *("dusun", "kode_desa", "desa", "kecamatan", "pekerjaan", "status_kawin", "hubungan", "telepon", "jenis_usulan"),
                *("program_usulan", "alasan_usulan", "dasar", "tanggal_dasar", "nomor_dasar", "nomor_usulan", "periode"),
            ),
            whole=True,
        ),
        Layout(
            "opensid",
            "Data Penduduk OpenSID",
            "Berkas yang dapat diimpor oleh OpenSID di desa; selalu XLSX.",
            Subject.PEOPLE,
            export_opensid.COLUMNS,
            export_opensid.NAMES,
            fixed=True,
            whole=True,
            formats=(Format.XLSX,),
        ),
    )
}


@dataclass(frozen=True)
class ChosenLayout:
    """A layout with the columns that hold in this office. `row_version` is 0 while they are those of the program."""

    layout: Layout
    columns: tuple[tuple[str, str], ...]
    row_version: int


def layouts_for(by: Actor) -> list[Layout]:
    """The shapes that `by` may ask for."""
    return [layout for layout in LAYOUTS.values() if by.has(*EXPORT_WHOLE_ROLES) or not layout.whole]


def chosen_layout(code: str) -> ChosenLayout:
    """The layout as this office wants it. Raises NotFound."""
    layout = LAYOUTS.get(code)
    if layout is None:
        raise NotFound("Bentuk daftar itu tidak ada.", "Pilih dari halaman Ekspor.")
    row = db.session.scalar(sa.select(ExportLayout).where(ExportLayout.code == code))
    if row is None:
        return ChosenLayout(layout, tuple(layout.columns), 0)
    # what an older program knew and this one does not is left out
    known = tuple((key, heading) for key, heading in row.columns if key in layout.fields)
    return ChosenLayout(layout, known, row.row_version)


def look_at_layout(code: str, *, by: Actor) -> ChosenLayout:
    """The same for the page that changes it. Raises NotAllowed, NotFound."""
    require(by, *LAYOUT_ROLES)
    return chosen_layout(code)


def save_layout(code: str, columns: Sequence[tuple[str, str]], *, row_version: int, by: Actor, at: datetime) -> None:
    """Let the lists of this office have `columns` (key, heading) in this order; none at all brings ours back.

    Raises InvalidInput, NotAllowed, NotFound, Conflict when somebody else changed it meanwhile.
    """
    require(by, *LAYOUT_ROLES)
    with transaction() as session:
        chosen = chosen_layout(code)
        if chosen.layout.fixed:
            raise NotAllowed("Urutan kolom ini ditentukan oleh program penerima.", "Pilih bentuk daftar yang lain.")
        if chosen.row_version != row_version:
            raise changed_meanwhile()
        problems = problems_of(columns, chosen.layout)
        if problems:
            raise InvalidInput({"columns": problems})
        row = session.scalar(sa.select(ExportLayout).where(ExportLayout.code == code)) or ExportLayout(code=code)
        row.columns = [list(pair) for pair in columns or chosen.layout.columns]
        row.stamp(by.account_id, at)
        session.add(row)
        audit.record("ekspor-susunan", f"layout:{code}", by=by, at=at, detail={"kolom": [key for key, _ in row.columns]})


def problems_of(columns: Sequence[tuple[str, str]], layout: Layout) -> str:
    """What is wrong with these columns, as one sentence; "" for nothing."""
    keys = [key for key, _ in columns]
    if unknown := [key for key in keys if key not in layout.fields]:
        return f"Kolom tidak dikenal: {', '.join(unknown)}."
    if len(set(keys)) != len(keys):
        return "Satu kolom dipilih dua kali."
    if any(not heading.strip() or len(heading) > LONGEST_HEADING for _, heading in columns):
        return f"Setiap kolom memerlukan judul, paling banyak {LONGEST_HEADING} huruf."
    return ""
