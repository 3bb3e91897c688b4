"""Plan and apply: ask every change whether it holds, print what does not, perform it, and ask again.

The second answer must be empty: a change that still does not hold after it was performed is an error, not a success.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance.errors import ApplianceError
from provision.change import Change, follows, writes
from provision.host import Host
from provision.step import Step

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
    due = []
    for change in step.changes:
        if follows(change) & written or not change.is_done(host):
            due.append(change)
            written |= writes(change)
    return due


def plan(steps: Sequence[Step], host: Host, say: Say) -> int:
    """Print what an apply would do. Gives the number of changes."""
    count = 0
    written: set[str] = set()
    for number, step in enumerate(steps, 1):
        changes = missing(step, host, written)
        count += len(changes)
        say(f"[{number}/{len(steps)}] {step.title}" + ("" if changes else ": sudah sesuai"))
        for change in changes:
            say(f"      akan: {change.describe()}")
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
    count = 0
    for number, step in enumerate(steps, 1):
        head = f"[{number}/{len(steps)}] {step.title}"
        performed = _perform(step, host, say, head)
        count += performed
        if performed:
            _ask_again(step, host)
        else:
            say(f"{head}: sudah sesuai")
        if step.name == stop_after:
            raise Stopped(f"Dihentikan setelah langkah {step.name} seperti diminta.", "Ulangi tanpa --stop-after.")
    say(f"{count} perubahan dilakukan." if count else NOTHING_CHANGED)
    return count


def _perform(step: Step, host: Host, say: Say, head: str) -> int:
    """Each change of the step that does not hold when its turn comes: an earlier one may have brought it along, or made it due."""
    count = 0
    for change in step.changes:
        if change.is_done(host):
            continue
        if not count:
            say(head)
        say(f"      {change.describe()}")
        change.perform(host)
        count += 1
    return count


def _ask_again(step: Step, host: Host) -> None:
    left = missing(step, host)
    if left:
        listed = "; ".join(change.describe() for change in left)
        raise ApplianceError(
            f"Langkah {step.title}: sudah dilakukan tetapi belum berlaku: {listed}.",
            "Lihat catatan: journalctl -b -p warning, lalu ulangi ./install.sh.",
        )
