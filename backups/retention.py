"""Which backups stay. Pure: decides from the list alone.

Age is judged by order, not by date: a run cannot be older than the one before it, nor newer than the one after it. Where the dates
do not rise with the numbers some clock was wrong, and the list is read in two ways: the newer date is right, or what most dates agree
on is. What stays by either stays. So a backup dated 2031 takes no place for ever, and nights dated 2000, after the battery of the
clock had died, do not make all that was there before look like one day.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, tzinfo

from backups.settings import Retention

Period = Callable[[datetime], tuple[int, ...]]


def keep(found: Mapping[int, datetime], rule: Retention, now: datetime, zone: tzinfo, proven: Collection[int] = ()) -> set[int]:
    """Numbers of the runs that stay, of `found` (number → date of complete runs).

    The newest of each of the last so many days, weeks, months and years that have a backup, and the newest few in any case. Of
    those that were brought back whole (`proven`) the newest stays until a newer one was.
    """
    newest_first = sorted(found, reverse=True)
    few, last_proven = newest_first[: max(rule.newest, 1)], [number for number in newest_first if number in proven][:1]
    readings = (_by_the_newer(found, newest_first, now), _by_most(found))
    return {*few, *last_proven}.union(*(_newest_of_each(reading, rule, zone) for reading in readings))


def _newest_of_each(believed: Mapping[int, datetime], rule: Retention, zone: tzinfo) -> set[int]:
    periods: list[tuple[int, Period]] = [
        (rule.daily, lambda at: (at.year, at.month, at.day)),
        (rule.weekly, lambda at: tuple(at.isocalendar()[:2])),
        (rule.monthly, lambda at: (at.year, at.month)),
        (rule.yearly, lambda at: (at.year,)),
    ]
    kept: set[int] = set()
    for places, period in periods:
        taken: set[tuple[int, ...]] = set()
        for number in sorted(believed, reverse=True):
            label = period(believed[number].astimezone(zone))
            if len(taken) < places and label not in taken:
                taken.add(label)
                kept.add(number)
    return kept


def _by_the_newer(found: Mapping[int, datetime], newest_first: list[int], now: datetime) -> dict[int, datetime]:
    """Dates made to fall with the numbers, none after now."""
    believed: dict[int, datetime] = {}
    limit = now
    for number in newest_first:
        limit = min(limit, found[number])
        believed[number] = limit
    return believed


def _by_most(found: Mapping[int, datetime]) -> dict[int, datetime]:
    """The most runs whose dates rise with their numbers, of two such sets the older one. The others have no date that means anything,
    and must not take the place of one that has."""
    numbers = sorted(found)
    ends: list[int] = []  # of the rising rows of 1, 2, … runs, the one that ends earliest
    before: dict[int, int | None] = {}
    longest: int | None = None
    for number in numbers:
        place = bisect_right(ends, found[number], key=found.__getitem__)
        before[number] = ends[place - 1] if place else None
        if place == len(ends):
            longest = number
        ends[place : place + 1] = [number]
    believed: dict[int, datetime] = {}
    while longest is not None:
        believed[longest] = found[longest]
        longest = before[longest]
    return believed
