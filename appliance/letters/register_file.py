"""The register of outgoing letters as a spreadsheet."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from appliance.database import settings_in_use
from appliance.exchange.workbooks import Column, XlsxTable
from appliance.letters.book import LetterLine

HEADINGS = (
    Column("Nomor surat", width=28),
    Column("Tanggal", width=12),
    Column("Jenis surat", width=32),
    Column("Keperluan", width=24),
    Column("Kepada", width=28),
    Column("Tentang", width=26),
    Column("Desa/kelurahan", width=30),
    Column("Nomor kasus", width=24),
    Column("Status", width=14),
    Column("Berlaku sampai", width=14),
    Column("Dicetak", width=8),
)


def cells_of(line: LetterLine) -> tuple[str, ...]:
    """One row of the register, as HEADINGS name its columns."""
    return (
        line.number,
        f"{line.day:%d-%m-%Y}" if line.day else "",
        line.title,
        line.purpose,
        line.addressee,
        line.person,
        line.village,
        line.case_number,
        line.state.label,
        f"{line.valid_until:%d-%m-%Y}" if line.valid_until else "",
        str(line.prints),
    )


def to_workbook(lines: Iterable[LetterLine], notes: Iterable[tuple[str, str]]) -> bytes:
    """The register as XLSX, with a sheet of notes. Nothing of it stays on the disk."""
    folder = Path(settings_in_use().paths.data)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".register-") as name:
        path = Path(name) / "register.xlsx"
        table = XlsxTable(path, HEADINGS, "Register surat keluar", "Keterangan")
        for line in lines:
            table.write(cells_of(line))
        table.close(tuple(notes))
        return path.read_bytes()
