"""Which lines of the journal become notices, and that a notice waits until every address has it, but no longer than a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.backup_news import News
from appliance.notices import outbox
from appliance.notices.backup import message_of_backup, why_late
from appliance.notices.messages import Message, message_of, messages_of
from appliance.notices.outbox import Outbox, Waiting, delivered, unread, with_messages
from appliance.notices.run import send_waiting
from appliance.power.chain import Color, Finding, Light
from appliance.power.journal import End, Entry, Event
from appliance.power.policy import Cause

AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WITA = ZoneInfo("Asia/Makassar")
DOWN = {"down_at": AT.isoformat(), "cause": Cause.TIME, "clean": True}


@pytest.mark.parametrize(
    ("entries", "texts"),
    [
        ([Entry(AT, Event.STARTED), Entry(AT, Event.DECIDED), Entry(AT, Event.UPS_SILENT)], []),
        ([Entry(AT, Event.MAINS_LOST)], ["Listrik padam sejak 28-11-2026 pukul 11.00 WITA. Sistem memakai baterai UPS."]),
        (
            [Entry(AT, Event.MAINS_LOST), Entry(AT + MINUTE, Event.MAINS_BACK)],
            ["Listrik padam 1 menit, menyala kembali pada 28-11-2026 pukul 11.01 WITA."],
        ),
        ([Entry(AT, Event.MAINS_BACK)], ["Listrik menyala kembali pada 28-11-2026 pukul 11.00 WITA."]),
        (
            [Entry(AT, Event.MAINS_LOST), Entry(AT + 5 * MINUTE, Event.HANDED_OVER, {"cause": Cause.TIME})],
            [
                "Listrik padam sejak 28-11-2026 pukul 11.00 WITA. Sistem memakai baterai UPS.",
                "Sistem mati pada 28-11-2026 pukul 11.05 WITA: listrik padam terlalu lama.",
            ],
        ),
        (
            [Entry(AT, Event.BACK, DOWN)],
            ["Sistem mati dengan tertib (listrik padam terlalu lama) dan hidup kembali pada 28-11-2026 pukul 11.00 WITA."],
        ),
        (
            [Entry(AT, Event.BACK, {**DOWN, "cause": End.CRASH, "clean": False})],
            [
                "Sistem mati mendadak (berhenti mendadak ketika listrik menyala) dan hidup kembali pada 28-11-2026 pukul 11.00 WITA."
            ],
        ),
        ([Entry(AT, Event.BACK, {**DOWN, "cause": End.OPERATOR})], []),
        (
            [Entry(AT, Event.STILL_SILENT, {"silent": 86700})],
            ["UPS sudah 24 jam 5 menit tidak terbaca, jadi sistem tidak terlindung dari pemadaman. Periksa kabel USB UPS."],
        ),
        (
            [Entry(AT, Event.REPLACE_BATTERY)],
            ["UPS meminta baterainya diganti. Sampai diganti, sistem mungkin tidak sempat mati dengan tertib."],
        ),
    ],
)
def test_a_line_of_the_journal_and_its_notice(entries: list[Entry], texts: list[str]) -> None:
    assert [message.text for message in messages_of(entries, WITA)] == texts


def test_twenty_cuts_that_are_over_are_twenty_notices_and_not_forty() -> None:
    entries = [Entry(AT + number * MINUTE, (Event.MAINS_LOST, Event.MAINS_BACK)[number % 2]) for number in range(40)]
    assert len(messages_of(entries, WITA)) == 20


RED = Light(Color.NOT_ARMED, "Perlindungan TIDAK aktif karena x.", (Finding("upsmon", "x", "Jalankan y."),))
GREEN, YELLOW = Light(Color.ARMED, "Perlindungan aktif."), Light(Color.CHECKING, "…")


@pytest.mark.parametrize(
    ("light", "was_armed", "text"),
    [
        (RED, True, "Perlindungan TIDAK aktif karena x. Jalankan y."),
        (RED, False, None),
        (GREEN, False, "Perlindungan aktif."),
        (GREEN, True, None),
        (YELLOW, True, None),
        (YELLOW, False, None),
        (Light(Color.NONE, "Tidak ada UPS."), False, None),
    ],
)
def test_only_a_changed_light_is_a_notice(light: Light, was_armed: bool, text: str | None) -> None:
    message = message_of(light, was_armed, AT)
    assert (message.text if message else None) == text


def test_the_journal_is_read_on_from_the_last_line_and_never_from_the_beginning() -> None:
    entries = [Entry(AT + number * MINUTE, Event.MAINS_LOST) for number in range(3)]
    assert unread(entries, "") == ()
    assert unread(entries, outbox.name_of(entries[1])) == entries[2:]
    assert unread(entries, outbox.name_of(entries[2])) == []
    assert unread(entries, "2026-11-28T00:00:00+00:00 mains-lost") == (), "the line was rotated away"


NEWS = [Message(AT, "Satu", "satu"), Message(AT + MINUTE, "Dua", "dua")]


def test_a_notice_waits_for_every_address_and_survives_a_new_process(tmp_path: Path) -> None:
    full = with_messages(Outbox("x", armed=False), NEWS, ["a", "b"], AT)
    outbox.save(tmp_path, full)
    assert outbox.load(tmp_path) == full
    half = delivered(full, NEWS[0], "a")
    assert [one.left for one in half.waiting] == [("b",), ("a", "b")]
    assert [one.message for one in delivered(half, NEWS[0], "b").waiting] == [NEWS[1]]
    gone = with_messages(half, [], ["a"], AT)
    assert [one.message for one in gone.waiting] == [NEWS[1]], "b is no address any more and a has the first"


def test_what_is_a_day_old_or_too_much_is_dropped() -> None:
    full = with_messages(Outbox(), NEWS, ["a"], AT)
    assert [one.message for one in with_messages(full, [], ["a"], AT + outbox.KEPT).waiting] == [NEWS[1]]
    many = [replace(NEWS[0], title=str(number)) for number in range(outbox.MOST + 7)]
    kept = with_messages(Outbox(), many, ["a"], AT).waiting
    assert [kept[0].message.title, len(kept)] == ["7", outbox.MOST]


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"waiting": [{}]}', '{"waiting": [], "read_until": ""}'])
def test_a_broken_outbox_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / outbox.OUTBOX_FILE).write_text(content)
    assert outbox.load(tmp_path) is None


def test_an_address_that_fails_is_tried_once_a_run_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    known = ["good://", "bad://"]
    marks = [outbox.mark_of(address) for address in known]
    tried: list[tuple[str, str]] = []

    def send(address: str, message: Message) -> bool:
        tried.append((address, message.title))
        return address == "good://"

    left = send_waiting(tmp_path, with_messages(Outbox(), NEWS, marks, AT), known, send)
    assert tried == [("good://", "Satu"), ("bad://", "Satu"), ("good://", "Dua")]
    assert left.waiting == (Waiting(NEWS[0], (marks[1],)), Waiting(NEWS[1], (marks[1],)))
    assert outbox.load(tmp_path) == left


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("good", "restored", "since", "late"),
    [
        (1, 5, 40, ""),
        (3, 14, 40, ""),
        (3.1, 5, 40, "cadangan"),
        (1, 14.1, 40, "uji"),
        (9, 20, 40, "cadangan"),
        # a node of the first days has none yet; later that is news
        (None, None, 2, ""),
        (None, None, 4, "cadangan"),
        (0, None, 13, ""),
        (0, None, 15, "uji"),
        (None, None, None, ""),
    ],
)
def test_how_old_a_backup_may_be(good: float | None, restored: float | None, since: float | None, late: str) -> None:
    moments = [AT - DAY * days if days is not None else None for days in (good, restored, since)]
    assert why_late(News(*moments), AT, 3 * DAY) == late


@pytest.mark.parametrize(
    ("minutes", "late"),
    [(0, ""), (90, ""), (90.1, "catatan"), (900, "catatan"), (None, "")],
)
def test_how_long_the_newest_may_be_on_one_disk_only(minutes: float | None, late: str) -> None:
    reaches = AT - timedelta(minutes=minutes) if minutes is not None else None
    news = News(AT - DAY, AT - DAY, AT - 40 * DAY, reaches)
    assert why_late(news, AT, 3 * DAY) == late
    assert why_late(replace(news, good=AT - 4 * DAY), AT, 3 * DAY) == "cadangan"
    told = message_of_backup(news, "", late, AT, WITA)
    assert (told is not None) == bool(late)
    assert told is None or "hanya ada di satu disk" in told.title


def test_a_sheet_that_nobody_tried_is_told_and_that_it_was_tried() -> None:
    owed = News(AT, AT, AT - 40 * DAY, sheet_due=AT - DAY)
    assert why_late(owed, AT, 3 * DAY) == "lembar"
    assert why_late(replace(owed, sheet_due=AT), AT, 3 * DAY) == ""
    assert why_late(replace(owed, good=AT - 4 * DAY), AT, 3 * DAY) == "cadangan", "what is worse comes first"
    asked, done = message_of_backup(owed, "", "lembar", AT, WITA), message_of_backup(owed, "lembar", "", AT, WITA)
    assert asked is not None
    assert done is not None
    assert (asked.title, done.title) == ("Lembar pemulihan belum dicetak atau belum diuji", "Lembar pemulihan sudah diuji")
    assert message_of_backup(owed, "lembar", "lembar", AT, WITA) is None


def test_a_backup_that_is_late_is_told_once_and_so_is_the_next_good_one() -> None:
    news = News(AT - 4 * DAY, AT - 5 * DAY, AT - 40 * DAY)
    late = message_of_backup(news, "", "cadangan", AT, WITA)
    assert late is not None
    assert late.text.startswith("Cadangan terakhir yang terbukti baik: 24-11-2026 pukul 11.00 WITA.")
    assert message_of_backup(news, "cadangan", "cadangan", AT, WITA) is None
    again = message_of_backup(news, "cadangan", "", AT, WITA)
    assert again is not None
    assert again.title == "Cadangan baik kembali"
    tested = message_of_backup(news, "cadangan", "uji", AT, WITA)
    assert tested is not None
    assert "sebagai uji: 23-11-2026" in tested.text
