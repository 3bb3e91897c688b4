"""A drill that closes the gate for a moment: who asks, and how the watcher knows. It ends by itself when the asker dies.

The request is a small file in the folder of the gate, with the tick (seconds since the machine started) until which it counts.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

REQUEST = "drain-drill"
LONGEST = timedelta(seconds=90)
SENTENCE = "Latihan listrik: simpanan baru ditolak sebentar. Tunggu satu menit, lalu tekan Simpan lagi."


def ask(folder: Path, until: timedelta) -> None:
    """Ask the watcher to refuse work until the tick `until`. Raises OSError."""
    beside = folder / f".{REQUEST}.new"
    beside.write_text(f"{until.total_seconds():.1f}", encoding="ascii")
    # the watcher is another user, of the same group
    beside.chmod(0o640)
    beside.replace(folder / REQUEST)


def withdraw(folder: Path) -> None:
    """Take the request back. Raises OSError."""
    (folder / REQUEST).unlink(missing_ok=True)


def is_asked(folder: Path, ticks: timedelta) -> bool:
    """Whether work shall be refused at `ticks`. A request that is broken, over or unreasonably long counts as none."""
    try:
        until = timedelta(seconds=float((folder / REQUEST).read_text(encoding="ascii")))
    except (OSError, ValueError, OverflowError):
        return False
    return ticks < until <= ticks + LONGEST
