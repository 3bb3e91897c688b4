"""Single files that are named by the hash of their content: which are missing or altered, and bringing them back.

A file comes back beside its place, is compared with its name, forced to the disk and renamed; an altered one is set aside, never
overwritten. All of it goes well beside running services. What came after the newest backup is looked for among the copies that were
carried over since.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backups import carried_files, files, repository, spool
from backups.borg import Engine
from backups.carried_files import Keys
from backups.catalogue import Run, find, list_runs, read_manifest
from backups.errors import Mismatch, RepositoryDamaged
from backups.lock import only_run
from backups.process import Stop, never
from backups.settings import Plan
from backups.sums import file_hash

FOLDER = "attachments"
ALTERED = "altered"
# In place of a backup's number: the copies that were carried over after the newest one.
CARRIED = 0


@dataclass(frozen=True)
class Faults:
    """Hashes of which no file is there, and of which the file has another content; `seen` were asked for."""

    missing: tuple[str, ...]
    altered: tuple[str, ...]
    seen: int

    @property
    def wanted(self) -> tuple[str, ...]:
        """All that have to come back."""
        return (*self.missing, *self.altered)


@dataclass(frozen=True)
class PutBack:
    """`found` tells from which backup each file came, or `CARRIED`; `absent` are in none, or in none that can be read."""

    found: dict[str, int]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """The newest backup that can give a file back whole, or `CARRIED`, and when it was made."""

    number: int
    at: datetime


def is_whole(file: Path, stop: Stop = never) -> bool:
    """Whether a file has the content that its name is the hash of. Raises OSError when it cannot be read."""
    return file_hash(file, stop) == file.name


def place_of(sha256: str) -> str:
    """The path of a file below the data folder."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def look_for_faults(data: Path, named: Iterable[str], stop: Stop = never) -> Faults:
    """Read each of the files `named` (hashes) and compare it with its name."""
    missing, altered, seen = [], [], 0
    for sha256 in named:
        seen += 1
        try:
            if not is_whole(data / place_of(sha256), stop):
                altered.append(sha256)
        except FileNotFoundError:
            missing.append(sha256)
        except OSError:
            altered.append(sha256)  # there, but the disk does not give it back
    return Faults(tuple(missing), tuple(altered), seen)


def find_missing(data: Path, named: Iterable[str]) -> list[str]:
    """Those of the files `named` (hashes) that are not there; what is in the others is not looked at."""
    return [sha256 for sha256 in named if not (data / place_of(sha256)).is_file()]


def put_back(plan: Plan, wanted: Sequence[str], number: str = "", stop: Stop = never) -> PutBack:
    """Bring files back by their hashes: from a copy that was carried over, else from the newest backup that has it whole; or only from
    backup `number`."""
    with only_run(plan.repository) as lock, only_run(plan.state):
        engine = repository.engine(plan, (lock,), stop)
        known = list_runs(engine)
        runs = [find(known, number)] if number else [run for run in reversed(known) if run.complete]
        found = {} if number else _from_copies(plan, engine, runs, wanted)
        left = [sha256 for sha256 in wanted if sha256 not in found]
        try:
            for run in runs:
                back = _from_run(plan, engine, run, left)
                found |= dict.fromkeys(back, run.number)
                left = [sha256 for sha256 in left if sha256 not in found]
                if not left:
                    break
        finally:
            files.empty_folder(plan.scratch)
    return PutBack(found, tuple(left))


def find_kept(plan: Plan, faults: Faults, stop: Stop = never) -> dict[str, Kept]:
    """Which backup can give each of the faulty files back; those that no backup can are left out. Changes nothing.

    A file that is gone is believed to be whole where a backup lists it, for it was read back when it was stored. One that was altered
    may have been altered before a backup as well, so it is brought into the scratch folder and compared with its name.
    """
    missing, left, found = set(faults.missing), set(faults.wanted), dict[str, Kept]()
    with only_run(plan.repository) as lock, only_run(plan.state):
        engine = repository.engine(plan, (lock,), stop)
        runs = list(reversed(list_runs(engine)))
        try:
            for sha256, copy, _ in _copies_of(plan, engine, runs, faults.wanted):
                found[sha256] = Kept(CARRIED, datetime.fromtimestamp(copy.stat().st_mtime, UTC))
            left -= set(found)
            for run in runs:
                if not left or run.summary is None:
                    continue
                whole = [one for one in _listed(engine, run, left) if one in missing or _extract(plan, engine, run, one)]
                found |= dict.fromkeys(whole, Kept(run.number, run.summary.at))
                left -= set(whole)
        finally:
            files.empty_folder(plan.scratch)
    return found


def _from_copies(plan: Plan, engine: Engine, runs: Sequence[Run], wanted: Sequence[str]) -> dict[str, int]:
    """Those of the files of which a copy opened, now in their places."""
    found = dict[str, int]()
    for sha256, _, content in _copies_of(plan, engine, runs, wanted):
        brought = files.empty_folder(plan.scratch) / sha256
        brought.write_bytes(content)
        _put_in_place(plan, brought)
        found[sha256] = CARRIED
    return found


def _copies_of(plan: Plan, engine: Engine, runs: Sequence[Run], wanted: Sequence[str]) -> Iterator[tuple[str, Path, bytes]]:
    """The copies of files `wanted` that open, each with its file's hash and content. None while their disk is away."""
    with suppress(OSError):
        there = {copy.name: copy for copy in carried_files.copies(plan.log)}
        known = _keys(plan, engine, runs) if there else []
        for sha256, keys in itertools.product(wanted, known):
            if copy := there.get(keys.name_of(sha256)):
                with suppress(Mismatch, FileNotFoundError):  # given up meanwhile
                    yield sha256, copy, keys.open(copy)


def _keys(plan: Plan, engine: Engine, runs: Sequence[Run]) -> list[Keys]:
    """What may have named the copies beside the repository: our own key, and the one in the newest backup, for the disk may be another
    node's."""
    own, stored = spool.key_of(plan.log_key), ""
    with suppress(RepositoryDamaged, Mismatch, StopIteration):
        stored = read_manifest(engine, next(run for run in runs if run.complete)).secrets.get(spool.KEY_FILE, "")
    return [Keys(key) for key in dict.fromkeys([own, stored]) if key]


def _from_run(plan: Plan, engine: Engine, run: Run, wanted: Sequence[str]) -> list[str]:
    """Those of the files that this backup gave back whole, now in their places."""
    return [sha256 for sha256 in _listed(engine, run, wanted) if _bring(plan, engine, run, sha256)]


def _listed(engine: Engine, run: Run, wanted: Iterable[str]) -> list[str]:
    """Those of the files that the backup names; none for a damaged one."""
    archive = _archive(run)
    if archive not in run.archives or not wanted:
        return []
    try:
        there = {path for path, _ in engine.files(archive)}
    except RepositoryDamaged:
        return []
    return [sha256 for sha256 in wanted if place_of(sha256) in there]


def _archive(run: Run) -> str:
    return f"att-{run.number}"


def _extract(plan: Plan, engine: Engine, run: Run, sha256: str) -> Path | None:
    """The file in the emptied scratch folder; None when the backup does not give it back whole."""
    scratch, place = files.empty_folder(plan.scratch), place_of(sha256)
    try:
        engine.extract(_archive(run), scratch, [place])
    except RepositoryDamaged:
        return None
    return scratch / place if is_whole(scratch / place, engine.stop) else None


def _bring(plan: Plan, engine: Engine, run: Run, sha256: str) -> bool:
    brought = _extract(plan, engine, run, sha256)
    if brought is None:
        return False
    _put_in_place(plan, brought)
    return True


def _put_in_place(plan: Plan, brought: Path) -> None:
    """A whole file in the scratch folder takes its place; its name is its hash."""
    files.sync_tree(plan.scratch)
    live = plan.data / place_of(brought.name)
    live.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    _set_aside(plan, live)
    # as new ones are: the user of the backups reads them by their group
    brought.chmod(0o640)
    brought.replace(live)
    files.sync_folder(live.parent)


def _set_aside(plan: Plan, live: Path) -> None:
    """An altered file may still be worth a look: it gets a name in the state folder."""
    if live.exists():
        aside = plan.state / ALTERED
        aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.link(live, aside / f"{live.name}.{live.stat().st_mtime_ns}", follow_symlinks=False)
