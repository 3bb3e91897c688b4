"""The blocks of a wording as HTML. Everything that comes from people or from the wording is escaped. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from html import escape

from appliance.letters.markup import (
    Attendance,
    Blanks,
    Block,
    Box,
    Condition,
    CutLine,
    Heading,
    PageBreak,
    Paragraph,
    Points,
    Rows,
    Signatures,
    TableOf,
    filled,
    only_field,
)

_BOLD = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True)
class Grid:
    """A table that the system fills. Without rows, `empty` is printed in its place."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "Tidak ada."


@dataclass(frozen=True)
class Content:
    """What the fields and tables of a wording are filled with."""

    values: Mapping[str, str]
    tables: Mapping[str, Grid]


def to_html(blocks: tuple[Block, ...], content: Content) -> str:
    """The whole text. Missing values are left out; a row whose value is missing shows a dash."""
    return "\n".join(_html(block, content) for block in blocks)


def inline(text: str, values: Mapping[str, str]) -> str:
    """One piece of text: fields filled, **bold** made, line ends kept."""
    shown = _BOLD.sub(r"<b>\1</b>", escape(text, quote=False)).replace("\n", "<br>")
    return filled(shown, values, lambda value: escape(value, quote=False).replace("\n", "<br>"))


@singledispatch
def _html(block: object, content: Content) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_html.register
def _(block: Paragraph, content: Content) -> str:
    return f"<p>{inline(block.text, content.values)}</p>"


@_html.register
def _(block: Heading, content: Content) -> str:
    return f"<h2>{inline(block.text, content.values)}</h2>"


@_html.register
def _(block: Box, content: Content) -> str:
    return f'<p class="box">{inline(block.text, content.values)}</p>'


@_html.register
def _(block: Rows, content: Content) -> str:
    return f'<table class="rows">{"".join(_row(label, value, content) for label, value in block.rows)}</table>'


def _row(label: str, value: str, content: Content) -> str:
    missing = only_field(value) is not None and not filled(value, content.values)
    shown = "-" if missing else inline(value, content.values)
    return f"<tr><td>{inline(label, content.values)}</td><td>:</td><td>{shown}</td></tr>"


@_html.register
def _(block: Points, content: Content) -> str:
    tag = "ol" if block.numbered else "ul"
    return f"<{tag}>{''.join(f'<li>{inline(point, content.values)}</li>' for point in block.points)}</{tag}>"


@_html.register
def _(block: PageBreak, content: Content) -> str:
    return '<div class="page-break"></div>'


@_html.register
def _(block: CutLine, content: Content) -> str:
    return '<p class="cut"><span>potong di sini</span></p>'


@_html.register
def _(block: Blanks, content: Content) -> str:
    return '<p class="blank"></p>' * block.lines


@_html.register
def _(block: Signatures, content: Content) -> str:
    people = [inline(person, content.values) for person in block.people]
    above = "".join(f"<td>{person},</td>" for person in people)
    below = "<td>(.................................................)</td>" * len(people)
    return f'<table class="signatures"><tr>{above}</tr><tr class="room"><td></td></tr><tr>{below}</tr></table>'


@_html.register
def _(block: TableOf, content: Content) -> str:
    grid = content.tables.get(block.name, Grid((), ()))
    if not grid.rows:
        return f"<p>{escape(grid.empty)}</p>"
    head = "".join(f"<th>{escape(heading)}</th>" for heading in ("No.", *grid.headings))
    body = "".join(_numbered_row(position, row) for position, row in enumerate(grid.rows, start=1))
    return f'<table class="grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _numbered_row(position: int, row: tuple[str, ...]) -> str:
    cells = "".join(f"<td>{escape(cell, quote=False)}</td>" for cell in row)
    return f'<tr><td class="position">{position}</td>{cells}</tr>'


@_html.register
def _(block: Attendance, content: Content) -> str:
    head = "<th>No.</th><th>Nama</th><th>Alamat/jabatan</th><th>Tanda tangan</th>"
    rows = "".join(
        f'<tr class="tall"><td class="position">{number}</td><td></td><td></td><td>{number}.</td></tr>'
        for number in range(1, block.rows + 1)
    )
    return f'<table class="grid attendance"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


@_html.register
def _(block: Condition, content: Content) -> str:
    chosen = block.then if content.values.get(block.name) else block.otherwise
    return to_html(chosen, content)
