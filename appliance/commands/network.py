"""`slrt network`: the node's address on the office network, from the terminal. As root."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands.door import Door
from appliance.config import Settings
from appliance.errors import EXIT_DONE, EXIT_FAILED, ApplianceError, ConfigurationError, Conflict, InvalidInput
from appliance.lan import card, trial
from appliance.lan.rules import Present, Typed, Wanted, read_wanted
from appliance.lan.trial import Told, Trial
from appliance.letters.pdf import to_pdf

BY_TERMINAL, BY_INSTALLATION = "terminal", "pemasangan"


@click.group("network")
def command() -> None:
    """Alamat simpul ini di jaringan kantor."""


@command.command()
@click.pass_obj
def show(door: Door) -> None:
    """Alamat sekarang, dan siapa yang mengaturnya."""
    _be_root()
    present = trial.write_seen(door.settings)
    for label, value in facts(present):
        click.echo(f"{label:<16}{value}")
    found = trial.read_trial(door.settings)
    if found:
        click.echo(f"Alamat {found.wanted.address} sedang dicoba. Pastikan dengan: sudo slrt network confirm")


def facts(present: Present) -> tuple[tuple[str, str], ...]:
    """How the node is on the network, in words."""
    return (
        ("Kartu", present.card),
        ("Alamat", ", ".join(present.addresses) or "belum ada"),
        ("Cara", "tetap" if present.fixed else "dari router kantor (DHCP) atau diatur di luar simpul"),
        ("Gerbang", present.gateway or "tidak ada"),
        ("Server nama", ", ".join(present.dns) or "tidak ada"),
        ("Diatur oleh", present.manager or "tidak dikenal"),
    )


def typed(command: Callable[..., None]) -> Callable[..., None]:
    """The options that tell an address."""
    for option in (
        click.option("--address", required=True, help="Alamat baru dengan panjang jaringannya, misalnya 192.168.1.10/24."),
        click.option("--gateway", default="", help="Router kantor, misalnya 192.168.1.1."),
        click.option("--dns", default="", help="Server nama, dipisahkan koma."),
    ):
        command = option(command)
    return command


@command.command("set")
@typed
@click.pass_obj
def set_address(door: Door, address: str, gateway: str, dns: str) -> None:
    """Mencoba alamat tetap; tanpa konfirmasi dalam 60 detik yang lama kembali sendiri."""
    _be_root()
    wanted = _wanted(Typed(address, gateway, dns))
    with trial.only_one(door.settings):
        trial.settle(door.settings)
        begun = trial.begin(door.settings, wanted, BY_TERMINAL)
    click.echo(f"Alamat {begun.wanted.address} sekarang aktif di samping alamat yang lama.")
    click.echo(
        f"Dalam {trial.SECONDS} detik: buka https://{begun.wanted.host}/ di komputer lain, lalu ketik: sudo slrt network confirm"
    )
    click.echo("Tanpa itu, simpul kembali sendiri ke alamat yang lama.")


@command.command(hidden=True)
@typed
@click.option("--check", "only_check", is_flag=True, help="Hanya memeriksa; kode keluar 1 bila alamat itu belum dipakai.")
@click.pass_obj
def keep(door: Door, address: str, gateway: str, dns: str, *, only_check: bool) -> None:
    """Alamat tetap untuk seterusnya, tanpa percobaan (dipanggil oleh pemasangan, di depan mesinnya)."""
    _be_root()
    wanted = _wanted(Typed(address, gateway, dns))
    if only_check:
        sys.exit(EXIT_DONE if trial.is_kept(door.settings, wanted) else EXIT_FAILED)
    with trial.only_one(door.settings):
        trial.settle(door.settings)
        begun = trial.read_trial(door.settings)  # of a run that was killed
        if begun is None or begun.wanted != wanted:
            begun = trial.begin(door.settings, wanted, BY_INSTALLATION)
        told = trial.confirm(door.settings, begun)
    if not told.ok:
        raise ApplianceError(told.text, told.next_step)
    click.echo(told.text)


def _wanted(said: Typed) -> Wanted:
    wanted, problems = read_wanted(said)
    if wanted is None:
        raise InvalidInput(problems)
    return wanted


@command.command()
@click.pass_obj
def confirm(door: Door) -> None:
    """Alamat yang sedang dicoba dipakai untuk seterusnya."""
    _end(door, trial.confirm)


@command.command()
@click.pass_obj
def undo(door: Door) -> None:
    """Kembali ke alamat yang lama sekarang juga."""
    _end(door, lambda settings, found: trial.undo(settings, found, "Dibatalkan dari terminal."))


@command.command("card")
@click.option("--pdf", "target", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Berkas PDF yang ditulis.")
@click.pass_obj
def address_card(door: Door, target: Path) -> None:
    """Kartu alamat untuk ditempel: nama, alamat, kode QR dan sidik jari sertifikat."""
    _be_root()
    page = card.draw(door.settings, trial.write_seen(door.settings), datetime.now(UTC))
    target.write_bytes(to_pdf(page))
    click.echo(f"Kartu alamat: {target}. Cetak pada A5 dan tempel di ruang pelayanan.")


def _end(door: Door, how: Callable[[Settings, Trial], Told]) -> None:
    _be_root()
    with trial.only_one(door.settings):
        found = trial.read_trial(door.settings)
        if found is None:
            raise Conflict(
                "Tidak ada alamat yang sedang dicoba.", "Mulai dengan: sudo slrt network set --address 192.168.1.10/24"
            )
        told = how(door.settings, found)
    click.echo(told.text)
    if told.next_step:
        click.echo(f"Langkah berikutnya: {told.next_step}")


def _be_root() -> None:
    if os.geteuid() != 0:
        raise ConfigurationError("Perintah ini memerlukan hak root.", "Ulangi dengan sudo.")
