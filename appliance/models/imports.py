"""Files that were handed over by villages and ministries, and what became of each of their rows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Moment, Stamped

FILE_NAME_LENGTH = 160


class ImportState(StrEnum):
    """What is waited for. The three that end in -ING are in the hands of the worker."""

    MAPPING = "petakan"
    CHECKING = "memeriksa"
    CHECKED = "diperiksa"
    STORING = "menyimpan"
    STORED = "selesai"
    UNDOING = "membatalkan"
    UNDONE = "dibatalkan"
    DROPPED = "dibuang"

    @property
    def busy(self) -> bool:
        """Whether the worker has something to do for it."""
        return self in {ImportState.CHECKING, ImportState.STORING, ImportState.UNDOING}


class Verdict(StrEnum):
    """What a row does, or did, to the registry."""

    NEW = "baru"
    CHANGED = "berubah"
    SAME = "sama"
    SKIPPED = "dilewati"
    WRONG = "salah"


class Existing(StrEnum):
    """What happens to people who are registered already."""

    SKIP = "lewati"
    FILL = "isi"
    UPDATE = "perbarui"


class Import(Stamped, Model):
    """One uploaded file on its way into the registry. The file itself lies below the data folder, by the identifier.

    `mapping` gives for each field of the layout the column (from 0) it is read from. `counts` is by verdict.
    """

    __tablename__ = "import_file"
    __table_args__ = (sa.Index("ix_import_file_created_by_created_at", "created_by", "created_at"),)

    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    file_name: Mapped[str] = mapped_column(sa.String(FILE_NAME_LENGTH))
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    size: Mapped[int] = mapped_column(sa.Integer)
    state: Mapped[str] = mapped_column(sa.String(12))
    layout: Mapped[str] = mapped_column(sa.String(24), default="")
    sheet: Mapped[str] = mapped_column(sa.String(120), default="")
    header_row: Mapped[int] = mapped_column(sa.Integer, default=1)
    signature: Mapped[str] = mapped_column(sa.String(64), default="", index=True)
    mapping: Mapped[dict[str, int]] = mapped_column(sa.JSON, default=dict)
    existing: Mapped[str] = mapped_column(sa.String(10), default=Existing.FILL)
    village_code: Mapped[str] = mapped_column(sa.String(13), default="")
    # What else the officer said: the list and the day it is of.
    options: Mapped[dict[str, str]] = mapped_column(sa.JSON, default=dict)
    counts: Mapped[dict[str, int]] = mapped_column(sa.JSON, default=dict)
    rows: Mapped[int | None] = mapped_column(sa.Integer)
    # Sentences about the file as a whole: what was left out, what is odd.
    remarks: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    # Why the worker stopped; empty while nothing is wrong.
    problem: Mapped[str] = mapped_column(sa.Text, default="")
    stored_at: Mapped[datetime | None] = mapped_column(Moment)


class ImportRow(Model):
    """One row of a file: what it does, why, and how to take it back.

    `findings` are lists of cell, masked value, reason, what to do. `undo` holds what stood there before; `version` is the
    row version of the person as the import left her; `taken_back` is empty, "ya", or why it could not be.
    """

    __tablename__ = "import_row"
    __table_args__ = (sa.Index("ix_import_row_import_id_verdict", "import_id", "verdict", "number"),)

    import_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("import_file.id"), primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    verdict: Mapped[str] = mapped_column(sa.String(10))
    name: Mapped[str] = mapped_column(sa.String(60), default="")
    findings: Mapped[list[list[str]] | None] = mapped_column(sa.JSON)
    stored: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    person_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    family_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    version: Mapped[int | None] = mapped_column(sa.Integer)
    undo: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    taken_back: Mapped[str] = mapped_column(sa.String(120), default="")
