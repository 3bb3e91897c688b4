"""Organisations that work on cases: the secretariat, agencies (OPD), health centres, schools and others."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.columns import Code, Stamped


class UnitKind(StrEnum):
    SECRETARIAT = "sekretariat"
    PUSKESOS = "puskesos"
    AGENCY = "opd"
    SUBDISTRICT = "kecamatan"
    HEALTH = "faskes"
    SCHOOL = "sekolah"
    INSTITUTION = "lembaga"
    INSURANCE = "bpjs"
    MINISTRY = "kemensos"
    BAZNAS = "baznas"


class Unit(Stamped, Model):
    """One organisation. `code` is a short word, unique on this node, by which seeds and commands name it."""

    __tablename__ = "unit"

    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    name: Mapped[str] = mapped_column(sa.String(160))
    area_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), index=True)
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    email: Mapped[str] = mapped_column(sa.String(120), default="")
    official_name: Mapped[str] = mapped_column(sa.String(160), default="")
    official_nip: Mapped[str] = mapped_column(sa.String(18), default="")
    # Without accounts of its own the back office enters the replies that come on paper.
    has_accounts: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)
