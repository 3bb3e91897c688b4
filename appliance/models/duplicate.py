"""Pairs that may be one person, what was searched already, merges with all that is needed to undo them, and former numbers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped
from appliance.models.person import REASON_LENGTH


class PairState(StrEnum):
    """`LAPSED`: the two are no longer alike, or one of them was merged elsewhere."""

    OPEN = "terbuka"
    DIFFERENT = "bukan"
    MERGED = "digabung"
    LAPSED = "gugur"


class DuplicateCandidate(Stamped, Model):
    """Two people who may be one, in the order of their identifiers. What was decided stays with the pair.

    `identity` is the fingerprint of both when the pair was found or decided: only a change of it brings a decided pair back.
    `note` is why an officer registered the second one all the same; `reason` why somebody decided as she did.
    """

    __tablename__ = "duplicate_candidate"
    __table_args__ = (
        sa.UniqueConstraint("first_id", "second_id"),
        sa.Index("ix_duplicate_candidate_state_score_id", "state", "score", "id"),
        sa.Index("ix_duplicate_candidate_village_code_state_score_id", "village_code", "state", "score", "id"),
        sa.Index("ix_duplicate_candidate_other_village_code_state", "other_village_code", "state"),
    )

    first_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"))
    second_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), index=True)
    # Where the first and the second live; both must be in the area of whoever reads the pair.
    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    other_village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    score: Mapped[int] = mapped_column(sa.Integer)
    reasons: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    state: Mapped[str] = mapped_column(sa.String(12))
    identity: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    decided_by: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)


class DuplicateSearch(Model):
    """What a village looked like when it was last searched: the same again needs no second search."""

    __tablename__ = "duplicate_search"

    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), primary_key=True)
    people: Mapped[int] = mapped_column(sa.Integer)
    changed_at: Mapped[datetime | None] = mapped_column(Moment)
    searched_at: Mapped[datetime] = mapped_column(Moment)


class PersonMerge(Identified, Model):
    """One person's record became part of another's.

    `before` and `after` hold the values of both records (and of what else was changed) that differ; `moved` the rows that now
    point at the survivor: {"table.column": [identifiers]}. With them the merge is undone exactly.
    """

    __tablename__ = "person_merge"

    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    pair_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("duplicate_candidate.id"))
    survivor_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), index=True)
    merged_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), index=True)
    reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH))
    before: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    after: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    moved: Mapped[dict[str, list[str]]] = mapped_column(sa.JSON)
    merged_at: Mapped[datetime] = mapped_column(Moment)
    merged_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    undone_at: Mapped[datetime | None] = mapped_column(Moment)
    undone_by: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    undo_reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    # What the undoing left as it was, because it had been changed since the merge: sentences for the page.
    undo_kept: Mapped[list[str]] = mapped_column(sa.JSON, default=list)


class OldIdentifier(Identified, Model):
    """A NIK or family card that stood on a merged record. It finds the survivor, and blocks nobody else's number."""

    __tablename__ = "old_identifier"

    number: Mapped[str] = mapped_column(sa.String(16), index=True)
    kind: Mapped[str] = mapped_column(sa.String(3))  # nik or kk
    person_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), index=True)
    merge_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person_merge.id"), index=True)
