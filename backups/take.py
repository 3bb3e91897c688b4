"""One run: lock, room, snapshot, store, prove, mark as complete, forget what is old.

Any line may be the last one that runs. Until the last archive, ok-N, is written the run does not count, and the next run clears
what it left: scratch, locks, half archives. Nothing old is forgotten before the new run is proven.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from backups import files, postgresql, repository, retention, sqlite
from backups.borg import DUMP, FILES, PAGES, Engine
from backups.catalogue import Run, list_runs
from backups.errors import BackupError, NoSpace, SourceMissing, Stopped
from backups.lock import only_run
from backups.manifest import NAME, Manifest, Summary
from backups.outcome import Outcome, write, write_attempt
from backups.process import Stop, never, run
from backups.schedule import Moment
from backups.settings import Plan
from backups.verify import prove

Say = Callable[[str], None]
CHECK_SECONDS = 900
STEPS = 7
HASH = "import hashlib, sys; print(hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256').hexdigest())"
HASHERS = ([sys.executable, "-I", "-S", "-c", HASH], ["sha256sum", "--"])


def quiet(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Stored:
    """The database in the repository: what it was, and what the repository grew by."""

    method: str
    name: str
    sha256: str
    bytes: int
    counts: dict[str, int]
    added: int


def take(plan: Plan, moment: Moment, stop: Stop = never, say: Say = quiet) -> Outcome:
    """Make one backup and write its outcome. `moment` is now; `stop` is asked often and ends the run within seconds.

    Raises BackupError by kind after the failed outcome is written; Busy leaves the running one's outcome alone.
    """
    begun = time.monotonic()
    with only_run(plan.repository) as lock:
        # Written first: a run cut off by the mains shows as an attempt that never ended.
        write_attempt(plan.state, moment)
        try:
            number, manifest = _run(plan, repository.engine(plan, (lock,), stop), moment.at, say)
        except BackupError as error:
            write(plan.state, Outcome(moment, False, None, error.message, error.hint, seconds=time.monotonic() - begun))
            raise
        size = manifest.bytes / 1e6
        text = f"Cadangan {number} lengkap dan sudah dicoba dipulihkan ({size:.1f} MB)."
        outcome = Outcome(moment, True, str(number), text, verified=True, seconds=time.monotonic() - begun)
        write(plan.state, outcome)
    return outcome


def _run(plan: Plan, engine: Engine, at: datetime, say: Say) -> tuple[int, Manifest]:
    """The steps under the lock. An OSError of our own disk becomes NoSpace or SourceMissing."""
    try:
        files.empty_folder(plan.scratch)
        return _steps(plan, engine, at, say)
    except OSError as error:
        if error.errno == 28:
            raise NoSpace(f"Disk {plan.state} penuh.", "Kosongkan disk itu, lalu jalankan: slrt backup run") from error
        raise SourceMissing(f"Disk tidak dapat dibaca atau ditulis ({error}).", "Periksa disk: slrt status") from error
    finally:
        if plan.scratch.exists():
            files.empty_folder(plan.scratch)


def _steps(plan: Plan, engine: Engine, at: datetime, say: Say) -> tuple[int, Manifest]:
    say("Memeriksa sumber, disk dan repositori")
    engine.break_lock()
    known = list_runs(engine)
    number = max((run.number for run in known), default=0) + 1
    folders = _require_sources(plan, known)
    known = _make_room(plan, engine, known, at)
    say("Menyimpan basis data tanpa menghentikan layanan")
    stored = _store_database(plan, engine, number)
    say("Menyimpan lampiran dan identitas")
    added = stored.added + _store_folders(plan, engine, number, folders)
    paths = engine.files(f"att-{number}") if folders else []
    manifest = _manifest(plan, number, at, stored, _measured(paths, folders))
    say("Memeriksa repositori")
    engine.check(CHECK_SECONDS)
    say("Mencoba memulihkan dan membandingkan")
    prove(plan, engine, manifest, [path for path, _ in paths])
    say("Menandai cadangan sebagai lengkap")
    summary = Summary(at, manifest.bytes, added, folders)
    engine.store_bytes(f"ok-{number}", NAME, manifest.to_bytes(), summary.comment())
    say("Menghapus cadangan yang lewat masa simpannya")
    done = Run(number, tuple(f"{kind}-{number}" for kind in ("db", "att", "ok")), summary)
    forget(plan, engine, [*known, done], at)
    repository.keep_reserve(plan)
    return number, manifest


def _require_sources(plan: Plan, known: list[Run]) -> tuple[str, ...]:
    """Names of the folders that are there. A folder that the last backup had must not silently be gone."""
    there = tuple(name for name in plan.folders if (plan.data / name).is_dir())
    before = next((run.summary.folders for run in reversed(known) if run.summary), ())
    gone = [name for name in plan.folders if name in before and name not in there]
    if gone:
        raise SourceMissing(
            f"Folder {plan.data / gone[0]} hilang.", "Periksa disk data, atau pulihkan: slrt backup restore terakhir --to FOLDER"
        )
    if not plan.database_url:
        sqlite.require_database(plan.database_file)
    return there


def _database_bytes(plan: Plan) -> int:
    return postgresql.size(postgresql.Server(plan.database_url)) if plan.database_url else plan.database_file.stat().st_size


def _make_room(plan: Plan, engine: Engine, known: list[Run], at: datetime) -> list[Run]:
    """Enough room for the run, if need be by giving up the reserve and forgetting what is old. Returns the runs that are left.

    Raises NoSpace.
    """
    database = _database_bytes(plan)
    repository.require_room(plan.state, 2 * database + plan.spare_bytes, "Disk data")
    grown = [run.summary.added for run in known[-5:] if run.summary]
    total = database + sum(files.measure(plan.data / name)[1] for name in plan.folders)
    needed = (3 * max(grown) if grown else total) + plan.spare_bytes
    try:
        repository.require_room(plan.repository, needed, "Disk cadangan")
    except NoSpace:
        repository.release_reserve(plan)
        # borg itself wants some room to delete; what is left of it tells more than its complaint.
        with suppress(NoSpace):
            forget(plan, engine, known, at)
            engine.compact()
        repository.require_room(plan.repository, needed, "Disk cadangan")
        return list_runs(engine)
    return known


def _store_database(plan: Plan, engine: Engine, number: int) -> Stored:
    archive = f"db-{number}"
    if plan.database_url:
        return _store_dump(plan, engine, archive)
    try:
        return _store_frozen(plan, engine, archive)
    except sqlite.FreezeUnavailable:
        # What the given-up try stored must not carry the name of the copy.
        engine.delete([found.name for found in engine.archives() if found.name.startswith(archive)])
        return _store_copy(plan, engine, archive)


def _store_frozen(plan: Plan, engine: Engine, archive: str) -> Stored:
    file = plan.database_file
    with sqlite.frozen(file, engine.stop) as held:
        watched = replace(engine, stop=lambda: engine.stop() or held.spent())
        try:
            digest = sha256(file, watched.stop)
            added = watched.store_paths(archive, file.parent, [file.name], PAGES)
        except Stopped as error:
            if engine.stop():
                raise
            raise sqlite.FreezeUnavailable from error
        held.prove_untouched()
        return Stored("freeze", file.name, digest, held.mark[1], held.counts, added)


def _store_copy(plan: Plan, engine: Engine, archive: str) -> Stored:
    copied = plan.scratch / plan.database_file.name
    counts = sqlite.copy(plan.database_file, copied, engine.stop)
    added = engine.store_paths(archive, copied.parent, [copied.name], PAGES)
    stored = Stored("copy", copied.name, sha256(copied, engine.stop), copied.stat().st_size, counts, added)
    copied.unlink()
    return stored


def _store_dump(plan: Plan, engine: Engine, archive: str) -> Stored:
    dump = plan.scratch / postgresql.FILE
    counts = postgresql.dump_to(postgresql.Server(plan.database_url), dump, engine.stop)
    added = engine.store_paths(archive, dump.parent, [dump.name], DUMP)
    stored = Stored("dump", dump.name, sha256(dump, engine.stop), dump.stat().st_size, counts, added)
    dump.unlink()
    return stored


def sha256(file: Path, stop: Stop = never) -> str:
    """Hash of a file, read by another process: closing a file here would drop SQLite's own locks on it."""
    for command in HASHERS:
        # A unit's sandbox, or a folder that the user may not enter, can forbid one of them.
        with suppress(PermissionError):
            ended = run([*command, str(file)], stop=stop)
            if ended.code == 0:
                return ended.out.decode().split()[0].lstrip("\\")
    raise SourceMissing(f"Berkas {file} tidak dapat dibaca.", "Periksa disk data: slrt status")


def _store_folders(plan: Plan, engine: Engine, number: int, folders: tuple[str, ...]) -> int:
    return engine.store_paths(f"att-{number}", plan.data, folders, FILES) if folders else 0


def _manifest(plan: Plan, number: int, at: datetime, stored: Stored, folders: Mapping[str, tuple[int, int]]) -> Manifest:
    return Manifest(
        run=number,
        at=at,
        node=plan.node,
        kind="postgresql" if plan.database_url else "sqlite",
        method=stored.method,
        database=stored.name,
        sha256=stored.sha256,
        database_bytes=stored.bytes,
        counts=stored.counts,
        folders=folders,
        secrets=dict(plan.secrets),
    )


def _measured(paths: list[tuple[str, int]], folders: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Files and bytes of each folder as they are in the archive, for the folders themselves go on changing."""
    measured = dict.fromkeys(folders, (0, 0))
    for path, size in paths:
        top = path.split("/", 1)[0]
        measured[top] = (measured[top][0] + 1, measured[top][1] + size)
    return measured


def forget(plan: Plan, engine: Engine, known: list[Run], now: datetime) -> list[Run]:
    """Delete what retention gives up and what never became complete, then give the room back. Returns the runs that are left.

    Only between runs or at the end of one: an incomplete run is taken for a dead one.
    """
    complete = {run.number: run.summary.at for run in known if run.summary}
    kept = retention.keep(complete, plan.retention, now, plan.zone)
    # The mark goes first: a run that is half forgotten must not look complete.
    names = [name for run in known if run.number not in kept for name in sorted(run.archives, reverse=True)]
    engine.delete(names)
    if names:
        engine.compact()
    return [run for run in known if run.number in kept]
