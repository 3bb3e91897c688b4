"""What a village's sheet says beside the person herself: nationality, domicile, disability and pregnancy, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from appliance.access import Actor, Grant
from appliance.config import Settings
from appliance.database import db
from appliance.exchange import imports
from appliance.exchange.import_health import DIFFERS, NO_RIGHT, NOT_PREGNANT, NOTED
from appliance.exchange.import_undo import HEALTH_CHANGED_SINCE
from appliance.models.imports import Existing
from appliance.models.person import LifeEvent, Person, PersonHealth
from appliance.models.roles import Role
from appliance.registry import health
from appliance.registry.health import Health
from tests.support.importing import employ, said, see, stored, work
from tests.support.opensid import CHILD, HEAD, WIFE, population
from tests.support.staff import AT, HOME, Staff

pytestmark = pytest.mark.usefixtures("app")
BLIND, PREGNANT = {"cacat_id": "2"}, {"hamil": "1"}


@pytest.fixture
def bo(staff: Staff) -> Actor:
    return employ(staff.bo)


def person(name: str) -> Person:
    return db.session.scalars(sa.select(Person).where(Person.name == name).execution_options(populate_existing=True)).one()


def noted(name: str, by: Actor) -> tuple[Health, int]:
    db.session.rollback()
    return health.look_at_health(person(name).id, by=by, at=AT)


def undo(import_id: str, by: Actor, settings: Settings) -> None:
    imports.undo_import(import_id, by=by, at=AT)
    work(settings)


def test_what_the_model_has_a_place_for_is_stored_and_the_rest_named(bo: Actor, settings: Settings) -> None:
    rows = (
        HEAD | BLIND | {"alamat_sekarang": "Jl. Baru 9"},
        WIFE | PREGNANT | {"cacat_id": "Tidak Cacat"},
        CHILD | {"hamil": "2"},
    )
    import_id = stored(population(*rows), bo, settings)
    head = person("BAHARUDDIN")
    assert (head.nationality, head.domicile) == ("1", "Jl. Baru 9")
    assert noted("BAHARUDDIN", bo) == (Health(("2",)), 1)
    assert noted("SITTI AMINAH", bo) == (Health(pregnant=True), 1)
    assert noted("NURUL HIDAYAH", bo) == (Health(), 0)
    (remark,) = (note for note in see(import_id, bo).remarks if note.startswith("Kolom yang tidak disimpan"))
    assert remark.removeprefix("Kolom yang tidak disimpan: ").rstrip(".").split(", ") == [
        "pendidikan_sedang_id", "ayah_nik", "ibu_nik", "golongan_darah_id", "akta_lahir", "dokumen_pasport", "tanggal_akhir_paspor",
        "dokumen_kitas", "akta_perkawinan", "tanggalperkawinan", "akta_perceraian", "tanggalperceraian", "cara_kb_id", "ktp_el",
        "status_rekam", "suku", "tag_id_card",
    ]  # fmt: skip
    again = stored(population(*rows), bo, settings, existing=Existing.UPDATE)
    assert see(again, bo).line.counts == {"sama": 3}


@pytest.mark.parametrize("how", [Existing.FILL, Existing.UPDATE])
def test_health_that_is_registered_is_not_overwritten_unasked(bo: Actor, settings: Settings, how: Existing) -> None:
    stored(population(HEAD, WIFE), bo, settings)
    several = Health(("1", "3"), ("6",))
    health.change_health(person("BAHARUDDIN").id, several, row_version=0, by=bo, at=AT)
    import_id = stored(population(HEAD | BLIND, WIFE | PREGNANT), bo, settings, existing=how)
    report = said(import_id, bo)
    assert (report[3][0], report[3][1][-1]) == ("berubah", NOTED)
    assert noted("SITTI AMINAH", bo)[0] == Health(pregnant=True)
    events = [
        one.detail for one in db.session.scalars(sa.select(LifeEvent).where(LifeEvent.person_id == person("SITTI AMINAH").id))
    ]
    assert [detail.get("changes") for detail in events if "changes" in detail] == [{"pregnant": [False, True]}]
    if how is Existing.FILL:
        assert (report[2][0], report[2][1][-1], noted("BAHARUDDIN", bo)[0]) == ("sama", DIFFERS, several)
    else:
        assert (report[2][0], noted("BAHARUDDIN", bo)[0]) == ("berubah", Health(("2",), ("6",)))
    undo(import_id, bo, settings)
    assert see(import_id, bo).kept == 0
    assert noted("BAHARUDDIN", bo)[0] == several
    assert noted("SITTI AMINAH", bo)[0] == Health()


def test_an_undo_leaves_what_was_noted_since(bo: Actor, settings: Settings) -> None:
    known = stored(population(CHILD), bo, settings)
    import_id = stored(population(HEAD | BLIND, WIFE | PREGNANT, CHILD | BLIND), bo, settings)
    for name in ("SITTI AMINAH", "NURUL HIDAYAH"):
        health.change_health(person(name).id, Health(("1",)), row_version=1, by=bo, at=AT)
    undo(import_id, bo, settings)
    assert (person("BAHARUDDIN").status, person("SITTI AMINAH").status) == ("tidak_valid", "hidup")
    assert {row.name: row.taken_back for row in imports.rows_of(import_id, verdict="bertahan", by=bo)} == {
        "SITTI AMINAH": "sudah ada catatan kesehatan",
        "NURUL HIDAYAH": HEALTH_CHANGED_SINCE,
    }
    assert set(db.session.scalars(sa.select(PersonHealth.person_id))) == {person("SITTI AMINAH").id, person("NURUL HIDAYAH").id}
    undo(known, bo, settings)
    assert person("NURUL HIDAYAH").status == "hidup"


def test_health_is_kept_only_by_who_has_the_right_and_for_whom_it_can_be(staff: Staff, settings: Settings) -> None:
    coordinator = employ(Actor.holding(staff.bo.account_id, "Koordinator", "koor", [Grant(Role.KOORDINATOR_PUSKESOS, (HOME,))]))
    import_id = stored(population(HEAD | PREGNANT, WIFE | BLIND), coordinator, settings)
    report = said(import_id, coordinator)
    assert NOT_PREGNANT in report[2][1]
    assert (report[3][0], NO_RIGHT in report[3][1]) == ("baru", True)
    assert db.session.scalars(sa.select(PersonHealth)).all() == []
