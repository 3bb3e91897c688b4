"""What the sheets of surveys answer becomes profiles of people and families, on both databases."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from appliance.access import Actor, Grant
from appliance.config import Settings
from appliance.database import db
from appliance.errors import InvalidInput
from appliance.exchange import imports
from appliance.exchange.import_profiles import NO_FAMILY
from appliance.exchange.survey_reading import HEALTH_NOT_KEPT
from appliance.exchange.withdrawing import REASON
from appliance.models.audit import AuditEntry
from appliance.models.person import Person
from appliance.models.profile import Profile
from appliance.models.roles import Role
from appliance.registry import aid, profile
from tests.support.aid import survey
from tests.support.desk import resident
from tests.support.importing import checked, choose, employ, said, see, store, stored, upload, work
from tests.support.staff import AT, HOME, Staff
from tests.support.surveys import MAN, WOMAN, bdt

pytestmark = pytest.mark.usefixtures("app")
ASKED = {"checked_on": "2015-06-01"}


@pytest.fixture
def bo(staff: Staff) -> Actor:
    return employ(staff.bo)


def survey_of(content: bytes, by: Actor, settings: Settings, **changes: Any) -> str:
    return stored(content, by, settings, **{"options": ASKED, "mapping": _without_village(content, by), **changes})


def _without_village(content: bytes, by: Actor) -> dict[str, int]:
    """The proposed mapping, for the village that was chosen on the page."""
    proposed = see(upload(content, by), by).choice.mapping
    return {key: index for key, index in proposed.items() if key != "village" and not key.startswith("bps_")}


def profiles() -> list[Profile]:
    return list(db.session.scalars(sa.select(Profile).order_by(Profile.request_id).execution_options(populate_existing=True)))


def test_bdt_brings_a_profile_of_the_family_and_of_each_member(bo: Actor, settings: Settings) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(upload(bdt(MAN, WOMAN), bo), bo)
    assert set(caught.value.problems) == {"checked_on"}
    with pytest.raises(InvalidInput):
        choose(upload(bdt(MAN), bo), bo, options={"checked_on": "2026-12-01"})
    import_id = survey_of(bdt(MAN, WOMAN), bo, settings)
    seen = see(import_id, bo)
    assert (seen.choice.layout, seen.line.counts) == ("bdt", {"baru": 2})
    assert any(note.startswith("Jawaban atas 23 pertanyaan disimpan sebagai profil") for note in seen.remarks)
    home, man, woman = profiles()
    assert (home.instrument, home.version, home.surveyed_on, home.family_id is not None) == (
        "bdt-2015",
        1,
        date(2015, 6, 1),
        True,
    )
    assert home.answers == {
        "301a": "1", "301b": "1", "302": 36, "303": "9", "309a": "3", "501a": "2", "501b": "2", "504a": 2, "506g": "1",
    }  # fmt: skip
    assert (man.instrument, man.answers["412"], man.answers["415"], man.answers["422"]) == (
        "bdt-2015-anggota",
        ["1", "4"],
        "3",
        "1",
    )
    assert (woman.answers["416"], woman.answers["413"]) == ("0", "2")
    lines = aid.aid_of_person(str(woman.person_id), by=bo).profiles
    assert sorted(line.name for line in lines) == [
        "BDT 2015, anggota rumah tangga",
        "BDT 2015, anggota rumah tangga",
        "BDT 2015, rumah tangga",
    ]
    assert "BDT 2015, diimpor" in lines[0].surveyed_by
    assert "Asma" in repr(profile.look_at_profile(man.id, by=bo, at=AT))
    part = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "impor-bagian")).one()
    assert json.loads(part.detail)["profil"] == 3
    # the same file once more has nothing to add, though nobody is new any more
    survey_of(bdt(MAN, WOMAN), bo, settings)
    assert len(profiles()) == 3


def test_what_is_not_understood_is_told_and_the_rest_kept(bo: Actor, settings: Settings) -> None:
    stranger = MAN | {"Nama": "BASO", "NIK": "7303011206750044", "NoKK": "", "Jumlah_jamkerja": 40}
    content = bdt(MAN | {"Lantai": 77}, WOMAN | {"Lantai": 8, "Jumlah_jamkerja": 12}, stranger)
    import_id = checked(content, bo, settings, options=ASKED, mapping=_without_village(content, bo))
    report = said(import_id, bo)
    cells = {row.number: [finding[0] for finding in row.findings] for row in imports.rows_of(import_id, by=bo)}
    letter = cells[2][-1].rstrip("0123456789")
    assert (f"{letter}2" in cells[2], "303: Pilih satu jawaban" in report[2][1][-1]) == (True, True)
    assert "berbeda dengan baris 2 dari keluarga yang sama" in report[3][1][-2]
    assert "Pertanyaan 421: Hanya diisi bila 420." in report[3][1][-1]
    assert report[4][1][-1] == NO_FAMILY
    assert profiles() == [], "a check stores nothing"
    store(import_id, bo)
    work(settings)
    assert said(import_id, bo) == report, "what was promised is what was done"
    home, man, woman, baso = profiles()
    assert ("303" in home.answers, man.answers["421"], "421" in woman.answers, baso.answers["421"]) == (False, 40, False, 40)


def test_an_undo_withdraws_exactly_these(bo: Actor, staff: Staff, settings: Settings) -> None:
    known = resident(staff.fo, "Sitti Aminah", nik=WOMAN["NIK"], birth_date=date(1980, 8, 12))
    own = survey(known, staff.fo)
    import_id = survey_of(bdt(MAN, WOMAN), bo, settings)
    assert aid.aid_of_person(known, by=bo).profiles[0].id == own
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert see(import_id, bo).kept == 0, "the profiles of the import itself keep nobody"
    assert {one.withdrawn_reason for one in profiles() if one.id != own} == {REASON}
    lines = aid.aid_of_person(known, by=bo).profiles
    assert [(line.id == own, line.withdrawn) for line in lines] == [(True, ""), (False, REASON)]
    assert REASON in repr(profile.look_at_profile(lines[1].id, by=bo, at=AT))
    assert db.session.scalars(sa.select(Person.status).where(Person.name == "BAHARUDDIN")).one() == "tidak_valid"


def test_a_stopped_import_tells_of_each_family_once(bo: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.exchange.import_run.PART", 1)
    content = bdt(MAN, WOMAN | {"Lantai": 1})
    import_id = checked(content, bo, settings, options=ASKED, mapping=_without_village(content, bo))
    store(import_id, bo)
    asked = iter([False, False] + [True] * 9)
    assert work(settings, lambda: next(asked)) == 0
    assert len(profiles()) == 2
    assert work(settings) == 1
    home, man, woman = profiles()
    assert (home.answers["303"], man.family_id, woman.family_id) == ("9", None, None)
    assert "berbeda dengan baris 2" in said(import_id, bo)[3][1][-1]


def test_a_family_without_a_card_in_the_file_is_told_of_once_too(
    bo: Actor, staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between two of its members, who are registered as a family, the import does not take the second for the first."""
    for one in (MAN, WOMAN):
        resident(staff.fo, one["Nama"], nik=one["NIK"], kk=one["NoKK"])
    monkeypatch.setattr("appliance.exchange.import_run.PART", 1)
    content = bdt(MAN | {"NoKK": ""}, WOMAN | {"NoKK": "", "Lantai": 1})
    import_id = checked(content, bo, settings, options=ASKED, mapping=_without_village(content, bo))
    store(import_id, bo)
    asked = iter([False, False] + [True] * 9)
    assert work(settings, lambda: next(asked)) == 0
    assert work(settings) == 1
    assert [one.answers["303"] for one in profiles() if one.family_id] == ["9"]


def test_answers_about_health_need_the_right_to_them(staff: Staff, settings: Settings) -> None:
    coordinator = employ(Actor.holding(staff.bo.account_id, "Koordinator", "koor", [Grant(Role.KOORDINATOR_PUSKESOS, (HOME,))]))
    import_id = survey_of(bdt(MAN), coordinator, settings)
    assert HEALTH_NOT_KEPT in said(import_id, coordinator)[2][1]
    _, man = profiles()
    assert ("415" in man.answers, "414" in man.answers, man.answers["420"]) == (False, False, "1")
