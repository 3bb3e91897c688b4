"""Is a backup what it claims to be? The drill: bring it back for real, open it, compare it with what was recorded.

A repository's own check proves its structure only. Here the database comes back through decryption, is hashed against the hash
taken while it was frozen, opened, examined and counted; a sample of the files is compared with those still on the disk.
"""

from __future__ import annotations

import hashlib
import random
from datetime import datetime
from pathlib import Path

from backups import files, postgresql, sqlite
from backups.borg import Engine
from backups.catalogue import find, list_runs, read_manifest
from backups.errors import Mismatch
from backups.lock import only_run
from backups.manifest import Manifest
from backups.process import BLOCK, Stop, never
from backups.repository import engine as open_engine
from backups.settings import Plan

SAMPLE = 50
CHECK_SECONDS = 4 * 3600


def verify(plan: Plan, wanted: str, stop: Stop = never) -> Manifest:
    """Prove one complete backup, thoroughly, and the whole repository's structure. Raises BackupError by kind."""
    with only_run(plan.repository) as lock:
        engine = open_engine(plan, (lock,), stop)
        engine.break_lock()
        run = find(list_runs(engine), wanted)
        manifest = read_manifest(engine, run)
        engine.check(CHECK_SECONDS)
        engine.check_archives(f"*-{run.number}")
        if manifest.folders:
            engine.prove_readable(f"att-{run.number}")
        try:
            bring_back_database(engine, manifest, files.empty_folder(plan.scratch), thorough=True)
        finally:
            files.empty_folder(plan.scratch)
    return manifest


def prove(plan: Plan, engine: Engine, manifest: Manifest, paths: list[str]) -> None:
    """The drill on a run just stored, before it is marked as complete; `paths` are its files besides the database.

    Raises Mismatch or what the engine says.
    """
    engine.check_archives(f"*-{manifest.run}")
    bring_back_database(engine, manifest, plan.scratch, thorough=False).unlink()
    # The run's number as seed: another sample each night, the same when a failure is looked into.
    sample = random.Random(manifest.run).sample(sorted(paths), min(SAMPLE, len(paths)))  # noqa: S311 - not a secret
    if sample:
        _compare(plan.data, engine, manifest, sample, files.empty_folder(plan.scratch / "sample"))


def bring_back_database(engine: Engine, manifest: Manifest, to: Path, *, thorough: bool) -> Path:
    """Restore the database of a run into the folder `to` and examine it. Returns the file."""
    target = to / manifest.database
    digest = hashlib.sha256()
    with target.open("wb") as file:

        def sink(block: bytes) -> None:
            digest.update(block)
            file.write(block)

        engine.read(f"db-{manifest.run}", manifest.database, sink)
    if digest.hexdigest() != manifest.sha256:
        raise Mismatch(
            f"Basis data dalam cadangan {manifest.run} tidak sama dengan saat disimpan.",
            "Pakai cadangan sebelumnya: slrt backup list. Periksa juga disk cadangan.",
        )
    if manifest.kind == "postgresql":
        postgresql.examine(target, engine.stop)
    else:
        sqlite.examine(target, dict(manifest.counts), thorough)
    return target


def _compare(data: Path, engine: Engine, manifest: Manifest, paths: list[str], scratch: Path) -> None:
    """Bring some files back and compare them with those on the disk that have not changed since the run began."""
    engine.extract(f"att-{manifest.run}", scratch, paths)
    for path in paths:
        if _unchanged(data / path, manifest.at) and file_hash(data / path) != file_hash(scratch / path):
            raise Mismatch(f"Berkas {path} dalam cadangan berbeda dari aslinya.", "Periksa disk: slrt status")


def _unchanged(file: Path, since: datetime) -> bool:
    return file.is_file() and file.stat().st_mtime < since.timestamp()


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
