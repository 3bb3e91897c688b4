"""Areas of Kemendagri, from province to village. Codes are "73", "73.03", "73.03.01", "73.03.01.1001"."""

from __future__ import annotations

from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from appliance.database import Model
from appliance.models.columns import Code

CODE_LENGTH = 13


class Level(StrEnum):
    PROVINCE = "provinsi"
    DISTRICT = "kabkota"
    SUBDISTRICT = "kecamatan"
    VILLAGE = "desa"


class Area(Model):
    """One area. All of Indonesia is here; only the node's own district, its parents and its parts are active."""

    __tablename__ = "area"

    code: Mapped[str] = mapped_column(Code(CODE_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    level: Mapped[str] = mapped_column(sa.String(10))
    # provinsi, kabupaten, kota, kecamatan, desa or kelurahan: what the people call it
    kind: Mapped[str] = mapped_column(sa.String(10))
    parent_code: Mapped[str | None] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), index=True)
    active: Mapped[bool] = mapped_column(sa.Boolean)
