"""The key pages in a real Chromium 81, the last browser of the tablets: they fit, nothing overlaps, and a case can be opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.casework import looking
from appliance.power import journal, state
from appliance.power.journal import Entry, Event
from appliance.power.policy import Cause
from tests.support import journey
from tests.support.browser import PASSWORD, Node, Officer
from tests.support.chromium81 import OldTablet
from tests.support.journey import Staff
from tests.support.waiting import wait_for

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


@pytest.mark.parametrize("who", ["fo", "bo", "opd", "supervisor"])
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
        "supervisor": ["/wilayah", "/wilayah/73.03.01", "/wilayah/73.03.01.1001", "/serah-terima/baru"],
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


COUNT = "document.querySelector('.power-count').textContent"
BANNER = "document.querySelector('#power p').textContent"


def test_the_banner_counts_down_on_the_tablet_and_tells_the_reason_afterwards(
    tablet: OldTablet, node: Node, staff: Staff, tmp_path: Path
) -> None:
    power = Path(node.settings.power.runtime)
    _sign_in(tablet, node, staff.fo)
    tablet.value("window.notReloaded = true")
    assert tablet.value("document.getElementById('power').hidden")
    try:
        cut = state.State(datetime.now(UTC), "on-battery", accepts_work=True, mains=False, charge=92, seconds_left=230)
        state.publish(power, cut)
        wait_for(lambda: "sistem mati dalam 3 menit" in tablet.value(BANNER), what="the banner comes without a reload")
        first = tablet.value(COUNT)
        assert re.fullmatch(r"3\.[0-5]\d", first)
        wait_for(lambda: tablet.value(COUNT) < first, what="the countdown goes on")
        assert tablet.value("window.notReloaded")
        _looks_right(tablet)
        tablet.picture(tmp_path / "countdown.png")
        back = {"down_at": datetime.now(UTC).isoformat(), "cause": Cause.TIME, "clean": True}
        journal.append(power / journal.JOURNAL_FILE, Entry(datetime.now(UTC), Event.BACK, back))
        state.publish(power, state.State(datetime.now(UTC), "online", accepts_work=True, mains=True))
        tablet.open(node.url)
        assert tablet.value("document.getElementById('power').hidden")
        assert "listrik padam terlalu lama" in tablet.value("document.querySelector('main').innerText")
    finally:
        for name in (state.STATE_FILE, journal.JOURNAL_FILE):
            (power / name).unlink(missing_ok=True)


def test_what_was_typed_is_there_again_after_signing_out(tablet: OldTablet, node: Node, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    _sign_in(tablet, node, staff.fo)
    tablet.open(f"{node.url}/warga/{story.resident}/kasus-baru")
    _fill(tablet, description="Belum selesai diketik.")
    tablet.value("document.querySelector('main [name=description]').dispatchEvent(new Event('input', {bubbles: true}))")
    wait_for(lambda: "tersimpan sementara pukul" in tablet.value(DRAFT_SAVED), what="the draft is kept")
    _looks_right(tablet)
    tablet.press("document.querySelector('form[action$=\"/keluar\"]').submit()")
    _sign_in(tablet, node, staff.fo)
    assert "Isian yang belum disimpan" in tablet.value("document.querySelector('main').innerText")
    _looks_right(tablet)
    tablet.press(f"document.querySelector('main a[href*=\"{story.resident}\"]').click()")
    assert tablet.value("document.querySelector('main [name=description]').value") == "Belum selesai diketik."


def test_the_kiosk_answers_a_citizen_on_the_tablet(tablet: OldTablet, node: Node, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    tablet.open(f"{node.url}/cek-status")
    _looks_right(tablet)
    for digits, said in (("0000", "tidak cocok"), (nik[-4:], "sedang ditangani instansi lain")):
        _fill(tablet, number=story.number, digits=digits)
        tablet.press("document.querySelector('main form').submit()")
        assert said in tablet.value("document.querySelector('main').innerText")
        _looks_right(tablet)


def test_the_tablet_tells_who_else_has_the_case_open(tablet: OldTablet, node: Node, staff: Staff, nik: str) -> None:
    story = journey.tell(node, staff, nik)
    tablet.call("Page.addScriptToEvaluateOnNewDocument", source=IMPATIENT)
    _sign_in(tablet, node, staff.fo)
    tablet.open(f"{node.url}/kasus/{story.case}")
    assert staff.supervisor.name not in tablet.value(LOOKING)
    tablet.value("window.notReloaded = true")
    node.run(lambda: looking.keep_looking(story.case, by=node.actor(staff.supervisor), at=datetime.now(UTC)))
    wait_for(lambda: staff.supervisor.name in tablet.value(LOOKING), what="the page tells who else looks")
    assert tablet.value("window.notReloaded && !document.getElementById('looking').hidden")
    _looks_right(tablet)


DRAFT_SAVED = "document.getElementById('draft-saved').textContent"
LOOKING = "document.getElementById('looking').textContent"
# the page asks every half minute; the test does not want to wait for that
IMPATIENT = "(later => { window.setTimeout = (what, when, ...rest) => later(what, when === 30000 ? 100 : when, ...rest) })(window.setTimeout)"
