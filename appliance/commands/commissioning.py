"""`slrt commissioning`: the record of the acceptance at a terminal. Confirming is done on the page, by somebody who signed in."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import database
from appliance.commands.door import Door, become_owner_of
from appliance.commissioning import record
from appliance.commissioning.rules import is_complete
from appliance.errors import EXIT_DONE, EXIT_FAILED

OPEN = "belum"


@click.group()
def command() -> None:
    """Serah terima: apa yang sudah dicoba sebelum simpul dipakai."""


@command.command()
@click.pass_obj
def show(door: Door) -> None:
    """Menampilkan setiap pemeriksaan dengan hasil dan buktinya. Kode keluar 0 bila semua selesai, selain itu 1."""
    settings = door.settings
    become_owner_of(Path(settings.paths.data))
    with database.create_service(settings).app_context():
        lines = record.look(settings, datetime.now(UTC))
    for line in lines:
        word = line.last.result.label if line.last else OPEN
        click.echo(f"{word:<22}{line.check.title}")
        if line.last:
            click.echo(
                f"{'':<22}  {line.last.by}, {line.last.at.astimezone(settings.zone):%d-%m-%Y %H.%M}. {line.last.note}".rstrip()
            )
        if line.evidence.text:
            click.echo(f"{'':<22}  {line.evidence.text}")
    done = is_complete(lines)
    click.echo("Semua sudah diperiksa." if done else "Belum selesai; catat hasilnya di halaman Mesin → Serah terima.")
    sys.exit(EXIT_DONE if done else EXIT_FAILED)
