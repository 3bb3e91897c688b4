"""`slrt backup init | custody`: where the backups are, and whose they are."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import custody
from appliance.commands.backup_plan import Handed, plan_of, translated
from appliance.commands.door import Door, become_keeper
from appliance.commands.pacing import wait_until_free
from appliance.commands.sources import as_json
from appliance.errors import EXIT_DONE, EXIT_FAILED
from appliance.recovery import record
from backups import repository
from backups.lock import only_run
from backups.process import never


@click.command()
@click.option("--anew", is_flag=True, help="Disk cadangan diganti: buat repositori baru walaupun dahulu sudah ada.")
@as_json
@click.pass_obj
def init(door: Door, anew: bool, as_json: bool) -> None:
    """Menyiapkan repositori cadangan; aman diulang."""
    plan = plan_of(door.settings, Handed.read(door))
    if anew:
        custody.make_places(door.settings)
    become_keeper(door.settings)
    with translated():
        made = repository.init(plan, anew=anew)
    record.note_passphrase(door.settings, plan.passphrase, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps({"made": made, "repository": str(plan.repository)}))
    else:
        click.echo(f"Repositori cadangan dibuat di {plan.repository}." if made else "Tidak ada yang berubah.")


@click.command(name="custody", hidden=True)
@click.option("--check", "only_look", is_flag=True, help="Hanya memeriksa: kode 1 bila ada yang belum sesuai.")
@click.pass_obj
def take_custody(door: Door, only_look: bool) -> None:
    """Menyerahkan gudang cadangan dan hak baca data kepada pengguna slrt-backup (dipanggil oleh pemasangan); aman diulang."""
    settings = door.settings
    found = custody.holdings(settings)
    if only_look:
        sys.exit(EXIT_FAILED if custody.settle(found, only_look=True) else EXIT_DONE)
    repository_folder = Path(settings.backup.repository)
    with translated():
        wait_until_free([repository_folder, custody.state_of(settings)], never)
        with only_run(repository_folder) if repository_folder.is_dir() else nullcontext():
            changed = custody.settle(found)
    click.echo(f"{changed} berkas dan folder cadangan diserahkan." if changed else "Tidak ada yang berubah.")
