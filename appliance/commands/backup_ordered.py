"""`slrt backup ordered`: what root's unit runs when somebody ordered something on the pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from appliance.commands.backup_plan import translated
from appliance.commands.backup_restore import HAS_TURN
from appliance.commands.door import Door, become_owner_of
from appliance.commands.handing_over import SLRT
from appliance.commands.restoring import start_what_a_killed_one_stopped
from appliance.commands.sources import REASON_GIVEN
from appliance.config import Settings
from appliance.errors import EXIT_FAILED
from appliance.restoration import looks, lost_papers
from appliance.restore_orders import Order, Progress, Wish, ended, take, tell
from backups.lock import only_run

Done = subprocess.CompletedProcess[str]
LEFT = "{left} berkas tidak ada lagi dalam cadangan mana pun. Mintalah aslinya kepada warga, atau cari pada stik cadangan."


@click.command(hidden=True)
@click.option("--end", is_flag=True, help="Sesudah perintah berakhir, juga yang dihentikan paksa: layanan berjalan lagi.")
@click.pass_obj
def ordered(door: Door, end: bool) -> None:
    """Menjalankan perintah pemulihan dari halaman."""
    if end:
        start_what_a_killed_one_stopped(door.settings)
        return
    with translated(), only_run(Path(door.settings.paths.runtime)):
        order = take(door.settings)
        if order is None:
            return
        done = _carry_out(door, order)
        click.echo(done.stderr if order.wish in ANSWERS else done.stdout + done.stderr, err=True)
        become_owner_of(Path(door.settings.paths.data))
        outcome = _outcome(door.settings, order, done)
        tell(door.settings, outcome)
    # papers that are in no backup are no failure of the unit
    sys.exit(0 if _is_answered(order, done) else done.returncode)


def _carry_out(door: Door, order: Order) -> Done:
    words = ["--config", str(door.config_file.absolute()), "backup", *_words_of(order)]
    return subprocess.run(
        [*SLRT, *words], capture_output=True, text=True, input=order.reason, env={**os.environ, HAS_TURN: "1"}, check=False
    )


def _words_of(order: Order) -> list[str]:
    why = [f"--by={order.by}", REASON_GIVEN]
    return {
        Wish.CHECK: ["restore", str(order.run), "--check"],
        Wish.RESTORE: ["restore", order.moment or str(order.run), "--in-place", "--yes", *why],
        Wish.DATABASE: ["restore", str(order.run), "--in-place", "--yes", *why, "--only", "database"],
        Wish.REVERT: ["revert", "--yes", *why],
        Wish.SEARCH: ["attachments", "--where", "--json"],
        Wish.PAPERS: ["attachments", "--put-back", "--json", *(f"--hash={sha256}" for sha256 in order.papers)],
        Wish.LOOK: [
            "show-case", f"--from={order.moment or order.run}", f"--as={order.by}", REASON_GIVEN, "--json", order.case,
        ],
    }[order.wish]  # fmt: skip


ENDS_WELL = {
    Wish.CHECK: "Cadangan {run} utuh dan dapat dipulihkan di sini.",
    Wish.RESTORE: "Data sudah dipulihkan {source}.",
    Wish.DATABASE: "Basis data sudah dipulihkan dari cadangan {run}; lampiran tetap yang sekarang.",
    Wish.REVERT: "Pemulihan terakhir sudah dibatalkan; data yang lama kembali.",
}


def _outcome(settings: Settings, order: Order, done: Done) -> Progress:
    """How it ended; what was answered for the pages is laid out for them first."""
    if _is_answered(order, done):
        return ANSWERS[order.wish](settings, order, json.loads(done.stdout))
    if done.returncode == 0:
        source = f"ke keadaan {order.moment.replace(':', '.')}" if order.moment else f"dari cadangan {order.run}"
        return ended(order, ok=True, text=ENDS_WELL[order.wish].format(run=order.run, source=source))
    said = dict(line.partition(": ")[::2] for line in done.stderr.splitlines() if ": " in line)
    text = said.get("Gagal", f"Perintah berhenti dengan kode {done.returncode}.")
    return ended(order, ok=False, text=text, next_step=said.get("Langkah berikutnya", "Lihat: sudo journalctl -u slrt-restore"))


def _is_answered(order: Order, done: Done) -> bool:
    """Whether it did what was asked; papers that are still missing end such a command with the code of a failure."""
    return order.wish in ANSWERS and bool(done.stdout) and done.returncode in (0, EXIT_FAILED)


def _searched(settings: Settings, order: Order, answer: Mapping[str, Any]) -> Progress:
    found = lost_papers.keep(settings, answer, datetime.now(UTC))
    text = f"{found.seen} berkas diperiksa: {len(answer['missing'])} hilang, {len(answer['altered'])} berubah."
    return ended(order, ok=True, text=text)


def _brought_back(settings: Settings, order: Order, answer: Mapping[str, Any]) -> Progress:
    # what was asked for and is well by now had come back already
    left = set(answer["left"])
    lost_papers.take_off(settings, set(order.papers) - left)
    text = f"{len(answer['put_back'])} berkas dikembalikan ke tempatnya."
    return ended(order, ok=not left, text=text, next_step=LEFT.format(left=len(left)) if left else "")


def _looked(settings: Settings, order: Order, answer: Mapping[str, Any]) -> Progress:
    name = looks.keep(settings, answer, order.by)
    return ended(order, ok=True, text="Keadaan dahulu siap dibaca selama 30 menit.", result=name)


# What these answer is for the pages only; the machine's journal is read by others.
ANSWERS: Mapping[Wish, Callable[[Settings, Order, Mapping[str, Any]], Progress]] = {
    Wish.SEARCH: _searched,
    Wish.PAPERS: _brought_back,
    Wish.LOOK: _looked,
}
