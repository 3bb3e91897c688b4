"""The order of the whole suite: machines first, for they take longest and must not begin when all else is done."""

from __future__ import annotations

from pathlib import Path

import pytest

MACHINES = Path(__file__).parent / "machine"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rest stays as it was collected."""
    items.sort(key=lambda item: MACHINES not in item.path.parents)
