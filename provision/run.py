"""Plan and apply: ask every change whether it holds, print what does not, perform it, and ask again.

The second answer must be empty: a change that still does not hold after it was performed is an error, not a success.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from appliance.errors import ApplianceError
from provision.change import Change, parts, writes
from provision.edits import ASIDE, Written, diff
from provision.host import Host
from provision.journal import Journal, how_it_ended
from provision.step import Step
from provision.transcript import hidden

NOTHING_CHANGED = "Tidak ada yang berubah."
EXIT_STOPPED = 137  # as if killed: see `stop_after`

Say = Callable[[str], None]


class Stopped(ApplianceError):
    """The run was told to end after a step, as a power cut would end it. Only tests ask for that."""

    exit_code = EXIT_STOPPED


def missing(step: Step, host: Host, written: set[str] | None = None) -> list[Change]:
    """The changes of the step that do not hold on the machine.

    `written` collects the files that the changes found so far will write: what takes in one of those will be due as well,
    though it holds as long as nobody has begun.
    """
    written = set() if written is None else written
    due: list[Change] = []
    for change in step.changes:
        found = parts(change, host, written)
        due += found
        for part in found:
            written |= writes(part)
    return due


def plan(steps: Sequence[Step], host: Host, say: Say) -> int:
    """Print what an apply would do, files that change line by line. Gives the number of changes."""
    count = 0
    written: set[str] = set()
    edits = Written(host)
    for number, step in enumerate(steps, 1):
        changes = missing(step, host, written)
        count += len(changes)
        say(f"[{number}/{len(steps)}] {step.title}" + ("" if changes else ": sudah sesuai"))
        for change in changes:
            say(f"      akan: {change.describe()}")
            if edits.is_edited(change):
                say(f"        disunting sesudah kami menulisnya; isinya akan disimpan di {ASIDE}")
            for line in diff(change, host).splitlines():
                say(f"        {line}")
    say(f"{count} perubahan akan dilakukan." if count else NOTHING_CHANGED)
    return count


def check(steps: Sequence[Step], host: Host, say: Say) -> int:
    """Print only what is not as it should be. Gives the number of changes that are due."""
    count = 0
    written: set[str] = set()
    for step in steps:
        for change in missing(step, host, written):
            count += 1
            say(f"menyimpang: {step.title}: {change.describe()}")
    say(f"{count} hal menyimpang; untuk memperbaikinya: slrt-provision apply" if count else "Semua seperti seharusnya.")
    return count


def apply(steps: Sequence[Step], host: Host, say: Say, stop_after: str = "") -> int:
    """Perform what is missing, step by step. Gives the number of changes performed.

    `stop_after` names a step after which the run ends with Stopped: the tests cut the power there. Raises ApplianceError with
    the step it happened in; everything done before stays and is not done again.
    """
    began = monotonic()
    _say_if(how_it_ended(host), say)
    this_run = _Run(host, say, Journal(host), Written(host))
    this_run.journal.begin_run()
    count = 0
    for number, step in enumerate(steps, 1):
        head = f"[{number}/{len(steps)}] {step.title}"
        performed = this_run.perform(step, head)
        count += performed
        if not performed:
            say(f"{head}: sudah sesuai")
        if step.name == stop_after:
            raise Stopped(f"Dihentikan setelah langkah {step.name} seperti diminta.", "Ulangi tanpa --stop-after.")
    say(f"{count} perubahan dilakukan dalam {monotonic() - began:.0f} detik." if count else NOTHING_CHANGED)
    return count


def _say_if(sentence: str, say: Say) -> None:
    """Say it if there is something to say."""
    if sentence:
        say(sentence)


@dataclass(frozen=True)
class _Run:
    """An apply on its way through the steps."""

    host: Host
    say: Say
    journal: Journal
    edits: Written

    def perform(self, step: Step, head: str) -> int:
        """Perform what does not hold, and ask again. Gives the number of changes."""
        began = monotonic()
        with contextlib.ExitStack() as begun:
            performed = self._each(step, head, begun)
            if performed:
                _ask_again(step, self.host, performed)
            self.edits.note(step.changes)
        count = len(performed)
        if performed:
            self.say(f"    selesai dalam {monotonic() - began:.0f} detik")
        return count

    def _each(self, step: Step, head: str, begun: contextlib.ExitStack) -> list[Change]:
        """Each change that does not hold when its turn comes: an earlier one may have brought it along, or made it due. Gives them."""
        performed: list[Change] = []
        for change in step.changes:
            due = parts(change, self.host, set())
            if not due:
                continue
            if not performed:
                self.say(head)
                begun.enter_context(self.journal.step(step.name))
                begun.enter_context(hidden(self.host, self.say))
            for part in due:
                self.say(f"      {part.describe()}")
            kept = self.edits.keep_aside(change)
            _say_if(kept and f"        disunting sesudah kami menulisnya; isinya disimpan di {kept}", self.say)
            change.perform(self.host)
            performed += due
        return performed


def _ask_again(step: Step, host: Host, performed: Sequence[Change]) -> None:
    unproven = [change for change in step.changes if not (getattr(change, "proves", False) and change in performed)]
    left = missing(replace(step, changes=tuple(unproven)), host)
    if left:
        listed = "; ".join(change.describe() for change in left)
        raise ApplianceError(
            f"Langkah {step.title}: sudah dilakukan tetapi belum berlaku: {listed}.",
            "Lihat catatan: journalctl -b -p warning, lalu ulangi ./install.sh.",
        )
