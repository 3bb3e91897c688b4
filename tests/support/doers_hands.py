"""The worker's hands for tests of doers: a clock that stands still, and a cut after so many parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Hands:
    """`parts` None never cuts."""

    at: datetime
    parts: int | None = None
    checked: int = field(default=0)

    @property
    def now(self) -> Callable[[], datetime]:
        return lambda: self.at

    def check(self) -> None:
        """Raises InterruptedError when the parts are used up."""
        if self.parts is not None and self.checked >= self.parts:
            raise InterruptedError
        self.checked += 1
