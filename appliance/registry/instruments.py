"""The blanks of surveys as definitions, and what is wrong with answers to one. The blanks are data files in `blanks/`.

A definition never changes once it was used: a new edition of a blank is a new file with the next version, and the old one
stays, for older answers are read by it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from appliance.errors import NotFound

Answers = dict[str, str | list[str] | int]
LONGEST_TEXT = 120
MOST_RUPIAH = 10_000_000_000


class Kind(StrEnum):
    """What is answered: one of a list, several of it, a whole number, Rupiah, or a line of text."""

    ONE = "pilihan"
    SEVERAL = "banyak"
    NUMBER = "angka"
    MONEY = "rupiah"
    TEXT = "teks"


@dataclass(frozen=True)
class Question:
    """One question. `most` is the highest number or the longest text; `alone` are options that exclude all others.

    `when` names another question and the answers to it with which this one is asked. `health`: for those with that right.
    """

    code: str
    label: str
    kind: Kind
    options: Mapping[str, str]
    unit: str = ""
    most: int | None = None
    alone: tuple[str, ...] = ()
    when: tuple[str, tuple[str, ...]] | None = None
    health: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the blank with its title."""

    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Instrument:
    """One blank in one version; `about` is "keluarga" or "orang"."""

    code: str
    version: int
    name: str
    about: str
    hint: str
    sections: tuple[Section, ...]

    def questions(self) -> Iterator[Question]:
        """All questions in the order of the blank."""
        for section in self.sections:
            yield from section.questions

    def without_health(self) -> Instrument:
        """The same for somebody who may not read about health."""
        seen = (replace(part, questions=tuple(one for one in part.questions if not one.health)) for part in self.sections)
        return replace(self, sections=tuple(part for part in seen if part.questions))


def instruments() -> tuple[Instrument, ...]:
    """The newest version of each blank, in the order of their names."""
    newest: dict[str, Instrument] = {}
    for blank in _all():
        if blank.code not in newest or newest[blank.code].version < blank.version:
            newest[blank.code] = blank
    return tuple(sorted(newest.values(), key=lambda blank: (blank.about, blank.name)))


def instrument(code: str, version: int | None = None) -> Instrument:
    """One blank; without a version the newest. Raises NotFound."""
    known = [blank for blank in _all() if blank.code == code and version in (None, blank.version)]
    if not known:
        raise NotFound("Formulir survei itu tidak ada.", "Pilih formulir dari daftar.")
    return max(known, key=lambda blank: blank.version)


def check_answers(blank: Instrument, typed: Mapping[str, Sequence[str]]) -> tuple[Answers, dict[str, str]]:
    """The answers as they are stored, and all problems by the code of the question. Empty answers are left out.

    Codes that the blank does not know are left out too: they were never asked.
    """
    answers: Answers = {}
    problems: dict[str, str] = {}
    for question in blank.questions():
        given = [text.strip() for text in typed.get(question.code, ()) if text.strip()]
        if not given:
            continue
        try:
            answers[question.code] = _READ[question.kind](question, given)
        except ValueError as error:
            problems[question.code] = str(error)
    for question in blank.questions():
        if question.code in answers and not _asked(question, answers):
            problems[question.code] = _not_asked(blank, question)
    return answers, problems


def read_out(question: Question, answer: str | list[str] | int | None) -> str:
    """An answer as a page shows it; "" for none. A code that the blank does not know is shown as it is."""
    if answer is None:
        return ""
    if isinstance(answer, list):
        return ", ".join(question.options.get(code, code) for code in answer)
    if isinstance(answer, int):
        shown = f"{answer:,}".replace(",", ".")
        return f"Rp{shown}" if question.kind is Kind.MONEY else f"{shown} {question.unit}".strip()
    return question.options.get(answer, answer)


def _asked(question: Question, answers: Answers) -> bool:
    if question.when is None:
        return True
    answer = answers.get(question.when[0])
    given = answer if isinstance(answer, list) else [str(answer)]
    return bool(set(given) & set(question.when[1]))


def _not_asked(blank: Instrument, question: Question) -> str:
    assert question.when is not None  # noqa: S101  only asked of those that have one
    other = next(one for one in blank.questions() if one.code == question.when[0])
    wanted = " atau ".join(f"“{other.options[code]}”" for code in question.when[1])
    return f"Hanya diisi bila {other.code}. {other.label} dijawab {wanted}; kosongkan, atau perbaiki jawaban itu."


def _one(question: Question, given: list[str]) -> str:
    if len(given) > 1 or given[0] not in question.options:
        raise ValueError("Pilih satu jawaban dari daftar.")
    return given[0]


def _several(question: Question, given: list[str]) -> list[str]:
    if not set(given) <= set(question.options):
        raise ValueError("Pilih jawaban dari daftar.")
    if len(set(given)) > 1 and set(given) & set(question.alone):
        alone = next(code for code in question.alone if code in given)
        raise ValueError(f"“{question.options[alone]}” tidak dapat dipilih bersama jawaban lain.")
    return [code for code in question.options if code in given]


def _number(question: Question, given: list[str]) -> int:
    most = question.most or MOST_RUPIAH
    digits = re.sub(r"[\s.]", "", re.sub(r"^rp", "", given[0], flags=re.IGNORECASE))
    if not re.fullmatch(r"[0-9]{1,12}", digits) or int(digits) > most:
        shown = f"{most:,}".replace(",", ".")
        raise ValueError(f"Tulis angka bulat, 0 sampai {shown}.")
    return int(digits)


def _text(question: Question, given: list[str]) -> str:
    most = question.most or LONGEST_TEXT
    if len(given[0]) > most:
        raise ValueError(f"Terlalu panjang; paling banyak {most} huruf.")
    return given[0]


_READ: dict[Kind, Callable[[Question, list[str]], str | list[str] | int]] = {
    Kind.ONE: _one,
    Kind.SEVERAL: _several,
    Kind.NUMBER: _number,
    Kind.MONEY: _number,
    Kind.TEXT: _text,
}


@cache
def _all() -> tuple[Instrument, ...]:
    folder = resources.files("appliance.registry").joinpath("blanks")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return tuple(_instrument(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files)


def _instrument(read: dict[str, Any]) -> Instrument:
    lists = read.get("lists", {})
    sections = tuple(Section(part["title"], tuple(_question(one, lists) for one in part["fields"])) for part in read["sections"])
    return Instrument(read["code"], read["version"], read["name"], read["about"], read.get("hint", ""), sections)


def _question(read: dict[str, Any], lists: dict[str, dict[str, str]]) -> Question:
    options = read.get("options", {})
    condition = next(iter(read.get("when", {}).items()), None)
    return Question(
        code=read["code"],
        label=read["label"],
        kind=Kind(read["kind"]),
        options=lists[options] if isinstance(options, str) else options,
        unit=read.get("unit", ""),
        most=read.get("most"),
        alone=tuple(read.get("alone", ())),
        when=(condition[0], tuple(condition[1])) if condition else None,
        health=read.get("health", False),
    )
