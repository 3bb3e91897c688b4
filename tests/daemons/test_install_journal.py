"""The journal as install.sh writes and reads it: the same lines, and the same sentences, as slrt-provision."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from provision.host import Outcome
from provision.journal import FOLDER, Journal, how_it_ended, last
from tests.support.pretend_host import PretendHost

SHELL = Path(__file__).resolve().parents[2] / "provision/shell/journal.sh"
SAY = "say() { printf '%s\\n' \"$*\"; }; declare -A given=(); EXIT_STOPPED=137"


def in_shell(folder: Path, lines: str) -> subprocess.CompletedProcess[str]:
    """Run shell lines with the journal in `folder`."""
    sourced = f"source <(sed {shlex.quote(f's|{FOLDER}|{folder}|')} {SHELL})"
    script = f"set -euo pipefail\n{SAY}\n{sourced}\n{lines}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)


def pretended(folder: Path) -> PretendHost:
    """A machine with that journal, for the other reader."""
    return PretendHost(journal=(folder / "journal").read_text().splitlines())


class Here(PretendHost):
    """Its journal is a real one, in another folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def run(self, command: Sequence[str], given: bytes = b"") -> Outcome:
        done = subprocess.run(
            [word.replace(FOLDER, str(self._folder)) for word in command], capture_output=True, input=given, check=False
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


STEP = 'release_in_hand=0.1.0+abc; begin_journal; begin 4 runtime-libraries "Pustaka Python"'


@pytest.mark.parametrize(
    ("end", "code", "state", "told"),
    [
        ("reached runtime-libraries", 0, "done", ""),
        ("exit 75", 75, "failed", "gagal pada langkah runtime-libraries"),
        ("false", 1, "failed", "gagal pada langkah runtime-libraries"),
        ("kill -KILL $$", -9, "begun", "terputus di tengah langkah runtime-libraries"),
        ("given[stop-after]=runtime-libraries; reached runtime-libraries", 137, "done", ""),
    ],
    ids=["well", "by us", "by a command", "killed", "stopped"],
)
def test_both_read_how_a_step_of_the_shell_ended(tmp_path: Path, end: str, code: int, state: str, told: str) -> None:
    folder = tmp_path / "slrt-install"
    done = in_shell(folder, f"{STEP}\n{end}")
    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("Tahap 4/6  Pustaka Python\n")
    assert ("selesai dalam" in done.stdout) == (state == "done")
    assert (folder.stat().st_mode & 0o777) == 0o700
    line = last(pretended(folder))
    assert line is not None
    assert (line.state, line.step) == (state, "runtime-libraries")
    sentence = how_it_ended(pretended(folder))
    assert told in sentence
    assert in_shell(folder, "begin_journal").stdout == (f"{sentence}\n" if told else "")
    assert how_it_ended(pretended(folder)) == "", "told once"


def test_a_line_torn_by_a_power_cut_spoils_no_other(tmp_path: Path) -> None:
    torn = "2026-11-29T01:00:00Z begun paket - 0.1\n2026-11-29T01:0"
    (tmp_path / "journal").write_text(torn)
    told = in_shell(tmp_path, "begin_journal").stdout
    assert told == f"{how_it_ended(PretendHost(journal=torn.splitlines()))}\n"
    assert "terputus di tengah langkah paket" in told
    assert fields(tmp_path) == [5, 1, 5]
    (tmp_path / "journal").write_text(torn)
    Journal(Here(tmp_path)).begin_run()
    assert fields(tmp_path) == [5, 1, 5]


def test_the_other_program_makes_the_same_file(tmp_path: Path) -> None:
    folder = tmp_path / "slrt-install"
    with Journal(Here(folder)).step("paket"):
        assert last(pretended(folder)) is not None
    assert fields(folder) == [5, 5]
    assert (folder.stat().st_mode & 0o777) == 0o700


def fields(folder: Path) -> list[int]:
    """How many words each line has."""
    return [len(line.split()) for line in (folder / "journal").read_text().splitlines()]
