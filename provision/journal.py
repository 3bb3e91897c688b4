"""The journal of the steps: a line before and after each, on the disk, so that the next run knows where the last one ended.

install.sh writes into the same file. A line is time, state, step, seconds and release, parted by blanks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from time import monotonic

from appliance.errors import ApplianceError
from provision.change import insist
from provision.host import Host
from provision.step import CURRENT

FOLDER = "/var/lib/slrt-install"
JOURNAL = f"{FOLDER}/journal"
# what a power cut tore off becomes a line of its own
_APPEND = """test -d "$1" || mkdir -m 0700 "$1"
test -z "$(tail -c 1 "$2" 2>/dev/null)" || echo >>"$2"
printf "%s\\n" "$3" >>"$2" && sync "$2" "$1"
"""


@dataclass(frozen=True)
class Line:
    """What was written: `state` is run, begun, done or failed."""

    at: str
    state: str
    step: str


def last(host: Host) -> Line | None:
    """The last whole line; what a power cut tore off does not count."""
    written = (host.read(JOURNAL) or b"").decode(errors="replace")
    lines = [line.split() for line in written.splitlines()]
    whole = [words for words in lines if len(words) == 5]
    return Line(*whole[-1][:3]) if whole else None


def how_it_ended(host: Host) -> str:
    """What the last run left undone, as an Indonesian sentence; empty when it ended well."""
    line = last(host)
    if line is None or line.state not in ("begun", "failed"):
        return ""
    how = "terputus di tengah" if line.state == "begun" else "gagal pada"
    return f"Pemasangan sebelumnya ({line.at}) {how} langkah {line.step}; dilanjutkan dari sana."


@dataclass(frozen=True)
class Journal:
    """Of one run on one machine."""

    host: Host

    def begin_run(self) -> None:
        """A run begins."""
        self._write("run", "provision")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Around a step that has something to do. A kill leaves it begun, an error failed."""
        began = monotonic()
        self._write("begun", name)
        try:
            yield
        except Exception:
            # a machine that cannot even write this down has said so already
            with suppress(ApplianceError):
                self._write("failed", name, monotonic() - began)
            raise
        self._write("done", name, monotonic() - began)

    def _write(self, state: str, step: str, seconds: float | None = None) -> None:
        current = self.host.look(CURRENT)
        release = PurePosixPath(current.target).name if current is not None else ""
        took = "-" if seconds is None else f"{seconds:.0f}"
        words = (datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), state, step, took, release or "-")
        insist(self.host, ["sh", "-c", _APPEND, "sh", FOLDER, JOURNAL, " ".join(words)])
