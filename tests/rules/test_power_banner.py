"""What the pages say about the mains, whatever the watcher's files hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.gate import DRILL
from appliance.power import drain_drill, state
from appliance.power.journal import Outage
from webui.power_banner import banner_of, counting_banner, outage_of

AT = datetime(2026, 11, 21, 6, 5, tzinfo=UTC)
WITA = ZoneInfo("Asia/Makassar")


def _state(stage: str, **more: object) -> state.State:
    return state.State(**{"at": AT, "stage": stage, "accepts_work": True, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("published", "tone", "words"),
    [
        (None, "good", ""),
        (_state("online", mains=True), "good", ""),
        (_state("on-battery", seconds_left=299), "warn", "sistem mati dalam 4 menit"),
        (_state("on-battery", seconds_left=59), "warn", "kurang dari 1 menit"),
        (_state("on-battery"), "warn", "sewaktu-waktu"),
        (_state("on-battery", mains=True), "warn", "menyala lagi"),
        (_state("draining", accepts_work=False), "bad", "tidak menerima simpanan baru"),
        (_state("down", accepts_work=False), "bad", "sedang dimatikan"),
        (_state("online", accepts_work=False), "bad", "tidak menerima simpanan baru"),
        (_state("saving", accepts_work=False), "bad", "mati dalam beberapa detik"),
        (_state("ready", accepts_work=False, mains=False), "bad", "Semua yang sudah tersimpan aman"),
        (_state("ready", accepts_work=False, mains=True), "bad", "sistem tidak jadi mati"),
        (_state("down", accepts_work=False, mains=True), "bad", "sedang dimatikan"),
        (_state("boot-hold", accepts_work=False, sentence="Sistem baru menyala."), "warn", "Sistem baru menyala."),
        (_state("unknown", sentence="UPS tidak terhubung."), "warn", "UPS tidak terhubung."),
        (_state("unknown", sentence="Tanpa UPS.", notices=("blind-start",)), "bad", "Tanpa UPS."),
        (_state("online", mains=True, notices=("flapping",)), "warn", "padam berulang kali"),
        (_state("online", mains=True, notices=("no-alarm", "frozen")), "good", ""),
        (_state("on-battery", at=AT - timedelta(minutes=3)), "good", ""),  # a watcher that died is not believed
    ],
)
def test_the_banner_says_what_is_and_what_to_do(published: state.State | None, tone: str, words: str) -> None:
    banner = banner_of(published, AT)
    assert banner.tone == tone
    assert (words in banner.sentence) if words else banner.sentence == ""


@pytest.mark.parametrize(
    ("published", "seconds"),
    [
        (_state("on-battery", mains=False, seconds_left=299, at=AT - timedelta(seconds=2)), 297),
        (_state("on-battery", mains=False, seconds_left=1, at=AT - timedelta(seconds=2)), 0),
        (_state("on-battery", mains=True, seconds_left=299), None),
        (_state("on-battery", mains=False), None),
        (_state("draining", mains=False, seconds_left=0, accepts_work=False), None),
        (_state("online", mains=True, seconds_left=299), None),
    ],
)
def test_only_a_running_outage_is_counted_down(published: state.State, seconds: int | None) -> None:
    assert counting_banner(published, AT).seconds == seconds


def test_a_drill_is_not_told_as_an_outage() -> None:
    drill = _state("online", mains=True, accepts_work=False, cause=DRILL, sentence=drain_drill.SENTENCE)
    assert counting_banner(drill, AT).sentence == drain_drill.SENTENCE
    assert "padam" not in drain_drill.SENTENCE


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"stage": "draining"}', b'{"at": 5}', b"\xff\xfe", b'{"at": "x", "stage": 1}']
)
def test_a_broken_state_file_makes_no_banner(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(content)
    assert banner_of(state.read(file), AT).sentence == ""


def test_after_an_outage_the_page_says_for_a_day_when_and_why() -> None:
    outage = Outage(AT - timedelta(hours=2), AT - timedelta(hours=1), "time-on-battery", clean=True)
    note = outage_of(outage, AT, WITA)
    assert note is not None
    assert note.tone == "info"
    assert "Sabtu, 21 November 2026 pukul 12.05 WITA" in note.text
    assert "listrik padam terlalu lama" in note.text
    assert outage_of(outage, AT + timedelta(days=1), WITA) is None
    assert outage_of(None, AT, WITA) is None


def test_an_unclean_end_asks_to_check_the_last_work() -> None:
    note = outage_of(Outage(AT - timedelta(hours=2), AT - timedelta(hours=1), "cut", clean=False), AT, WITA)
    assert note is not None
    assert note.tone == "warn"
    assert "Periksa pekerjaan terakhir Anda" in note.text
