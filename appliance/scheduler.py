"""The daemon of the clock: asks every half minute whether a backup is due, and keeps SQLite's write-ahead log short.

APScheduler only ticks. Whether something is due is asked of pure rules over what was recorded, so a night without power, a cut in
the middle and a clock that jumps lose nothing. A backup runs in a process of its own: `slrt backup run`, as an operator would, and on a node as another user.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as local_time
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from appliance import backup_errands, backup_news, backup_orders, custody
from appliance.accounts.sessions import acting_for
from appliance.background import is_anything_to_do
from appliance.backup_orders import Wish
from appliance.care import reserve, space
from appliance.carried_log import CarriedLog
from appliance.casework.closing import close_settled
from appliance.casework.escalation import escalate_late
from appliance.casework.handover_plans import do_due
from appliance.casework.office_calendar import calendar_in_use
from appliance.casework.referral_reminders import end_left_over, remind_late
from appliance.clock import Reading, mark_file
from appliance.clock_watch import ClockWatch
from appliance.config import Settings, config_path, load
from appliance.database import checkpoint, create_service, current_revision, newest_revision, refresh_statistics
from appliance.drills import full
from appliance.errors import ApplianceError, TryLater
from appliance.exchange.exports import remove_expired
from appliance.exchange.imports import remove_unneeded
from appliance.gate import Gate
from appliance.notify import notify, watchdog_interval
from appliance.power import state as power_state
from appliance.registry import area_counts, duplicate_night
from appliance.registry.file_store import sweep_arriving
from appliance.restoration import looks, replaced
from appliance.restoration.settling import complete
from appliance.sticks import book as stick_book
from appliance.sticks.rules import copy_due
from backups import book, lock, outcome
from backups.clock import moment
from backups.schedule import Depth, Moment, Reason, Rhythm, base_due, due, proof_due

TICK = timedelta(seconds=30)
CHECKPOINT = timedelta(minutes=1)
CARRY_OVER = timedelta(seconds=2)
CARRY_FILES = timedelta(seconds=5)
PRUNE = timedelta(hours=6)
STATISTICS = timedelta(minutes=10)
LOOK_FOR_WORK = timedelta(seconds=3)
LOOK_FOR_POWER_OFF = timedelta(seconds=1)
LOOK_FOR_ORDERS = timedelta(seconds=3)
LOOK_AT_MAINS = timedelta(seconds=5)
LOOK_AT_CLOCK = timedelta(seconds=10)
CLEAR_EXPORTS = timedelta(minutes=2)
CLEAR_UPLOADS = timedelta(hours=1)
CLEAR_LOOKS = timedelta(minutes=1)
CLOSE_CASES = timedelta(minutes=10)
ESCALATE = timedelta(minutes=1)
REMIND = timedelta(minutes=5)
WATCH_ROOM = timedelta(seconds=10)
PULSE = timedelta(seconds=10)
LONGEST_SILENCE = timedelta(minutes=3)
POLL_SECONDS = 0.2
GRACE_SECONDS = 20
DEVICE = "penjadwal"
SLRT = (sys.executable, "-c", "from appliance.cli import main; main()")
SAID = {
    Reason.FIRST: "Cadangan pertama dimulai.",
    Reason.ON_TIME: "Cadangan terjadwal dimulai.",
    Reason.LATE: "Cadangan yang terlewat disusulkan.",
    Reason.CLOCK: "Jam sistem mundur; cadangan dibuat untuk berjaga-jaga.",
    Reason.CHAIN: "Catatan berkelanjutan terputus; cadangan baru dibuat sebagai pangkalnya.",
}
ROOM_SAID = {
    space.Level.ROOMY: "cukup.",
    space.Level.LOW: "mulai sempit.",
    space.Level.TIGHT: "hampir penuh; impor, ekspor dan uji pemulihan ditunda.",
    space.Level.LAST: "penuh; ruang cadangannya dilepas agar data masih dapat disimpan.",
}
WORDS: dict[str, tuple[str, ...]] = {
    Wish.BACKUP: ("backup", "run"),
    Depth.REHEARSAL: ("backup", "prove"),
    Depth.ALL_DATA: ("backup", "prove", "--all-data"),
}

log = logging.getLogger("slrt-scheduler")


class FromNow(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """Fires an interval after now. APScheduler's own interval trigger lists every fire time it missed since 1970."""

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        return now + self.interval


class Clockwork:
    """The jobs of one node. `ending` is set when the daemon shall end; a running backup then ends within seconds."""

    def __init__(self, settings: Settings, config_file: Path, ending: threading.Event) -> None:
        self._settings, self._config_file, self._ending = settings, config_file, ending
        self._state, self._runtime = custody.state_of(settings), Path(settings.paths.runtime)
        self._repository = Path(settings.backup.repository)
        self._gate = Gate(self._runtime / "gate.lock", Path(settings.power.runtime) / "state.json", mark_file(settings))
        self._service = create_service(settings)
        self._clock = ClockWatch(settings)
        self._log = CarriedLog(settings)
        self._tables_there = False
        self._dark_at: float | None = None
        self._statistics_of: date | None = None
        self._made_way: Moment | None = None
        self._fullness = space.Level.ROOMY
        self._clock_was = Reading.RIGHT
        self._alive = time.monotonic()
        self._ticker = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(8)})

    def start(self) -> None:
        """Finish what a cut-off restore left, then begin to tick."""
        if complete(self._settings, self._service):
            log.warning("Pemulihan yang terputus diselesaikan.")
        for name, job, interval in (
            ("pulse", self._pulse, PULSE),
            ("clock", self.look_at_clock, LOOK_AT_CLOCK),
            ("mains", self.look_at_mains, LOOK_AT_MAINS),
            ("room", self.watch_room, WATCH_ROOM),
            ("backup", self.back_up_if_due, TICK),
            ("proof", self.prove_if_due, TICK),
            ("orders", self.do_what_is_ordered, LOOK_FOR_ORDERS),
            ("news", self.publish_backup_news, TICK),
            ("sticks", self.write_sticks_if_due, TICK),
            ("log", self._log.carry_over, CARRY_OVER),
            ("files", self._log.carry_files, CARRY_FILES),
            ("checkpoint", self.keep_log_short, CHECKPOINT),
            ("old log", self.prune_log, PRUNE),
            ("statistics", self.refresh_statistics, STATISTICS),
            ("save", self.save_before_power_off, LOOK_FOR_POWER_OFF),
            ("work", self.do_waiting_work, LOOK_FOR_WORK),
            ("night", self.ask_for_the_night, TICK),
            ("handovers", self.hand_over_if_due, TICK),
            ("exports", self.clear_exports, CLEAR_EXPORTS),
            ("uploads", self.clear_uploads, CLEAR_UPLOADS),
            ("looks", self.clear_looks, CLEAR_LOOKS),
            ("closing", self.close_settled_cases, CLOSE_CASES),
            ("escalation", self.escalate_late_cases, ESCALATE),
            ("left over", self.end_left_over_referrals, REMIND),
            ("reminders", self.remind_of_referrals, REMIND),
            ("drills", self.complete_drills, TICK),
        ):
            self._ticker.add_job(
                guarded(name, job),
                FromNow(interval),
                name=name,
                next_run_time=datetime.now(UTC),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._ticker.start()

    def stop(self) -> None:
        """Wait for the running jobs, which end soon because `ending` is set, and carry over what came last."""
        self._ticker.shutdown(wait=True)
        self._log.carry_over()
        self._log.carry_files()
        self._log.close()

    def is_alive(self) -> bool:
        """Whether jobs are still being started: what the watchdog wants to know."""
        return time.monotonic() - self._alive < LONGEST_SILENCE.total_seconds()

    def _pulse(self) -> None:
        self._alive = time.monotonic()

    def back_up_if_due(self) -> None:
        """Run a backup when one is due and nobody stands in the way."""
        reason = self._due_backup()
        if reason is None or not self._gate.accepts_jobs() or self._is_backup_running():
            return
        log.info("%s", SAID[reason])
        code = self._run_backup()
        if code == TryLater.exit_code:
            self._made_way = outcome.read(self._state).attempt
        if code not in {0, TryLater.exit_code}:
            log.error("Pencadangan gagal (kode %d); dicoba lagi satu jam lagi.", code)

    def _due_backup(self) -> Reason | None:
        record = outcome.read(self._state)
        good = record.last_good.moment if record.last_good else None
        # One that made way for an outage has not failed: it is made again once the mains holds, not after an hour.
        failed = None if record.attempt == self._made_way else record.attempt
        now, rhythm, steady = moment(datetime.now(UTC)), self._rhythm(), self._steady()
        reason = due(now, good, failed, rhythm, steady)
        if reason is None and base_due(now, record.attempt, rhythm, steady) and self._log.wants_base(book.lines(self._state)):
            return Reason.CHAIN
        return reason

    def _run_backup(self) -> int:
        return self._run(*WORDS[Wish.BACKUP])

    def _is_backup_running(self) -> bool:
        """Whether anything is done with the backups. Where they have a user of their own, the repository is hidden from us."""
        return any(map(lock.is_running, (self._state, self._repository))) or backup_errands.is_under_way(self._runtime)

    def look_at_clock(self) -> None:
        """Remember until when the clock was right, and tell when somebody set it."""
        if not self._has_tables():
            return
        with self._service.app_context():
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

    def _steady(self) -> timedelta | None:
        """For how long the mains has held; None when no cut was seen since this daemon began."""
        return None if self._dark_at is None else timedelta(seconds=time.monotonic() - self._dark_at)

    def _rhythm(self) -> Rhythm:
        """When this node wants its backups, by the office's own hours where it is switched off at night."""
        rhythm, minutes = rhythm_of(self._settings), self._settings.backup.before_closing_minutes
        if not minutes or not self._has_tables():
            return rhythm
        with self._service.app_context():
            week = calendar_in_use().week
        return before_closing(rhythm, [hours.closes if hours else None for hours in week], minutes)

    def prove_if_due(self) -> None:
        """Restore the newest backup into a spare place each week, read everything each month; after the backup that is due."""
        if outcome.read(self._state).last_good is None or self._due_backup() is not None:
            return
        depth = proof_due(moment(datetime.now(UTC)), book.proofs(book.lines(self._state)), self._rhythm(), self._steady())
        if depth is None or not self._gate.accepts_jobs() or reserve.holds_jobs(self._settings) or self._is_backup_running():
            return
        log.info("Uji pemulihan terjadwal dimulai.")
        code = self._run(*WORDS[depth])
        if code not in {0, TryLater.exit_code}:
            log.error("Uji pemulihan gagal (kode %d); dicoba lagi sehari lagi.", code)

    def do_what_is_ordered(self) -> None:
        """Do what somebody asked for on the page. It waits for the mains, and for a run that is under way."""
        if not backup_orders.is_waiting(self._settings) or not self._gate.accepts_jobs() or self._is_backup_running():
            return
        order = backup_orders.take(self._settings)
        if order is None:
            log.warning("Permintaan pencadangan tidak terbaca dan dibuang.")
            return
        log.info("Pencadangan atau uji pemulihan dimulai atas permintaan %s.", order.by)
        if (code := self._run(*WORDS[order.wish])) != 0:
            log.error("Permintaan %s tidak selesai (kode %d).", order.wish, code)

    def publish_backup_news(self) -> None:
        """Say how old the newest good backup is, for the notices."""
        lines = book.lines(self._state)
        news = backup_news.of(self._settings, lines, self._log.reaches(lines), self._log.reaches_back(lines))
        backup_news.publish(self._settings, news)

    def write_sticks_if_due(self) -> None:
        """Write to the stick that is plugged in and due, after the node's own backup."""
        settings = self._settings
        if self._due_backup() or not self._gate.accepts_jobs() or self._is_backup_running():
            return
        sight = stick_book.read_sight(stick_book.folder_of(settings))
        for stick in stick_book.read_known(stick_book.folder_of(settings)):
            copies = outcome.read(stick_book.state_of(settings, stick))
            if not copy_due(moment(datetime.now(UTC)), sight.of(stick), copies, self._rhythm()):
                continue
            log.info("%s ditulisi.", stick.name)
            code = self._run("backup", "disk", "copy", stick.label)
            if code not in {0, TryLater.exit_code}:
                log.error("%s gagal ditulisi (kode %d).", stick.name, code)

    def do_waiting_work(self) -> None:
        """Start a worker when somebody asked for an import, an export or other long work."""
        free = self._gate.accepts_jobs() and self._gate.accepts_work() and not reserve.holds_jobs(self._settings)
        if not free or not self._is_work_waiting():
            return
        code = self._run("work")
        if code not in {0, TryLater.exit_code}:
            log.error("Pekerjaan latar belakang gagal (kode %d).", code)

    def ask_for_the_night(self) -> None:
        """Put what is done once a night into the queue; it is late by itself when the node was off."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            at, rhythm = datetime.now(UTC), rhythm_of(self._settings)
            area_counts.ask_nightly(at, self._settings.zone)
            if duplicate_night.ask_if_due(at, rhythm.time, rhythm.zone):
                log.info("Pencarian data ganda malam ini masuk antrean.")

    def hand_over_if_due(self) -> None:
        """Do the handovers that were planned for today, or for a day on which the node was off."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            at, zone = datetime.now(UTC), self._settings.zone
            if done := do_due(at, lambda account_id: acting_for(account_id, at, DEVICE, zone)):
                log.info("%d serah terima yang direncanakan sudah dilakukan.", done)

    def _is_work_waiting(self) -> bool:
        if not self._has_tables():
            return False
        with self._service.app_context():
            return is_anything_to_do()

    def _has_tables(self) -> bool:
        self._tables_there = self._tables_there or current_revision(self._settings) == newest_revision()
        return self._tables_there

    def clear_exports(self) -> None:
        """Delete exported lists whose time is over, and what a killed run left of one."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            if removed := remove_expired(self._settings, at=datetime.now(UTC)):
                log.info("%d berkas ekspor yang kedaluwarsa dihapus.", removed)

    def clear_uploads(self) -> None:
        """Delete what killed processes left of files on their way in: papers of people, and lists for imports."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            at = datetime.now(UTC)
            removed = sweep_arriving(self._settings, at=at) + remove_unneeded(self._settings, at=at)
            custody.clear_restores(self._settings)
            if gone := replaced.remove_due(self._settings, at):
                log.info("%d keadaan sebelum pemulihan yang tidak diperlukan lagi dihapus.", gone)
            if removed:
                log.info("%d berkas unggahan yang terputus atau tidak diperlukan lagi dihapus.", removed)

    def clear_looks(self) -> None:
        """Erase what was laid out of a case as it was and nobody closed; first thing after a cut."""
        if removed := looks.remove_ended(self._settings, datetime.now(UTC)):
            log.info("%d salinan keadaan dahulu yang lewat waktunya dihapus.", removed)

    def close_settled_cases(self) -> None:
        """Close the cases whose result was told long enough ago."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            if closed := close_settled(self._settings, at=datetime.now(UTC)):
                log.info("%d kasus yang selesai ditutup.", closed)

    def escalate_late_cases(self) -> None:
        """Tell the lateness of cases further, from the moment when the office opens."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            if escalated := escalate_late(self._settings, at=datetime.now(UTC)):
                log.info("Keterlambatan %d kasus disampaikan lebih lanjut.", escalated)

    def remind_of_referrals(self) -> None:
        """Remind the organisations whose reply is late, and tell the manager of those who stay silent."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            if reminded := remind_late(at=datetime.now(UTC)):
                log.info("%d rujukan yang terlambat dijawab diingatkan.", reminded)

    def end_left_over_referrals(self) -> None:
        """Take back the referrals of cases that ended before a case took its referrals along."""
        if not self._gate.accepts_work() or not self._has_tables():
            return
        with self._gate.work(), self._service.app_context():
            if ended := end_left_over(at=datetime.now(UTC)):
                log.info("Rujukan dari %d kasus yang sudah berakhir ditarik kembali.", ended)

    def complete_drills(self) -> None:
        """Finish the record of a power drill that ended with the node, or whose process died."""
        for record in full.complete(self._settings, datetime.now(UTC)):
            log.info("Catatan latihan %s dilengkapi.", record.id)

    def _run(self, *words: str) -> int:
        """Run `slrt` to its end; it is told to end when the daemon ends. Its exit code. The backups' own user does what is his."""
        if words[0] == "backup" and custody.is_apart(self._settings):
            return backup_errands.send(self._runtime, words[1:], self._ending.is_set)
        command = [*SLRT, "--config", str(self._config_file.absolute()), *words]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            while process.poll() is None and not self._ending.wait(POLL_SECONDS):
                pass
            if process.poll() is None:
                process.terminate()
            try:
                return process.wait(GRACE_SECONDS if self._ending.is_set() else None)
            except subprocess.TimeoutExpired:
                process.kill()
                return process.wait()

    def keep_log_short(self) -> None:
        """Move the write-ahead log into the database file, but not while a backup reads that file."""
        if self._settings.database.url or not self._settings.database_file.exists() or self._is_backup_running():
            return
        try:
            with self._gate.work(held_too=True):  # nothing of it is dated
                if self._log.empty() is None:
                    checkpoint(self._settings)
        except TryLater:
            return  # about to power off, or busy: the next minute will do

    def prune_log(self) -> None:
        """Delete what nobody needs any more of the log that was carried over."""
        if removed := self._log.prune(book.lines(self._state)):
            log.info("%d berkas catatan berkelanjutan yang lewat masa simpannya dihapus.", removed)

    def refresh_statistics(self) -> None:
        """Once a day, and after each start: what the database knows of its indexes. Not while a backup reads the file."""
        today = datetime.now(self._settings.zone).date()
        if self._statistics_of == today or not self._has_tables() or self._is_backup_running():
            return
        try:
            with self._gate.work(held_too=True):
                refresh_statistics(self._settings)
        except TryLater:
            return  # about to power off, or busy: the next time will do
        self._statistics_of = today

    def save_before_power_off(self) -> None:
        """Leave a short log, so that the next start is quick; what was acknowledged is on the disk without it."""
        if self._gate.is_saving() and (not self._log.exists or self._save()):
            self._gate.tell_saved()

    def _save(self) -> bool:
        done = self._log.empty(anew=False)
        return checkpoint(self._settings) if done is None else done


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


def rhythm_of(settings: Settings) -> Rhythm:
    """When this node wants its backups."""
    kept = settings.backup
    return Rhythm(local_time.fromisoformat(kept.time), settings.zone, timedelta(seconds=kept.boot_delay_seconds))


def before_closing(rhythm: Rhythm, closes: Sequence[local_time | None], minutes: int) -> Rhythm:
    """The rhythm of an office that closes at `closes` (Monday first, None: closed) and then switches the node off."""
    day = datetime(2000, 1, 2)  # noqa: DTZ001 - only to count with a clock; an office that closes at midnight stays in its day
    early = {
        number: (datetime.combine(day, clock) - timedelta(minutes=minutes)).time()
        for number, clock in enumerate(closes)
        if clock is not None
    }
    return replace(rhythm, closing=early)


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
