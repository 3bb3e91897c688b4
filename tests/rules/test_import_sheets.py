"""Files as they really come: each kind of damage gets a clear answer, and what can be read is read the same everywhere."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from appliance.errors import NotFound
from appliance.exchange.sheets import MOST_UNPACKED, Unreadable, open_book
from appliance.exchange.xlsx import column_index, column_letters
from tests.support.opensid import population, workbook

DATA = Path(__file__).parents[1] / "data" / "imports"
MACRO = "xl/vbaProject.bin"


def kept(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(content)
    return path


def rows(path: Path, sheet: str | None = None) -> list[tuple[int, list[Any]]]:
    with open_book(path) as book:
        return list(book.rows(sheet or book.sheets[0]))


def with_part(content: bytes, name: str, part: bytes, *, instead: bool = False) -> bytes:
    """The same workbook with one more or another part."""
    made = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            if not (instead and one.filename == name):
                new.writestr(one, old.read(one))
        new.writestr(name, part)
    return made.getvalue()


def sheet_of(xml: str) -> bytes:
    head = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    body = f"{head}{xml}</sheetData></worksheet>".encode()
    return with_part(workbook([["x"]], end=False), "xl/worksheets/sheet1.xml", body, instead=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "kosong"),
        (b"  \n", "kosong"),
        (b"<html><table><tr><td>nik</td></tr></table></html>", "halaman web"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>", "halaman web"),
        (b"%PDF-1.7 x", "PDF"),
        (b"\x89PNG\r\n", "gambar"),
        (population()[:4000], "terpotong"),
        (b"PK\x03\x04 and nothing of a zip", "terpotong"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "kata sandi"),
        (b"nik;nama\n73030\x00;Baso\n", "NUL"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        rows(kept(tmp_path, content))
    assert message in caught.value.message
    assert caught.value.hint


def test_a_zip_that_is_no_workbook(tmp_path: Path) -> None:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("data.csv", "nik;nama")
    with pytest.raises(Unreadable, match="bukan lembar kerja"):
        rows(kept(tmp_path, made.getvalue()))


def test_a_zip_bomb_is_not_opened(tmp_path: Path) -> None:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/worksheets/sheet1.xml", "w") as part:
        for _ in range(40):
            part.write(bytes(1 << 20))
    assert len(made.getvalue()) < MOST_UNPACKED // 1000
    with pytest.raises(Unreadable, match="mencurigakan"):
        rows(kept(tmp_path, made.getvalue()))


def test_a_locked_zip_is_told(tmp_path: Path) -> None:
    content = bytearray(population())
    with zipfile.ZipFile(BytesIO(content)) as archive:
        start = archive.start_dir
    content[start + 8] |= 1  # the flag of encryption in the directory
    with pytest.raises(Unreadable, match="kata sandi"):
        rows(kept(tmp_path, bytes(content)))


def test_entities_of_a_document_type_are_refused(tmp_path: Path) -> None:
    evil = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData/></worksheet>'
    with pytest.raises(Unreadable, match="rusak"):
        rows(kept(tmp_path, with_part(population(), "xl/worksheets/sheet1.xml", evil, instead=True)))


def test_macros_are_data_that_nobody_runs(tmp_path: Path) -> None:
    path = kept(tmp_path, with_part(population(), MACRO, b"Sub Auto_Open()"))
    with open_book(path) as book:
        assert book.kind == "XLSM"
        assert "tidak pernah dijalankan" in book.remarks[0]
        assert len(list(book.rows("Data Penduduk"))) == 5


def test_a_sheet_that_is_not_there_names_the_others(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        rows(kept(tmp_path, population()), "Lembar 9")
    assert "Data Penduduk, Kode Data" in caught.value.hint


def test_it_reads_what_the_spreadsheet_library_reads(tmp_path: Path) -> None:
    made = BytesIO()
    with Workbook(made, {"default_date_format": "dd/mm/yyyy", "strings_to_formulas": True}) as book:
        page = book.add_worksheet("A")
        rich = book.add_format({"bold": True})
        page.write_row(1, 2, ["teks", 12, 1.5, True, "=1+1", -7, 1e15, "é ‘kutip’ & <x>"])
        page.write_formula(2, 0, "=1+1", None, 2)
        page.write_formula(2, 1, '="a"&"b"', None, "ab")
        page.write_datetime(3, 3, datetime(1980, 6, 12))  # noqa: DTZ001 - as a cell holds it
        page.write_datetime(3, 4, date(1901, 1, 2))
        page.write_number(3, 5, 29384, book.add_format({"num_format": 'd "hari" mmm yyyy'}))
        page.write_number(3, 6, 29384, book.add_format({"num_format": '0 "d"'}))
        page.write_rich_string(4, 0, rich, "dua ", "bagian")
        page.write_string(5, 30, "jauh")
    path = kept(tmp_path, made.getvalue())
    library = {}
    for number, row in enumerate(
        CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False), start=1
    ):
        cells = [datetime.combine(cell, datetime.min.time()) if type(cell) is date else cell for cell in row]
        if any(cell != "" for cell in cells):
            library[number] = cells
    ours = {
        number: [*("" if cell is None else cell for cell in cells), *[""] * (31 - len(cells))] for number, cells in rows(path)
    }
    assert ours == library


def test_odd_ways_to_write_a_sheet(tmp_path: Path) -> None:
    """Cells without places, with prefixes, in the wrong order, with a fault for a value."""
    xml = (
        '<row><c t="inlineStr"><is><t>satu</t></is></c><c><v>2</v></c></row>'
        '<row r="7"><c r="C7"><v>3</v></c><c r="A7" t="e"><v>#N/A</v></c></row><row r="9"/><row r="10"><c r="A10" s="1"/></row>'
    )
    assert rows(kept(tmp_path, sheet_of(xml))) == [(1, ["satu", 2]), (7, ["#N/A", None, 3])]


def test_a_sheet_that_breaks_off_is_told(tmp_path: Path) -> None:
    broken = b'<?xml version="1.0"?><worksheet><sheetData><row r="1"><c r="A1"><v>1</v>'
    with pytest.raises(Unreadable, match="rusak atau terpotong"):
        rows(kept(tmp_path, with_part(population(), "xl/worksheets/sheet1.xml", broken, instead=True)))


def test_blank_rows_cost_nothing(tmp_path: Path) -> None:
    made = BytesIO()
    with Workbook(made, {"constant_memory": True}) as book:
        page, blank = book.add_worksheet("A"), book.add_format({"bg_color": "yellow"})
        page.write(0, 0, "nik")
        for number in range(1, 100_001):
            page.write_blank(number, 0, None, blank)
        page.write(100_001, 0, "akhir")
    assert rows(kept(tmp_path, made.getvalue())) == [(1, ["nik"]), (100_002, ["akhir"])]


def test_merged_cells_are_found(tmp_path: Path) -> None:
    made = BytesIO()
    with Workbook(made) as book:
        page = book.add_worksheet("A")
        page.merge_range("A1:C1", "JUDUL")
        page.merge_range("B5:B8", "7303")
    with open_book(kept(tmp_path, made.getvalue())) as opened:
        assert opened.merged("A") == ["A1:C1", "B5:B8"]


@pytest.mark.parametrize(("kind", "merged", "remarked"), [("xls", ["C2:C3"], False), ("ods", [], True)])
def test_merged_cells_of_older_workbooks_are_found_or_told(kind: str, merged: list[str], remarked: bool) -> None:
    with open_book(DATA / f"merged.{kind}") as opened:
        assert opened.merged(opened.sheets[0]) == merged
        assert [remark.startswith("Sel gabungan tidak dapat dikenali di berkas ODS") for remark in opened.remarks] == [
            True
        ] * remarked


TABLE = "nik;nama\n7303011206750001;Né Baso\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_csv_in_odd_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    lines = TABLE.replace(";", separator) + "\n" + separator.join(["7303015208800002", '"Aminah, Dg; |Bau"'])
    path = kept(tmp_path, lines.encode(encoding))
    assert rows(path) == [
        (1, ["nik", "nama"]), (2, ["7303011206750001", "Né Baso"]), (4, ["7303015208800002", "Aminah, Dg; |Bau"]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "first"),
    [
        (f"sep=;\r\n{TABLE}", 2),
        (TABLE.replace("\n", "\r"), 1),
        (TABLE.replace("\n", "\r\n"), 1),
        (f"Data Penduduk Desa Bonto;\n;\n\n{TABLE}", 4),
        (f"\ufeff{TABLE}" + ";\n" * 100_000, 1),
    ],
    ids=["hint for Excel", "ends of old Macs", "ends of Windows", "title above", "100,000 blank rows"],
)
def test_csv_as_other_programs_write_it(tmp_path: Path, content: str, first: int) -> None:
    found = [(number, cells) for number, cells in rows(kept(tmp_path, content.encode())) if number >= first]
    assert found == [(first, ["nik", "nama"]), (first + 1, ["7303011206750001", "Né Baso"])]


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="kutip"):
        rows(kept(tmp_path, TABLE.encode() + b'1;"' + b"x" * 200_000))


@pytest.mark.parametrize(("index", "letters"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_have_letters(index: int, letters: str) -> None:
    assert (column_letters(index), column_index(letters)) == (letters, index)
