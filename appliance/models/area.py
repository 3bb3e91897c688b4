"""Areas of Kemendagri, from province to village, and what lies inside a village. Codes are "73", "73.03", "73.03.01.1001"."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped

CODE_LENGTH = 13
BPS_LENGTH = 10


class Level(StrEnum):
    PROVINCE = "provinsi"
    DISTRICT = "kabkota"
    SUBDISTRICT = "kecamatan"
    VILLAGE = "desa"


class Area(Model):
    """One area. All of Indonesia is here; only the node's own district, its parents and its parts are active.

    A code that a newer data set has dropped stays, inactive, and names its successor: people's numbers and papers keep it.
    """

    __tablename__ = "area"

    code: Mapped[str] = mapped_column(Code(CODE_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    level: Mapped[str] = mapped_column(sa.String(10))
    # provinsi, kabupaten, kota, kecamatan, desa or kelurahan: what the people call it
    kind: Mapped[str] = mapped_column(sa.String(10))
    parent_code: Mapped[str | None] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), index=True)
    active: Mapped[bool] = mapped_column(sa.Boolean)
    # No foreign key: an old code may be taught before the edition that brings its successor.
    successor_code: Mapped[str | None] = mapped_column(Code(CODE_LENGTH), index=True)
    # The first day of the successor, of a code that was dropped; of any other code its own first day, where that is known.
    valid_since: Mapped[date | None] = mapped_column(sa.Date)
    bps_code: Mapped[str | None] = mapped_column(Code(BPS_LENGTH), index=True, unique=True)
    # Of villages only; "" where the data set knows none.
    postcode: Mapped[str] = mapped_column(sa.String(5), default="", server_default="")


class Hamlet(Stamped, Model):
    """A dusun or lingkungan of a village, down to one RW and RT ("" where there is none): suggested, never demanded."""

    __tablename__ = "hamlet"
    __table_args__ = (sa.UniqueConstraint("village_code", "name", "rw", "rt"),)

    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    name: Mapped[str] = mapped_column(sa.String(80))
    rw: Mapped[str] = mapped_column(sa.String(3), default="")
    rt: Mapped[str] = mapped_column(sa.String(3), default="")


class AreaCount(Model):
    """How many live in a village and how many cases are open there, as of `counted_at`: counting millions is for the night."""

    __tablename__ = "area_count"

    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), primary_key=True)
    people: Mapped[int] = mapped_column(sa.Integer)
    families: Mapped[int] = mapped_column(sa.Integer)
    open_cases: Mapped[int] = mapped_column(sa.Integer)
    counted_at: Mapped[datetime] = mapped_column(Moment)


class AreaMove(Identified, Model):
    """That what lives and lies under an old code goes to the codes of today: families of a hamlet to `hamlets[name]`, the rest,
    with who has no family there, to `rest_code`. `people` and `cases` are how many went so far."""

    __tablename__ = "area_move"
    __table_args__ = (sa.Index("ix_area_move_old_code_asked_at", "old_code", "asked_at"),)

    old_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    hamlets: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    rest_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    asked_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    people: Mapped[int] = mapped_column(sa.Integer, default=0)
    cases: Mapped[int] = mapped_column(sa.Integer, default=0)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def targets(self) -> list[str]:
        """The codes of today, each once."""
        return sorted({*self.hamlets.values(), self.rest_code})
