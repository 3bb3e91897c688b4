"""Which contents below the attachments the tables name: what must be on the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from appliance.database import db, one_of
from appliance.errors import NotFound
from appliance.models.area import Area
from appliance.models.case import Case
from appliance.models.letter import Letter, Letterhead
from appliance.models.person import Family, Person, PersonFile
from appliance.models.proposal import ProposalBasis
from appliance.models.visit import CasePaper

LOGOS = ("logo_left", "logo_right")
NAMED: tuple[tuple[Any, ...], ...] = (
    (CasePaper.sha256, CasePaper.removed_at.is_(None)),
    (CasePaper.thumbnail, CasePaper.removed_at.is_(None)),
    (PersonFile.sha256, PersonFile.removed_at.is_(None)),
    (PersonFile.thumbnail, PersonFile.removed_at.is_(None)),
    (Letter.pdf,),
    (Letter.scan,),
    (ProposalBasis.scan,),
)
"""A column that holds hashes ("" for none), and which of its rows count."""


@dataclass(frozen=True)
class Named:
    """What a content is to whoever looks after the machine and reads no case: where it belongs and what kind of paper it is.

    `number` is that of the case, the letter or the basis of a proposal, of a resident's file the name of the village; `title` the
    requirement it answers, in the office's words. Of a confidential case the paper is not told, and nobody's name anywhere.
    """

    sort: str
    number: str = ""
    title: str = ""
    since: datetime | None = None


def names_of(hashes: Sequence[str]) -> dict[str, Named]:
    """What each of the contents is, as far as a row names it. Needs no scope, for it names nobody."""
    found: dict[str, Named] = {}
    for column, named in _namings():
        for sha256, *words in db.session.execute(named.where(one_of(column, list(hashes)))):
            found.setdefault(sha256, Named(*words))
    for content in db.session.scalars(sa.select(Letterhead.content)):
        found |= {content[side]: Named("kop") for side in LOGOS if content.get(side) in set(hashes)}
    return found


def _namings() -> Iterator[tuple[Any, sa.Select[*tuple[Any, ...]]]]:
    """For each column that holds hashes what is told of its row: sort, number, title, since when."""
    paper = sa.case((Case.confidential, ""), else_=CasePaper.requirement)
    home = sa.func.coalesce(Person.village_code, Family.village_code)
    for column in (CasePaper.sha256, CasePaper.thumbnail):
        told = sa.select(column, sa.literal("kasus"), Case.number, paper, CasePaper.created_at)
        yield column, told.join(Case, Case.id == CasePaper.case_id).where(CasePaper.removed_at.is_(None))
    for column in (PersonFile.sha256, PersonFile.thumbnail):
        told = sa.select(column, sa.literal("warga"), Area.name, PersonFile.kind, PersonFile.created_at)
        held = told.outerjoin(Person, Person.id == PersonFile.person_id).outerjoin(Family, Family.id == PersonFile.family_id)
        yield column, held.join(Area, Area.code == home).where(PersonFile.removed_at.is_(None))
    for column in (Letter.pdf, Letter.scan):
        yield (
            column,
            sa.select(column, sa.literal("surat"), sa.func.coalesce(Letter.number, ""), sa.literal(""), Letter.created_at),
        )
    scan = ProposalBasis.scan
    yield scan, sa.select(scan, sa.literal("usulan"), ProposalBasis.number, sa.literal(""), ProposalBasis.created_at)


def named_hashes() -> Iterator[str]:
    """The hash of every content that a row names, each once."""
    named = [sa.select(column.label("sha256")).where(column != "", *rows) for column, *rows in NAMED]
    yield from db.session.scalars(sa.union(*named).execution_options(yield_per=1000))
    logos = (content.get(side, "") for content in db.session.scalars(sa.select(Letterhead.content)) for side in LOGOS)
    yield from {sha256 for sha256 in logos if sha256}


def hashes_of_case(number: str) -> list[str]:
    """The hashes of the papers of one case. For the operator's terminal: it tells contents from each other, not what is in them.

    Raises NotFound.
    """
    case_id = db.session.scalar(sa.select(Case.id).where(Case.number == number.strip().upper()))
    if case_id is None:
        raise NotFound(f"Tidak ada kasus dengan nomor {number}.", "Periksa nomornya pada slip kasus.")
    papers = db.session.execute(
        sa.select(CasePaper.sha256, CasePaper.thumbnail).where(CasePaper.case_id == case_id, CasePaper.removed_at.is_(None))
    )
    return [sha256 for row in papers for sha256 in row if sha256]
