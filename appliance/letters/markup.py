"""The small language in which the office writes its papers: read into blocks, or refused with each line and reason. Pure.

A line says by its beginning what it is; there is nothing to run, so that a wording can do no harm:

    # Heading              Label :: value         - point        1. point        > in a box
    **bold**               {warga.nama}           [jika data.desil] … [lainnya] … [selesai]
    [halaman baru]         [garis potong]         [isian 3]      [tanda tangan Pemohon | Ketua RT]
    [tabel riwayat]        [daftar hadir 20]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

LONGEST = 20_000
MOST_BLANKS = 60
_FIELD = re.compile(r"\{([^{}\n]*)\}")
_COMMANDS = ("jika", "lainnya", "selesai", "halaman baru", "garis potong", "isian", "tanda tangan", "tabel", "daftar hadir")


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Box:
    text: str


@dataclass(frozen=True)
class Rows:
    """Labels with values, the colons below each other."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Points:
    points: tuple[str, ...]
    numbered: bool


@dataclass(frozen=True)
class PageBreak:
    pass


@dataclass(frozen=True)
class CutLine:
    pass


@dataclass(frozen=True)
class Blanks:
    """Dotted lines to write on."""

    lines: int


@dataclass(frozen=True)
class Signatures:
    """Who signs, side by side."""

    people: tuple[str, ...]


@dataclass(frozen=True)
class TableOf:
    """A table that the system fills."""

    name: str


@dataclass(frozen=True)
class Attendance:
    """Empty numbered rows with room for a name, an address and a signature."""

    rows: int


@dataclass(frozen=True)
class Condition:
    """`then` where the field has a value, `otherwise` where it has none."""

    name: str
    then: tuple[Block, ...]
    otherwise: tuple[Block, ...]


Block = Paragraph | Heading | Box | Rows | Points | PageBreak | CutLine | Blanks | Signatures | TableOf | Attendance | Condition


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `line` counts from 1."""

    line: int
    text: str


@dataclass(frozen=True)
class Known:
    """What a wording may name: fields and tables."""

    fields: Collection[str]
    tables: Collection[str]


@dataclass
class _Branch:
    """An open [jika]: where it began, and the blocks of the part that is being read."""

    line: int
    name: str
    then: list[Block] = field(default_factory=list)
    otherwise: list[Block] | None = None

    @property
    def current(self) -> list[Block]:
        return self.then if self.otherwise is None else self.otherwise


def read(text: str, known: Known) -> tuple[tuple[Block, ...], tuple[Problem, ...]]:
    """The blocks of a wording, and everything that is wrong with it, in the order of the lines."""
    return _Reader(known).read(text)


def problems_of_line(text: str, known: Known) -> tuple[str, ...]:
    """What is wrong with the fields of one short text, such as an addressee."""
    return tuple(_field_problems(text, known))


def filled(text: str, values: Mapping[str, str], shown: Callable[[str], str] = str) -> str:
    """The text with its fields replaced by what `shown` makes of their values; a field without a value becomes nothing."""
    return _FIELD.sub(lambda found: shown(values.get(found[1].strip(), "")), text)


def only_field(text: str) -> str | None:
    """The name of the field when the text is nothing but one."""
    found = _FIELD.fullmatch(text.strip())
    return found[1].strip() if found else None


class _Reader:
    """Reads line by line. `_held` are lines of one kind that belong together."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._problems: list[Problem] = []
        self._top: list[Block] = []
        self._open: list[_Branch] = []
        self._kind, self._held = "", list[str]()

    def read(self, text: str) -> tuple[tuple[Block, ...], tuple[Problem, ...]]:
        """Read the whole text."""
        if len(text) > LONGEST:
            return (), (Problem(1, f"Naskah terlalu panjang; paling banyak {LONGEST} huruf."),)
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
            self._line(number, line.strip())
        self._close_held()
        self._problems += [Problem(branch.line, "[jika …] tidak ditutup dengan [selesai].") for branch in self._open]
        return tuple(self._top), tuple(sorted(self._problems, key=lambda problem: problem.line))

    def _line(self, number: int, line: str) -> None:
        for problem in _field_problems(line, self._known):
            self._wrong(number, problem)
        if line.count("**") % 2:
            self._wrong(number, "Tanda ** untuk huruf tebal tidak berpasangan dalam baris ini.")
        if line.startswith("["):
            self._close_held()
            self._command(number, line)
            return
        kind, content = _kind_of(line)
        if kind != self._kind:
            self._close_held()
            self._kind = kind
        if kind:
            self._held.append(content)

    def _add(self, block: Block) -> None:
        (self._open[-1].current if self._open else self._top).append(block)

    def _wrong(self, number: int, text: str) -> None:
        self._problems.append(Problem(number, text))

    def _close_held(self) -> None:
        if self._held:
            self._add(_block_of(self._kind, self._held))
        self._kind, self._held = "", []

    def _command(self, number: int, line: str) -> None:
        name, rest = _named(line[1:-1].strip()) if line.endswith("]") else ("", "")
        if not name:
            commands = ", ".join(f"[{one}]" for one in _COMMANDS)
            self._wrong(number, f"Perintah {line[:40]} tidak dikenal. Yang ada: {commands}.")
        elif name in ("jika", "lainnya", "selesai"):
            self._branch(number, name, rest)
        else:
            self._simple(number, name, rest)

    def _branch(self, number: int, name: str, rest: str) -> None:
        if name == "jika":
            if rest not in self._known.fields:
                self._wrong(number, f"Isian “{rest}” sesudah [jika …] tidak dikenal.")
            self._open.append(_Branch(number, rest))
        elif not self._open:
            self._wrong(number, f"[{name}] tanpa [jika …] sebelumnya.")
        elif name == "lainnya":
            if self._open[-1].otherwise is not None:
                self._wrong(number, "[lainnya] hanya boleh satu kali dalam satu [jika …].")
            self._open[-1].otherwise = []
        else:
            ended = self._open.pop()
            self._add(Condition(ended.name, tuple(ended.then), tuple(ended.otherwise or ())))

    def _simple(self, number: int, name: str, rest: str) -> None:
        if name in ("isian", "daftar hadir"):
            if not rest.isdecimal() or not 1 <= int(rest) <= MOST_BLANKS:
                self._wrong(number, f"Sesudah [{name}] tulis angka 1 sampai {MOST_BLANKS}.")
            else:
                self._add(Blanks(int(rest)) if name == "isian" else Attendance(int(rest)))
        elif name == "tanda tangan":
            people = tuple(" ".join(person.split()) for person in rest.split("|") if person.strip())
            if not 1 <= len(people) <= 3:
                self._wrong(number, "Sesudah [tanda tangan] tulis satu sampai tiga pihak, dipisah tanda |.")
            else:
                self._add(Signatures(people))
        elif name == "tabel":
            if rest not in self._known.tables:
                self._wrong(number, f"Tabel “{rest}” tidak dikenal. Yang ada: {', '.join(sorted(self._known.tables))}.")
            self._add(TableOf(rest))
        else:
            self._add(PageBreak() if name == "halaman baru" else CutLine())


def _named(inside: str) -> tuple[str, str]:
    """The command and what follows it."""
    for name in _COMMANDS:
        if inside == name or inside.startswith(f"{name} "):
            return name, inside[len(name) :].strip()
    return "", ""


def _kind_of(line: str) -> tuple[str, str]:
    """What a line is by its beginning, and its content. The empty line ends whatever was held."""
    if not line:
        return "", ""
    for mark, kind in (("# ", "heading"), ("> ", "box"), ("- ", "points")):
        if line.startswith(mark):
            return kind, line[len(mark) :].strip()
    if "::" in line:
        return "rows", line
    numbered = re.fullmatch(r"\d{1,2}\.\s+(.*)", line)
    return ("numbered", numbered[1]) if numbered else ("text", line)


def _block_of(kind: str, held: list[str]) -> Block:
    if kind == "rows":
        pairs = (line.partition("::") for line in held)
        return Rows(tuple((label.strip(), value.strip()) for label, _, value in pairs))
    if kind in ("points", "numbered"):
        return Points(tuple(held), numbered=kind == "numbered")
    joined = "\n".join(held)
    if kind == "heading":
        return Heading(joined)
    return Box(joined) if kind == "box" else Paragraph(joined)


def _field_problems(line: str, known: Known) -> Iterator[str]:
    for name in _FIELD.findall(line):
        if name.strip() not in known.fields:
            yield f"Isian {{{name}}} tidak dikenal. Pilih dari daftar isian di bawah naskah."
    rest = _FIELD.sub("", line)
    if "{" in rest or "}" in rest:
        yield "Kurung kurawal { } tidak berpasangan."
