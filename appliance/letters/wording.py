"""One document of the office as data: its wording, layout, numbering and what is asked for it; and the check of all that. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from appliance.letters import markup, numbering, placeholders
from appliance.letters.markup import Block

PAPERS = {"A4": "A4 (210 x 297 mm)", "F4": "F4/Folio (215 x 330 mm)"}
LAYOUTS = {"surat": "Surat dengan tujuan (Nomor, Sifat, Lampiran, Hal)", "keterangan": "Judul di tengah dengan nomor"}
CODE = re.compile(r"[a-z][a-z0-9-]{1,39}")
SERIES = re.compile(r"[a-z0-9]{1,10}")
QUESTION = re.compile(r"[a-z][a-z0-9_]{0,19}")
LONGEST_VALIDITY = 3650
# The question whose answer are the numbers of the cases that a letter lists.
CASE_LIST = "daftar_kasus"
_LIMITS = {"name": 160, "title": 160, "classification": 20, "nature": 40, "attachment": 60, "addressee": 500}


@dataclass(frozen=True)
class Purpose:
    """What a letter is for, and how many days it is good for that; 0 is without an end."""

    name: str
    days: int = 0


@dataclass(frozen=True)
class Question:
    """Something the drafter fills in; the wording names it {isian.code}."""

    code: str
    label: str
    required: bool = False


@dataclass(frozen=True)
class Wording:
    """One version of one document. Version 0 is the one that comes with the program."""

    code: str
    name: str
    kind: str
    title: str
    body: str
    layout: str = "surat"
    paper: str = "F4"
    classification: str = "400.9"
    series: str = "umum"
    pattern: str = numbering.USUAL
    nature: str = "Biasa"
    attachment: str = "-"
    addressee: str = ""
    copies: tuple[str, ...] = ()
    purposes: tuple[Purpose, ...] = ()
    questions: tuple[Question, ...] = ()
    active: bool = True
    version: int = 0

    @property
    def numbered(self) -> bool:
        """Whether it is a letter, with a life and a number, and no paper that is simply printed."""
        return self.kind not in placeholders.UNNUMBERED

    @property
    def collective(self) -> bool:
        """Whether one letter lists several cases."""
        return any(question.code == CASE_LIST for question in self.questions)

    def known(self) -> markup.Known:
        """What its text may name."""
        return placeholders.known_to(self.kind, tuple(question.code for question in self.questions))

    def blocks(self) -> tuple[Block, ...]:
        """The text as blocks. Raises ValueError for one that `problems_of` refuses."""
        blocks, problems = markup.read(self.body, self.known())
        if problems:
            raise ValueError(f"{self.code}: {problems[0].line}: {problems[0].text}")
        return blocks

    def days_for(self, purpose: str) -> int:
        """How long it is good for a purpose; 0 is without an end."""
        return next((known.days for known in self.purposes if known.name == purpose), 0)


def to_data(wording: Wording) -> dict[str, Any]:
    """The wording as plain values, without code and version."""
    return {name: value for name, value in asdict(wording).items() if name not in ("code", "version")}


def from_data(code: str, version: int, data: Mapping[str, Any]) -> Wording:
    """The wording that `to_data` or a file of ours described."""
    plain = {name: value for name, value in data.items() if name not in ("copies", "purposes", "questions")}
    return Wording(
        code=code,
        version=version,
        copies=tuple(data.get("copies", ())),
        purposes=tuple(Purpose(**one) for one in data.get("purposes", ())),
        questions=tuple(Question(**one) for one in data.get("questions", ())),
        **plain,
    )


def read_purposes(typed: str) -> tuple[Purpose, ...]:
    """Lines such as "KIP Kuliah = 90". Raises ValueError with the sentence for the first wrong one."""
    found = []
    for number, line in enumerate(_lines(typed), start=1):
        name, _, days = (part.strip() for part in line.partition("="))
        if not name or (days and not days.isdecimal()) or int(days or 0) > LONGEST_VALIDITY:
            raise ValueError(f"Baris {number}: tulis “keperluan = lama berlaku dalam hari”, contoh KIP Kuliah = 90.")
        found.append(Purpose(name[:160], int(days or 0)))
    return tuple(found)


def read_questions(typed: str) -> tuple[Question, ...]:
    """Lines such as "alasan* = Alasan penolakan"; the star is for what must be filled. Raises ValueError like `read_purposes`."""
    found: dict[str, Question] = {}
    for number, line in enumerate(_lines(typed), start=1):
        code, _, label = (part.strip() for part in line.partition("="))
        bare = code.removesuffix("*")
        if not QUESTION.fullmatch(bare) or not label or bare in found:
            raise ValueError(
                f"Baris {number}: tulis “kode = pertanyaan”, kode huruf kecil dan tidak berulang, contoh alasan* = Alasan."
            )
        found[bare] = Question(bare, label[:160], code.endswith("*"))
    return tuple(found.values())


def purposes_text(wording: Wording) -> str:
    """The purposes as `read_purposes` reads them."""
    return "\n".join(f"{purpose.name} = {purpose.days}" for purpose in wording.purposes)


def questions_text(wording: Wording) -> str:
    """The questions as `read_questions` reads them."""
    return "\n".join(f"{one.code}{'*' if one.required else ''} = {one.label}" for one in wording.questions)


def problems_of(wording: Wording) -> dict[str, str]:
    """Everything that keeps a wording from being stored; the text's own problems each with its line."""
    if wording.kind not in placeholders.KINDS:
        return {"kind": "Pilih jenis dokumen."}
    problems = _field_problems(wording) | _number_problems(wording)
    known = wording.known()
    for name, lines in (("title", [wording.title]), ("addressee", [wording.addressee]), ("copies", list(wording.copies))):
        wrong = [text for line in lines for text in markup.problems_of_line(line, known)]
        if wrong:
            problems[name] = wrong[0]
    _, wrong_lines = markup.read(wording.body, known)
    if not wording.body.strip():
        problems["body"] = "Isi naskah wajib ditulis."
    elif wrong_lines:
        problems["body"] = " ".join(f"Baris {one.line}: {one.text}" for one in wrong_lines[:10])
    return problems


def _field_problems(wording: Wording) -> dict[str, str]:
    problems = {
        name: f"Terlalu panjang; paling banyak {most} huruf."
        for name, most in _LIMITS.items()
        if len(getattr(wording, name)) > most
    }
    if not CODE.fullmatch(wording.code):
        problems["code"] = "Kode: huruf kecil, angka, dan tanda hubung, 2 sampai 40 huruf."
    for name, sentence in (("name", "Nama dokumen wajib ditulis."), ("title", "Judul atau hal wajib ditulis.")):
        if not getattr(wording, name).strip():
            problems[name] = sentence
    if wording.paper not in PAPERS:
        problems["paper"] = "Pilih ukuran kertas."
    if wording.layout not in LAYOUTS:
        problems["layout"] = "Pilih susunan."
    return problems


def _number_problems(wording: Wording) -> dict[str, str]:
    if not wording.numbered:
        return {}
    problems = {}
    wrong = numbering.problem_of(wording.pattern)
    if wrong:
        problems["pattern"] = wrong
    if not SERIES.fullmatch(wording.series):
        problems["series"] = "Seri: huruf kecil dan angka, paling banyak 10, contoh umum."
    return problems


def _lines(typed: str) -> list[str]:
    return [line.strip() for line in typed.splitlines() if line.strip()]
