"""What the tables share: identifiers, moments, codes, and the stamp of who wrote a row and when."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

ID_LENGTH = 36


def new_id() -> str:
    """A UUID of version 7: made anywhere without asking, and sorted by time, which keeps big indexes compact."""
    value = int.from_bytes((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10), "big")
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time; stored and given back in UTC. A naive time is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def Code(length: int) -> sa.types.TypeEngine[str]:  # noqa: N802  reads as a type beside String
    """Text compared by its bytes on both databases, so that an index answers "begins with"."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def rows_where(condition: str) -> dict[str, Any]:
    """The arguments of an index that holds only the rows of which the condition is true."""
    return {f"{dialect}_where": sa.text(condition) for dialect in ("sqlite", "postgresql")}


class Identified:
    """A row with an identifier that may be made before it reaches this server."""

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)


class Stamped(Identified):
    """A row that people change: who made and last changed it (account ids; "system" for the node itself).

    `row_version` counts the changes; a writer who saw an older one gets Conflict.
    """

    created_at: Mapped[datetime] = mapped_column(Moment)
    created_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    updated_at: Mapped[datetime] = mapped_column(Moment)
    updated_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))
    row_version: Mapped[int] = mapped_column(sa.Integer)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"version_id_col": cls.row_version}

    def stamp(self, by: str, at: datetime) -> None:
        """Note that the account `by` wrote this row at `at`."""
        if getattr(self, "created_at", None) is None:
            self.created_at, self.created_by = at, by
        self.updated_at, self.updated_by = at, by
