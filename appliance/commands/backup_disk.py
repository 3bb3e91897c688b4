"""`slrt backup disk`: prepare a USB stick for backups or take one over again, see the sticks, write to one now, and let one go.

Root handles the disks; what is written into a repository is written by the user that makes the backups.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands.backup_plan import Handed, Source, gate_of, plan_of, translated
from appliance.commands.door import Door, become_keeper
from appliance.commands.handing_over import hand_over
from appliance.commands.pacing import steps, stoppable
from appliance.config import Settings
from appliance.errors import ConfigurationError, NotFound
from appliance.sticks import adopt as adopting
from appliance.sticks import book, copying, keeper, order, rules
from appliance.sticks.adopt import adopt as make_ours_again
from appliance.sticks.book import REPOSITORY, State, Stick
from appliance.sticks.devices import DiskError
from appliance.sticks.prepare import Wish
from appliance.sticks.prepare import prepare as make_ours
from backups import errors, outcome, repository
from backups.clock import moment
from backups.take import STEPS
from backups.words import gigabytes

PREPARE_STEPS = 3


@click.group()
def command() -> None:
    """Stik USB cadangan: menyiapkan, menyalin, melepas."""


@command.command()
@click.argument("device", type=click.Path(path_type=Path))
@click.option("--label", required=True, help="Huruf stik: A, B, … Label lama dengan huruf yang sama diganti.")
@click.option("--erase", type=click.Path(path_type=Path), help="Nama disk sekali lagi, bila isinya boleh dihapus.")
@click.pass_obj
def prepare(door: Door, device: Path, label: str, erase: Path | None) -> None:
    """Menghapus disk DEVICE (misalnya /dev/sdb) dan menjadikannya stik cadangan."""
    _require_root()
    settings = door.settings

    def make_repository(stick: Stick) -> str:
        if not hand_over(door, Source(), ["disk", "init", stick.uuid]):
            _make_repository(settings, Handed.read(door), stick)
        return repository.identity(book.mount_of(settings, stick) / REPOSITORY)

    with translated():
        stick = make_ours(settings, Wish(device, label.upper(), erase), datetime.now(UTC), make_repository, steps(PREPARE_STEPS))
    keeper.look(settings, datetime.now(UTC))
    click.echo(f"{stick.name} siap ({gigabytes(stick.size)}). Tulis huruf {stick.label} pada stiknya.")
    click.echo("Langkah berikutnya: tunggu sampai cadangan tersalin sendiri, atau jalankan: sudo slrt backup disk copy")


@command.command(hidden=True)
@click.argument("uuid")
@click.option("--handed", type=int)
@click.pass_obj
def init(door: Door, uuid: str, handed: int | None) -> None:
    """Membuat gudang cadangan pada stik yang baru disiapkan (dipanggil oleh prepare)."""
    secrets = Handed.read(door, Source(handed=handed))
    with translated():
        _make_repository(door.settings, secrets, _unnamed(uuid))


def _make_repository(settings: Settings, secrets: Handed, stick: Stick) -> None:
    copying.make_repository(settings, plan_of(settings, secrets), stick)


@command.command()
@click.argument("device", type=click.Path(path_type=Path))
@click.option("--label", default="", help="Huruf lain, bila hurufnya sudah dipakai stik lain.")
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Berkas kata sandi stik itu (dari lembar pemulihan), bila bukan kata sandi simpul ini.",
)
@click.pass_obj
def adopt(door: Door, device: Path, label: str, passphrase_file: Path | None) -> None:
    """Mengenali kembali stik DEVICE yang disiapkan simpul ini sebelum dipasang ulang atau dipulihkan; isinya tetap."""
    _require_root()
    settings, source = door.settings, Source(None, passphrase_file)

    def ask(word: str, here: Callable[[Settings, Handed, Stick], None], stick: Stick) -> None:
        if not hand_over(door, source, ["disk", word, stick.uuid]):
            here(settings, Handed.read(door, source), stick)

    with translated():
        stick = make_ours_again(
            settings,
            adopting.Wish(device, label.upper()),
            datetime.now(UTC),
            lambda stick: ask("examine", _examine, stick),
            lambda stick: ask("take", _take, stick),
        )
    keeper.look(settings, datetime.now(UTC))
    click.echo(f"{stick.name} dikenali kembali; cadangan di dalamnya tetap ada dan segera ditambah.")


@command.command(hidden=True)
@click.argument("uuid")
@click.option("--handed", type=int)
@click.pass_obj
def examine(door: Door, uuid: str, handed: int | None) -> None:
    """Memeriksa apakah stik berisi cadangan simpul ini (dipanggil oleh adopt)."""
    with translated():
        _examine(door.settings, Handed.read(door, Source(handed=handed)), _unnamed(uuid))


def _examine(settings: Settings, secrets: Handed, stick: Stick) -> None:
    plan = copying.plan_for(settings, plan_of(settings, secrets), stick)
    try:
        number = adopting.require_ours(plan)
    except errors.WrongPassphrase as error:
        raise errors.WrongPassphrase(
            "Stik ini terkunci dengan kata sandi lain.",
            "Bila stik ini milik simpul ini sebelum dipasang ulang, ketik kata sandi dari lembar pemulihannya ke sebuah berkas, "
            "lalu ulangi dengan --passphrase-file BERKAS.",
        ) from error
    click.echo(f"Stik terbuka; cadangan terakhir di dalamnya nomor {number}.")


@command.command(hidden=True)
@click.argument("uuid")
@click.option("--handed", type=int)
@click.pass_obj
def take(door: Door, uuid: str, handed: int | None) -> None:
    """Memberi stik kata sandi simpul ini (dipanggil oleh adopt)."""
    with translated():
        _take(door.settings, Handed.read(door, Source(handed=handed)), _unnamed(uuid))


def _take(settings: Settings, secrets: Handed, stick: Stick) -> None:
    plan = copying.plan_for(settings, plan_of(settings, replace(secrets, repository=secrets.node)), stick)
    if repository.change_passphrase(plan, secrets.repository):
        click.echo("Stik sekarang memakai kata sandi simpul ini; lembar lama tidak membukanya lagi.")


def _unnamed(uuid: str) -> Stick:
    """As far as a process knows it that only works on what is mounted."""
    return Stick(uuid, "", 0, datetime.now(UTC), "")


@command.command(name="list")
@click.pass_obj
def list_sticks(door: Door) -> None:
    """Menampilkan stik cadangan dan keadaannya."""
    settings, at = door.settings, datetime.now(UTC)
    folder = book.folder_of(settings)
    known, sight = book.read_known(folder), book.read_sight(folder)
    for stick in known:
        verdict = rules.judge(stick, sight.of(stick), outcome.read(book.state_of(settings, stick)), at)
        click.echo(f"{stick.name}  {gigabytes(stick.size)}  {verdict.text} {verdict.next_step}".rstrip())
    for one in sight.strangers:
        hint = f" Pakai lagi: sudo slrt backup disk adopt {one.path}" if one.is_former else ""
        click.echo(f"{one.path}  {gigabytes(one.size)}  bukan stik cadangan simpul ini ({one.content or 'kosong'}).{hint}")
    if not known:
        click.echo(f"Belum ada stik cadangan. {rules.PREPARE}")


@command.command()
@click.argument("label", required=False)
@click.pass_obj
def copy(door: Door, label: str | None) -> None:
    """Membuat cadangan pada stik LABEL (tanpa LABEL: pada semua yang terpasang) sekarang."""
    settings = door.settings
    sticks = [_stick(settings, label)] if label else _ready(settings)
    plan = plan_of(settings, Handed.read(door))
    become_keeper(settings)
    for stick in sticks:
        with stoppable(settings, "cadangan", job=True) as stop, translated(), gate_of(settings).work():
            done = copying.copy(settings, plan, stick, moment(datetime.now(UTC)), stop, steps(STEPS))
        click.echo(f"{stick.name}: {done.text} Lama: {done.seconds:.0f} detik.")
    if not sticks:
        click.echo("Tidak ada stik yang siap. Lihat: slrt backup disk list")


@command.command()
@click.argument("label")
@click.pass_obj
def eject(door: Door, label: str) -> None:
    """Melepas stik LABEL dengan aman supaya boleh dicabut."""
    _require_root()
    stick = _stick(door.settings, label)
    order.leave(Path(door.settings.paths.runtime), stick.uuid)
    seen = keeper.look(door.settings, datetime.now(UTC)).of(stick)
    if seen.state is State.ABSENT:
        raise NotFound(f"{stick.name} tidak terpasang.", "Lihat: slrt backup disk list")
    if seen.state is not State.EJECTED:
        raise DiskError(f"{stick.name} belum dapat dilepas. {seen.told}", "Tunggu, lalu ulangi.")
    click.echo(f"{stick.name} boleh dicabut. {rules.PULL}")


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ConfigurationError("Hanya root yang dapat menangani disk.", "Ulangi dengan sudo: sudo slrt backup disk …")


def _stick(settings: Settings, label: str) -> Stick:
    found = next((stick for stick in book.read_known(book.folder_of(settings)) if stick.label == label.upper()), None)
    if found is None:
        raise NotFound(f"Tidak ada stik dengan label {label}.", "Lihat: slrt backup disk list")
    return found


def _ready(settings: Settings) -> list[Stick]:
    folder = book.folder_of(settings)
    sight = book.read_sight(folder)
    return [stick for stick in book.read_known(folder) if sight.of(stick).state is State.READY]
