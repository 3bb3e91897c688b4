"""Every page there is, in an office at work: what axe finds, no sideways scrolling, Indonesian only, and room for a finger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support import every_page
from tests.support.browser import Desks, Node, still
from tests.support.every_page import NO_PAGES
from webui import create_app

GRAVE = {"serious", "critical"}
# What a button or a field of ours must measure, in CSS pixels, on the tablet.
FINGER = 48
SMALL = """(least) => [...document.querySelectorAll(
    ".button, .menu a, .tabs a, main input:not([type=hidden]):not([type=checkbox]):not([type=radio]), main select")]
  .filter(element => element.offsetParent && !element.matches(".hidden")).filter(element => element.getBoundingClientRect().height < least)
  .map(element => element.outerHTML.slice(0, 100))"""
# The wall of the waiting room has nobody who would press a button.
KNOWN = {("queue.screen", "meta-refresh")}
# Words of the program's own side, and days or numbers as a program writes them.
FOREIGN = re.compile(
    r"\b(None|null|undefined|True|False|Submit|Search|Error|Page|Save|Cancel|Next|Previous|Loading|update|upload|download|"
    r"January|February|March|May|June|July|August|October|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b"
    r"|\b\d{4}-\d\d-\d\d\b|\b[0-9a-f]{8}-[0-9a-f]{4}-"
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, list[every_page.Page]]]:
    """A node of its own, with the people and cases of the demonstration."""
    node = Node(tmp_path_factory.mktemp("office"))
    shown = list(every_page.pages(node, every_page.fill(node)))
    node.start()
    yield node, shown
    node.stop()


def test_what_is_no_page_is_known(office: tuple[Node, list[every_page.Page]]) -> None:
    node, shown = office
    opened = {rule.endpoint for rule in create_app(node.settings).url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert {page.endpoint for page in shown} | set(NO_PAGES) == opened - {"static"}


def test_every_page_is_fit_for_everybody(office: tuple[Node, list[every_page.Page]], browser: Browser) -> None:
    node, shown = office
    desks = Desks(node, browser)
    wrong: list[str] = []
    for officer, mine in groupby(sorted(shown, key=_username), key=lambda page: page.officer):
        size = {"width": 1024, "height": 600}
        with desks.window(officer, viewport=size) if officer else desks.strange_window(viewport=size) as window:
            for page in mine:
                wrong += [f"{page.endpoint}: {fault}" for fault in _faults(window, page)]
    assert wrong == [], "\n".join(wrong)


# Each paper with its width and height in millimetres.
PAPERS = {
    ("slips.slip", ""): (80, 160),
    ("slips.slip", "?ukuran=58"): (58, 160),
    ("slips.slip", "?ukuran=a6"): (105, 148),
    ("letters.register_sheet", ""): (297, 210),
    ("power.book", ""): (210, 297),
    ("visits.sheet", ""): (210, 297),
    ("handovers.sheet", ""): (210, 297),
}
MEDIA_BOX = re.compile(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]")
POINTS_A_MILLIMETRE = 72 / 25.4


def test_a_paper_has_the_size_of_its_printer_and_fits_on_one(
    office: tuple[Node, list[every_page.Page]], browser: Browser
) -> None:
    node, shown = office
    paths = {page.endpoint: page.path for page in shown}
    (officer,) = {page.officer for page in shown if page.endpoint == "slips.slip"}
    assert officer is not None
    found = {}
    with Desks(node, browser).window(officer) as window:
        for endpoint, asked in PAPERS:
            window.goto(paths[endpoint] + asked)
            sizes = MEDIA_BOX.findall(window.pdf(prefer_css_page_size=True))
            found[endpoint, asked] = [tuple(round(float(side) / POINTS_A_MILLIMETRE) for side in size) for size in sizes]
    assert found == {paper: [size] for paper, size in PAPERS.items()}


def _username(page: every_page.Page) -> str:
    return page.officer.username if page.officer else ""


def _faults(window: Page, page: every_page.Page) -> Iterator[str]:
    answer = window.goto(page.path)
    assert answer is not None
    if answer.status != 200 or "text/html" not in answer.headers["content-type"]:
        yield f"answers {answer.status} {answer.headers['content-type']}"
        return
    with still(window):
        yield from _wrong_on(window, page)


def _wrong_on(window: Page, page: every_page.Page) -> Iterator[str]:
    for violation in Axe().run(window).response["violations"]:
        if violation["impact"] in GRAVE and (page.endpoint, violation["id"]) not in KNOWN:
            yield f"{violation['id']} {violation['nodes'][0]['html'][:120]}"
    yield from (f"too small for a finger: {element}" for element in window.evaluate(SMALL, FINGER))
    if window.evaluate("document.documentElement.scrollWidth") > 1024:
        yield "scrolls sideways"
    yield from (f"foreign: {found[0]}" for found in FOREIGN.finditer(window.inner_text("body")))
