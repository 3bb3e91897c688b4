"""Nodes without a backup and with one good backup, made once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from backups.settings import Plan
from tests.support.borg import make_plan, moved, run_now


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return make_plan(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def template(empty_template: Plan, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    plan = copied(empty_template, tmp_path_factory.mktemp("node") / "node")
    run_now(plan)
    return plan


def copied(plan: Plan, folder: Path) -> Plan:
    """A copy of the node in the new folder `folder`."""
    shutil.copytree(plan.data.parent, folder)
    return moved(plan, folder)


@pytest.fixture
def plan(template: Plan, tmp_path: Path) -> Plan:
    """A node of its own with one good backup: 2000 rows, 5 attachments, an identity."""
    return copied(template, tmp_path / "node")


@pytest.fixture
def fresh(empty_template: Plan, tmp_path: Path) -> Plan:
    """A node of its own that was never backed up."""
    return copied(empty_template, tmp_path / "node")
