"""Bringing a database to a moment between two backups: a backup, and the log that was carried over after it.

The frames are put together to SQLite's own log file again, one generation after the other, and SQLite reads them: it checks each
frame once more and moves them into the file. Nothing behind a gap is ever used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import BinaryIO

from backups import spool
from backups.borg import Engine
from backups.catalogue import list_runs, read_manifest
from backups.errors import Mismatch, NoSuchArchive
from backups.manifest import Manifest
from backups.process import Stop, check, never
from backups.settings import Plan
from backups.spool import Found
from backups.sqlite import closing, connect, look_over
from backups.wal import FRAME_BYTES, HEADER_BYTES, Position, read_header, told_sums

NOW = {"sekarang", "now"}
TYPED = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}[ T]+\d{1,2}[.:]\d{2}([.:]\d{2})?")
FAR = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Base:
    """A backup, and the epoch of the log that goes on from it."""

    manifest: Manifest
    epoch: Path
    start: Position


@dataclass(frozen=True)
class Coverage:
    """How far an epoch reaches from a backup on: `first` is the moment of the block that the backup's place is in, `until` the last."""

    first: datetime
    until: datetime


def read_moment(wanted: str, zone: tzinfo) -> datetime | None:
    """The moment that somebody names as `28-11-2026 14:05` or `sekarang`; None for what is no moment. Raises NoSuchArchive."""
    if wanted.strip().lower() in NOW:
        return FAR
    if not TYPED.fullmatch(wanted.strip()):
        return None
    numbers = [int(part) for part in re.split(r"\D+", wanted.strip())]
    day, month, year, hour, minute, second = [*numbers, 0][:6]
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError as error:
        raise NoSuchArchive(f"{wanted} bukan tanggal dan jam yang ada.", "Tulis seperti ini: 28-11-2026 14:05") from error


def base_for(engine: Engine, plan: Plan, moment: datetime) -> Base:
    """The newest backup before a moment from which the log leads there.

    Raises NoSuchArchive that names the moment that can be reached, where it is not the wanted one.
    """
    nearest: datetime | None = None
    for run in reversed(list_runs(engine)):
        if run.summary is None or run.summary.at > moment:
            continue
        manifest = read_manifest(engine, run)
        covered = _coverage(base) if (base := base_of(manifest, plan)) else None
        if base is None or covered is None or covered.first > moment:
            continue
        if moment == FAR or covered.until >= moment:
            return base
        nearest = max(nearest or covered.until, covered.until)
    if nearest is not None:
        raise NoSuchArchive(
            f"Catatan berkelanjutan hanya sampai {words(nearest, plan.zone)}.",
            f'Ulangi dengan saat itu: "{typed(nearest, plan.zone)}"',
        )
    raise NoSuchArchive(
        "Tidak ada catatan berkelanjutan yang menuju saat itu.", "Pulihkan cadangan terdekat sebelumnya: slrt backup list"
    )


def base_of(manifest: Manifest, plan: Plan) -> Base | None:
    """The backup with the epoch that holds its place in the log; None where there is none."""
    if not manifest.position or spool.KEY_FILE not in manifest.secrets:
        return None
    with suppress(ValueError):
        start = Position.from_text(manifest.position)
        epoch = spool.locate(plan.log, start)
        return Base(manifest, epoch, start) if epoch else None
    return None


def _coverage(base: Base) -> Coverage | None:
    """Until when the chain goes on without a gap, judged by the heads of its blocks."""
    moments: list[datetime] = []
    with suppress(Mismatch):
        for found in blocks_from(base):
            if moments or _is_at(found, base.start):
                moments.append(found.block.at)
    return Coverage(moments[0], max(moments)) if moments else None


def _is_at(found: Found, position: Position) -> bool:
    end = found.block.end
    return end.salts == position.salts and end.frame >= position.frame


def blocks_from(base: Base) -> Iterator[Found]:
    """The blocks from the beginning of the backup's generation on."""
    begin = spool.first_file(base.epoch, base.start.salts)
    passed = False
    for found in spool.chain(base.epoch, begin):
        passed = passed or found.block.end.salts == base.start.salts
        if passed:
            yield found


def replay(base: Base, database: Path, moment: datetime, zone: tzinfo, stop: Stop = never) -> datetime:
    """Bring the restored `database` of the backup forward to the last whole transaction carried over until `moment`.

    Returns the moment of the last block used. Raises Mismatch that names the moment until which the log is whole.
    """
    key, reached = base.manifest.secrets[spool.KEY_FILE], base.manifest.at
    seen: Position | None = None
    try:
        for generation in _generations(_until(blocks_from(base), base.start, moment)):
            with _fresh_log(database).open("wb") as log:
                for found in generation:
                    check(stop)
                    _refuse_gap(seen, found)
                    _write(spool.open_block(found, key), log)
                    seen, reached = found.block.end, found.block.at if found.block.commits else reached
            _apply(database, generation[-1].block.end, base.start)
    except Mismatch as error:
        raise Mismatch(
            f"{error.message} Catatan utuh sampai {words(reached, zone)}.",
            f'Ulangi ke folder baru dengan saat itu: "{typed(reached, zone)}"',
        ) from error
    look_over(database)
    return reached


def _until(blocks: Iterable[Found], start: Position, moment: datetime) -> Iterator[Found]:
    """The blocks to the place of the backup, and on up to the first that is later, without a transaction that does not end."""
    waiting: list[Found] = []
    passed = False
    for found in blocks:
        if passed and found.block.at > moment:
            return
        passed = passed or _is_at(found, start)
        waiting.append(found)
        if found.block.commits:
            yield from waiting
            waiting = []


def _generations(blocks: Iterable[Found]) -> Iterator[list[Found]]:
    """The blocks of each generation together."""
    gathered: list[Found] = []
    for found in blocks:
        if gathered and gathered[-1].block.end.salts != found.block.end.salts:
            yield gathered
            gathered = []
        gathered.append(found)
    if gathered:
        yield gathered


def _refuse_gap(seen: Position | None, found: Found) -> None:
    """Raises Mismatch unless the block goes on where the last one ended."""
    block = found.block
    goes_on = seen is not None and seen.salts == block.end.salts and block.first == seen.frame + 1
    begins = block.first == 1 and (seen is None or seen.is_followed_by(block.end.salts))
    if not goes_on and not begins:
        raise Mismatch(f"Sebelum blok {block.number} ada bagian yang hilang.")


def _fresh_log(database: Path) -> Path:
    """The name of the database's log, with nothing there."""
    log = Path(f"{database}-wal")
    for leftover in (log, Path(f"{database}-shm")):
        leftover.unlink(missing_ok=True)
    return log


def _write(content: bytes, log: BinaryIO) -> None:
    """Add a block to the log that is being put together; the first one brings its head."""
    log.write(content if not log.tell() else content[HEADER_BYTES:])


def _apply(database: Path, end: Position, start: Position) -> None:
    """Let SQLite move the frames of a generation into the file. Raises Mismatch where they do not fit the backup, or each other."""
    if end.salts == start.salts and _sums_at(Path(f"{database}-wal"), start.frame) != start.sums:
        raise Mismatch("Catatan berkelanjutan bukan lanjutan dari cadangan itu.")
    with closing(connect(database)) as base:
        base.execute("PRAGMA synchronous = OFF")
        busy, logged, moved = base.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if (busy, logged, moved) != (0, end.frame, end.frame):
            raise Mismatch("Sebagian catatan berkelanjutan tidak diterima SQLite.")
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _sums_at(log: Path, frame: int) -> tuple[int, int] | None:
    with log.open("rb") as content:
        header = read_header(content.read(HEADER_BYTES))
        if header is None:
            return None
        content.seek(header.offset(frame))
        return told_sums(content.read(FRAME_BYTES))


def words(at: datetime, zone: tzinfo) -> str:
    """A moment as it is told."""
    return at.astimezone(zone).strftime("%d-%m-%Y pukul %H.%M.%S")


def typed(at: datetime, zone: tzinfo) -> str:
    """A moment as somebody may type it."""
    return at.astimezone(zone).strftime("%d-%m-%Y %H:%M:%S")
