"""All areas of Indonesia are there, and only the node's own district is active."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from appliance import database
from appliance.access import Actor
from appliance.database import db, transaction
from appliance.errors import ConfigurationError
from appliance.models.area import Area
from appliance.models.roles import Role
from appliance.registry.areas import area_name, load_areas, villages
from tests.support.databases import settings_below
from tests.support.staff import HOME


def active(level: str) -> int:
    return db.session.scalar(sa.select(sa.func.count()).where(Area.level == level, Area.active)) or 0


def test_the_whole_country_is_loaded_once_and_follows_the_district(tmp_path: Path) -> None:
    settings = settings_below(tmp_path)
    database.upgrade(settings)
    with database.create_service(settings).app_context():
        assert load_areas("73.03") > 91_000
        assert load_areas("73.03") == 0, "the second time there is nothing to do"
        orphans = sa.select(Area.code).where(Area.parent_code.is_(None), Area.level != "provinsi")
        assert db.session.scalars(orphans).all() == []
        assert [active(level) for level in ("provinsi", "kabkota", "kecamatan", "desa")] == [1, 1, 8, 67]
        kinds = sorted(db.session.scalars(sa.select(Area.kind).where(Area.active, Area.level == "desa")))
        assert kinds == ["desa"] * 46 + ["kelurahan"] * 21
        assert db.session.get_one(Area, "51.71").kind == "kota"
        assert (db.session.get_one(Area, HOME).postcode, db.session.get_one(Area, "73.03").postcode) == ("92451", "")
        with transaction() as session:
            # An area that a newer data set has dropped: people's records still name it.
            session.add(Area(code="73.03.99", name="Lama", level="kecamatan", kind="kecamatan", parent_code="73.03", active=True))
        assert load_areas("73.03") == 1
        assert not db.session.get_one(Area, "73.03.99").active
        assert load_areas("51.71") > 0
        assert [active(level) for level in ("provinsi", "kabkota", "kecamatan", "desa")] == [1, 1, 4, 43]
        with pytest.raises(ConfigurationError, match=r"99\.99"):
            load_areas("99.99")


def test_everybody_gets_the_villages_of_her_areas(tmp_path: Path, app: object) -> None:
    def seen(*areas: str) -> list[str]:
        return [village.code for village in villages(by=Actor("a", "N", "n", frozenset({Role.FO}), areas))]

    assert len(seen("73.03")) == 67
    assert len(seen("73.03.06")) == 6
    assert seen("73.03.01.1001") == ["73.03.01.1001"]
    assert seen("73.04") == [], "another district is not active here"
    assert seen() == []
    assert area_name("73.03.01.1001") == "Kelurahan Bonto Manai, Kec. Bissappu"
    assert area_name("73.03.01.2009") == "Desa Bonto Cinde, Kec. Bissappu"
    assert area_name("73.03.01") == "Kecamatan Bissappu"
    assert area_name("73.03") == "Kabupaten Bantaeng"
    assert area_name("73") == "Provinsi Sulawesi Selatan"
    assert area_name("00") == "00"
