"""The control groups of a test machine: its own ones, below those of this process.

In the same groups the systemds of all machines would count, stop and kill each other's services of the same name.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

# of the process that becomes the machine, before it does
ENTER = 'for group in $1; do mkdir -p "$group" && echo $$ >"$group/cgroup.procs" || exit 1; done; shift; exec "$@"'


def entering(name: str, command: list[str]) -> list[str]:
    """The command line that runs `command` in the groups `name`, under the process id that it is started with."""
    return ["/bin/sh", "-c", ENTER, "sh", " ".join(map(str, _groups(name))), *command]


def remove_groups(name: str) -> None:
    """Take the groups away, as far as no process is in them any more."""
    for top in _groups(name):
        for group in sorted((path for path in (top, *top.rglob("*")) if path.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                group.rmdir()


def _groups(name: str) -> list[Path]:
    """Its folders in the hierarchies by which systemd knows its services: the unified one, and the named one of older hosts."""
    own = {names: path for _, names, path in (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())}
    return [mount / own[names].lstrip("/") / name for names, mount in _hierarchies().items() if names in own]


def _hierarchies() -> dict[str, Path]:
    """Where they are mounted, by the names that /proc/PID/cgroup has for them."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, about = line.partition(" - ")
        kind, _, options = about.split(" ", 2)
        if kind == "cgroup2":
            found[""] = Path(fields.split()[4])
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            found["name=systemd"] = Path(fields.split()[4])
    return found
