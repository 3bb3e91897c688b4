"""Bringing a backup back: into a new folder, or in the place of the data.

Never over a live file. A restore first fills a new folder and proves it; only then, in place, are whole folders exchanged, and the
old ones stay beside. So a restore that fails or is killed leaves the data as it was, or finishes at the next start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from backups import exchange, files, postgresql, repository
from backups.borg import Engine
from backups.catalogue import find, list_runs, read_manifest
from backups.errors import BackupError, Mismatch, NoSpace
from backups.lock import only_run
from backups.manifest import Manifest
from backups.process import Stop, never
from backups.settings import Plan
from backups.verify import bring_back_database

Say = Callable[[str], None]
Prepare = Callable[[Path], None]
SECRETS = "secrets"
STAGED = "restoring"
STEPS = 3


@dataclass(frozen=True)
class Restored:
    """`folder` holds what came back (after `in_place`: what was replaced)."""

    manifest: Manifest
    folder: Path


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
        run = find(list_runs(engine), wanted)
        manifest = read_manifest(engine, run)
        try:
            to.mkdir(mode=0o700, parents=True, exist_ok=True)
            repository.require_room(to, manifest.bytes + plan.spare_bytes, "Disk tujuan")
            _fill(plan, engine, manifest, to, say)
        except OSError as error:
            if error.errno == 28:
                raise NoSpace(f"Disk tujuan {to} penuh.", "Kosongkan disk itu, lalu ulangi.") from error
            raise BackupError(f"Folder {to} tidak dapat ditulis ({error}).", "Sebutkan folder lain.") from error
    return Restored(manifest, to)


def _fill(plan: Plan, engine: Engine, manifest: Manifest, to: Path, say: Say) -> None:
    say("Mengembalikan dan memeriksa basis data")
    place = to / Path(plan.database).parent
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Not thorough: the hash says that it is the examined database, and an index out of order must not stop a restore.
    bring_back_database(engine, manifest, place, thorough=False).chmod(0o600)
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
