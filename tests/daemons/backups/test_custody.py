"""Giving the backups to a user of their own: everything, again after a cut, and nothing that does not belong to them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from appliance import custody
from appliance.config import BackupSettings, PathSettings, Settings
from appliance.custody import Holding
from backups.lock import only_run

OWN, KEEPER, READERS = 61001, 61002, 61003


def put(path: Path, mode: int = 0o600, owner: int = OWN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    path.chmod(mode)
    os.chown(path, owner, owner)
    return path


@pytest.fixture
def found(tmp_path: Path) -> list[Holding]:
    """A node from before: all of it is one user's."""
    for name in (
        "repository/config",
        "repository/data/0/1",
        "state/book.jsonl",
        "state/borg/security/x",
        "state/sticks/a/scratch/y",
    ):
        put(tmp_path / name)
    for name in ("database/slrt.db", "attachments/ab/abcd"):
        put(tmp_path / name)
    put(tmp_path / "database/slrt.db-wal", owner=KEEPER)
    for folder, _, _ in os.walk(tmp_path):
        os.chown(folder, OWN, OWN)
        Path(folder).chmod(0o700)
    return [
        Holding(tmp_path / "repository", KEEPER, KEEPER),
        Holding(tmp_path / "state", KEEPER, READERS, 0o2750, 0o640),
        Holding(tmp_path / "database", None, READERS, 0o2770, 0o660),
        Holding(tmp_path / "attachments", OWN, READERS, 0o2750, 0o640),
        Holding(tmp_path / "not-there", OWN, READERS),
    ]


def about(path: Path) -> tuple[int, int, int]:
    known = path.lstat()
    return known.st_uid, known.st_gid, stat.S_IMODE(known.st_mode)


def expect_settled(folder: Path) -> None:
    wanted = {
        "repository": (KEEPER, KEEPER, 0o700),
        "repository/data/0/1": (KEEPER, KEEPER, 0o600),
        "state": (KEEPER, READERS, 0o2750),
        "state/book.jsonl": (KEEPER, READERS, 0o640),
        "state/borg": (KEEPER, READERS, 0o700),
        "state/borg/security/x": (KEEPER, READERS, 0o600),
        "state/sticks/a": (KEEPER, READERS, 0o2750),
        "state/sticks/a/scratch": (KEEPER, READERS, 0o700),
        "database": (OWN, READERS, 0o2770),
        "database/slrt.db": (OWN, READERS, 0o660),
        "database/slrt.db-wal": (KEEPER, READERS, 0o660),
        "attachments/ab": (OWN, READERS, 0o2750),
        "attachments/ab/abcd": (OWN, READERS, 0o640),
    }
    assert {name: about(folder / name) for name in wanted} == wanted


def test_everything_is_given_once(found: list[Holding], tmp_path: Path) -> None:
    assert custody.settle(found, only_look=True) > 10
    assert about(tmp_path / "repository/config")[0] == OWN, "to look changes nothing"
    custody.settle(found)
    expect_settled(tmp_path)
    assert custody.settle(found) == custody.settle(found, only_look=True) == 0


@pytest.fixture
def apart(tmp_path: Path) -> Settings:
    """A node whose backups belong to another user, with a restored folder as a restore makes it."""
    settings = Settings(paths=PathSettings(data=str(tmp_path / "data")))
    for name in ("database/slrt.db", "attachments/ab/abcd", "identity/ca.key"):
        put(tmp_path / "data/restoring" / name)
    for folder, _, _ in os.walk(tmp_path / "data"):
        os.chown(folder, OWN, OWN)
        Path(folder).chmod(0o700)
    custody.state_of(settings).mkdir()
    os.chown(custody.state_of(settings), KEEPER, READERS)
    tmp_path.chmod(0o755)
    return settings


def as_owner(act: Callable[[], object]) -> None:
    """In a process of the data's owner, who is in the readers' group and has no right of root's."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([READERS])
            os.setgid(OWN)
            os.setuid(OWN)
            act()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_is_brought_back_can_be_read_by_the_backups_before_it_takes_the_place(apart: Settings, tmp_path: Path) -> None:
    """A power cut right after the exchange leaves nobody who could give it away: the services finish it without root."""
    for folder in (tmp_path, *tmp_path.parents[:3]):  # pytest's folders are root's alone
        folder.chmod(folder.stat().st_mode | 0o111)
    restored = tmp_path / "data/restoring"
    as_owner(lambda: custody.settle_restored(apart, restored))
    assert {name: about(restored / name) for name in ("database", "database/slrt.db", "attachments/ab", "identity/ca.key")} == {
        "database": (OWN, READERS, 0o2770),
        "database/slrt.db": (OWN, READERS, 0o660),
        "attachments/ab": (OWN, READERS, 0o2750),
        "identity/ca.key": (OWN, READERS, 0o640),
    }


def test_a_new_backup_disk_gets_its_folders_with_their_owners(apart: Settings, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    settings = replace(apart, backup=BackupSettings(repository=str(disk / "slrt")))
    wanted = {"slrt": (KEEPER, KEEPER, 0o700), settings.carried_log.name: (OWN, READERS, 0o2750)}
    for _ in range(2):
        custody.make_places(settings)
        assert {path.name: about(path) for path in disk.iterdir()} == wanted
    put(disk / "slrt" / "config", owner=KEEPER)
    (disk / "slrt").chmod(0o750)
    custody.make_places(settings)
    assert about(disk / "slrt") == (KEEPER, KEEPER, 0o750), "what is there stays as it is"


def test_what_a_killed_look_into_a_backup_left_is_erased_but_not_beneath_one_that_looks(apart: Settings) -> None:
    left = put(custody.restores_of(apart) / custody.SCRATCH / "slrt.db")
    with only_run(custody.restores_of(apart)):
        custody.clear_restores(apart)
        assert left.exists()
    custody.clear_restores(apart)
    assert not left.parent.exists()
    custody.clear_restores(apart)


def test_cut_off_anywhere_it_is_repeated(found: list[Holding], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class CutOff(Exception):
        pass

    give = os.fchown
    for allowed in (0, 1, 3, 6):
        numbers = count()

        def give_some(handle: int, owner: int, group: int, numbers: count[int] = numbers, allowed: int = allowed) -> None:
            if next(numbers) >= allowed:
                raise CutOff
            give(handle, owner, group)

        monkeypatch.setattr(custody.os, "fchown", give_some)
        with pytest.raises(CutOff):
            custody.settle(found)
        monkeypatch.undo()
        assert custody.settle(found, only_look=True) > 0
    custody.settle(found)
    expect_settled(tmp_path)


def test_what_somebody_put_there_to_be_given_away_is_not(found: list[Holding], tmp_path: Path) -> None:
    secret = put(tmp_path / "root" / "shadow", 0o600, owner=0)
    (tmp_path / "attachments" / "link").symlink_to(secret)
    (tmp_path / "attachments" / "folder").symlink_to(secret.parent)
    (tmp_path / "attachments" / "same").hardlink_to(secret)
    os.mkfifo(tmp_path / "attachments" / "pipe")
    custody.settle(found)
    assert about(secret) == (0, 0, 0o600)
    expect_settled(tmp_path)
