"""Root hands a command of `slrt backup` over to the user that it is done as, with the secrets in a descriptor of their own."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from appliance.commands.backup_plan import Handed, Source
from appliance.commands.door import Door
from appliance.custody import keepers_folder

# What is done as the user that makes the backups; all else that is handed over brings data back, as their owner.
KEEPERS = (["list"], ["disk"], ["key", "seconds"], ["key", "rekey"])
SLRT = [sys.executable, "-c", "from appliance.cli import main; main()"]


def hand_over(door: Door, source: Source, command: Sequence[str], handed: Handed | None = None, given: str | None = None) -> bool:
    """As root, run `slrt backup <command>` as the user that makes the backups, or where it writes the data (a restore) as their
    owner, and return True; as anybody else return False. It gets the secrets of the source, or those in `handed`,
    and what is `given` as its input.

    Exits with the exit code of that process when it failed: it has said what was wrong.
    """
    keepers = any(list(command[: len(words)]) == words for words in KEEPERS)
    service = words_of_owner(keepers_folder(door.settings) if keepers else Path(door.settings.paths.data))
    if not service:
        return False
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write((handed or Handed.read(door, source)).as_bytes())
    foreign = ["--repository", str(source.folder.absolute())] if source.folder else []
    ended = subprocess.run(
        [
            *service,
            *SLRT,
            "--config",
            str(door.config_file.absolute()),
            "backup",
            *command,
            *foreign,
            f"--handed={reading}",
        ],
        pass_fds=[reading],
        input=None if given is None else given.encode(),
        cwd="/",
        check=False,
        umask=0o027,
    )
    os.close(reading)
    if ended.returncode != 0:
        sys.exit(ended.returncode if ended.returncode > 0 else 1)
    return True


def words_of_owner(folder: Path) -> list[str]:
    """As root, the words before a command that make it that of the folder's owner, with one right of root's left: to read what
    others own. Nothing for anybody else, nor where root owns it himself."""
    owner, right = folder.stat(), "dac_read_search"
    if os.geteuid() != 0 or owner.st_uid == 0:
        return []
    words = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={_own_group(owner)}", "--init-groups"]
    if _may_read_everything():
        words += [f"--inh-caps=-all,+{right}", f"--ambient-caps=-all,+{right}", f"--bounding-set=-all,+{right}"]
    return words


def _own_group(owner: os.stat_result) -> int:
    """The group of the user himself, not of the folder, which may be for others to read."""
    try:
        return pwd.getpwuid(owner.st_uid).pw_gid
    except KeyError:
        return owner.st_gid


def _may_read_everything() -> bool:
    """Whether this process has CAP_DAC_READ_SEARCH (bit 2); a container may take it away even from root."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return any(int(line.split()[1], 16) & 1 << 2 for line in lines if line.startswith("CapBnd:"))
