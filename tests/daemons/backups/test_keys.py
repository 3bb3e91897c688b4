"""The passphrase of the backups: on paper, changed in every repository, cut off anywhere; and the second one beside it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.commands.restoring import relock
from appliance.config import PathSettings, Settings
from appliance.letters.sheet import qr_uri
from appliance.recovery import record, rotation, sheet
from appliance.recovery.sheet import Vault
from appliance.sticks import book
from appliance.sticks.book import Seen, Sight, State, Stick
from backups import passphrase, repository
from backups.borg import Engine
from backups.errors import WrongPassphrase
from backups.settings import Plan
from tests.support.borg import Node
from tests.support.sticks import own_mounts


def opens(plan: Plan, word: str) -> bool:
    try:
        Engine(plan.repository, plan.state / "borg", word).archives()
    except WrongPassphrase:
        return False
    return True


@contextmanager
def watching_processes() -> Iterator[set[bytes]]:
    """The arguments and the environment of each borg that is seen meanwhile."""
    seen: set[bytes] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            for found in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    if b"borg" in (words := found.read_bytes()):
                        seen.add(words + found.with_name("environ").read_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@pytest.fixture
def secrets(plan: Plan, tmp_path: Path) -> Path:
    """The node's secrets, with the passphrase in use."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o700)
    (folder / rotation.CURRENT).write_text(f"{plan.passphrase}\n")
    return folder


class CutOff(Exception):
    """The power goes."""


def rotate(plan: Plan, secrets: Path, cut_at: int = 99) -> None:
    """As `slrt backup key rotate` does; ends before the step with the number `cut_at`."""
    steps = iter(range(100))

    def say(_text: str) -> None:
        if next(steps) == cut_at:
            raise CutOff

    settings = Settings(paths=PathSettings(data=str(plan.data), secrets=str(secrets)))
    settings = replace(settings, backup=replace(settings.backup, stick_state=str(secrets)))
    say("begin")
    old, new = rotation.begin(secrets)
    rotation.rekey(settings, replace(plan, passphrase=new), old, say)
    say("relock")
    relock(settings.identity, old, new)
    say("finish")
    rotation.finish(secrets)


@pytest.mark.parametrize("cut_at", range(4))
def test_a_rotation_cut_off_anywhere_is_finished_by_asking_again(plan: Plan, secrets: Path, cut_at: int) -> None:
    with pytest.raises(CutOff):
        rotate(plan, secrets, cut_at)
    present = (secrets / rotation.CURRENT).read_text().strip()
    waiting = [(secrets / rotation.NEXT).read_text().strip()] if (secrets / rotation.NEXT).exists() else []
    assert any(opens(plan, word) for word in (present, *waiting)), "what is on the disk opens it at any moment"
    rotate(plan, secrets)
    new = (secrets / rotation.CURRENT).read_text().strip()
    assert passphrase.read_typed(new) == new != plan.passphrase
    assert opens(plan, new)
    assert not opens(plan, plan.passphrase)
    assert rotation.former_ones(secrets) == [plan.passphrase]
    assert not (secrets / rotation.NEXT).exists()


def test_a_rotation_cut_off_before_the_key_was_exported_leaves_none_that_only_the_old_paper_opens(
    plan: Plan, secrets: Path, tmp_path: Path
) -> None:
    _, new = rotation.begin(secrets)
    Engine(plan.repository, plan.state / "borg", plan.passphrase).change_passphrase(new)  # and here the power goes
    rotate(plan, secrets)
    copy = tmp_path / "copy"
    shutil.copytree(plan.repository, copy)
    environment = {**os.environ, "BORG_BASE_DIR": str(tmp_path / "elsewhere"), "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}
    subprocess.run(["borg", "key", "import", str(copy), str(copy / repository.KEY)], env=environment, check=True)
    Engine(copy, tmp_path / "elsewhere", new).archives()


def test_a_stick_that_was_pulled_unseen_does_not_hold_up_a_rotation(plan: Plan, secrets: Path, tmp_path: Path) -> None:
    """After a start, too, what was seen last is from before it."""
    stick, at = Stick("0000-1111", "A", 1 << 30, datetime.now(UTC), "ab" * 32), datetime.now(UTC)
    book.write_known(secrets, [stick])
    book.write_sight(secrets, Sight(at, {stick.uuid: Seen(State.READY, at)}))
    settings = Settings(paths=PathSettings(data=str(plan.data), secrets=str(secrets)))
    settings = replace(
        settings, backup=replace(settings.backup, stick_state=str(secrets), stick_mounts=str(tmp_path / "not mounted"))
    )
    old, new = rotation.begin(secrets)
    assert rotation.rekey(settings, replace(plan, passphrase=new), old, str) == [stick]
    assert opens(plan, new)


def test_the_second_passphrase_opens_a_copy_without_the_first(plan: Plan, tmp_path: Path) -> None:
    second = replace(plan, second_passphrase=passphrase.generate())
    repository.init(second)
    key = plan.repository / repository.SECOND_KEY
    made = key.read_bytes()
    repository.init(second)
    assert key.read_bytes() == made, "made once"
    assert opens(plan, plan.passphrase), "the repository itself knows nothing of it"
    assert not opens(plan, second.second_passphrase)
    copy = tmp_path / "copy"
    shutil.copytree(plan.repository, copy)
    environment = {**os.environ, "BORG_BASE_DIR": str(tmp_path / "elsewhere"), "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}
    subprocess.run(["borg", "key", "import", str(copy), str(copy / repository.SECOND_KEY)], env=environment, check=True)
    assert Engine(copy, tmp_path / "elsewhere", second.second_passphrase).archives()


def test_a_damaged_config_is_mended_by_the_exported_key(plan: Plan, tmp_path: Path) -> None:
    config = plan.repository / "config"
    text = config.read_text()
    head, _, _ = text.partition("key = ")
    config.write_text(head)
    with pytest.raises(Exception, match="borg"):
        Engine(plan.repository, tmp_path / "elsewhere", plan.passphrase).archives()
    environment = {**os.environ, "BORG_BASE_DIR": str(tmp_path / "elsewhere")}
    subprocess.run(
        ["borg", "key", "import", str(plan.repository), str(plan.repository / repository.KEY)], env=environment, check=True
    )
    assert Engine(plan.repository, tmp_path / "elsewhere", plan.passphrase).archives()


def test_the_sheets_hold_what_opens_the_repositories() -> None:
    made, second = passphrase.generate(), passphrase.generate()
    page = sheet.draw(Settings(), made, second, [Vault("Disk simpul", "ab" * 32), Vault("Stik A", "cd" * 32)], datetime.now(UTC))
    assert page.count("<h1>") == 3
    for word, times in ((made, 2), (second, 1)):
        assert all(page.count(f"<b>{group}</b>") >= times for group in word.split("-"))
        assert page.count(record.fingerprint_of(word)) == times
        assert page.count(qr_uri(word).replace("&", "&amp;")) == times
    for identity in ("ab" * 32, "cd" * 32):
        assert page.count(identity) == 3
    assert sheet.draw(Settings(), made, "", [], datetime.now(UTC)).count("<h1>") == 2


def test_by_hand_as_root(node: Node, tmp_path: Path) -> None:
    old, locked = node.secret("backup-passphrase"), node.plan.data / "identity" / "ca.key"
    locked.chmod(0o640)
    with watching_processes() as seen:
        assert node.slrt("backup", "key", "second").returncode == 0
        done = node.slrt("backup", "key", "rotate")
    assert done.returncode == 0, done.stderr
    new, second = node.secret("backup-passphrase"), node.secret("backup-second-passphrase")
    assert new != old
    assert stat.S_IMODE(locked.stat().st_mode) == 0o640, "who makes the backups can still read it"
    for word in (old, new, second):
        assert not any(word.encode() in words for words in seen)
        assert word not in done.stdout + done.stderr
        assert not any(word.encode() in path.read_bytes() for path in node.plan.data.rglob("*") if path.is_file())
    assert any(b"change-passphrase" in words for words in seen), "the watch saw borg at it"
    assert (node.plan.repository / repository.SECOND_KEY).stat().st_uid == node.plan.data.stat().st_uid

    paper = tmp_path / "lembar.pdf"
    printed = node.slrt("backup", "key", "sheet", "--to", str(paper))
    assert printed.returncode == 0, printed.stderr
    assert stat.S_IMODE(paper.stat().st_mode) == 0o600
    assert paper.read_bytes().startswith(b"%PDF-")
    assert "belum diuji: lembar kepala dinas" in node.slrt("backup", "key", "status").stdout


def test_a_rotation_that_was_cut_off_is_ended_before_the_services_start_and_no_old_sheet_is_printed(
    backed_up: Node, tmp_path: Path
) -> None:
    """Whatever opens by then: until both are one again every backup would fail, or the paper be of no use."""
    old, new = backed_up.secret("backup-passphrase"), passphrase.generate()
    waiting = backed_up.folder / "secrets" / rotation.NEXT
    waiting.write_text(f"{new}\n")
    waiting.chmod(0o600)
    refused = backed_up.slrt("backup", "key", "sheet", "--to", str(tmp_path / "lembar.pdf"))
    assert "Penggantian kata sandi cadangan belum selesai." in refused.stderr
    assert not (tmp_path / "lembar.pdf").exists()

    done = backed_up.slrt("backup", "finish", "--starting")

    assert "sudah diselesaikan" in done.stdout, done.stderr
    assert (backed_up.secret("backup-passphrase"), waiting.exists()) == (new, False)
    assert backed_up.slrt("backup", "run").returncode == 0
    assert not opens(backed_up.plan, old)
    nowhere = backed_up.slrt("backup", "key", "sheet", "--to", "/tidakada/lembar.pdf")
    assert "Sebutkan folder yang ada" in nowhere.stderr


def test_a_sheet_that_a_full_disk_cut_short_does_not_stand_in_the_way_of_the_next(node: Node, tmp_path: Path) -> None:
    own_mounts()
    full = tmp_path / "full"
    full.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(full)], check=True)
    try:
        refused = node.slrt("backup", "key", "sheet", "--to", str(full / "lembar.pdf"))
        left = list(full.iterdir())
    finally:
        subprocess.run(["umount", str(full)], check=True)
    assert "tidak dapat ditulis" in refused.stderr
    assert left == []
