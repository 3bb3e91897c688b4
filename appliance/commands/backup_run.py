"""`slrt backup run | prove | verify | list`: a backup now, what proves it, and which there are."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from appliance.commands.backing_up import back_up, logged, wait_for_turn
from appliance.commands.backup_plan import Handed, Source, gate_of, plan_of, translated
from appliance.commands.door import Door, become_keeper
from appliance.commands.handing_over import hand_over
from appliance.commands.pacing import log, steps, stoppable
from appliance.commands.sources import as_json, with_source
from appliance.config import Settings
from appliance.recovery import record
from backups import catalogue, repository, server_segments, spool
from backups.clock import moment
from backups.ladder import ALL_DATA_STEPS, REHEARSAL_STEPS, read_everything, rehearse
from backups.take import STEPS, quiet
from backups.verify import verify as verify_one
from backups.words import megabytes


@click.command()
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


@click.command()
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


@click.command(name="list")
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


@click.command()
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
    return f"{one.number:>6}  {at}  {megabytes(one.summary.bytes):>12}  lengkap, teruji"
