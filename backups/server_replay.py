"""Bringing a PostgreSQL database to a moment between two backups: a physical base, and the server's log that was carried over after it.

What comes of it is a dump, in the place of the one of the night: it is brought in and counted as every dump is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from backups import files, postgresql, server_base, server_segments, spool
from backups.borg import Engine
from backups.catalogue import list_runs, read_manifest
from backups.errors import Mismatch, NoSuchArchive
from backups.manifest import Manifest
from backups.process import Stop, check
from backups.replay import FAR, typed, words
from backups.server_base import TAR, Spare
from backups.server_segments import Box, Place, Segment
from backups.settings import Plan
from backups.sqlite import Content

FOLDER = "spare-server"


@dataclass(frozen=True)
class ServerBase:
    """A backup with a physical base, and its place in the log."""

    manifest: Manifest
    start: Place


def base_of(manifest: Manifest) -> ServerBase | None:
    """The backup with its place in the server's log; None where there is none."""
    try:
        return ServerBase(manifest, Place.from_text(manifest.position)) if spool.KEY_FILE in manifest.secrets else None
    except ValueError:
        return None


def base_for(engine: Engine, plan: Plan, moment: datetime) -> ServerBase:
    """The newest backup before a moment from which the log leads there. Raises NoSuchArchive that names the one that can be reached."""
    nearest: datetime | None = None
    for run in reversed(list_runs(engine)):
        if run.summary is None or run.summary.at > moment:
            continue
        base = base_of(read_manifest(engine, run))
        there = server_segments.chain(plan.log, base.start) if base and base.start.ready <= moment else []
        if base is None or not there:
            continue
        if moment == FAR or _until(there) >= moment:
            return base
        nearest = max(nearest or _until(there), _until(there))
    if nearest is not None:
        raise NoSuchArchive(
            f"Catatan berkelanjutan hanya sampai {words(nearest, plan.zone)}.",
            f'Ulangi dengan saat itu: "{typed(nearest, plan.zone)}"',
        )
    raise NoSuchArchive(
        "Tidak ada catatan berkelanjutan yang menuju saat itu.", "Pulihkan cadangan terdekat sebelumnya: slrt backup list"
    )


def _until(there: list[Segment]) -> datetime:
    return max(segment.at for segment in there)


def replay(plan: Plan, engine: Engine, base: ServerBase, dump: Path, moment: datetime) -> tuple[datetime, Content]:
    """Write a dump of the database as it was at the moment to `dump`. Returns the moment that was reached, and what the dump holds.

    Raises Mismatch that names what is damaged, and the moment until which the log is whole.
    """
    folder = files.empty_folder(dump.parent / FOLDER)
    try:
        there = server_segments.chain(plan.log, base.start)
        spare = Spare(folder, plan.database_url)
        engine.extract(f"base-{base.manifest.run}", folder)
        server_base.prepare(spare, folder / TAR, None if moment == FAR else moment)
        (folder / TAR).unlink()
        _open_segments(plan, base, there, spare, engine.stop)
        with server_base.brought_forward(spare, engine.stop) as server:
            content = postgresql.dump_to(server, dump, engine.stop)
    finally:
        files.empty_folder(folder).rmdir()
    postgresql.examine(dump, engine.stop)
    return min(moment, _until(there)), content


def _open_segments(plan: Plan, base: ServerBase, there: list[Segment], spare: Spare, stop: Stop) -> None:
    box, reached = Box(base.manifest.secrets[spool.KEY_FILE]), base.start.ready
    try:
        for history in (plan.log / server_segments.FOLDER / base.start.system).glob("*.history"):
            (spare.segments / history.name).write_bytes(box.open(history))
        for segment in there:
            check(stop)
            (spare.segments / segment.name).write_bytes(box.open(segment.file))
            reached = segment.at
    except Mismatch as error:
        raise Mismatch(
            f"{error.message} Catatan utuh sampai {words(reached, plan.zone)}.",
            f'Ulangi ke folder baru dengan saat itu: "{typed(reached, plan.zone)}"',
        ) from error


def size(plan: Plan, engine: Engine, base: ServerBase) -> int:
    """Bytes that the spare server takes: the base twice while it is unpacked, and the segments."""
    tar = sum(size for path, size in engine.files(f"base-{base.manifest.run}") if path == TAR)
    return 2 * tar + 2 * len(server_segments.chain(plan.log, base.start)) * server_segments.SEGMENT_BYTES


def prove(plan: Plan, engine: Engine, manifest: Manifest, place: Path) -> str:
    """Bring a spare server forward from a backup to the log's present end and read all of it. In words; empty where there is no log.

    Raises Mismatch.
    """
    base = base_of(manifest)
    if base is None or not server_segments.chain(plan.log, base.start):
        return ""
    reached, content = replay(plan, engine, base, place / postgresql.FILE, FAR)
    gone = sorted(name for name, rows in manifest.counts.items() if rows and name not in content.counts)
    if gone:
        raise Mismatch(
            f"Catatan berkelanjutan tidak lengkap: tabel {gone[0]} tidak ada.", "Buat pangkal baru: sudo slrt backup run"
        )
    rows = f"{sum(content.counts.values()):,}".replace(",", ".")
    return f" Catatan berkelanjutan dijalankan di server uji sampai {words(reached, plan.zone)}: {rows} baris."


def as_restored(manifest: Manifest, content: Content) -> Manifest:
    """The manifest of what the dump holds now."""
    return replace(manifest, counts=content.counts, tables={})
