"""The first page of those who decide and of those who watch, and the menu that leads everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from appliance import database
from appliance.casework.referral_list import list_referrals
from appliance.config import Settings
from appliance.models.roles import Role
from tests.support.desk import move, open_case, referred, verify
from tests.support.letters import drafted, signers
from tests.support.staff import AT, Staff, hire
from tests.support.web_client import Web, officer, web_app
from webui import navigation

ENTRY = re.compile(r'<li><a href="([^"]+)"(?: aria-current="(\w+)")?><svg.*?<span>([^<]+)</span></a></li>')


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        for role in (Role.MANAJER, Role.PIMPINAN, Role.FO, Role.ADMIN):
            officer(f"petugas.{role}", role)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def signed_in(app: Flask, role: Role) -> Web:
    web = Web(app)
    assert web.sign_in(f"petugas.{role}").status_code == 303
    return web


def home(app: Flask, role: Role) -> str:
    text: str = signed_in(app, role).get("/").text
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def awaiting(staff: Staff) -> None:
    """A case that waits for the manager since a week, a letter for her initials, and a referral without an answer."""
    case = open_case(staff.fo)
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Rujuk")
    drafted(staff, signers(staff))
    referred(staff)


def test_the_manager_sees_what_waits_for_her(app: Flask) -> None:
    assert "Tidak ada yang menunggu keputusan Anda." in home(app, Role.MANAJER)
    with app.app_context():
        staff = hire()
        awaiting(staff)
        (due,) = [line.reply_due for line in list_referrals(by=staff.bo, at=AT).referrals]
        assert due is not None
        database.db.session.remove()
    page = home(app, Role.MANAJER)
    assert "Yang perlu keputusan Anda hari ini" in page
    for words in (
        "1 kasus menunggu penetapan",
        "1 surat menunggu paraf atau tanda tangan Anda",
        "1 rujukan lewat batas jawaban OPD",
    ):
        assert words in page, words
    assert "darurat belum disahkan" not in page, "nothing is told of what does not wait"


def test_who_leads_sees_the_queues_and_is_asked_for_no_step(app: Flask) -> None:
    assert "Tidak ada keterlambatan yang disampaikan kepada Anda." in home(app, Role.PIMPINAN)
    with app.app_context():
        awaiting(hire())
        database.db.session.remove()
    page = home(app, Role.PIMPINAN)
    assert "Yang perlu perhatian Anda hari ini 1 kasus menunggu penetapan" in page
    for words in ("1 rujukan lewat batas jawaban OPD", "Antrean menurut umur kasus", "Perlu jawaban OPD"):
        assert words in page, words
    assert "Menunggu langkah saya" not in page
    assert "hari ini" not in home(app, Role.FO).partition("Hari ini")[0], "who decides nothing has no such list"


def test_every_subject_of_a_long_menu_is_two_steps_away(app: Flask) -> None:
    web = signed_in(app, Role.MANAJER)
    top = ENTRY.findall(web.get("/").text)
    assert len(top) <= 8
    assert [(url, here) for url, here, _ in top if here] == [("/", "page")]
    found = {}
    for url, _, label in top:
        page = ENTRY.findall(web.get(url).text)
        assert [here for _, here, _ in page if here] in (["page"], ["true", "page"]), label
        found.update({name: inner for inner, _, name in page[len(top) :]})
    subjects = {"Warga", "Data ganda", "Program", "Kasus", "Rujukan", "Layanan", "Wilayah", "Impor", "Ekspor"}
    assert subjects | {"Pendelegasian", "Kalender kerja", "Listrik"} <= set(found)
    assert all(web.get(url).status_code == 200 for url in found.values())


def test_a_page_without_a_line_of_its_own_shows_where_it_belongs(app: Flask) -> None:
    manager, admin = signed_in(app, Role.MANAJER), signed_in(app, Role.ADMIN)
    assert [label for _, here, label in ENTRY.findall(manager.get("/naskah").text) if here] == ["Surat"]
    assert [label for _, here, label in ENTRY.findall(admin.get("/naskah").text) if here] == ["Naskah surat"]
    entries = [navigation.Entry(f"Urusan {number}", "home.show", icon="home") for number in range(navigation.FEW)]
    with app.test_request_context():
        assert len(navigation.arrange(entries, "home").top) == len(entries), "few subjects stand beside each other"
        assert len(navigation.arrange([*entries, *entries], "home").top) == 1
