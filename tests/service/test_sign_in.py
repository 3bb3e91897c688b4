"""Signing in: passwords, the throttle in the database, sessions and their limits."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask

from appliance import accounts, audit, database
from appliance.accounts import Entered, SessionLimits, SignedIn, TooManyAttempts, passwords
from appliance.accounts.throttle import MOST_MISSES_UNKNOWN
from appliance.config import Settings
from appliance.database import db
from appliance.errors import ApplianceError, InvalidInput
from appliance.models.account import Account, SignInAttempt, WebSession
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from tests.support.web_client import PASSWORD, officer

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Makassar")
LIMITS = SessionLimits(timedelta(minutes=30), timedelta(hours=12))


@pytest.fixture
def rahma(app: Flask) -> str:
    return officer("rahma", Role.FO)


def _enter(password: str = PASSWORD, at: datetime = AT, device: str | None = None, username: str = "rahma") -> Entered:
    return accounts.sign_in(username, password, at=at, device_token=device, device="Chrome di Linux")


def _found(entered: Entered, at: datetime = AT) -> SignedIn | None:
    db.session.rollback()
    return accounts.find_session(entered.session_token, at, LIMITS, ZONE)


def _looks() -> int:
    """How many passwords were really compared, by the journal."""
    refused = sa.select(sa.func.count()).where(AuditEntry.action == "sign-in-refused")
    return db.session.scalar(refused) or 0


def _miss(times: int, at: datetime = AT, device: str | None = None) -> datetime:
    """Miss patiently; the moment of the next free try."""
    for _ in range(times):
        with pytest.raises(InvalidInput):
            _enter("bukan ini sandinya", at, device)
        at += timedelta(seconds=31)
    return at


def test_the_right_password_opens_a_session_and_stores_no_secret(rahma: str) -> None:
    entered = _enter(username=" RAHMA ")
    found = _found(entered)
    assert found is not None
    assert (found.actor.account_id, found.actor.roles, found.actor.areas) == (rahma, {Role.FO}, ("73.03",))
    stored = db.session.execute(sa.select(WebSession.id, WebSession.device_id)).one()
    assert entered.session_token not in stored
    assert entered.device_token not in stored
    assert [entry.action for entry in db.session.scalars(sa.select(AuditEntry))][-1] == "sign-in"
    assert audit.verify().ok


@pytest.mark.parametrize(
    ("username", "password"),
    [("rahma", "salah sekali ini"), ("rahma", ""), ("tidak.ada", PASSWORD), ("", ""), ("' OR 1=1 --", "x")],
)
def test_everything_wrong_is_answered_alike(rahma: str, username: str, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _enter(password, username=username)
    assert refused.value.problems == {"password": "Nama pengguna atau kata sandi salah."}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WebSession)) == 0


def test_wrong_passwords_make_the_next_try_wait_and_a_right_one_clears_them(rahma: str) -> None:
    for _ in range(2):
        with pytest.raises(InvalidInput):
            _enter("bukan ini sandinya")
    with pytest.raises(TooManyAttempts) as waits:
        _enter(PASSWORD)
    assert waits.value.wait == timedelta(seconds=1)
    assert _looks() == 2
    _enter(PASSWORD, AT + timedelta(seconds=1))
    assert db.session.scalars(sa.select(SignInAttempt)).all() == []


def test_a_name_that_does_not_exist_waits_as_well(rahma: str) -> None:
    for _ in range(2):
        with pytest.raises(InvalidInput):
            _enter("x", username="tidak.ada")
    with pytest.raises(TooManyAttempts):
        _enter("x", username="tidak.ada")


def test_a_stranger_can_lock_nobody_out_of_her_own_computer(rahma: str) -> None:
    mine = _enter().device_token
    at = _miss(1, AT + timedelta(minutes=1))
    with database.transaction() as session:  # the other misses would take the test half a minute
        session.execute(sa.update(SignInAttempt).values(misses=MOST_MISSES_UNKNOWN - 1))
    at = _miss(1, at)
    with pytest.raises(TooManyAttempts) as closed:
        _enter(PASSWORD, at)
    assert closed.value.wait is None
    assert "admin" in closed.value.hint
    assert _found(_enter(PASSWORD, at, mine), at) is not None
    password = accounts.reset_password(rahma, by=None, at=at)
    assert _enter(password, at).must_change_password


def test_known_devices_are_counted_apart_from_each_other(rahma: str) -> None:
    one, two = _enter().device_token, _enter().device_token
    at = _miss(9, AT + timedelta(minutes=1), one)
    with pytest.raises(InvalidInput):
        _enter("salah", at, one)
    with pytest.raises(TooManyAttempts):
        _enter(PASSWORD, at, one)
    assert _enter(PASSWORD, at, two)


def test_a_known_device_is_known_for_one_person_only(rahma: str) -> None:
    officer("irwan", Role.BO)
    hers = _enter().device_token
    _miss(2)
    with pytest.raises(InvalidInput):
        _enter("salah", device=hers, username="irwan")
    rows = {(row.subject == rahma, row.device_id) for row in db.session.scalars(sa.select(SignInAttempt))}
    assert {device for _hers, device in rows} == {"unknown"}


def test_the_count_survives_a_restart(rahma: str, settings: Settings) -> None:
    _miss(3)
    db.session.remove()
    with database.create_service(settings).app_context(), pytest.raises(TooManyAttempts):
        _enter(PASSWORD, AT + timedelta(seconds=31 * 2 + 1))


def test_many_guesses_at_once_are_looked_at_no_more_than_one_after_another(rahma: str, app: Flask) -> None:
    outcomes: list[str] = []

    def guess() -> None:
        with app.app_context():
            try:
                _enter("bukan ini sandinya")
            except ApplianceError as error:
                outcomes.append(type(error).__name__)

    db.session.rollback()
    threads = [threading.Thread(target=guess) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("InvalidInput") == 2
    assert outcomes.count("TooManyAttempts") == 6


def test_guesses_of_a_stranger_write_no_more_than_they_are_looked_at(rahma: str) -> None:
    _miss(4)
    before = _looks()
    for _ in range(50):
        with pytest.raises(TooManyAttempts):
            _enter("salah", AT + timedelta(seconds=31 * 3 + 1))
    db.session.rollback()
    assert _looks() == before == 4


def test_names_that_do_not_exist_cannot_fill_the_table(rahma: str) -> None:
    with pytest.raises(InvalidInput):
        _enter("x", username="a" * 5000)
    row = db.session.scalars(sa.select(SignInAttempt)).one()
    assert row.subject.startswith("stranger:")
    assert len(row.subject) < 20


def test_a_one_time_password_dies_unused_after_seven_days(rahma: str) -> None:
    password = accounts.reset_password(rahma, by=None, at=AT)
    with pytest.raises(InvalidInput, match="Belum dapat masuk") as late:
        _enter(password, AT + passwords.ONE_TIME_LIFE)
    assert "kedaluwarsa" in late.value.problems["password"]
    assert _enter(password, AT + passwords.ONE_TIME_LIFE - timedelta(seconds=1)).must_change_password


def test_that_an_account_is_off_is_told_only_to_who_knows_its_password(rahma: str) -> None:
    accounts.deactivate(rahma, by=None, at=AT)
    with pytest.raises(InvalidInput) as guess:
        _enter("bukan ini sandinya")
    with pytest.raises(InvalidInput) as owner:
        _enter(PASSWORD)
    assert "salah" in guess.value.problems["password"]
    assert "dinonaktifkan" in owner.value.problems["password"]


def test_a_hash_of_older_parameters_is_renewed_at_the_next_sign_in(rahma: str) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with database.transaction():
        db.session.get_one(Account, rahma).password_hash = old
    _enter()
    db.session.rollback()
    assert not passwords.needs_rehash(db.session.get_one(Account, rahma).password_hash)


@pytest.mark.parametrize(
    ("later", "alive"),
    [
        (timedelta(minutes=29, seconds=59), True),
        (timedelta(minutes=30), False),
        (timedelta(days=400), False),
        (-timedelta(days=4000), True),  # the clock fell back to 2015: nobody is thrown out for it
    ],
)
def test_a_session_ends_when_nobody_is_there(rahma: str, later: timedelta, alive: bool) -> None:
    assert (_found(_enter(), AT + later) is not None) is alive


def test_a_session_ends_after_its_longest_time_even_when_used_all_the_time(rahma: str) -> None:
    entered, at = _enter(), AT
    while at < AT + LIMITS.longest - timedelta(minutes=20):
        at += timedelta(minutes=20)
        found = _found(entered, at)
        assert found is not None
        accounts.touch_session(found, at)
    assert _found(entered, AT + LIMITS.longest - timedelta(seconds=1)) is not None
    assert _found(entered, AT + LIMITS.longest) is None


def test_signing_in_again_replaces_the_session_of_this_browser(rahma: str) -> None:
    first = _enter()
    second = accounts.sign_in("rahma", PASSWORD, at=AT, device_token=first.device_token, device="x", replaces=first.session_token)
    assert _found(first) is None
    assert _found(second) is not None
    assert second.session_token != first.session_token
    assert second.device_token == first.device_token


def test_signing_out_ends_this_session_and_elsewhere_the_others(rahma: str) -> None:
    one, two, three = _enter(), _enter(), _enter()
    first = _found(one)
    assert first is not None
    accounts.end_session(first, AT)
    assert (_found(one), _found(two) is None) == (None, False)
    second = _found(two)
    assert second is not None
    assert [line.here for line in accounts.list_sessions(second, AT, LIMITS)].count(True) == 1
    assert accounts.end_other_sessions(second, AT) == 1
    assert _found(three) is None
    assert _found(two) is not None


def test_a_new_password_ends_every_session_and_hands_this_browser_a_new_one(rahma: str) -> None:
    here, elsewhere = _enter(), _enter()
    found = _found(here)
    assert found is not None
    token = accounts.change_password(found, PASSWORD, "sungai mengalir tenang", "sungai mengalir tenang", AT)
    assert _found(here) is None
    assert _found(elsewhere) is None
    assert accounts.find_session(token, AT, LIMITS, ZONE) is not None
    with pytest.raises(InvalidInput):
        _enter(PASSWORD)
    assert _enter("sungai mengalir tenang")


def test_a_new_password_must_be_good_and_typed_twice_alike(rahma: str) -> None:
    found = _found(_enter())
    assert found is not None
    with pytest.raises(InvalidInput) as weak:
        accounts.change_password(found, "bukan ini", "rahma12345", "x", AT)
    assert set(weak.value.problems) == {"current", "new"}
    with pytest.raises(InvalidInput) as unlike:
        accounts.change_password(found, PASSWORD, "sungai mengalir tenang", "sungai mengalir", AT)
    assert set(unlike.value.problems) == {"again"}


def test_an_account_that_is_switched_off_is_out_at_the_next_click(rahma: str) -> None:
    entered = _enter()
    accounts.deactivate(rahma, by=None, at=AT)
    assert _found(entered) is None
    accounts.activate(rahma, by=None, at=AT)
    assert _found(entered) is None


def test_a_living_session_of_an_account_that_is_off_opens_nothing(rahma: str) -> None:
    entered = _enter()
    with database.transaction():  # as a restored or mended database may have it
        db.session.get_one(Account, rahma).active = False
    assert _found(entered) is None


def test_no_password_and_no_token_stands_in_the_journal(rahma: str) -> None:
    entered = _enter()
    password = accounts.reset_password(rahma, by=None, at=AT)
    text = "\n".join(f"{row.action} {row.subject} {row.detail} {row.device}" for row in db.session.scalars(sa.select(AuditEntry)))
    for secret in (PASSWORD, password, entered.session_token, entered.device_token):
        assert secret not in text


def test_old_sessions_and_counts_are_forgotten(rahma: str) -> None:
    _enter()
    _miss(1)
    _enter(at=AT + timedelta(days=100), device=_enter(at=AT + timedelta(days=100)).device_token)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WebSession)) == 2
