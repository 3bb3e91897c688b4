"""`slrt work`: do the long work that waits (imports, exports, the search for duplicates). The scheduler calls it by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import backup_errands, custody, database
from appliance.care import reserve
from appliance.commands.backing_up import back_up_first, have_backed_up_first
from appliance.commands.backup_plan import Handed, gate_of, plan_of
from appliance.commands.door import Door, become_owner_of
from appliance.commands.pacing import stoppable
from appliance.errors import ConfigurationError
from appliance.work import Work, do_everything, only_worker


@click.command()
@click.pass_obj
def command(door: Door) -> None:
    """Mengerjakan impor, ekspor dan pekerjaan panjang lain yang menunggu."""
    settings, key = door.settings, door.secret("audit-key")
    back_up = _backing_up(door)
    become_owner_of(Path(settings.paths.data))
    with only_worker(settings) as mine:
        if not mine:
            click.echo("Pekerjaan sedang dikerjakan oleh proses lain.")
            return
        with (
            stoppable(settings, "impor, ekspor, atau pekerjaan panjang lain", job=True) as stop,
            database.create_service(settings, audit_key=key).app_context(),
        ):
            work = Work(
                settings, lambda: datetime.now(UTC), lambda: stop() or reserve.holds_jobs(settings), lambda: back_up(stop)
            )
            ended = do_everything(work, gate_of(settings))
    click.echo(f"{ended} pekerjaan selesai." if ended else "Tidak ada pekerjaan yang menunggu.")


def _backing_up(door: Door) -> Callable[[Callable[[], bool]], None]:
    """How to make a backup first. The passphrase is read while it may be; most work needs none, and must go on without it."""
    settings, when = door.settings, "sebelum impor dibatalkan"
    if custody.is_apart(settings):
        runtime, state = Path(settings.paths.runtime), custody.state_of(settings)

        def have_backed_up(stop: Callable[[], bool]) -> None:
            have_backed_up_first(state, lambda: backup_errands.send(runtime, ("run",), stop), stop, when)

        return have_backed_up
    try:
        plan = plan_of(settings, Handed.read(door))
    except ConfigurationError as error:
        reason = error

        def refuse(_stop: Callable[[], bool]) -> None:
            raise reason

        return refuse

    def back_up(stop: Callable[[], bool]) -> None:
        back_up_first(plan, stop, when)

    return back_up
