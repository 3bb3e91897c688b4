"""Writing a backup to a stick, as the service user: the nightly run once more, into the stick's own repository.

Nothing is copied from one repository to the other: each is made from the data, has its own id and is proved by itself, so that a
fault in one is not carried into all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from appliance.config import Settings
from appliance.sticks import book, devices
from appliance.sticks.book import MARK, REPOSITORY, Stick
from backups import errors, outcome, repository
from backups.lock import only_run
from backups.outcome import Outcome
from backups.process import Stop
from backups.schedule import Moment
from backups.settings import Plan
from backups.take import Say, take

AGAIN = "Pasang lagi; sistem mengulangnya sendiri. Cadangan lengkap yang sudah ada di stik tetap aman."
ERASE = "Bila isinya tidak diperlukan lagi: sudo slrt backup disk prepare"


class StickUnfit(errors.BackupError):
    """What is plugged in cannot be written: not mounted, not ours, gone, read-only, or not as it was left."""


def plan_for(settings: Settings, plan: Plan, stick: Stick) -> Plan:
    """The node's plan with the stick's repository in place of its own."""
    place = book.mount_of(settings, stick)
    return replace(plan, repository=place / REPOSITORY, state=book.state_of(settings, stick))


def make_repository(settings: Settings, plan: Plan, stick: Stick) -> None:
    """Make the repository on a freshly prepared stick."""
    _require_mounted(settings, stick)
    repository.init(plan_for(settings, plan, stick))


def copy(settings: Settings, plan: Plan, stick: Stick, now: Moment, stop: Stop, say: Say) -> Outcome:
    """Write one backup to the stick and prove it; `plan` is the node's own. Its outcome is written in the stick's folder.

    No other run begins meanwhile, for each needs the whole machine. Raises StickUnfit and what a backup raises.
    """
    target = plan_for(settings, plan, stick)
    try:
        _require_fit(settings, stick)
        with _alone(plan.repository):
            return take(target, now, stop, say)
    except errors.BackupError as error:
        told = _told(settings, stick, target, error)
        if isinstance(told, errors.Busy):
            raise
        # over the library's own words: they name folders where people know a letter
        outcome.write_attempt(target.state, now)
        outcome.write(target.state, Outcome(now, False, None, told.message, told.hint))
        raise told from error


@contextmanager
def _alone(own: Path) -> Iterator[None]:
    """The node's own repository locked meanwhile, if it is there: a dead backup disk must not stop the sticks."""
    with only_run(own) if own.is_dir() else nullcontext():
        yield


def _require_mounted(settings: Settings, stick: Stick) -> None:
    """Raises StickUnfit for a mere folder, and for a mount that could run programs."""
    place = book.mount_of(settings, stick)
    found = devices.mount_at(place)
    if found is None or not found.is_safe or _device_of(place) == _device_of(place.parent):
        raise StickUnfit(f"{stick.name} tidak terpasang.", f"Pasang {stick.name} pada lubang USB simpul.")


def _require_fit(settings: Settings, stick: Stick) -> None:
    """Raises StickUnfit unless it is mounted, can be written and is the one that was prepared."""
    _require_mounted(settings, stick)
    place = book.mount_of(settings, stick)
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        raise StickUnfit(f"{stick.name} hanya dapat dibaca.", "Buka kunci geser pada stik; bila tidak ada, ganti stiknya.")
    mark = {"uuid": stick.uuid, "repository": stick.repository}
    try:
        is_ours = json.loads((place / MARK).read_bytes()) == mark
        is_ours = is_ours and repository.identity(place / REPOSITORY) == stick.repository
    except (OSError, ValueError):
        is_ours = False
    if not is_ours:
        raise StickUnfit(f"Isi {stick.name} bukan seperti saat disiapkan.", f"Jangan ditulisi dahulu; periksa isinya. {ERASE}")


def _device_of(folder: Path) -> int:
    try:
        return folder.stat().st_dev
    except OSError:
        return 0


def _told(settings: Settings, stick: Stick, target: Plan, error: errors.BackupError) -> errors.BackupError:
    """The same error in words about the stick. What the stick does now tells more than what the engine stumbled over."""
    if isinstance(error, StickUnfit):
        return error
    if _fails(settings, stick, target.repository):
        return StickUnfit(f"{stick.name} tercabut atau tidak menjawab saat ditulisi.", AGAIN)
    for kind, text, hint in _TOLD:
        if isinstance(error, kind):
            return kind(text.format(stick.name), hint)
    return error


# the first that fits; {0} is the stick
_TOLD: tuple[tuple[type[errors.BackupError], str, str], ...] = (
    (
        errors.NoSpace,
        "{0} penuh; cadangan yang baru tidak muat lagi.",
        "Pakai stik yang lebih besar: sudo slrt backup disk prepare",
    ),
    (
        errors.RepositoryOlder,
        "Isi {0} lebih lama daripada yang pernah ditulis simpul ini: salinan lama, atau stik lain.",
        f"Cadangan di dalamnya masih dapat dipulihkan; simpan dahulu. {ERASE}",
    ),
    (
        errors.WrongPassphrase,
        "{0} masih memakai kata sandi lain.",
        "Selesaikan penggantian kata sandi: sudo slrt backup key rotate --sticks-only",
    ),
    (
        errors.RepositoryDamaged,
        "Cadangan di {0} rusak atau tidak terbaca seluruhnya.",
        "Siapkan stik pengganti; simpan yang ini sampai selesai.",
    ),
)


def _fails(settings: Settings, stick: Stick, folder: Path) -> bool:
    """Whether the stick is gone or takes no more writes, asked of itself."""
    probe = folder / ".uji"
    try:
        _require_mounted(settings, stick)
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        probe.unlink()
    except errors.BackupError:
        return True
    except OSError as error:
        return error.errno != 28
    return False
