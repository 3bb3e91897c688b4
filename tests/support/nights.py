"""A book of runs as a node of some weeks has it: written with the library's own writer."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from backups import book, outcome
from backups.book import Line
from backups.outcome import Outcome
from backups.schedule import Depth, Moment

DAY = timedelta(days=1)


def moment_at(at: datetime) -> Moment:
    """A moment of a machine that has been up for a while."""
    return Moment(at, "boot", timedelta(days=9))


def backup(at: datetime, number: int | None, *, ok: bool = True, kept: tuple[int, ...] = ()) -> Line:
    """A backup that went well, or one that found no room."""
    if not ok:
        hint = "Kosongkan disk itu, lalu jalankan: slrt backup run"
        text = "Disk cadangan (/srv/backup/slrt) hanya punya 120 MB; perlu 2048 MB."
        return Line(moment_at(at), book.BACKUP, False, None, text, hint, 3.0)
    steps = (2.0, 30.0, 20.0, 40.0, 2.0, 6.0)
    text = f"Cadangan {number} lengkap."
    return Line(moment_at(at), book.BACKUP, True, number, text, "", 100.0, 412_600_000, 6_700_000, kept, steps, "freeze")


def proof(at: datetime, number: int | None, kind: Depth = Depth.REHEARSAL, *, ok: bool = True) -> Line:
    """A rehearsal or a reading of all data."""
    good = f"Cadangan {number} dipulihkan di tempat uji: 1.250.340 baris, 58 tabel sama isinya, 3.112 berkas."
    return Line(
        moment_at(at), kind, ok, number, good if ok else "Bagian repositori cadangan rusak: data/0/2.", "", 190.0, 412_600_000
    )


def some_weeks(state: Path, until: datetime, days: int = 40) -> list[Line]:
    """Nights until `until`: each well but the fifth last, which failed, and the ninth last, which the node slept through.

    Every seventh was restored. The newest fourteen stay. The outcome is that of the newest.
    """
    lines: list[Line] = []
    for number in range(1, days + 1):
        at, left = until - DAY * (days - number), days - number
        if left == 8:
            continue
        kept = tuple(range(max(1, number - 13), number + 1))
        lines.append(backup(at, number, kept=kept) if left != 4 else backup(at, None, ok=False))
        if number % 7 == 0 and left not in {4, 8}:
            lines.append(proof(at + timedelta(minutes=4), number))
    for line in lines:
        book.add(state, line)
    newest = lines[-1] if lines[-1].kind == book.BACKUP else lines[-2]
    outcome.write(state, Outcome(newest.moment, True, str(newest.number), newest.text, verified=True, seconds=100.0))
    return lines
