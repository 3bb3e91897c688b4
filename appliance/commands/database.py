"""`slrt database`: preparing, filling and checking the database from the console of the machine."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from appliance import audit, custody, database
from appliance.casework.catalogue import seed_catalogue
from appliance.casework.office_calendar import seed_calendar
from appliance.commands.backup_plan import Handed, plan_of
from appliance.commands.door import Door, become_owner_of
from appliance.commands.elsewhere import Elsewhere
from appliance.commands.handing_over import SLRT
from appliance.commands.pacing import stoppable
from appliance.config import Settings
from appliance.errors import EXIT_FAILED, ConfigurationError, InvalidInput
from appliance.registry.area_codes import load_bps
from appliance.registry.areas import load_areas
from appliance.registry.programme_seed import seed_programmes
from backups import exchange

ELSEWHERE = {
    "describe": ("database_life", "describe"),
    "dump": ("database_life", "dump"),
    "load": ("database_life", "load"),
    "prove-write": ("database_life", "prove_write"),
    "put-back": ("database_life", "put_back"),
}
BACKS_UP, WHEN = "Membuat cadangan sebelum tabel diubah", "sebelum pemutakhiran"


@click.group(cls=Elsewhere, elsewhere=ELSEWHERE)
def command() -> None:
    """Menyiapkan dan memeriksa basis data."""


@command.command()
@click.option("--without-backup", is_flag=True, help="Tanpa cadangan lebih dahulu; hanya bila datanya baru saja dipulihkan.")
@click.pass_obj
def upgrade(door: Door, without_backup: bool) -> None:
    """Menyiapkan atau memutakhirkan tabel, data wilayah, dan daftar layanan. Aman diulang.

    Tabel yang sudah berisi dicadangkan lebih dahulu.
    """
    settings, read = door.settings, _secrets(door)
    apart = os.geteuid() == 0 and custody.is_apart(settings)
    if apart and not without_backup and _will_change(settings):
        _have_backed_up(door)
    _become_owner(settings)
    if not apart and not without_backup and _will_change(settings):
        _back_up(settings, read)
    changed = prepare(settings)
    changed |= _settle(settings, read)
    if not changed:
        click.echo("Tidak ada yang berubah.")


@command.command(hidden=True)
@click.pass_obj
def migrate(door: Door) -> None:
    """Tabel seperti versi ini memerlukannya, tanpa cadangan; mengatakan dalam JSON apa isinya sebelum itu (dipanggil oleh pembaruan).

    Wilayah dan hari libur dari daftar yang lebih baru menyusul sesudah halaman dibuka, dengan `upgrade`.
    """
    from appliance.commands.database_life import described

    _become_owner(door.settings)
    before = described(door.settings)
    with contextlib.redirect_stdout(sys.stderr):
        prepare(door.settings, closed=True)
    click.echo(json.dumps(before))


def _back_up(settings: Settings, read: Callable[[], Handed]) -> None:
    """What makes backups is loaded only where there is something to back up."""
    from appliance.commands.backing_up import back_up_first

    click.echo(BACKS_UP)
    with stoppable(settings, "cadangan") as stop:
        click.echo(back_up_first(plan_of(settings, read()), stop, WHEN).text)


def _settle(settings: Settings, read: Callable[[], Handed]) -> bool:
    """A restore of older tables is complete only now. Root's own restore goes on by itself, with the secrets it has."""
    if not (Path(settings.paths.data) / exchange.NOTE).exists():
        return False
    from appliance.restoration.settling import settle

    with contextlib.suppress(ConfigurationError):
        return settle(settings, lambda: database.create_service(settings, audit_key=read().audit_key))
    return False


def _have_backed_up(door: Door) -> None:
    """As root, have the backup made by the user that the backups belong to."""
    from appliance.commands.backing_up import have_backed_up_first

    click.echo(BACKS_UP)
    command = [*SLRT, "--config", str(door.config_file.absolute()), "backup", "run", "--json"]

    def ask() -> int:
        return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode

    with stoppable(door.settings, "cadangan") as stop:
        click.echo(have_backed_up_first(custody.state_of(door.settings), ask, stop, WHEN))


def _secrets(door: Door) -> Callable[[], Handed]:
    """The secrets of a backup, read while they may be: a machine that is only being set up has none, and needs none."""
    try:
        handed = Handed.read(door)
    except ConfigurationError as error:
        reason = error

        def refuse() -> Handed:
            raise reason

        return refuse
    return lambda: handed


def _will_change(settings: Settings) -> bool:
    """Whether tables that are there already will be changed: what a fresh database has is worth no backup."""
    return database.current_revision(settings) not in {None, "", database.newest_revision()}


def prepare(settings: Settings, *, closed: bool = False) -> bool:
    """Tables, areas and lists as this version needs them, told line by line. Whether anything changed.

    While the pages are `closed` for it, without the lists of others, whose comparison takes longer than all else.
    """
    migrated = database.upgrade(settings)
    if migrated:
        click.echo(f"Susunan tabel sekarang versi {database.current_revision(settings)}.")
    district, at = settings.node.district, datetime.now(UTC)
    with database.create_service(settings).app_context():
        if areas := 0 if closed else load_areas(district):
            click.echo(f"Data wilayah: {areas} baris dimuat; aktif untuk {district}.")
        if seeded := seed_catalogue(district, at=at):
            click.echo(f"Daftar layanan dan unit: {seeded} baris ditambahkan.")
        if calendar := 0 if closed else seed_calendar(at=at):
            click.echo(f"Kalender kerja: {calendar} baris ditambahkan.")
        if programmes := seed_programmes(at=at):
            click.echo(f"Daftar program dan aturan: {programmes} baris ditambahkan.")
    return bool(migrated or areas or seeded or calendar or programmes)


@command.command()
@click.argument("file", metavar="BERKAS", type=click.File("r", encoding="utf-8-sig"))
@click.pass_obj
def bps(door: Door, file: TextIO) -> None:
    """Memuat padanan kode BPS dan kode Kemendagri dari CSV: dua kolom, kode BPS lalu kode Kemendagri. Aman diulang."""
    key = door.secret("audit-key")
    rows = [row for row in csv.reader(file, dialect=_dialect(file)) if any(cell.strip() for cell in row)]
    if rows and not rows[0][0].strip().isdigit():
        rows = rows[1:]
    _become_owner(door.settings)
    try:
        with database.create_service(door.settings, audit_key=key).app_context():
            changed = load_bps(((row[0], row[1] if len(row) > 1 else "") for row in rows), at=datetime.now(UTC))
    except InvalidInput as error:
        for line, sentence in error.problems.items():
            click.echo(f"{line}: {sentence}", err=True)
        raise
    click.echo(f"{changed} wilayah mendapat kode BPS." if changed else "Tidak ada yang berubah.")


def _dialect(file: TextIO) -> type[csv.Dialect]:
    """Comma, semicolon or tab, whichever the first lines use."""
    start = file.read(4096)
    file.seek(0)
    try:
        return csv.Sniffer().sniff(start, delimiters=",;\t")
    except csv.Error:
        return csv.excel


@command.command()
@click.pass_obj
def sample(door: Door) -> None:
    """Mengisi data contoh Kabupaten Bantaeng (73.03); ditolak bila sudah ada data warga."""
    from appliance.sample import fill

    key = door.secret("audit-key")
    _become_owner(door.settings)
    prepare(door.settings)
    with database.create_service(door.settings, audit_key=key).app_context():
        made = fill(at=datetime.now(UTC), tell=lambda line: click.echo(line, err=True))
    click.echo("Akun contoh (kata sandi sekali pakai, diganti saat masuk pertama):")
    for account in made:
        password = account.one_time_password or "(sudah ada; sandi baru: slrt user reset-password)"
        click.echo(f"  {account.username:<18} {account.role.label:<18} {password}")


@command.command(hidden=True)
@click.pass_obj
def names(door: Door) -> None:
    """Kata-kata dari semua nama, untuk menyamarkan berkas dukungan (dipanggil oleh slrt support)."""
    from appliance.support.names import names_in

    _become_owner(door.settings)
    click.echo("\n".join(sorted(names_in(door.settings))))


@command.command()
@click.pass_obj
@click.pass_context
def check(context: click.Context, door: Door) -> None:
    """Memeriksa susunan tabel, keutuhan berkas, dan jurnal audit. Hanya membaca."""
    key = door.secret("audit-key")
    _become_owner(door.settings)
    health = database.quick_check(door.settings)
    click.echo(health.text)
    if not health.ok:
        click.echo(f"Langkah berikutnya: {health.hint}", err=True)
        context.exit(EXIT_FAILED)
    whole = database.integrity(door.settings)
    click.echo(whole.text)
    with database.create_service(door.settings, audit_key=key).app_context():
        verdict = audit.verify()
    click.echo(verdict.text)
    if not (whole.ok and verdict.ok):
        click.echo("Langkah berikutnya: pulihkan dari cadangan terakhir yang baik: slrt backup list", err=True)
        context.exit(EXIT_FAILED)


def _become_owner(settings: Settings) -> None:
    become_owner_of(Path(settings.paths.data))
