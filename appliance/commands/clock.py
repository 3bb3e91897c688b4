"""`slrt clock`: the node's clock, from the terminal."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import audit, clock
from appliance.clock import Mark, Reading
from appliance.clock_keeper import set_machine_clock
from appliance.clock_watch import SUBJECT
from appliance.commands.door import Door, become_owner_of
from appliance.config import Settings
from appliance.database import create_service, transaction
from appliance.errors import ConfigurationError, InvalidInput

FORM = "%Y-%m-%d %H:%M"
LEAST_REASON = 10


@click.group("clock")
def command() -> None:
    """Jam simpul ini."""


@command.command()
@click.pass_obj
def show(door: Door) -> None:
    """Jam sekarang, dan apakah dapat dipercaya."""
    become_owner_of(Path(door.settings.paths.data))
    at, mark = datetime.now(UTC), clock.read_mark(clock.mark_file(door.settings))
    wrong = clock.sentence(clock.judge(at, mark), at, mark, door.settings.zone)
    click.echo(f"{at.astimezone(door.settings.zone):%d-%m-%Y %H:%M:%S} {door.settings.node.timezone}")
    click.echo(wrong or "Jam ini sesuai dengan catatan terakhir.")


@command.command("set")
@click.argument("moment")
@click.option("--typed-date", default="", help="Tanggal DD-MM-YYYY sekali lagi, bila lebih dari sehari ke depan.")
@click.option(
    "--even-before", default="", metavar="ALASAN", help="Juga ke sebelum catatan terakhir, bila catatan itu bertanggal salah."
)
@click.pass_obj
def set_clock(door: Door, moment: str, typed_date: str, even_before: str) -> None:
    """Mengatur jam, misalnya: slrt clock set "2026-11-29 10:15" (waktu setempat)."""
    if os.geteuid() != 0:
        raise ConfigurationError("Perintah ini memerlukan hak root.", "Ulangi dengan sudo.")
    settings, now = door.settings, datetime.now(UTC)
    wanted = _read(moment, settings)
    mark = clock.read_mark(clock.mark_file(settings))
    backwards = clock.judge(wanted, mark) is Reading.BEHIND
    problems = clock.why_not(wanted, now, None if even_before else mark, typed_date, settings.zone)
    if even_before and len(even_before) < LEAST_REASON:
        problems["reason"] = f"Tulis alasannya, paling sedikit {LEAST_REASON} huruf."
    if problems:
        raise InvalidInput(problems)
    set_machine_clock(wanted)
    become_owner_of(Path(settings.paths.data))
    _remember(settings, wanted, even_before if backwards else "")
    click.echo(f"Jam sekarang {wanted.astimezone(settings.zone):%d-%m-%Y %H:%M}.")


def _remember(settings: Settings, wanted: datetime, reason: str) -> None:
    """The fact in the journal. Where the records were dated wrong, those of until now count no more as a sign of the time."""
    service = create_service(settings)
    detail = {"menjadi": wanted.isoformat(timespec="seconds"), "alasan": reason or "terminal"}
    with service.app_context():
        with transaction():
            audit.record("jam-atur", SUBJECT, by=None, at=wanted, detail=detail)
            position = audit.latest().position
        if reason:
            clock.write_mark(clock.mark_file(settings), Mark(wanted, position))


def _read(text: str, settings: Settings) -> datetime:
    try:
        return datetime.strptime(text, FORM).replace(tzinfo=settings.zone).astimezone(UTC)
    except ValueError as error:
        raise InvalidInput({"date": 'Tulis tanggal dan jam seperti "2026-11-29 10:15".'}) from error
