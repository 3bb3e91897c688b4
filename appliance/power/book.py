"""The outage book: every cut of the mains with its begin, its end and what it did, told from the journal alone.

Pure. A cut ends when the mains is back, or with the node, which then sees the mains again only when it is started: the true end
lies somewhere before that, and is not known.

    lost → back                                a cut the battery carried
    lost → decided → cancelled → back          a cut that nearly switched the node off
    lost → decided → handed over → (boot) back a cut that did
    lost → (boot) back, not clean              a cut that the battery did not carry
    … back → held → opened                     what the start after it waited for
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from appliance.power.journal import End, Entry, Event
from appliance.power.policy import Cause

# what a node that was off because of a cut goes through until it takes work again
_AFTER_THE_START = frozenset({Event.HELD, Event.STARTED, Event.ASKED, Event.OPENED})
RECHARGED_AFTER = timedelta(hours=16)
FULL_AGAIN = 90  # percent


@dataclass(frozen=True)
class Cut:
    """One cut of the mains. `back_at` is None while it lasts; charges in percent, volts of the mains around the cut.

    `down_at` is when the node went off because of it, `clean` whether in good order; `cause` is why that was decided.
    New work was refused from `closed_at` to `reopened_at`. `load` in percent; `second`: it met a battery not yet full again.
    """

    lost_at: datetime
    back_at: datetime | None = None
    charge_before: int | None = None
    charge_after: int | None = None
    volts_before: float | None = None
    volts_after: float | None = None
    cause: str = ""
    cancelled: bool = False
    down_at: datetime | None = None
    clean: bool = True
    closed_at: datetime | None = None
    charge_closed: int | None = None
    reopened_at: datetime | None = None
    load: float | None = None
    second: bool = False

    @property
    def refused(self) -> timedelta | None:
        """How long new work was refused until it was taken again; None when it never was, or until the end."""
        return None if self.closed_at is None or self.reopened_at is None else self.reopened_at - self.closed_at

    @property
    def lasted(self) -> timedelta | None:
        """How long the mains was away; None while it is, or when only the node's start tells that it is back."""
        return None if self.back_at is None or self.down_at is not None else self.back_at - self.lost_at

    @property
    def drawn(self) -> tuple[timedelta, int] | None:
        """The longest stretch on battery of which begin and end are known, and what of the charge it took in percent."""
        if self.charge_before is None:
            return None
        if self.lasted is not None and self.charge_after is not None:
            return self.lasted, max(0, self.charge_before - self.charge_after)
        if self.closed_at is not None and self.charge_closed is not None:
            return self.closed_at - self.lost_at, max(0, self.charge_before - self.charge_closed)
        return None

    @property
    def charge_lost(self) -> int | None:
        """What the cut took from the battery."""
        if self.charge_before is None or self.charge_after is None:
            return None
        return max(0, self.charge_before - self.charge_after)


@dataclass(frozen=True)
class Month:
    """The sheet of one month: `known` is the time without mains of all cuts whose end is known."""

    cuts: tuple[Cut, ...]
    known: timedelta
    longest: timedelta
    shutdowns: int
    crashes: int


def cuts(entries: Iterable[Entry]) -> list[Cut]:
    """All cuts in the journal, oldest first."""
    found: list[Cut] = []
    current: Cut | None = None
    for entry in entries:
        if entry.event is Event.MAINS_LOST:
            if current:
                found.append(current)
            charge, last = _charge(entry), found[-1] if found else None
            second = charge is not None and charge < FULL_AGAIN and last is not None and _is_soon_after(entry.at, last)
            current = Cut(entry.at, charge_before=charge, volts_before=_volts(entry), load=_number(entry, "load"), second=second)
        elif current:
            current, ended = _told(current, entry)
            if ended:
                found.append(current)
                current = None
    return [*found, current] if current else found


def month_of(found: Iterable[Cut], year: int, month: int, zone: ZoneInfo) -> Month:
    """The sheet of a month in the office's zone; a cut belongs to the month in which it began."""
    mine = tuple(cut for cut in found if (local := cut.lost_at.astimezone(zone)).year == year and local.month == month)
    lengths = [cut.lasted for cut in mine if cut.lasted is not None]
    down = [cut for cut in mine if cut.down_at is not None]
    crashes = sum(not cut.clean for cut in down)
    return Month(mine, sum(lengths, timedelta()), max(lengths, default=timedelta()), len(down) - crashes, crashes)


def last_cut_entries(entries: list[Entry]) -> list[Entry]:
    """The lines of the last cut, from the loss of the mains to its end or to the opening after it: what `explain` tells again."""
    begin = max((number for number, entry in enumerate(entries) if entry.event is Event.MAINS_LOST), default=None)
    if begin is None:
        return []
    end = next((number for number in range(begin + 1, len(entries)) if _ends(entries[number])), len(entries) - 1)
    told = entries[begin : end + 1]
    if told[-1].event is Event.BACK:
        told += takewhile(lambda entry: entry.event in _AFTER_THE_START, entries[end + 1 :])
    return told


def _told(cut: Cut, entry: Entry) -> tuple[Cut, bool]:
    """The cut with one more line of the journal, and whether that line ends it."""
    match entry.event:
        case Event.DECIDED:
            return replace(
                cut, cause=str(entry.facts.get("cause", "")), closed_at=entry.at, charge_closed=_charge(entry), reopened_at=None
            ), False
        case Event.CANCELLED:
            return replace(cut, cause="", cancelled=True, reopened_at=entry.at), False
        case Event.MAINS_BACK:
            return replace(cut, back_at=entry.at, charge_after=_charge(entry), volts_after=_volts(entry)), True
        case Event.BACK if entry.facts.get("cause") in {*Cause, End.CUT}:
            down, clean = _moment(entry, "down_at"), entry.facts.get("clean") is True
            return replace(cut, back_at=entry.at, down_at=down, clean=clean, cause=str(entry.facts["cause"])), True
        case Event.BACK:
            # switched off by somebody, or stopped on mains, before the watcher could tell that the mains was back
            return replace(cut, back_at=entry.at), True
    return cut, False


def _ends(entry: Entry) -> bool:
    return entry.event in {Event.MAINS_BACK, Event.BACK}


def _charge(entry: Entry) -> int | None:
    value = entry.facts.get("charge")
    return value if isinstance(value, int) else None


def _volts(entry: Entry) -> float | None:
    return _number(entry, "volts")


def _number(entry: Entry, name: str) -> float | None:
    value = entry.facts.get(name)
    return value if isinstance(value, float) else None


def _is_soon_after(at: datetime, last: Cut) -> bool:
    """A battery of this size takes most of a day until it is full again."""
    return at - (last.back_at or last.lost_at) < RECHARGED_AFTER


def _moment(entry: Entry, name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(entry.facts[name])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo else None
