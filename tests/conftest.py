"""How the whole suite is dealt out to several processes (`-n 4 --dist loadgroup`): a file stays together, machines begin first."""

from __future__ import annotations

from pathlib import Path

import pytest

MACHINES = Path(__file__).parent / "machine"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files share servers between their tests; machines take longest, so they must not begin last. They have their own groups."""
    for item in items:
        if MACHINES not in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(item.path.name))
    items.sort(key=lambda item: MACHINES not in item.path.parents)
