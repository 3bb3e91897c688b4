"""Bringing a backup back: into a new folder, or in the place of the data; and taking that back.

Never over a live file. A restore first fills a new folder and proves it; only then, in place, are whole folders exchanged, and the
old ones stay beside. So a restore that fails or is killed leaves the data as it was, or finishes at the next start. What the
repository cannot give any more is listed; the database is whole or is not restored.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from backups import exchange, files, files_since, postgresql, replay, repository, server_replay
from backups.attachments import is_whole
from backups.borg import Engine
from backups.catalogue import find, list_runs, read_manifest
from backups.errors import BackupError, Mismatch, NoSpace, NoSuchArchive, RepositoryDamaged
from backups.exchange import Swap
from backups.lock import only_run
from backups.losses import extract_what_is_whole
from backups.manifest import Manifest
from backups.process import Stop, never
from backups.replay import Base
from backups.server_replay import ServerBase
from backups.settings import Plan
from backups.verify import bring_back_database

Say = Callable[[str], None]
Prepare = Callable[[Path], Mapping[str, Any] | None]
SECRETS = "secrets"
STAGED = "restoring"
LOSSES = "losses.json"
KEPT_DUMP, KEPT_COUNTS = "before.dump", "before.json"
LEAVING_DUMP, LEAVING_COUNTS = "leaving.dump", "leaving.json"
STEPS = 3
CHECK_STEPS = 2


class Part(StrEnum):
    """How much of a backup is brought back."""

    ALL = "all"
    DATABASE = "database"


@dataclass(frozen=True)
class Choice:
    """What is brought back, and whether it may take the place of the data although files of it are lost."""

    part: Part = Part.ALL
    accept_losses: bool = False


EVERYTHING = Choice()


@dataclass(frozen=True)
class Restored:
    """What came back lies in `folder` (after `in_place`: what was replaced). `losses` are the paths that could not be had, `reached` is
    the moment to which the carried log brought the database, where one was asked for.
    """

    manifest: Manifest
    folder: Path
    losses: tuple[str, ...] = ()
    reached: datetime | None = None


def quiet(_text: str) -> None:
    """Say nothing."""


def restore(plan: Plan, wanted: str, to: Path, stop: Stop = never, say: Say = quiet, choice: Choice = EVERYTHING) -> Restored:
    """Bring a complete backup back into the folder `to`, which must be missing or empty, and prove it.

    There it lies as in the data folder: the database at its place, the folders, and `secrets/` with one file each. Lost files are
    listed in `losses.json` as well.
    """
    return _restore(plan, wanted, to, (stop, say), choice)


def _restore(plan: Plan, wanted: str, to: Path, told: tuple[Stop, Say], choice: Choice, *, exchanged: bool = False) -> Restored:
    """As `restore`; `exchanged`: what comes back will take the place of the data."""
    stop, say = told
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise BackupError(f"Folder {to} sudah ada isinya.", "Sebutkan folder baru atau folder kosong.")
    with only_run(plan.repository) as lock:
        engine = repository.engine(plan, (lock,), stop)
        moment = replay.read_moment(wanted, plan.zone)
        base = _base_for(engine, plan, moment) if moment else None
        manifest = base.manifest if base else read_manifest(engine, find(list_runs(engine), wanted))
        try:
            to.mkdir(mode=0o700, parents=True, exist_ok=True)
            needed = (
                _needed(manifest, choice)
                + _room_since(plan, engine, base, choice)
                + (_room_of_exchange(plan, manifest) if exchanged else 0)
            )
            repository.require_room(to, needed + plan.spare_bytes, "Disk tujuan")
            losses = _fill(plan, engine, manifest, to, say, choice.part)
            if base and choice.part is Part.ALL:
                losses = _bring_files_since(plan, engine, manifest, to, losses)
            reached, manifest = _bring_forward(plan, engine, base, to, moment) if base and moment else (None, manifest)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise NoSpace(f"Disk tujuan {to} penuh.", "Kosongkan disk itu, lalu ulangi.") from error
            raise BackupError(f"Folder {to} tidak dapat ditulis ({error}).", "Sebutkan folder lain.") from error
    return Restored(manifest, to, losses, reached)


def _bring_files_since(plan: Plan, engine: Engine, manifest: Manifest, to: Path, losses: Sequence[str]) -> tuple[str, ...]:
    """The files that came after the backup, on the disk. What is lost of them and of the backup."""
    lost = files_since.bring_files_since(plan, engine, manifest, to)
    left = tuple(path for path in dict.fromkeys([*losses, *lost]) if not (to / path).exists())
    _list_losses(to, left)
    files.sync_tree(to)
    return left


def _list_losses(to: Path, losses: Sequence[str]) -> None:
    (to / LOSSES).unlink(missing_ok=True)
    if losses:
        files.write_whole(to / LOSSES, json.dumps(losses, indent=1).encode())


def _base_for(engine: Engine, plan: Plan, moment: datetime) -> Base | ServerBase:
    return server_replay.base_for(engine, plan, moment) if plan.database_url else replay.base_for(engine, plan, moment)


def _bring_forward(plan: Plan, engine: Engine, base: Base | ServerBase, to: Path, moment: datetime) -> tuple[datetime, Manifest]:
    """The database of the backup with the log after it, and on the disk; what it holds then."""
    manifest = base.manifest
    if isinstance(base, ServerBase):
        dump = to / Path(plan.database).parent / manifest.database
        reached, content = server_replay.replay(plan, engine, base, dump, moment)
        manifest = server_replay.as_restored(manifest, content)
    else:
        reached = replay.replay(base, to / plan.database, moment, plan.zone, engine.stop)
    files.sync_tree((to / plan.database).parent)
    return reached, manifest


def check(plan: Plan, wanted: str, look: Callable[[Path], object], stop: Stop = never, say: Say = quiet) -> Manifest:
    """Whether a backup could take the place of the data here: room, kind, a database that is whole, files that can be read.

    `look` gets a folder with its database and may refuse it. Changes nothing. Raises BackupError by kind.
    """
    with only_run(plan.repository) as lock, only_run(plan.state):
        engine = repository.engine(plan, (lock,), stop)
        manifest = read_manifest(engine, find(list_runs(engine), wanted))
        _require_same_kind(plan, manifest)
        repository.require_room(plan.data, manifest.bytes + _room_of_exchange(plan, manifest) + plan.spare_bytes, "Disk data")
        try:
            say("Mengembalikan basis data di tempat uji")
            place = files.empty_folder(plan.scratch) / Path(plan.database).parent
            place.mkdir(mode=0o700, parents=True)
            bring_back_database(engine, manifest, place, thorough=True)
            look(plan.scratch)
            say("Membaca semua lampiran")
            if manifest.folders:
                engine.prove_readable(f"att-{manifest.run}")
        finally:
            files.empty_folder(plan.scratch)
    return manifest


def _room_since(plan: Plan, engine: Engine, base: Base | ServerBase | None, choice: Choice) -> int:
    """Bytes that a moment after the backup takes besides."""
    came = files_since.size_since(plan, engine, base.manifest) if base and choice.part is Part.ALL else 0
    return came + (server_replay.size(plan, engine, base) if isinstance(base, ServerBase) else 0)


def _needed(manifest: Manifest, choice: Choice) -> int:
    return manifest.bytes if choice.part is Part.ALL else manifest.database_bytes


def _room_of_exchange(plan: Plan, manifest: Manifest) -> int:
    """Bytes beside a server's dump when it takes the database's place: the dump of the present one, and the script that is played."""
    return postgresql.size(postgresql.Server(plan.database_url)) + manifest.database_bytes if plan.database_url else 0


def _fill(plan: Plan, engine: Engine, manifest: Manifest, to: Path, say: Say, part: Part) -> tuple[str, ...]:
    say("Mengembalikan dan memeriksa basis data")
    place = to / Path(plan.database).parent
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Not thorough: the hash says that it is the examined database, and an index out of order must not stop a restore.
    bring_back_database(engine, manifest, place, thorough=False).chmod(0o600)
    say("Mengembalikan lampiran dan identitas")
    losses: tuple[str, ...] = ()
    if manifest.folders and part is Part.ALL:
        losses = extract_what_is_whole(engine, f"att-{manifest.run}", to)
        _require_all_others(manifest, to, losses)
    secrets = to / SECRETS
    secrets.mkdir(mode=0o700)
    for name, secret in manifest.secrets.items():
        files.write_whole(secrets / Path(name).name, f"{secret}\n".encode())
    _list_losses(to, losses)
    files.sync_tree(to)
    return losses


def _require_all_others(manifest: Manifest, to: Path, losses: Sequence[str]) -> None:
    """Raises Mismatch unless everything came back that is not told as lost."""
    for name, (number, size) in manifest.folders.items():
        (to / name).mkdir(mode=0o700, exist_ok=True)
        lost = sum(1 for path in losses if path.split("/", 1)[0] == name)
        found = files.measure(to / name)
        if found[0] != number - lost or (not lost and found[1] != size):
            raise Mismatch(f"Isi folder {name} tidak lengkap.", "Pakai cadangan sebelumnya: slrt backup list")


def in_place(
    plan: Plan, wanted: str, prepare: Prepare, stop: Stop = never, say: Say = quiet, choice: Choice = EVERYTHING
) -> Restored:
    """Bring a complete backup back in the place of the data. Nothing may be using the data meanwhile.

    `prepare` gets the restored folder before it takes the place, to refuse it or make it fit this machine; what it returns is left as
    a note for whoever uses the data next. Returns the folder beside the data that holds what was replaced, and the backup's `secrets/`.
    """
    finish(plan.data, plan.database_url)
    staged = files.empty_folder(plan.data / STAGED)
    restored = _restore(plan, wanted, staged, (stop, say), choice, exchanged=True)
    _require_same_kind(plan, restored.manifest)
    restored = replace(restored, losses=_lost_for_good(plan, staged, restored.losses))
    if restored.losses and not choice.accept_losses:
        raise _too_much_lost(restored)
    if restored.reached and choice.part is Part.ALL:
        _keep_new_files(plan, staged)
    note = prepare(staged)
    files.sync_tree(staged)
    say("Menukar data lama dengan yang dipulihkan")
    exchange.begin(plan.data, _swap(plan, restored, staged, note))
    return replace(restored, folder=_finish(plan.data, plan.database_url) or staged)


def _swap(plan: Plan, restored: Restored, staged: Path, note: Mapping[str, Any] | None) -> Swap:
    manifest, database = restored.manifest, Path(plan.database).parent.name
    told = None if note is None else {"run": manifest.run, "taken_at": (restored.reached or manifest.at).isoformat(), **note}
    # The database comes last: as long as it is the old one, the old attachments being away shows, and `finish` mends it.
    names = [name for name in [*plan.folders, database] if (staged / name).is_dir()]
    if manifest.kind != "postgresql":
        return Swap(staged, names, told)
    _keep_dump(plan, staged, KEPT_DUMP, KEPT_COUNTS)
    dump = str(Path(plan.database).parent / manifest.database)
    return Swap(staged, [name for name in names if name != database], told, dump, manifest.counts)


def _keep_new_files(plan: Plan, staged: Path) -> None:
    """Files that came after the backup, for the log brings back the rows that name them: they are named by their hash and never
    change, so that one too many does no harm."""
    for file in (plan.data / plan.folders[0]).rglob("*"):
        place = staged / file.relative_to(plan.data)
        if files.NAMED_BY_HASH.fullmatch(file.name) and file.is_file() and not place.exists():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.link(file, place)


def _keep_dump(plan: Plan, folder: Path, dump: str, counts: str) -> None:
    """The database of the server as it is now, beside what is about to replace it."""
    server = postgresql.Server(plan.database_url)
    content = postgresql.dump_to(server, folder / dump, require_tables=False)
    files.write_whole(folder / counts, json.dumps(dict(content.counts)).encode())
    files.sync_tree(folder)


def _lost_for_good(plan: Plan, staged: Path, losses: Sequence[str]) -> tuple[str, ...]:
    """What the data themselves cannot give either. A file that is named by its hash and still has it is the very same."""
    for path in losses:
        with suppress(OSError):
            if is_whole(plan.data / path):
                (staged / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy2(plan.data / path, staged / path)
    return tuple(path for path in losses if not (staged / path).exists())


def _too_much_lost(restored: Restored) -> RepositoryDamaged:
    named = ", ".join(restored.losses[:5]) + (" …" if len(restored.losses) > 5 else "")
    since = " dan yang dibawa sesudahnya" if restored.reached else ""
    return RepositoryDamaged(
        f"{len(restored.losses)} berkas dalam cadangan {restored.manifest.run}{since} tidak terbaca lagi: {named}. Data tidak diubah.",
        "Pakai cadangan lain (slrt backup list), atau pulihkan sisanya: ulangi dengan --accept-losses",
    )


def revert(plan: Plan, prepare: Prepare, say: Say = quiet) -> Path:
    """Swap what the last restore replaced back into its place. Nothing may be using the data meanwhile.

    `prepare` as in `in_place`. Returns the folder that now holds what was there until now: once more takes this back as well.
    Raises NoSuchArchive when nothing was replaced.
    """
    finish(plan.data, plan.database_url)
    kept = exchange.replaced(plan.data)
    if not kept:
        raise NoSuchArchive("Tidak ada keadaan lama yang disimpan di samping data.", "Pulihkan dari cadangan: slrt backup list")
    old = kept[-1]
    note = prepare(old)
    say(f"Menukar data dengan {old.name}")
    names = [name for name in [*plan.folders, Path(plan.database).parent.name] if (old / name).is_dir()]
    if not plan.database_url:
        exchange.begin(plan.data, Swap(old, names, note))
    else:
        dumps = [(old / name).stat().st_size for name in (KEPT_DUMP, LEAVING_DUMP) if (old / name).exists()]
        repository.require_room(
            plan.data, postgresql.size(postgresql.Server(plan.database_url)) + max(dumps, default=0), "Disk data"
        )
        exchange.begin(plan.data, Swap(old, names, note, LEAVING_DUMP, _leaving(plan, old)))
    return _finish(plan.data, plan.database_url) or old


def _leaving(plan: Plan, old: Path) -> Mapping[str, int]:
    """Set the kept dump aside for the server, and keep the server's present state in its place. Repeatable after a kill."""
    if not (old / LEAVING_COUNTS).exists():
        if not (old / LEAVING_DUMP).exists():
            (old / KEPT_DUMP).rename(old / LEAVING_DUMP)
        (old / KEPT_COUNTS).rename(old / LEAVING_COUNTS)
    _keep_dump(plan, old, KEPT_DUMP, KEPT_COUNTS)
    counts: dict[str, int] = json.loads((old / LEAVING_COUNTS).read_bytes())
    return counts


def finish(data: Path, database_url: str = "") -> bool:
    """Finish an exchange that was cut off. Call it before the data is used. Returns whether there was one."""
    return _finish(data, database_url) is not None


def _finish(data: Path, database_url: str) -> Path | None:
    def replace_database(dump: Path, counts: Mapping[str, int]) -> None:
        # the dump goes only after the replacement is written down as done
        if dump.exists():
            postgresql.restore(postgresql.Server(database_url), dump, counts)

    kept = exchange.finish(data, replace_database)
    if kept is not None:
        (kept / LEAVING_COUNTS).unlink(missing_ok=True)
    return kept


def _require_same_kind(plan: Plan, manifest: Manifest) -> None:
    if (manifest.kind == "postgresql") != bool(plan.database_url):
        raise BackupError(
            f"Cadangan ini dari {manifest.kind}, sedangkan sistem ini memakai yang lain.",
            "Sesuaikan [database] url pada pengaturan, lalu ulangi.",
        )
