"""Running a program that can be stopped at any moment, with its whole process group, and that hands over what it said.

Knows neither borg nor databases.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from backups.errors import EngineMissing, Stopped

POLL_SECONDS = 0.1
GRACE_SECONDS = 3.0
BLOCK = 1 << 20

Stop = Callable[[], bool]
Sink = Callable[[bytes], object]


def never() -> bool:
    """The answer of a run that nobody stops."""
    return False


@dataclass(frozen=True)
class Ended:
    """How a program ended: exit code (negative: the signal that killed it), and what it wrote."""

    code: int
    out: bytes
    err: str


def check(stop: Stop) -> None:
    """Raise Stopped if the run shall end."""
    if stop():
        raise Stopped("Pencadangan dihentikan sebelum selesai.", "Tidak perlu apa-apa: sistem mengulanginya sendiri nanti.")


def run(  # noqa: PLR0913 - each is one property of the process
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    feed: bytes | None = None,
    sink: Sink | None = None,
    keep: Sequence[int] = (),
    stop: Stop = never,
) -> Ended:
    """Run to the end. `feed` goes to standard input, standard output to `sink` (else it is collected), `keep` are descriptors
    that the program inherits.

    Raises Stopped within a few seconds after `stop` says so, EngineMissing when there is no such program, and the OSError of a
    sink that cannot write.
    """
    check(stop)
    process = _start(command, environment, folder, keep, feeds=feed is not None)
    out: list[bytes] = []
    err: list[bytes] = []
    broken: list[OSError] = []
    threads = [
        threading.Thread(target=_pump, args=(process.stdout, sink or out.append, broken), daemon=True),
        threading.Thread(target=_pump, args=(process.stderr, err.append, broken), daemon=True),
        threading.Thread(target=_fill, args=(process.stdin, feed), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        _wait(process, stop)
    finally:
        # what waits for a dead disk inside the kernel cannot even be killed: it is left behind, and keeps the run's lock
        ended = end(process)
        for thread in threads:
            thread.join(None if ended else 0)
    if broken:
        raise broken[0]
    return Ended(process.returncode, b"".join(out), b"".join(err).decode(errors="replace"))


def _start(
    command: Sequence[str], environment: Mapping[str, str] | None, folder: Path | None, keep: Sequence[int], *, feeds: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            env=None if environment is None else {**os.environ, **environment},
            cwd=folder,
            stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(keep),
            # a group to be killed together, and no terminal: what asks for a passphrase reads the feed
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise EngineMissing(f"Program {command[0]} tidak ada.", f"Pasang paketnya: apt install {command[0]}") from error


def _wait(process: subprocess.Popen[bytes], stop: Stop) -> None:
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_SECONDS)
            return
        check(stop)


def end(process: subprocess.Popen[bytes]) -> bool:
    """Make sure that the program and all its children are gone: asked first, killed after a grace. Whether it is gone."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        _signal(process, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    return process.returncode is not None


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _pump(source: IO[bytes] | None, sink: Sink, broken: list[OSError]) -> None:
    """Hand on what the program writes. When the sink fails the pipe closes, and the program ends by itself."""
    if source is None:
        return
    with source:
        try:
            while block := os.read(source.fileno(), BLOCK):
                sink(block)
        except OSError as error:
            broken.append(error)


def _fill(target: IO[bytes] | None, feed: bytes | None) -> None:
    if target is not None:
        with suppress(BrokenPipeError), target:
            target.write(feed or b"")
