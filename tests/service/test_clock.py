"""The clock of a node over its life: the mark that moves on, jumps that are told, and an administrator who sets it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from appliance import audit, clock_keeper, clock_orders, database
from appliance.clock import EARLIEST, TOO_FAR, Mark, Reading, mark_file, read_mark, write_mark
from appliance.clock_watch import ClockWatch, ticks
from appliance.commands import clock as terminal
from appliance.commands.door import Door
from appliance.config import Settings, render
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from appliance.status import Health, read_status
from tests.support.web_client import PASSWORD, Web, officer, web_app

DAY = timedelta(days=1)
# what the pages and root do asks nothing of the database that the watching does not
on_sqlite = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@dataclass
class Hands:
    """The two clocks of a machine, in the hands of a test."""

    wall: datetime
    ticks: timedelta = timedelta(hours=1)

    def pass_by(self, time: timedelta) -> None:
        self.wall, self.ticks = self.wall + time, self.ticks + time


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("admin.it", Role.ADMIN)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def watch(settings: Settings, hands: Hands) -> ClockWatch:
    return ClockWatch(settings, lambda: hands.wall, lambda: hands.ticks)


def jumps(app: Flask, action: str = "jam-melompat") -> list[dict[str, str]]:
    with app.app_context():
        found = database.db.session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.position)
        )
        return [json.loads(entry.detail) for entry in found]


def recorded(app: Flask, at: datetime) -> None:
    with app.app_context(), database.transaction():
        audit.record("test", "node:clock", by=None, at=at)


def test_the_mark_moves_on_with_the_clock_and_waits_when_it_is_wrong(app: Flask, settings: Settings) -> None:
    hands = Hands(datetime.now(UTC))
    found = watch(settings, hands)
    with app.app_context():
        assert found.look() is Reading.RIGHT
        hands.pass_by(timedelta(minutes=5))
        assert found.look() is Reading.RIGHT
        right = read_mark(mark_file(settings))
        assert right == Mark(hands.wall)
        hands.wall -= DAY
        assert found.look() is Reading.BEHIND
        hands.wall += DAY + TOO_FAR + DAY
        assert found.look() is Reading.AHEAD
    assert read_mark(mark_file(settings)) == right, "a wrong clock moves nothing"
    told = jumps(app)
    assert len(told) == 2, "each jump once"
    assert datetime.fromisoformat(told[0]["dari"]) - datetime.fromisoformat(told[0]["menjadi"]) == DAY


def test_time_that_passes_is_no_jump(app: Flask, settings: Settings) -> None:
    hands = Hands(datetime.now(UTC))
    found = watch(settings, hands)
    with app.app_context():
        for step in (timedelta(seconds=10), timedelta(hours=9), timedelta(days=3)):
            hands.pass_by(step)
            found.look()
    assert jumps(app) == []


def test_the_newest_record_counts_at_the_first_look(app: Flask, settings: Settings) -> None:
    """The pages wrote on after the scheduler had died; then the battery of the clock was empty."""
    now = datetime.now(UTC)
    write_mark(mark_file(settings), Mark(now - DAY))
    recorded(app, now)
    with app.app_context():
        assert watch(settings, Hands(now - timedelta(hours=3))).look() is Reading.BEHIND
    found = read_mark(mark_file(settings))
    assert found is not None
    assert found.at >= now


def test_what_a_clock_far_ahead_recorded_does_not_make_it_right(app: Flask, settings: Settings) -> None:
    now, ahead = datetime.now(UTC), datetime.now(UTC) + TOO_FAR + 2 * DAY
    write_mark(mark_file(settings), Mark(now))
    recorded(app, ahead)
    with app.app_context():
        assert watch(settings, Hands(ahead + timedelta(hours=1))).look() is Reading.AHEAD
        assert watch(settings, Hands(now)).look() is Reading.RIGHT


@pytest.fixture
def web(app: Flask) -> Web:
    web = Web(app)
    assert web.sign_in("admin.it").status_code == 303
    return web


def behind(settings: Settings, by: timedelta = DAY) -> datetime:
    """The clock of now is behind the last record."""
    at = datetime.now(UTC) + by
    write_mark(mark_file(settings), Mark(at))
    return at


def typed(settings: Settings, wanted: datetime, password: str = PASSWORD, date: str = "") -> dict[str, object]:
    local = wanted.astimezone(settings.zone)
    return {"wish": "set", "date": f"{local:%d-%m-%Y}", "time": f"{local:%H.%M}", "typed": date, "password": password}


@on_sqlite
def test_with_a_wrong_clock_data_are_read_only_and_everybody_is_told(web: Web, settings: Settings) -> None:
    last = behind(settings)
    assert "padahal catatan terakhir dari" in web.get("/").text
    refused = web.post("/cadangan/stik/A/lepas")
    assert refused.status_code == 503
    assert "Jam simpul ini mundur" in refused.text
    part = read_status(settings, datetime.now(UTC))["clock"]
    assert part.state is Health.FAIL
    assert f"{last.astimezone(settings.zone):%d-%m-%Y}" in part.text


@on_sqlite
def test_somebody_can_still_sign_in_to_mend_it(app: Flask, settings: Settings) -> None:
    behind(settings)
    assert Web(app).sign_in("admin.it").status_code == 303


@on_sqlite
def test_the_clock_is_set_as_ordered_and_the_time_until_then_is_added(web: Web, settings: Settings, app: Flask) -> None:
    wanted = (behind(settings) + timedelta(minutes=5)).replace(second=0, microsecond=0)
    date = f"{wanted.astimezone(settings.zone):%d-%m-%Y}"
    web.get("/jam")
    assert web.post("/jam", typed(settings, wanted, date=date)).status_code == 303
    assert jumps(app, "jam-atur")[0]["menjadi"] == wanted.isoformat(timespec="seconds")
    before, shown = ticks(), []
    assert clock_keeper.attend(settings, shown.append)
    assert wanted <= shown[0] <= wanted + (ticks() - before) + timedelta(minutes=1)
    assert not clock_keeper.attend(settings, shown.append), "an order is carried out once"


@on_sqlite
@pytest.mark.parametrize(
    ("shift", "password", "sentence"),
    [
        (-DAY, PASSWORD, "tidak dapat diatur sebelum itu"),
        (2 * DAY, PASSWORD, "untuk memastikan"),
        (timedelta(hours=1), "", "Ketik kata sandi Anda"),
        (timedelta(hours=1), "bukan ini", "Kata sandi Anda tidak cocok"),
    ],
)
def test_a_wrong_order_sets_nothing(web: Web, settings: Settings, shift: timedelta, password: str, sentence: str) -> None:
    write_mark(mark_file(settings), Mark(datetime.now(UTC)))
    web.get("/jam")
    answer = web.post("/jam", typed(settings, datetime.now(UTC) + shift, password))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert PASSWORD not in answer.text
    assert clock_orders.take(settings) is None


@on_sqlite
@pytest.mark.parametrize(
    ("date", "time", "sentence"),
    [
        ("12/31/2026", "14.05", "tidak ada di kalender"),
        ("31-12-2026", "02.05 PM", "Tulis jam.menit"),
        ("31-12-2026", "", "Isi tanggal dan jamnya"),
    ],
)
def test_a_date_is_typed_as_the_office_writes_it_whatever_the_language_of_the_browser(
    web: Web, settings: Settings, date: str, time: str, sentence: str
) -> None:
    local = datetime.now(settings.zone)
    assert f'value="{local:%d-%m-%Y}"' in web.get("/jam").text
    answer = web.post("/jam", {**typed(settings, local), "date": date, "time": time})
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert clock_orders.take(settings) is None


@on_sqlite
def test_guessing_the_password_is_slowed_as_at_signing_in(web: Web, settings: Settings) -> None:
    write_mark(mark_file(settings), Mark(datetime.now(UTC)))
    web.get("/jam")
    guess = typed(settings, datetime.now(UTC) + timedelta(hours=1), "bukan ini")
    told = list(takewhile(lambda status: status == 422, (web.post("/jam", guess).status_code for _ in range(20))))
    assert 0 < len(told) < 20, "it was stopped"


@on_sqlite
def test_after_months_without_power_an_admin_says_that_the_date_is_right(web: Web, settings: Settings, app: Flask) -> None:
    write_mark(mark_file(settings), Mark(datetime.now(UTC) - TOO_FAR - DAY))
    web.get("/jam")
    assert web.post("/jam", {"wish": "right", "typed": "01-01-2020", "password": PASSWORD}).status_code == 422

    def says_today() -> int:
        today = f"{datetime.now(settings.zone):%d-%m-%Y}"
        return web.post("/jam", {"wish": "right", "typed": today, "password": PASSWORD}).status_code

    assert 303 in (says_today() for _ in range(2)), "between typing and answering there may have been midnight"
    assert len(jumps(app, "jam-benar")) == 1
    assert web.post("/cadangan/stik/A/lepas").status_code == 404, "the gate is open"


@on_sqlite
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"at": "x", "up": 1, "by": "a"}',
        '{"at": "9999-12-31T23:59:59+00:00", "up": 1, "by": "a"}',
        '{"at": "2150-01-01T00:00:00+00:00", "up": 1, "by": "a"}',
    ],
)
def test_root_takes_no_order_that_makes_no_sense(settings: Settings, text: str) -> None:
    place = Path(settings.paths.runtime) / clock_orders.REQUEST
    place.write_text(text)
    assert clock_orders.take(settings) is None
    assert not place.exists()


@on_sqlite
def test_root_never_goes_before_the_last_record_whatever_the_order_says(settings: Settings) -> None:
    write_mark(mark_file(settings), Mark(datetime.now(UTC)))
    shown: list[datetime] = []
    for at, up in ((datetime.now(UTC) - DAY, ticks()), (datetime.now(UTC) + DAY, ticks() - timedelta(hours=1))):
        order = {"at": at.isoformat(), "up": up.total_seconds(), "by": "a"}
        (Path(settings.paths.runtime) / clock_orders.REQUEST).write_text(json.dumps(order))
        assert not clock_keeper.attend(settings, shown.append)
    assert shown == []


@on_sqlite
def test_records_of_a_wrong_clock_are_passed_over_when_root_says_so(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For sixty days nobody saw that it was ahead: no page may go back before those records, a terminal may, with a reason."""
    ahead, right = datetime.now(UTC) + 60 * DAY, datetime.now(UTC).replace(second=0, microsecond=0)
    write_mark(mark_file(settings), Mark(ahead))
    recorded(app, ahead)
    shown: list[datetime] = []
    monkeypatch.setattr(terminal, "set_machine_clock", shown.append)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(terminal, "become_owner_of", lambda folder: None)
    file = tmp_path / "appliance.toml"
    file.write_text(render(settings))
    words = ["set", f"{right.astimezone(settings.zone):%Y-%m-%d %H:%M}"]
    refused = CliRunner().invoke(terminal.command, words, obj=Door(file))
    assert refused.exit_code != 0
    assert shown == []
    done = CliRunner().invoke(terminal.command, [*words, "--even-before", "Jam maju enam puluh hari"], obj=Door(file))
    assert done.exit_code == 0, done.output
    assert shown == [right]
    with app.app_context():
        assert watch(settings, Hands(right + timedelta(minutes=1))).look() is Reading.RIGHT


def test_a_new_node_believes_its_clock(app: Flask, settings: Settings) -> None:
    with app.app_context():
        assert watch(settings, Hands(EARLIEST + 900 * DAY)).look() is Reading.RIGHT
        assert replace(Mark(EARLIEST), position=0) == Mark(EARLIEST)
