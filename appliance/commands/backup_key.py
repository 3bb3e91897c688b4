"""`slrt backup key`: the passphrase of the backups, its sheet on paper, and changing it.

The passphrase goes from root to the service user through a pipe, never through an argument or the environment, and is printed
nowhere but on the sheet.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from appliance.commands.backup_plan import PASSPHRASE
from appliance.commands.door import Door
from appliance.commands.elsewhere import Elsewhere
from appliance.errors import ConfigurationError
from backups.files import write_whole
from backups.passphrase import generate

ELSEWHERE = {
    "check": ("backup_papers", "check"),
    "rekey": ("backup_rekey", "rekey"),
    "relock": ("backup_rekey", "relock_identity"),
    "rotate": ("backup_rekey", "rotate"),
    "second": ("backup_rekey", "second"),
    "seconds": ("backup_rekey", "seconds"),
    "sheet": ("backup_papers", "print_sheet"),
    "status": ("backup_papers", "status"),
}


@click.group(cls=Elsewhere, elsewhere=ELSEWHERE)
def command() -> None:
    """Kata sandi cadangan: membuat, mencetak lembar pemulihan, mengganti."""


@command.command()
@click.pass_obj
def create(door: Door) -> None:
    """Membuat kata sandi cadangan bila belum ada."""
    require_root(door)
    click.echo("Kata sandi cadangan dibuat." if create_secret(door, PASSPHRASE) else "Kata sandi cadangan sudah ada.")


def create_secret(door: Door, name: str) -> bool:
    """Write a new passphrase as the secret `name` unless there is one."""
    file = Path(door.settings.paths.secrets) / name
    if file.exists():
        return False
    write_whole(file, f"{generate()}\n".encode())
    return True


def require_root(door: Door) -> None:
    """Raises ConfigurationError for anybody else: he could not keep the secrets."""
    if not os.access(door.settings.paths.secrets, os.W_OK):
        raise ConfigurationError("Kata sandi cadangan hanya dapat ditangani root.", "Ulangi dengan sudo: sudo slrt backup key …")
