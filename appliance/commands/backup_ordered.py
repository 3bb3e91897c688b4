"""`slrt backup ordered`: what root's unit runs when an administrator ordered something on the pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from appliance.commands.backup_restore import HAS_TURN
from appliance.commands.door import Door, become_owner_of
from appliance.commands.restoring import SLRT, translated
from appliance.restore_orders import Order, Progress, Wish, ended, take, tell
from backups.lock import only_run


@click.command(hidden=True)
@click.pass_obj
def ordered(door: Door) -> None:
    """Menjalankan perintah pemulihan dari halaman admin."""
    with translated(), only_run(Path(door.settings.paths.runtime)):
        order = take(door.settings)
        if order is None:
            return
        done = _carry_out(door, order)
        click.echo(done.stdout + done.stderr, err=True)
        become_owner_of(Path(door.settings.paths.data))
        tell(door.settings, _outcome(order, done))
    sys.exit(done.returncode)


def _carry_out(door: Door, order: Order) -> subprocess.CompletedProcess[str]:
    words = ["--config", str(door.config_file.absolute()), "backup", *_words_of(order)]
    return subprocess.run(
        [*SLRT, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, env={**os.environ, HAS_TURN: "1"}, check=False
    )


def _words_of(order: Order) -> list[str]:
    if order.wish is Wish.CHECK:
        return ["restore", str(order.run), "--check"]
    why = [f"--by={order.by}", f"--reason={order.reason}"]
    return ["revert", "--yes", *why] if order.wish is Wish.REVERT else ["restore", str(order.run), "--in-place", "--yes", *why]


ENDS_WELL = {
    Wish.CHECK: "Cadangan {run} utuh dan dapat dipulihkan di sini.",
    Wish.RESTORE: "Data sudah dipulihkan dari cadangan {run}.",
    Wish.REVERT: "Pemulihan terakhir sudah dibatalkan; data yang lama kembali.",
}


def _outcome(order: Order, done: subprocess.CompletedProcess[str]) -> Progress:
    if done.returncode == 0:
        return ended(order, ok=True, text=ENDS_WELL[order.wish].format(run=order.run))
    said = dict(line.partition(": ")[::2] for line in done.stderr.splitlines() if ": " in line)
    text = said.get("Gagal", f"Perintah berhenti dengan kode {done.returncode}.")
    return ended(order, ok=False, text=text, next_step=said.get("Langkah berikutnya", "Lihat: sudo journalctl -u slrt-restore"))
