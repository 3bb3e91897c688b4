"""`slrt backup` as an operator runs it, as root over data of a service user, also on a second, empty machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pysqlite3 import dbapi2 as sqlite

from appliance.recovery import rotation
from tests.support.borg import Node, a_node, add_rows, contents, ledger, writing
from tests.support.waiting import wait_for


@pytest.fixture
def second() -> Iterator[Node]:
    """Another machine, with secrets of its own."""
    with a_node() as made:
        yield made


def relocked(node: Node) -> bytes:
    """The public half of the node's CA key, opened with the node's own passphrase."""
    file = node.plan.data / "identity" / "ca.key"
    key = serialization.load_pem_private_key(file.read_bytes(), node.secret("backup-passphrase").encode())
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def test_from_the_first_init_to_a_restore_beside(node: Node, tmp_path: Path) -> None:
    empty = node.slrt("backup", "list", "--json")
    assert (empty.returncode, json.loads(empty.stdout)) == (0, [])
    assert node.slrt("backup", "init").stdout == "Tidak ada yang berubah.\n"

    made = node.slrt("backup", "run")
    assert made.returncode == 0, made.stderr
    assert "[1/6]" in made.stdout
    assert "[6/6]" in made.stdout

    (listed,) = json.loads(node.slrt("backup", "list", "--json").stdout)
    assert {key: listed[key] for key in ("id", "state", "verified")} == {"id": "1", "state": "complete", "verified": True}
    assert set(listed) == {"id", "at", "size", "state", "verified"}
    assert "WITA" in node.slrt("backup", "list").stdout

    assert "utuh" in node.slrt("backup", "verify").stdout
    proven = json.loads(node.slrt("backup", "prove", "--json").stdout)
    assert (proven["kind"], proven["number"], proven["ok"]) == ("rehearsal", 1, True)
    told = json.loads(node.slrt("backup", "history", "--days", "2", "--json").stdout)
    assert told["last_restored"]["number"] == 1
    assert [night["state"] for night in told["nights"]][-1] == "restored"
    assert "Terakhir terbukti bisa dipulihkan: " in node.slrt("backup", "history").stdout
    target = tmp_path / "closed" / "back"
    target.parent.mkdir(mode=0o700)
    done = node.slrt("backup", "restore", "1", "--to", str(target))
    assert done.returncode == 0, done.stderr
    assert contents(target / "attachments") == contents(node.plan.data / "attachments")
    assert ledger(target / "database" / "slrt.db") == ledger(node.plan.database_file)

    # what root ran left nothing that locks the service user out
    owners = {path.stat().st_uid for folder in (node.plan.data, node.plan.repository, target) for path in folder.rglob("*")}
    assert owners == {node.plan.data.stat().st_uid}


def test_another_machines_backup_on_an_empty_machine(backed_up: Node, second: Node, tmp_path: Path) -> None:
    """One command: data, attachments and CA come over; the CA key opens with the new machine's passphrase, audit with the old key."""
    medium = tmp_path / "usb"
    shutil.copytree(backed_up.plan.repository, medium)
    for path in (medium, *medium.rglob("*")):
        os.chown(path, 4711, 4711)
    note = tmp_path / "lembar.txt"
    note.write_text(backed_up.secret("backup-passphrase") + "\n")
    old_audit_key = second.secret("audit-key")
    origin = ("--repository", str(medium), "--passphrase-file", str(note))

    listed = second.slrt("backup", "list", "--json", *origin)
    assert [one["id"] for one in json.loads(listed.stdout)] == ["1"]
    done = second.slrt("backup", "restore", "terakhir", "--in-place", "--yes", *origin)

    assert "sudah di tempatnya" in done.stdout, done.stderr
    assert ledger(second.plan.database_file) == ledger(backed_up.plan.database_file)
    assert contents(second.plan.data / "attachments") == contents(backed_up.plan.data / "attachments")
    assert relocked(second) == relocked(backed_up)
    assert second.secret("audit-key") == backed_up.secret("audit-key")
    kept = second.folder / "secrets" / "audit-key.before-restore-1"
    assert kept.read_text().strip() == old_audit_key
    assert stat.S_IMODE((second.folder / "secrets" / "audit-key").stat().st_mode) == 0o600
    assert not list(second.plan.data.glob("*/secrets"))
    assert {path.stat().st_uid for path in medium.rglob("*")} == {4711}
    # its own backups go on under its own passphrase
    assert second.slrt("backup", "run").returncode == 0

    # and taken back, the journal that was here is sealed with the key that was here
    second.slrt("backup", "revert", "--yes", check=True)
    assert second.secret("audit-key") == old_audit_key
    assert relocked(second) != relocked(backed_up)


def as_before_the_last_rename(data: Path) -> None:
    """The state of a restore that was cut off a moment sooner: all is exchanged, what was replaced has no name of its own yet."""
    note, kept, staged = data / "restored.json", data / "before-restore-1", data / "restoring"
    names = [path.name for path in kept.iterdir() if (data / path.name).is_dir()]
    journal = {
        "staged": str(staged),
        "replaced": str(kept),
        "inodes": {name: (data / name).stat().st_ino for name in names},
        "note": json.loads(note.read_text()),
    }
    (data / "restore-in-progress.json").write_text(json.dumps(journal))
    os.chown(data / "restore-in-progress.json", data.stat().st_uid, -1)
    kept.rename(staged)
    note.unlink()


@pytest.mark.parametrize("sooner", [False, True])
def test_a_restore_on_another_machine_that_is_killed_is_ended_before_the_services_start(
    backed_up: Node, second: Node, tmp_path: Path, sooner: bool
) -> None:
    """The journal that came is sealed with a key that only root can put in its place: until then nobody may write in it."""
    note = tmp_path / "lembar.txt"
    note.write_text(backed_up.secret("backup-passphrase") + "\n")
    words = ("--repository", str(backed_up.plan.repository), "--passphrase-file", str(note))
    with second.start("backup", "restore", "terakhir", "--in-place", "--yes", *words) as running:
        while not (second.plan.data / "restored.json").exists():
            assert running.poll() is None
        os.killpg(running.pid, signal.SIGKILL)
    if sooner:
        as_before_the_last_rename(second.plan.data)
        # a change of the passphrase waits as well, and cannot be ended without the disk of the backups
        (second.folder / "secrets" / rotation.NEXT).write_text("x\n")
        second.plan.repository.rename(tmp_path / "away")
    assert second.secret("audit-key") != backed_up.secret("audit-key"), "root had not got to it"

    done = second.slrt("backup", "finish", "--starting")

    assert "Pemulihan yang terputus sudah diselesaikan." in done.stdout, done.stderr
    assert second.secret("audit-key") == backed_up.secret("audit-key")
    assert ledger(second.plan.database_file) == ledger(backed_up.plan.database_file)
    with closing(sqlite.connect(str(second.plan.database_file))) as base:
        assert base.execute("SELECT count(*) FROM restoration").fetchone()[0] == 1
    assert not (second.plan.data / "restored.json").exists()
    assert "Tidak ada pemulihan yang belum selesai." in second.slrt("backup", "finish", "--starting").stdout


def test_filled_tables_are_not_changed_before_a_backup_is_made(node: Node) -> None:
    """A newer program over older tables. The ledger is no database of ours, so that the change itself fails, after the backup."""
    with closing(sqlite.connect(str(node.plan.database_file), isolation_level=None)) as base:
        base.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        base.execute("INSERT INTO alembic_version VALUES ('0001')")
    away = node.plan.repository.with_name("unplugged")
    node.plan.repository.rename(away)
    refused = node.slrt("database", "upgrade")
    assert refused.returncode == 1
    assert "tidak ada yang diubah" in refused.stderr
    assert "disk cadangan" in refused.stderr

    away.rename(node.plan.repository)
    done = node.slrt("database", "upgrade")
    assert "Cadangan 1 lengkap" in done.stdout
    assert "Membuat cadangan" not in node.slrt("database", "upgrade", "--without-backup").stdout


def test_in_place_is_refused_while_somebody_uses_the_data(backed_up: Node, tmp_path: Path) -> None:
    with writing(backed_up.plan.database_file, tmp_path / "log") as writer:
        writer.wait_for(2001)
        refused = backed_up.slrt("backup", "restore", "1", "--in-place", "--yes")
    assert refused.returncode == 1
    assert "sedang dipakai" in refused.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["restore"], 2),
        (["restore", "1"], 2),
        (["restore", "1", "--to", "/nowhere/x", "--in-place"], 2),
        (["restore", "9", "--to", "{tmp}/x"], 1),
        (["restore", "1", "--to", "{tmp}"], 1),
        (["verify", "9"], 1),
        (["list", "--repository", "{tmp}"], 78),
        (["list", "--passphrase-file", "/nowhere"], 2),
    ],
)
def test_wrong_words(node: Node, tmp_path: Path, words: list[str], code: int) -> None:
    (tmp_path / "something").write_text("x")
    ended = node.slrt("backup", *(word.replace("{tmp}", str(tmp_path)) for word in words))
    assert (ended.returncode, ended.stdout) == (code, ended.stdout), ended.stderr
    assert "Traceback" not in ended.stderr


def test_at_a_terminal_it_asks_before_it_replaces_anything(backed_up: Node) -> None:
    before = ledger(backed_up.plan.database_file)
    keyboard, terminal = os.openpty()
    os.write(keyboard, b"n\n")
    ended = backed_up.slrt("backup", "restore", "1", "--in-place", terminal=terminal)
    os.close(keyboard)
    os.close(terminal)
    assert (ended.returncode, "Lanjutkan?" in ended.stdout) == (130, True)
    assert ledger(backed_up.plan.database_file) == before
    assert not list(backed_up.plan.data.glob("before-restore-*"))


def test_a_script_is_not_asked(backed_up: Node) -> None:
    assert "sudah di tempatnya" in backed_up.slrt("backup", "restore", "1", "--in-place", check=True).stdout


def test_a_closed_gate_refuses_and_a_closing_gate_ends_a_run(node: Node) -> None:
    state = node.folder / "power" / "state.json"
    state.write_text('{"accepts_work": false}')
    assert node.slrt("backup", "run").returncode == 75

    state.write_text('{"accepts_work": true}')
    process = node.start("backup", "run")
    wait_for(lambda: any(node.plan.repository.glob("lock.exclusive/*")), seconds=60, what="borg works")
    state.write_text('{"accepts_work": false}')
    assert process.wait(120) == 75
    state.write_text('{"accepts_work": true}')
    assert node.slrt("backup", "run").returncode == 0


def test_ctrl_c_ends_a_run(node: Node) -> None:
    process = node.start("backup", "run")
    wait_for(lambda: any(node.plan.repository.glob("lock.exclusive/*")), seconds=60, what="borg works")
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 75


def test_a_wrong_or_missing_passphrase_and_a_missing_disk_are_configuration(node: Node) -> None:
    secret = node.folder / "secrets" / "backup-passphrase"
    right = secret.read_text()
    secret.write_text("salak\n")
    assert node.slrt("backup", "list").returncode == 78
    secret.unlink()
    missing = node.slrt("backup", "list")
    assert missing.returncode == 78
    assert "backup-passphrase" in missing.stderr
    secret.touch(0o600)
    secret.write_text(right)
    node.plan.repository.rename(node.folder / "unplugged")
    gone = node.slrt("backup", "run")
    assert gone.returncode == 78
    assert "disk cadangan" in gone.stderr


def test_the_passphrase_is_in_no_argument_and_no_environment(node: Node) -> None:
    process = node.start("backup", "run")
    seen: list[bytes] = []

    def look() -> bool:
        for found in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if b"borg" in (words := found.read_bytes()):
                    seen.append(words + found.with_name("environ").read_bytes())
            except OSError:
                continue
        return process.poll() is not None

    wait_for(look, seconds=240, what="the run ended")
    assert seen
    assert not any(node.secret("backup-passphrase").encode() in words for words in seen)


def test_more_rows_more_runs(node: Node) -> None:
    for expected in ("1", "2"):
        add_rows(node.plan, 1)
        node.slrt("backup", "run", check=True)
        assert json.loads(node.slrt("backup", "list", "--json").stdout)[-1]["id"] == expected
