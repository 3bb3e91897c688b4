"""The chart of the last day as numbers for an SVG: charge as lines, cuts of the mains as bars. Works without script, and on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.power.samples import EVERY, Sample

WIDTH, HEIGHT = 480, 150
# Samples further apart than this belong to two lines: in between the node was off or the UPS silent.
GAP = 3 * EVERY
TICK = timedelta(hours=3)


@dataclass(frozen=True)
class Chart:
    """`lines` are the points of polylines, `dark` begin and width of each time without mains, `ticks` a place and an hour."""

    lines: tuple[str, ...]
    dark: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, str], ...]


def chart(samples: Sequence[Sample], begin: datetime, end: datetime, zone: ZoneInfo) -> Chart:
    """What happened from `begin` to `end` (aware), drawn on WIDTH times HEIGHT."""

    def place(at: datetime) -> float:
        return round(WIDTH * ((at - begin) / (end - begin)), 1)

    runs = list(_runs(samples))
    lines = (
        " ".join(f"{place(one.at)},{round(HEIGHT * (1 - one.charge / 100), 1)}" for one in run if one.charge is not None)
        for run in runs
    )
    dark = tuple((place(first), max(1.0, place(last) - place(first))) for first, last in _dark(runs))
    return Chart(
        tuple(line for line in lines if line), dark, tuple((place(at), f"{at:%H.%M}") for at in _hours(begin, end, zone))
    )


def _runs(samples: Iterable[Sample]) -> Iterable[list[Sample]]:
    run: list[Sample] = []
    for sample in samples:
        if run and not timedelta() <= sample.at - run[-1].at <= GAP:
            yield run
            run = []
        run.append(sample)
    if run:
        yield run


def _dark(runs: Iterable[list[Sample]]) -> Iterable[tuple[datetime, datetime]]:
    for run in runs:
        first: datetime | None = None
        for sample in run:
            if not sample.mains:
                first = first or sample.at
            elif first:
                yield first, sample.at
                first = None
        if first:
            yield first, run[-1].at


def _hours(begin: datetime, end: datetime, zone: ZoneInfo) -> Iterable[datetime]:
    at = begin.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    while (at := at + timedelta(hours=1)) < end:
        if at.hour % (TICK // timedelta(hours=1)) == 0:
            yield at
