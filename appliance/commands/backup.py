"""`slrt backup`: make, list, prove and bring back backups.

Reads the passphrase while it may, becomes the service user, and hands a plan to the library `backups`. The commands that bring
something back stand in `appliance.commands.backup_restore`.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance import backup_errands, custody
from appliance.commands.backing_up import back_up, logged, wait_for_turn, wait_until_free
from appliance.commands.backup_history import history
from appliance.commands.backup_plan import Handed, Source, gate_of, plan_of, translated
from appliance.commands.door import Door, become_keeper
from appliance.commands.handing_over import hand_over
from appliance.commands.pacing import log, steps, stoppable
from appliance.commands.sources import as_json, with_source
from appliance.config import Settings
from appliance.errors import EXIT_DONE, EXIT_FAILED, ApplianceError
from appliance.recovery import record
from backups import catalogue, repository, server_segments, spool
from backups.clock import moment
from backups.ladder import ALL_DATA_STEPS, REHEARSAL_STEPS, read_everything, rehearse
from backups.lock import only_run
from backups.process import never
from backups.take import STEPS, quiet
from backups.verify import verify as verify_one

# command → its module, and its name there. They know the tables or draw sheets, and a backup shall not wait until all that is loaded.
ELSEWHERE = {
    "attachments": ("backup_look", "look_at_attachments"),
    "disk": ("backup_disk", "command"),
    "finish": ("backup_restore", "finish"),
    "key": ("backup_key", "command"),
    "ordered": ("backup_ordered", "ordered"),
    "restore": ("backup_restore", "restore"),
    "revert": ("backup_restore", "revert"),
    "settle": ("backup_restore", "settle"),
    "show-case": ("backup_look", "show_case"),
}


class Commands(click.Group):
    """Those of this file, and the ones named in ELSEWHERE."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted((*super().list_commands(ctx), *ELSEWHERE))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, name = ELSEWHERE[cmd_name]
        found: click.Command = getattr(importlib.import_module(f"appliance.commands.{module}"), name)
        return found


@click.group(cls=Commands)
def command() -> None:
    """Mencadangkan, memeriksa dan memulihkan data."""


command.add_command(history)


@command.command()
@click.option("--anew", is_flag=True, help="Disk cadangan diganti: buat repositori baru walaupun dahulu sudah ada.")
@as_json
@click.pass_obj
def init(door: Door, anew: bool, as_json: bool) -> None:
    """Menyiapkan repositori cadangan; aman diulang."""
    plan = plan_of(door.settings, Handed.read(door))
    if anew:
        custody.make_places(door.settings)
    become_keeper(door.settings)
    with translated():
        made = repository.init(plan, anew=anew)
    record.note_passphrase(door.settings, plan.passphrase, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps({"made": made, "repository": str(plan.repository)}))
    else:
        click.echo(f"Repositori cadangan dibuat di {plan.repository}." if made else "Tidak ada yang berubah.")


@command.command(name="custody", hidden=True)
@click.option("--check", "only_look", is_flag=True, help="Hanya memeriksa: kode 1 bila ada yang belum sesuai.")
@click.pass_obj
def take_custody(door: Door, only_look: bool) -> None:
    """Menyerahkan gudang cadangan dan hak baca data kepada pengguna slrt-backup (dipanggil oleh pemasangan); aman diulang."""
    settings = door.settings
    found = custody.holdings(settings)
    if only_look:
        sys.exit(EXIT_FAILED if custody.settle(found, only_look=True) else EXIT_DONE)
    repository_folder = Path(settings.backup.repository)
    with translated():
        wait_until_free([repository_folder, custody.state_of(settings)], never)
        with only_run(repository_folder) if repository_folder.is_dir() else nullcontext():
            changed = custody.settle(found)
    click.echo(f"{changed} berkas dan folder cadangan diserahkan." if changed else "Tidak ada yang berubah.")


@command.command(hidden=True)
@click.pass_obj
def errand(door: Door) -> None:
    """Mengerjakan yang diminta penjadwal (dipanggil oleh slrt-backup.service)."""
    runtime = Path(door.settings.paths.runtime)
    with backup_errands.doing(runtime) as asked:
        if asked is None:
            return
        code = EXIT_FAILED
        try:
            command.main(list(asked.words), "slrt backup", standalone_mode=False, obj=door)
            code = EXIT_DONE
        except ApplianceError as error:
            code = error.exit_code
            raise
        finally:
            backup_errands.answer(runtime, asked, code)


@command.command()
@as_json
@click.pass_obj
def run(door: Door, as_json: bool) -> None:
    """Membuat cadangan sekarang dan membacanya kembali."""
    plan = plan_of(door.settings, Handed.read(door))
    become_keeper(door.settings)
    with stoppable(door.settings, "cadangan", job=True) as stop, translated(), gate_of(door.settings).work():
        wait_for_turn(plan, stop)
        record.note_passphrase(door.settings, plan.passphrase, datetime.now(UTC))
        outcome = back_up(plan, stop, quiet if as_json else steps(STEPS))
    if as_json:
        click.echo(json.dumps(outcome.as_json(), ensure_ascii=False))
    else:
        click.echo(f"{outcome.text} Lama: {outcome.seconds:.0f} detik.")


@command.command()
@click.option("--all-data", is_flag=True, help="Juga membaca setiap bita repositori dan setiap cadangan; dapat lama.")
@as_json
@click.pass_obj
def prove(door: Door, all_data: bool, as_json: bool) -> None:
    """Memulihkan cadangan terbaru di tempat uji dan membandingkan isinya; dicatat sebagai bukti."""
    plan = plan_of(door.settings, Handed.read(door))
    become_keeper(door.settings)
    total, work = (ALL_DATA_STEPS, read_everything) if all_data else (REHEARSAL_STEPS, rehearse)
    say = quiet if as_json else steps(total)
    with (
        logged(plan.state),
        stoppable(door.settings, "uji pemulihan", job=True) as stop,
        translated(),
        gate_of(door.settings).work(),
    ):
        wait_for_turn(plan, stop)
        line = work(plan, moment(datetime.now(UTC)), stop, say)
        log.info("%s", line.text)
    if as_json:
        click.echo(json.dumps(line.as_json(), ensure_ascii=False))
    else:
        click.echo(f"{line.text} Lama: {line.seconds:.0f} detik.")


@command.command(name="list")
@as_json
@click.option("--all", "everything", is_flag=True, help="Juga yang tidak lengkap (terputus).")
@with_source
@click.pass_obj
def list_backups(door: Door, as_json: bool, everything: bool, source: Source) -> None:
    """Menampilkan daftar cadangan, yang terbaru di bawah."""
    if hand_over(door, source, ["list", *(["--json"] if as_json else []), *(["--all"] if everything else [])]):
        return
    plan = plan_of(door.settings, Handed.read(door, source), source.folder)
    become_keeper(door.settings)
    with translated():
        found = [one for one in catalogue.list_runs(repository.engine(plan)) if one.complete or everything]
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in found], indent=1))
        return
    for one in found:
        click.echo(_line(one, door.settings))
    if not found:
        click.echo("Belum ada cadangan.")
    elif (until := (server_segments if plan.database_url else spool).last_moment(plan.log)) is not None:
        at = until.astimezone(door.settings.zone).strftime("%d-%m-%Y %H:%M:%S")
        click.echo(f'Catatan berkelanjutan sampai {at}; ke suatu saat: slrt backup restore "{at[:16]}" --to FOLDER')


@command.command()
@click.argument("wanted", metavar="[NOMOR]", default="terakhir")
@as_json
@click.pass_obj
def verify(door: Door, wanted: str, as_json: bool) -> None:
    """Membuktikan bahwa sebuah cadangan dapat dipulihkan (tanpa NOMOR: yang terakhir)."""
    plan = plan_of(door.settings, Handed.read(door))
    become_keeper(door.settings)
    if not as_json:
        click.echo("Membaca dan membandingkan seluruh isi cadangan; ini dapat lama …")
    with stoppable(door.settings, "cadangan") as stop, translated():
        wait_for_turn(plan, stop)
        manifest = verify_one(plan, wanted, stop)
    rows, number = sum(manifest.counts.values()), sum(files for files, _ in manifest.folders.values())
    if as_json:
        click.echo(json.dumps({"id": str(manifest.run), "ok": True, "rows": rows, "files": number}))
        return
    click.echo(f"Cadangan {manifest.run} utuh: {rows} baris data, {number} berkas.")


def _as_json(one: catalogue.Run) -> dict[str, object]:
    summary = one.summary
    return {
        "id": str(one.number),
        "at": summary.at.isoformat() if summary else None,
        "size": summary.bytes if summary else None,
        "state": "complete" if summary else "incomplete",
        "verified": one.complete,
    }


def _line(one: catalogue.Run, settings: Settings) -> str:
    if one.summary is None:
        return f"{one.number:>6}  tidak lengkap (terputus)"
    at = one.summary.at.astimezone(settings.zone).strftime("%d-%m-%Y %H:%M %Z")
    return f"{one.number:>6}  {at}  {one.summary.bytes / 1e6:>9.1f} MB  lengkap, teruji"
