"""The pages of referrals: what an organisation can read of a case anywhere, a reply on paper, and the steps on the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from appliance import database
from appliance.casework import catalogue, referral_replies
from appliance.casework.referral_replies import Answer
from appliance.config import Settings
from appliance.models.case import Case
from appliance.models.roles import Role
from appliance.registry import people
from tests.support.desk import confirm, move, open_case, referred, show_papers, version_of
from tests.support.office_page import Page, read_page
from tests.support.pictures import photo
from tests.support.staff import AT, HOME, Staff, hire
from tests.support.web_client import Web, officer, web_app

# Each stands in one field of the case or around it, and none was chosen for the organisation.
SECRETS = {
    "description": "RAHASIA-uraian", "expectation": "RAHASIA-harapan", "reporter_name": "Pelaporku Takut",
    "reporter_relation": "RAHASIA-hubungan", "reporter_phone": "081299990000", "priority_reason": "RAHASIA-darurat",
}  # fmt: skip
NIK, PHONE, ADDRESS = "7303014107807459", "081211112222", "Jalan Rahasia 7"
INTERNAL = ("RAHASIA-telaah", "RAHASIA-penetapan", "RAHASIA-balasan", "RAHASIA-permintaan", "RAHASIA-pindah")


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    yield app
    with app.app_context():
        database.db.engine.dispose()


@dataclass(frozen=True)
class Scene:
    """A case referred to two organisations and to one without accounts."""

    case: str
    health: str
    school: str
    alms: str


@pytest.fixture
def scene(pages: Flask) -> Scene:
    with pages.app_context():
        officer("petugas.opd", Role.OPD, unit=catalogue.unit_id("dinkes"), areas=())
        officer("petugas.bo", Role.BO, areas=(HOME,))
        scene = _referred(hire())
        database.db.session.remove()
        return scene


def _referred(staff: Staff) -> Scene:
    new = people.NewPerson(name="Sitti Aminah", sex="P", village_code=HOME, nik=NIK, phone=PHONE, address=ADDRESS)
    person = people.register_person(new, request_id="p", by=staff.fo, at=AT)
    case = open_case(staff.fo, person, priority="darurat", **SECRETS)
    move(case, staff.bo, "ambil")
    show_papers(case, staff.bo)
    confirm(case, staff.bo)
    move(case, staff.bo, "teruskan")
    move(case, staff.bo, "ajukan", recommendation=INTERNAL[0])
    move(case, staff.manager, "tetapkan_dirujuk", note=INTERNAL[1])
    only_name = {"share": ("nama",)}
    school = referred(staff, case, unit="disdik", summary=INTERNAL[3], **only_name)
    health = referred(staff, case, summary="Mohon dibantu", **only_name)
    alms = referred(staff, case, unit="baznas", **only_name)
    known = {"by": staff.disdik, "at": AT}
    referral_replies.receive_referral(school, row_version=version_of(school, staff.disdik), **known)
    reply = Answer(INTERNAL[2], "terpenuhi")
    referral_replies.answer_referral(school, reply, row_version=version_of(school, staff.disdik), **known)
    return Scene(case, health, school, alms)


def signed_in(pages: Flask, name: str) -> Web:
    web = Web(pages)
    assert web.sign_in(f"petugas.{name}").status_code == 303
    return web


def test_nothing_but_what_was_chosen_stands_on_any_page_the_organisation_can_reach(pages: Flask, scene: Scene) -> None:
    web = signed_in(pages, "opd")
    read: dict[str, str] = {}
    waiting = ["/", "/rujukan", f"/rujukan/{scene.health}", "/rujukan?status=lewat"]
    guessed = [f"/kasus/{scene.case}", f"/kasus/{scene.case}/berkas", f"/rujukan/{scene.school}", f"/rujukan/{scene.alms}"]
    waiting += [*guessed, "/kasus", "/warga", "/ekspor", "/wilayah"]
    while waiting:
        path = waiting.pop()
        answer = web.get(path)
        read[path] = answer.text if answer.mimetype == "text/html" else ""
        links = [link.replace("&amp;", "&").partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', read[path])]
        waiting += [link for link in dict.fromkeys(links) if link not in read and not link.startswith("/static")]
    assert "Sitti Aminah" in read[f"/rujukan/{scene.health}"]
    hidden = (*SECRETS.values(), NIK, NIK[-4:], PHONE, ADDRESS, *INTERNAL, scene.case)
    leaks = [(path, text) for path, html in read.items() for text in hidden if text in html and path not in guessed]
    assert leaks == []
    # What she guessed is not there for her, and says nothing but that.
    for path in guessed:
        assert not any(text in read[path].replace(path, "") for text in hidden if text != scene.case), path
    assert len(read) >= 12


def test_the_frozen_copy_stays_as_it_was_sent(pages: Flask, scene: Scene) -> None:
    with pages.app_context():
        person = database.db.session.get_one(Case, scene.case).applicant
        person.name = "Nama Baru"
        database.db.session.commit()
    text = signed_in(pages, "opd").get(f"/rujukan/{scene.health}").text
    assert "Sitti Aminah" in text
    assert "Nama Baru" not in text


def page_of(web: Web, path: str) -> Page:
    answer = web.get(path)
    return read_page(path, answer.status_code, answer.text)


def sent(web: Web, path: str, words: str, answers: dict[str, str], status: int = 303, **files: object) -> str:
    form, button = page_of(web, path).form_with(words)
    typed: dict[str, object] = {name: value for name, value in form.filled(answers, button) if name not in ("csrf_token", *files)}
    answer = web.post(form.action, typed | files)
    assert answer.status_code == status, answer.text
    return answer.text


def test_the_organisation_returns_what_lacks_papers(pages: Flask, scene: Scene) -> None:
    web, path = signed_in(pages, "opd"), f"/rujukan/{scene.health}"
    form = f"{path}?langkah=return"
    refused = sent(web, form, "Kembalikan", {"code": "berkas_kurang", "note": "Segera ya"}, 422)
    assert "Tulis berkas atau data apa yang kurang." in refused
    assert "Segera ya" in refused
    sent(web, form, "Kembalikan", {"code": "berkas_kurang", "missing": "Surat rawat inap\n\n KTP suami "})
    told = signed_in(pages, "bo").get(f"/kasus/{scene.case}").text
    assert re.search(r"<li>Surat rawat inap</li>\s*<li>KTP suami</li>", told)


def test_the_back_office_enters_what_came_on_paper(pages: Flask, scene: Scene) -> None:
    web, path = signed_in(pages, "bo"), f"/rujukan/{scene.alms}"
    sent(web, path, "Terima rujukan", {})
    form, answers = f"{path}?langkah=answer", {"outcome": "terpenuhi", "reply": "Sudah disantuni", "dated": "20-11-2026"}
    refused = sent(web, form, "Kirim jawaban", answers, 422, scan=(io.BytesIO(b"kosong"), "a.jpg"))
    assert 'id="scan-problem"' in refused
    assert "Sudah disantuni" in refused
    assert "20-11-2026" in refused
    sent(web, form, "Kirim jawaban", answers, scan=(io.BytesIO(photo("white", (60, 40))), "a.jpg"))
    shown = page_of(web, path)
    assert web.get(next(link for _, link in shown.links if "berkas-kasus" in link)).mimetype == "image/jpeg"


def test_the_back_office_takes_one_back(pages: Flask, scene: Scene) -> None:
    web, path = signed_in(pages, "bo"), f"/rujukan/{scene.health}"
    assert "Nama pelapor" in sent(web, f"{path}?langkah=withdraw", "Tarik kembali", {"reason": "Atas minta Pelaporku Takut"}, 422)
    sent(web, f"{path}?langkah=withdraw", "Tarik kembali", {"reason": "Sudah ditangani"})
    text = signed_in(pages, "opd").get(path).text
    assert "Ditarik kembali" in text
    assert "Sudah ditangani" in text
