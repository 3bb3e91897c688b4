"""`slrt backup key sheet | check | status`: the recovery sheet on paper, and whether the printed one still fits."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import database
from appliance.commands.backup_key import require_root
from appliance.commands.backup_plan import AUDIT_KEY, PASSPHRASE, SECOND, translated
from appliance.commands.door import Door, become_keeper, become_owner_of
from appliance.config import Settings
from appliance.errors import Conflict, InvalidInput
from appliance.letters.pdf import to_pdf
from appliance.recovery import proving, record, rotation, rules, sheet
from appliance.recovery.record import Paper
from appliance.recovery.sheet import Vault
from appliance.sticks import book
from backups import repository


@click.command(name="sheet")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Berkas PDF baru, misalnya /root/lembar.pdf")
@click.pass_obj
def print_sheet(door: Door, to: Path) -> None:
    """Membuat lembar pemulihan (PDF) untuk dicetak: satu untuk brankas, satu untuk gedung lain."""
    require_root(door)
    settings, at = door.settings, datetime.now(UTC)
    if (Path(settings.paths.secrets) / rotation.NEXT).exists():
        # what is in use is about to open nothing any more, or does so already
        raise Conflict("Penggantian kata sandi cadangan belum selesai.", "Selesaikan dahulu: sudo slrt backup key rotate")
    passphrase = door.secret(PASSPHRASE)
    other = door.secret(SECOND) if (Path(settings.paths.secrets) / SECOND).exists() else ""
    content = to_pdf(sheet.draw(settings, passphrase, other, _vaults(settings), at))
    try:
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
    except FileExistsError as error:
        raise Conflict(f"Berkas {to} sudah ada.", "Hapus dahulu, atau sebutkan nama lain.") from error
    except OSError as error:
        with suppress(OSError):  # half a sheet would stand in the way of the next
            to.unlink(missing_ok=True)
        raise InvalidInput(
            {},
            f"Berkas {to} tidak dapat ditulis ({error.strerror}).",
            "Sebutkan folder yang ada, misalnya: --to /root/lembar.pdf",
        ) from error
    become_keeper(settings)
    record.note_passphrase(settings, passphrase, at)
    record.note_printed(settings, other, at)
    click.echo(f"Lembar pemulihan: {to}. Cetak, masukkan ke amplop tersegel, lalu hapus: shred -u {to}")
    click.echo("Langkah berikutnya: uji lembar cetaknya di halaman Lembar pemulihan.")


def _vaults(settings: Settings) -> list[Vault]:
    with translated():
        own = Vault("Disk simpul", repository.identity(Path(settings.backup.repository)))
    return [own, *(Vault(stick.name, stick.repository) for stick in book.read_known(book.folder_of(settings)))]


@click.command()
@click.argument("paper", type=click.Choice([one.value for one in Paper]))
@click.pass_obj
def check(door: Door, paper: str) -> None:
    """Menguji lembar cetak: ketik dua kelompok terakhirnya. PAPER: kantor (brankas), ti (gedung lain), kedua (kepala daerah)."""
    require_root(door)
    key = door.secret(AUDIT_KEY)
    become_owner_of(Path(door.settings.paths.data))
    typed = click.prompt("Dua kelompok terakhir pada lembar itu")
    with database.create_service(door.settings, audit_key=key).app_context():
        proving.prove_at_terminal(door.settings, Paper(paper), typed, at=datetime.now(UTC))
    verdict = rules.judge(record.read(door.settings), datetime.now(UTC))
    click.echo(f"Benar. {verdict.text} {verdict.next_step}".strip())


@click.command()
@click.pass_obj
def status(door: Door) -> None:
    """Kapan lembar pemulihan terakhir diuji?"""
    become_keeper(door.settings)
    verdict = rules.judge(record.read(door.settings), datetime.now(UTC))
    click.echo(f"{verdict.text} {verdict.next_step}".strip())
