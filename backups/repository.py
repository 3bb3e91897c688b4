"""The repository's folder: the borg repository in it, a reserve of room, and the exported key beside it.

It is made in a folder inside and moved up, its `config` last, so that a killed `init` is simply repeated. The reserve is a file
that is deleted when the disk is full, for then even forgetting old backups needs room.
"""

from __future__ import annotations

import configparser
import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from backups import stored_files
from backups.borg import Engine, require_borg
from backups.errors import BackupError, NoSpace, ReadOnly, RepositoryDamaged, RepositoryMissing, WrongPassphrase
from backups.files import empty_folder, sync_folder, write_whole
from backups.lock import only_run
from backups.process import Stop, never
from backups.settings import MEBIBYTE, Plan

UNFINISHED = ".baru"
PROBE = ".coba-tulis"
KNOWN = "repositories.json"
CONFIG = "config"
PIECES = ("README", "data", "hints.*", "index.*", "integrity.*", "nonce")
RESERVE = "cadangan-ruang"
KEY = "kunci-terenkripsi.txt"
SECOND_KEY = "kunci-kedua.txt"
NOTE = "BACA-SAYA.txt"
NOTE_TEXT = """Folder ini berisi cadangan terenkripsi simpul SLRT (program borg).
Jangan mengubah, memindahkan atau menghapus satu berkas pun di sini.
Memulihkan di mesin lain: pasang simpul SLRT di mesin itu, lalu sebagai root
  slrt backup restore terakhir --in-place --repository FOLDER-INI --passphrase-file BERKAS-KATA-SANDI
Tanpa program SLRT: borg extract FOLDER-INI::db-NOMOR (dan att-NOMOR), dengan kata sandi cadangan.
"""


def engine(plan: Plan, keep: tuple[int, ...] = (), stop: Stop = never) -> Engine:
    """The plan's repository; `keep` is the lock's descriptor. Raises EngineMissing, RepositoryMissing."""
    require_borg()
    found = Engine(plan.repository, plan.state / "borg", plan.passphrase, keep, stop)
    if not found.exists():
        _refuse_unplugged(plan)
        raise RepositoryMissing(
            f"Tidak ada repositori cadangan di {plan.repository}.",
            "Periksa apakah disk cadangan terpasang; untuk membuat yang baru: sudo slrt backup init",
        )
    return found


def identity(folder: Path) -> str:
    """The id that the repository in `folder` was born with. Raises RepositoryMissing."""
    found = configparser.ConfigParser(interpolation=None)
    try:
        found.read_string((folder / CONFIG).read_text(encoding="ascii"))
        return found["repository"]["id"]
    except (OSError, ValueError, KeyError, configparser.Error) as error:
        raise RepositoryMissing(
            f"Tidak ada repositori cadangan di {folder}.", "Periksa apakah disk cadangan terpasang."
        ) from error


def init(plan: Plan, *, anew: bool = False) -> bool:
    """Make the repository unless it is there; then prove that the passphrase opens it. Returns whether it was made.

    Where one was before, only `anew`: an empty folder is more often a disk that is not mounted than a new disk.
    """
    require_borg()
    if not anew and not (plan.repository / CONFIG).exists():
        _refuse_unplugged(plan)
    _make_folder(plan.repository)
    made = False
    try:
        found = engine(plan)
    except RepositoryMissing:
        stored_files.forget(plan.state)
        found, made = _make(plan), True
    _write_beside(plan, found)
    remember(plan)
    try:
        found.archives()
    except WrongPassphrase as error:
        raise WrongPassphrase(
            f"Di {plan.repository} sudah ada repositori dengan kata sandi lain.",
            "Untuk memakai cadangan lama: simpan kata sandinya sebagai backup-passphrase; atau sebutkan folder lain di [backup] repository.",
        ) from error
    add_second_key(plan, found)
    return made


def remember(plan: Plan) -> None:
    """Note that this folder has a repository, so that its absence is told as a disk that is not there."""
    known = _known(plan.state)
    if str(plan.repository) not in known:
        plan.state.mkdir(mode=0o750, parents=True, exist_ok=True)
        write_whole(plan.state / KNOWN, json.dumps([*known, str(plan.repository)]).encode(), 0o640)


def _known(state: Path) -> list[str]:
    try:
        return [str(one) for one in json.loads((state / KNOWN).read_bytes())]
    except (OSError, ValueError, TypeError):
        return []


def _refuse_unplugged(plan: Plan) -> None:
    """Raises RepositoryMissing when a repository was in this folder, and there is none in it now."""
    if str(plan.repository) in _known(plan.state):
        raise RepositoryMissing(
            f"Repositori cadangan yang biasanya ada di {plan.repository} tidak ada; mungkin disknya tidak terpasang.",
            "Pasang disk cadangan (lihat: findmnt), lalu ulangi. Bila disk memang diganti baru: sudo slrt backup init --anew",
        )


def require_writable(folder: Path) -> None:
    """Write a few bytes into the folder and put them on the disk. Raises ReadOnly or NoSpace."""
    probe = folder / PROBE
    try:
        with probe.open("wb") as file:
            file.write(b"coba")
            file.flush()
            os.fsync(file.fileno())
        probe.unlink()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return  # told by the question for room, which knows what can be given up
        raise ReadOnly(
            f"Disk cadangan {folder} tidak dapat ditulis ({error.strerror}).",
            "Disk itu mungkin rusak atau terpasang hanya-baca. Periksa: sudo dmesg | tail; ganti disk bila ada galat.",
        ) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RepositoryMissing(
            f"Folder cadangan {folder} tidak dapat dibuat ({error.strerror}).",
            "Buat folder itu sebagai root dan berikan kepada pengguna cadangan: install -d -m 700 -o slrt-backup -g slrt-backup FOLDER",
        ) from error


def _make(plan: Plan) -> Engine:
    """Make the repository in a folder inside, and move it up piece by piece; `config` comes last and makes it one."""
    unfinished = plan.repository / UNFINISHED
    if not unfinished.exists() and any(plan.repository.glob("data/*/*")):
        raise RepositoryDamaged(
            f"Repositori di {plan.repository} kehilangan berkas config.",
            "Jangan membuat yang baru di sini. Minta bantuan; kunci cadangan ada di kunci-terenkripsi.txt.",
        )
    # What a killed init had moved up already: borg refuses to make a repository within what looks like one.
    for left in (path for pattern in PIECES for path in plan.repository.glob(pattern)):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    inner = empty_folder(unfinished) / "borg"
    Engine(inner, plan.state / "borg", plan.passphrase).init()
    for piece in sorted(inner.iterdir(), key=lambda path: path.name == CONFIG):
        piece.rename(plan.repository / piece.name)
    sync_folder(plan.repository)
    shutil.rmtree(unfinished)
    return engine(plan)


def _write_beside(plan: Plan, found: Engine) -> None:
    write_whole(plan.repository / NOTE, NOTE_TEXT.encode(), 0o644)
    if not _has(plan.repository / KEY):
        _put(plan.repository / KEY, found.export_key)
    keep_reserve(plan)


def _has(key: Path) -> bool:
    """Whether the key is there. One that a cut of the mains emptied is none."""
    return key.exists() and key.stat().st_size > 0


def _put(key: Path, export: Callable[[Path], None]) -> None:
    """Export the key to this file, which then is on the disk: borg itself leaves that to chance."""
    beside = key.with_name(f".{key.name}.new")
    beside.unlink(missing_ok=True)
    export(beside)
    write_whole(key, beside.read_bytes())


def add_second_key(plan: Plan, found: Engine) -> None:
    """The key once more, for the second passphrase, unless it is there or the plan has none."""
    if plan.second_passphrase and not _has(plan.repository / SECOND_KEY):
        _put(plan.repository / SECOND_KEY, lambda to: found.export_second_key(plan.second_passphrase, to))


def change_passphrase(plan: Plan, old: str, stop: Stop = never) -> bool:
    """Let the repository open with the plan's passphrase in place of `old`. Returns whether anything had to be changed.

    Cut off anywhere, it opens with the one or the other. Raises Busy, WrongPassphrase when it opens with neither.
    The exported key is written in any case: a try that was cut off between the two left one that only the old paper opens.
    """
    with only_run(plan.repository) as lock:
        found = engine(plan, (lock,), stop)
        found.break_lock()
        try:
            found.archives()
            changed = False
        except WrongPassphrase:
            replace(found, passphrase=old).change_passphrase(plan.passphrase)
            changed = True
        _put(plan.repository / KEY, found.export_key)
    return changed


def keep_reserve(plan: Plan) -> None:
    """Set the reserve aside when there is plenty of room: the file is filled, not sparse."""
    reserve = plan.repository / RESERVE
    missing = plan.reserve_bytes - (reserve.stat().st_size if reserve.exists() else 0)
    if missing <= 0 or free(plan.repository) < 4 * plan.reserve_bytes:
        return
    with reserve.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, plan.reserve_bytes)
        os.fsync(file.fileno())


def release_reserve(plan: Plan) -> bool:
    """Give the reserve up. Returns whether there was one."""
    reserve = plan.repository / RESERVE
    there = reserve.exists()
    reserve.unlink(missing_ok=True)
    return there


def free(folder: Path) -> int:
    """Bytes that an ordinary user may still write below `folder`."""
    return _usage(folder).free


def total(folder: Path) -> int:
    """Bytes of the whole disk that `folder` is on."""
    return _usage(folder).total


def _usage(folder: Path) -> shutil._ntuple_diskusage:
    try:
        return shutil.disk_usage(folder)
    except OSError as error:
        raise BackupError(
            f"Disk {folder} tidak dapat dibaca ({error.strerror}).", "Periksa apakah disk itu terpasang."
        ) from error


def require_room(folder: Path, needed: int, what: str) -> None:
    """Raises NoSpace with both numbers."""
    left = free(folder)
    if left < needed:
        raise NoSpace(
            f"{what} ({folder}) hanya punya {left // MEBIBYTE} MB; perlu {needed // MEBIBYTE} MB.",
            "Kosongkan disk itu, lalu jalankan: slrt backup run",
        )
