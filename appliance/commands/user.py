"""`slrt user`: accounts from the console of the machine, whose owner may everything: also when nobody can sign in any more."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import click

from appliance import accounts, database
from appliance.accounts import NewAccount, NewAssignment
from appliance.casework import catalogue
from appliance.commands.door import Door, become_owner_of
from appliance.errors import ApplianceError
from appliance.models.roles import Role


@click.group()
def command() -> None:
    """Akun petugas."""


@command.command("first-admin")
@click.argument("username", metavar="NAMA_PENGGUNA")
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path), help="Berkas untuk kata sandi sekali pakai (0600)."
)
@click.option("--name", default="Admin SLRT", show_default=True, help="Nama lengkap.")
@click.pass_obj
def first_admin(door: Door, username: str, target: Path, name: str) -> None:
    """Membuat admin pertama bila belum ada admin. Aman diulang."""
    # Opened before the rights are dropped: the file is root's, the database the service's.
    handle = _open_private(target)
    try:
        with _service(door):
            at = datetime.now(UTC)
            if accounts.has_admin(at):
                if not os.fstat(handle).st_size:
                    _write(handle, "Sudah ada admin. Kata sandi baru: sudo slrt user reset-password NAMA_PENGGUNA\n")
                click.echo("Sudah ada admin; tidak ada yang berubah.")
                return
            password = accounts.one_time_password()
            # On the disk before the account is: cut in between, the next run writes a new one.
            _write(handle, _sheet(door, username, password))
            accounts.create_first_admin(username, name, password, starts=_today(door), at=at)
    finally:
        os.close(handle)
    click.echo(f"Akun admin {username} dibuat. Kata sandi sekali pakai ada di {target}.")


@command.command()
@click.argument("username", metavar="NAMA_PENGGUNA")
@click.option("--name", required=True, help="Nama lengkap.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="Peran.")
@click.option("--area", "areas", multiple=True, help="Kode wilayah tugas, boleh berulang; kosong berarti seluruh kabupaten/kota.")
@click.option("--unit", default="", help="Kode unit; wajib untuk petugas OPD.")
@click.pass_obj
def create(door: Door, username: str, name: str, role: str, areas: tuple[str, ...], unit: str) -> None:
    """Membuat akun dengan satu peran, lalu menampilkan kata sandi sekali pakainya."""
    with _service(door):
        unit_id = catalogue.unit_id(unit) if unit else ""
        first = NewAssignment(role, _today(door), areas, unit_id)
        district = door.settings.node.district
        made = accounts.create_account(NewAccount(username, name), first, district=district, by=None, at=datetime.now(UTC))
    _tell(made.username, made.one_time_password)


@command.command("reset-password")
@click.argument("username", metavar="NAMA_PENGGUNA")
@click.pass_obj
def reset_password(door: Door, username: str) -> None:
    """Memberi kata sandi sekali pakai yang baru; semua sesi akun itu berakhir."""
    with _service(door):
        password = accounts.reset_password(accounts.find_account(username), by=None, at=datetime.now(UTC))
    _tell(username, password)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Keluaran untuk program.")
@click.pass_obj
def list_users(door: Door, as_json: bool) -> None:
    """Menampilkan semua akun dan perannya hari ini."""
    with _service(door):
        lines = list(_all_accounts(_today(door)))
    if as_json:
        rows = [{"username": a.username, "name": a.name, "active": a.active, "roles": list(a.roles)} for a in lines]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for line in lines:
        state = "" if line.active else " (nonaktif)"
        click.echo(f"{line.username:<20} {line.name:<32} {', '.join(line.roles) or 'tanpa peran'}{state}")
    if not lines:
        click.echo("Belum ada akun.")


@command.command()
@click.argument("username", metavar="NAMA_PENGGUNA")
@click.pass_obj
def deactivate(door: Door, username: str) -> None:
    """Menonaktifkan akun dan mengeluarkannya dari semua perangkat."""
    with _service(door):
        accounts.deactivate(accounts.find_account(username), by=None, at=datetime.now(UTC))
    click.echo(f"Akun {username} dinonaktifkan.")


@contextmanager
def _service(door: Door) -> Iterator[None]:
    """The service as its own user; the audit key is read while there still is the right to."""
    key = door.secret("audit-key")
    become_owner_of(Path(door.settings.paths.data))
    with database.create_service(door.settings, audit_key=key).app_context():
        yield


def _all_accounts(today: date) -> Iterator[accounts.AccountLine]:
    page = pages = 1
    while page <= pages:
        found = accounts.list_accounts(by=None, today=today, page=page)
        yield from found.accounts
        page, pages = page + 1, found.pages


def _today(door: Door) -> date:
    return datetime.now(door.settings.zone).date()


def _open_private(target: Path) -> int:
    """The file for a secret: nobody else reads it, no link leads elsewhere, and what it holds stays for now."""
    try:
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.fchmod(handle, 0o600)
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise ApplianceError(
            f"Berkas {target} tidak dapat ditulis ({error.strerror}).", "Sebutkan berkas lain dengan --to."
        ) from error
    return handle


def _write(handle: int, text: str) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, text.encode(), 0)
    os.fsync(handle)


def _sheet(door: Door, username: str, password: str) -> str:
    node = door.settings
    address = f"https://{node.node.hostname}.local/" if node.web.https else "http://127.0.0.1/"
    return (
        f"Alamat         : {address}\nNama pengguna  : {username}\nKata sandi     : {password}\n"
        "Berlaku sekali, paling lama 7 hari; saat masuk pertama Anda membuat kata sandi sendiri.\n"
    )


def _tell(username: str, password: str) -> None:
    click.echo(f"Nama pengguna : {username}\nKata sandi    : {password}")
    click.echo("Berlaku sekali, paling lama 7 hari. Tidak dapat ditampilkan lagi.", err=True)
