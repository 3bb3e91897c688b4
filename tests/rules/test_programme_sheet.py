"""What the sheet "Program" of a participant workbook says, in both ways it is written."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from appliance.exchange.programme_sheet import ToldProgramme, likeliest, programme_sheet, read_programme
from appliance.registry.programmes import ProgrammeLine

ACROSS: list[list[Any]] = [
    ["ID", "Nama", "Sasaran", "Keterangan", "Asal Dana", "Awal", "Akhir"],
    [3, "BLT Desa", "Penduduk", "", "Dana Desa", "1/2/2026", "31 Desember 2026"],
]
DOWN: list[list[Any]] = [
    ["ID", 3], ["Nama", "  BLT  Desa "], ["Sasaran", 1], ["Asal Dana", "Dana Desa"],
    ["Awal", datetime(2026, 2, 1)], ["Akhir", "2026-12-31"], ["###"], ["Nama", "not this"],  # noqa: DTZ001 - as a cell holds it
]  # fmt: skip
BLT = ToldProgramme("BLT Desa", "penduduk", "desa", date(2026, 2, 1), date(2026, 12, 31))


def read(rows: list[list[Any]]) -> ToldProgramme | None:
    return read_programme(list(enumerate(rows, start=1)))


@pytest.mark.parametrize("rows", [DOWN, ACROSS, [["Data Program"], *ACROSS]])
def test_both_ways_say_the_same(rows: list[list[Any]]) -> None:
    assert read(rows) == BLT


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([], None),
        ([["Nama", ""], ["Sasaran", 1], ["Awal", ""]], None),
        ([["Nama", "Beras"], ["Asal Dana", "Pusat"]], None),
        ([["Nama", "Beras"], ["Sasaran", 9], ["Asal Dana", "Kantong sendiri"], ["Awal", "besok"]], ToldProgramme("Beras")),
        ([["Nama", "X" * 200], ["Sasaran", "Kelompok"], ["Asal Dana", "Lain-lain (Hibah)"]], ToldProgramme("X" * 160, "kelompok", "swasta")),
    ],
)  # fmt: skip
def test_what_is_not_known_stays_empty(rows: list[list[Any]], told: ToldProgramme | None) -> None:
    assert read(rows) == told


def test_it_is_offered_to_the_catalogue_without_a_sector() -> None:
    fields = ToldProgramme("BLT Desa (2026) – tahap 1 untuk keluarga miskin ekstrem").fields()
    assert (fields.code, fields.sector, fields.target) == ("blt-desa-2026-tahap-1-untuk-keluarga-mis", "", "keluarga")


@pytest.mark.parametrize(
    ("name", "found"),
    [("Program Keluarga Harapan", "1"), ("PROGRAM KELUARGA HARAPAN.", "1"), ("PKH", "1"), ("BLT Dana Desa", "2"), ("Beras", "")],
)
def test_which_programme_of_the_catalogue_it_may_be(name: str, found: str) -> None:
    known = [_line("1", "pkh", "Program Keluarga Harapan"), _line("2", "blt-dd", "BLT Dana Desa")]
    assert likeliest(ToldProgramme(name), known) == found
    assert likeliest(ToldProgramme(name), []) == ""


def _line(row_id: str, code: str, name: str) -> ProgrammeLine:
    return ProgrammeLine(row_id, code, name, "pusat", "sosial_ekonomi", "keluarga", "", "", None, None, None, True, 1)


def test_which_sheet_it_is() -> None:
    assert programme_sheet(("Peserta", " PROGRAM ")) == " PROGRAM "
    assert programme_sheet(("Peserta",)) is None
