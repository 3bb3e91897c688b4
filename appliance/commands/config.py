"""`slrt config`: is the configuration file right, and what does it say?"""

from __future__ import annotations

import click

from appliance.commands.door import Door
from appliance.config import render


@click.group()
def command() -> None:
    """Memeriksa dan menampilkan pengaturan."""


@command.command()
@click.pass_obj
def check(door: Door) -> None:
    """Memeriksa berkas pengaturan tanpa mengubah apa pun."""
    district = door.settings.node.district
    click.echo(f"{door.config_file}: pengaturan benar (kabupaten/kota {district}).")


@command.command()
@click.pass_obj
def show(door: Door) -> None:
    """Menampilkan semua pengaturan yang berlaku, lengkap dengan penjelasannya."""
    click.echo(render(door.settings), nl=False)
