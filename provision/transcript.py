"""What the commands of a step print: hidden while they work, and in the log of the installation once one of them fails."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from appliance.errors import ApplianceError
from provision.host import Host, Outcome

LOG = "/var/log/slrt-install.log"
_APPEND = 'umask 077 && cat >>"$1"'
# of the step under way in this thread; None where nobody would read it
_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


def hear(command: Sequence[str], outcome: Outcome, secret: bool) -> None:
    """A command has ended. `secret` keeps what it printed out of the log."""
    said = _said.get()
    if said is not None:
        said.append(f"+ {shlex.join(command)}\n" + ("" if secret else outcome.output + outcome.errors))


@contextmanager
def hidden(host: Host, say: Callable[[str], None]) -> Iterator[None]:
    """Around a step. When it fails, all that its commands printed is appended to the machine's log, and `say` tells where."""
    said: list[str] = []
    before = _said.set(said)
    try:
        yield
    except Exception:
        # a machine that cannot even write this down has said so already
        with suppress(ApplianceError):
            if said and host.run(["sh", "-c", _APPEND, "sh", LOG], "".join(said).encode()).worked:
                say(f"      semua keluaran perintah langkah ini: {LOG}")
        raise
    finally:
        _said.reset(before)
