"""Is a backup what it claims to be? The pieces of every proof, and what each night proves.

A repository's own check proves its structure only. Here the database comes back through decryption and is hashed against the hash
taken while it was frozen, after a look at its health; a sample of the files is compared with those still on the disk. What brings
everything back is in `backups.ladder`.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from backups import files, postgresql, sqlite
from backups.borg import Engine
from backups.catalogue import find, list_runs, read_manifest
from backups.errors import Mismatch
from backups.lock import only_run
from backups.manifest import Manifest
from backups.process import Stop, never
from backups.repository import engine as open_engine
from backups.settings import Plan
from backups.sqlite import Content
from backups.sums import file_hash

SAMPLE = 50
OTHER = "Pakai cadangan sebelumnya: slrt backup list"
CHECK_SECONDS = 4 * 3600


def verify(plan: Plan, wanted: str, stop: Stop = never) -> Manifest:
    """Prove one complete backup of any repository, thoroughly, and its structure. Leaves no line. Raises BackupError by kind."""
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
    """The proof of a run just stored, before it is marked as complete; `paths` are its files besides the database.

    Nothing is written but the sample: the same bytes as the examined, frozen database have come back. Raises Mismatch or what
    the engine says.
    """
    engine.check_archives(f"*-{manifest.run}")
    _read_database(engine, manifest, len)
    # The run's number as seed: another sample each night, the same when a failure is looked into.
    sample = random.Random(manifest.run).sample(sorted(paths), min(SAMPLE, len(paths)))  # noqa: S311 - not a secret
    if sample:
        scratch = files.empty_folder(plan.scratch / "sample")
        engine.extract(f"att-{manifest.run}", scratch, sample)
        refuse_altered(altered(plan.data, scratch, sample, manifest.at), manifest.run)


def _read_database(engine: Engine, manifest: Manifest, sink: Callable[[bytes], object]) -> None:
    """Stream the stored database to `sink`. Raises Mismatch unless it is what was stored."""
    digest = hashlib.sha256()

    def both(block: bytes) -> None:
        digest.update(block)
        sink(block)

    engine.read(f"db-{manifest.run}", manifest.database, both)
    if digest.hexdigest() != manifest.sha256:
        raise Mismatch(
            f"Basis data dalam cadangan {manifest.run} tidak sama dengan saat disimpan.",
            "Pakai cadangan sebelumnya: slrt backup list. Periksa juga disk cadangan.",
        )


def bring_back_database(engine: Engine, manifest: Manifest, to: Path, *, thorough: bool) -> Path:
    """Restore the database of a run into the folder `to` and examine it. Returns the file."""
    target = to / manifest.database
    with target.open("wb") as file:
        _read_database(engine, manifest, file.write)
    if manifest.kind == "postgresql":
        postgresql.examine(target, engine.stop, OTHER)
    else:
        sqlite.examine(target, content_of(manifest), thorough, engine.stop)
    return target


def content_of(manifest: Manifest) -> Content:
    """What the database of a run held when it was stored."""
    return Content(dict(manifest.counts), dict(manifest.tables))


def altered(data: Path, scratch: Path, paths: list[str], since: datetime) -> list[str]:
    """Those of the files brought back to `scratch` that differ from the ones on the disk that have not changed `since`."""
    return [path for path in paths if _unchanged(data / path, since) and file_hash(data / path) != file_hash(scratch / path)]


def _unchanged(file: Path, since: datetime) -> bool:
    return file.is_file() and file.stat().st_mtime < since.timestamp()


def refuse_altered(names: list[str], run: int) -> None:
    """Raises Mismatch that lists the files."""
    if names:
        more = f" dan {len(names) - 5} lainnya" if len(names) > 5 else ""
        raise Mismatch(
            f"{len(names)} berkas dalam cadangan {run} berbeda dari aslinya: {', '.join(names[:5])}{more}.",
            "Periksa disk data dan disk cadangan: slrt status",
        )
