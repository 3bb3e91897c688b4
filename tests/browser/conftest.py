"""One node and one browser for all browser tests; each test brings its own residents and cases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.browser import PATIENCE, Desks, Node, launch
from tests.support.journey import Staff, hire

# what is expected of a page may take as long as what is waited for
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session", autouse=True)
def pace(pytestconfig: pytest.Config) -> None:
    """How the pages come."""
    if pytestconfig.getoption("--slow-pages"):
        Node.pages = "tests.support.slow_pages:create_app()"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    running = Node(tmp_path_factory.mktemp("node"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="session")
def staff(node: Node) -> Staff:
    return hire(node)


@pytest.fixture(scope="session")
def desks(node: Node, browser: Browser) -> Desks:
    return Desks(node, browser)


# far from the running numbers of cases, so that a search for its digits finds nothing else
NUMBERS = count(7001)


@pytest.fixture
def nik() -> str:
    """The number of a woman born on 12 May 1985 whom no other test knows."""
    return f"730301520585{next(NUMBERS):04d}"
