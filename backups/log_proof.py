"""Is the carried log what it claims to be? From the newest backup, and from an older one, it must lead to the same database.

Each way reads and opens every block, and SQLite checks every frame; that both end in the same content proves that nothing was
left out in between, whatever the chain says of itself.
"""

from __future__ import annotations

from pathlib import Path

from backups import files, replay, spool, sqlite
from backups.borg import Engine
from backups.catalogue import list_runs, read_manifest
from backups.errors import Mismatch
from backups.process import Stop
from backups.replay import Base
from backups.settings import Plan
from backups.sqlite import Content
from backups.sums import file_hash
from backups.verify import bring_back_database

WAYS, NEWEST = 2, 5
ANEW = "Periksa disk cadangan, lalu buat pangkal baru: sudo slrt backup run"


def prove_log(plan: Plan, engine: Engine, place: Path, stop: Stop) -> str:
    """Go both ways in the folder `place`. Returns what was done in words, empty where no log is carried over.

    Raises Mismatch.
    """
    ways = _bases(plan, engine)
    if not ways:
        return ""
    # One end for both: meanwhile the log goes on.
    moment = max(found.block.at for found in spool.chain(ways[0].epoch))
    ends = []
    for way in ways:
        file = bring_back_database(engine, way.manifest, files.empty_folder(place), thorough=False)
        try:
            reached = replay.replay(way, file, moment, plan.zone, stop)
        except Mismatch as error:
            raise Mismatch(error.message, ANEW) from error
        ends.append((file_hash(file, stop), _content(file, stop)))
    if len({digest for digest, _ in ends}) > 1 and ends[0][1] != ends[1][1]:
        tables = sqlite.differing(ends[0][1].tables, ends[1][1].tables)
        raise Mismatch(
            f"Catatan berkelanjutan tidak lengkap: isinya berbeda pada {tables}.",
            ANEW,
        )
    numbers = " dan ".join(str(way.manifest.run) for way in ways)
    return f" Catatan berkelanjutan ditelusuri dari cadangan {numbers} sampai {reached.astimezone(plan.zone):%d-%m-%Y %H.%M.%S}."


def _bases(plan: Plan, engine: Engine) -> list[Base]:
    """The newest backups from which the log of the newest epoch goes on."""
    found: list[Base] = []
    known = spool.epochs(plan.log)
    if not known:
        return found
    for run in [run for run in reversed(list_runs(engine)) if run.complete][:NEWEST]:
        base = replay.base_of(read_manifest(engine, run), plan) if len(found) < WAYS else None
        if base is not None and base.epoch == known[-1]:
            found.append(base)
    return found


def _content(file: Path, stop: Stop) -> Content:
    with sqlite.closing(sqlite.connect(file, "ro&immutable=1")) as base:
        return Content(sqlite.count_rows(base), sqlite.hash_rows(base, stop))
