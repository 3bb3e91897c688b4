"""`slrt status`: is this node well, and what to do where it is not?"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.commands.door import Door, become_owner_of
from appliance.errors import EXIT_DONE, EXIT_FAILED
from appliance.status import Health, Status, is_well, read_status

PAUSE = 0.5  # seconds
NAMES = {
    "web": "Halaman web",
    "database": "Basis data",
    "backup": "Cadangan",
    "sticks": "Stik USB",
    "sheet": "Lembar",
    "power": "Listrik",
    "disk": "Ruang disk",
    "hardware": "Perangkat",
    "certificate": "Sertifikat",
    "clock": "Jam",
    "services": "Layanan",
}
WORDS = {
    Health.OK: click.style("baik     ", fg="green"),
    Health.WARN: click.style("perhatian", fg="yellow"),
    Health.FAIL: click.style("RUSAK    ", fg="red", bold=True),
    Health.UNKNOWN: click.style("tak tahu ", fg="yellow"),
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Keluaran JSON untuk program lain.")
@click.option("--wait", "patience", type=float, default=0.0, help="Menunggu paling lama sekian detik sampai semua baik.")
@click.pass_obj
def command(door: Door, as_json: bool, patience: float) -> None:
    """Apakah sistem ini sehat? Kode keluar 0 bila semua baik, selain itu 1."""
    become_owner_of(Path(door.settings.paths.data))
    deadline = time.monotonic() + patience
    while not is_well(status := read_status(door.settings, datetime.now(UTC))) and time.monotonic() < deadline:
        time.sleep(PAUSE)
    if as_json:
        parts = {name: dataclasses.asdict(part) for name, part in status.items()}
        click.echo(json.dumps({"ok": is_well(status), **parts}, ensure_ascii=False, indent=2))
    else:
        _print(status)
    sys.exit(EXIT_DONE if is_well(status) else EXIT_FAILED)


def _print(status: Status) -> None:
    for name, part in status.items():
        click.echo(f"{WORDS[part.state]}  {NAMES[name]:<12}{part.text}")
        if part.next_step:
            click.echo(f"{'':>11}{'':<12}→ {part.next_step}")
    click.echo()
    click.echo("Semua baik." if is_well(status) else "Ada yang perlu diperhatikan; ikuti tanda → di atas.")
