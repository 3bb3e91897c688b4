"""What becomes of a cell on its way into a file: codes, guards, order, ages."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from appliance.exchange.export_filter import years_before
from appliance.exchange.export_layouts import LAYOUTS, problems_of
from appliance.exchange.export_opensid import NAMES, code_of
from appliance.exchange.workbooks import Column, CsvTable, XlsxTable, guarded

ATTACKS = ("=1+1", "+62", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x","y")')


@pytest.mark.parametrize("text", ATTACKS)
def test_what_a_spreadsheet_would_calculate_is_guarded(text: str) -> None:
    assert guarded(text) == "'" + re.sub(r"[\t\r]", " ", text)


@pytest.mark.parametrize("text", ["", "Sitti Aminah", "Jl. Poros = 3", "-", "-5.5412", "120.1", "A-1"])
def test_what_is_harmless_stays(text: str) -> None:
    assert guarded(text) == text


@pytest.mark.parametrize("separator", [";", ","])
@pytest.mark.parametrize("other", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    "attack",
    ["Baso,=1+1,x", "Baso;=1+1;x", "Baso|@SUM(A1)|x", "Baso\t+62\tx", 'Baso",=1+1,"x', 'Baso;"=1+1";x', "Baso\n=1+1", "Baso\r\n-x+1", "a,,=1"],
)  # fmt: skip
def test_another_separator_finds_no_formula_either(tmp_path: Path, separator: str, other: str, attack: str) -> None:
    """A program of another country cuts the file elsewhere, and may take no notice of the quotes."""
    table = CsvTable(tmp_path / "daftar.csv", [Column("Nama"), Column("NIK", number=True)], separator)
    table.write([attack, "7303014101800001"])
    table.close([("Alasan", attack)])
    text = (tmp_path / "daftar.csv").read_bytes().decode("utf-8-sig")
    naive = [cell for line in text.splitlines() for cell in line.split(other)]
    read = [cell for row in csv.reader(text.splitlines(keepends=True), delimiter=other) for cell in row]
    assert not [cell for cell in [*naive, *read] if cell.lstrip('"').startswith(("=", "+", "-", "@"))]


def test_addresses_keep_their_commas() -> None:
    assert guarded("Jl. Poros 3, RT 1; dekat masjid - blok A,B") == "Jl. Poros 3, RT 1; dekat masjid - blok A,B"


def test_digits_that_are_no_quantity_stay_digits_in_every_layout() -> None:
    """NIK, cards, telephones and RT; and the codes of areas, for 73.03.01 is a time of day in an Indonesian spreadsheet."""
    for layout in LAYOUTS.values():
        digits = [key for key in layout.fields if re.match(r"nik|no_|telepon|kode_|rt$|rw$", key)]
        assert digits, layout.code
        assert [key for key in digits if not layout.fields[key].number] == [], layout.code


def test_numbers_that_must_stay_digits_are_guarded_for_csv() -> None:
    assert guarded("7303014101800001", number=True) == "'7303014101800001"
    assert guarded("", number=True) == ""


def test_a_csv_file_opens_clean(tmp_path: Path) -> None:
    path = tmp_path / "daftar.csv"
    table = CsvTable(path, [Column("NIK", number=True), Column("Nama")], ";")
    table.write(["7303014101800001", '=cmd|"/c calc"!A1; "Hj."'])
    table.close([("Jumlah baris", "1")])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert path.read_bytes().decode("utf-8-sig").split("\r\n") == [
        "NIK;Nama",
        '\'7303014101800001;"\'=cmd|""/c calc""!A1; ""Hj."""',
        "### Jumlah baris: 1",
        "",
    ]


def test_a_workbook_holds_texts_only(tmp_path: Path) -> None:
    path = tmp_path / "daftar.xlsx"
    table = XlsxTable(path, [Column("NIK", number=True), Column("Nama")], "Data", "Keterangan")
    written = [["7303014101800001", attack] for attack in ATTACKS]
    for row in [*written, ["0812", "x" * 40_000]]:
        table.write(row)
    table.close([("Jumlah baris", str(len(written)))])
    book = CalamineWorkbook.from_path(str(path))
    rows = book.get_sheet_by_name("Data").to_python()
    assert rows[1:-1] == written
    assert (rows[-1][0], len(str(rows[-1][1]))) == ("0812", 32_767)
    assert book.get_sheet_by_name("Keterangan").to_python() == [["Jumlah baris", "8"]]
    assert [one.name for one in tmp_path.iterdir()] == ["daftar.xlsx"], "nothing unfinished is left beside it"


@pytest.mark.parametrize(
    ("field", "stored", "code"),
    [
        ("religion", "3", "3"),
        ("religion", "KATHOLIK", "3"),
        ("religion", "Animisme", "Animisme"),
        ("marital_status", "Belum kawin", "1"),
        ("education", "SLTA / SEDERAJAT", "5"),
        ("occupation", "", ""),
    ],
)
def test_what_is_stored_becomes_the_code_of_opensid(field: str, stored: str, code: str) -> None:
    assert code_of(field, stored) == code


def test_opensid_has_its_43_columns() -> None:
    assert len(NAMES) == len(set(NAMES)) == 43
    assert (NAMES[0], NAMES[6], NAMES[-1]) == ("alamat", "nik", "lng")


@pytest.mark.parametrize(
    ("today", "years", "day"),
    [
        (date(2026, 11, 20), 60, date(1966, 11, 20)),
        (date(2024, 2, 29), 1, date(2023, 2, 28)),
        (date(2024, 2, 29), 4, date(2020, 2, 29)),
    ],
)
def test_years_are_counted_back(today: date, years: int, day: date) -> None:
    assert years_before(today, years) == day


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ([("nik", "NIK"), ("nama", "Nama")], ""),
        ([], ""),
        ([("nik", "NIK"), ("nik", "NIK lagi")], "dua kali"),
        ([("gaji", "Gaji")], "gaji"),
        ([("nik", " ")], "judul"),
        ([("nik", "x" * 61)], "judul"),
    ],
)
def test_columns_of_a_layout_are_checked(columns: list[tuple[str, str]], told: str) -> None:
    assert told in problems_of(columns, LAYOUTS["siksng"])
    assert bool(told) == bool(problems_of(columns, LAYOUTS["siksng"]))


def test_every_order_that_comes_with_the_program_is_right() -> None:
    assert [layout.code for layout in LAYOUTS.values() if problems_of(layout.columns, layout)] == []
