"""One upgrade, from the refusals to the open door. Everything slow is done while the node works; then it is closed, changed and proven,
and opened again either as the new release or, with all its data, as the old one.

Each act is written down before it (`journal`). Whoever is killed in between leaves a note that `settling` carries out.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import ApplianceError, Conflict, TryLater
from provision import run
from provision.change import insist
from provision.step import Step
from provision.upgrade import journal, keeping, probe, releases, rules
from provision.upgrade.facts import is_restoring, last_good_backup
from provision.upgrade.journal import COPIES, Note, Stage, Told
from provision.upgrade.node import ENGINE, RELEASES, Node, program, take_as_started
from provision.upgrade.rules import Facts

Say = Callable[[str], None]
# What may be put in place while the old release works: it only adds to the machine.
BEFOREHAND = ("pengguna", "paket", "folder", "pembaruan")
# What belongs to a release and must change with it.
TOGETHER = ("pengaturan", "perintah", "unit", "ups", "gerbang-web", "layanan")
STEPS = 6
STEPS_LEFT = "Langkah lain di mesin ini belum diselesaikan; jalankan: sudo slrt-provision apply"


@dataclass(frozen=True)
class Upgrade:
    """What is to be done: to which release (already on the disk), with which steps of this program, by whom."""

    node: Node
    new: str
    steps: tuple[Step, ...]
    by: str
    say: Say
    stop_after: str = ""
    kept: Path | None = None
    """On the way back: the copy of what was before."""

    def some(self, names: Sequence[str]) -> list[Step]:
        """The steps with these names, in the order of the plan."""
        return [step for step in self.steps if step.name in names]

    def reached(self, point: str) -> None:
        """For tests: die here as a power cut would have it."""
        if self.stop_after == point:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def alone(node: Node, *, patience: bool = False) -> Iterator[None]:
    """Nobody else upgrades, goes back or uninstalls meanwhile. With `patience` the other is waited for. Raises TryLater."""
    node.place.runtime.mkdir(mode=0o755, exist_ok=True)
    handle = os.open(node.place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if patience else fcntl.LOCK_NB))
        yield
    except BlockingIOError as error:
        raise TryLater("Pembaruan lain sedang berjalan.", "Tunggu sampai selesai, lalu ulangi.") from error
    finally:
        os.close(handle)


def refuse(facts: Facts) -> None:
    """Raises TryLater or Conflict with everything that speaks against an upgrade now."""
    found = rules.refusals(facts)
    if not found:
        return
    kind = TryLater if all(one.later for one in found) else Conflict
    raise kind(" ".join(one.text for one in found), " ".join(dict.fromkeys(one.hint for one in found)))


def upgrade(wanted: Upgrade, facts: Facts) -> None:
    """Do it. Raises ApplianceError when it was refused, or failed and was undone."""
    refuse(facts)
    wanted.say(f"[1/{STEPS}] Memastikan ada cadangan hari ini yang sudah dibaca kembali")
    now = datetime.now(wanted.node.settings.zone)
    if not facts.cold and rules.needs_backup(last_good_backup(wanted.node.settings), now):
        back_up(wanted.node)
    wanted.say(f"[2/{STEPS}] Menyiapkan mesin untuk rilis {wanted.new}; layanan tetap berjalan")
    run.apply(wanted.some(BEFOREHAND), wanted.node.host, run_quietly)
    wanted.node.reload()
    carry_out(wanted, _change)


def carry_out(wanted: Upgrade, change: Callable[[Upgrade, Note], Note]) -> None:
    """Close, keep a copy, `change`, prove, open; or undo. Raises ApplianceError when it failed."""
    node, say = wanted.node, wanted.say
    before = probe.health(node, node.release)
    _warm_up(node, wanted.new)
    note = _note(wanted, node.release)
    began = time.monotonic()
    with _undisturbed():
        note = _keep(wanted, _close(wanted, note))
        try:
            note = change(wanted, note)
            say(f"[5/{STEPS}] Menguji rilis {note.new}; halaman belum dibuka")
            probe.prove(node, note.old, note.new, before)
            wanted.reached("probed")
        except (ApplianceError, OSError, ValueError) as error:
            _undo(wanted, note, error, before, began)
        note = replace(note, stage=Stage.PROVEN)
        journal.write(node.place.note, note)
        wanted.reached("proven")
        node.open()
    _finish(wanted, note, time.monotonic() - began)


def run_quietly(_line: str) -> None:
    """Say nothing: the steps are told as one."""


def back_up(node: Node) -> None:
    """Have a backup made and read back. Raises ApplianceError: then nothing was changed."""
    made = node.host.run([program(node.release), "backup", "run"])
    if not made.worked:
        said = (made.errors.strip() or made.output.strip()).splitlines()[:2]
        raise ApplianceError(
            f"Cadangan sebelum pergantian program gagal, jadi tidak ada yang diubah. {' '.join(said)}",
            "Jalankan: sudo slrt backup run",
        )


def _warm_up(node: Node, release: str) -> None:
    """Read the new program once, so that it starts from memory when everybody waits for it. Raises ApplianceError if it cannot be read."""
    python = RELEASES / release / "venv" / "bin" / "python"
    load = "import webui, appliance.scheduler, appliance.watcher, alembic.command; webui.load_pages()"
    read = node.host.run([str(python), "-c", load])
    if not read.worked:
        why = (read.errors.strip().splitlines() or [f"kode {read.code}"])[-1]
        raise ApplianceError(
            f"Program rilis {release} tidak dapat dijalankan ({why}). Tidak ada yang diubah.", "Laporkan kepada pembuat program."
        )


def _note(wanted: Upgrade, old: str) -> Note:
    began = datetime.now(UTC)
    copy = wanted.node.place.folder / COPIES / f"{began:%Y%m%dT%H%M%S}"
    for folder in (wanted.node.place.folder, copy.parent, copy):
        folder.mkdir(mode=0o700, exist_ok=True)
    return Note(Stage.CLOSING, old, wanted.new, str(copy), began.isoformat(), wanted.by, wanted.node.running())


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A terminal that is closed, or a hand on Ctrl+C, does not stop what is half done; a kill leaves the note."""
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _close(wanted: Upgrade, note: Note) -> Note:
    node = wanted.node
    wanted.say(f"[3/{STEPS}] Menutup halaman dan menghentikan layanan")
    _let_restore_end(node)
    with _left_alone(node, note):
        set_engine(node, note.new)
        journal.write(node.place.note, note)
        node.watch()
        node.close()
        wanted.reached("closed")
        node.stop(note.units)
        wanted.reached("stopped")
        _let_restore_end(node)
    return note


def _let_restore_end(node: Node) -> None:
    """Whoever began to bring data back after the refusals were asked for comes first. Raises TryLater."""
    if is_restoring(node.settings):
        raise TryLater("Data sedang dipulihkan.", "Tunggu sampai selesai, lalu ulangi.")


@contextmanager
def _left_alone(node: Node, note: Note) -> Iterator[None]:
    """What fails before anything was changed leaves the node as it was. Raises ApplianceError."""
    try:
        yield
    except (ApplianceError, OSError) as error:
        leave(node, note)
        why = error.message if isinstance(error, ApplianceError) else str(error)
        raise ApplianceError(
            f"Pergantian program dibatalkan sebelum ada yang diubah: {why}", "Bereskan itu, lalu ulangi."
        ) from error


def set_engine(node: Node, release: str) -> None:
    """Name the release whose program settles what this one leaves."""
    insist(node.host, ["ln", "-sfn", str(RELEASES / release), f"{ENGINE}.slrt-new"])
    insist(node.host, ["mv", "-T", f"{ENGINE}.slrt-new", str(ENGINE)])


def _keep(wanted: Upgrade, note: Note) -> Note:
    """The copy of everything that will change; only then may it. What fails here leaves the node as it was."""
    node, copy = wanted.node, Path(note.copy)
    wanted.say(f"[4/{STEPS}] Menyalin basis data dan mengganti program")
    with _left_alone(node, note):
        keeping.keep_database(node.settings, copy, note.old)
        keeping.keep_files(node.host, copy, sorted({*keeping.paths_of(wanted.steps), *keeping.kept_paths(wanted.kept)}))
    wanted.reached("copied")
    note = replace(note, stage=Stage.CHANGING)
    journal.write(node.place.note, note)
    wanted.reached("changing")
    return note


def _change(wanted: Upgrade, note: Note) -> Note:
    """Everything that makes the new release the node. The note, with what the data were before."""
    node = wanted.node
    before = node.ask(note.new, "database", "migrate")
    wanted.reached("migrated")
    node.switch_to(note.new)
    wanted.reached("switched")
    *files, services = wanted.some(TOGETHER)
    run.apply(files, node.host, run_quietly)
    wanted.reached("files")
    node.start(note.units)
    take_as_started(node.host, services)
    run.apply([services], node.host, run_quietly)
    wanted.reached("started")
    return replace(note, database=before)


def leave(node: Node, note: Note) -> None:
    """End an upgrade that has changed nothing: what ran runs again."""
    node.start(note.units)
    node.open()
    end(node, note)


def put_back(node: Node, note: Note) -> None:
    """Everything as the note's copy has it. Nothing of ours may run; may be repeated."""
    copy = Path(note.copy)
    keeping.put_database_back(node.settings, copy, note.old)
    keeping.put_files_back(node.host, copy)
    node.switch_to(note.old)
    node.reload()


def end(node: Node, note: Note) -> None:
    """Nothing is under way any more; the copy goes, for nothing was changed that it could bring back."""
    kept = journal.read_note(node.place.kept)
    journal.forget(node.place.note)
    keeping.clear_all_but(Path(note.copy).parent, kept.copy if kept else "")
    ENGINE.unlink(missing_ok=True)


def _undo(wanted: Upgrade, note: Note, error: Exception, before: Mapping[str, str], began: float) -> None:
    """The old release with the old data, proven as the new one was to be. Always raises, with why."""
    node, why = wanted.node, error.message if isinstance(error, ApplianceError) else str(error)
    wanted.say(f"      Gagal: {why}")
    wanted.say(f"      Mengembalikan rilis {note.old} beserta basis datanya")
    with suppress(ApplianceError):
        node.stop(node.running())
    put_back(node, note)
    wanted.reached("put-back")
    node.start(note.units)
    text = f"Pergantian ke {note.new} gagal dan dibatalkan sendiri: {why} Simpul kembali memakai rilis {note.old}; tidak ada data yang hilang."
    _tell(node, note, text, time.monotonic() - began, ok=False)
    with suppress(ApplianceError):
        probe.prove(node, note.new, note.old, before)
    node.open()
    end(node, note)
    raise ApplianceError(text, "Kirimkan catatan ini kepada pembuat program: journalctl -b -p warning")


def _finish(wanted: Upgrade, note: Note, seconds: float) -> None:
    """What needs nobody to wait: the other steps, the record of what is kept, and the release before the last one."""
    node = wanted.node
    wanted.say(f"[6/{STEPS}] Halaman dibuka; menyelesaikan langkah lain")
    keep_record(node, note)
    releases.forget_all_but({note.old, note.new})
    text = f"Simpul memakai rilis {note.new}; halaman tertutup {seconds:.0f} detik."
    # should this be cut off here, whoever reads it knows what is left
    _tell(node, note, f"{text} {STEPS_LEFT}", seconds, ok=True)
    # by its own program: what else belongs to a release is known to it alone
    insist(node.host, [str(RELEASES / note.new / "venv" / "bin" / "slrt-provision"), "apply"])
    _tell(node, note, text, seconds, ok=True)
    wanted.say(text)


def keep_record(node: Node, note: Note) -> None:
    """From now on the release before this one can be gone back to; the copies of earlier ones go."""
    journal.write(node.place.kept, note)
    journal.forget(node.place.note)
    keeping.clear_all_but(Path(note.copy).parent, note.copy)
    ENGINE.unlink(missing_ok=True)


def _tell(node: Node, note: Note, text: str, seconds: float, *, ok: bool) -> None:
    at = datetime.now(UTC).isoformat()
    journal.write(node.place.last, Told(ok, note.old, note.new, at, note.by, text, round(seconds, 1)))
