"""How long a name must wait after wrong passwords: a pure rule, chosen so that a guesser gains nothing and an office loses nothing.

Counted for each (name, known device); all unknown devices of a name share one count. So fifty tablets behind one address do not
wait for each other, and a stranger who guesses on purpose cannot keep out a person at her own computer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

FREE_MISSES = 2  # a slip of the finger costs nothing
LONGEST_WAIT = timedelta(seconds=30)
# After this many misses in a row only known devices may go on; an admin gives the others a new password (NIST SP 800-63B).
MOST_MISSES_UNKNOWN = 100


@dataclass(frozen=True)
class Verdict:
    """`wait` is zero when the password may be tried now; `closed` when waiting does not help."""

    wait: timedelta = timedelta()
    closed: bool = False

    @property
    def may_try(self) -> bool:
        """Whether the password is looked at."""
        return not self.closed and self.wait <= timedelta()


def delay(misses: int) -> timedelta:
    """The pause after `misses` wrong passwords in a row: 0, 0, 1, 2, 4 … 30 seconds."""
    if misses < FREE_MISSES:
        return timedelta()
    return min(timedelta(seconds=2 ** min(misses - FREE_MISSES, 10)), LONGEST_WAIT)


def judge(misses: int, last_at: datetime | None, at: datetime, *, known_device: bool) -> Verdict:
    """Whether somebody who missed `misses` times, last at `last_at`, may try at `at`.

    A clock that was set back makes nobody wait longer than the pause itself.
    """
    if not known_device and misses >= MOST_MISSES_UNKNOWN:
        return Verdict(closed=True)
    if last_at is None:
        return Verdict()
    pause = delay(misses)
    return Verdict(min(max(last_at + pause - at, timedelta()), pause))
