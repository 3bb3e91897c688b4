"""`slrt database bps` as an operator runs it, and the count that the scheduler asks for by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from appliance import background
from appliance.config import PowerSettings, Settings, render
from appliance.database import db
from appliance.registry import area_counts
from appliance.scheduling import office_jobs
from appliance.scheduling.workplace import Workplace
from tests.support.databases import SqliteTemplate
from tests.support.web_client import web_settings

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def folder(sqlite: SqliteTemplate, tmp_path: Path) -> Path:
    settings = web_settings(sqlite.fresh(tmp_path))
    (tmp_path / "appliance.toml").write_text(render(settings))
    return tmp_path


def load(folder: Path, content: str) -> subprocess.CompletedProcess[str]:
    file = folder / "bps.csv"
    file.write_text(content, encoding="utf-8-sig")
    return subprocess.run(
        [sys.executable, "-c", "from appliance.cli import main; main()", "database", "bps", str(file)],
        cwd=PROJECT,
        env={"SLRT_CONFIG": str(folder / "appliance.toml"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_list_of_bps_codes_is_loaded_and_again(folder: Path, separator: str) -> None:
    rows = (("kode_bps", "kode_kemendagri"), ("7303030", "73.03.04"), ("7303011", "73.03.06"))
    content = "\n".join(separator.join(row) for row in rows) + "\n\n"
    done = load(folder, content)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "2 wilayah mendapat kode BPS.\n")
    assert load(folder, content).stdout == "Tidak ada yang berubah.\n"


def test_a_wrong_line_is_named_and_nothing_is_loaded(folder: Path) -> None:
    done = load(folder, "7303030,73.03.04\n73,\nx,73.03.06\n")
    assert done.returncode == 2
    assert "baris 2: Kode Kemendagri (kosong) tidak dikenal." in done.stderr
    assert load(folder, "7303030,73.03.04\n").stdout == "1 wilayah mendapat kode BPS.\n"


def test_the_scheduler_asks_for_the_count_once_a_night_and_not_before_a_power_off(
    app: Flask, settings: Settings, tmp_path: Path
) -> None:
    power = tmp_path / "power"
    power.mkdir()
    workplace = Workplace(
        replace(settings, power=PowerSettings(runtime=str(power))), tmp_path / "appliance.toml", threading.Event()
    )
    (power / "state.json").write_text('{"accepts_work": false}')
    office_jobs.do(workplace, office_jobs.ask_for_the_night)
    assert not background.is_asked(area_counts.KIND, area_counts.SUBJECT)
    (power / "state.json").write_text('{"accepts_work": true}')
    office_jobs.do(workplace, office_jobs.ask_for_the_night)
    db.session.remove()
    first = background.progress_of(area_counts.SUBJECT)
    office_jobs.do(workplace, office_jobs.ask_for_the_night)
    db.session.remove()
    assert first is not None
    assert background.progress_of(area_counts.SUBJECT) == first
