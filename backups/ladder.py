"""The upper steps of the proof: bring the newest backup back whole and open it (each week), read all data there is (each month).

What becomes of it is a line in the book. One that was stopped leaves no line, and is made later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from backups import book, files, postgresql, repository, server_replay, sums
from backups.book import Line
from backups.borg import DAMAGED, Engine
from backups.catalogue import LATEST, Run, find, list_runs, read_manifest
from backups.errors import BackupError, Mismatch, RepositoryDamaged, Stopped
from backups.files_since import prove_copies
from backups.limits import Limits, allowed_seconds
from backups.lock import only_run
from backups.log_proof import prove_log
from backups.manifest import Manifest
from backups.process import Stop, never
from backups.progress import Say, Teller
from backups.schedule import Depth, Moment
from backups.settings import Plan
from backups.take import disk_errors, quiet
from backups.verify import altered, bring_back_database, content_of, refuse_altered
from backups.words import whole

REHEARSAL_STEPS, ALL_DATA_STEPS = 5, 5
CHECK_SECONDS = 900
PLACE = "rehearsal"

Work = Callable[[Engine, Say], tuple[Manifest, str]]


def rehearse(plan: Plan, moment: Moment, stop: Stop = never, say: Say = quiet, wanted: str = "terakhir") -> Line:
    """Restore a backup into a spare place, open it, compare every table and file, and look over the repository.

    Raises BackupError by kind after the failed line is written.
    """

    def work(engine: Engine, tell: Say) -> tuple[Manifest, str]:
        manifest, notes = _bring_everything_back(plan, engine, wanted, tell, thorough=False)
        tell("Memeriksa susunan repositori dan catatan berkelanjutan")
        engine.check(CHECK_SECONDS)
        place = plan.scratch / PLACE
        notes += server_replay.prove(plan, engine, manifest, place) if plan.database_url else prove_log(plan, engine, place, stop)
        return manifest, notes + prove_copies(plan, engine, manifest, stop)

    return _proving(plan, moment, Depth.REHEARSAL, Teller(plan.state, Depth.REHEARSAL, REHEARSAL_STEPS, say), stop, work)


def read_everything(plan: Plan, moment: Moment, stop: Stop = never, say: Say = quiet, wanted: str = "terakhir") -> Line:
    """Read every byte of the repository and every piece of every backup, and bring one back with a full look into the database.

    Raises BackupError after the failed line is written; what is damaged, and which backups are still whole, is in its words.
    """

    def work(engine: Engine, tell: Say) -> tuple[Manifest, str]:
        tell("Membaca semua bagian repositori")
        try:
            _refuse_damage(plan, engine)
        except RepositoryDamaged as error:
            raise RepositoryDamaged(f"{error.message} {_what_is_whole(engine)}", error.hint) from error
        return _bring_everything_back(plan, engine, wanted, tell, thorough=True)

    return _proving(plan, moment, Depth.ALL_DATA, Teller(plan.state, Depth.ALL_DATA, ALL_DATA_STEPS, say), stop, work)


def _proving(plan: Plan, moment: Moment, kind: Depth, tell: Teller, stop: Stop, work: Work) -> Line:
    """Do the work under the locks, and note what became of it."""
    begun = time.monotonic()
    plan.state.mkdir(mode=0o750, parents=True, exist_ok=True)
    with only_run(plan.repository) as lock, only_run(plan.state):
        try:
            limits = Limits(plan.repository, allowed_seconds(book.lines(plan.state), kind), stop)
            engine = repository.engine(plan, (lock,), limits)
            with disk_errors(plan):
                engine.break_lock()
                manifest, text = work(engine, tell)
        except Stopped:
            tell.finish()
            raise
        except BackupError as error:
            _note(plan, Line(moment, kind, False, None, error.message, error.hint, time.monotonic() - begun), tell)
            raise
        finally:
            with suppress(OSError):
                files.empty_folder(plan.scratch)
        seconds = time.monotonic() - begun
        return _note(plan, Line(moment, kind, True, manifest.run, text, "", seconds, manifest.bytes), tell)


def _note(plan: Plan, line: Line, tell: Teller) -> Line:
    whole = Line(**{**vars(line), "steps": tell.finish()})
    book.add(plan.state, whole)
    return whole


def _bring_everything_back(plan: Plan, engine: Engine, wanted: str, tell: Say, *, thorough: bool) -> tuple[Manifest, str]:
    """Three steps: the database, its content, the files. Returns the manifest and what was compared, in words."""
    tell("Memilih cadangan dan memeriksa ruang")
    run = _chosen(engine, wanted)
    manifest = read_manifest(engine, run)
    place = files.empty_folder(plan.scratch / PLACE)
    repository.require_room(plan.state, manifest.bytes + plan.reserve_bytes, "Disk data")
    tell("Mengembalikan basis data ke tempat uji dan membandingkan setiap tabel")
    file = bring_back_database(engine, manifest, place, thorough=thorough)
    if manifest.kind == "postgresql":
        postgresql.rehearse(postgresql.Server(plan.database_url), file, content_of(manifest))
    file.unlink()
    tell("Mengembalikan lampiran dan identitas ke tempat uji")
    if manifest.folders:
        engine.extract(f"att-{manifest.run}", place)
    tell("Membandingkan berkas satu per satu")
    _compare_files(plan, manifest, place)
    rows, number = (whole(sum(counts)) for counts in (manifest.counts.values(), (one for one, _ in manifest.folders.values())))
    how = f"{len(manifest.tables)} tabel sama isinya" if manifest.tables else "basis data sama sampai bita terakhir"
    return manifest, f"Cadangan {manifest.run} dipulihkan di tempat uji: {rows} baris, {how}, {number} berkas."


def _chosen(engine: Engine, wanted: str) -> Run:
    return find(list_runs(engine), wanted if wanted not in LATEST else "terakhir")


def _compare_files(plan: Plan, manifest: Manifest, place: Path) -> None:
    """Each file that is named by its hash against its name, the others against those on the disk; all must be there."""
    for name, expected in manifest.folders.items():
        if files.measure(place / name) != tuple(expected):
            raise Mismatch(f"Isi folder {name} dalam cadangan {manifest.run} tidak lengkap.", "Pakai yang lain: slrt backup list")
    names = [str(path.relative_to(place)) for path in sorted(place.rglob("*")) if path.is_file() and not path.is_symlink()]
    hashed = [name for name in names if files.NAMED_BY_HASH.fullmatch(Path(name).name)]
    wrong = [name for name in hashed if sums.file_hash(place / name) != Path(name).name]
    others = sorted(set(names) - set(hashed))
    refuse_altered(wrong + altered(plan.data, place, others, manifest.at), manifest.run)


def _refuse_damage(plan: Plan, engine: Engine) -> None:
    """Raises RepositoryDamaged that names the pieces."""
    if broken := sums.damaged(plan.state, plan.repository, engine.stop):
        raise RepositoryDamaged(f"Bagian repositori cadangan rusak: {', '.join(broken)} di {plan.repository}.", DAMAGED)
    engine.check_all_data()


def _what_is_whole(engine: Engine) -> str:
    """Which backups can still be read to their end, in words."""
    whole: list[str] = []
    broken: list[str] = []
    try:
        runs = [run for run in list_runs(engine) if run.complete]
    except BackupError:
        return "Daftar cadangan pun tidak terbaca; pakai salinan di disk USB."
    for run in runs:
        (whole if _reads(engine, run) else broken).append(str(run.number))
    return f"Cadangan yang masih utuh: {', '.join(whole) or 'tidak ada'}; yang kena: {', '.join(broken) or 'tidak ada'}."


def _reads(engine: Engine, run: Run) -> bool:
    try:
        for archive in run.archives:
            engine.prove_readable(archive)
    except Stopped:
        raise
    except BackupError:
        return False
    return True
