"""Drafts: kept while somebody types, for her alone, offered again, gone once stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask

from appliance import audit, database
from appliance.casework import drafts
from appliance.config import Settings
from appliance.database import db
from appliance.errors import InvalidInput
from appliance.models.draft import Draft
from appliance.models.roles import Role
from tests.service.test_concurrency import together
from tests.support.desk import open_case, resident, service
from tests.support.office_page import read_page
from tests.support.staff import AT, Staff, hire
from tests.support.web_client import Web, officer, web_app

NIK = "7303014101800009"


def test_a_draft_takes_the_place_of_the_one_before_and_belongs_to_its_writer(staff: Staff) -> None:
    drafts.save_draft("/a", "satu", by=staff.fo, at=AT)
    drafts.save_draft("/a", "dua", by=staff.fo, at=AT)
    drafts.save_draft("/a", "lain", by=staff.bo, at=AT)
    kept = drafts.draft_of("/a", by=staff.fo, at=AT)
    assert kept
    assert kept.sealed == "dua"
    drafts.drop_draft("/a", by=staff.fo)
    assert drafts.drafts_of(by=staff.fo, at=AT) == ()
    assert len(drafts.drafts_of(by=staff.bo, at=AT)) == 1
    assert audit.verify().entries == 0


def test_a_draft_expires_and_is_swept_by_the_next_one(staff: Staff) -> None:
    drafts.save_draft("/a", "satu", by=staff.fo, at=AT)
    later = AT + drafts.KEPT + timedelta(minutes=1)
    assert drafts.draft_of("/a", by=staff.fo, at=later) is None
    drafts.save_draft("/b", "dua", by=staff.bo, at=later)
    assert db.session.query(Draft).count() == 1


def test_nobody_heaps_up_drafts(staff: Staff) -> None:
    for number in range(drafts.MOST_DRAFTS + 2):
        drafts.save_draft(f"/{number}", "x", by=staff.fo, at=AT + timedelta(seconds=number))
    kept = [draft.form for draft in drafts.drafts_of(by=staff.fo, at=AT + timedelta(hours=1))]
    assert len(kept) == drafts.MOST_DRAFTS
    assert "/0" not in kept
    with pytest.raises(InvalidInput):
        drafts.save_draft("/a", "x" * (drafts.LONGEST_SEALED + 1), by=staff.fo, at=AT)


def test_one_form_in_several_windows_at_once(app: Flask, staff: Staff) -> None:
    answers = together(app, *[lambda: drafts.save_draft("/a", "x", by=staff.fo, at=AT)] * 4)
    assert answers == [None] * 4
    assert db.session.query(Draft).count() == 1


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    pages = web_app(settings)
    yield pages
    with pages.app_context():
        database.db.engine.dispose()


@pytest.fixture
def staff_of_pages(pages: Flask) -> Staff:
    with pages.app_context():
        for name, role in (("fo.satu", Role.FO), ("fo.dua", Role.FO), ("opd.satu", Role.OPD)):
            officer(name, role)
        staff = hire()
        database.db.session.remove()
        return staff


def _entered(pages: Flask, name: str) -> Web:
    web = Web(pages)
    assert web.sign_in(name).status_code == 303
    return web


def test_a_case_half_typed_survives_the_sign_out(pages: Flask, staff_of_pages: Staff) -> None:
    with pages.app_context():
        path, choice = f"/warga/{resident(staff_of_pages.fo)}/kasus-baru", service()
        database.db.session.remove()
    web = _entered(pages, "fo.satu")
    web.get(path)
    typed: dict[str, object] = {
        "draft_form": path,
        "description": "Kartu mati\r\nsejak Mei",
        "service_type_id": choice,
        "priority": "cepat",
    }
    assert web.post("/draf", {**typed, "quiet": "1"}).status_code == 204
    web.get("/")
    web.post("/keluar")
    web = _entered(pages, "fo.satu")
    link = unescape(read_page("", 200, web.get("/").text).link("Kasus baru"))
    assert "belum disimpan" in web.get(path).text
    form, button = read_page("", 200, web.get(link).text).form_with("Buka kasus")
    sent = dict(form.filled({"informed": "ya"}, button))
    assert sent["description"].strip().replace("\r\n", "\n") == "Kartu mati\nsejak Mei"
    assert (sent["service_type_id"], sent["priority"]) == (choice, "cepat")
    assert web.post(path, {**sent, "csrf_token": web.token}).status_code == 303
    assert "belum disimpan" not in web.get("/").text
    assert "belum disimpan" not in web.get(path).text


def test_a_step_half_typed_without_script(pages: Flask, staff_of_pages: Staff) -> None:
    with pages.app_context():
        case = open_case(staff_of_pages.fo, service_type_id=service("informasi"))
        database.db.session.remove()
    web = _entered(pages, "fo.satu")
    step = f"/kasus/{case}/langkah/selesaikan_langsung"
    web.get(f"/kasus/{case}?langkah=selesaikan_langsung")
    saved = web.post("/draf", {"draft_form": step, "outcome_note": "Sudah dijelaskan syaratnya"})
    assert saved.status_code == 303
    home = web.get(saved.location).text
    assert "Draf tersimpan" in home
    page = web.get(unescape(read_page("", 200, home).link("Langkah kasus"))).text
    assert "Sudah dijelaskan syaratnya" in page


def test_a_draft_is_sealed_on_the_disk_and_shown_to_nobody_else(pages: Flask, staff_of_pages: Staff, settings: Settings) -> None:
    web = _entered(pages, "fo.satu")
    web.get("/warga/baru")
    web.post("/draf", {"draft_form": "/warga/baru", "nik": NIK, "name": "Hasnah", "quiet": "1"})
    assert NIK in web.get("/warga/baru?draf=1").text
    assert "draft-offer" not in _entered(pages, "fo.dua").get("/warga/baru").text
    assert NIK not in _entered(pages, "fo.dua").get("/warga/baru?draf=1").text
    with pages.app_context():
        (row,) = db.session.query(Draft).all()
        assert NIK not in row.sealed
        assert "Hasnah" not in row.sealed
        database.db.session.remove()


@pytest.mark.parametrize("form", ["", "/keluar", "/tidak/ada", "/akun-saya/kata-sandi", "https://lain/warga/baru"])
def test_only_known_forms_are_kept(pages: Flask, staff_of_pages: Staff, form: str) -> None:
    web = _entered(pages, "fo.satu")
    assert web.post("/draf", {"draft_form": form, "current": "rahasia"}).status_code == 422
    with pages.app_context():
        assert db.session.query(Draft).count() == 0


def test_nobody_keeps_a_form_that_is_not_hers(pages: Flask, staff_of_pages: Staff) -> None:
    assert _entered(pages, "opd.satu").post("/draf", {"draft_form": "/warga/baru", "name": "X"}).status_code == 422
