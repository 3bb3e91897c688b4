"""L3 and L3b: the plug is pulled and stays out, the node ends itself, comes back, and its next start completes the record.

The drill itself does nothing but write down when it began: everything else is the real protection. So the record is judged by the
journal of the power, as an outage would be.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from appliance.config import Settings
from appliance.drills import records
from appliance.drills.progress import DrillAborted, Progress, only_drill
from appliance.drills.records import Level, Record, Result, Step
from appliance.drills.rules import TO_THE_END, judge_full, result_of
from appliance.drills.waiting import until
from appliance.errors import TryLater
from appliance.power import journal
from appliance.power.state import STATE_FILE, State, read

PULL_SECONDS = 300.0
END_SECONDS = 3600.0
GIVEN_UP = timedelta(hours=6)
INSTRUCTIONS = {
    Level.FULL: "Biarkan steker tercabut. Sesudah mesin mati dan UPS diam, tunggu 3 menit, lalu colokkan. Jangan tekan tombol daya.",
    Level.RACE: "Biarkan steker tercabut sampai layar berkata sistem sedang mati, lalu SEGERA colokkan. Jangan tekan tombol daya.",
}


def run(progress: Progress, settings: Settings) -> None:
    """Guide until the node ends under this process. Raises DrillAborted when the plug stays in or is put back too early."""
    file = Path(settings.power.runtime) / STATE_FILE
    progress.step("Cabut steker UPS dari stopkontak SEKARANG. Jangan cabut kabel data UPS.")
    if not until(lambda: _mains(file) is False, PULL_SECONDS):
        raise DrillAborted("Steker tidak dicabut; tidak ada yang berubah. Ulangi latihan bila sudah siap.")
    progress.step("UPS melaporkan listrik padam. " + INSTRUCTIONS[progress.record.level])
    until(lambda: _ends(file) or _is_over(file), END_SECONDS)
    if _is_over(file):
        raise DrillAborted("Listrik dikembalikan sebelum sistem memutuskan mati; latihan tidak sampai selesai.")
    progress.step("Sistem sedang mati. Catatan ini dilengkapi sendiri ketika mesin hidup kembali.")


def complete(settings: Settings, at: datetime) -> list[Record]:
    """Finish the records of drills that ended with the node, by the power journal. Which were finished. Raises OSError."""
    folder = records.folder_of(Path(settings.paths.data))
    open_ones = [one for one in records.list_records(folder) if one.result is Result.RUNNING]
    if not open_ones:
        return []
    try:
        with only_drill(folder):
            return [done for one in open_ones if (done := _completed(folder, one, settings, at)) is not None]
    except TryLater:
        return []  # one is running right now


def _completed(folder: Path, record: Record, settings: Settings, at: datetime) -> Record | None:
    if record.level not in TO_THE_END:
        return records.close(folder, replace(record, ended_at=at, result=Result.CUT, summary="Latihan terputus."))
    entries = journal.entries(Path(settings.power.state) / journal.JOURNAL_FILE)
    judged = judge_full(record.begun_at, entries)
    if judged is not None:
        back_at, checks = judged
        steps = (*record.steps, Step(back_at, "Mesin hidup kembali."))
        ended = replace(record, steps=steps, checks=tuple(checks), ended_at=back_at, result=result_of(checks))
        return records.close(folder, ended)
    if at - record.begun_at < GIVEN_UP:
        return None
    return records.close(folder, replace(record, ended_at=at, result=Result.CUT, summary="Mesin tidak mati dalam latihan ini."))


def _mains(file: Path) -> bool | None:
    state = read(file)
    return state.mains if state else None


def _ends(file: Path) -> bool:
    state = read(file)
    return state is not None and state.stage == "down"


def _is_over(file: Path) -> bool:
    """Mains again, and the node works on as if nothing had been."""
    state: State | None = read(file)
    return state is not None and state.stage == "online" and state.mains is True
