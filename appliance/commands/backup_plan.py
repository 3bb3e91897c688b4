"""What every command of `slrt backup` begins with: its secrets, the library's plan for this node, and errors of the right kind.

Imports no tables: a backup must not wait for them.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path

from appliance.commands.door import Door
from appliance.config import Settings
from appliance.custody import working_state
from appliance.errors import ApplianceError, ConfigurationError, NotFound, TryLater
from appliance.gate import Gate
from backups import errors
from backups.exchange import replaced
from backups.passphrase import read_typed
from backups.settings import Plan, Retention

GUARDED = ("person", "family", "case")
PASSPHRASE, SECOND, AUDIT_KEY = "backup-passphrase", "backup-second-passphrase", "audit-key"
KINDS: dict[type[errors.BackupError], type[ApplianceError]] = {
    errors.Busy: TryLater,
    errors.Stopped: TryLater,
    errors.EngineMissing: ConfigurationError,
    errors.RepositoryMissing: ConfigurationError,
    errors.WrongPassphrase: ConfigurationError,
    errors.NoSuchArchive: NotFound,
}


@dataclass(frozen=True)
class Source:
    """Where a backup comes from when not from this node's own repository. `handed` is a descriptor with the secrets."""

    folder: Path | None = None
    passphrase_file: Path | None = None
    handed: int | None = None


OWN = Source()


@dataclass(frozen=True)
class Handed:
    """The secrets a backup command works with: of the repository, and of this node. `former` is the audit key that what the last
    restore replaced was sealed with, where it brought another one."""

    repository: str = field(repr=False)
    node: str = field(repr=False)
    audit_key: str = field(repr=False)
    second: str = field(default="", repr=False)
    former: str = field(default="", repr=False)

    @classmethod
    def read(cls, door: Door, source: Source = OWN) -> Handed:
        """From the descriptor a root process handed over, else from the node's secrets and the file that was named."""
        if source.handed is not None:
            with os.fdopen(source.handed, "rb") as pipe:
                return cls(**json.load(pipe))
        node = door.secret(PASSPHRASE)
        used = _passphrase(source.passphrase_file) if source.passphrase_file else node
        second = Path(door.settings.paths.secrets) / SECOND
        second_passphrase = door.secret(SECOND) if os.access(second, os.R_OK) else ""
        return cls(used, node, door.secret(AUDIT_KEY), second_passphrase, _former_key(door.settings))

    def as_bytes(self) -> bytes:
        """For the descriptor."""
        return json.dumps(dataclasses.asdict(self)).encode()


def _former_key(settings: Settings) -> str:
    """What `adopt_audit_key` set aside at the last restore; empty when it changed nothing, or may not be read."""
    kept = replaced(Path(settings.paths.data))
    try:
        return (Path(settings.paths.secrets) / f"{AUDIT_KEY}.{kept[-1].name}").read_text(encoding="ascii").strip() if kept else ""
    except OSError:
        return ""


def _passphrase(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"Berkas kata sandi {file} tidak dapat dibaca.", "Periksa nama dan hak aksesnya.") from error
    if not text:
        raise ConfigurationError(f"Berkas kata sandi {file} kosong.", "Isi dengan kata sandi dari lembar pemulihan.")
    with translated():
        return read_typed(text)


def plan_of(settings: Settings, handed: Handed, repository: Path | None = None) -> Plan:
    """The library's plan for this node, or for another's repository."""
    kept = settings.backup
    data = Path(settings.paths.data)
    return Plan(
        data=data,
        repository=repository.absolute() if repository else Path(kept.repository),
        state=working_state(settings),
        passphrase=handed.repository,
        second_passphrase=handed.second if repository is None else "",
        database=str(settings.database_file.relative_to(data)),
        database_url=settings.server_url,
        # Not the exports: a list of people that is to be gone in a day must not live on for years in the repository.
        folders=(settings.attachments.name, settings.identity.name),
        secrets={AUDIT_KEY: handed.audit_key},
        retention=Retention(kept.keep_daily, kept.keep_weekly, kept.keep_monthly, kept.keep_yearly),
        zone=settings.zone,
        node=settings.node.hostname,
        guarded=tuple(f"public.{name}" if settings.database.url else name for name in GUARDED),
    )


def gate_of(settings: Settings) -> Gate:
    """The gate between work and a shutdown."""
    return Gate(Path(settings.paths.runtime) / "gate.lock", Path(settings.power.runtime) / "state.json")


def time_of(settings: Settings) -> time:
    """The local time of the nightly backup."""
    return time.fromisoformat(settings.backup.time)


@contextmanager
def translated() -> Iterator[None]:
    """An error of the library becomes one of ours, of the kind that has the right exit code."""
    try:
        yield
    except errors.BackupError as error:
        raise KINDS.get(type(error), ApplianceError)(error.message, error.hint) from error
