"""What every command gets from its front door: the settings, and the right to act as the service user."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from appliance import config
from appliance.config import Settings
from appliance.custody import keepers_folder
from appliance.errors import ConfigurationError


@dataclass
class Door:
    """`config_file` is read at the first use of `settings`, so that `slrt --help` needs no configuration."""

    config_file: Path

    @cached_property
    def settings(self) -> Settings:
        """The checked settings. Raises ConfigurationError."""
        return config.load(self.config_file)

    def secret(self, name: str) -> str:
        """A secret of this node. Read it before `become_owner_of`: the service user may not."""
        return config.read_secret(self.settings, name)


def become_keeper(settings: Settings) -> None:
    """As root, become the user that makes the backups; as that user, do nothing. Raises ConfigurationError for any other."""
    become_owner_of(keepers_folder(settings))


def become_owner_of(folder: Path) -> None:
    """As root, become the user that owns `folder` for the rest of this process; as that user, do nothing.

    What root leaves in the database's folder or the repository (a WAL file, a lock, a segment) would lock the services out.
    Raises ConfigurationError for any third user: half of what it does would fail later and elsewhere.
    """
    try:
        owner = folder.stat().st_uid
    except OSError as error:
        raise ConfigurationError(
            f"Folder {folder} tidak dapat dibaca ({error.strerror}).", "Jalankan sebagai root: sudo slrt …"
        ) from error
    if os.geteuid() == owner:
        return
    if os.geteuid() != 0:
        raise ConfigurationError(f"Folder {folder} milik pengguna lain.", "Jalankan sebagai root: sudo slrt …")
    account = pwd.getpwuid(owner)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(owner)
    # the user of the backups reads by the group; what is private says so itself
    os.umask(0o027)
    os.environ.update(HOME=account.pw_dir, USER=account.pw_name, LOGNAME=account.pw_name)
