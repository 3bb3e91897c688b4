"""A paper before it is printed: all that it shows as plain values, and the HTML made of them.

The same sheet gives the same HTML for ever: nothing is read from the database or the clock here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from typing import Any

import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from appliance.casework.day_words import long_day
from appliance.letters.markup import filled
from appliance.letters.markup_html import Content, Grid, to_html
from appliance.letters.office import Head
from appliance.letters.wording import Wording, from_data, to_data
from appliance.models.letter import Signatory
from appliance.registry.file_store import content_path

FORM = 1  # of the frozen record: a later layout must still be able to print it
SIZES = {"A4": "210mm 297mm", "F4": "215mm 330mm"}
LOGO_MEDIA = "image/jpeg"


@dataclass(frozen=True)
class Signer:
    """The official as the paper names her."""

    name: str = ""
    position: str = ""
    rank: str = ""
    nip: str = ""
    on_behalf: str = ""
    by_order: str = ""


@dataclass(frozen=True)
class Sheet:
    """Everything but number and day of issue."""

    wording: Wording
    head: Head
    signer: Signer
    content: Content
    addressee: str = ""


@dataclass(frozen=True)
class Issue:
    """What the issue adds. Before it, the paper shows dotted lines in the place of the number, and no code."""

    number: str = ""
    day: date | None = None
    valid_until: date | None = None
    check_code: str = ""


def signer_of(signatory: Signatory | None) -> Signer:
    """The official's row as the paper names her."""
    if signatory is None:
        return Signer()
    return Signer(**{name: getattr(signatory, name) for name in Signer.__dataclass_fields__})


def freeze(sheet: Sheet) -> dict[str, Any]:
    """The sheet as plain values for the database."""
    return {
        "form": FORM,
        "wording": {"code": sheet.wording.code, "version": sheet.wording.version, **to_data(sheet.wording)},
        "head": asdict(sheet.head),
        "signer": asdict(sheet.signer),
        "values": dict(sheet.content.values),
        "tables": {name: asdict(grid) for name, grid in sheet.content.tables.items()},
        "addressee": sheet.addressee,
    }


def thaw(frozen: Mapping[str, Any]) -> Sheet:
    """What `freeze` stored."""
    known = dict(frozen["wording"])
    code, version = known.pop("code"), known.pop("version")
    tables = {
        name: Grid(tuple(grid["headings"]), tuple(tuple(row) for row in grid["rows"]), grid["empty"])
        for name, grid in frozen["tables"].items()
    }
    return Sheet(
        wording=from_data(code, version, known),
        head=Head(**frozen["head"]),
        signer=Signer(**frozen["signer"]),
        content=Content(frozen["values"], tables),
        addressee=frozen["addressee"],
    )


def to_page(sheet: Sheet, issue: Issue, mark: str = "") -> str:
    """The whole paper as HTML; `mark` is printed across it (DRAF, CONTOH)."""
    values = dict(sheet.content.values) | {
        "surat.nomor": issue.number or "." * 30,
        "surat.tanggal": long_day(issue.day) if issue.day else "." * 20,
        "surat.berlaku": long_day(issue.valid_until) if issue.valid_until else "",
    }
    wording = sheet.wording
    logos = {side: picture_uri(getattr(sheet.head, side)) for side in ("logo_left", "logo_right")}
    body = to_html(wording.blocks(), Content(values, sheet.content.tables))
    template = frames().get_template("letter.html")
    return template.render(
        wording=wording,
        size=SIZES[wording.paper],
        title=filled(wording.title, values),
        head=sheet.head,
        logos=logos,
        signer=sheet.signer,
        addressee=[line for line in filled(sheet.addressee, values).splitlines() if line.strip()],
        copies=[filled(line, values) for line in wording.copies],
        body=Markup(body),  # noqa: S704  escaped in markup_html
        number=values["surat.nomor"],
        day=values["surat.tanggal"],
        valid_until=values["surat.berlaku"],
        check=check_of(sheet.head, issue.check_code),
        mark=mark,
    )


def check_of(head: Head, code: str) -> dict[str, str]:
    """What stands beside the signature for whoever doubts the paper; empty before the issue."""
    if not code:
        return {}
    address = f"{head.check_address.rstrip('/')}/periksa"
    return {"address": address.partition("://")[2], "code": spaced_code(code), "qr": qr_uri(f"{address}/{code}")}


def spaced_code(code: str) -> str:
    """K7QM-2XRD-9TWF-PB3H: the code as people read it to each other."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def qr_uri(text: str) -> str:
    """A QR code as a data address that needs no file."""
    return str(segno.make(text, error="m", micro=False).svg_data_uri(border=2, scale=3))


def picture_uri(sha256: str) -> str:
    """A stored picture as a data address; "" for none."""
    if not sha256:
        return ""
    return f"data:{LOGO_MEDIA};base64,{base64.b64encode(content_path(sha256).read_bytes()).decode()}"


@cache
def frames() -> Environment:
    """The frames around the texts: our own templates, not the office's."""
    loader = PackageLoader("appliance.letters", "frames")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
