"""Beginning a drill: how the node is now, what speaks against it, and the one drill that then runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from appliance import custody
from appliance.config import Settings
from appliance.drills import drain, full, plug, records, table_top
from appliance.drills.plug import Pace
from appliance.drills.progress import Progress, new_record, only_drill, recorded
from appliance.drills.records import Level, Record
from appliance.drills.rules import Refusal, Situation, refusals
from appliance.errors import TryLater
from appliance.power import journal
from appliance.power.book import cuts
from appliance.power.chain_check import read_light
from appliance.power.state import STATE_FILE, read
from backups import lock, outcome


class DrillRefused(TryLater):
    """A drill may not begin now; the message holds all reasons, the hint what to do about the first."""

    def __init__(self, found: list[Refusal]) -> None:
        super().__init__("Latihan belum boleh dimulai: " + " ".join(one.reason for one in found), found[0].remedy)
        self.refusals = found


def situation(settings: Settings, at: datetime) -> Situation:
    """How the node is at `at` (aware), as far as a drill cares."""
    power = settings.power
    state = read(Path(power.runtime) / STATE_FILE)
    ended = [cut.back_at for cut in cuts(journal.entries(Path(power.state) / journal.JOURNAL_FILE)) if cut.back_at]
    record = outcome.read(custody.state_of(settings))
    return Situation(
        at,
        mains=state.mains if state else None,
        stage=state.stage if state else "",
        charge=state.charge if state else None,
        light=read_light(settings, at).color,
        last_cut_ended=ended[-1] if ended else None,
        backup_runs=lock.is_running(custody.state_of(settings)),
        good_backup=record.last_good.moment.at if record.last_good and record.last_good.verified else None,
    )


def perform(level: Level, settings: Settings, by: str, tell: Callable[[str], None], pace: Pace | None = None) -> Record:
    """Run one drill to its end and return its record; of a full drill the one that the next start completes.

    Raises DrillRefused, TryLater when another one runs, or OSError when the record cannot be kept.
    """
    found = refusals(level, situation(settings, datetime.now(UTC)))
    if found:
        raise DrillRefused(found)
    folder = records.folder_of(Path(settings.paths.data))
    with only_drill(folder), recorded(folder, new_record(level, settings.node.office, by), tell) as progress:
        _run(level, progress, settings, pace or Pace())
    return progress.record


def _run(level: Level, progress: Progress, settings: Settings, pace: Pace) -> None:
    match level:
        case Level.TABLE_TOP:
            table_top.run(progress, settings)
        case Level.DRAIN:
            drain.run(progress, settings)
        case Level.PLUG:
            plug.run(progress, settings, pace)
        case _:
            full.run(progress, settings)
