"""`slrt backup key`: the passphrase of the backups, its sheet on paper, and changing it.

The passphrase goes from root to the service user through a pipe, never through an argument or the environment, and is printed
nowhere but on the sheet.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import database
from appliance.commands.backup_plan import AUDIT_KEY, PASSPHRASE, SECOND, Handed, Source, plan_of, translated
from appliance.commands.door import Door, become_keeper, become_owner_of
from appliance.commands.handing_over import hand_over
from appliance.commands.restoring import relock
from appliance.config import Settings
from appliance.errors import ConfigurationError, Conflict
from appliance.letters.pdf import to_pdf
from appliance.recovery import proving, record, rotation, rules, sheet
from appliance.recovery.record import Paper
from appliance.recovery.sheet import Vault
from appliance.sticks import book
from backups import repository
from backups.files import write_whole
from backups.passphrase import generate


@click.group()
def command() -> None:
    """Kata sandi cadangan: membuat, mencetak lembar pemulihan, mengganti."""


@command.command()
@click.pass_obj
def create(door: Door) -> None:
    """Membuat kata sandi cadangan bila belum ada."""
    _require_root(door)
    click.echo("Kata sandi cadangan dibuat." if _create(door, PASSPHRASE) else "Kata sandi cadangan sudah ada.")


@command.command()
@click.pass_obj
def second(door: Door) -> None:
    """Membuat kata sandi kedua, untuk dipegang kepala daerah, dan kuncinya di setiap gudang cadangan yang terpasang."""
    _require_root(door)
    made = _create(door, SECOND)
    if not hand_over(door, Source(), ["key", "seconds"]):
        _add_second_keys(door.settings, Handed.read(door))
    click.echo("Kata sandi kedua dibuat." if made else "Kata sandi kedua sudah ada; kuncinya diperiksa.")
    click.echo("Langkah berikutnya: cetak lembarnya: sudo slrt backup key sheet --to /root/lembar.pdf")


@command.command(hidden=True)
@click.option("--handed", type=int)
@click.pass_obj
def seconds(door: Door, handed: int | None) -> None:
    """Menaruh kunci kedua di gudang cadangan (dipanggil oleh second)."""
    _add_second_keys(door.settings, Handed.read(door, Source(handed=handed)))


def _add_second_keys(settings: Settings, secrets: Handed) -> None:
    plan = plan_of(settings, secrets)
    with translated():
        for one in (plan, *rotation.plans_of_sticks(settings, plan)):
            repository.add_second_key(one, repository.engine(one))


@command.command(name="sheet")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Berkas PDF baru, misalnya /root/lembar.pdf")
@click.pass_obj
def print_sheet(door: Door, to: Path) -> None:
    """Membuat lembar pemulihan (PDF) untuk dicetak: satu untuk brankas, satu untuk gedung lain."""
    _require_root(door)
    settings, at = door.settings, datetime.now(UTC)
    passphrase = door.secret(PASSPHRASE)
    other = door.secret(SECOND) if (Path(settings.paths.secrets) / SECOND).exists() else ""
    content = to_pdf(sheet.draw(settings, passphrase, other, _vaults(settings), at))
    try:
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise Conflict(f"Berkas {to} sudah ada.", "Hapus dahulu, atau sebutkan nama lain.") from error
    become_keeper(settings)
    record.note_passphrase(settings, passphrase, at)
    record.note_printed(settings, other, at)
    click.echo(f"Lembar pemulihan: {to}. Cetak, masukkan ke amplop tersegel, lalu hapus: shred -u {to}")
    click.echo("Langkah berikutnya: uji lembar cetaknya di halaman Lembar pemulihan.")


def _vaults(settings: Settings) -> list[Vault]:
    with translated():
        own = Vault("Disk simpul", repository.identity(Path(settings.backup.repository)))
    return [own, *(Vault(stick.name, stick.repository) for stick in book.read_known(book.folder_of(settings)))]


@command.command()
@click.argument("paper", type=click.Choice([one.value for one in Paper]))
@click.pass_obj
def check(door: Door, paper: str) -> None:
    """Menguji lembar cetak: ketik dua kelompok terakhirnya. PAPER: kantor (brankas), ti (gedung lain), kedua (kepala daerah)."""
    _require_root(door)
    key = door.secret(AUDIT_KEY)
    become_owner_of(Path(door.settings.paths.data))
    typed = click.prompt("Dua kelompok terakhir pada lembar itu")
    with database.create_service(door.settings, audit_key=key).app_context():
        proving.prove_at_terminal(door.settings, Paper(paper), typed, at=datetime.now(UTC))
    verdict = rules.judge(record.read(door.settings), datetime.now(UTC))
    click.echo(f"Benar. {verdict.text} {verdict.next_step}".strip())


@command.command()
@click.pass_obj
def status(door: Door) -> None:
    """Kapan lembar pemulihan terakhir diuji?"""
    become_keeper(door.settings)
    verdict = rules.judge(record.read(door.settings), datetime.now(UTC))
    click.echo(f"{verdict.text} {verdict.next_step}".strip())


@command.command()
@click.option("--sticks-only", is_flag=True, help="Hanya stik yang tidak terpasang saat kata sandi diganti.")
@click.pass_obj
def rotate(door: Door, sticks_only: bool) -> None:
    """Mengganti kata sandi cadangan; bila terputus, ulangi perintah yang sama."""
    _require_root(door)
    secrets = Path(door.settings.paths.secrets)
    if sticks_only and not (secrets / rotation.NEXT).exists():
        _rekey(door, rotation.former_ones(secrets), door.secret(PASSPHRASE), ["--sticks-only"])
        return
    old, new = rotation.begin(secrets)
    _rekey(door, [old], new, [])
    rotation.finish(secrets)
    click.echo("Kata sandi cadangan sudah diganti. Lembar pemulihan lama hanya berlaku untuk stik yang belum ikut diganti.")
    click.echo("Langkah berikutnya: cetak lembar baru: sudo slrt backup key sheet --to /root/lembar.pdf")


def _rekey(door: Door, former: list[str], new: str, options: list[str]) -> None:
    """Hand old and new to the service user: in the places of the node's two passphrases."""
    handed = Handed(json.dumps(former), new, door.secret(AUDIT_KEY))
    if not hand_over(door, Source(), ["key", "rekey", *options], handed):
        _rekey_here(door.settings, handed, bool(options))
    if options:
        return
    click.echo("Mengunci ulang identitas simpul")
    if not hand_over(door, Source(), ["key", "relock"], handed):
        _relock_here(door.settings, handed)


@command.command(hidden=True)
@click.option("--sticks-only", is_flag=True)
@click.option("--handed", type=int)
@click.pass_obj
def rekey(door: Door, sticks_only: bool, handed: int | None) -> None:
    """Mengganti kata sandi di gudang cadangan (dipanggil oleh rotate)."""
    _rekey_here(door.settings, Handed.read(door, Source(handed=handed)), sticks_only)


def _rekey_here(settings: Settings, handed: Handed, sticks_only: bool) -> None:
    former: list[str] = json.loads(handed.repository)
    plan = plan_of(settings, Handed(handed.node, handed.node, handed.audit_key))
    with translated():
        if sticks_only:
            missing = rotation.rekey_sticks(settings, plan, former, click.echo)
        else:
            missing = rotation.rekey(settings, plan, former[0], click.echo)
            record.note_passphrase(settings, plan.passphrase, datetime.now(UTC))
    for stick in missing:
        click.echo(f"{stick.name} tidak terpasang. Pasang, lalu jalankan: sudo slrt backup key rotate --sticks-only")


@command.command(name="relock", hidden=True)
@click.option("--handed", type=int)
@click.pass_obj
def relock_identity(door: Door, handed: int | None) -> None:
    """Mengunci ulang kunci identitas (dipanggil oleh rotate): sebagai pemilik data."""
    _relock_here(door.settings, Handed.read(door, Source(handed=handed)))


def _relock_here(settings: Settings, handed: Handed) -> None:
    former: list[str] = json.loads(handed.repository)
    relock(settings.identity, former[0], handed.node)


def _create(door: Door, name: str) -> bool:
    """Write a new passphrase as the secret `name` unless there is one."""
    file = Path(door.settings.paths.secrets) / name
    if file.exists():
        return False
    write_whole(file, f"{generate()}\n".encode())
    return True


def _require_root(door: Door) -> None:
    if not os.access(door.settings.paths.secrets, os.W_OK):
        raise ConfigurationError("Kata sandi cadangan hanya dapat ditangani root.", "Ulangi dengan sudo: sudo slrt backup key …")
