"""Which column is which: finds the row of headings, recognises a layout, and proposes a field for each column.

Pure. A layout that was mapped by hand once is known again by its signature.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from appliance.exchange.checking import masked, shown_text
from appliance.exchange.formats import LAYOUTS, Field, Kind, Layout, plain
from appliance.exchange.xlsx import Cell, Row

ROWS_TO_LOOK_AT = 30
FEWEST_HEADINGS = 3
FEWEST_ANSWERS = 3
ALIKE = 88
# By which a row tells whose household it is.
HOME_KEYS = frozenset({"kk", "outside_id"})


@dataclass(frozen=True)
class Heading:
    """One column as the officer sees it: its letter is that of the sheet, `samples` are the first values below."""

    index: int
    text: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Recognised:
    """A sheet as it was understood. `sure`: the layout is one of the known ones; else a person should look."""

    layout: str
    header_row: int
    mapping: dict[str, int]
    signature: str
    sure: bool


def recognise(rows: Sequence[Row]) -> Recognised | None:
    """The best reading of the first rows of a sheet; None when no row looks like headings."""
    best: tuple[int, Recognised] | None = None
    for number, cells in rows[:ROWS_TO_LOOK_AT]:
        headings = [plain(cell) if isinstance(cell, str) else "" for cell in cells]
        if sum(map(bool, headings)) < FEWEST_HEADINGS:
            continue
        found = _read_as(headings, number)
        merit = len(found.mapping) + (100 if found.sure else 0)
        if best is None or merit > best[0]:
            best = merit, found
    return best[1] if best else None


def _read_as(headings: list[str], number: int) -> Recognised:
    signature = signature_of(headings)
    if homes := _read_as_homes(headings):
        layout, mapping = homes
        return Recognised(layout.key, number, mapping, signature, sure=True)
    for layout in LAYOUTS.values():
        mapping = propose(headings, layout)
        if layout.marks and all(mark[1:] in mapping if mark.startswith("=") else mark in headings for mark in layout.marks):
            return Recognised(layout.key, number, mapping, signature, sure=bool({"nik", "name"} <= set(mapping)))
    general = list(LAYOUTS.values())[-1]
    return Recognised(general.key, number, propose(headings, general), signature, sure=False)


def _read_as_homes(headings: list[str]) -> tuple[Layout, dict[str, int]] | None:
    """The households' sheet of a survey: a card or the survey's number, answers, and nobody by name or NIK.

    The survey that answers most questions; none when two answer as many, for the same number is another question in each.
    """
    general = propose(headings, list(LAYOUTS.values())[-1])
    readings = [(layout, propose(headings, layout)) for layout in LAYOUTS.values() if layout.households]
    if not HOME_KEYS & readings[0][1].keys() or {"nik", "name"} & general.keys():
        return None
    second, best = sorted(readings, key=lambda reading: len(reading[1]))[-2:]
    return best if len(best[1]) > max(FEWEST_ANSWERS, len(second[1])) else None


def propose(headings: Sequence[str], layout: Layout) -> dict[str, int]:
    """For each field the column that bears one of its names, or one very much like them. A column serves one field."""
    mapping: dict[str, int] = {}
    taken: set[int] = set()
    for alike in (False, True):
        for field in layout.fields:
            if field.key in mapping or field.kind is Kind.ANSWER:
                continue
            index = _column_for(field.names, headings, taken, alike)
            if index is not None:
                mapping[field.key] = index
                taken.add(index)
    return mapping | _answers(headings, layout)


def _answers(headings: Sequence[str], layout: Layout) -> dict[str, int]:
    """The columns that answer the questions of a survey. They may tell of the person too, such as her relation."""
    mapping: dict[str, int] = {}
    taken: set[int] = set()
    for field in layout.fields:
        if field.kind is not Kind.ANSWER:
            continue
        index = _column_for(field.names, headings, taken, alike=False)
        if index is None:
            index = next((at for at, heading in enumerate(headings) if at not in taken and _asks(heading, field)), None)
        if index is not None:
            mapping[field.key] = index
            taken.add(index)
    return mapping


def _asks(heading: str, field: Field) -> bool:
    """Whether a heading is the number and the words of a question ("301a. Status penguasaan bangunan")."""
    code = field.key.rpartition(".")[2]
    return heading.startswith(code) and fuzz.ratio(heading, plain(field.label)) >= ALIKE


def _column_for(names: tuple[str, ...], headings: Sequence[str], taken: set[int], alike: bool) -> int | None:
    for name in names:
        for index, heading in enumerate(headings):
            if index in taken or not heading:
                continue
            if heading == name or (alike and len(name) > 4 and fuzz.ratio(heading, name) >= ALIKE):
                return index
    return None


def signature_of(headings: Sequence[str]) -> str:
    """The same for all files with these headings in this order."""
    return hashlib.sha256("\n".join(map(plain, headings)).rstrip("\n").encode()).hexdigest()


def headings_of(rows: Sequence[Row], header_row: int, shown: int = 3) -> list[Heading]:
    """The columns below a row of headings, with a few values each."""
    header = next((cells for number, cells in rows if number == header_row), [])
    below = [cells for number, cells in rows if number > header_row][:shown]
    width = max((len(cells) for cells in [header, *below]), default=0)
    columns = []
    for index in range(width):
        samples = tuple(
            masked(shown_text(cells[index]))[:40] for cells in below if index < len(cells) and cells[index] is not None
        )
        text = str(header[index]).strip() if index < len(header) and header[index] is not None else ""
        if text or samples:
            columns.append(Heading(index, text, samples))
    return columns


def problems_of(mapping: Mapping[str, int], layout: Layout) -> dict[str, str]:
    """What is missing before the rows can be read."""
    if layout.households:
        return _problems_of_homes(mapping, layout)
    problems = {}
    if "name" not in mapping and not layout.only_known:
        problems["name"] = "Pilih kolom yang berisi nama."
    if "nik" not in mapping and "birth_date" not in mapping:
        problems["nik"] = "Pilih kolom NIK, atau sekurangnya kolom tanggal lahir: tanpa itu orangnya tidak dapat dikenali."
    return _problems_of_doubles(mapping, layout) | problems


def _problems_of_homes(mapping: Mapping[str, int], layout: Layout) -> dict[str, str]:
    problems = {}
    if not HOME_KEYS & mapping.keys():
        problems["kk"] = "Pilih kolom nomor KK, atau kolom nomor survei (IDBDT): dari situ keluarganya dikenali."
    if not layout.questions & mapping.keys():
        problems["layout"] = (
            "Tidak ada kolom jawaban yang dipasangkan. Pasangkan sekurangnya satu pertanyaan, atau pilih jenis berkas lain."
        )
    return _problems_of_doubles(mapping, layout) | problems


def _problems_of_doubles(mapping: Mapping[str, int], layout: Layout) -> dict[str, str]:
    twice = _doubled({key: index for key, index in mapping.items() if key not in layout.questions})
    twice |= _doubled({key: index for key, index in mapping.items() if key in layout.questions})
    return dict.fromkeys(twice, "Kolom ini dipilih untuk dua isian.")


def _doubled(mapping: Mapping[str, int]) -> set[str]:
    """The fields that are read from a column of another."""
    seen = Counter(mapping.values())
    return {key for key, index in mapping.items() if seen[index] > 1}


def cell_at(cells: Sequence[Cell], index: int | None) -> Cell:
    """The cell of a column; None beyond the end of the row."""
    return cells[index] if index is not None and index < len(cells) else None
