"""`slrt power watch`: a line for what changes, a countdown that is written over, and no countdown where no terminal is."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from appliance.commands.power_watch import NOBODY, Screen, countdown, lines_of
from appliance.power.state import State

AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
ONLINE = State(AT, "online", True, True, 100, 2760, sentence="Listrik menyala, baterai UPS 100 %.")
CUT = State(AT, "on-battery", True, False, 92, 2400, 299, "Listrik padam sudah 1 detik.")
DRAINING = State(AT, "draining", False, False, 50, 900, 0, "Sistem bersiap mati.")


@pytest.mark.parametrize(
    ("state", "line", "counting"),
    [
        (None, NOBODY, ""),
        (State(AT - timedelta(seconds=61), "online", True), NOBODY, ""),
        (ONLINE, "Listrik menyala.", ""),
        (CUT, "Listrik padam; sistem memakai baterai UPS.", "Sistem mati dalam 4 menit 59 detik; baterai UPS 92 %"),
        (DRAINING, "Sistem bersiap mati.", ""),
    ],
)
def test_what_is_said_of_a_state(state: State | None, line: str, counting: str) -> None:
    assert lines_of(state, "Perlindungan aktif.", AT) == (line, "Perlindungan aktif.")
    assert countdown(state).strip() == counting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_countdown_stays_on_one_line_of_a_terminal() -> None:
    out = Terminal()
    screen = Screen(out)
    screen.count("dua")
    screen.count("satu")
    screen.say("mati")
    screen.count("")
    assert out.getvalue() == "\r\x1b[Kdua\r\x1b[Ksatu\r\x1b[Kmati\n"


def test_a_file_gets_the_lines_only() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.count("dua")
    screen.say("mati")
    assert out.getvalue() == "mati\n"
