"""What is said of a stick and of the recovery sheet, when a stick is written, and which groups of a passphrase are right."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.notices.messages import messages_of_sticks
from appliance.recovery import rules as recovery
from appliance.recovery.record import Check, Paper, Sheet
from appliance.sticks import book, capacity, keeper
from appliance.sticks.book import Seen, Sight, State, Stick, Stranger
from appliance.sticks.devices import Disk
from appliance.sticks.rules import Tone, copy_due, judge, none_known, worst
from backups import passphrase
from backups.errors import WrongPassphrase
from backups.outcome import Outcome, Record
from backups.schedule import Moment, Reason, Rhythm

AT = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
A = Stick("0a-uuid", "A", 64_000_000_000, AT - 60 * DAY, "ab" * 32)
RHYTHM = Rhythm(time(22, 0), ZoneInfo("Asia/Makassar"), timedelta(minutes=10))


def moment(at: datetime) -> Moment:
    return Moment(at, "boot", timedelta(days=30) + (at - AT))


def ended(at: datetime, *, ok: bool = True) -> Outcome:
    return Outcome(moment(at), ok, "1" if ok else None, "Lengkap." if ok else "Stik A penuh.", "" if ok else "Ganti.")


def copies(good: timedelta | None = None, bad: timedelta | None = None) -> Record:
    """A record with a good run so long ago, and after it a bad one."""
    last_good = ended(AT - good) if good is not None else None
    last = ended(AT - bad, ok=False) if bad is not None else last_good
    return Record(last, last_good, last.moment if last else None)


GOOD = copies(good=timedelta(hours=3))


@pytest.mark.parametrize(
    ("seen", "record", "tone", "words", "may_eject"),
    [
        (Seen(State.READY, AT, AT - DAY), GOOD, Tone.GOOD, "terpasang; cadangannya lengkap", True),
        (Seen(State.READY, AT, AT - 8 * DAY), GOOD, Tone.GOOD, "terpasang", True),
        (Seen(State.READY, AT, AT - 9 * DAY), GOOD, Tone.WARN, "Stik A sudah 9 hari terpasang terus.", True),
        (Seen(State.READY, AT, AT), Record(), Tone.INFO, "segera ditulisi", True),
        (Seen(State.READY, AT, AT), copies(DAY, timedelta(hours=1)), Tone.BAD, "Stik A penuh.", True),
        (Seen(State.READY, AT, AT), replace(GOOD, attempt=moment(AT)), Tone.INFO, "sedang ditulisi. Jangan dicabut", False),
        (Seen(State.READY, AT, AT, told="Stik penuh: program belum tersalin."), GOOD, Tone.WARN, "program belum", True),
        (Seen(State.BUSY, AT, AT, told="Masih dipakai."), GOOD, Tone.WARN, "belum dapat dilepas. Masih dipakai", True),
        (Seen(State.EJECTED, AT, AT), GOOD, Tone.GOOD, "boleh dicabut", False),
        (Seen(State.DAMAGED, AT, AT, told="Rusak."), GOOD, Tone.BAD, "bermasalah. Rusak.", True),
        (Seen(State.READ_ONLY, AT, AT, told="Terkunci."), GOOD, Tone.BAD, "tidak dapat ditulisi. Terkunci.", True),
        (Seen(State.ABSENT, AT - 8 * DAY), GOOD, Tone.INFO, "terakhir terlihat 8 hari yang lalu", False),
        (Seen(State.ABSENT, AT - 9 * DAY), GOOD, Tone.WARN, "Stik A belum terlihat 9 hari.", False),
        (Seen(State.ABSENT), GOOD, Tone.WARN, "Stik A belum terlihat 60 hari.", False),
        (Seen(State.ABSENT, AT - DAY), copies(2 * DAY, DAY), Tone.WARN, "Stik A penuh.", False),
        (Seen(State.ABSENT, AT + 900 * DAY), GOOD, Tone.INFO, "terlihat hari ini", False),  # the clock went back
    ],
)
def test_what_is_said_of_a_stick(seen: Seen, record: Record, tone: Tone, words: str, may_eject: bool) -> None:
    verdict = judge(A, seen, record, AT)
    assert (verdict.tone, verdict.may_eject) == (tone, may_eject)
    assert words in verdict.text
    assert verdict.next_step or tone in {Tone.GOOD, Tone.INFO} or seen.state is State.BUSY


def test_the_worst_is_told_and_a_new_node_has_a_week() -> None:
    verdicts = [judge(A, Seen(State.READY, AT, AT), GOOD, AT), judge(A, Seen(State.ABSENT, AT - 20 * DAY), GOOD, AT)]
    found = worst(verdicts)
    assert found is not None
    assert found.tone is Tone.WARN
    assert worst([]) is None
    assert none_known(AT - 7 * DAY, AT).tone is Tone.INFO
    assert none_known(AT - 8 * DAY, AT).tone is Tone.WARN


@pytest.mark.parametrize(
    ("seen", "record", "reason"),
    [
        (Seen(State.READY, AT, AT), Record(), Reason.FIRST),
        (Seen(State.READY, AT, AT), copies(good=3 * DAY), Reason.LATE),  # it came back after three days
        (Seen(State.READY, AT, AT - DAY), copies(good=timedelta(hours=3)), None),  # tonight's is on it
        (Seen(State.EJECTED, AT, AT), Record(), None),
        (Seen(State.ABSENT, AT), Record(), None),
        (Seen(State.READ_ONLY, AT, AT), Record(), None),
        # failed a moment ago: in an hour; pulled and back since then: now
        (Seen(State.READY, AT, AT - DAY), copies(2 * DAY, timedelta(minutes=2)), None),
        (Seen(State.READY, AT, AT - timedelta(minutes=1)), copies(2 * DAY, timedelta(minutes=2)), Reason.LATE),
    ],
)
def test_when_a_stick_is_written(seen: Seen, record: Record, reason: Reason | None) -> None:
    assert copy_due(moment(AT), seen, record, RHYTHM) is reason


def test_a_notice_is_sent_once_for_each_trouble() -> None:
    bad = judge(A, Seen(State.ABSENT, AT - 9 * DAY), GOOD, AT)
    good = judge(A, Seen(State.READY, AT, AT), GOOD, AT)
    news, told = messages_of_sticks({"A": bad, "B": good}, (), AT)
    assert [(one.title, one.text) for one in news] == [("Stik cadangan A perlu diurus", f"{bad.text} {bad.next_step}")]
    assert told == ("A",)
    assert messages_of_sticks({"A": bad}, told, AT) == ([], ("A",))
    assert messages_of_sticks({"A": good}, told, AT) == ([], ())


ONE, TWO = Check("0123abcd", "00", ""), Check("89ef4567", "00", "")
PROVED = {Paper.OFFICE: AT - 10 * DAY, Paper.DISTRICT: AT - 20 * DAY}
SHEET = Sheet(ONE, AT - 300 * DAY, None, AT - 300 * DAY, PROVED)


@pytest.mark.parametrize(
    ("sheet", "tone", "words"),
    [
        (None, Tone.INFO, "belum dibuat"),
        (SHEET, Tone.GOOD, "sudah diuji"),
        (replace(SHEET, proved={**PROVED, Paper.DISTRICT: AT - 180 * DAY}), Tone.GOOD, "sudah diuji"),
        (replace(SHEET, proved={**PROVED, Paper.DISTRICT: AT - 181 * DAY}), Tone.WARN, "181 hari yang lalu: lembar bidang TI"),
        (replace(SHEET, proved={}), Tone.WARN, "belum diuji: lembar kepala dinas (brankas kantor), lembar bidang TI"),
        (replace(SHEET, proved={Paper.OFFICE: AT}), Tone.WARN, "belum diuji: lembar bidang TI"),
        (replace(SHEET, second=TWO), Tone.WARN, "belum diuji: lembar kata sandi kedua"),
        (replace(SHEET, second=TWO, proved={**PROVED, Paper.SECOND: AT}), Tone.GOOD, "sudah diuji"),
        (replace(SHEET, proved={}, printed_at=None), Tone.WARN, "belum dicetak"),
        (replace(SHEET, proved={}, printed_at=None, since=AT - 7 * DAY), Tone.INFO, "belum dicetak"),
    ],
)
def test_what_is_said_of_the_sheet(sheet: Sheet | None, tone: Tone, words: str) -> None:
    verdict = recovery.judge(sheet, AT)
    assert verdict.tone is tone
    assert words in verdict.text


def test_what_was_seen_is_read_back_and_rubbish_is_nothing(tmp_path: Path) -> None:
    sight = Sight(AT, {A.uuid: Seen(State.BUSY, AT, AT - DAY, "7", "Masih dipakai.")}, (Stranger("/dev/sdb", 5, "vfat FOTO"),))
    book.write_sight(tmp_path, sight)
    book.write_known(tmp_path, book.with_stick([replace(A, uuid="old")], A))
    assert book.read_sight(tmp_path) == sight
    assert book.read_known(tmp_path) == (A,), "a new A takes the place of the lost one"
    for rubbish in (b"", b"[]", b'{"at": 1}', b"\xff"):
        (tmp_path / book.SEEN).write_bytes(rubbish)
        (tmp_path / book.KNOWN).write_bytes(rubbish)
        assert dict(book.read_sight(tmp_path).sticks) == {}
        assert book.read_known(tmp_path) == ()


def disk(path: str, *, usb: bool = True, parent: str = "", uuid: str = "", holds: str = "") -> Disk:
    return Disk(path, "8:0", "disk", 10, usb, False, "", parent, (), uuid, "", holds)


def test_only_usb_disks_that_are_not_ours_are_told_of() -> None:
    disks = [
        disk("/dev/sda", usb=False, holds="ext4"),
        disk("/dev/sdb", uuid=A.uuid, holds="ext4"),
        disk("/dev/sdc", holds="tabel partisi dos"),
        disk("/dev/sdc1", parent="sdc", holds="vfat"),
        disk("/dev/sdd"),
    ]
    assert [one.path for one in keeper.list_strangers([A], disks)] == ["/dev/sdc1", "/dev/sdd"]


@given(st.integers(1, 1 << 45))
def test_the_probe_looks_at_both_ends_and_at_every_size_a_fake_may_have(size: int) -> None:
    blocks = size // capacity.BLOCK
    if blocks < 1:
        return
    places = capacity.places_of(size)
    assert places == sorted(set(places))
    assert places[0] == 0
    assert places[-1] == (blocks - 1) * capacity.BLOCK
    assert all(place + capacity.BLOCK <= size for place in places)
    powers = {(1 << exponent) * capacity.BLOCK for exponent in range((blocks - 1).bit_length()) if 1 << exponent < blocks}
    assert powers <= set(places)


def test_a_passphrase_is_read_however_it_was_typed() -> None:
    made = passphrase.generate()
    assert made != passphrase.generate()
    assert passphrase.read_typed(f" {made.lower().replace('-', '  ')}\n") == made
    assert passphrase.read_typed(made.replace("0", "o").replace("1", "l")) == made
    assert len(made.replace("-", "")) == 35
    for old in ("ab" * 32, "jeruk bali 4711", "0" * 64):
        assert passphrase.read_typed(f"{old}\n") == old


@given(st.integers(0, 34), st.sampled_from(passphrase.ALPHABET))
def test_one_wrong_character_is_found_with_its_group(place: int, other: str) -> None:
    plain = passphrase.generate().replace("-", "")
    typed = plain[:place] + other + plain[place + 1 :]
    if typed == plain:
        return
    with pytest.raises(WrongPassphrase, match=f"kelompok ke-{place // 5 + 1}\\b"):
        passphrase.read_typed(typed)


def test_swapped_neighbours_and_swapped_groups_are_found() -> None:
    groups = passphrase.generate().split("-")
    for one, other in itertools.combinations(range(len(groups)), 2):
        swapped = list(groups)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        with pytest.raises(WrongPassphrase):
            passphrase.read_typed("-".join(swapped))
    plain = "".join(groups)
    for place in range(34):
        typed = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]
        if typed != plain and place % 5 != 4:
            with pytest.raises(WrongPassphrase):
                passphrase.read_typed(typed)


@pytest.mark.parametrize("made", [None, "ab" * 32], ids=["new", "of an older node"])
def test_the_last_groups_are_what_the_paper_ends_with(made: str | None) -> None:
    made = made or passphrase.generate()
    printed = passphrase.groups_of(made)
    assert "".join(printed) == made.replace("-", "")
    assert passphrase.last_groups(made) == "".join(printed[-2:]).upper()
