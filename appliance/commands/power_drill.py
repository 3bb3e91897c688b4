"""`slrt power drill`: run a drill of the power protection, and read the records of those that were."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands.door import Door, become_owner_of
from appliance.config import Settings
from appliance.drills import asked, full, records
from appliance.drills.plug import Pace
from appliance.drills.records import RESULTS, TITLES, Level, Record, Result
from appliance.drills.rules import TO_THE_END
from appliance.drills.run import perform
from appliance.errors import EXIT_DONE, EXIT_FAILED
from appliance.power.sentences import duration

_OK = {True: "ya   ", False: "TIDAK", None: "–    "}


@click.group()
def command() -> None:
    """Latihan perlindungan listrik. L0 dan L1 aman kapan saja; L2 sampai L3b meminta Anda mencabut steker UPS."""


def _add(level: Level) -> None:
    @click.option("--by", default="", metavar="NAMA", help="Nama petugas yang melakukan latihan, untuk catatannya.")
    @click.option("--yes", is_flag=True, help="Jangan bertanya dahulu.")
    @click.pass_obj
    def run(door: Door, by: str, yes: bool) -> None:
        if level in TO_THE_END and not yes:
            click.confirm("Mesin akan benar-benar MATI dan tidak dapat dipakai beberapa menit. Lanjutkan?", abort=True)
        _drill(door, level, by)

    command.command(name=level.value, help=f"{TITLES[level]}.")(run)


for _level in Level:
    _add(_level)


@command.command(name="list")
@click.pass_obj
def list_drills(door: Door) -> None:
    """Menampilkan daftar latihan, yang terbaru di bawah."""
    become_owner_of(Path(door.settings.paths.data))
    full.complete(door.settings, datetime.now(UTC))
    found = records.list_records(records.folder_of(Path(door.settings.paths.data)))
    for record in reversed(found):
        click.echo(f"{record.id}  {_local(door.settings, record.begun_at)}  {RESULTS[record.result]}: {record.title}")
    if not found:
        click.echo("Belum pernah ada latihan. Mulai dengan: sudo slrt power drill L0")


@command.command()
@click.argument("identifier", metavar="NOMOR")
@click.pass_obj
def show(door: Door, identifier: str) -> None:
    """Menampilkan satu catatan latihan; nomornya dari: slrt power drill list"""
    become_owner_of(Path(door.settings.paths.data))
    full.complete(door.settings, datetime.now(UTC))
    for line in text_of(records.find(records.folder_of(Path(door.settings.paths.data)), identifier), door.settings):
        click.echo(line)


@command.command(hidden=True)
@click.pass_obj
def requested(door: Door) -> None:
    """Menjalankan latihan yang diminta dari halaman."""
    become_owner_of(Path(door.settings.paths.data))
    request = asked.take(Path(door.settings.paths.runtime))
    if request is not None:
        perform(request.level, door.settings, request.by, click.echo)


def text_of(record: Record, settings: Settings) -> list[str]:
    """The record as lines for a terminal."""
    end = "" if record.ended_at is None else f", selama {duration(record.ended_at - record.begun_at)}"
    lines = [record.title, f"Oleh {record.by}, mulai {_local(settings, record.begun_at)}{end}", ""]
    lines += [f"{_local(settings, step.at)}  {step.text}" for step in record.steps]
    lines += [
        "",
        *(f"{_OK[check.ok]}  {check.text}" + (f" ({check.measured})" * bool(check.measured)) for check in record.checks),
    ]
    lines += ["", f"Hasil: {RESULTS[record.result]}. {record.summary}".rstrip()]
    if record.seal:
        holds = "cocok" if records.seal_holds(record) else "TIDAK COCOK: catatan ini telah diubah"
        lines.append(f"Segel {record.short_seal}: {holds}")
    return lines


def _drill(door: Door, level: Level, by: str) -> None:
    doer = by or os.environ.get("SUDO_USER", "") or pwd.getpwuid(os.geteuid()).pw_name
    become_owner_of(Path(door.settings.paths.data))
    record = perform(level, door.settings, doer, click.echo, Pace(sign=_sign()))
    if record.result is Result.RUNNING:
        return
    click.echo(f"\nHasil: {RESULTS[record.result]}. {record.summary}".rstrip())
    click.echo(f"Catatan: slrt power drill show {record.id}")
    sys.exit(EXIT_DONE if record.result is Result.PASSED else EXIT_FAILED)


def _sign() -> Callable[[str], None] | None:
    """Where a person can press a key, the moment she does is the one that is measured from."""
    if not sys.stdin.isatty():
        return None
    return lambda _what: click.pause("Tekan sembarang tombol tepat ketika Anda melakukannya …")


def _local(settings: Settings, at: datetime) -> str:
    return at.astimezone(settings.zone).strftime("%d-%m-%Y %H:%M:%S %Z")
