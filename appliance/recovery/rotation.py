"""Another passphrase for the backups, in all repositories that can be reached, and again until all have it.

Root writes the new one down first (`NEXT`) and puts it in the place of the old one last. Between the two each repository opens with
one of them, so that a rotation cut off anywhere is finished by asking for it again. The former ones are kept: a stick that was
away opens with one of them until it comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.config import Settings
from appliance.sticks import book, copying
from appliance.sticks.book import State, Stick
from backups import errors, repository
from backups.files import sync_folder, write_whole
from backups.passphrase import generate
from backups.settings import Plan

CURRENT, NEXT, FORMER = "backup-passphrase", "backup-passphrase.next", "backup-passphrase.former"
Say = Callable[[str], None]


def begin(secrets: Path) -> tuple[str, str]:
    """The old and the new passphrase; the new one is on the disk, as one that was begun before or made now."""
    waiting = secrets / NEXT
    if not waiting.exists():
        write_whole(waiting, f"{generate()}\n".encode())
    return _read(secrets / CURRENT), _read(waiting)


def rekey(settings: Settings, plan: Plan, old: str, say: Say) -> list[Stick]:
    """As the user that makes the backups: let the node's repository and the sticks that are plugged in open with the plan's
    passphrase in place of `old`. Returns the sticks that are away. Raises what a repository raises; all of it may be repeated."""
    say("Mengganti kata sandi gudang cadangan simpul")
    repository.change_passphrase(plan, old)
    return rekey_sticks(settings, plan, [old], say)


def rekey_sticks(settings: Settings, plan: Plan, former: list[str], say: Say) -> list[Stick]:
    """The same for the sticks that are plugged in, which open with one of `former`. Returns those that are away."""
    folder = book.folder_of(settings)
    sight, missing = book.read_sight(folder), []
    for stick in book.read_known(folder):
        if sight.of(stick).state is not State.READY:
            missing.append(stick)
            continue
        say(f"Mengganti kata sandi {stick.name}")
        try:
            _change_one(copying.plan_for(settings, plan, stick), stick, former)
        except errors.RepositoryMissing:  # pulled since it was seen, or not mounted again yet after a start
            missing.append(stick)
    return missing


def plans_of_sticks(settings: Settings, plan: Plan) -> list[Plan]:
    """A plan for each stick that is plugged in."""
    folder = book.folder_of(settings)
    sight = book.read_sight(folder)
    ready = [stick for stick in book.read_known(folder) if sight.of(stick).state is State.READY]
    return [copying.plan_for(settings, plan, stick) for stick in ready]


def _change_one(plan: Plan, stick: Stick, former: list[str]) -> None:
    for old in former:
        try:
            repository.change_passphrase(plan, old)
        except errors.WrongPassphrase:
            continue
        return
    raise errors.WrongPassphrase(
        f"{stick.name} tidak terbuka dengan kata sandi mana pun yang dikenal simpul ini.",
        "Simpan lembar pemulihan yang lama bersama stik itu, atau siapkan stiknya dari awal: sudo slrt backup disk prepare",
    )


def finish(secrets: Path) -> None:
    """The new passphrase takes the place of the old one, which joins the former ones first."""
    old = _read(secrets / CURRENT)
    if old not in former_ones(secrets):
        write_whole(secrets / FORMER, "".join(f"{one}\n" for one in [old, *former_ones(secrets)]).encode())
    (secrets / NEXT).rename(secrets / CURRENT)
    sync_folder(secrets)


def former_ones(secrets: Path) -> list[str]:
    """Passphrases that were in use before, the latest first."""
    file = secrets / FORMER
    return file.read_text(encoding="ascii").split("\n")[:-1] if file.exists() else []


def _read(file: Path) -> str:
    return file.read_text(encoding="ascii").strip()
