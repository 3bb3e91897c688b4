"""Letting a process of its own do the work and killing it by the kernel in the middle: nothing of it may run on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from appliance.config import Settings, render

# `die` ends the process as a cut of the mains does. `before(statement, nth)` lets it die when the database is asked that for the nth time,
# `at_fsync(nth)` when a file or folder is forced to the disk for the nth time.
BEGINNING = """
import os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from appliance import database
from appliance.config import load
from tests.support.importing import work
settings = load(Path(sys.argv[1]))

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def before(statement, nth=1):
    seen = [0]
    def look(connection, cursor, asked, *rest):
        seen[0] += statement in asked
        if seen[0] == nth: die()
    sa.event.listen(sa.engine.Engine, "before_cursor_execute", look)

def at_fsync(nth=1):
    real, seen = os.fsync, [0]
    def fsync(handle):
        seen[0] += 1
        if seen[0] == nth: die()
        real(handle)
    os.fsync = fsync
"""
INSIDE = """
with database.create_service(settings).app_context():
    {work}
"""


def killed(settings: Settings, folder: Path, when: str, work: str = "work(settings)") -> None:
    """Run `work` in a process that dies at `when`, both in the words of BEGINNING. Fails when it lived to the end."""
    file = folder / "killed.toml"
    file.write_text(render(settings), encoding="utf-8")
    script = BEGINNING + when + INSIDE.format(work=work)
    ended = subprocess.run([sys.executable, "-c", script, str(file)], check=False, capture_output=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
