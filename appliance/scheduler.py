"""The daemon of the clock: does each job of `scheduling` again and again, and tells systemd that it lives.

APScheduler only ticks. Whether something is due is asked of pure rules over what was recorded, so a night without power, a cut in
the middle and a clock that jumps lose nothing. A backup runs in a process of its own: `slrt backup run`, as an operator would, and on a node as another user.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from appliance.carried_log import CarriedLog
from appliance.config import Settings, config_path, load
from appliance.errors import ApplianceError
from appliance.notify import notify, watchdog_interval
from appliance.restoration.settling import complete
from appliance.scheduling import office_jobs
from appliance.scheduling.backup_jobs import BackupJobs
from appliance.scheduling.database_jobs import DatabaseJobs
from appliance.scheduling.machine_jobs import MachineJobs
from appliance.scheduling.workplace import Job, Workplace

PULSE = timedelta(seconds=10)
LONGEST_SILENCE = timedelta(minutes=3)
AT_ONCE = 8

log = logging.getLogger("slrt-scheduler")


class FromNow(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Fires an interval after now. APScheduler's own interval trigger lists every fire time it missed since 1970."""

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + self.interval


class Clockwork:
    """All jobs of one node. `ending` is set when the daemon shall end; a running backup then ends within seconds."""

    def __init__(self, settings: Settings, config_file: Path, ending: threading.Event) -> None:
        self._workplace = Workplace(settings, config_file, ending)
        carried = CarriedLog(settings)
        machine = MachineJobs(self._workplace)
        self._database = DatabaseJobs(self._workplace, carried)
        self._jobs = (
            Job("pulse", PULSE, self._pulse),
            *machine.jobs(),
            *BackupJobs(self._workplace, carried, machine.steady).jobs(),
            *self._database.jobs(),
            *office_jobs.jobs(self._workplace),
        )
        self._alive = time.monotonic()
        self._ticker = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(AT_ONCE)})

    def start(self) -> None:
        """Finish what a cut-off restore left, then begin to tick."""
        if complete(self._workplace.settings, self._workplace.service):
            log.warning("Pemulihan yang terputus diselesaikan.")
        for job in self._jobs:
            self._ticker.add_job(
                guarded(job.name, job.do),
                FromNow(job.every),
                name=job.name,
                next_run_time=datetime.now(UTC),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._ticker.start()

    def stop(self) -> None:
        """Wait for the running jobs, which end soon because `ending` is set, and carry over what came last."""
        self._ticker.shutdown(wait=True)
        self._database.close()

    def is_alive(self) -> bool:
        """Whether jobs are still being started: what the watchdog wants to know."""
        return time.monotonic() - self._alive < LONGEST_SILENCE.total_seconds()

    def _pulse(self) -> None:
        self._alive = time.monotonic()


def guarded(name: str, job: Callable[[], None]) -> Callable[[], None]:
    """The job loop's net: what goes wrong is logged with its traceback, and the next tick tries again."""

    def run_job() -> None:
        try:
            job()
        except ApplianceError as error:
            log.error("Tugas %s gagal: %s %s", name, error.message, error.hint)  # noqa: TRY400 - two sentences say it all
        except Exception:
            log.exception("Tugas %s gagal.", name)

    return run_job


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until told to end. Exits with the code of the error when the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="slrt-scheduler", description="Penjadwal simpul SLRT.")
    parser.add_argument("--config", type=Path, default=None, help="berkas pengaturan (biasanya /etc/slrt/appliance.toml)")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    try:
        config_file = chosen.config or config_path()
        run(Clockwork(load(config_file), config_file, ending), ending)
        # Not by the usual way: that closes the database, and whoever closes it last throws its log away, also what came a moment ago.
        logging.shutdown()
        os._exit(0)
    except ApplianceError as error:
        log.critical("Gagal: %s %s", error.message, error.hint)
        sys.exit(error.exit_code)


def run(clockwork: Clockwork, ending: threading.Event) -> None:
    """Tick until `ending`, telling systemd that the ticking goes on."""
    clockwork.start()
    notify("READY=1")
    pause = min(watchdog_interval() or PULSE, PULSE).total_seconds()
    while not ending.wait(pause):
        if clockwork.is_alive():
            notify("WATCHDOG=1")
    notify("STOPPING=1")
    clockwork.stop()


if __name__ == "__main__":
    main()
