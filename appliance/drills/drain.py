"""L1: the real drain. The gate is closed as in an outage, running work ends, everything goes to the disk, the gate opens again."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from appliance.config import Settings
from appliance.database import checkpoint
from appliance.drills.progress import DrillAborted, Progress
from appliance.drills.records import Check
from appliance.drills.waiting import Stopwatch, until
from appliance.gate import Gate
from appliance.power import drain_drill
from appliance.power.state import STATE_FILE

CLOSED_WITHIN = 3.0  # seconds; the watcher looks once a second
WRITTEN_WITHIN = 20.0
OPEN_WITHIN = 3.0


def run(progress: Progress, settings: Settings) -> None:
    """Drain and open again. Raises DrillAborted when the watcher does not answer or the mains fails meanwhile."""
    folder = Path(settings.paths.runtime)
    gate = Gate(folder / "gate.lock", Path(settings.power.runtime) / STATE_FILE)
    progress.step("Gerbang pekerjaan diminta menutup: simpanan baru ditolak sebentar.")
    drain_drill.ask(folder, timedelta(seconds=time.monotonic()) + drain_drill.LONGEST)
    try:
        _drain(progress, settings, gate)
    finally:
        drain_drill.withdraw(folder)
    watch = Stopwatch()
    opened = until(gate.accepts_work, 10 * OPEN_WITHIN)
    progress.step("Gerbang dibuka kembali." if opened else "Gerbang belum terbuka kembali.")
    progress.check(Check("Simpanan baru diterima lagi", opened and watch.seconds <= OPEN_WITHIN, watch.words))


def _drain(progress: Progress, settings: Settings, gate: Gate) -> None:
    watch = Stopwatch()
    if not until(lambda: not gate.accepts_work(), 10 * CLOSED_WITHIN):
        raise DrillAborted("Pengawas listrik tidak menutup gerbang. Periksa: sudo slrt power status")
    progress.check(Check("Simpanan baru ditolak", watch.seconds <= CLOSED_WITHIN, watch.words))
    watch, patience = Stopwatch(), settings.power.drain_seconds
    idle = gate.wait_until_idle(patience)
    progress.note(drain_seconds=round(watch.seconds, 2))
    progress.check(Check(f"Pekerjaan yang berjalan selesai dalam {patience} detik", idle, watch.words))
    if not idle:
        progress.step("Masih ada pekerjaan yang berjalan; pada pemadaman sungguhan sistem tidak menunggunya lebih lama.")
        return
    watch = Stopwatch()
    # Nobody else can write or checkpoint now: the scheduler's own checkpoint passes the gate as well.
    whole = until(lambda: checkpoint(settings, empty=False), WRITTEN_WITHIN)
    progress.note(checkpoint_seconds=round(watch.seconds, 2))
    progress.check(Check("Semua data tertulis ke disk", whole and watch.seconds <= WRITTEN_WITHIN, watch.words))
