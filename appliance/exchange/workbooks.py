"""Files that spreadsheets open: XLSX by XlsxWriter (the one adapter to it) and CSV, written row by row in constant memory.

Every cell is a text, so that a NIK stays what it is and nothing that somebody typed into a name is ever calculated.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from xlsxwriter import Workbook  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MOST_XLSX_ROWS = 1_048_000
LONGEST_CELL = 32_767
END_MARK = "###"
# With these a spreadsheet begins a formula; the wide ones are what a Japanese keyboard types and Excel takes for the same.
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Where a program with another separator would begin a cell: there a formula must not begin either.
_INNER_START = re.compile(r"([;,|]\"?)(?=[=+@＝＋＠]|-\D)")
_NEW_CELL = re.compile(r"[\r\n\t]+")
_HARMLESS = re.compile(r"-|-?\d{1,9}(\.\d+)?")


@dataclass(frozen=True)
class Column:
    """A column of a file. `number`: its content is digits that must not become a quantity (NIK, card, telephone)."""

    heading: str
    number: bool = False
    width: int = 16


class Table(Protocol):
    """A file that is being written. It is worth nothing before `close`."""

    def write(self, values: Sequence[str]) -> None:
        """One more row, as many values as there are columns."""

    def close(self, notes: Sequence[tuple[str, str]]) -> None:
        """End the file with the notes about it: label and value."""


class XlsxTable:
    """A workbook with one sheet of rows and one of notes.

    `notes_sheet` names the second; `end_mark` is a last row whose second cell says for OpenSID that nothing follows.
    XlsxWriter keeps its unfinished parts in the folder of `path`: nobody's data is left in /tmp by a killed run.
    """

    def __init__(self, path: Path, columns: Sequence[Column], sheet: str, notes_sheet: str, *, end_mark: bool = False) -> None:
        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        }
        self._book = Workbook(str(path), options)
        self._book.use_zip64()
        self._sheet: Worksheet = self._book.add_worksheet(sheet)
        self._notes_sheet, self._end_mark = notes_sheet, end_mark
        bold, text = self._book.add_format({"bold": True}), self._book.add_format({"num_format": "@"})
        self._formats = [text if column.number else None for column in columns]
        for at, column in enumerate(columns):
            self._sheet.set_column(at, at, column.width, text if column.number else None)
        for at, column in enumerate(columns):
            self._sheet.write_string(0, at, column.heading, bold)
        self._sheet.freeze_panes(1, 0)
        self._next = 1

    def write(self, values: Sequence[str]) -> None:
        """One more row; empty cells are left out."""
        put, row = self._sheet.write_string, self._next
        for at, value in enumerate(values):
            if value:
                put(row, at, value[:LONGEST_CELL], self._formats[at])
        self._next += 1

    def close(self, notes: Sequence[tuple[str, str]]) -> None:
        """Write the notes, and put everything into the one file."""
        if self._end_mark:
            self._sheet.write_string(self._next, 1, END_MARK)
        beside = self._book.add_worksheet(self._notes_sheet)
        beside.set_column(0, 0, 24)
        beside.set_column(1, 1, 90)
        bold, wrapped = self._book.add_format({"bold": True, "valign": "top"}), self._book.add_format({"text_wrap": True})
        for at, (label, value) in enumerate(notes):
            beside.write_string(at, 0, label, bold)
            beside.write_string(at, 1, value, wrapped)
        self._book.close()


class CsvTable:
    """UTF-8 with a byte order mark, so that Excel reads the letters right. The notes are one last line that begins with ###."""

    def __init__(self, path: Path, columns: Sequence[Column], separator: str) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._rows = csv.writer(self._file, delimiter=separator, lineterminator="\r\n")
        self._numbers = [column.number for column in columns]
        self._rows.writerow([guarded(column.heading) for column in columns])

    def write(self, values: Sequence[str]) -> None:
        """One more row, guarded."""
        self._rows.writerow([guarded(value, number) for value, number in zip(values, self._numbers, strict=True)])

    def close(self, notes: Sequence[tuple[str, str]]) -> None:
        """Write the line of notes."""
        self._rows.writerow([guarded(f"{END_MARK} " + "; ".join(f"{label}: {value}" for label, value in notes))])
        self._file.close()


def guarded(text: str, number: bool = False) -> str:
    """`text` as a cell of a CSV file: with an apostrophe before what a spreadsheet would calculate, round or strip of zeros.

    "=1+1" → "'=1+1"; a NIK → "'7303…"; a name and the coordinate "-5.54" stay. Readers of lists drop such an apostrophe.
    A program that cuts at another separator, and takes each line for a row, meets no formula either.
    """
    if not text:
        return ""
    if number:
        return f"'{text}"
    harmful = text.startswith(_STARTS_FORMULA) and not _HARMLESS.fullmatch(text)
    inside = _INNER_START.sub(r"\1'", _NEW_CELL.sub(" ", text))
    return f"'{inside}" if harmful else inside
