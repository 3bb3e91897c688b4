"""Disks that are full or gone, wrong passphrases, broken repositories: each is told by its kind, and nothing good is lost."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from backups import catalogue, outcome, repository
from backups.borg import require_borg
from backups.errors import (
    BackupError,
    Busy,
    EngineKilled,
    EngineMissing,
    Mismatch,
    NoSpace,
    NoSuchArchive,
    ReadOnly,
    RepositoryDamaged,
    RepositoryMissing,
    SourceMissing,
    Stopped,
    WrongPassphrase,
)
from backups.lock import only_run
from backups.manifest import Manifest
from backups.restore import restore
from backups.settings import MEBIBYTE, Plan
from backups.verify import verify
from tests.support.borg import Node, add_attachment, add_rows, contents, make_plan, run_now
from tests.support.disks import read_only, small_disk


def complete(plan: Plan) -> list[int]:
    return [run.number for run in catalogue.list_runs(repository.engine(plan)) if run.complete]


def test_no_repository(plan: Plan) -> None:
    plan.repository.rename(plan.repository.with_name("unplugged"))
    with pytest.raises(RepositoryMissing):
        run_now(plan)
    plan.repository.mkdir()  # the empty mount point of a disk that is not plugged in
    with pytest.raises(RepositoryMissing):
        run_now(plan)
    assert not any(plan.repository.iterdir())


def test_the_outcome_tells_a_missing_repository(plan: Plan) -> None:
    (plan.repository / "config").rename(plan.repository / "config.away")
    with pytest.raises(RepositoryMissing):
        run_now(plan)
    record = outcome.read(plan.state)
    assert record.last is not None
    assert record.last_good is not None
    assert (record.last.ok, record.last_good.ok) == (False, True)


def test_a_wrong_passphrase(plan: Plan) -> None:
    wrong = replace(plan, passphrase="salak")
    for attempt in (lambda: run_now(wrong), lambda: repository.init(wrong), lambda: verify(wrong, "1")):
        with pytest.raises(WrongPassphrase):
            attempt()
    assert complete(plan) == [1]


def test_an_empty_folder_is_restored_from_nothing(fresh: Plan, tmp_path: Path) -> None:
    with pytest.raises(NoSuchArchive, match="Belum ada"):
        restore(fresh, "terakhir", tmp_path / "back")


@pytest.mark.parametrize("wanted", ["2", "0", "-1", "", "db-1", "1.0", "semua"])
def test_a_number_that_nobody_made(plan: Plan, tmp_path: Path, wanted: str) -> None:
    with pytest.raises(NoSuchArchive):
        restore(plan, wanted, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_run_without_its_mark_is_not_offered(plan: Plan) -> None:
    add_rows(plan, 1)
    run_now(plan)
    repository.engine(plan).delete(["ok-2"])
    with pytest.raises(NoSuchArchive):
        verify(plan, "2")
    assert verify(plan, "terakhir").run == 1


def test_two_runs_at_once(plan: Plan) -> None:
    before = outcome.read(plan.state)
    with only_run(plan.repository), pytest.raises(Busy):
        run_now(plan)
    assert outcome.read(plan.state) == before


def test_a_run_that_is_stopped_ends_and_leaves_the_repository_fine(plan: Plan) -> None:
    said: list[str] = []
    with pytest.raises(Stopped):
        run_now(plan, stop=lambda: len(said) >= 3, say=said.append)
    assert complete(plan) == [1]
    assert run_now(plan).ok


@pytest.mark.parametrize("where", ["repository", "data"])
def test_a_full_disk_is_told_and_the_next_run_with_room_succeeds(tmp_path: Path, where: str) -> None:
    with small_disk(tmp_path / "small", 900) as small:
        plan = replace(make_plan(tmp_path / "node", rows=5000), spare_bytes=20 * MEBIBYTE)
        if where == "repository":
            plan = replace(plan, repository=small / "repository")
            repository.init(plan)
        else:
            plan = replace(plan, state=small / "state")
        run_now(plan)
        ballast = small / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, repository.free(small) - 100_000)
        add_attachment(plan.data, os.urandom(MEBIBYTE))
        with pytest.raises(NoSpace):
            run_now(plan)
        assert "MB" in (outcome.read(plan.state).last or pytest.fail("no outcome")).text
        ballast.unlink()
        assert run_now(plan).ok
        assert 1 in complete(plan)


def test_a_disk_that_fills_up_in_the_middle(tmp_path: Path) -> None:
    """More comes than the check before the run could know: the files grow after it."""
    with small_disk(tmp_path / "small", 700) as small:
        plan = replace(make_plan(tmp_path / "node"), repository=small / "repository", reserve_bytes=0)
        repository.init(plan)
        run_now(plan)

        def grow(text: str) -> None:
            if "lampiran" in text:
                add_attachment(plan.data, os.urandom(MEBIBYTE) * 10 + os.urandom(720 * MEBIBYTE))

        with pytest.raises(NoSpace):
            run_now(plan, say=grow)
        for path in plan.data.rglob("attachments/*/*"):
            if path.stat().st_size > MEBIBYTE:
                path.unlink()
        assert run_now(plan).ok


def test_the_reserve_is_given_up_when_there_is_no_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 3000) as small:
        plan = replace(make_plan(tmp_path / "node"), repository=small / "repository", reserve_bytes=640 * MEBIBYTE)
        repository.init(plan)
        reserve = plan.repository / repository.RESERVE
        assert reserve.stat().st_blocks * 512 == plan.reserve_bytes
        run_now(plan)
        with (small / "ballast").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, repository.free(small) - 500_000)
        assert run_now(plan).ok
        assert not reserve.exists()
        (small / "ballast").unlink()
        run_now(plan)
        assert reserve.exists()


def segments(plan: Plan) -> list[Path]:
    """Files of the repository that hold data, the largest first."""
    return sorted((plan.repository / "data").glob("*/*"), key=lambda path: -path.stat().st_size)


def test_one_flipped_byte_is_found(plan: Plan) -> None:
    segment = segments(plan)[0]
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    with pytest.raises((RepositoryDamaged, Mismatch)):
        verify(plan, "1")
    with pytest.raises(BackupError):
        run_now(plan)
    assert not (outcome.read(plan.state).last or pytest.fail("no outcome")).ok


def test_a_missing_segment_is_found(plan: Plan) -> None:
    segments(plan)[0].unlink()
    with pytest.raises(BackupError):
        verify(plan, "1")


def test_a_database_that_is_broken_before_the_backup_is_found_and_old_runs_stay(plan: Plan) -> None:
    with plan.database_file.open("r+b") as file:
        file.seek(20 * 4096)
        file.write(os.urandom(3 * 4096))
    with pytest.raises((Mismatch, SourceMissing)):
        run_now(plan)
    assert complete(plan) == [1]


def test_a_file_that_goes_away_or_changes_while_it_is_stored_is_no_failure(plan: Plan) -> None:
    """Attachments are written once and deleted late; a backup that meets a deletion holds the state before or after."""
    doomed, cut, growing = (add_attachment(plan.data, word * 1000) for word in (b"doomed ", b"cut ", b"growing "))

    def meddle(text: str) -> None:
        if "lampiran" in text:
            doomed.unlink()
            os.truncate(cut, 10)
            growing.write_bytes(b"more " * 100_000)

    assert run_now(plan, say=meddle).ok


def test_a_file_that_the_service_may_not_read_is_named(node: Node) -> None:
    """A backup with a hole must not look like a backup."""
    hidden = add_attachment(node.plan.data, b"hidden")
    hidden.chmod(0)
    ended = node.slrt("backup", "run")
    assert ended.returncode == 1
    assert hidden.name in ended.stderr
    assert "tidak dapat dibaca" in ended.stderr
    assert complete(node.plan_with_secret()) == []


def test_an_engine_that_the_kernel_kills_is_told_as_that_and_the_next_run_succeeds(plan: Plan) -> None:
    killed: list[int] = []

    def out_of_memory() -> bool:
        """Asked while borg runs: the first borg that stores something dies."""
        children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
        if not killed and any(plan.repository.glob("lock.exclusive/*")):
            killed.extend(int(child) for child in children if Path(f"/proc/{child}/comm").read_text() == "borg\n")
            for child in killed:
                os.kill(child, signal.SIGKILL)
        return False

    with pytest.raises(EngineKilled, match="sinyal 9"):
        run_now(plan, stop=out_of_memory)
    assert run_now(plan).ok


def test_the_cache_may_be_lost(plan: Plan) -> None:
    shutil.rmtree(plan.state / "borg")
    assert run_now(plan).ok


def test_a_disk_that_takes_nothing_is_told(plan: Plan) -> None:
    with read_only(plan.repository), pytest.raises(ReadOnly, match="tidak dapat ditulis"):
        run_now(plan)
    assert complete(plan) == [1]
    assert run_now(plan).ok


def test_an_empty_mount_point_is_not_made_a_new_repository(plan: Plan) -> None:
    repository.remember(plan)  # as after its first run: the fixture's copy lies in another place
    plan.repository.rename(plan.repository.with_name("unplugged"))
    plan.repository.mkdir()
    for attempt in (lambda: repository.init(plan), lambda: repository.engine(plan)):
        with pytest.raises(RepositoryMissing, match="mungkin disknya tidak terpasang"):
            attempt()
    assert not any(plan.repository.iterdir())
    assert repository.init(plan, anew=True)
    assert run_now(plan).archive == "1"


def test_a_manifest_of_a_newer_program_is_refused() -> None:
    with pytest.raises(RepositoryDamaged, match="versi program yang lebih baru"):
        Manifest.from_bytes(b'{"format": 99}')


def test_a_target_with_something_in_it_is_left_alone(plan: Plan, tmp_path: Path) -> None:
    target = tmp_path / "back"
    target.mkdir()
    (target / "mine").write_text("precious")
    with pytest.raises(BackupError, match="sudah ada isinya"):
        restore(plan, "1", target)
    assert contents(target) == {"mine": b"precious"}


def test_a_restore_without_room_is_told(plan: Plan, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 1) as small, pytest.raises(NoSpace):
        restore(plan, "1", small / "back")


def test_without_borg_the_paket_is_named(plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="borg"):
        run_now(plan)


@pytest.mark.parametrize(
    ("version", "usable"), [("borg 1.1.16", False), ("borg 1.2.4", True), ("borg 1.4.0", True), ("borg 2.0.0b1", False)]
)
def test_versions_of_borg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, usable: bool) -> None:
    program = tmp_path / "borg"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if usable:
        assert require_borg()
    else:
        with pytest.raises(EngineMissing, match="versi"):
            require_borg()
