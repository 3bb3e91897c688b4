"""`slrt notices`: try whether notices reach the addresses they are to go to."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from appliance.commands.door import Door
from appliance.errors import EXIT_FAILED
from appliance.notices.messages import Message
from appliance.notices.run import addresses


@click.group()
def command() -> None:
    """Pemberitahuan listrik lewat surel, Telegram, dan lain-lain."""


@command.command()
@click.pass_obj
def test(door: Door) -> None:
    """Mengirim satu pemberitahuan percobaan ke setiap alamat dalam berkas rahasia notices-urls."""
    known = addresses(door.settings)
    from appliance.notices.sending import is_address, send

    message = Message(
        datetime.now(UTC), "Percobaan", "Pemberitahuan listrik dari simpul SLRT sampai di sini. Tidak ada yang perlu dilakukan."
    )
    failed = 0
    for number, address in enumerate(known, 1):
        # The whole address holds a password; its beginning tells which one it is.
        kind = address.partition("://")[0] if "://" in address else "baris ini"
        if not is_address(address):
            outcome = "alamat tidak dikenal; periksa penulisannya"
        elif send(address, message, door.settings.node.office):
            click.echo(f"{number}. {kind}: terkirim")
            continue
        else:
            outcome = "TIDAK terkirim; periksa jaringan, kata sandi, dan penerimanya"
        failed += 1
        click.echo(f"{number}. {kind}: {outcome}")
    if failed:
        sys.exit(EXIT_FAILED)
    click.echo("Nyalakan pengirimannya sekali saja: sudo systemctl enable --now slrt-notices.timer")
