"""The key pages in a real Chromium 81, the last browser of the tablets: they fit, nothing overlaps, and a case can be opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import journey
from tests.support.browser import PASSWORD, Node, Officer
from tests.support.chromium81 import OldTablet
from tests.support.journey import Staff

# Siblings that are drawn upon each other, and buttons that touch: what a missing flex gap or an unknown rule leads to.
OVERLAPS = """
(() => {
  const seen = element => element.offsetParent && !element.closest(".hidden, .skip, .who-menu")
  const boxes = [...document.querySelectorAll("main a, main button, main input, main select, main textarea, main label, header a, header button, header input, nav a")]
    .filter(seen).map(element => [element, element.getBoundingClientRect()]).filter(([, box]) => box.width > 1 && box.height > 1)
  const wrong = []
  for (const [one, a] of boxes) for (const [other, b] of boxes) {
    if (one === other || one.contains(other) || other.contains(one)) continue
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
    if (wide > 1 && high > 1) wrong.push(one.outerHTML.slice(0, 80) + " | " + other.outerHTML.slice(0, 80))
  }
  for (const row of document.querySelectorAll(".buttons, .others")) {
    const items = [...row.children].filter(seen).map(item => item.getBoundingClientRect())
    for (let i = 1; i < items.length; i++)
      if (Math.abs(items[i].top - items[i - 1].top) < 2 && items[i].left - items[i - 1].right < 4) wrong.push("no space in " + row.outerHTML.slice(0, 80))
  }
  return wrong
})()
"""
WIDTH = "document.documentElement.scrollWidth <= window.innerWidth"
HEADING = "document.querySelector('h1').innerText"


@pytest.fixture
def tablet() -> Iterator[OldTablet]:
    with OldTablet() as browser:
        yield browser


def _sign_in(tablet: OldTablet, node: Node, officer: Officer) -> None:
    tablet.open(f"{node.url}/masuk")
    _fill(tablet, username=officer.username, password=PASSWORD)
    tablet.press("document.querySelector('main form').submit()")
    assert tablet.value(HEADING) == "Beranda"


def _fill(tablet: OldTablet, **texts: str) -> None:
    for name, text in texts.items():
        tablet.value(f"document.querySelector('main [name={name}]').value = {text!r}")


def _looks_right(tablet: OldTablet) -> None:
    assert tablet.value(OVERLAPS) == []
    assert tablet.value(WIDTH)


def test_it_is_the_browser_of_the_tablets(tablet: OldTablet) -> None:
    assert "HeadlessChrome/81.0.4044" in tablet.value("navigator.userAgent")
    tablet.open("data:text/html,<div style='display:flex;gap:20px'><b>a</b><b>b</b></div>")
    assert tablet.value("document.querySelectorAll('b')[1].offsetLeft - document.querySelector('b').offsetWidth") < 20


@pytest.mark.parametrize("who", ["fo", "bo", "opd"])
def test_the_pages_of_the_journey_look_right(tablet: OldTablet, node: Node, staff: Staff, nik: str, who: str) -> None:
    story = journey.tell(node, staff, nik)
    pages = {
        "fo": [
            "/",
            "/warga",
            "/warga/baru",
            f"/warga/{story.resident}",
            f"/warga/{story.resident}/kasus-baru",
            f"/warga/{story.resident}/kepesertaan-baru",
            f"/warga/{story.resident}/profil-baru/slrt-18",
            f"/kasus/{story.case}",
        ],
        "bo": ["/", "/kasus?tampil=semua", f"/kasus/{story.case}", f"/kasus/{story.case}/rujukan-baru", "/rujukan"],
        "opd": ["/", "/rujukan", f"/rujukan/{story.referral}", f"/rujukan/{story.referral}?langkah=return"],
    }
    _sign_in(tablet, node, getattr(staff, who))
    for path in pages[who]:
        tablet.open(node.url + path)
        _looks_right(tablet)


def test_a_case_can_be_opened_on_the_tablet(tablet: OldTablet, node: Node, staff: Staff, nik: str, tmp_path: Path) -> None:
    story = journey.tell(node, staff, nik)
    _sign_in(tablet, node, staff.fo)
    tablet.open(f"{node.url}/warga/{story.resident}/kasus-baru")
    tablet.press("document.querySelector('main form').submit()")
    assert tablet.value("document.querySelectorAll('[aria-invalid]').length") >= 3
    _looks_right(tablet)
    tablet.value("document.querySelector('main [name=kind][value=pengaduan]').click()")
    tablet.value("document.querySelector('main [name=service_type_id]').selectedIndex = 1")
    tablet.value("document.querySelector('main [name=informed]').click()")
    _fill(tablet, description="Diketik di tablet.")
    tablet.press("document.querySelector('main form .button.primary').click()")
    tablet.picture(tmp_path / "case.png")
    assert tablet.value(HEADING).startswith("SLRT-7303-")
    _looks_right(tablet)
