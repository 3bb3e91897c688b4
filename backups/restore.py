"""Bringing a backup back: into a new folder, or in the place of the data.

Never over a live file. A restore first fills a new folder and proves it; only then, in place, are whole folders exchanged, and the
old ones stay beside. So a restore that fails or is killed leaves the data as it was, or finishes at the next start.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from backups import exchange, files, postgresql, replay, repository
from backups.borg import Engine
from backups.catalogue import find, list_runs, read_manifest
from backups.errors import BackupError, Mismatch, NoSpace
from backups.lock import only_run
from backups.manifest import Manifest
from backups.process import Stop, never
from backups.replay import Base
from backups.settings import Plan
from backups.verify import bring_back_database

Say = Callable[[str], None]
Prepare = Callable[[Path], None]
SECRETS = "secrets"
STAGED = "restoring"
STEPS = 3


@dataclass(frozen=True)
class Restored:
    """`folder` holds what came back (after `in_place`: what was replaced); `reached` is the moment the log brought it to."""

    manifest: Manifest
    folder: Path
    reached: datetime | None = None


def quiet(_text: str) -> None:
    """Say nothing."""


def restore(plan: Plan, wanted: str, to: Path, stop: Stop = never, say: Say = quiet) -> Restored:
    """Bring a complete backup back into the folder `to`, which must be missing or empty, and prove it.

    There it lies as in the data folder: the database at its place, the folders, and `secrets/` with one file each.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise BackupError(f"Folder {to} sudah ada isinya.", "Sebutkan folder baru atau folder kosong.")
    with only_run(plan.repository) as lock:
        engine = repository.engine(plan, (lock,), stop)
        moment = replay.read_moment(wanted, plan.zone)
        base = replay.base_for(engine, plan, moment) if moment else None
        manifest = base.manifest if base else read_manifest(engine, find(list_runs(engine), wanted))
        try:
            to.mkdir(mode=0o700, parents=True, exist_ok=True)
            repository.require_room(to, manifest.bytes + plan.spare_bytes, "Disk tujuan")
            _fill(plan, engine, manifest, to, say)
            reached = _bring_forward(plan, base, to, moment, stop) if base and moment else None
        except OSError as error:
            if error.errno == 28:
                raise NoSpace(f"Disk tujuan {to} penuh.", "Kosongkan disk itu, lalu ulangi.") from error
            raise BackupError(f"Folder {to} tidak dapat ditulis ({error}).", "Sebutkan folder lain.") from error
    return Restored(manifest, to, reached)


def _bring_forward(plan: Plan, base: Base, to: Path, moment: datetime, stop: Stop) -> datetime:
    """The database of the backup with the log after it, and on the disk."""
    reached = replay.replay(base, to / plan.database, moment, plan.zone, stop)
    files.sync_tree((to / plan.database).parent)
    return reached


def _fill(plan: Plan, engine: Engine, manifest: Manifest, to: Path, say: Say) -> None:
    say("Mengembalikan dan memeriksa basis data")
    place = to / Path(plan.database).parent
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    bring_back_database(engine, manifest, place, thorough=True).chmod(0o600)
    say("Mengembalikan lampiran dan identitas")
    if manifest.folders:
        engine.extract(f"att-{manifest.run}", to)
    for name, expected in manifest.folders.items():
        if files.measure(to / name) != tuple(expected):
            raise Mismatch(f"Isi folder {name} tidak lengkap.", "Pakai cadangan sebelumnya: slrt backup list")
    secrets = to / SECRETS
    secrets.mkdir(mode=0o700)
    for name, secret in manifest.secrets.items():
        files.write_whole(secrets / Path(name).name, f"{secret}\n".encode())
    files.sync_tree(to)


def in_place(plan: Plan, wanted: str, prepare: Prepare, stop: Stop = never, say: Say = quiet) -> Restored:
    """Bring a complete backup back in the place of the data. Nothing may be using the data meanwhile.

    `prepare` gets the restored folder before it takes the place, to make it fit this machine.
    Returns the folder beside the data that holds what was replaced, and the backup's `secrets/`.
    """
    finish(plan.data)
    staged = files.empty_folder(plan.data / STAGED)
    restored = restore(plan, wanted, staged, stop, say)
    if restored.reached:
        _keep_new_files(plan, staged)
    prepare(staged)
    files.sync_tree(staged)
    say("Menukar data lama dengan yang dipulihkan")
    names = [name for name in [*plan.folders, Path(plan.database).parent.name] if (staged / name).is_dir()]
    _require_same_kind(plan, restored.manifest)
    if restored.manifest.kind == "postgresql":
        names = [name for name in names if name != Path(plan.database).parent.name]
        _replace_postgresql(plan, restored.manifest, staged)
    # The database comes last: as long as it is the old one, the old attachments being away shows, and `finish` mends it.
    exchange.begin(plan.data, staged, names)
    return replace(restored, folder=exchange.finish(plan.data) or staged)


def _keep_new_files(plan: Plan, staged: Path) -> None:
    """Files that came after the backup, for the log brings back the rows that name them: they are named by their hash and never
    change, so that one too many does no harm."""
    for file in (plan.data / plan.folders[0]).rglob("*"):
        place = staged / file.relative_to(plan.data)
        if files.NAMED_BY_HASH.fullmatch(file.name) and file.is_file() and not place.exists():
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.link(file, place)


def finish(data: Path) -> bool:
    """Finish an exchange that was cut off. Call it before the data is used. Returns whether there was one."""
    return exchange.finish(data) is not None


def _require_same_kind(plan: Plan, manifest: Manifest) -> None:
    if (manifest.kind == "postgresql") != bool(plan.database_url):
        raise BackupError(
            f"Cadangan ini dari {manifest.kind}, sedangkan sistem ini memakai yang lain.",
            "Sesuaikan [database] url pada pengaturan, lalu ulangi.",
        )


def _replace_postgresql(plan: Plan, manifest: Manifest, staged: Path) -> None:
    server = postgresql.Server(plan.database_url)
    postgresql.dump_to(server, staged / "before.dump", require_tables=False)
    postgresql.restore(server, staged / Path(plan.database).parent / manifest.database, manifest.counts)
