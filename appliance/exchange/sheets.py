"""One way to read any table a village or ministry hands over: XLSX, XLSM, XLS, XLSB, ODS and CSV in whatever encoding.

The only module that knows the spreadsheet library, the CSV reader and the guesser of encodings. Whatever is wrong with a file is
an `Unreadable` with what happened and what to do. Nothing in a file is ever run.
"""

from __future__ import annotations

import codecs
import csv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path

import charset_normalizer
import python_calamine as calamine

from appliance.errors import Conflict, NotFound
from appliance.exchange.xlsx import MOST_COLUMNS, Cell, NotXlsx, Row, Xlsx, column_letters

MEGABYTE = 1024 * 1024
MOST_BYTES = 40 * MEGABYTE
# What a zip says it will be unpacked; 100,000 residents of 43 columns are 250 MB.
MOST_UNPACKED = 700 * MEGABYTE
MOST_RATIO = 150
MOST_PARTS = 2000
# The library holds these whole.
MOST_HELD = 12 * MEGABYTE
SAMPLE = 256 * 1024
SEPARATORS = ";\t|,"

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SAVE_AS = "Buka berkas itu di Excel atau LibreOffice, pilih Simpan sebagai → Excel Workbook (.xlsx), lalu unggah hasilnya."
# The library tells of merged cells in XLS only.
UNSEEN_MERGES = (
    "Sel gabungan tidak dapat dikenali di berkas {kind}. Bila ada di baris data, pisahkan dahulu atau simpan sebagai .xlsx."
)
AGAIN = "Salin ulang berkasnya dari sumbernya, lalu unggah lagi."


class Unreadable(Conflict):
    """The file is no table we can read, or is not there any more."""


@dataclass(frozen=True)
class Book:
    """An open file. `sheets` are its tables, those that are shown first; `remarks` are sentences about the file."""

    kind: str
    sheets: tuple[str, ...]
    remarks: tuple[str, ...]
    _rows: Callable[[str], Iterator[Row]] = field(repr=False)
    _merged: Callable[[str], list[str]] = field(repr=False)

    def rows(self, sheet: str) -> Iterator[Row]:
        """Each row that holds something, with its number from 1. Raises NotFound, and Unreadable where the file is broken."""
        if sheet not in self.sheets:
            raise NotFound(f"Lembar “{sheet}” tidak ada di berkas ini.", f"Pilih salah satu: {', '.join(self.sheets)}.")
        try:
            yield from self._rows(sheet)
        except (NotXlsx, calamine.CalamineError) as error:
            raise Unreadable("Isi berkas ini rusak atau terpotong.", AGAIN) from error

    def first_rows(self, sheet: str, count: int) -> list[Row]:
        """The first rows that hold something."""
        return list(islice(self.rows(sheet), count))

    def merged(self, sheet: str) -> list[str]:
        """The ranges of merged cells ("B5:B8")."""
        return self._merged(sheet)


@contextmanager
def open_book(path: Path) -> Iterator[Book]:
    """The file as tables, for as long as the context lasts. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except FileNotFoundError as error:
        raise Unreadable("Berkas yang diunggah tidak ada lagi di server ini.", "Unggah lagi di halaman Impor.") from error
    if not start.strip():
        raise Unreadable("Berkas ini kosong.", AGAIN)
    if start.startswith(ZIP):
        with _open_zip(path) as book:
            yield book
    elif start.startswith(OLE):
        yield _held(path, "XLS")
    else:
        _refuse_disguised(start)
        yield _csv(path)


@contextmanager
def _open_zip(path: Path) -> Iterator[Book]:
    names = check_zip(path)
    if "xl/workbook.xml" not in names:
        if "content.xml" not in names and "xl/workbook.bin" not in names:
            raise Unreadable("Berkas ZIP ini bukan lembar kerja.", "Buka ZIP-nya, lalu unggah berkas Excel atau CSV di dalamnya.")
        yield _held(path, "ODS" if "content.xml" in names else "XLSB")
        return
    try:
        book = Xlsx(path)
    except NotXlsx as error:
        raise Unreadable("Berkas Excel ini rusak.", AGAIN) from error
    try:
        macros = any(name.endswith("vbaProject.bin") for name in names)
        remarks = ("Berkas ini berisi makro. Hanya datanya yang dibaca; makro tidak pernah dijalankan.",) if macros else ()
        if not book.sheets:
            raise Unreadable("Berkas Excel ini tidak berisi lembar data.", SAVE_AS)
        kind = "XLSM" if macros else "XLSX"
        yield Book(kind, tuple(book.sheets), remarks, book.rows, lambda sheet: list(book.merged(sheet)))
    finally:
        book.close()


def check_zip(path: Path) -> frozenset[str]:
    """The names in a zip that is no bomb: its directory is believed only as far as the limits. Raises Unreadable.

    Unpacking never gives more than the directory says, so what passes here stays within the limits.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise Unreadable("Berkas ini terpotong: bagian akhirnya tidak ada.", AGAIN) from error
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("Berkas ini dilindungi kata sandi.", "Hapus kata sandinya di Excel (File → Info), lalu unggah lagi.")
    packed, unpacked = sum(part.compress_size for part in parts), sum(part.file_size for part in parts)
    greedy = any(part.file_size > MEGABYTE and part.file_size > MOST_RATIO * max(1, part.compress_size) for part in parts)
    if unpacked > MOST_UNPACKED or len(parts) > MOST_PARTS or greedy:
        raise Unreadable(
            f"Berkas ini mencurigakan: {packed // 1024} KB yang mengembang menjadi {unpacked // MEGABYTE} MB. Tidak dibuka.",
            "Bila isinya benar, bagi menjadi beberapa berkas yang lebih kecil, atau simpan sebagai CSV.",
        )
    return frozenset(part.filename for part in parts)


def _refuse_disguised(start: bytes) -> None:
    text = start.lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    if text.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head", b"<style")):
        raise Unreadable("Berkas ini sebenarnya halaman web (HTML/XML) yang dinamai sebagai Excel.", SAVE_AS)
    if text.startswith(b"%pdf"):
        raise Unreadable("Berkas ini PDF, bukan lembar data.", "Minta berkas Excel atau CSV aslinya.")
    if text.startswith((b"\x89png", b"\xff\xd8\xff", b"rar!", b"7z\xbc\xaf")):
        raise Unreadable("Berkas ini gambar atau arsip, bukan lembar data.", "Unggah berkas Excel (.xlsx) atau CSV.")


def _held(path: Path, kind: str) -> Book:
    """A kind of workbook that only the library reads. It holds all cells, hence its own limit."""
    if path.stat().st_size > MOST_HELD:
        raise Unreadable(f"Berkas {kind} paling besar {MOST_HELD // MEGABYTE} MB.", SAVE_AS)
    try:
        book = calamine.CalamineWorkbook.from_path(path)
        names = tuple(sheet.name for sheet in sorted(book.sheets_metadata, key=_is_hidden))
    except calamine.PasswordError as error:
        hint = "Hapus kata sandinya di Excel (File → Info → Protect Workbook), lalu unggah lagi."
        raise Unreadable("Berkas ini dilindungi kata sandi.", hint) from error
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise Unreadable(f"Berkas {kind} ini rusak, atau dilindungi kata sandi.", SAVE_AS) from error
    remarks = () if kind == "XLS" else (UNSEEN_MERGES.format(kind=kind),)
    return Book(kind, names, remarks, lambda name: _held_rows(book, name), lambda name: _held_merges(book, name))


def _is_hidden(sheet: calamine.SheetMetadata) -> bool:
    return sheet.visible != calamine.SheetVisibleEnum.Visible


def _held_rows(book: calamine.CalamineWorkbook, name: str) -> Iterator[Row]:
    sheet = book.get_sheet_by_name(name)
    # The library gives empty rows above the data, but no empty columns before it.
    before: list[Cell] = [None] * (sheet.start or (0, 0))[1]
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = before + [_plain(cell) for cell in row[:MOST_COLUMNS]]
        if any(cell is not None for cell in cells):
            yield number, cells


def _held_merges(book: calamine.CalamineWorkbook, name: str) -> list[str]:
    ranges = book.get_sheet_by_name(name).merged_cell_ranges or []
    return [f"{column_letters(a[1])}{a[0] + 1}:{column_letters(b[1])}{b[0] + 1}" for a, b in ranges]


def _plain(cell: object) -> Cell:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, time())
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    if isinstance(cell, bool | int | float):
        return cell
    return str(cell) if cell not in ("", None) else None


def _csv(path: Path) -> Book:
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        sample = file.read(SAMPLE)
    if "\0" in sample:
        raise Unreadable("Berkas ini berisi byte kosong (NUL): rusak, atau bukan berkas CSV.", AGAIN)
    separator = _separator(sample)
    names = {";": "titik koma", "\t": "tab", "|": "garis tegak", ",": "koma"}
    remark = f"Dibaca sebagai CSV, pengodean {encoding.upper()}, pemisah {names[separator]}."
    return Book("CSV", ("CSV",), (remark,), lambda _: _csv_rows(path, encoding, separator), lambda _: [])


def _csv_rows(path: Path, encoding: str, separator: str) -> Iterator[Row]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        number = 0
        try:
            for number, row in enumerate(reader, start=1):
                if any(map(str.strip, row)):
                    yield number, [cell or None for cell in row[:MOST_COLUMNS]]
        except csv.Error as error:
            nul = "NUL" in str(error)
            said = "berisi byte kosong (NUL)" if nul else "tidak terbaca; mungkin tanda kutip tidak ditutup"
            raise Unreadable(
                f"Baris sesudah {number} {said}.", "Perbaiki baris itu di penyunting teks, atau simpan sebagai .xlsx."
            ) from error


def _encoding(path: Path) -> str:
    """By its mark, else UTF-8 if all of it is, else what the guesser says of the beginning."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
        for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
            if sample.startswith(mark):
                return name
        for places, name in ((sample[1::2], "utf-16-le"), (sample[0::2], "utf-16-be")):
            if len(sample) > 3 and places.count(0) > 0.6 * len(places):
                return name
        decoder = codecs.getincrementaldecoder("utf-8")()
        piece = sample
        try:
            while piece:
                decoder.decode(piece)
                piece = file.read(SAMPLE)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            found = charset_normalizer.from_bytes(sample, cp_isolation=["cp1252", "iso8859_15", "mac_roman"]).best()
            return found.encoding if found and found.encoding != "mac_roman" else "cp1252"
        return "utf-8"


def _separator(sample: str) -> str:
    """The one that cuts the first lines most often, and all of them the same way."""
    lines = [line for line in sample.splitlines()[:40] if line.strip()][:20]

    def merit(separator: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        usual = max(set(widths), key=widths.count, default=1)
        return (widths.count(usual) if usual > 1 else 0, usual)

    try:
        return max(SEPARATORS, key=merit)
    except csv.Error:
        return ","
