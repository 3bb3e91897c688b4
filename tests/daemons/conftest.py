"""Nodes with the real borg and a service user, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.borg import Node, a_node


@pytest.fixture(scope="session")
def node_template() -> Iterator[Node]:
    with a_node() as made:
        yield made


@pytest.fixture(scope="session")
def backed_up_template(node_template: Node) -> Iterator[Node]:
    with a_node(node_template) as made:
        made.slrt("backup", "run", check=True)
        yield made


@pytest.fixture
def node(node_template: Node) -> Iterator[Node]:
    """A node of its own that was never backed up; its secrets are those of the other copies."""
    with a_node(node_template) as made:
        yield made


@pytest.fixture
def backed_up(backed_up_template: Node) -> Iterator[Node]:
    """A node of its own with one good backup."""
    with a_node(backed_up_template) as made:
        yield made
