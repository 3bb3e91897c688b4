"""`slrt work`: do the long work that waits (imports, exports, the search for duplicates). The scheduler calls it by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import database
from appliance.commands.door import Door, become_owner_of
from appliance.commands.pacing import stoppable
from appliance.commands.restoring import gate_of
from appliance.work import Work, do_everything, only_worker


@click.command()
@click.pass_obj
def command(door: Door) -> None:
    """Mengerjakan impor, ekspor dan pekerjaan panjang lain yang menunggu."""
    settings, key = door.settings, door.secret("audit-key")
    become_owner_of(Path(settings.paths.data))
    with only_worker(settings) as mine:
        if not mine:
            click.echo("Pekerjaan sedang dikerjakan oleh proses lain.")
            return
        with (
            stoppable(settings, "impor, ekspor, atau pekerjaan panjang lain", job=True) as stop,
            database.create_service(settings, audit_key=key).app_context(),
        ):
            ended = do_everything(Work(settings, lambda: datetime.now(UTC), stop), gate_of(settings))
    click.echo(f"{ended} pekerjaan selesai." if ended else "Tidak ada pekerjaan yang menunggu.")
