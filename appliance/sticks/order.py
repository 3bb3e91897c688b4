"""The order to let go of a stick: one small file that the service leaves and the keeper takes away.

The service writes it and root reads it, so it is believed only as far as it names a stick that root knows.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

ORDER = "stick-eject"
UUID_LENGTH = 36


def leave(runtime: Path, uuid: str) -> None:
    """Ask for a stick. Raises OSError."""
    beside = runtime / f".{ORDER}.new"
    beside.write_text(uuid, encoding="ascii")
    beside.replace(runtime / ORDER)


def is_waiting(runtime: Path) -> bool:
    """Whether an order has not been taken yet."""
    return (runtime / ORDER).exists()


def take(runtime: Path) -> str:
    """The filesystem id in the order, which is gone then; empty when there is none. Follows no link and waits for nothing."""
    text = b""
    with suppress(OSError):
        handle = os.open(runtime / ORDER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            text = os.read(handle, UUID_LENGTH)
        finally:
            os.close(handle)
    with suppress(OSError):
        (runtime / ORDER).unlink()
    return text.decode("ascii", "replace")
