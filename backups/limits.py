"""What ends a run that would never end by itself: a program that hangs, and a disk that is not there any more.

It is the run's own question whether it shall stop, asked ten times a second: it raises what is to be told. How long is too long is
judged by the last good run of the kind; each time it was too short in a row, the next one gets twice as long, for data may grow.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from time import monotonic

from backups import book
from backups.book import Line
from backups.errors import Overdue, RepositoryMissing
from backups.process import Stop

LEAST_SECONDS, UNKNOWN_SECONDS = 600.0, 24 * 3600.0
TIMES = 5
LOOK_SECONDS = 1.0
TOO_LONG = "Dihentikan karena terlalu lama"


def allowed_seconds(lines: Sequence[Line], kind: str) -> float:
    """How long a run of the kind may take: ten minutes, or five times the last good one; a day for the first one."""
    of_kind = [line for line in lines if line.kind == kind]
    good = book.last_good(of_kind, kind)
    usual = max(LEAST_SECONDS, TIMES * good.seconds) if good else UNKNOWN_SECONDS
    too_short = sum(1 for _ in takewhile(lambda line: not line.ok and line.text.startswith(TOO_LONG), reversed(of_kind)))
    return float(usual * 2**too_short)


@dataclass
class Limits:
    """A run's question whether it shall stop. Raises Overdue after `seconds`, RepositoryMissing when the repository's disk is gone."""

    repository: Path
    seconds: float
    stop: Stop
    _begun: float = 0.0
    _looked: float = 0.0
    _device: int = 0
    _block: str = ""

    def __post_init__(self) -> None:
        self._begun = monotonic()
        self._device = _device_of(self.repository)
        block = f"/sys/dev/block/{os.major(self._device)}:{os.minor(self._device)}"
        # not every filesystem stands on a device that the kernel shows
        self._block = block if os.path.exists(block) else ""  # noqa: PTH110 - asked every second later on

    def __call__(self) -> bool:
        now = monotonic()
        if now - self._begun > self.seconds:
            raise Overdue(
                f"{TOO_LONG}: {self.seconds / 60:.0f} menit berlalu; program cadangan atau disknya mungkin tidak menjawab.",
                "Tidak perlu apa-apa: sistem mengulanginya sendiri. Bila berulang, periksa disk cadangan: sudo dmesg | tail",
            )
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            self._require_disk()
        return self.stop()

    def _require_disk(self) -> None:
        gone = self._block and not os.path.exists(self._block)  # noqa: PTH110
        if gone or _device_of(self.repository) != self._device:
            raise RepositoryMissing(
                f"Disk cadangan {self.repository} hilang di tengah pekerjaan: tercabut, atau tidak terpasang lagi.",
                "Pasang disk itu (lihat: findmnt); sistem mengulanginya sendiri. Cadangan lengkap yang sudah ada tetap aman.",
            )


def _device_of(folder: Path) -> int:
    try:
        return folder.stat().st_dev
    except OSError:
        return 0
