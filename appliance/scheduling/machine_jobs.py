"""The jobs for the machine: its clock, its mains, the room on its disks, and the drills."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.care import reserve, space
from appliance.clock import Reading
from appliance.clock_watch import ClockWatch
from appliance.drills import full
from appliance.power import state as power_state
from appliance.scheduling.workplace import Job, Workplace

LOOK_AT_CLOCK = timedelta(seconds=10)
LOOK_AT_MAINS = timedelta(seconds=5)
WATCH_ROOM = timedelta(seconds=10)
COMPLETE_DRILLS = timedelta(seconds=30)
ROOM_SAID = {
    space.Level.ROOMY: "cukup.",
    space.Level.LOW: "mulai sempit.",
    space.Level.TIGHT: "hampir penuh; impor, ekspor dan uji pemulihan ditunda.",
    space.Level.LAST: "penuh; ruang cadangannya dilepas agar data masih dapat disimpan.",
}

log = logging.getLogger("slrt-scheduler")


class MachineJobs:
    """What is looked at, and what was seen last."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace, self._settings = workplace, workplace.settings
        self._clock, self._clock_was = ClockWatch(workplace.settings), Reading.RIGHT
        self._dark_at: float | None = None
        self._fullness = space.Level.ROOMY

    def jobs(self) -> tuple[Job, ...]:
        """What is done, and how often."""
        return (
            Job("clock", LOOK_AT_CLOCK, self.look_at_clock),
            Job("mains", LOOK_AT_MAINS, self.look_at_mains),
            Job("room", WATCH_ROOM, self.watch_room),
            Job("drills", COMPLETE_DRILLS, self.complete_drills),
        )

    def steady(self) -> timedelta | None:
        """For how long the mains has held; None when no cut was seen since this daemon began."""
        return None if self._dark_at is None else timedelta(seconds=time.monotonic() - self._dark_at)

    def look_at_clock(self) -> None:
        """Remember until when the clock was right, and tell when somebody set it."""
        if not self._workplace.has_tables():
            return
        with self._workplace.service.app_context():
            reading = self._clock.look()
        if reading is not Reading.RIGHT and reading is not self._clock_was:
            log.error("Jam simpul tidak dapat dipercaya (%s); simpanan baru ditahan sampai jam diatur.", reading)
        self._clock_was = reading

    def look_at_mains(self) -> None:
        """Remember when the mains was last seen away: what is late waits until it has held for a while."""
        published = power_state.read(Path(self._settings.power.runtime) / power_state.STATE_FILE)
        if published is not None and published.mains is False:
            self._dark_at = time.monotonic()

    def watch_room(self) -> None:
        """Look how full the disks are; what writes much waits while that of the data is all but full."""
        level = reserve.watch(self._settings).of_data
        if level is not self._fullness:
            log.warning("Ruang disk data: %s", ROOM_SAID[level])
        self._fullness = level

    def complete_drills(self) -> None:
        """Finish the record of a power drill that ended with the node, or whose process died."""
        for record in full.complete(self._settings, datetime.now(UTC)):
            log.info("Catatan latihan %s dilengkapi.", record.id)
