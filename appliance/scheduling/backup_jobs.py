"""The jobs for the backups: made and proven when that is due or ordered, written to the stick, and told to the pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from appliance import backup_news, backup_orders
from appliance.backup_orders import Wish
from appliance.care import reserve
from appliance.carried_log import CarriedLog
from appliance.errors import TryLater
from appliance.scheduling.rhythm import rhythm_of_office
from appliance.scheduling.workplace import Job, Workplace
from appliance.sticks import book as stick_book
from appliance.sticks.rules import copy_due
from backups import book, outcome
from backups.clock import moment
from backups.schedule import Depth, Moment, Reason, base_due, due, proof_due

ASK_WHAT_IS_DUE = timedelta(seconds=30)
LOOK_FOR_ORDERS = timedelta(seconds=3)
SAID = {
    Reason.FIRST: "Cadangan pertama dimulai.",
    Reason.ON_TIME: "Cadangan terjadwal dimulai.",
    Reason.LATE: "Cadangan yang terlewat disusulkan.",
    Reason.CLOCK: "Jam sistem mundur; cadangan dibuat untuk berjaga-jaga.",
    Reason.CHAIN: "Catatan berkelanjutan terputus; cadangan baru dibuat sebagai pangkalnya.",
}
WORDS: dict[str, tuple[str, ...]] = {
    Wish.BACKUP: ("backup", "run"),
    Depth.REHEARSAL: ("backup", "prove"),
    Depth.ALL_DATA: ("backup", "prove", "--all-data"),
}

log = logging.getLogger("slrt-scheduler")


class BackupJobs:
    """What is due is asked of pure rules over what was recorded. `steady` says for how long the mains has held."""

    def __init__(self, workplace: Workplace, carried: CarriedLog, steady: Callable[[], timedelta | None]) -> None:
        self._workplace, self._settings, self._state = workplace, workplace.settings, workplace.state
        self._carried, self._steady = carried, steady
        self._made_way: Moment | None = None

    def jobs(self) -> tuple[Job, ...]:
        """What is done, and how often."""
        return (
            Job("backup", ASK_WHAT_IS_DUE, self.back_up_if_due),
            Job("proof", ASK_WHAT_IS_DUE, self.prove_if_due),
            Job("orders", LOOK_FOR_ORDERS, self.do_what_is_ordered),
            Job("news", ASK_WHAT_IS_DUE, self.publish_backup_news),
            Job("sticks", ASK_WHAT_IS_DUE, self.write_sticks_if_due),
        )

    def back_up_if_due(self) -> None:
        """Run a backup when one is due and nobody stands in the way."""
        reason = self._due_backup()
        if reason is None or not self._is_free():
            return
        log.info("%s", SAID[reason])
        code = self._workplace.run(*WORDS[Wish.BACKUP])
        if code == TryLater.exit_code:
            self._made_way = outcome.read(self._state).attempt
        if code not in {0, TryLater.exit_code}:
            log.error("Pencadangan gagal (kode %d); dicoba lagi satu jam lagi.", code)

    def _due_backup(self) -> Reason | None:
        record, lines = outcome.read(self._state), book.lines(self._state)
        good = record.last_good.moment if record.last_good else None
        # One that made way for an outage has not failed: it is made again once the mains holds, not after an hour.
        failed = None if record.attempt == self._made_way else record.attempt
        if self._carried.is_moved(lines):
            good, failed = None, None if failed == good else failed
        now, rhythm, steady = moment(datetime.now(UTC)), rhythm_of_office(self._workplace), self._steady()
        reason = due(now, good, failed, rhythm, steady)
        if reason is None and base_due(now, record.attempt, rhythm, steady) and self._carried.wants_base(lines):
            return Reason.CHAIN
        return reason

    def _is_free(self) -> bool:
        """Whether the mains holds and nothing is done with the backups."""
        return self._workplace.gate.accepts_jobs() and not self._workplace.is_backup_running()

    def prove_if_due(self) -> None:
        """Restore the newest backup into a spare place each week, read everything each month; after the backup that is due."""
        if outcome.read(self._state).last_good is None or self._due_backup() is not None:
            return
        now, rhythm = moment(datetime.now(UTC)), rhythm_of_office(self._workplace)
        depth = proof_due(now, book.proofs(book.lines(self._state)), rhythm, self._steady())
        if depth is None or reserve.holds_jobs(self._settings) or not self._is_free():
            return
        log.info("Uji pemulihan terjadwal dimulai.")
        code = self._workplace.run(*WORDS[depth])
        if code not in {0, TryLater.exit_code}:
            log.error("Uji pemulihan gagal (kode %d); dicoba lagi sehari lagi.", code)

    def do_what_is_ordered(self) -> None:
        """Do what somebody asked for on the page. It waits for the mains, and for a run that is under way."""
        if not backup_orders.is_waiting(self._settings) or not self._is_free():
            return
        order = backup_orders.take(self._settings)
        if order is None:
            log.warning("Permintaan pencadangan tidak terbaca dan dibuang.")
            return
        log.info("Pencadangan atau uji pemulihan dimulai atas permintaan %s.", order.by)
        if (code := self._workplace.run(*WORDS[order.wish])) != 0:
            log.error("Permintaan %s tidak selesai (kode %d).", order.wish, code)

    def publish_backup_news(self) -> None:
        """Say how old the newest good backup is, for the notices."""
        lines = book.lines(self._state)
        news = backup_news.of(self._settings, lines, self._carried.reaches(lines), self._carried.reaches_back(lines))
        backup_news.publish(self._settings, news)

    def write_sticks_if_due(self) -> None:
        """Write to the stick that is plugged in and due, after the node's own backup."""
        settings = self._settings
        if self._due_backup() or not self._is_free():
            return
        sight = stick_book.read_sight(stick_book.folder_of(settings))
        for stick in stick_book.read_known(stick_book.folder_of(settings)):
            copies = outcome.read(stick_book.state_of(settings, stick))
            if not copy_due(moment(datetime.now(UTC)), sight.of(stick), copies, rhythm_of_office(self._workplace)):
                continue
            log.info("%s ditulisi.", stick.name)
            code = self._workplace.run("backup", "disk", "copy", stick.label)
            if code not in {0, TryLater.exit_code}:
                log.error("%s gagal ditulisi (kode %d).", stick.name, code)
