"""How much of the battery is left, and until when it will do: from every outage and drill that took enough to measure. Pure.

A measurement is the energy that was drawn against the share of the charge that it cost. The reference is what real units of this
size give when new (74.5 Wh usable, 6.5 W of their own, 700 W at 100 % load); other units are compared with themselves all the same,
because only the trend is used to forecast. With too little to go by there is no forecast, and it says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import linear_regression, median

from appliance.power.book import Cut

NEW_WATT_HOURS, OWN_WATTS, FULL_WATTS = 74.5, 6.5, 700.0
LEAST_LOSS = 5  # percent: below, the rounding of the charge is as large as what is measured
LEAST_TIME = timedelta(seconds=60)
WORN_OUT = 50.0  # percent of a new battery at which it is to be replaced
FEWEST, SHORTEST = 4, timedelta(days=60)
FARTHEST = timedelta(days=3 * 365)
NEWEST = 3  # the health of today is the median of so many measurements


@dataclass(frozen=True)
class Measurement:
    """What the battery gave at that moment, in percent of a new one."""

    at: datetime
    health: float


@dataclass(frozen=True)
class Outlook:
    """The health of today in percent and the day before which to replace the battery; None with the `reason` why not."""

    measurements: tuple[Measurement, ...]
    health: int | None = None
    replace_before: datetime | None = None
    reason: str = ""

    @property
    def worn_out(self) -> bool:
        """Whether the battery should be replaced now."""
        return self.health is not None and self.health <= WORN_OUT


def measure(at: datetime, lasted: timedelta, loss: int, load: float | None) -> Measurement | None:
    """One measurement, or None when too little was drawn, or the load is not known. `loss` and `load` in percent."""
    if not load or loss < LEAST_LOSS or lasted < LEAST_TIME:
        return None
    watt_hours = (load / 100 * FULL_WATTS + OWN_WATTS) * (lasted / timedelta(hours=1))
    return Measurement(at, watt_hours / (loss / 100) / NEW_WATT_HOURS * 100)


def measurements(found: Iterable[Cut]) -> list[Measurement]:
    """One for each outage that took enough. A plug drill is an outage like any other."""
    taken = ((cut, cut.drawn) for cut in found)
    measured = (measure(cut.lost_at, *drawn, cut.load) for cut, drawn in taken if drawn is not None)
    return [one for one in measured if one is not None]


def outlook(found: Iterable[Measurement], at: datetime) -> Outlook:
    """What the measurements mean at `at` (aware)."""
    measured = tuple(sorted((one for one in found if one.at <= at), key=lambda one: one.at))
    if not measured:
        return Outlook((), reason="Belum ada pemadaman atau latihan yang cukup lama untuk mengukur baterai.")
    health = min(100, round(median(one.health for one in measured[-NEWEST:])))
    if health <= WORN_OUT:
        return Outlook(measured, health, at, "Baterai sudah lemah; ganti sekarang.")
    span = measured[-1].at - measured[0].at
    if len(measured) < FEWEST or span < SHORTEST:
        reason = f"Perkiraan memerlukan paling sedikit {FEWEST} pengukuran dalam {SHORTEST.days} hari; baru ada {len(measured)} dalam {span.days} hari."
        return Outlook(measured, health, reason=reason)
    return _forecast(measured, health, at)


def _forecast(measured: Sequence[Measurement], health: int, at: datetime) -> Outlook:
    days = [(one.at - measured[0].at) / timedelta(days=1) for one in measured]
    slope, level = linear_regression(days, [one.health for one in measured])
    if slope >= 0:
        return Outlook(tuple(measured), health, reason="Baterai belum menunjukkan penurunan.")
    # A line that has fallen that far already means now, however far back.
    left = max((WORN_OUT - level) / slope, (at - measured[0].at) / timedelta(days=1))
    # Far away the line means nothing.
    if left - days[-1] > FARTHEST / timedelta(days=1):
        return Outlook(tuple(measured), health, reason="Penurunan baterai masih terlalu kecil untuk memperkirakan harinya.")
    return Outlook(tuple(measured), health, measured[0].at + timedelta(days=left))
