"""`slrt backup`: make, list, prove and bring back backups.

Its commands read the passphrase while they may, become the service user, and hand a plan to the library `backups`.
"""

from __future__ import annotations

from pathlib import Path

import click

from appliance import backup_errands
from appliance.commands.door import Door
from appliance.commands.elsewhere import Elsewhere
from appliance.errors import EXIT_DONE, EXIT_FAILED, ApplianceError

# Some know the tables or draw sheets, and a backup shall not wait until all that is loaded.
ELSEWHERE = {
    "attachments": ("backup_look", "look_at_attachments"),
    "custody": ("backup_places", "take_custody"),
    "disk": ("backup_disk", "command"),
    "finish": ("backup_restore", "finish"),
    "history": ("backup_history", "history"),
    "init": ("backup_places", "init"),
    "key": ("backup_key", "command"),
    "list": ("backup_run", "list_backups"),
    "ordered": ("backup_ordered", "ordered"),
    "prove": ("backup_run", "prove"),
    "restore": ("backup_restore", "restore"),
    "revert": ("backup_restore", "revert"),
    "run": ("backup_run", "run"),
    "settle": ("backup_restore", "settle"),
    "show-case": ("backup_look", "show_case"),
    "verify": ("backup_run", "verify"),
}


@click.group(cls=Elsewhere, elsewhere=ELSEWHERE)
def command() -> None:
    """Mencadangkan, memeriksa dan memulihkan data."""


@command.command(hidden=True)
@click.pass_obj
def errand(door: Door) -> None:
    """Mengerjakan yang diminta penjadwal (dipanggil oleh slrt-backup.service)."""
    runtime = Path(door.settings.paths.runtime)
    with backup_errands.doing(runtime) as asked:
        if asked is None:
            return
        code = EXIT_FAILED
        try:
            command.main(list(asked.words), "slrt backup", standalone_mode=False, obj=door)
            code = EXIT_DONE
        except ApplianceError as error:
            code = error.exit_code
            raise
        finally:
            backup_errands.answer(runtime, asked, code)
