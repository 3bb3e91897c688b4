"""One short line a minute of what the UPS said, for the chart of the last days: a history to look at, never to decide by.

The lines are not forced to the disk: a cut may lose the last ones, and tears at most one. Two files bound the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from appliance.power.reading import Reading

SAMPLES_FILE = "samples.txt"
EVERY = timedelta(minutes=1)
LARGEST = 300_000  # about four days a file


@dataclass(frozen=True)
class Sample:
    """One line: `charge` and `load` in percent, the rest in volts; None where the UPS said nothing sensible."""

    at: datetime
    mains: bool
    charge: float | None
    mains_volts: float | None
    battery_volts: float | None
    load: float | None


def append(folder: Path, at: datetime, reading: Reading) -> None:
    """Add what was read at `at` (aware). Raises OSError."""
    path = folder / SAMPLES_FILE
    numbers = (reading.charge, reading.mains_volts, reading.battery_volts, reading.load)
    words = [at.isoformat(timespec="seconds"), "OL" if reading.mains else "OB"]
    line = " ".join([*words, *("-" if number is None else f"{number:g}" for number in numbers)])
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(_older(path))
    with path.open("a", encoding="ascii") as file:
        # the blank line before it keeps a torn last line from swallowing this one
        file.write(f"\n{line}")


def since(folder: Path, begin: datetime) -> list[Sample]:
    """The readable samples from `begin` (aware) on, oldest first; none when there is no file yet."""
    path = folder / SAMPLES_FILE
    return [sample for file in (_older(path), path) for sample in _read(file) if sample.at >= begin]


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def _read(path: Path) -> Iterator[Sample]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(ValueError, TypeError):
            at, status, *numbers = line.split()
            charge, mains, battery, load = (None if number == "-" else float(number) for number in numbers)
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is not None:
                yield Sample(moment, status == "OL", charge, mains, battery, load)
