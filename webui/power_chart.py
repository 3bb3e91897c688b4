"""The charts of the last day as numbers for an SVG: charge, load and voltage below each other, cuts of the mains as bars.

They work without script, on paper and without colours; the words of each say what it shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.power.samples import EVERY, Sample
from webui.words import number_words

WIDTH, HEIGHT = 480, 90
# Samples further apart than this belong to two lines: in between the node was off or the UPS silent.
GAP = 3 * EVERY
TICK = timedelta(hours=3)
Point = tuple[datetime, float]


@dataclass(frozen=True)
class Quantity:
    """What one chart shows. The scale holds at least `low` to `high` and grows by `step`; `middle` is a line that helps the eye."""

    title: str
    unit: str
    of: Callable[[Sample], float | None]
    low: float
    high: float
    step: float
    middle: float | None = None


QUANTITIES = (
    Quantity("Isi baterai", "%", lambda sample: sample.charge, 0, 100, 50),
    Quantity("Beban UPS", "%", lambda sample: sample.load, 0, 50, 50),
    # without mains some units tell 0 and others the last voltage: neither is one
    Quantity("Tegangan listrik", "V", lambda sample: sample.mains_volts if sample.mains else None, 180, 260, 20, middle=220),
)


@dataclass(frozen=True)
class Panel:
    """One chart: `lines` are the points of polylines, `marks` a height and what stands beside it, `words` what it shows."""

    title: str
    unit: str
    lines: tuple[str, ...]
    marks: tuple[tuple[float, str], ...]
    words: str


@dataclass(frozen=True)
class Chart:
    """`dark` are begin and width of each time without mains, `ticks` a place and an hour; both belong to every panel."""

    panels: tuple[Panel, ...]
    dark: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, str], ...]


def chart(samples: Sequence[Sample], begin: datetime, end: datetime, zone: ZoneInfo) -> Chart:
    """What happened from `begin` to `end` (aware), each panel drawn on WIDTH times HEIGHT; one without a value is left out."""

    def place(at: datetime) -> float:
        return round(WIDTH * ((at - begin) / (end - begin)), 1)

    runs = list(_runs(samples))
    panels = (_panel(quantity, runs, place, zone) for quantity in QUANTITIES)
    dark = tuple((place(first), max(1.0, place(last) - place(first))) for first, last in _dark(runs))
    hours = tuple((place(at), f"{at:%H.%M}") for at in _hours(begin, end, zone))
    return Chart(tuple(panel for panel in panels if panel), dark, hours)


def _panel(quantity: Quantity, runs: Iterable[list[Sample]], place: Callable[[datetime], float], zone: ZoneInfo) -> Panel | None:
    lines = [line for run in runs for line in _unbroken(run, quantity.of)]
    points = [point for line in lines for point in line]
    if not points:
        return None
    low, high = _scale(quantity, [value for _, value in points])

    def height(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 1)

    middle = (low + high) / 2 if quantity.middle is None else quantity.middle
    return Panel(
        quantity.title,
        quantity.unit,
        tuple(" ".join(f"{place(at)},{height(value)}" for at, value in line) for line in lines),
        tuple((height(value), number_words(value)) for value in (low, middle, high)),
        _words(points, quantity.unit, zone),
    )


def _unbroken(run: Iterable[Sample], of: Callable[[Sample], float | None]) -> Iterable[list[Point]]:
    """The parts of a run in which the UPS told the value: without mains it tells no voltage."""
    line: list[Point] = []
    for sample in run:
        value = of(sample)
        if value is not None:
            line.append((sample.at, value))
        elif line:
            yield line
            line = []
    if line:
        yield line


def _scale(quantity: Quantity, values: Iterable[float]) -> tuple[float, float]:
    found = [*values, quantity.low, quantity.high]
    return math.floor(min(found) / quantity.step) * quantity.step, math.ceil(max(found) / quantity.step) * quantity.step


def _words(points: Sequence[Point], unit: str, zone: ZoneInfo) -> str:
    """The last, the lowest and the highest value with their hours."""

    def told(point: Point) -> str:
        return f"{number_words(round(point[1], 1))} {unit} (pukul {point[0].astimezone(zone):%H.%M})"

    lowest, highest = min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])
    return f"Terakhir {told(points[-1])}, terendah {told(lowest)}, tertinggi {told(highest)}."


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
