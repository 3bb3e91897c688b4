"""`slrt backup` bringing something back as root over data of the service user: with its answer for programs, and by order of the pages."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from appliance.restore_orders import REQUEST
from tests.support.borg import SERVICE_USER, Node, add_rows, contents, ledger


def asked(node: Node, question: str) -> list[tuple[Any, ...]]:
    """What the live database answers."""
    with closing(sqlite.connect(str(node.plan.database_file))) as base:
        return list(base.execute(question))


def last_row(node: Node) -> int:
    (row,) = asked(node, "SELECT max(id) FROM ledger")
    return int(row[0])


def everything_is_of_the_service(node: Node) -> bool:
    owner = node.plan.data.stat().st_uid
    return {path.lstat().st_uid for path in node.plan.data.rglob("*")} == {owner}


def order(node: Node, **words: object) -> dict[str, Any]:
    """Leave an order as the pages do, let the unit's command take it; how it ended."""
    place = node.folder / "run" / REQUEST
    place.write_text(json.dumps({"run": 1, "by": "admin.it", "reason": "", **words}))
    os.chown(place, pwd.getpwnam(SERVICE_USER).pw_uid, -1)
    node.slrt("backup", "ordered")
    assert not place.exists()
    told: dict[str, Any] = json.loads((node.plan.data / "restore" / "restore.json").read_bytes())
    return told


@contextmanager
def words_of_all_processes() -> Iterator[set[str]]:
    """What anybody on the machine can read of the programs that run meanwhile."""
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def test_the_database_alone_beside_and_single_papers_for_a_program(backed_up: Node, tmp_path: Path) -> None:
    target = tmp_path / "back"
    done = backed_up.slrt("backup", "restore", "1", "--to", str(target), "--only", "database", "--json", check=True)
    assert json.loads(done.stdout) == {"id": "1", "folder": str(target), "losses": []}
    assert ledger(target / "database" / "slrt.db") == ledger(backed_up.plan.database_file)
    assert not (target / "attachments").exists()

    # which papers there should be is in tables that this node has not
    for look in (("attachments",), ("show-case", "SLRT-7303-202611-00001", "--as", "fo.sari")):
        refused = backed_up.slrt("backup", *look)
        assert (refused.returncode, "Jalankan: sudo slrt database upgrade" in refused.stderr) == (78, True), refused.stderr

    paper = next(path for path in (backed_up.plan.data / "attachments").rglob("*") if path.is_file())
    paper.unlink()
    found = backed_up.slrt("backup", "attachments", "--hash", paper.name, "--json")
    assert (found.returncode, json.loads(found.stdout)["missing"]) == (1, [paper.name])
    back = backed_up.slrt("backup", "attachments", "--hash", paper.name, "--put-back")
    assert back.returncode == 0, back.stderr
    assert "dikembalikan dari cadangan 1" in back.stdout
    assert paper.exists()
    assert everything_is_of_the_service(backed_up)


def test_an_order_of_the_pages_is_checked_carried_out_and_told(backed_up: Node) -> None:
    before, last = contents(backed_up.plan.data / "attachments"), add_rows(backed_up.plan, 3)
    checked = order(backed_up, wish="check")
    assert (checked["ok"], checked["text"]) == (True, "Cadangan 1 utuh dan dapat dipulihkan di sini.")
    assert last_row(backed_up) == last, "a check changes nothing"

    missing = order(backed_up, wish="restore", run=7)
    assert (missing["ok"], "nomor 7" in missing["text"], missing["next_step"]) == (
        False,
        True,
        "Lihat daftarnya: slrt backup list",
    )

    with words_of_all_processes() as seen:
        done = order(backed_up, wish="restore", reason="disk data diganti")
    assert [words for words in seen if " --in-place " in words]
    assert not [words for words in seen if "disk data diganti" in words], (
        "it may name somebody, and every local user can read these"
    )
    assert (done["ok"], done["text"]) == (True, "Data sudah dipulihkan dari cadangan 1.")
    assert last_row(backed_up) == 2000
    assert contents(backed_up.plan.data / "attachments") == before
    assert asked(backed_up, "SELECT epoch, run, by_name, reason FROM restoration") == [(1, 1, "admin.it", "disk data diganti")]
    assert everything_is_of_the_service(backed_up)
    assert "Masa data 1-" in backed_up.slrt("status").stdout

    paper = next(path for path in (backed_up.plan.data / "attachments").rglob("*") if path.is_file())
    paper.unlink()
    add_rows(backed_up.plan, 2)
    database = order(backed_up, wish="database", reason="catatan rusak saja")
    assert (database["ok"], database["text"]) == (
        True,
        "Basis data sudah dipulihkan dari cadangan 1; lampiran tetap yang sekarang.",
    )
    assert (last_row(backed_up), paper.exists()) == (2000, False)
    back = order(backed_up, wish="papers", papers=[paper.name])
    assert (back["ok"], back["text"], paper.exists()) == (True, "1 berkas dikembalikan ke tempatnya.", True), back
    assert everything_is_of_the_service(backed_up)


def test_two_restores_at_once_are_refused(backed_up: Node) -> None:
    handle = os.open(backed_up.folder / "run", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        refused = backed_up.slrt("backup", "restore", "1", "--in-place", "--yes")
    finally:
        os.close(handle)
    assert refused.returncode == 75
    assert not (backed_up.plan.data / "before-restore-1").exists()
