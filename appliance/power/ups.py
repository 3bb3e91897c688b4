"""The one adapter of pynut2: a Reading or a Silence, never an exception and never a guess.

pynut2 returns the answer to an earlier question after a time-out and parts of lists that were cut off. So an answer counts only
whole, with its terminator and the name that was asked for, within one deadline; after any fault the connection is thrown away.
While logged in, upsmon waits for our logout before it shuts down: that is the time in which the appliance drains.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from pynut2.nut2 import PyNUTClient, PyNUTError

from appliance.power.reading import Reading, Silence, SilenceKind, parse

T = TypeVar("T")
READ_DEADLINE = timedelta(seconds=1.5)
LONGEST_ANSWER = 262_144
_THIS_MACHINE = frozenset({"127.0.0.1", "::1"})

# Its debug lines hold the password and its error lines say nothing that a Silence does not say better.
logging.getLogger("pynut2.nut2").setLevel(logging.CRITICAL)

_KINDS = {
    "DATA-STALE": SilenceKind.STALE,
    "DRIVER-NOT-CONNECTED": SilenceKind.DRIVER,
    "ACCESS-DENIED": SilenceKind.DENIED,
    "USERNAME-REQUIRED": SilenceKind.DENIED,
    "PASSWORD-REQUIRED": SilenceKind.DENIED,
    "INVALID-USERNAME": SilenceKind.DENIED,
    "INVALID-PASSWORD": SilenceKind.DENIED,
    "UNKNOWN-UPS": SilenceKind.UNKNOWN,
}


class _BrokenError(Exception):
    """The conversation cannot go on; what was heard so far is worth nothing."""

    def __init__(self, kind: SilenceKind, detail: str) -> None:
        super().__init__(detail)
        self.silence = Silence(kind, detail)


class _Conversation(PyNUTClient):  # type: ignore[misc]  # pynut2 has no types
    """pynut2 with its two transport functions made strict. `deadline` (monotonic seconds) bounds all that is read."""

    def __init__(self, host: str, port: int, deadline: float) -> None:
        self._srv_handler: Any = None
        self.deadline = deadline
        try:
            # Without login and password here: the library would log them.
            super().__init__(host=host, port=port, timeout=self._left())
        except PyNUTError as error:
            raise _BrokenError(SilenceKind.CONNECT, repr(error.__context__ or error)) from error
        # NUT is not telnet: no option is ever negotiated, whatever bytes come.
        handler: Any = self._srv_handler
        handler.set_option_negotiation_callback(lambda *_: None)

    def __del__(self) -> None:
        self.drop()

    def drop(self) -> None:
        """Close without a word."""
        handler, self._srv_handler = self._srv_handler, None
        if handler is not None:
            handler.close()

    def log_in(self, ups: str, user: str, password: str) -> None:
        """Make upsmon count us. upsd checks the password only at LOGIN."""
        self._order(f"USERNAME {_quoted(user)}", f"PASSWORD {_quoted(password)}", f"LOGIN {ups}")

    def force_shutdown(self, ups: str, user: str, password: str) -> bool:
        """Whether upsd says that the forced shutdown is set. The library's own way asks for more rights than that needs."""
        self._order(f"USERNAME {_quoted(user)}", f"PASSWORD {_quoted(password)}")
        self._write(f"FSD {ups}\n")
        return self._read_until("\n").strip() == "OK FSD-SET"

    def _order(self, *lines: str) -> None:
        for line in lines:
            self._write(line + "\n")
            answer = self._read_until("\n")
            if not answer.startswith("OK"):
                raise _BrokenError(SilenceKind.PROTOCOL, f"{line.split()[0]} was answered {answer[:60]!r}")

    def ask(self, line: str) -> str:
        """The one-line answer to a question that pynut2 does not know."""
        self._write(line + "\n")
        return self._read_until("\n").strip()

    def ask_for_primary(self, ups: str, user: str, password: str) -> str:
        """What upsd says to the wish to be primary: the right to shut the UPS down, of which asking uses nothing."""
        for line in (f"USERNAME {_quoted(user)}", f"PASSWORD {_quoted(password)}"):
            self.ask(line)
        return self.ask(f"PRIMARY {ups}")

    def count_clients_here(self, ups: str) -> int:
        """How many programs of this machine are logged in: other machines on the same UPS say nothing of our own.

        The library asks for this list by a name that upsd does not know.
        """
        self._write(f"LIST CLIENT {ups}\n")
        begin = self._read_until("\n")
        if begin != f"BEGIN LIST CLIENT {ups}\n":
            raise _BrokenError(SilenceKind.PROTOCOL, f"{begin[:60]!r} does not begin the list")
        lines = self._read_until(f"END LIST CLIENT {ups}\n").splitlines()
        return sum(line.split()[-1].removeprefix("::ffff:") in _THIS_MACHINE for line in lines)

    def log_out(self) -> None:
        """Say goodbye and wait until upsd has heard it, so that upsmon stops waiting for us."""
        self._write("LOGOUT\n")
        self._read_until("\n")

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise _BrokenError(SilenceKind.TIMEOUT, "no answer within the deadline")
        return left

    def _write(self, string: str) -> None:
        body = string.removesuffix("\n")
        if not (body.isascii() and body.isprintable()):
            raise _BrokenError(SilenceKind.PROTOCOL, "a request may hold printable ASCII only")
        self._left()
        self._srv_handler.write(string.encode("ascii"))

    def _read_until(self, string: str) -> str:
        """Lines up to and including the terminator; for a list every line must be one of the list."""
        lines: list[str] = []
        size = 0
        while size < LONGEST_ANSWER:
            raw = self._srv_handler.read_until(b"\n", self._left())
            if not raw.endswith(b"\n"):
                self._left()
                raise _BrokenError(SilenceKind.CLOSED, f"the answer was cut after {size + len(raw)} bytes")
            size += len(raw)
            lines.append(raw.decode("utf-8", "replace"))
            self._refuse_error(lines[-1])
            if string in ("\n", lines[-1]):
                return "".join(lines)
            if not lines[-1].startswith(string.removeprefix("END LIST ").rstrip("\n") + " "):
                raise _BrokenError(SilenceKind.PROTOCOL, f"{lines[-1][:60]!r} does not belong into the list")
        raise _BrokenError(SilenceKind.PROTOCOL, "the answer does not end")

    @staticmethod
    def _refuse_error(line: str) -> None:
        if line.startswith("ERR "):
            word = [*line.split(), ""][1]
            raise _BrokenError(_KINDS.get(word, SilenceKind.PROTOCOL), line.strip()[:80])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Ups:
    """One UPS at one upsd. Keeps its connection as long as every answer was right."""

    def __init__(self, name: str, address: tuple[str, int], login: tuple[str, str] | None = None, serial: str = "") -> None:
        """`serial` is that of the installed unit; what another one says is a Silence. Empty takes any unit."""
        self._name = name
        self._address = address
        self._login = self._credentials = login
        self._serial = serial
        self._conversation: _Conversation | None = None
        self.login_refused = False

    def read(self, deadline: timedelta = READ_DEADLINE) -> Reading | Silence:
        """Ask once, within `deadline` in all. Never raises."""
        try:
            return self._of_our_unit(parse(self._variables(time.monotonic() + deadline.total_seconds())))
        except _BrokenError as error:
            self._drop()
            return error.silence
        except (PyNUTError, OSError, EOFError, ValueError, IndexError, AttributeError) as error:
            self._drop()
            kind = SilenceKind.CLOSED if isinstance(error, OSError | EOFError) else SilenceKind.PROTOCOL
            return Silence(kind, repr(error)[:120])

    def force_shutdown(self, deadline: timedelta = READ_DEADLINE) -> bool:
        """Set the forced shutdown in upsd and whether upsd took it. Never raises; what is true is told by the next reading."""
        if self._credentials is None:
            return False
        try:
            fresh = _Conversation(*self._address, time.monotonic() + deadline.total_seconds())
            try:
                return fresh.force_shutdown(self._name, *self._credentials)
            finally:
                fresh.drop()
        except (_BrokenError, OSError, EOFError, AttributeError):
            return False

    def release(self) -> None:
        """Log out, so that upsmon goes on with its shutdown; later readings do not log in again. Never raises."""
        self._login = None
        if self._conversation is None:
            return
        try:
            self._conversation.deadline = time.monotonic() + READ_DEADLINE.total_seconds()
            self._conversation.log_out()
        except (_BrokenError, OSError, EOFError, AttributeError):
            pass  # a broken connection is a logout too
        self._drop()

    def _of_our_unit(self, heard: Reading | Silence) -> Reading | Silence:
        """A forced shutdown counts whoever tells it: upsmon acts on it as well."""
        if isinstance(heard, Silence) or heard.serial == self._serial or not self._serial or heard.forced:
            return heard
        return Silence(SilenceKind.OTHER_UNIT, f"ups.serial {heard.serial[:40]!r}")

    def _variables(self, deadline: float) -> dict[str, str]:
        conversation = self._connected(deadline)
        conversation.deadline = deadline
        found: dict[str, str] = conversation.list_vars(self._name)
        return found

    def _connected(self, deadline: float) -> _Conversation:
        if self._conversation is None:
            self._conversation = self._connect(deadline)
        return self._conversation

    def _connect(self, deadline: float) -> _Conversation:
        """A new conversation, logged in if upsd lets us: a wrong password must not make the node blind to an outage."""
        fresh = _Conversation(*self._address, deadline)
        if self._login is None:
            return fresh
        try:
            fresh.log_in(self._name, *self._login)
        except _BrokenError as error:
            fresh.drop()
            if error.silence.kind is not SilenceKind.DENIED:
                raise
            self.login_refused = True
            return _Conversation(*self._address, deadline)
        self.login_refused = False
        return fresh

    def _drop(self) -> None:
        if self._conversation is not None:
            self._conversation.drop()
        self._conversation = None


@dataclass(frozen=True)
class Inspection:
    """What upsd tells whoever asks for more than the power: its version, how many of this machine are logged in, and whether `login` may shut down.

    `silence` is why it gave no variables; `clients`, `primary` and `version` are None where it did not say.
    """

    silence: Silence | None = None
    variables: Mapping[str, str] | None = None
    clients: int | None = None
    primary: bool | None = None
    version: tuple[int, ...] | None = None


def inspect(name: str, address: tuple[str, int], login: tuple[str, str], deadline: timedelta = READ_DEADLINE) -> Inspection:
    """Ask upsd about itself, each question on a connection of its own. Changes nothing there. Never raises."""
    ends = deadline.total_seconds()
    variables = _apart(address, ends, lambda talk: dict(talk.list_vars(name)))
    if isinstance(variables, Silence):
        return Inspection(variables)
    clients = _apart(address, ends, lambda talk: talk.count_clients_here(name))
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", _text(_apart(address, ends, lambda talk: talk.ask("VER"))))
    return Inspection(
        None,
        variables,
        None if isinstance(clients, Silence) else clients,
        _granted(_apart(address, ends, lambda talk: talk.ask_for_primary(name, *login))),
        tuple(int(number) for number in version.groups()) if version else None,
    )


def _apart(address: tuple[str, int], seconds: float, question: Callable[[_Conversation], T]) -> T | Silence:
    """The answer on a fresh connection, or why there is none."""
    try:
        talk = _Conversation(*address, time.monotonic() + seconds)
        try:
            return question(talk)
        finally:
            talk.drop()
    except _BrokenError as error:
        return error.silence
    except (PyNUTError, OSError, EOFError, ValueError, IndexError, AttributeError) as error:
        return Silence(SilenceKind.PROTOCOL, repr(error)[:120])


def _text(answer: str | Silence) -> str:
    return answer if isinstance(answer, str) else ""


def _granted(answer: str | Silence) -> bool | None:
    """None when upsd could not be asked."""
    if isinstance(answer, str):
        return answer.startswith("OK")
    return False if answer.kind is SilenceKind.DENIED else None
