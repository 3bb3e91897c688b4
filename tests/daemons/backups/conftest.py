"""A node with one good backup, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backups.settings import Plan
from tests.support.borg import make_plan, moved, run_now


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    plan = make_plan(tmp_path_factory.mktemp("node"))
    run_now(plan)
    return plan


@pytest.fixture
def plan(template: Plan, tmp_path: Path) -> Plan:
    """A node of its own with one good backup: 2000 rows, 5 attachments, an identity."""
    shutil.copytree(template.data.parent, tmp_path / "node")
    return moved(template, tmp_path / "node")


@pytest.fixture
def fresh(tmp_path: Path) -> Plan:
    """A node of its own that was never backed up."""
    return make_plan(tmp_path / "node")
