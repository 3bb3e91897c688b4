"""`slrt` itself: what it says and how it ends when the operator types something wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from appliance.cli import SUBJECTS
from appliance.config import Settings, render

SLRT = Path(sys.executable).parent / "slrt"


def slrt(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SLRT), *words], capture_output=True, text=True, check=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "appliance.toml"
    file.write_text(render(Settings()))
    return file


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_subject_has_help(subject: str) -> None:
    run = slrt(subject, "--help")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Usage: slrt")


def test_a_right_file_is_called_right(config: Path) -> None:
    run = slrt("--config", str(config), "config", "check")
    assert (run.returncode, run.stdout) == (0, f"{config}: pengaturan benar (kabupaten/kota 73.03).\n")


def test_a_wrong_file_is_an_error_of_its_own_kind(config: Path) -> None:
    config.write_text('[node]\ndistrict = "x"\n')
    run = slrt("--config", str(config), "config", "check")
    assert run.returncode == 78
    assert run.stderr.startswith(f"Gagal: {config}: node.district = 'x': diharapkan")
    assert "Langkah berikutnya:" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("words", [("nonsense",), ("config", "nonsense"), ("status", "--nonsense"), ("--nonsense",)])
def test_a_wrong_word_is_a_usage_error(words: tuple[str, ...]) -> None:
    run = slrt(*words)
    assert run.returncode == 2
    assert "nonsense" in run.stderr
    assert "Traceback" not in run.stderr
