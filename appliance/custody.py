"""Who owns what of the backups, on a node where they have a user of their own.

That user owns the repositories and what is known of them; the service owns the data. A group that nobody else is in lets the one
read the other's files, and write where SQLite cannot be frozen without: in the database's own folder. Everywhere else (a
demonstration, a checkout) one user owns all, and nothing here has anything to do.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.config import Settings
from appliance.errors import ConfigurationError
from backups.errors import BackupError
from backups.lock import only_run

KEEPER, READERS = "slrt-backup", "slrt-data"
STATE = "backup"
RESTORES, SCRATCH = "restore", "scratch"
STICK_REPOSITORIES = "*/slrt"
# What the engine and a run keep for themselves below the folder of the state.
PRIVATE = frozenset({"borg", "scratch"})
UNLOOKED = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True)
class Holding:
    """A folder and all below it: whose it is (None: of whichever of the two made it), and the rights that folders and files have at
    least (None: whatever they have)."""

    place: Path
    owner: int | None
    group: int
    folders: int | None = None
    files: int | None = None


def state_of(settings: Settings) -> Path:
    """The folder about the backups: the book, the outcomes, the engine's notes."""
    return Path(settings.paths.data) / STATE


def working_state(settings: Settings) -> Path:
    """That folder, or for a restore, which the owner of the data does, one of the same kind that he may write."""
    state = state_of(settings)
    if os.access(state, os.W_OK) or not is_apart(settings):
        return state
    with suppress(OSError):  # whoever may not make it may not restore either
        restores_of(settings).mkdir(mode=0o750, exist_ok=True)
    return restores_of(settings)


def restores_of(settings: Settings) -> Path:
    """The folder about restores, which the owner of the data does."""
    return Path(settings.paths.data) / RESTORES


def keepers_folder(settings: Settings) -> Path:
    """A folder whose owner is the user that makes the backups."""
    state = state_of(settings)
    return state if state.is_dir() else Path(settings.paths.data)


def is_apart(settings: Settings) -> bool:
    """Whether the backups belong to another user than the data."""
    try:
        return state_of(settings).stat().st_uid != Path(settings.paths.data).stat().st_uid
    except OSError:
        return False


def holdings(settings: Settings) -> list[Holding]:
    """Everything with the owner it should have. Raises ConfigurationError while the users are missing."""
    try:
        keeper, readers = pwd.getpwnam(KEEPER), grp.getgrnam(READERS).gr_gid
    except KeyError as error:
        raise ConfigurationError("Pengguna untuk cadangan belum ada.", "Jalankan: sudo slrt-provision apply") from error
    own = Path(settings.paths.data).stat().st_uid
    sticks = sorted(Path(settings.backup.stick_mounts).glob(STICK_REPOSITORIES))
    repositories = [Path(settings.backup.repository), *sticks]
    return [
        *(Holding(place, keeper.pw_uid, keeper.pw_gid) for place in repositories),
        Holding(state_of(settings), keeper.pw_uid, readers, 0o2750, 0o640),
        # the log of the database is whose who opened it first
        Holding(settings.database_file.parent, None, readers, 0o2770, 0o660),
        *(
            Holding(place, own, readers, 0o2750, 0o640)
            for place in (settings.attachments, settings.identity, settings.carried_log, settings.carried_log_key)
        ),
    ]


def settle(found: list[Holding], *, only_look: bool = False) -> int:
    """As root, give everything to whom it belongs; how much was not so. Cut off anywhere, it is simply repeated.

    Follows no link, and touches nothing but what one of the two users owns: both could have put something else there.
    """
    ours = {holding.owner for holding in found if holding.owner is not None}
    return sum(_settle_one(holding, ours, only_look) for holding in found if holding.place.is_dir())


def clear_restores(settings: Settings) -> None:
    """Erase what a killed look into a backup left of somebody's data, unless one is under way."""
    scratch = restores_of(settings) / SCRATCH
    if scratch.is_dir():
        with suppress(BackupError), only_run(restores_of(settings)):
            shutil.rmtree(scratch, ignore_errors=True)


def settle_restored(settings: Settings, folder: Path) -> None:
    """As the owner of the data, give what a restore brought the rights of what it will replace, so that a power cut right after the
    exchange leaves data that the user of the backups can read."""
    if not is_apart(settings):
        return
    own, readers = os.geteuid(), state_of(settings).stat().st_gid
    database = Holding(folder / settings.database_file.parent.name, own, readers, 0o2770, 0o660)
    others = (settings.attachments.name, settings.identity.name)
    settle([database, *(Holding(folder / name, own, readers, 0o2750, 0o640) for name in others)])


def give_repository(place: Path, settings: Settings, *, whoever_had_it: bool = False) -> None:
    """As root, let the user that makes the backups own a repository that another user of ours made, or another machine's."""
    owner, data = keepers_folder(settings).stat(), Path(settings.paths.data).stat()
    ours = None if whoever_had_it else {owner.st_uid, data.st_uid}
    _settle_one(Holding(place, owner.st_uid, owner.st_gid), ours, only_look=False)


def make_places(settings: Settings) -> None:
    """As root, the folders on a backup disk that is new, with the owners that provisioning gives them; what is there stays as it is."""
    if os.geteuid() != 0 or not is_apart(settings):
        return
    keeper, own = keepers_folder(settings).stat().st_uid, Path(settings.paths.data).stat().st_uid
    readers = state_of(settings).stat().st_gid
    for place, owner, group, rights in (
        (Path(settings.backup.repository), keeper, _group_of(keeper), 0o700),
        (settings.carried_log, own, readers, 0o2750),
    ):
        if not place.exists():
            place.mkdir(mode=0o700)
            os.chown(place, owner, group)
            place.chmod(rights)


def _group_of(owner: int) -> int:
    try:
        return pwd.getpwuid(owner).pw_gid
    except KeyError:
        return owner


def _settle_one(holding: Holding, ours: set[int] | None, only_look: bool) -> int:
    changed = 0
    for handle, rights in _below(holding):
        try:
            changed += _put_right(handle, holding, rights, ours, only_look)
        finally:
            os.close(handle)
    return changed


def _below(holding: Holding) -> Iterator[tuple[int, int | None]]:
    """An open descriptor of the folder, of each folder and of each file below it, with the rights it should have."""
    for place, _, names, handle in os.fwalk(holding.place, follow_symlinks=False):
        private = bool(PRIVATE & set(Path(place).relative_to(holding.place).parts))
        yield os.dup(handle), (None if private else holding.folders)
        for name in names:
            with suppress(FileNotFoundError):  # the node goes on working
                if stat.S_ISREG(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode):
                    yield os.open(name, UNLOOKED, dir_fd=handle), (None if private else holding.files)


def _put_right(handle: int, holding: Holding, rights: int | None, ours: set[int] | None, only_look: bool) -> bool:
    """Owner, group and rights of one thing. Whether anything had to be changed."""
    found = os.fstat(handle)
    if ours is not None and found.st_uid not in ours:
        return False
    owner = found.st_uid if holding.owner is None else holding.owner
    foreign = (found.st_uid, found.st_gid) != (owner, holding.group)
    wanted = stat.S_IMODE(found.st_mode) | (rights or 0)
    wrong = wanted != stat.S_IMODE(found.st_mode)
    if foreign and not only_look:
        os.fchown(handle, owner, holding.group)
    if (foreign or wrong) and not only_look:
        os.fchmod(handle, wanted)  # also after a change of hands, which takes the handing on of a group away
    return foreign or wrong
