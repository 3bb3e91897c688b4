"""Where tests keep files by the thousand for a moment: in memory, if there is plenty of it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 4 << 30  # bytes


def quick_folder() -> str:
    """The folder for such folders."""
    free = shutil.disk_usage(MEMORY).free if MEMORY.is_dir() else 0
    return str(MEMORY) if min(free, _available()) >= ENOUGH else tempfile.gettempdir()


def _available() -> int:
    """Bytes of memory that programs may still take."""
    words = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return int(words["MemAvailable"].split()[0]) * 1024
