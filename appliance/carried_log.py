"""What the scheduler does with SQLite's log and the files that go with it: carrying them over to the disk of the backups, and knowing how
far a restore would reach."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

from appliance import backup_errands, custody
from appliance.config import Settings
from backups import book, lock
from backups.book import Line
from backups.file_carrier import FileCarrier
from backups.repository import CONFIG
from backups.server_carrier import ServerCarrier
from backups.ship import Shipper

TIMES_DURING_BACKUP, PAUSE_SECONDS = 15, 0.1


class CarriedLog:
    """The log of the node's own database, SQLite's or a server's. Before there is a database it does nothing."""

    def __init__(self, settings: Settings) -> None:
        self._file, self._uses_server = settings.database_file, bool(settings.database.url)
        self._state, self._repository = custody.state_of(settings), Path(settings.backup.repository)
        self._folder, self._runtime = settings.carried_log, Path(settings.paths.runtime)
        url = settings.server_url
        key = settings.carried_log_key
        self._server = ServerCarrier(url, self._folder, key) if url else None
        self._shipper = Shipper(self._file, self._folder, key) if not url else None
        self._files = FileCarrier(settings.attachments, self._folder, key, self._state)
        self._known, self._held = ("", ""), ""
        self._back: tuple[tuple[str, ...], datetime | None] = ((), None)
        self._begun: datetime | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a log that has to be emptied, as SQLite's."""
        return not self._uses_server and self._file.exists()

    @property
    def _carrier(self) -> Shipper | ServerCarrier:
        """Who carries the log over."""
        carrier = self._server or self._shipper
        assert carrier is not None  # noqa: S101  one of them was made
        return carrier

    def carry_over(self) -> None:
        """Carry over what was committed since the last time; again and again while a backup runs, which can begin only when
        all there is was carried over."""
        if not self.exists and self._server is None:
            return
        self._make_folder()
        self._carrier.ship()
        self._begun = self._begun or self._carrier.sight.caught_up
        for _ in range(TIMES_DURING_BACKUP):
            if not lock.is_running(self._state) and not backup_errands.is_under_way(self._runtime):
                return
            time.sleep(PAUSE_SECONDS)
            self._carrier.ship()

    def carry_files(self) -> None:
        """Carry over the photos and papers that came since the newest backup: beside the log, for they may be large."""
        if self.exists or self._server is not None:
            self._files.carry()

    def close(self) -> None:
        """End what was started for a server's log."""
        if self._server is not None:
            self._server.close()

    def _make_folder(self) -> None:
        """Where one user owns everything, beside the repository; elsewhere provisioning made it, and its being away says something."""
        with suppress(OSError):  # the shipper says that it is not there
            if not self._folder.exists() and (self._repository / CONFIG).is_file():
                self._folder.mkdir(mode=0o700)

    def empty(self, *, anew: bool = True) -> bool | None:
        """Move everything into the database file after it was carried over; None when somebody else must do it."""
        return self._shipper.empty_log(anew=anew) if self._shipper else None

    def reaches(self, lines: list[Line]) -> datetime | None:
        """Until when a restore would bring the data back if their disk failed now; None when nothing is carried over, or no backup is
        there yet that the log goes on from.

        `lines` is the book of the backups.
        """
        lines = _of_kind(lines, server=self._uses_server)
        good, base, sights = book.last_good(lines, book.BACKUP), _newest(lines), (self._carrier.sight, self._files.sight)
        if good is None or base is None or not all(sight.caught_up or sight.fault for sight in sights):
            return None
        caught_up = [sight.caught_up for sight in sights if sight.caught_up]
        return max(min(caught_up), good.moment.at) if len(caught_up) == len(sights) and self._goes_on(base) else good.moment.at

    def reaches_back(self, lines: list[Line]) -> datetime | None:
        """Since when each moment until `reaches` can be brought back: the end of the oldest backup still there that the log goes on from.
        Looked up again when the chain or a backup is another one, or something was given up; None while nothing is carried over."""
        bases = _bases(_of_kind(lines, server=self._uses_server))
        chain = (self._carrier.epoch, *(base.position for base in bases))
        if self._carrier.epoch and chain != self._back[0]:
            going_on = list(takewhile(lambda base: self._carrier.holds(base.position), reversed(bases)))
            oldest = going_on[-1] if going_on else None
            # its place in the log lies somewhere between its beginning and its end
            self._back = chain, oldest.moment.at + timedelta(seconds=oldest.seconds) if oldest else None
        return self._back[1] if self._carrier.epoch else None

    def is_moved(self, lines: list[Line]) -> bool:
        """Whether the database went from SQLite to a server, or back, and no backup is of these data yet, or the only ones are of the
        moment before its log was received. Not said before it is known whether that can be carried over: it shall go on from the first one."""
        newest, sight = book.last_good(lines, book.BACKUP), self._carrier.sight
        if newest is None or (sight.caught_up is None and not sight.fault):
            return False
        if (newest.method == "dump") != self._uses_server:
            return True
        based = _newest(_of_kind(lines, server=self._uses_server)) is not None
        return self._server is not None and not based and self._is_before_log(newest)

    def wants_base(self, lines: list[Line]) -> bool:
        """Whether the chain broke after the newest backup, or was begun only then (the first one is older than the log), so that only
        a new one can be gone on from; or whether that backup, of an older program, did not note its files."""
        lines = _of_kind(lines, server=self._uses_server)
        good, base, sight = book.last_good(lines, book.BACKUP), _newest(lines), self._carrier.sight
        if good is None or sight.caught_up is None or sight.fault:
            return False
        if self._files.wants_backup:
            return True
        if base:
            return not self._goes_on(base)
        # a copy, made where the database could not be held still, has no place in the log; the next night may have
        return self._is_before_log(good) if self._server is not None else good.method == "freeze"

    def _is_before_log(self, made: Line) -> bool:
        return self._begun is not None and made.moment.at < self._begun

    def prune(self, lines: list[Line]) -> int:
        """Delete what is old and no longer needed by a backup that was restored to prove it, and the copies of the files that it holds.
        Returns the number of files."""
        lines = _of_kind(lines, server=self._uses_server)
        proven = book.proven(lines)
        known = [line.number for line in lines if line.ok and line.kind == book.BACKUP and line.number in proven]
        base = next((line for line in reversed(lines) if line.ok and line.position and line.number in proven), None)
        gone = self._files.prune(known[-1]) if known and known[-1] is not None else 0
        cut = self._carrier.prune(base.position) if base else 0
        self._back = ((), None) if cut else self._back
        return gone + cut

    def _goes_on(self, base: Line) -> bool:
        """Whether what is carried over goes on from a backup. Looked up again when the chain or the backup is another one; while
        the second disk is away, what was known before holds."""
        chain = (base.position, self._carrier.epoch)
        if not self._carrier.epoch:
            return self._held == base.position
        if self._known != chain or not self._held:
            self._known, self._held = chain, base.position if self._carrier.holds(base.position) else ""
        return self._held == base.position


def _newest(lines: list[Line]) -> Line | None:
    """The newest good backup whose place in the log is known."""
    return next((line for line in reversed(lines) if line.ok and line.kind == book.BACKUP and line.position), None)


def _bases(lines: list[Line]) -> list[Line]:
    """The backups still in the repository whose place in the log is known, the oldest first."""
    made = [line for line in lines if line.ok and line.kind == book.BACKUP]
    kept = set(made[-1].kept) if made else set()
    return [line for line in made if line.position and line.number in kept]


def _of_kind(lines: list[Line], *, server: bool) -> list[Line]:
    """Those of the backups of a server, or of SQLite; a node may have gone from the one to the other."""
    return [line for line in lines if (line.method == "dump") == server or not line.position]
