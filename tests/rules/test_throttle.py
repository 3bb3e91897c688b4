"""How long a name waits after wrong passwords."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from appliance.accounts.throttle import LONGEST_WAIT, MOST_MISSES_UNKNOWN, delay, judge

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("misses", "seconds"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 4), (5, 8), (6, 16), (7, 30), (8, 30), (99, 30), (10_000, 30)]
)
def test_the_pause_grows_to_half_a_minute_and_no_further(misses: int, seconds: int) -> None:
    assert delay(misses) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("misses", "ago", "wait"),
    [
        (0, None, 0),
        (1, 0, 0),
        (4, 0, 4),
        (4, 3, 1),
        (4, 4, 0),
        (50, 29, 1),
        (50, 30, 0),
        (50, 3600, 0),
        (4, -86_400, 4),  # the clock was set back: nobody waits a day
    ],
)
def test_the_wait_is_what_is_left_of_the_pause(misses: int, ago: int | None, wait: int) -> None:
    last = None if ago is None else AT - timedelta(seconds=ago)
    verdict = judge(misses, last, AT, known_device=True)
    assert verdict.wait == timedelta(seconds=wait)
    assert verdict.may_try is (wait == 0)


def test_unknown_devices_are_closed_out_after_the_ceiling_and_known_ones_never() -> None:
    long_ago = AT - timedelta(days=20)
    assert judge(MOST_MISSES_UNKNOWN - 1, long_ago, AT, known_device=False).may_try
    assert judge(MOST_MISSES_UNKNOWN, long_ago, AT, known_device=False).closed
    assert judge(MOST_MISSES_UNKNOWN * 10, long_ago, AT, known_device=True).may_try


def test_a_guesser_who_never_rests_gets_few_looks_a_day() -> None:
    looks, misses, last, at = 0, 0, None, AT
    while at < AT + timedelta(days=1):
        if judge(misses, last, at, known_device=True).may_try:
            looks, misses, last = looks + 1, misses + 1, at
        at += timedelta(seconds=0.5) if misses < 8 else LONGEST_WAIT
    assert looks < 2900  # of the 34 bits of a one-time password, or of any password that is not on the list
