"""The stage of the scenarios: the node and the officers that all browser tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.browser import Desks, Node
from tests.support.journey import Staff
from tests.support.scenes import Stage


@pytest.fixture(scope="session")
def stage(node: Node, staff: Staff, desks: Desks) -> Iterator[Stage]:
    with ExitStack() as windows:
        yield Stage(node, staff, desks, windows)
