"""`slrt backup key second | rotate`: another key for the same repositories, or another passphrase for the same keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands.backup_key import create_secret, require_root
from appliance.commands.backup_plan import AUDIT_KEY, PASSPHRASE, SECOND, Handed, Source, plan_of, translated
from appliance.commands.door import Door
from appliance.commands.handing_over import hand_over
from appliance.commands.restoring import relock
from appliance.config import Settings
from appliance.recovery import record, rotation
from backups import repository
from backups.lock import only_run


@click.command()
@click.pass_obj
def second(door: Door) -> None:
    """Membuat kata sandi kedua, untuk dipegang kepala daerah, dan kuncinya di setiap gudang cadangan yang terpasang."""
    require_root(door)
    made = create_secret(door, SECOND)
    if not hand_over(door, Source(), ["key", "seconds"]):
        _add_second_keys(door.settings, Handed.read(door))
    click.echo("Kata sandi kedua dibuat." if made else "Kata sandi kedua sudah ada; kuncinya diperiksa.")
    click.echo("Langkah berikutnya: cetak lembarnya: sudo slrt backup key sheet --to /root/lembar.pdf")


@click.command(hidden=True)
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


@click.command()
@click.option("--sticks-only", is_flag=True, help="Hanya stik yang tidak terpasang saat kata sandi diganti.")
@click.pass_obj
def rotate(door: Door, sticks_only: bool) -> None:
    """Mengganti kata sandi cadangan; bila terputus, ulangi perintah yang sama."""
    require_root(door)
    secrets = Path(door.settings.paths.secrets)
    if sticks_only and not (secrets / rotation.NEXT).exists():
        _rekey(door, rotation.former_ones(secrets), door.secret(PASSPHRASE), ["--sticks-only"])
        return
    carry_out(door)
    click.echo("Kata sandi cadangan sudah diganti. Lembar pemulihan lama hanya berlaku untuk stik yang belum ikut diganti.")
    click.echo("Langkah berikutnya: cetak lembar baru: sudo slrt backup key sheet --to /root/lembar.pdf")


def carry_out(door: Door) -> None:
    """As root, give everything another passphrase: the one that was begun with, if a change was cut off. One at a time."""
    secrets = Path(door.settings.paths.secrets)
    with translated(), only_run(secrets):
        old, new = rotation.begin(secrets)
        _rekey(door, [old], new, [])
        rotation.finish(secrets)


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


@click.command(hidden=True)
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


@click.command(name="relock", hidden=True)
@click.option("--handed", type=int)
@click.pass_obj
def relock_identity(door: Door, handed: int | None) -> None:
    """Mengunci ulang kunci identitas (dipanggil oleh rotate): sebagai pemilik data."""
    _relock_here(door.settings, Handed.read(door, Source(handed=handed)))


def _relock_here(settings: Settings, handed: Handed) -> None:
    former: list[str] = json.loads(handed.repository)
    relock(settings.identity, former[0], handed.node)
