"""How full the disks are, and what follows from it. Pure.

A filesystem is LOW before it hurts, TIGHT when whatever writes much must wait, and at its LAST when the reserve is given up so
that the database can still be written. A level is left only when there is clearly more room than what led into it, so that
nothing flaps at a limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

MEGABYTE = 1024 * 1024
# A large disk has this much to spare at any share of it.
ENOUGH, ENOUGH_TO_WORK = 25 * 1024 * MEGABYTE, 10 * 1024 * MEGABYTE
SHARE_MARGIN = 3.0  # percentage points
ROOM_MARGIN, LAST_MARGIN = 1.15, 2.0


class Level(IntEnum):
    """How full a filesystem is; higher is worse."""

    ROOMY = 0
    LOW = 1
    TIGHT = 2
    LAST = 3


@dataclass(frozen=True)
class Limits:
    """From which share in percent, or below which room in bytes, a filesystem is LOW and TIGHT; below `last` bytes it is at its LAST."""

    low_share: float
    low_room: int
    tight_share: float
    tight_room: int
    last_room: int = 0


@dataclass(frozen=True)
class Place:
    """A filesystem by the first of our folders on it: what is free and what can be used in all, in bytes.

    `missing` is what of the reserve was given up: it is not there for anybody, and has to come back first.
    """

    name: str
    folder: str
    free: int
    total: int
    missing: int = 0

    @property
    def usable(self) -> int:
        """What is free beside the reserve."""
        return max(self.free - self.missing, 0)

    @property
    def free_words(self) -> str:
        """What is free, as it is read."""
        return f"{self.free / 1e9:.1f} GB".replace(".", ",")

    @property
    def share(self) -> float:
        """What is used, in percent."""
        return 100 * (1 - self.usable / self.total) if self.total else 100.0


def level_of(place: Place, limits: Limits, before: Level) -> Level:
    """How full it is, when it was `before` a moment ago."""
    here = _level(place, limits)
    if here >= before:
        return here
    # not a step down before there is clearly more room
    return min(before, _level(place, limits, SHARE_MARGIN, ROOM_MARGIN, LAST_MARGIN))


def _level(place: Place, limits: Limits, points: float = 0.0, factor: float = 1.0, of_last: float = 1.0) -> Level:
    if place.usable < limits.last_room * of_last:
        return Level.LAST
    crowded = place.share >= limits.tight_share - points and place.usable < ENOUGH_TO_WORK * factor
    if crowded or place.usable < limits.tight_room * factor:
        return Level.TIGHT
    crowded = place.share >= limits.low_share - points and place.usable < ENOUGH * factor
    if crowded or place.usable < limits.low_room * factor:
        return Level.LOW
    return Level.ROOMY


@dataclass(frozen=True)
class Room:
    """The places with their levels, the first of them that of the data."""

    places: Sequence[tuple[Place, Level]]

    @property
    def of_data(self) -> Level:
        """How full the filesystem of the data is."""
        return self.places[0][1] if self.places else Level.ROOMY

    @property
    def holds_jobs(self) -> bool:
        """Whether what writes much must wait."""
        return self.of_data >= Level.TIGHT

    @property
    def worst(self) -> tuple[Place, Level] | None:
        """The fullest: by its level, then by its share."""
        return max(self.places, key=lambda one: (one[1], one[0].share), default=None)


def judge(places: Sequence[Place], limits: Limits, before: Mapping[str, Level]) -> Room:
    """All places; `before` are the levels of a moment ago by folder. Only the first place has a reserve."""
    without = Limits(limits.low_share, limits.low_room, limits.tight_share, limits.tight_room)
    return Room(
        [
            (place, level_of(place, without if number else limits, before.get(place.folder, Level.ROOMY)))
            for number, place in enumerate(places)
        ]
    )
