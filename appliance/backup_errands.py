"""How the scheduler and the worker have the backups made by the user that they belong to: an errand is a file, its end another.

A path unit starts `slrt backup errand` when the file is there. What may be asked for is a short list, for whoever asks reads what
strangers sent in. A killed keeper lets go of its lock and leaves no answer: then the errand has failed.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import EXIT_CONFIGURATION, EXIT_FAILED, EXIT_TRY_LATER
from appliance.power.state import replace_file

ERRAND, ANSWER, LOCK = "backup-errand", "backup-answer", "backup-errand.lock"
KNOWN = re.compile(r"run|prove|prove --all-data|disk copy [A-H]")
LONGEST = 400
TAKEN_SECONDS = 60.0
POLL_SECONDS = 0.2

Ask = Callable[[], bool]


@dataclass(frozen=True)
class Errand:
    """The words after `slrt backup`, and what its answer is known by."""

    key: str
    words: tuple[str, ...]


def send(runtime: Path, words: Sequence[str], ending: Ask) -> int:
    """Have `slrt backup` with these words done, and wait for it. Its exit code; TryLater's when another errand is under way or
    when we are `ending` ourselves, ConfigurationError's when nobody takes it."""
    key = secrets.token_hex(8)
    if not _leave(runtime, key, words):
        return EXIT_TRY_LATER
    deadline = time.monotonic() + TAKEN_SECONDS
    while (runtime / ERRAND).exists():
        late = time.monotonic() > deadline
        if (late or ending()) and _withdraw(runtime):
            return EXIT_CONFIGURATION if late else EXIT_TRY_LATER
        time.sleep(POLL_SECONDS)
    while (code := _answer_to(runtime, key)) is None:
        if ending():
            return EXIT_TRY_LATER
        if not is_under_way(runtime):
            answered = _answer_to(runtime, key)
            return EXIT_FAILED if answered is None else answered
        time.sleep(POLL_SECONDS)
    return code


def is_under_way(runtime: Path) -> bool:
    """Whether an errand is being done now. Two who ask at once do not take each other for the keeper."""
    try:
        with _locked(runtime, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:  # without the runtime folder nobody works for anybody
        return False


@contextmanager
def doing(runtime: Path) -> Iterator[Errand | None]:
    """As the keeper, take the errand that waits, if one does and it is known; others see meanwhile that it is under way."""
    with _locked(runtime, fcntl.LOCK_EX):
        yield _take(runtime)


def answer(runtime: Path, errand: Errand, code: int) -> None:
    """Tell how it ended. Raises OSError."""
    replace_file(runtime / ANSWER, json.dumps({"key": errand.key, "code": code}))


def _leave(runtime: Path, key: str, words: Sequence[str]) -> bool:
    """Put the errand there unless one waits or is under way; one that nobody took is of an asker that died, and goes."""
    place, beside = runtime / ERRAND, runtime / f".{ERRAND}.{key}"
    with suppress(OSError):
        if time.time() - place.stat().st_mtime > TAKEN_SECONDS:
            place.unlink()
    if is_under_way(runtime):
        return False
    replace_file(beside, json.dumps({"key": key, "words": list(words)}))
    try:
        place.hardlink_to(beside)
    except FileExistsError:
        return False
    finally:
        beside.unlink()
    return True


def _withdraw(runtime: Path) -> bool:
    """Take it back; False when it has just been taken."""
    try:
        (runtime / ERRAND).unlink()
    except FileNotFoundError:
        return False
    return True


def _take(runtime: Path) -> Errand | None:
    """The errand, which is gone then. Follows no link and waits for nothing."""
    found: object = None
    with suppress(OSError, ValueError):
        handle = os.open(runtime / ERRAND, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = json.loads(file.read(LONGEST))
    with suppress(FileNotFoundError):
        (runtime / ERRAND).unlink()
    match found:
        case {"key": str(key), "words": [*words]} if KNOWN.fullmatch(" ".join(map(str, words))):
            return Errand(key, tuple(map(str, words)))
    return None


def _answer_to(runtime: Path, key: str) -> int | None:
    try:
        found = json.loads((runtime / ANSWER).read_bytes())
        return int(found["code"]) if found["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


@contextmanager
def _locked(runtime: Path, how: int) -> Iterator[None]:
    """Hold the lock; a blocked taker waits for the blink of somebody's question. Raises BlockingIOError with LOCK_NB."""
    handle = os.open(runtime / LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)
