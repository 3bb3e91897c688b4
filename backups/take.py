"""One run: lock, room, snapshot, store, prove, mark as complete, forget what is old.

Any line may be the last one that runs. Until the last archive, ok-N, is written the run does not count, and the next run clears
what it left: scratch, locks, half archives. Nothing old is forgotten before the new run is proven.
"""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from backups import (
    book,
    files,
    postgresql,
    repository,
    retention,
    server_base,
    server_segments,
    spool,
    sqlite,
    stored_files,
    sums,
)
from backups.book import Line
from backups.borg import DUMP, FILES, Engine, pages, piece_bytes
from backups.catalogue import Run, list_runs
from backups.errors import BackupError, NoSpace, SourceMissing, Stopped
from backups.limits import Limits, allowed_seconds
from backups.lock import only_run
from backups.manifest import NAME, Manifest, Summary
from backups.outcome import Outcome, write, write_attempt
from backups.process import Stop, never, run
from backups.progress import Teller
from backups.schedule import Moment
from backups.settings import MEBIBYTE, Plan
from backups.sqlite import Content
from backups.verify import prove
from backups.words import megabytes

Say = Callable[[str], None]
STEPS = 6
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
    content: Content
    added: int
    position: str = ""
    note: str = ""


@dataclass(frozen=True)
class Taking:
    """One run under way: its plan, its engine, the clock at its start, whether the tables are hashed, and what the book says."""

    plan: Plan
    engine: Engine
    at: datetime
    hashes: bool
    known: Sequence[Line]


def take(plan: Plan, moment: Moment, stop: Stop = never, say: Say = quiet, *, hashes: bool = False) -> Outcome:
    """Make one backup and write its outcome. `moment` is now; `stop` is asked often and ends the run within seconds.

    `hashes`: each table's rows are hashed as well, for the rehearsal that will compare them.
    Raises BackupError by kind after the failed outcome is written; Busy leaves the running one's outcome alone.
    """
    begun = time.monotonic()
    plan.state.mkdir(mode=0o750, parents=True, exist_ok=True)
    with only_run(plan.repository) as lock, only_run(plan.state):
        # Written first: a run cut off by the mains shows as an attempt that never ended.
        write_attempt(plan.state, moment)
        tell = Teller(plan.state, book.BACKUP, STEPS, say)
        try:
            lines = book.lines(plan.state)
            limits = Limits(plan.repository, allowed_seconds(lines, book.BACKUP), stop)
            engine = repository.engine(plan, (lock,), limits)
            line = _run(Taking(plan, engine, moment.at, hashes, lines), moment, tell)
        except BackupError as error:
            spent = time.monotonic() - begun
            write(plan.state, Outcome(moment, False, None, error.message, error.hint, seconds=spent))
            line = Line(moment, book.BACKUP, False, None, error.message, error.hint, spent, steps=tell.finish())
            book.add(plan.state, line)
            raise
        spent = time.monotonic() - begun
        book.add(plan.state, replace(line, seconds=spent, steps=tell.finish()))
        outcome = Outcome(moment, True, str(line.number), line.text, verified=True, seconds=spent)
        write(plan.state, outcome)
    return outcome


def _run(taking: Taking, moment: Moment, say: Say) -> Line:
    """The steps under the lock; the line that tells of them."""
    plan = taking.plan
    with disk_errors(plan):
        try:
            files.empty_folder(plan.scratch)
            return _steps(taking, moment, say)
        finally:
            if plan.scratch.exists():
                files.empty_folder(plan.scratch)


@contextmanager
def disk_errors(plan: Plan) -> Iterator[None]:
    """An OSError of our own disk becomes NoSpace or SourceMissing."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NoSpace(f"Disk {plan.state} penuh.", "Kosongkan disk itu, lalu jalankan: slrt backup run") from error
        raise SourceMissing(f"Disk tidak dapat dibaca atau ditulis ({error}).", "Periksa disk: slrt status") from error


def _steps(taking: Taking, moment: Moment, say: Say) -> Line:
    plan, engine = taking.plan, taking.engine
    say("Memeriksa sumber, disk dan repositori")
    repository.require_writable(plan.repository)
    engine.break_lock()
    known = list_runs(engine)
    number = max((run.number for run in known), default=0) + 1
    folders = _require_sources(plan, known)
    known = _make_room(taking, known)
    say("Menyimpan basis data tanpa menghentikan layanan")
    stored = _store_database(taking, number)
    say("Menyimpan lampiran dan identitas")
    added = stored.added + _store_folders(plan, engine, number, folders)
    paths = engine.files(f"att-{number}") if folders else []
    manifest = _manifest(plan, number, taking.at, stored, _measured(paths, folders))
    say("Membaca kembali dan membandingkan")
    prove(plan, engine, manifest, [path for path, _ in paths])
    say("Menandai cadangan sebagai lengkap")
    guarded = {name: manifest.counts.get(name, 0) for name in plan.guarded}
    summary = Summary(taking.at, manifest.bytes, added, folders, guarded, _piece(plan, manifest.database_bytes))
    engine.store_bytes(f"ok-{number}", NAME, manifest.to_bytes(), summary.comment())
    stored_files.note(plan.state, number, (path for path, _ in paths))
    say("Menghapus cadangan yang lewat masa simpannya")
    done = Run(number, tuple(f"{kind}-{number}" for kind in ("db", "att", "ok")), summary)
    left = forget(taking, [*known, done])
    repository.keep_reserve(plan)
    repository.remember(plan)
    sums.note(plan.state, plan.repository, engine.stop)
    text = f"Cadangan {number} lengkap dan sudah dibaca kembali ({megabytes(manifest.bytes)}).{stored.note}"
    kept = tuple(run.number for run in left if run.complete)
    about = {"bytes": manifest.bytes, "added": added, "kept": kept, "method": stored.method, "position": stored.position}
    return Line(moment, book.BACKUP, True, number, text, **about)  # type: ignore[arg-type]


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
    _refuse_emptied(plan, known)
    return there


def _refuse_emptied(plan: Plan, known: list[Run]) -> None:
    """Raises SourceMissing when a table that had rows has none: a node installed anew must not push good backups out."""
    before = next((run.summary.guarded for run in reversed(known) if run.summary), {})
    for name in plan.guarded:
        if not before.get(name) or not _is_empty(plan, name):
            continue
        raise SourceMissing(
            f"Tabel {name} kosong, padahal pada cadangan terakhir berisi {before[name]} baris. Tidak ada cadangan yang dihapus.",
            "Bila data hilang, pulihkan: slrt backup restore terakhir --in-place. Bila ini mesin baru, pakai folder cadangan lain.",
        )


def _is_empty(plan: Plan, table: str) -> bool:
    if plan.database_url:
        return postgresql.is_empty(postgresql.Server(plan.database_url), table)
    return sqlite.is_empty(plan.database_file, table)


def _database_bytes(plan: Plan) -> int:
    return postgresql.size(postgresql.Server(plan.database_url)) if plan.database_url else plan.database_file.stat().st_size


def _make_room(taking: Taking, known: list[Run]) -> list[Run]:
    """Enough room for the run, if need be by giving up the reserve and forgetting what is old. Returns the runs that are left.

    Raises NoSpace.
    """
    plan, engine = taking.plan, taking.engine
    database = _database_bytes(plan)
    # for the copy, should the freeze not be had
    repository.require_room(plan.state, database + plan.reserve_bytes, "Disk data")
    needed = max(_spare(plan), room_needed(plan, known, database))
    try:
        repository.require_room(plan.repository, needed, "Disk cadangan")
    except NoSpace:
        repository.release_reserve(plan)
        # borg itself wants some room to delete; what is left of it tells more than its complaint.
        with suppress(NoSpace):
            forget(taking, known)
            engine.compact()
        repository.require_room(plan.repository, needed, "Disk cadangan")
        return list_runs(engine)
    return known


def room_needed(plan: Plan, known: Sequence[Run], database: int) -> int:
    """Bytes that a run may add: three times what the last ones did, or all, for a first one and one that cuts the database anew."""
    grown = [run.summary.added for run in known[-5:] if run.summary and run.summary.piece == _piece(plan, database)]
    total = database + sum(files.measure(plan.data / name)[1] for name in plan.folders)
    return 3 * max(grown) if grown else total + plan.reserve_bytes


def _piece(plan: Plan, database: int) -> int:
    """The bytes of the blocks that a database file of that size is cut into; 0 for a server's dump."""
    return 0 if plan.database_url else piece_bytes(database)


def _spare(plan: Plan) -> int:
    """The room that a repository must have left: less on a small disk, but for a segment of borg."""
    return min(plan.spare_bytes, max(repository.total(plan.repository) // 4, 640 * MEBIBYTE))


def _store_database(taking: Taking, number: int) -> Stored:
    archive, engine = f"db-{number}", taking.engine
    if taking.plan.database_url:
        return _store_dump(taking, archive)
    try:
        return _store_frozen(taking, archive)
    except sqlite.FreezeUnavailable:
        # What the given-up try stored must not carry the name of the copy.
        engine.delete([found.name for found in engine.archives() if found.name.startswith(archive)])
        return _store_copy(taking, archive)


def _store_frozen(taking: Taking, archive: str) -> Stored:
    file, engine = taking.plan.database_file, taking.engine
    with sqlite.frozen(file, engine.stop, hashes=taking.hashes) as held:
        watched = replace(engine, stop=lambda: engine.stop() or held.spent())
        try:
            digest = sha256(file, watched.stop)
            added = watched.store_paths(archive, file.parent, [file.name], pages(held.mark[1]))
        except Stopped as error:
            if engine.stop():
                raise
            raise sqlite.FreezeUnavailable from error
        held.prove_untouched()
        return Stored("freeze", file.name, digest, held.mark[1], held.content, added, held.position)


def _store_copy(taking: Taking, archive: str) -> Stored:
    engine, file = taking.engine, taking.plan.database_file
    copied = taking.plan.scratch / file.name
    content = sqlite.copy(file, copied, engine.stop, hashes=taking.hashes)
    return _store_file("copy", copied, content, engine, archive, pages(copied.stat().st_size))


def _store_dump(taking: Taking, archive: str) -> Stored:
    engine, dump = taking.engine, taking.plan.scratch / postgresql.FILE
    content = postgresql.dump_to(postgresql.Server(taking.plan.database_url), dump, engine.stop, hashes=taking.hashes)
    postgresql.examine(dump, engine.stop)
    stored = _store_file("dump", dump, content, engine, archive, DUMP)
    return _store_base(taking, stored, archive.replace("db", "base", 1))


def _store_base(taking: Taking, stored: Stored, archive: str) -> Stored:
    """The base that the server's carried log goes on from, where there is such a log. Without one the night is as good as ever, but no
    moment after it can be reached, which shows."""
    plan, engine = taking.plan, taking.engine
    if not (plan.log / server_segments.FOLDER).is_dir():
        return stored
    server, folder = postgresql.Server(plan.database_url), files.empty_folder(plan.scratch / "base")
    try:
        repository.require_room(plan.state, postgresql.size_of_all(server) + plan.reserve_bytes, "Disk data")
        place = server_base.take_base(server, folder, engine.stop)
    except Stopped:
        raise
    except BackupError as error:
        return replace(stored, note=f" {error.message} {error.hint}".rstrip())
    added = engine.store_paths(archive, folder, [server_base.TAR], DUMP)
    files.empty_folder(folder).rmdir()
    return replace(stored, added=stored.added + added, position=place.as_text())


def _store_file(method: str, file: Path, content: Content, engine: Engine, archive: str, options: Sequence[str]) -> Stored:
    added = engine.store_paths(archive, file.parent, [file.name], options)
    stored = Stored(method, file.name, sha256(file, engine.stop), file.stat().st_size, content, added)
    file.unlink()
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
        counts=stored.content.counts,
        folders=folders,
        secrets=dict(plan.secrets) | ({spool.KEY_FILE: key} if (key := spool.key_of(plan.log_key)) else {}),
        tables=stored.content.tables,
        position=stored.position,
    )


def _measured(paths: list[tuple[str, int]], folders: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Files and bytes of each folder as they are in the archive, for the folders themselves go on changing."""
    measured = dict.fromkeys(folders, (0, 0))
    for path, size in paths:
        top = path.split("/", 1)[0]
        measured[top] = (measured[top][0] + 1, measured[top][1] + size)
    return measured


def forget(taking: Taking, known: list[Run]) -> list[Run]:
    """Delete what retention gives up and what never became complete, then give the room back. Returns the runs that are left.

    Only between runs or at the end of one: an incomplete run is taken for a dead one. Nothing complete goes as long as the last
    thorough proof failed: what is older may be all that is still whole.
    """
    plan, engine = taking.plan, taking.engine
    complete = {run.number: run.summary.at for run in known if run.summary}
    kept = set(complete)
    if not book.is_doubtful(taking.known):
        kept = retention.keep(complete, plan.retention, taking.at, plan.zone, book.proven(taking.known))
    # The mark goes first: a run that is half forgotten must not look complete.
    names = [name for run in known if run.number not in kept for name in sorted(run.archives, reverse=True)]
    engine.delete(names)
    if names:
        engine.compact()
    return [run for run in known if run.number in kept]
