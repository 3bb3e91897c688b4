"""A copy of what an upgrade changes, beside the node and of root's alone: the database, the files that are written, the marks of what
was taken in. Put back, the machine is what it was; done twice it is the same as done once.
"""

from __future__ import annotations

import base64
import errno
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, BinaryIO

from appliance.config import Settings
from appliance.errors import ApplianceError
from provision.change import STAMPS, Folder, SecretFile, insist, writes
from provision.host import Host, flush_folder, write_durably
from provision.step import Step
from provision.steps.units import UNIT_FOLDER
from provision.upgrade.node import program

FILES, DATABASE, DUMP = "files.json", "slrt.db", "database.dump"
UNITS = {".service", ".socket", ".timer", ".path", ".target"}
BLOCK = 1 << 20
UNUSED_WITHIN, PAUSE = 120.0, 0.2
UNFINISHED = ("restore-in-progress.json", "restored.json")


def paths_of(steps: Iterable[Step]) -> list[str]:
    """The files and links that these steps write or take away; folders and secrets are only ever made."""
    changes = [change for step in steps for change in step.changes if not isinstance(change, Folder | SecretFile)]
    return sorted({path for change in changes for path in writes(change)})


def keep_files(host: Host, copy: Path, paths: Sequence[str]) -> None:
    """Keep what is at each path now, and every mark of what was taken in, in `copy`."""
    marks = [str(path) for path in sorted(Path(STAMPS).glob("*")) if path.is_file()]
    found = [_look(host, path) for path in (*paths, *marks)]
    write_durably(copy / FILES, json.dumps({"marks": marks, "files": found}).encode(), 0o600)


def kept_paths(copy: Path | None) -> list[str]:
    """The paths that a copy holds, besides the marks."""
    if copy is None:
        return []
    kept = json.loads((copy / FILES).read_bytes())
    return [file["path"] for file in kept["files"] if file["path"] not in kept["marks"]]


def _look(host: Host, path: str) -> dict[str, Any]:
    entry = host.look(path)
    if entry is None or entry.kind not in ("file", "link"):
        return {"path": path}
    kept: dict[str, Any] = {"path": path, "mode": entry.mode, "owner": entry.owner, "group": entry.group, "target": entry.target}
    if entry.kind == "file":
        kept["content"] = base64.b64encode(host.read(path) or b"").decode()
    return kept


def put_files_back(host: Host, copy: Path, but: Collection[str] = ()) -> None:
    """Every file as it was kept, `but` some; what was not there goes, units in good order."""
    kept = json.loads((copy / FILES).read_bytes())
    for file in kept["files"]:
        if file["path"] in but:
            continue
        if "mode" in file:
            _put(host, file)
        elif (entry := host.look(file["path"])) is not None and entry.kind in ("file", "link"):
            _take_away(host, Path(file["path"]))
    for mark in Path(STAMPS).glob("*"):
        if mark.is_file() and str(mark) not in kept["marks"]:
            mark.unlink()


def _put(host: Host, file: dict[str, Any]) -> None:
    path = file["path"]
    if file["target"]:
        insist(host, ["ln", "-sfn", file["target"], f"{path}.slrt-new"])
        insist(host, ["mv", "-T", f"{path}.slrt-new", path])
        return
    content = base64.b64decode(file["content"])
    entry = host.look(path)
    as_it_was = entry is not None and (entry.mode, entry.owner, entry.group) == (file["mode"], file["owner"], file["group"])
    if not as_it_was or host.read(path) != content:
        host.write(path, content, file["mode"], file["owner"], file["group"])


def _take_away(host: Host, path: Path) -> None:
    if path.parent == Path(UNIT_FOLDER) and path.suffix in UNITS:
        host.run(["systemctl", "disable", "--quiet", path.name])
    path.unlink(missing_ok=True)


def keep_database(settings: Settings, copy: Path, release: str) -> None:
    """A copy of the database in `copy`, on the disk. Nobody may have it open. Raises ApplianceError, OSError."""
    if settings.database.url:
        _dump(copy / DUMP, release)
    else:
        _copy_with_log(settings.database_file, copy / DATABASE)
    flush_folder(copy)


def copy_durably(source: Path, to: Path) -> None:
    """Real bytes, neither a link nor a share of the same blocks: one bad sector must not take both. Raises OSError.

    `to` must not be there. Follows no link: whoever owns the folder of the data must not choose what root reads or writes for her.
    """
    with _opened(source, os.O_RDONLY | os.O_NONBLOCK) as old, _opened(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as new:
        while block := old.read(BLOCK):
            new.write(block)
        new.flush()
        os.fsync(new.fileno())


def _opened(file: Path, flags: int) -> BinaryIO:
    handle = os.open(file, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(file))
    return os.fdopen(handle, "wb" if flags & os.O_WRONLY else "rb")


def _dump(to: Path, release: str) -> None:
    """What the server holds, as the old release writes it down."""
    with to.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        _insist_with([program(release), "database", "dump"], stdout=file)
        os.fsync(file.fileno())


def put_database_back(settings: Settings, copy: Path, release: str) -> None:
    """The database as it was kept, in one rename or one transaction. Nobody may have it open. Raises ApplianceError, OSError."""
    for order in UNFINISHED:
        # an exchange that a killed way back had begun must not be finished over this
        (Path(settings.paths.data) / order).unlink(missing_ok=True)
    if settings.database.url:
        with (copy / DUMP).open("rb") as file:
            _insist_with([program(release), "database", "load"], stdin=file)
        return
    live = settings.database_file
    _wait_until_unused(live)
    if not (copy / DATABASE).exists():
        return  # there was none
    beside, owner = live.with_name(f".{live.name}.slrt-old"), live.parent.stat()
    _copy_with_log(copy / DATABASE, beside)
    if not take_log_in(beside):
        # the try may have thrown the log away; one that could not be opened before comes back as it was
        _copy_with_log(copy / DATABASE, beside)
    for suffix in ("-wal", "-shm"):
        Path(f"{live}{suffix}").unlink(missing_ok=True)
    for suffix in ("-wal", ""):
        with suppress(FileNotFoundError):
            with _opened(Path(f"{beside}{suffix}"), os.O_RDONLY | os.O_NONBLOCK) as file:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                os.fchmod(file.fileno(), 0o660)
            Path(f"{beside}{suffix}").replace(f"{live}{suffix}")
    flush_folder(live.parent)


def _wait_until_unused(file: Path) -> None:
    """What a killed engine had started may still have the database open: it is let end. Raises ApplianceError when it does not."""
    deadline = time.monotonic() + UNUSED_WITHIN
    while users := users_of(file):
        if time.monotonic() > deadline:
            raise ApplianceError(
                f"Basis data masih dipakai proses {', '.join(users)}.", "Hentikan proses itu: sudo slrt-provision settle"
            )
        time.sleep(PAUSE)


def users_of(file: Path) -> list[str]:
    """The numbers of the processes that have the file open."""
    if not file.exists():
        return []
    wanted, users = file.stat(), []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(_is(handle, wanted) for handle in (process / "fd").iterdir()):
                users.append(process.name)
    return users


def _is(handle: Path, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(handle.stat(), wanted)
    except OSError:
        return False


def _copy_with_log(file: Path, to: Path) -> None:
    for suffix in ("", "-wal"):
        Path(f"{to}{suffix}").unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            copy_durably(Path(f"{file}{suffix}"), Path(f"{to}{suffix}"))


def take_log_in(file: Path) -> bool:
    """Move the log into the copy: the next one then begins anew, so that nobody takes it for the log that went on. Whether it worked."""
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as base:
            busy, logged, moved = base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        return False
    if busy or logged != moved:
        return False
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
    return True


def _insist_with(command: Sequence[str], **streams: Any) -> None:
    ended = subprocess.run(command, check=False, stderr=subprocess.PIPE, **streams)
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip()
        raise ApplianceError(f"{' '.join(command[1:])} gagal: {said[-400:]}", "Periksa layanan PostgreSQL, lalu ulangi.")


def clear_all_but(copies: Path, kept: str) -> None:
    """Take away every copy but one, also what a killed engine left."""
    for copy in copies.glob("*"):
        if str(copy) != kept:
            clear(copy)


def clear(copy: Path) -> None:
    """Take a copy away with everything in it: it holds people's data."""
    shutil.rmtree(copy, ignore_errors=True)
    if copy.parent.is_dir():
        flush_folder(copy.parent)
