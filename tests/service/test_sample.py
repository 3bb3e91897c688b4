"""The console commands of the database, and the sample they fill in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from appliance import audit, database
from appliance.access import Actor
from appliance.casework.history import history_is_whole
from appliance.cli import slrt
from appliance.config import Settings, render
from appliance.database import db
from appliance.errors import Conflict
from appliance.letters import office
from appliance.models.case import Case
from appliance.models.person import Person, Relation
from appliance.models.profile import Profile
from appliance.models.programme import Participation, Payment
from appliance.models.roles import Role
from appliance.registry.aid import AidView, aid_of_person
from appliance.registry.nik import check_nik
from appliance.sample import STAFF, fill
from tests.support.databases import settings_below
from tests.support.desk import resident
from tests.support.staff import AT, hire


def run(settings: Settings, *arguments: str) -> Result:
    file = Path(settings.paths.data).parent / "appliance.toml"
    file.write_text(render(settings))
    return CliRunner().invoke(slrt, ["--config", str(file), "database", *arguments])


def test_upgrade_twice_and_check(tmp_path: Path) -> None:
    settings = settings_below(tmp_path)
    first = run(settings, "upgrade")
    # the areas, and the codes of BPS that are known
    assert (first.exit_code, "91607 baris" in first.output) == (0, True), first.output
    assert run(settings, "upgrade").output == "Tidak ada yang berubah.\n"
    check = run(settings, "check")
    assert (check.exit_code, "Jurnal audit utuh (0 catatan)" in check.output) == (0, True), check.output


def test_check_tells_a_missing_database(tmp_path: Path) -> None:
    result = run(settings_below(tmp_path), "check")
    assert result.exit_code == 1
    assert "slrt database upgrade" in result.output


def test_the_sample_is_whole_and_plausible(settings: Settings) -> None:
    with database.create_service(settings).app_context():
        made = fill(at=AT)
        assert [account.username for account in made] == [row[0] for row in STAFF]
        assert all(account.one_time_password for account in made)
        assert [one.position for one in office.signatories()] == ["Kepala Dinas Sosial"]
        states = set(db.session.scalars(sa.select(Case.state)))
        assert len(states) >= 14, states
        people = db.session.scalars(sa.select(Person)).all()
        assert 180 <= len(people) <= 240
        assert sum(bool(check_nik(person.nik).wrong) for person in people if person.nik) == 0
        assert all(person.nik is None or person.nik[12] == "9" for person in people)
        assert all(history_is_whole(case) for case in db.session.scalars(sa.select(Case.id)))
        assert all(case.state_since <= AT for case in db.session.scalars(sa.select(Case)))
        assert db.session.query(Payment).count() >= 40
        assert {view.cautions != () for view in views(people)} == {True, False}
        assert db.session.query(Profile).count() == 12
        assert audit.verify().ok


def views(people: Sequence[Person]) -> list[AidView]:
    """What the desk sees of the aid of some of them."""
    desk = Actor("desk", "Meja", "desk", frozenset({Role.FO}), ("73.03",))
    return [aid_of_person(person.id, by=desk) for person in people if person.relation == Relation.HEAD][:16]


def test_a_filling_that_was_cut_off_goes_on(settings: Settings) -> None:
    with database.create_service(settings).app_context():
        told: list[str] = []

        def stop_after_people(line: str) -> None:
            told.append(line)
            if len(told) == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fill(at=AT, tell=stop_after_people)
        people = db.session.query(Person).count()
        again = fill(at=AT)
        assert db.session.query(Person).count() == people
        assert db.session.query(Case).count() > 20
        assert all(account.one_time_password for account in again if account.username != "admin.it")
        third = [db.session.query(table).count() for table in (Case, Participation, Payment, Profile)]
        fill(at=AT)
        assert [db.session.query(table).count() for table in (Case, Participation, Payment, Profile)] == third
        assert len(office.signatories()) == 1


def test_the_sample_is_not_mixed_with_real_people(settings: Settings) -> None:
    with database.create_service(settings).app_context():
        staff = hire()
        resident(staff.fo)
        with pytest.raises(Conflict):
            fill(at=AT)


def test_the_sample_is_for_its_district_only(settings: Settings) -> None:
    elsewhere = dataclasses.replace(settings, node=dataclasses.replace(settings.node, district="51.71"))
    with database.create_service(elsewhere).app_context(), pytest.raises(Conflict, match=r"73\.03"):
        fill(at=AT)
