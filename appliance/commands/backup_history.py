"""`slrt backup history`: the nights, what was proven, and what is going on, from the book of runs; asks nothing of the repository."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from appliance.commands.door import Door, become_keeper
from backups import book, progress
from backups.nights import Night, NightState, nights
from backups.schedule import Depth
from backups.words import megabytes

WORDS = {
    NightState.RESTORED: click.style("terbukti dipulihkan", fg="green"),
    NightState.READ_BACK: "dibaca kembali     ",
    NightState.FAILED: click.style("GAGAL              ", fg="red", bold=True),
    NightState.NONE: click.style("tidak ada          ", fg="yellow"),
}


@click.command()
@click.option("--days", type=click.IntRange(1, 800), default=31, show_default=True, help="Berapa hari ke belakang.")
@click.option("--json", "as_json", is_flag=True, help="Keluaran untuk program.")
@click.pass_obj
def history(door: Door, days: int, as_json: bool) -> None:
    """Menampilkan setiap malam dengan ukuran dan buktinya, dan cadangan yang sedang berjalan."""
    state, zone, now = Path(door.settings.paths.data) / "backup", door.settings.zone, datetime.now(UTC)
    become_keeper(door.settings)
    lines, today = book.lines(state), now.astimezone(zone).date()
    found, running = nights(lines, today - timedelta(days=days - 1), today, zone), progress.read(state, now)
    proven = book.last_good(lines, *Depth)
    if as_json:
        told = {
            "running": vars(running) if running else None,
            "last_restored": proven.as_json() if proven else None,
            "nights": [_as_json(night) for night in found],
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    for night in found:
        click.echo(_line(night))
    when = f"{proven.moment.at.astimezone(zone):%d-%m-%Y %H.%M}" if proven else "belum pernah"
    click.echo(f"Terakhir terbukti bisa dipulihkan: {when}.")
    if running:
        click.echo(f"Sedang berjalan ({running.step}/{running.total}): {running.text}")


def _as_json(night: Night) -> dict[str, object]:
    return {
        "day": night.day.isoformat(),
        "state": night.state,
        "stays": night.stays,
        "backup": night.backup.as_json() if night.backup else None,
        "proofs": [line.as_json() for line in night.proofs],
    }


def _line(night: Night) -> str:
    about = f"{night.day:%d-%m-%Y}  {WORDS[night.state]}"
    if night.backup is None:
        return about
    if not night.backup.ok:
        return f"{about}  {night.backup.text}"
    size, added = megabytes(night.backup.bytes), megabytes(night.backup.added)
    left = "" if night.stays else "  (sudah dihapus menurut masa simpan)"
    return f"{about}  nomor {night.backup.number}  {size}, tambahan {added}{left}"
