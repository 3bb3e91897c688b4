"""What can go wrong with a backup, each kind with a sentence for the officer and the next thing to do.

A caller maps a kind to an exit code or a page by its class; nothing here knows of either.
"""

from __future__ import annotations


class BackupError(Exception):
    """`message` says what happened, `hint` the next step; both plain Indonesian."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class EngineMissing(BackupError):
    """borg, pg_dump or another program is missing or too old."""


class EngineKilled(BackupError):
    """borg was ended by force from outside: by the kernel that ran out of memory, or by somebody."""


class SourceMissing(BackupError):
    """What should be backed up is not there, or is not what it should be."""


class RepositoryMissing(BackupError):
    """There is no repository in the folder: not made yet, or the disk is not plugged in."""


class WrongPassphrase(BackupError):
    """The repository does not open with this passphrase."""


class RepositoryDamaged(BackupError):
    """The repository cannot be read as it was written."""


class RepositoryOlder(RepositoryDamaged):
    """The repository is an older state of itself than this machine has seen: another copy of it, or one brought back."""


class NoSpace(BackupError):
    """Too little room on a disk."""


class ReadOnly(BackupError):
    """The disk of the repository takes nothing any more."""


class Busy(BackupError):
    """Another run has the repository."""


class Stopped(BackupError):
    """The run was asked to stop: the power is going, or the service is being stopped."""


class Overdue(BackupError):
    """The run took far longer than it ever did: a program or a disk does not answer."""


class Mismatch(BackupError):
    """What came back from the repository is not what was put in."""


class NoSuchArchive(BackupError):
    """There is no complete backup of that name."""
