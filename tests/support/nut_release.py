"""The NUT of another Debian than this one, to be run here: its programs unpacked, each behind a script that gives it its own libraries.

Kept outside the repository like the trees of the machine tests; safe to delete at any time.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import time
from datetime import timedelta
from pathlib import Path

from tests.support.machine_tree import OPTIONS, cache_folder, locked

HERE = Path("/lib/nut")
VERSIONS = {"bookworm": "2.8.0", "trixie": "2.8.1"}
MAX_AGE = timedelta(days=60)  # nothing of it faces anybody; NUT gets few updates within a release
LIBRARIES = "usr/lib/x86_64-linux-gnu"
SCRIPT = '#!/bin/sh\nexec {tree}/{libraries}/ld-linux-x86-64.so.2 --library-path {tree}/{libraries} --argv0 {program} {program} "$@"\n'


def nut_programs(release: str) -> Path:
    """The folder with dummy-ups, upsd, upsmon and the other drivers of the release's NUT. Raises RuntimeError with what is missing."""
    if release == platform.freedesktop_os_release().get("VERSION_CODENAME"):
        if not (HERE / "dummy-ups").exists():
            raise RuntimeError("NUT is missing. Install it: apt install nut-server nut-client")
        return HERE
    with locked(cache_folder() / f"nut-{release}.lock"):
        tree = cache_folder() / f"nut-{release}"
        if not tree.exists() or time.time() - tree.stat().st_mtime > MAX_AGE.total_seconds():
            _unpack(release, tree)
        return tree / "run"


def _unpack(release: str, tree: Path) -> None:
    part = tree.with_name(f"part-{tree.name}")
    for old in (part, tree):
        shutil.rmtree(old, ignore_errors=True)
    options = [option for option in OPTIONS if not option.startswith("--variant")]
    command = ["mmdebstrap", "--variant=extract", *options, "--include=nut-server,nut-client", release, str(part)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"mmdebstrap {release} failed:\n{done.stderr[-3000:]}")
    (part / "run").mkdir()
    for program in (part / "usr/lib/nut").iterdir():
        script = part / "run" / program.name
        script.write_text(SCRIPT.format(tree=tree, libraries=LIBRARIES, program=tree / "usr/lib/nut" / program.name))
        script.chmod(0o755)
    part.rename(tree)
