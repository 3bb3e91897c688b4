"""Photos and papers that came since the newest backup, on the second disk: there, sealed, given up in time, and brought back."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backups import attachments as single_files
from backups import book, carried_files, spool, stored_files
from backups.carried_files import Keys
from backups.clock import moment
from backups.errors import Mismatch, RepositoryDamaged
from backups.file_carrier import FileCarrier
from backups.ladder import rehearse
from backups.restore import LOSSES, Choice, in_place, restore
from backups.settings import Plan
from backups.ship import Shipper
from tests.support.borg import add_attachment, add_rows, contents, flip, ledger, run_now
from tests.support.carried_log import ZONE, Clock
from tests.support.disks import read_only, small_disk
from tests.support.waiting import wait_for


@dataclass
class Office:
    """Attachments in `folder`/data, the folder of the carried log on a second disk, and whoever carries."""

    folder: Path

    def __post_init__(self) -> None:
        self.data, self.log, self.state = (self.folder / name for name in ("data", "second", "state"))
        for place in (self.data / "attachments", self.log, self.state):
            place.mkdir(parents=True)
        self.keys = Keys(spool.key_of(self.state, make=True))
        stored_files.note(self.state, 1, [])
        self.carrier = self.new_carrier()

    def new_carrier(self) -> FileCarrier:
        """As after a restart of the daemon."""
        return FileCarrier(self.data / "attachments", self.log, self.state, self.state, Clock())

    def add(self, content: bytes) -> str:
        """A new file; its hash."""
        return add_attachment(self.data, content).name

    def files(self) -> list[str]:
        """The hashes of all files there are."""
        return sorted(file.name for file in (self.data / "attachments").rglob("*") if file.is_file())

    def back_up(self, run: int) -> None:
        """What a backup notes."""
        stored_files.note(self.state, run, [f"attachments/{name[:2]}/{name}" for name in self.files()])

    def carried(self) -> dict[str, bytes]:
        """What the copies hold, by the hash that their names tell."""
        return {self.keys.hash_of(copy.name) or copy.name: self.keys.open(copy) for copy in carried_files.copies(self.log)}

    def copy_of(self, sha256: str) -> Path:
        return next(copy for copy in carried_files.copies(self.log) if copy.name == self.keys.name_of(sha256))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_a_new_file_is_there_sealed_and_neither_content_nor_hash_shows(office: Office) -> None:
    sha256 = office.add(b"Siti Aminah, Desa Bonto")
    assert office.carrier.carry()
    assert office.carried() == {sha256: b"Siti Aminah, Desa Bonto"}
    written = b"".join(path.name.encode() + path.read_bytes() for path in office.log.rglob("*") if path.is_file())
    assert not any(words in written for words in (b"Aminah", sha256.encode(), bytes.fromhex(sha256)))
    with pytest.raises(Mismatch):
        Keys("00" * 32).open(office.copy_of(sha256))


def test_what_a_backup_holds_is_not_carried_and_goes_when_that_backup_was_proven(office: Office) -> None:
    old = office.add(b"in backup 7 already")
    office.back_up(7)
    new = office.add(b"a paper of today")
    assert office.carrier.carry()
    assert set(office.carried()) == {new}
    assert office.carrier.prune(7) == 0, "no backup holds it"
    office.back_up(8)
    later = office.add(b"a paper of tomorrow")
    assert office.carrier.carry()
    assert set(office.carried()) == {new, later}
    assert office.carrier.prune(7) == 0, "the backup that holds it was not proven"
    assert office.carrier.prune(8) == 1
    assert office.carrier.carry()
    assert set(office.carried()) == {later}
    assert old not in office.carried()


def test_a_new_list_is_noticed_and_the_backup_that_first_held_a_file_stays_known(office: Office) -> None:
    sha256 = office.add(b"a paper")
    assert office.carrier.carry()
    assert office.copy_of(sha256).parent.name == carried_files.NEW
    for run in (2, 3):
        office.back_up(run)
        assert office.carrier.carry()
        assert office.copy_of(sha256).parent.name == "00000002"


def test_a_file_that_came_within_the_same_tick_of_the_clock_is_not_overlooked(office: Office) -> None:
    first = office.add(b"first")
    assert office.carrier.carry()
    place = office.data / "attachments" / first[:2]
    then = place.stat()
    other = next(hash_of(b"%d" % number) for number in range(10_000) if hash_of(b"%d" % number)[:2] == first[:2])
    content = next(b"%d" % number for number in range(10_000) if hash_of(b"%d" % number) == other)
    office.add(content)
    os.utime(place, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert office.carrier.carry()
    assert set(office.carried()) == {first, other}


def test_the_list_of_a_backup_knows_what_is_in_it_and_nothing_else(tmp_path: Path) -> None:
    inside = [hash_of(b"in %d" % number) for number in range(200)]
    stored_files.note(tmp_path, 41, [*(f"attachments/{name[:2]}/{name}" for name in inside), "identity/ca.key"])
    stored = stored_files.read(tmp_path)
    assert stored is not None
    assert stored.run == 41
    assert all(name in stored for name in inside)
    assert not any(hash_of(b"out %d" % number) in stored for number in range(200))
    assert "ff" * 32 not in stored
    file = tmp_path / stored_files.NAME
    file.write_bytes(file.read_bytes()[:-1])
    assert stored_files.read(tmp_path) is None
    stored_files.forget(tmp_path)
    assert stored_files.read(tmp_path) is None


def test_nothing_is_carried_before_a_backup_noted_its_files(office: Office) -> None:
    stored_files.forget(office.state)
    office.add(b"a paper")
    assert not office.carrier.carry()
    assert office.carrier.wants_backup
    office.back_up(1)
    assert office.carrier.carry()
    assert (office.carried(), office.carrier.sight.fault) == ({}, "")


def test_a_file_that_is_not_what_its_name_says_keeps_no_other_back(office: Office) -> None:
    broken, whole = office.add(b"broken"), office.add(b"whole")
    flip(office.data / "attachments" / broken[:2] / broken)
    assert office.carrier.carry()
    assert set(office.carried()) == {whole}


@pytest.mark.parametrize("harm", ["flipped", "flipped head", "cut", "empty", "another's"])
def test_a_copy_that_is_not_what_was_written_is_named_by_its_hash(office: Office, harm: str) -> None:
    sha256, other = office.add(b"one" * 100), office.add(b"other" * 100)
    assert office.carrier.carry()
    copy = office.copy_of(sha256)
    if harm.startswith("flipped"):
        flip(copy, 0 if harm == "flipped head" else None)
    elif harm == "another's":
        copy.write_bytes(office.copy_of(other).read_bytes())
    else:
        copy.write_bytes(copy.read_bytes()[: -1 if harm == "cut" else 0])
    with pytest.raises(Mismatch, match=sha256):
        office.keys.open(copy)
    assert office.keys.open(office.copy_of(other)) == b"other" * 100


def test_a_full_disk_a_read_only_one_and_none_are_told_and_made_up_for(office: Office, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 8) as small:
        office.log = small
        office.carrier = office.new_carrier()
        held = office.add(b"h" * 4_500_000)
        assert office.carrier.carry()
        office.back_up(2)
        first = office.add(b"f" * 4_000_000)
        assert office.carrier.carry(), "what a backup holds makes room"
        assert set(office.carried()) == {first}
        second = office.add(b"s" * 5_000_000)
        assert not office.carrier.carry()
        assert "penuh" in office.carrier.sight.fault
        assert set(office.carried()) == {first}, "what no backup holds stays"
        office.back_up(3)
        third = office.add(b"t" * 100)
        with read_only(small):
            assert not office.carrier.carry()
            assert "disk cadangan" in office.carrier.sight.fault
        assert office.carrier.carry()
        assert third in office.carried()
        assert second not in office.carried()
        assert held not in office.carried()
        office.log = tmp_path / "pulled out"
        office.carrier = office.new_carrier()
        assert not office.carrier.carry()
        assert "tidak ada" in office.carrier.sight.fault or "No such file" in office.carrier.sight.fault


def test_another_disk_in_its_place_gets_all_that_is_in_no_backup(office: Office) -> None:
    names = {office.add(b"one"), office.add(b"two")}
    assert office.carrier.carry()
    office.log.rename(office.folder / "pulled out")
    office.log.mkdir()
    assert office.carrier.carry()
    assert set(office.carried()) == names


ACTIONS = st.one_of(
    st.tuples(st.just("add"), st.binary(min_size=1, max_size=4)),
    st.sampled_from([(name, b"") for name in ("carry", "carry", "back up", "prove", "restart", "left over", "another key")]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTIONS, min_size=4, max_size=30))
def test_whatever_happens_each_file_is_in_a_backup_or_carried(actions: list[tuple[str, bytes]]) -> None:
    with TemporaryDirectory() as folder:
        office, run = Office(Path(folder)), 1
        for action, content in [*actions, ("carry", b"")]:
            if action == "add":
                office.add(content)
            elif action == "back up":
                office.back_up(run := run + 1)
            elif action == "prove":
                office.carrier.prune(run)
            elif action == "restart":
                office.carrier = office.new_carrier()
            elif action == "left over":
                (office.log / "files" / "new").mkdir(parents=True, exist_ok=True)
                (office.log / "files" / "new" / ".half.new").write_bytes(content)
            elif action == "another key":
                (office.state / spool.KEY_FILE).unlink()
                office.keys = Keys(spool.key_of(office.state, make=True))
                office.carrier = office.new_carrier()
            else:
                assert office.carrier.carry()
                stored, carried = stored_files.read(office.state), names_of(office)
                assert stored is not None
                assert all(name in stored or name in carried for name in office.files())


def names_of(office: Office) -> set[str]:
    """The hashes of the copies under the present key, each of which opens."""
    found = {copy: office.keys.hash_of(copy.name) for copy in carried_files.copies(office.log)}
    assert all(hashlib.sha256(office.keys.open(copy)).hexdigest() == name for copy, name in found.items() if name)
    return {name for name in found.values() if name}


KILLED = """
import os, signal, sys
from pathlib import Path
from backups.file_carrier import FileCarrier
left = [0]
def dying(real):
    def act(*words, **named):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*words, **named)
    return act
for number, folder in enumerate(map(Path, sys.argv[1:]), start=1):
    child = os.fork()
    if child == 0:
        left[0] = number
        for name in ("fsync", "open", "mkdir", "replace", "unlink", "rmdir", "scandir", "stat"):
            setattr(os, name, dying(getattr(os, name)))
        carrier = FileCarrier(folder / "data/attachments", folder / "second", folder / "state", folder / "state")
        carrier.carry()
        carrier.prune(2)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
STEPS = 120


def test_killed_at_each_call_the_next_one_makes_it_whole(tmp_path: Path) -> None:
    """Two files are new, one is in the newest backup, one was left half written; then what that backup holds is given up."""
    offices = [Office(tmp_path / str(step)) for step in range(1, STEPS + 1)]
    for office in offices:
        office.add(b"held")
        assert office.carrier.carry()
        office.back_up(2)
        office.add(b"one")
        office.add(b"two")
        (office.log / "files" / "new" / ".half.new").write_bytes(b"half")
    held, new = hash_of(b"held"), {hash_of(b"one"), hash_of(b"two")}
    words = [str(office.folder) for office in offices]
    ended = subprocess.run([sys.executable, "-c", KILLED, *words], check=True, capture_output=True, text=True, timeout=120)
    codes = [int(code) for code in ended.stdout.split()]
    assert set(codes) == {0, -signal.SIGKILL}
    assert codes == sorted(codes), "a later step is never reached before an earlier one"
    for office in offices:
        assert names_of(office) <= new | {held}
        office.carrier = office.new_carrier()
        assert office.carrier.carry()
        office.carrier.prune(2)
        assert names_of(office) == new
        assert not list(office.log.rglob(".*"))


def hash_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_what_was_stored_after_the_backup_is_restored_though_the_data_disk_died(fresh: Plan, tmp_path: Path) -> None:
    plan = fresh
    log, files = carriers_of(plan)
    assert log.ship()
    run_now(plan)
    photo, paper = (add_attachment(plan.data, content) for content in (b"a photo of today", b"a paper of today"))
    add_rows(plan, 5)
    assert log.ship()
    assert files.carry()
    assert "2 lampiran sesudahnya dibuka" in rehearse(plan, moment(datetime.now(UTC))).text
    typed = datetime.now(UTC) + timedelta(seconds=1)
    wait_for(lambda: datetime.now(UTC) > typed, what="a moment later, for what is typed has whole seconds")
    add_rows(plan, 1)
    assert log.ship()
    del log, files
    kept = shutil.copytree(plan.data, tmp_path / "data as it was")
    shutil.rmtree(plan.data / "attachments")
    restored = restore(plan, "sekarang", tmp_path / "back")
    assert (restored.losses, len(ledger(tmp_path / "back" / plan.database))) == ((), 2006)
    assert attachments(tmp_path / "back") == attachments(kept)

    copy = next(path for path in carried_files.copies(plan.log) if key_of(plan).hash_of(path.name) == photo.name)
    flip(copy)
    lost = str(photo.relative_to(plan.data))
    restored = restore(plan, "sekarang", tmp_path / "less")
    assert restored.losses == (lost,)
    assert lost in (tmp_path / "less" / LOSSES).read_text()
    assert attachments(tmp_path / "less").keys() == attachments(kept).keys() - {lost}
    with pytest.raises(Mismatch, match=photo.name):
        rehearse(plan, moment(datetime.now(UTC)))
    with pytest.raises(RepositoryDamaged, match=photo.name):
        in_place(plan, "sekarang", lambda _: None)

    shutil.copytree(kept / "attachments", plan.data / "attachments", dirs_exist_ok=True)
    run_now(plan)
    assert rehearse(plan, moment(datetime.now(UTC))).ok, "the new backup holds it, whatever became of its copy"
    shutil.rmtree(plan.data / "attachments")
    shutil.rmtree(plan.log / carried_files.FOLDER)
    restored = in_place(plan, f"{typed.astimezone(ZONE):%d-%m-%Y %H:%M:%S}", lambda _: None, choice=Choice())
    assert restored.manifest.run == 1, "the moment lies before the newer backup"
    assert paper.read_bytes() == b"a paper of today", "which holds the files of then all the same"
    assert attachments(plan.data) == attachments(kept)
    assert book.lines(plan.state)


def test_a_paper_of_today_is_put_back_from_its_copy(fresh: Plan) -> None:
    plan = fresh
    log, carrier = carriers_of(plan)
    assert log.ship()
    older = add_attachment(plan.data, b"in the backup")
    run_now(plan)
    gone, altered, broken = (add_attachment(plan.data, content) for content in (b"gone", b"altered", b"its copy is broken"))
    assert carrier.carry()
    for file in (older, gone, broken):
        file.unlink()
    altered.write_bytes(b"something else")
    flip(next(copy for copy in carried_files.copies(plan.log) if key_of(plan).hash_of(copy.name) == broken.name))
    names = [file.name for file in (older, gone, altered, broken)]
    faults = single_files.look_for_faults(plan.data, names)
    sources = {older.name: 1, gone.name: single_files.CARRIED, altered.name: single_files.CARRIED}
    assert {sha256: kept.number for sha256, kept in single_files.find_kept(plan, faults).items()} == sources
    assert single_files.put_back(plan, faults.wanted, "1").found == {older.name: 1}, "that backup alone"
    # the key is that of the newest backup as well, as on a disk that came from another node
    run_now(plan)
    (plan.log_key / spool.KEY_FILE).unlink()
    back = single_files.put_back(plan, [gone.name, altered.name, broken.name])
    assert (back.found, back.absent) == ({gone.name: 0, altered.name: 0}, (broken.name,))
    assert (gone.read_bytes(), gone.stat().st_mode & 0o777) == (b"gone", 0o640)
    (aside,) = (plan.state / single_files.ALTERED).iterdir()
    assert (altered.read_bytes(), aside.read_bytes()) == (b"altered", b"something else")
    plan.log.rename(plan.log.with_name("pulled out"))
    gone.unlink()
    assert single_files.put_back(plan, [gone.name]).absent == (gone.name,)


def attachments(data: Path) -> dict[str, bytes]:
    return {name: content for name, content in contents(data).items() if name.startswith("attachments/")}


def key_of(plan: Plan) -> Keys:
    return Keys(spool.key_of(plan.log_key))


def carriers_of(plan: Plan) -> tuple[Shipper, FileCarrier]:
    """Who carries the log and the files of a node over, with the folder that provisioning makes."""
    plan.log.mkdir(exist_ok=True)
    carrier = FileCarrier(plan.data / "attachments", plan.log, plan.log_key, plan.state)
    return Shipper(plan.database_file, plan.log, plan.log_key), carrier
