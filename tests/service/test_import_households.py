"""A survey's sheet with a row for each family becomes profiles of the families that are registered, on both databases."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from xlsxwriter import Workbook

from appliance.access import Actor, Grant
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.errors import InvalidInput
from appliance.exchange import imports
from appliance.exchange.import_households import SEVERAL, SEVERAL_NUMBER, UNANSWERED, UNKNOWN, UNKNOWN_NUMBER
from appliance.exchange.withdrawing import REASON
from appliance.models.audit import AuditEntry
from appliance.models.duplicate import OldIdentifier
from appliance.models.person import Family, FormerCard, LifeEvent, Person
from appliance.models.profile import NationalList, Profile
from appliance.models.roles import Role
from appliance.registry import profile
from appliance.registry.list_status import NewStatus, note_status
from tests.support.aid import survey
from tests.support.desk import resident
from tests.support.importing import checked, choose, employ, said, see, store, stored, upload, work
from tests.support.opensid import CARD
from tests.support.pairs import merge
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff
from tests.support.surveys import HOUSE, MAN, WOMAN, bdt

pytestmark = pytest.mark.usefixtures("app")
ASKED = {"options": {"checked_on": "2015-06-01"}, "village_code": ""}
OTHER, THIRD, FOURTH, MERGED = "7303012005080011", "7303012005080012", "7303012005080013", "7303012005080014"
SECOND = HOUSE | {"NoKK": OTHER, "Lantai": 3}


@pytest.fixture
def bo(staff: Staff) -> Actor:
    return employ(staff.bo)


def family_of(person: str) -> str:
    return str(db.session.scalars(sa.select(Person.family_id).where(Person.id == person)).one())


def profiles() -> list[Profile]:
    return list(db.session.scalars(sa.select(Profile).order_by(Profile.request_id).execution_options(populate_existing=True)))


def registered() -> list[Any]:
    """Every version of people and families, and how many events were told: what a households' sheet leaves as it is."""
    versions = [sorted(map(tuple, db.session.execute(sa.select(table.id, table.row_version)))) for table in (Person, Family)]
    return [*versions, db.session.scalar(sa.select(sa.func.count()).select_from(LifeEvent))]


def test_each_row_becomes_a_profile_of_its_family_once(bo: Actor, staff: Staff, settings: Settings) -> None:
    homes = [family_of(resident(staff.fo, "Baharuddin", kk=CARD)), family_of(resident(staff.fo, "Asma", NEIGHBOUR, kk=OTHER))]
    before = registered()
    import_id = stored(bdt(HOUSE, SECOND), bo, settings, **ASKED)
    seen = see(import_id, bo)
    assert (seen.choice.layout, seen.line.counts) == ("bdt_keluarga", {"berubah": 2})
    assert said(import_id, bo) == {2: ("berubah", []), 3: ("berubah", [])}
    first, second = profiles()
    assert [(one.family_id, one.person_id, one.instrument, one.version) for one in (first, second)] == [
        (home, None, "bdt-2015", 1) for home in homes
    ]
    assert first.surveyed_on == date(2015, 6, 1)
    assert first.answers == {
        "301a": "1", "301b": "1", "302": 36, "303": "9", "309a": "3", "501a": "2", "501b": "2", "504a": 2, "506g": "1",
    }  # fmt: skip
    assert second.answers["303"] == "3"
    assert "Milik sendiri" in repr(profile.look_at_profile(first.id, by=bo, at=AT))
    part = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "impor-bagian")).one()
    assert (json.loads(part.detail)["profil"], part.account_id) == (2, bo.account_id)
    assert registered() == before
    names = [row.name for row in imports.rows_of(import_id, by=bo)]
    assert all(name.startswith("KK ") and CARD not in name and OTHER not in name for name in names)
    again = stored(bdt(HOUSE, SECOND), bo, settings, **ASKED)
    assert said(again, bo) == {2: ("sama", []), 3: ("sama", [])}
    assert len(profiles()) == 2


def test_rows_that_cannot_be_kept_are_told_and_the_run_does_what_the_check_promised(
    bo: Actor, staff: Staff, settings: Settings
) -> None:
    resident(staff.fo, "Baharuddin", kk=CARD)
    resident(staff.fo, "Asma", kk=THIRD)
    silent = dict.fromkeys(HOUSE, "") | {"NoKK": THIRD}
    content = bdt(
        HOUSE | {"Lantai": 77}, HOUSE | {"Lantai": 8}, SECOND, silent, HOUSE | {"NoKK": ""}, HOUSE | {"NoKK": 7.3e15}, HOUSE | {"NoKK": "123"}
    )  # fmt: skip
    import_id = checked(content, bo, settings, **ASKED)
    report = said(import_id, bo)
    assert [verdict for verdict, _ in report.values()] == ["berubah", "dilewati", "salah", "dilewati", "salah", "salah", "salah"]
    assert "303: Pilih satu jawaban" in report[2][1][0]
    assert report[3][1] == ["Keluarga yang sama sudah ada di baris 2."]
    assert (report[4][1], report[5][1], report[6][1]) == ([UNKNOWN[0]], [UNANSWERED[0]], [UNKNOWN_NUMBER[0]])
    assert "rusak oleh Excel" in report[7][1][0]
    rows = {row.number: row for row in imports.rows_of(import_id, by=bo)}
    assert rows[4].findings[0][3] == UNKNOWN[1]
    assert all(len(rows[number].findings) == 1 and "Perbaiki nomor KK" in rows[number].findings[0][3] for number in (7, 8))
    assert profiles() == [], "a check stores nothing"
    store(import_id, bo)
    work(settings)
    assert said(import_id, bo) == report
    assert ["303" in one.answers for one in profiles()] == [False]


def test_an_undo_withdraws_exactly_these(bo: Actor, staff: Staff, settings: Settings) -> None:
    person = resident(staff.fo, "Baharuddin", kk=CARD)
    own, before = survey(person, staff.fo), registered()
    import_id = stored(bdt(HOUSE, SECOND), bo, settings, **ASKED)
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert (see(import_id, bo).line.state, see(import_id, bo).kept) == ("dibatalkan", 0)
    assert [row.taken_back for row in imports.rows_of(import_id, by=bo)] == ["ya", ""]
    assert {one.id == own: one.withdrawn_reason for one in profiles()} == {True: "", False: REASON}
    assert registered() == before, "the family stays as it is"
    stored(bdt(HOUSE), bo, settings, **ASKED)
    assert sorted(one.withdrawn_reason for one in profiles()) == ["", "", REASON]


def test_a_stopped_import_takes_each_family_once(
    bo: Actor, staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where one row names her by the card that she had before; what could mean two is not taken for her."""
    home, other = (family_of(resident(staff.fo, name, kk=card)) for name, card in (("Baharuddin", CARD), ("Asma", FOURTH)))
    with transaction() as session:
        session.add_all([FormerCard(family_id=home, kk=OTHER), *(FormerCard(family_id=one, kk=THIRD) for one in (home, other))])
    monkeypatch.setattr("appliance.exchange.import_run.PART", 1)
    content = bdt(HOUSE | {"NoKK": THIRD}, SECOND, HOUSE)
    import_id = checked(content, bo, settings, **ASKED)
    report = said(import_id, bo)
    assert report == {
        2: ("salah", [SEVERAL[0]]), 3: ("berubah", []), 4: ("dilewati", ["Keluarga yang sama sudah ada di baris 3."]),
    }  # fmt: skip
    store(import_id, bo)
    for written in (0, 1):
        asked = iter([False, False] + [True] * 9)
        assert work(settings, lambda asked=asked: next(asked)) == 0  # type: ignore[misc]
        assert len(profiles()) == written
    assert work(settings) == 1
    assert said(import_id, bo) == report
    assert [one.family_id for one in profiles()] == [home]


def test_a_card_of_before_finds_the_family_unless_it_means_another(bo: Actor, staff: Staff, settings: Settings) -> None:
    home = family_of(resident(staff.fo, "Baharuddin", kk=CARD))
    other = family_of(resident(staff.fo, "Asma", kk=OTHER))
    survivor = resident(staff.fo, "Rahma", kk=FOURTH)
    merge(survivor, resident(staff.fo, "Rahma", kk=MERGED), by=staff.supervisor)
    assert db.session.scalars(sa.select(OldIdentifier.number)).all() == [MERGED]
    with transaction() as session:
        session.add_all([FormerCard(family_id=home, kk=OTHER), *(FormerCard(family_id=one, kk=THIRD) for one in (home, other))])
    import_id = stored(bdt(SECOND, HOUSE | {"NoKK": THIRD}, HOUSE | {"NoKK": MERGED}), bo, settings, **ASKED)
    assert [reasons for _, reasons in said(import_id, bo).values()] == [[], [SEVERAL[0]], []]
    assert [one.family_id for one in profiles()] == [other, family_of(survivor)]


def test_without_a_card_a_family_is_known_by_the_number_of_the_survey(bo: Actor, staff: Staff, settings: Settings) -> None:
    """By the sheet of its members, imported before, or by a look into a list; never one of whom nothing is known."""
    proposed = see(upload(bdt(MAN, WOMAN), bo), bo).choice.mapping
    mapping = {key: index for key, index in proposed.items() if key != "village" and not key.startswith("bps_")}
    stored(bdt(MAN, WOMAN), bo, settings, options=ASKED["options"], mapping=mapping)
    by_members = db.session.scalars(sa.select(Family.id).where(Family.kk == CARD)).one()
    dtsen = db.session.scalars(sa.select(NationalList.id).where(NationalList.code == "dtsen")).one()
    homes = {}
    for number, card in (("7000", OTHER), ("8000", THIRD), ("8000", FOURTH)):
        person = resident(staff.fo, f"Warga {card[-2:]}", kk=card)
        look = NewStatus(dtsen, "ya", AT.date(), outside_id=number)
        note_status(person, look, request_id=f"look-{card}", by=staff.bo, at=AT)
        homes[card] = family_of(person)
    ruta = {heading: cell for heading, cell in HOUSE.items() if heading != "NoKK"} | {"Lantai": 3}
    content = bdt(*(ruta | {"IDBDT": number} for number in ("6205", "7000", "8000", "9999", "")))
    asked = {"options": {"checked_on": "2016-06-01"}, "village_code": ""}
    import_id = stored(content, bo, settings, **asked)
    assert list(said(import_id, bo).values()) == [
        ("berubah", []), ("berubah", []), ("salah", [SEVERAL_NUMBER[0]]), ("salah", [UNKNOWN_NUMBER[0]]),
        ("salah", ["Nomor survei (IDBDT) kosong."]),
    ]  # fmt: skip
    told = [one for one in profiles() if one.surveyed_on == date(2016, 6, 1)]
    assert [(one.family_id, one.outside_id) for one in told] == [(by_members, "6205"), (homes[OTHER], "7000")]
    again = stored(content, bo, settings, **asked)
    assert [verdict for verdict, _ in said(again, bo).values()] == ["sama", "sama", "salah", "salah", "salah"]


def test_only_families_where_the_importer_may_import(staff: Staff, settings: Settings) -> None:
    """A family whom she only sees is as unknown as one whom she does not, and its card does not fall to another."""
    grants = [Grant(Role.BO, (HOME,)), Grant(Role.FO, (NEIGHBOUR,))]
    by = employ(Actor.holding(staff.bo.account_id, "Andi", "bo.andi", grants))
    home = family_of(resident(staff.fo, "Baharuddin", kk=CARD))
    resident(staff.fo, "Asma", NEIGHBOUR, kk=OTHER)
    resident(staff.fo, "Nur", FAR, kk=THIRD)
    with transaction() as session:
        session.add(FormerCard(family_id=home, kk=THIRD))
    import_id = stored(bdt(SECOND, HOUSE | {"NoKK": THIRD}, HOUSE), by, settings, **ASKED)
    assert list(said(import_id, by).values()) == [("salah", [UNKNOWN[0]])] * 2 + [("berubah", [])]
    assert [one.family_id for one in profiles()] == [home]


def test_what_is_missing_is_asked_for(bo: Actor) -> None:
    import_id = upload(bdt(HOUSE), bo)
    with pytest.raises(InvalidInput) as caught:
        choose(import_id, bo, mapping={}, village_code="")
    assert caught.value.problems.keys() == {"kk", "layout"}
    with pytest.raises(InvalidInput) as caught:
        choose(import_id, bo, village_code="")
    assert caught.value.problems.keys() == {"checked_on"}
    mapping = see(import_id, bo).choice.mapping
    with pytest.raises(InvalidInput) as caught:
        choose(import_id, bo, **ASKED, mapping=mapping | {"bdt-2015.301a": mapping["bdt-2015.303"]})
    assert caught.value.problems.keys() == {"bdt-2015.301a", "bdt-2015.303"}


def test_a_sheet_of_people_in_the_same_workbook_comes_first(bo: Actor) -> None:
    content = BytesIO()
    book = Workbook(content)
    for name, row in (("RUTA", HOUSE), ("ART", MAN)):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, row.keys())
        sheet.write_row(1, 0, row.values())
    book.close()
    import_id = upload(content.getvalue(), bo)
    assert (see(import_id, bo).choice.layout, see(import_id, bo).choice.sheet) == ("bdt", "ART")
    other = imports.reading_of(import_id, sheet="RUTA", by=bo)
    assert other is not None
    assert other.layout == "bdt_keluarga"
