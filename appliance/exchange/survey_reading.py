"""Reads the answers to a survey out of the cells of a row, and says of each that cannot be taken why.

Pure. What is understood is kept and the rest is told: a wrong answer never costs the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from appliance.exchange.checking import Finding, clean, masked
from appliance.exchange.formats import Layout, plain
from appliance.exchange.formats.answers import SPELLED
from appliance.exchange.mapping import cell_at
from appliance.exchange.xlsx import Cell, column_letters
from appliance.registry.instruments import Answers, Instrument, Kind, Question, check_answers, instrument

NOT_KEPT = "Jawaban ini tidak disimpan; jawaban lain tetap. Perbaiki di berkasnya, atau isi formulirnya di halaman warga."
HEALTH_NOT_KEPT = "Jawaban kesehatan tidak disimpan: peran Anda tidak berhak mencatatnya di desa ini."
# A cell that says nothing was answered; zero does too where it is no answer of the list.
_EMPTY = frozenset({"", "-", "--", "n/a", "null", "none", "#n/a"})
_THOUSANDS = re.compile(r"\d{1,3}(\.\d{3})+|\d+")


@dataclass
class Filled:
    """The answers of one row to one blank. `findings` are about its cells."""

    blank: Instrument
    answers: Answers
    findings: list[Finding] = field(default_factory=list)


class SurveyReader:
    """The columns of one file that answer questions."""

    def __init__(self, layout: Layout, mapping: Mapping[str, int]) -> None:
        blanks = (instrument(code, version) for code, version in layout.blanks)
        columns = ((blank, _columns(blank, mapping)) for blank in blanks)
        self._blanks = [(blank, found) for blank, found in columns if found]

    @property
    def asked(self) -> int:
        """How many questions have a column."""
        return sum(len(columns) for _, columns in self._blanks)

    def read(self, number: int, cells: Sequence[Cell], *, health: bool) -> list[Filled]:
        """What the row answers, for each blank to which it answers anything. Without `health` those questions are left out."""
        filled = (_fill(blank, columns, number, cells, health) for blank, columns in self._blanks)
        return [one for one in filled if one.answers or one.findings]


def _columns(blank: Instrument, mapping: Mapping[str, int]) -> dict[str, int]:
    keys = ((question.code, f"{blank.code}.{question.code}") for question in blank.questions())
    return {code: mapping[key] for code, key in keys if key in mapping}


def _fill(blank: Instrument, columns: Mapping[str, int], number: int, cells: Sequence[Cell], health: bool) -> Filled:
    seen = blank if health else blank.without_health()
    given = {question.code: cell_at(cells, columns.get(question.code)) for question in seen.questions()}
    typed = {question.code: _typed(question, given[question.code], blank.code) for question in seen.questions()}
    answers, problems = check_answers(seen, typed)
    filled = Filled(blank, {code: answer for code, answer in answers.items() if code not in problems})
    for question in seen.questions():
        problem = problems.get(question.code)
        if problem and answers.get(question.code) != 0:  # a zero where nothing was asked is no contradiction
            place = f"{column_letters(columns[question.code])}{number}"
            shown = "" if question.health else masked(clean(given[question.code]))
            filled.findings.append(Finding(place, shown, f"Pertanyaan {question.code}: {problem}", NOT_KEPT))
    hidden = [question.code for question in blank.questions() if question.health] if not health else []
    if any(_typed_anything(cell_at(cells, columns.get(code))) for code in hidden):
        filled.findings.append(Finding(f"baris {number}", "", HEALTH_NOT_KEPT, "Minta BO atau supervisor mengimpornya."))
    return filled


def _typed_anything(cell: Cell) -> bool:
    return clean(cell).lower() not in _EMPTY if cell is not None else False


def _typed(question: Question, cell: Cell, blank: str) -> tuple[str, ...]:
    """What would have been typed into the form of the blank."""
    if cell is None:
        return ()
    text = clean(cell)
    if text.lower() in _EMPTY:
        return ()
    if question.kind is Kind.SEVERAL:
        return _several(question, text)
    if question.kind is Kind.ONE:
        code = _code_of(question, text, SPELLED.get(blank, {}))
        return () if code == "0" and code not in question.options else (code,)
    if question.kind in {Kind.NUMBER, Kind.MONEY}:
        # "36.5" must not become 365, which is what a point means in the form
        return (text if _THOUSANDS.fullmatch(text) and not isinstance(cell, float) else f"{text} ?",)
    return (text,)


def _code_of(question: Question, text: str, spelled: Mapping[str, str]) -> str:
    """The code that a cell means: the code, also with a zero before it, its words, or both; what is not known stays as it is."""
    number = text.lstrip("0") or "0" if text.isdigit() else text
    if number in question.options:
        return number
    if question.options.keys() == {"1", "2"} and number in spelled:
        return spelled[number]
    words = plain(text)
    return next((code for code, label in question.options.items() if words in {plain(label), plain(code + label)}), number)


def _several(question: Question, text: str) -> tuple[str, ...]:
    """Several codes in one cell: a list of them, or their sum where the blank adds them up."""
    whole = _code_of(question, text, {})
    if whole in question.options:
        return (whole,)
    if whole.isdigit() and _adds_up(question):
        parts = tuple(code for code in question.options if code.isdigit() and int(code) and int(code) & int(whole) == int(code))
        parts = tuple(code for code in parts if int(code).bit_count() == 1)
        return parts if sum(map(int, parts)) == int(whole) else (whole,)
    return tuple(_code_of(question, part.strip(), {}) for part in re.split(r"[,;/+]", text) if part.strip())


def _adds_up(question: Question) -> bool:
    """Whether the codes are powers of two, but for those that exclude all others."""
    codes = [int(code) for code in question.options if code.isdigit() and code not in question.alone]
    return len(codes) > 1 and all(code.bit_count() == 1 for code in codes)
