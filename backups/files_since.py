"""The files that came after a backup, for a restore to a moment behind it: from the copies on the second disk, and from a later backup.

They are named by their hash and never change, so that one too many does no harm, and it does not matter where one comes from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from backups import carried_files, spool
from backups.attachments import place_of
from backups.borg import Engine
from backups.carried_files import Keys
from backups.catalogue import Run, list_runs
from backups.errors import Mismatch, RepositoryDamaged
from backups.files import NAMED_BY_HASH
from backups.losses import extract_named
from backups.manifest import Manifest
from backups.process import Stop, check
from backups.settings import Plan


def bring_files_since(plan: Plan, engine: Engine, manifest: Manifest, to: Path) -> tuple[str, ...]:
    """Put the files that came after the backup into the restored folder `to`. The paths of those that are known but lost.

    Raises OSError, Stopped.
    """
    broken = _open_copies(plan, manifest, to, engine.stop)
    lost = _bring_from_later(plan, engine, manifest, to)
    return tuple(path for path in dict.fromkeys([*broken, *lost]) if not (to / path).exists())


def size_since(plan: Plan, engine: Engine, manifest: Manifest) -> int:
    """Bytes that come to a backup at most. Raises OSError."""
    newest = _newest_run(engine)
    grown = newest.summary.bytes - manifest.bytes if newest and newest.summary else 0
    return carried_files.size(plan.log) + max(grown, 0)


def _newest_run(engine: Engine) -> Run | None:
    """The newest complete backup."""
    return next((run for run in reversed(list_runs(engine)) if run.complete), None)


def _keys(manifest: Manifest) -> Keys | None:
    key = manifest.secrets.get(spool.KEY_FILE)
    return Keys(key) if key else None


def _copies_under(keys: Keys, plan: Plan) -> Iterator[tuple[Path, str]]:
    """The copies that these keys named, each with its file's hash."""
    for copy in carried_files.copies(plan.log):
        if sha256 := keys.hash_of(copy.name):
            yield copy, sha256


def _open_copies(plan: Plan, manifest: Manifest, to: Path, stop: Stop) -> list[str]:
    """The copies under the backup's key; the paths of those that do not open."""
    keys, broken = _keys(manifest), list[str]()
    if keys is None:
        return broken
    for copy, sha256 in _copies_under(keys, plan):
        check(stop)
        place = place_of(sha256)
        try:
            if not (to / place).exists():
                _write(to / place, keys.open(copy))
        except Mismatch:
            broken.append(place)
    return broken


def _write(place: Path, content: bytes) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.write_bytes(content)
    place.chmod(0o600)


def _bring_from_later(plan: Plan, engine: Engine, manifest: Manifest, to: Path) -> tuple[str, ...]:
    """What the newest backup has besides: copies of what it holds may have been given up."""
    newest = _newest_run(engine)
    if newest is None or newest.number <= manifest.run:
        return ()
    archive = f"att-{newest.number}"
    with suppress(RepositoryDamaged):
        paths = [path for path, _ in engine.files(archive)] if archive in newest.archives else []
        wanted = [path for path in paths if NAMED_BY_HASH.fullmatch(Path(path).name) and not (to / path).exists()]
        return extract_named(engine, archive, to, sorted(wanted))
    return ()


def prove_copies(plan: Plan, engine: Engine, manifest: Manifest, stop: Stop) -> str:
    """Open each copy of a file that the backup does not hold. What was done in words, empty for none. Raises Mismatch that names
    those that do not open."""
    keys, opened, broken = _keys(manifest), 0, list[str]()
    if keys is None:
        return ""
    held = {Path(path).name for path, _ in engine.files(f"att-{manifest.run}")} if manifest.folders else set()
    for copy, sha256 in _copies_under(keys, plan):
        check(stop)
        with suppress(FileNotFoundError):  # given up meanwhile
            try:
                if sha256 not in held:
                    keys.open(copy)
                    opened += 1
            except Mismatch:
                broken.append(sha256)
    if broken:
        named = ", ".join(broken[:5]) + (" …" if len(broken) > 5 else "")
        raise Mismatch(
            f"{len(broken)} salinan lampiran di disk cadangan rusak: {named}.",
            "Periksa disk cadangan, lalu simpan lampiran itu dalam cadangan baru: sudo slrt backup run",
        )
    return f" {opened} lampiran sesudahnya dibuka dari salinannya." if opened else ""
