"""The NUT of another Debian than this one, to be run here: its programs unpacked, each behind a script that gives it its own libraries.

What was fetched is kept with the trees of the machine tests, and copied to where a user without a home may run it.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from tests.support.machine_tree import OPTIONS, cache_folder, locked

HOST_RELEASE = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
HERE = Path("/lib/nut")
VERSIONS = {"bookworm": "2.8.0", "trixie": "2.8.1"}
MAX_AGE = timedelta(days=60)  # nothing of it faces anybody, and NUT changes little within a release
PROGRAMS, LIBRARIES = "usr/lib/nut", "usr/lib/x86_64-linux-gnu"
SCRIPT = '#!/bin/sh\nexec {libraries}/ld-linux-x86-64.so.2 --library-path {libraries} --argv0 {program} {program} "$@"\n'


def nut_programs(release: str) -> Path:
    """The folder with dummy-ups, upsd, upsmon and the other drivers of the release's NUT. Raises RuntimeError with what is missing."""
    if release == HOST_RELEASE:
        if not (HERE / "dummy-ups").exists():
            raise RuntimeError("NUT is missing. Install it: apt install nut-server nut-client")
        return HERE
    with locked(cache_folder() / f"nut-{release}.lock"):
        kept = cache_folder() / f"nut-{release}"
        if not kept.exists() or time.time() - kept.stat().st_mtime > MAX_AGE.total_seconds():
            _fetch(release, kept)
        return _laid_out(kept, Path(tempfile.gettempdir()) / "slrt-tests" / f"nut-{release}-{int(kept.stat().st_mtime)}")


def _fetch(release: str, kept: Path) -> None:
    part = kept.with_name(f"part-{kept.name}")
    for old in (part, kept):
        shutil.rmtree(old, ignore_errors=True)
    options = [option for option in OPTIONS if not option.startswith("--variant")]
    command = ["mmdebstrap", "--variant=extract", *options, "--include=nut-server,nut-client", release, str(part)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"mmdebstrap {release} failed:\n{done.stderr[-3000:]}")
    part.rename(kept)


def _laid_out(kept: Path, folder: Path) -> Path:
    if not folder.exists():
        part = folder.with_name(f"part-{folder.name}")
        shutil.rmtree(part, ignore_errors=True)
        for name in (PROGRAMS, LIBRARIES):
            shutil.copytree(kept / name, part / name, symlinks=True)
        for program in (part / PROGRAMS).iterdir():
            script = part / program.name
            script.write_text(SCRIPT.format(libraries=folder / LIBRARIES, program=folder / PROGRAMS / program.name))
            script.chmod(0o755)
        part.rename(folder)
    return folder
