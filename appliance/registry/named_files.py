"""Which contents below the attachments the tables name: what must be on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from appliance.database import db
from appliance.errors import NotFound
from appliance.models.case import Case
from appliance.models.letter import Letter, Letterhead
from appliance.models.person import PersonFile
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
