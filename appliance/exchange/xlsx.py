"""Reads XLSX and XLSM row by row in constant memory: XML events out of the zip, strings looked up when they are needed.

The spreadsheet library holds a whole sheet (310-360 MB for 100,000 residents of 43 columns, measured), a node has not that much
to give. Macros are data among other data here: nothing of the file is ever run. It knows cells, not what they mean.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat

Cell = str | float | int | bool | datetime | None
Row = tuple[int, list[Cell]]

PIECE = 1 << 16
MOST_COLUMNS = 300
_DATE_FORMATS = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z]+\d+:[A-Z]+\d+)"')
# The tags of a sheet that mean something, under the names they go by.
_TAGS: dict[str, str] = {}


class NotXlsx(Exception):
    """The parts of a workbook are missing or broken."""


class Xlsx:
    """An open workbook. `sheets` maps the names in their order to the parts that hold them; hidden ones come last."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            self.sheets, self._old_epoch = self._contents()
            self._dates = self._date_styles()
        except (zipfile.BadZipFile, KeyError, expat.ExpatError, EOFError, OSError) as error:
            raise NotXlsx from error
        self._strings: list[str] = []
        self._more_strings = self._read_strings()

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def rows(self, sheet: str) -> Iterator[Row]:
        """Each row that holds something, with its number from 1. Raises NotXlsx where the file is broken."""
        reader = _SheetReader(self)
        try:
            with self._zip.open(self.sheets[sheet]) as part:
                for _ in _parse(part, reader.parser):
                    yield from reader.taken()
        except (zipfile.BadZipFile, zipfile.zlib.error, expat.ExpatError, EOFError, ValueError) as error:  # type: ignore[attr-defined]
            raise NotXlsx from error
        yield from reader.taken()

    def merged(self, sheet: str) -> Iterator[str]:
        """The merged ranges ("B5:B8"); reads the part to its end, for they stand there."""
        rest = b""
        with self._zip.open(self.sheets[sheet]) as part:
            while piece := part.read(PIECE):
                text = rest + piece
                for found in _MERGED.finditer(text):
                    yield found[1].decode()
                rest = text[text.rfind(b"<") :] if b"<" in text else b""

    def _string(self, index: int) -> str:
        """A shared string that was not read yet; the table is read as far as needed, for sheets use it from its beginning on."""
        while index >= len(self._strings):
            more = next(self._more_strings, None)
            if more is None:
                raise ValueError("no such string")
            self._strings.extend(more)
        return self._strings[index]

    def value(self, kind: str, style: str, text: str) -> Cell:
        """What a cell holds, by its type and style as they stand in the file."""
        if kind == "s":
            index = int(text)
            return self._strings[index] if index < len(self._strings) else self._string(index)
        if kind == "b":
            return text == "1"
        if kind != "n":
            return text  # in the cell itself, a date in words, or what a spreadsheet says of a fault (#N/A)
        number = float(text)
        if style in self._dates:
            return _moment(number, self._old_epoch)
        return int(number) if number.is_integer() else number

    def _contents(self) -> tuple[dict[str, str], bool]:
        found: list[tuple[str, str, bool]] = []
        old_epoch = [False]

        def begin(name: str, told: dict[str, str]) -> None:
            if name.endswith("workbookPr"):
                old_epoch[0] = told.get("date1904") in {"1", "true"}
            elif name.rpartition(":")[2] == "sheet":
                target = next((value for key, value in told.items() if key.endswith(":id")), "")
                found.append((told["name"], target, told.get("state", "visible") != "visible"))

        self._read("xl/workbook.xml", begin)
        targets: dict[str, str] = {}
        self._read("xl/_rels/workbook.xml.rels", lambda _, told: targets.update({told.get("Id", ""): told.get("Target", "")}))
        found.sort(key=lambda sheet: sheet[2])
        names = set(self._zip.namelist())
        parts = {name: _part(targets.get(target, "")) for name, target, _ in found}
        return {name: part for name, part in parts.items() if part in names and "worksheets" in part}, old_epoch[0]

    def _date_styles(self) -> set[str]:
        """The numbers of the cell styles that show a date, as they stand in the cells."""
        codes: dict[int, str] = {}
        styles: list[bool] = []
        inside = [False]

        def begin(name: str, told: dict[str, str]) -> None:
            name = name.rpartition(":")[2]
            if name == "numFmt":
                codes[int(told["numFmtId"])] = told.get("formatCode", "")
            elif name in {"cellXfs", "cellStyleXfs"}:
                inside[0] = name == "cellXfs"
            elif name == "xf" and inside[0]:
                number = int(told.get("numFmtId", 0))
                styles.append(number in _DATE_FORMATS or _shows_date(codes.get(number, "")))

        if "xl/styles.xml" in self._zip.namelist():
            self._read("xl/styles.xml", begin)
        return {str(number) for number, is_date in enumerate(styles) if is_date}

    def _read(self, name: str, begin: Any) -> None:
        parser = _parser()
        parser.StartElementHandler = begin
        with self._zip.open(name) as part:
            for _ in _parse(part, parser):
                pass

    def _read_strings(self) -> Iterator[list[str]]:
        if "xl/sharedStrings.xml" not in self._zip.namelist():
            return
        reader = _StringReader()
        with self._zip.open("xl/sharedStrings.xml") as part:
            for _ in _parse(part, reader.parser):
                yield reader.taken()
        yield reader.taken()


class _StringReader:
    """Collects the shared strings; the runs of a formatted one are one string, its phonetic hints are not."""

    def __init__(self) -> None:
        self.parser = _parser()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._begin, self._end
        self._done: list[str] = []
        self._text: list[str] = []
        self._spoken = False

    def taken(self) -> list[str]:
        done, self._done = self._done, []
        return done

    def _begin(self, name: str, _: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "si":
            self._text, self._spoken = [], False
        elif name == "t" and not self._spoken:
            self.parser.CharacterDataHandler = self._text.append
        elif name == "rPh":
            self._spoken = True

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "t":
            self.parser.CharacterDataHandler = None
        elif name == "rPh":
            self._spoken = False
        elif name == "si":
            self._done.append("".join(self._text))


class _SheetReader:
    """Collects rows while the parser runs over a sheet."""

    def __init__(self, book: Xlsx) -> None:
        self.parser = _parser()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._begin, self._end
        self._value = book.value
        self._done: list[Row] = []
        self._columns: dict[str, int] = {}
        self._number, self._cells = 0, list[Cell]()
        self._kind, self._style, self._at = "n", "0", -1
        self._text: list[str] = []
        self.parser.CharacterDataHandler = self._text.append

    def taken(self) -> list[Row]:
        done, self._done = self._done, []
        return done

    # Called for every tag of the sheet, millions of times: plain tests of what was looked up once.
    def _begin(self, name: str, told: dict[str, str]) -> None:
        tag = _TAGS.get(name)
        if tag == "c":
            self._kind, self._style = told.get("t", "n"), told.get("s", "0")
            place = told.get("r")
            self._at = self._column(place) if place else self._at + 1
            if self._text:
                self._text.clear()
        elif tag is None:
            self._learn(name, told)
        elif tag == "row":
            self._number = int(told["r"]) if "r" in told else self._number + 1
            self._cells, self._at = [], -1

    def _end(self, name: str) -> None:
        tag = _TAGS[name]
        if tag == "c":
            text = self._text
            if text and self._at < MOST_COLUMNS:
                cells = self._cells
                if self._at >= len(cells):
                    cells.extend([None] * (self._at + 1 - len(cells)))
                cells[self._at] = self._value(self._kind, self._style, text[0] if len(text) == 1 else "".join(text))
                text.clear()
        elif tag == "f":
            self._text.clear()  # a formula: its last result follows
        elif tag == "row" and self._cells:
            self._done.append((self._number, self._cells))

    def _learn(self, name: str, told: dict[str, str]) -> None:
        """A tag seen for the first time, perhaps with the prefix of a namespace."""
        bare = name.rpartition(":")[2]
        _TAGS[name] = bare if bare in {"c", "row", "f"} else "f" if bare == "rPh" else ""
        if _TAGS[name]:
            self._begin(name, told)

    def _column(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        if letters not in self._columns:
            self._columns[letters] = column_index(letters)
        return self._columns[letters]


def column_index(letters: str) -> int:
    """ "A" is 0, "AA" is 26."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def column_letters(index: int) -> str:
    """The other way round."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def _no_doctype(*_: object) -> None:
    # A workbook has none; what a document type can do (entities that grow, files that are drawn in) is not wanted.
    raise ValueError("document type in a workbook")


def _parse(part: IO[bytes], parser: expat.XMLParserType) -> Iterator[None]:
    """Feed the parser piece by piece; what it found meanwhile can be taken after each."""
    while piece := part.read(PIECE):
        parser.Parse(piece, False)
        yield
    parser.Parse(b"", True)


def _part(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _shows_date(code: str) -> bool:
    return bool(set(_QUOTED.sub("", code).lower()) & set("dy")) or "mmm" in code.lower()


def _moment(number: float, old_epoch: bool) -> Cell:
    """Days since the epoch as a time; Excel believes in a 29 February 1900."""
    if not 1 <= number < 2_958_466:
        return number
    start = datetime(1904, 1, 1) if old_epoch else datetime(1899, 12, 31) if number < 60 else datetime(1899, 12, 30)  # noqa: DTZ001 - a day on a sheet has no zone
    return start + timedelta(days=number)
