"""When an upgrade may begin, what is left of one that was cut off, and that what it kept comes back exactly."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.config import PathSettings, Settings
from appliance.errors import ApplianceError, Conflict, TryLater
from provision.cli import apply_all
from provision.host import Entry, LocalHost, Outcome
from provision.run import Stopped
from provision.step import Step
from provision.upgrade import engine, keeping, releases, settling
from provision.upgrade.facts import mains_back
from provision.upgrade.journal import WAYS_OUT, Note, Place, Stage, Told, number_of, read_note, read_told, version_of, write
from provision.upgrade.node import Node
from provision.upgrade.rules import Data, Facts, Power, is_over, needs_backup, refusals
from tests.support.pretend_host import PowerCut, PretendHost

AT = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
WELL = Facts(
    old="0.1.9+aaaaaaaa", new="0.1.10+bbbbbbbb", at=AT, power=Power(AT, True, 97, AT - timedelta(hours=3)),
    data=Data(opens=True, revision="0023", known=True, size=50_000_000), starts=("0.1.8", "0.1.9"),
    release_bytes=400_000_000, free_program=10**10, free_copy=10**10,
)  # fmt: skip
SILENT = Power(AT - timedelta(minutes=2), True, 97)
BROKEN = Data(opens=False, revision="", known=False, size=50_000_000)
# what differs from a node that is well → the words by which each refusal is known
TABLE: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"power": None}, []),
    ({"new": "0.1.9+bbbbbbbb", "starts": ()}, []),
    ({"starts": None}, []),
    ({"new": "0.1.8+bbbbbbbb"}, ["lebih lama daripada yang terpasang"]),
    ({"new": "0.3.0+bbbbbbbb", "starts": ("0.2.0",)}, ["boleh dari: 0.2.0"]),
    ({"power": Power()}, ["tidak melapor"]),
    ({"power": SILENT}, ["tidak melapor"]),
    ({"power": Power(AT, False, 97)}, ["Listrik padam"]),
    ({"power": Power(AT, True, 29)}, ["baru terisi 29"]),
    ({"power": Power(AT, True, 30)}, []),
    ({"power": Power(AT, None, None)}, []),
    ({"power": Power(AT, True, 90, AT - timedelta(minutes=9, seconds=59))}, ["baru menyala kembali"]),
    ({"power": Power(AT, True, 90, AT - timedelta(minutes=10))}, []),
    ({"power": Power(AT, True, 90, AT + timedelta(days=400))}, []),
    ({"data": dataclasses.replace(WELL.data, revision="0099", known=False)}, ["susunan 0099"]),
    ({"data": BROKEN}, ["tidak dapat dibuka"]),
    ({"data": BROKEN, "cold": True}, []),
    ({"cold": True}, ["--cold tidak diperlukan"]),
    ({"busy": "pemulihan data"}, ["Sedang berjalan: pemulihan data"]),
    ({"free_copy": 399_999_999}, ["/var/lib perlu 400 MB"]),
    ({"free_copy": 400_000_000}, []),
    ({"free_program": 1}, ["/opt/slrt perlu 400 MB"]),
    ({"busy": "x", "power": SILENT, "free_copy": 0}, ["Sedang berjalan", "tidak melapor", "Ruang disk"]),
]


@pytest.mark.parametrize(("differs", "words"), TABLE)
def test_what_speaks_against_an_upgrade_is_told_all_at_once(differs: dict[str, Any], words: list[str]) -> None:
    found = refusals(dataclasses.replace(WELL, **differs))
    assert len(found) == len(words)
    for refusal, word in zip(found, words, strict=True):
        assert word in refusal.text
        assert refusal.hint


def test_what_goes_away_by_itself_is_to_be_tried_later() -> None:
    engine.refuse(WELL)
    with pytest.raises(TryLater, match="Listrik padam"):
        engine.refuse(dataclasses.replace(WELL, power=Power(AT, False, 50)))
    with pytest.raises(Conflict, match=r"Listrik padam.*Ruang disk"):
        engine.refuse(dataclasses.replace(WELL, power=Power(AT, False, 50), free_copy=0))


def test_a_backup_counts_for_the_day_of_the_office() -> None:
    now = datetime(2026, 11, 29, 1, 0, tzinfo=UTC).astimezone(ZoneInfo("Asia/Makassar"))
    assert needs_backup(None, now)
    assert needs_backup(datetime(2026, 11, 28, 15, 59, tzinfo=UTC), now)
    assert not needs_backup(datetime(2026, 11, 28, 16, 1, tzinfo=UTC), now), "after midnight eight hours east"


def test_what_is_kept_goes_after_two_weeks() -> None:
    assert not is_over(AT, AT + timedelta(days=14))
    assert is_over(AT, AT + timedelta(days=14, seconds=1))


def test_versions_are_compared_as_numbers() -> None:
    assert number_of(version_of("0.10.0+1a")) > number_of(version_of("0.9.12+ff"))
    assert number_of("0.2.0-rc1") < number_of("0.2.1")


def test_a_note_is_read_as_it_was_written_and_each_stage_has_one_way_out(tmp_path: Path) -> None:
    assert set(WAYS_OUT) == set(Stage)
    assert read_note(tmp_path / "upgrade.json") is None
    for stage in Stage:
        note = Note(stage, "a", "b", "/c", AT.isoformat(), "admin.it", ("slrt-web.service",), {"position": 7})
        write(tmp_path / "upgrade.json", note)
        assert read_note(tmp_path / "upgrade.json") == note
    assert (tmp_path / "upgrade.json").stat().st_mode & 0o777 == 0o600
    (tmp_path / "upgrade.json").write_text("{}")
    with pytest.raises(ValueError, match="tidak terbaca"):
        read_note(tmp_path / "upgrade.json")


def test_the_end_of_the_last_outage_is_read_from_the_power_journal(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    assert mains_back(journal) is None
    back = '{"at": "2026-11-29T08:55:00+00:00", "event": "mains-back"}'
    journal.write_text(
        f'{back.replace("08:55", "07:00")}\n{back}\n{{"at": "2026-11-29T08:59:00+00:00", "event": "opened"}}\n{{"at": "20'
    )
    assert mains_back(journal) == datetime(2026, 11, 29, 8, 55, tzinfo=UTC)
    for cause, counts in (("operator", False), ("crash", False), ("cut", True), ("charge", True)):
        journal.write_text(f'{{"at": "2026-11-29T08:50:00+00:00", "event": "back", "cause": "{cause}", "clean": true}}\n')
        assert (mains_back(journal) is not None) == counts, cause


def test_files_and_links_come_back_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks, copy, place = tmp_path / "marks", tmp_path / "copy", tmp_path / "etc"
    for folder in (marks, copy, place):
        folder.mkdir()
    monkeypatch.setattr(keeping, "STAMPS", str(marks))
    (marks / "old").write_text("1")
    changed, gone, link, fresh = (place / name for name in ("changed", "gone", "link", "fresh"))
    changed.write_bytes(b"old \xff")
    changed.chmod(0o640)
    gone.write_text("here")
    link.symlink_to("/opt/old")
    host = LocalHost()
    keeping.keep_files(host, copy, [str(path) for path in (changed, gone, link, fresh)])

    changed.write_text("new")
    changed.chmod(0o644)
    gone.unlink()
    link.unlink()
    link.symlink_to("/opt/new")
    fresh.write_text("new")
    (marks / "old").write_text("2")
    (marks / "new").write_text("2")
    for _ in range(2):
        keeping.put_files_back(host, copy)
        assert (changed.read_bytes(), changed.stat().st_mode & 0o777) == (b"old \xff", 0o640)
        assert (gone.read_text(), link.readlink()) == ("here", Path("/opt/old"))
        assert not fresh.exists()
        assert {path.name: path.read_text() for path in marks.iterdir()} == {"old": "1"}


def rows(file: Path) -> list[int]:
    with closing(sqlite3.connect(file)) as base:
        return [row[0] for row in base.execute("SELECT n FROM t ORDER BY n")]


def test_the_database_comes_back_with_its_log_and_begins_a_new_one(tmp_path: Path) -> None:
    settings = Settings(paths=PathSettings(data=str(tmp_path / "data")))
    live, copy = settings.database_file, tmp_path / "copy"
    live.parent.mkdir(parents=True)
    copy.mkdir()
    with closing(sqlite3.connect(live, isolation_level=None)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE t (n)")
        base.execute("INSERT INTO t VALUES (1)")
        log = Path(f"{live}-wal").read_bytes()
        assert log, "what was stored last is in the log only"
        keeping.keep_database(settings, copy, "0.1.0+a")
        base.execute("INSERT INTO t VALUES (2)")
    (tmp_path / "data" / "restore-in-progress.json").write_text("{}")
    for _ in range(2):
        keeping.put_database_back(settings, copy, "0.1.0+a")
        assert not Path(f"{live}-wal").exists(), "the next log must not be taken for the one that went on"
        assert rows(live) == [1]
        assert not (tmp_path / "data" / "restore-in-progress.json").exists()
    assert (copy / "slrt.db-wal").read_bytes() == log, "the copy itself stays as it was"


def test_a_database_that_somebody_still_has_open_is_not_put_back_under_him(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(paths=PathSettings(data=str(tmp_path / "data")))
    live, copy = settings.database_file, tmp_path / "copy"
    live.parent.mkdir(parents=True)
    copy.mkdir()
    live.write_bytes(b"new")
    (copy / "slrt.db").write_bytes(b"old")
    monkeypatch.setattr(keeping, "UNUSED_WITHIN", 0.0)
    with live.open("rb"), pytest.raises(ApplianceError, match=f"masih dipakai proses {os.getpid()}"):
        keeping.put_database_back(settings, copy, "0.1.0+a")
    assert live.read_bytes() == b"new"
    keeping.put_database_back(settings, copy, "0.1.0+a")
    assert live.read_bytes() == b"old"


def test_a_database_that_cannot_be_read_comes_back_byte_by_byte(tmp_path: Path) -> None:
    settings = Settings(paths=PathSettings(data=str(tmp_path / "data")))
    live, copy = settings.database_file, tmp_path / "copy"
    live.parent.mkdir(parents=True)
    copy.mkdir()
    live.write_bytes(b"no database at all" * 1000)
    Path(f"{live}-wal").write_bytes(b"nor a log")
    keeping.keep_database(settings, copy, "0.1.0+a")
    live.write_bytes(b"")
    Path(f"{live}-wal").unlink()
    keeping.put_database_back(settings, copy, "0.1.0+a")
    assert live.read_bytes() == b"no database at all" * 1000
    assert Path(f"{live}-wal").read_bytes() == b"nor a log"


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_the_owner_of_the_data_does_not_choose_what_root_copies(tmp_path: Path, kind: str) -> None:
    """What comes back is given to the owner of the folder: a link to a secret would be a way to read it."""
    settings = Settings(paths=PathSettings(data=str(tmp_path / "data")))
    live, copy, secret = settings.database_file, tmp_path / "copy", tmp_path / "shadow"
    live.parent.mkdir(parents=True)
    copy.mkdir()
    secret.write_text("root:x")
    live.symlink_to(secret) if kind == "link" else os.mkfifo(live)
    with pytest.raises(OSError, match=str(live)):
        keeping.keep_database(settings, copy, "0.1.0+a")
    assert not (copy / "slrt.db").exists()


def test_what_lies_where_root_will_write_is_not_written_through(tmp_path: Path) -> None:
    source, other = tmp_path / "source", tmp_path / "other"
    source.write_text("new")
    other.write_text("old")
    (tmp_path / "to").symlink_to(other)
    with pytest.raises(FileExistsError):
        keeping.copy_durably(source, tmp_path / "to")
    assert other.read_text() == "old"


@dataclasses.dataclass
class Watched(PretendHost):
    """A node of which somebody writes down what its front door was like at each stop."""

    place: Place = dataclasses.field(default_factory=Place)
    doors: list[str] = dataclasses.field(default_factory=list)
    at_stop: Callable[[], None] = lambda: None

    def _run_sync(self, _words: list[str]) -> None:
        self._effect()

    def _run_systemctl(self, words: list[str]) -> Outcome | bool:
        if words[0] == "list-units":
            return Outcome(0, "".join(f"{unit} loaded active running x\n" for unit in sorted(self.active)), "")
        if words[0] == "stop":
            self.doors.append("closed" if self.place.closed.exists() else "open")
            self.active -= set(words[1:])
            self.at_stop()
        return True


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """A node in the middle of an upgrade: closed, its pages running."""
    monkeypatch.setattr(keeping, "STAMPS", str(tmp_path / "marks"))
    monkeypatch.setattr(engine, "ENGINE", tmp_path / "upgrading")
    paths = PathSettings(data=str(tmp_path / "data"), runtime=str(tmp_path / "run"))
    place = Place(tmp_path / "install", tmp_path / "upgrade-run", tmp_path / "public")
    for folder in (place.folder / "copies" / "1", place.runtime, tmp_path / "data" / "database", tmp_path / "run"):
        folder.mkdir(parents=True)
    host = Watched(active={"slrt-web.service"}, place=place)
    host.files["/etc/systemd/system/slrt-web.service"] = (Entry("file", 0o644, "root", "root"), b"")
    place.closed.touch()
    return Node(Settings(paths=paths), host, place)


@pytest.mark.parametrize("stage", [Stage.CLOSING, Stage.CHANGING])
def test_the_door_stays_closed_until_what_will_be_undone_has_stopped(node: Node, stage: Stage) -> None:
    """What somebody stored in between would be put back with the rest."""
    copy = node.place.folder / "copies" / "1"
    (copy / keeping.FILES).write_text('{"marks": [], "files": []}')
    write(node.place.note, Note(stage, "0.1.0+a", "0.2.0+b", str(copy), AT.isoformat(), "admin.it", ("slrt-web.service",)))
    assert settling.settle(node, lambda _line: None)
    assert isinstance(node.host, Watched)
    assert node.host.doors[0] == "closed"
    assert node.host.doors[1:] == ["open"], "and nothing that began meanwhile goes on"
    assert not node.place.closed.exists()
    assert read_note(node.place.note) is None


def test_an_upgrade_does_not_stop_data_that_began_to_be_brought_back_meanwhile(node: Node) -> None:
    """The refusals were asked for before the backup, which takes minutes."""
    (Path(node.settings.paths.runtime) / "restore-order").write_text("{}")
    node.place.closed.unlink()
    wanted = engine.Upgrade(node, "0.2.0+b", (), "admin.it", lambda _line: None)
    note = Note(Stage.CLOSING, "0.1.0+a", "0.2.0+b", str(node.place.folder / "copies" / "1"), AT.isoformat(), "admin.it")
    with pytest.raises(TryLater, match="Data sedang dipulihkan"):
        engine._close(wanted, note)
    assert not node.place.closed.exists()
    assert read_note(node.place.note) is None
    assert isinstance(node.host, Watched)
    assert not node.host.doors


def note_at(node: Node, stage: Stage) -> Note:
    """Of an upgrade that has stopped the pages."""
    copy = node.place.folder / "copies" / "1"
    return Note(stage, "0.1.0+a", "0.2.0+b", str(copy), AT.isoformat(), "admin.it", ("slrt-web.service",))


def test_an_exchange_that_was_stopped_on_the_way_is_not_taken_for_the_data(node: Node) -> None:
    """It began after the last question and was ended with the services: their next start finishes it, then the upgrade may."""
    order = Path(node.settings.paths.data) / "restore-in-progress.json"
    wanted = engine.Upgrade(node, "0.2.0+b", (), "admin.it", lambda _line: None)
    note = note_at(node, Stage.CLOSING)
    assert isinstance(node.host, Watched)
    node.host.at_stop = order.touch
    with pytest.raises(ApplianceError, match=r"sebelum ada yang diubah: Data sedang dipulihkan"):
        engine._close(wanted, note)
    assert order.exists()
    assert read_note(node.place.note) is None
    assert not node.place.closed.exists()


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the releases: the one in use is 0.2.0+b."""
    folder = tmp_path / "releases"
    (folder / "0.2.0+b").mkdir(parents=True)
    (folder / "0.2.0+b" / releases.WHOLE).touch()
    (tmp_path / "current").symlink_to(folder / "0.2.0+b")
    monkeypatch.setattr(releases, "RELEASES", folder)
    monkeypatch.setattr(releases, "CURRENT", str(tmp_path / "current"))
    monkeypatch.setattr(releases, "INSTALLER_LOCK", tmp_path / "installer.lock")
    return folder


def test_a_release_that_is_being_made_is_not_taken_for_an_old_one(node: Node, shelf: Path) -> None:
    for name in ("0.1.0+a", "0.3.0+c", "0.4.0+d"):
        (shelf / name / "venv").mkdir(parents=True)
    for name in ("0.1.0+a", "0.3.0+c"):
        (shelf / name / releases.WHOLE).touch()

    def left_after_tidying() -> list[str]:
        write(node.place.kept, note_at(node, Stage.PROVEN))
        assert "0.1.0+a" in releases.forget_old(node, AT + timedelta(days=15))
        return sorted(folder.name for folder in shelf.iterdir())

    with releases.INSTALLER_LOCK.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert left_after_tidying() == ["0.2.0+b", "0.3.0+c", "0.4.0+d"], "the last one is just being made"
    assert left_after_tidying() == ["0.2.0+b", "0.3.0+c"], "whole, and about to be put in place"
    releases.forget_all_but({"0.2.0+b"})
    assert [folder.name for folder in shelf.iterdir()] == ["0.2.0+b"]


@dataclasses.dataclass
class CutAtTheEnd(Watched):
    """The power fails while the other steps are done."""

    def _run_slrt_provision(self, words: list[str]) -> bool:
        assert words == ["apply"]
        raise PowerCut


def test_who_is_cut_off_after_the_door_was_opened_is_told_what_is_left(node: Node, shelf: Path) -> None:
    note = note_at(node, Stage.PROVEN)
    cut = Node(node.settings, CutAtTheEnd(place=node.place), node.place)
    for settled_by_another in (False, True):
        write(node.place.note, note)
        if settled_by_another:
            assert settling.settle(node, lambda _line: None)
        else:
            with pytest.raises(PowerCut):
                engine._finish(engine.Upgrade(cut, note.new, (), note.by, lambda _line: None), note, 12.0)
        told = read_told(node.place.last)
        assert told is not None
        assert told.ok
        assert "sudo slrt-provision apply" in told.text
        assert read_note(node.place.note) is None
        assert read_note(node.place.kept) == note

    engine._finish(engine.Upgrade(node, note.new, (), note.by, lambda _line: None), note, 12.0)
    told = read_told(node.place.last)
    assert told is not None
    assert told.text == "Simpul memakai rilis 0.2.0+b; halaman tertutup 12 detik."


def test_the_steps_that_a_cut_left_are_asked_for_until_all_are_done(tmp_path: Path) -> None:
    said = f"Simpul memakai rilis 0.2.0+b; halaman tertutup 12 detik. {engine.STEPS_LEFT}"
    write(tmp_path / "last.json", Told(True, "0.1.0+a", "0.2.0+b", AT.isoformat(), "admin.it", said))
    host, place = PretendHost(), str(Place().last)
    host.files[str(Place().public)] = (Entry("folder", 0o755, "root", "root"), b"")
    host.files[place] = (Entry("file", 0o644, "root", "root"), (tmp_path / "last.json").read_bytes())

    def text() -> str:
        return str(json.loads(host.read(place) or b"")["text"])

    step = Step("kosong", "Tanpa perubahan", ())
    with pytest.raises(Stopped):
        apply_all((step,), host, lambda _line: None, "kosong")
    assert text() == said
    apply_all((step,), host, lambda _line: None)
    assert text() == "Simpul memakai rilis 0.2.0+b; halaman tertutup 12 detik."
