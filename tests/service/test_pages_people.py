"""The pages of people and families: correcting, noting what happened, whole numbers, health, photos."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from appliance import database
from appliance.config import Settings
from appliance.models.roles import Role
from appliance.registry import people
from tests.support.staff import AT, HOME, NEIGHBOUR, hire
from tests.support.web_client import Web, officer, web_app

NIK = "7303014101800001"
CARD = "7303010101100001"
OFFICERS = {
    "petugas.fo": Role.FO,
    "petugas.bo": Role.BO,
    "petugas.pimpinan": Role.PIMPINAN,
    "petugas.fasilitator": Role.FASILITATOR,
}


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        for username, role in OFFICERS.items():
            officer(username, role, areas=(HOME,) if role is Role.FASILITATOR else ("73.03",))
        by = hire().fo
        wife = people.NewPerson("Sitti Aminah", "P", HOME, nik=NIK, kk=CARD, relation="3", occupation="9")
        app.config["person"] = people.register_person(wife, request_id="1", by=by, at=AT)
        head = people.NewPerson("Baharuddin", "L", HOME, nik_reason="KTP hilang", kk=CARD, relation="1")
        app.config["head"] = people.register_person(head, request_id="2", by=by, at=AT)
        app.config["family"] = people.look_at_person(app.config["head"], by=by, at=AT).family_id
        database.db.session.remove()
    yield app
    with app.app_context():
        database.db.engine.dispose()


def at_desk(pages: Flask, role: str = "fo") -> Web:
    web = Web(pages)
    web.sign_in(f"petugas.{role}")
    return web


def filled(page: TestResponse) -> dict[str, object]:
    """What the form of a page holds before anything is typed: texts, hidden fields, ticked buttons, chosen options."""
    form = page.text[page.text.rindex('class="form') :]
    values: dict[str, object] = dict(re.findall(r'name="(\w+)" type="\w+" value="([^"]*)"', form))
    values |= dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    values |= dict(re.findall(r'type="radio" name="(\w+)" value="(\w+)"[^>]* checked', form))
    for name, options in re.findall(r'<select id="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen[1] if chosen else ""
    values.pop("csrf_token", None)
    return values


def test_a_correction_goes_through_the_form_and_shows_in_the_events(pages: Flask) -> None:
    web, path = at_desk(pages), f"/warga/{pages.config['person']}"
    form = web.get(f"{path}/ubah")
    assert NIK not in form.text
    typed = filled(form)
    assert (typed["occupation"], typed["nik"], typed["sex"]) == ("9", "", "P")
    refused = web.post(f"{path}/ubah", typed | {"phone": "abc", "nickname": "Minah"})
    assert refused.status_code == 422
    assert "Nomor telepon tidak terbaca" in refused.text
    assert "Pilih atau tulis alasan" in refused.text
    assert 'value="Minah"' in refused.text, "what was typed is kept"
    stored = web.post(f"{path}/ubah", typed | {"nickname": "Minah", "other_reason": "Kata warga"})
    assert stored.status_code == 303
    page = web.get(path).text
    for text in ("Data diperbaiki", "Kata warga", "Minah", "Petani/pekebun"):
        assert text in page, text
    assert NIK not in page


def test_the_slower_one_is_told_what_changed_meanwhile(pages: Flask) -> None:
    fast, slow, path = at_desk(pages), at_desk(pages, "bo"), f"/warga/{pages.config['person']}/ubah"
    mine, theirs = filled(slow.get(path)), filled(fast.get(path))
    assert fast.post(path, theirs | {"nickname": "Minah", "other_reason": "Kata warga"}).status_code == 303
    late = slow.post(path, mine | {"mother_name": "Rabiah", "other_reason": "Sesuai KK"})
    assert late.status_code == 409
    assert re.search(r'href="#nickname">Nama panggilan</a>: Minah', late.text)
    assert "Data diperbaiki oleh Petugas.Fo" in late.text
    again = filled(late)
    assert (again["mother_name"], again["nickname"]) == ("Rabiah", "")
    assert slow.post(path, again | {"nickname": "Minah"}).status_code == 303
    assert "Rabiah" in slow.get(path).text


def test_whole_numbers_are_shown_for_a_reason_only(pages: Flask) -> None:
    web, path = at_desk(pages), f"/warga/{pages.config['person']}"
    assert "Tampilkan NIK dan KK lengkap" in web.get(path).text
    assert web.post(f"{path}/nik", {}).status_code == 422
    shown = web.post(f"{path}/nik", {"reason": people.REVEAL_REASONS[0]})
    assert "7303 0141 0180 0001" in shown.text
    shown = web.post(f"/keluarga/{pages.config['family']}/kk", {"other_reason": "Mengisi blangko"})
    assert "7303 0101 0110 0001" in shown.text
    leader = at_desk(pages, "pimpinan")
    assert "Tampilkan NIK" not in leader.get(path).text
    assert leader.post(f"{path}/nik", {"reason": people.REVEAL_REASONS[0]}).status_code == 403


def test_a_death_and_a_new_head_of_the_family(pages: Flask) -> None:
    web, head, family = at_desk(pages), pages.config["head"], f"/keluarga/{pages.config['family']}"
    assert "Keluarga Baharuddin" in web.get(family).text
    form = web.get(f"/warga/{head}/peristiwa/meninggal")
    assert "Kepala keluarga yang baru" in form.text
    typed = filled(form)
    assert "tanggal meninggal" in web.post(f"/warga/{head}/peristiwa/meninggal", typed).text
    stored = web.post(f"/warga/{head}/peristiwa/meninggal", typed | {"on": "19-11-2026", "evidence": "Akta 12"})
    assert stored.status_code == 303
    page = web.get(f"/warga/{head}").text
    assert "Meninggal sejak 19 November 2026" in page
    assert "belum mempunyai kepala keluarga" in web.get(family).text
    choose = filled(web.get(f"{family}/peristiwa/kepala"))
    assert web.post(f"{family}/peristiwa/kepala", choose | {"head_id": pages.config["person"]}).status_code == 303
    assert "Keluarga Sitti Aminah" in web.get(family).text
    stale = web.post(f"{family}/peristiwa/kepala", choose | {"head_id": pages.config["person"]})
    assert (stale.status_code, "Belum tersimpan" in stale.text) == (409, True)


def test_a_birth_is_stored_once(pages: Flask) -> None:
    web, family = at_desk(pages), f"/keluarga/{pages.config['family']}"
    today = f"{datetime.now(UTC):%d-%m-%Y}"
    typed = filled(web.get(f"{family}/peristiwa/lahir")) | {"name": "Muh. Fadli", "sex": "L", "birth_date": today}
    for _ in range(2):
        assert web.post(f"{family}/peristiwa/lahir", typed).status_code == 303
    page = web.get(family).text
    assert "3 anggota" in page
    assert page.count(">Muh. Fadli</a>") == 2, "among the members and in the event"


def test_a_split_and_a_renewed_card_keep_the_old_number(pages: Flask) -> None:
    web, family = at_desk(pages), f"/keluarga/{pages.config['family']}"
    typed = filled(web.get(f"{family}/peristiwa/pecah-kk"))
    nobody = web.post(f"{family}/peristiwa/pecah-kk", typed)
    assert (nobody.status_code, "Pilih anggota yang pindah" in nobody.text) == (422, True)
    chosen = {"member_ids": pages.config["person"], "head_id": pages.config["person"], "kk": "7303010101260002"}
    assert web.post(f"{family}/peristiwa/pecah-kk", typed | chosen).status_code == 303
    taken = filled(web.get(f"{family}/peristiwa/kk-baru")) | {"kk": "7303010101260002", "reason": "Pindah"}
    refused = web.post(f"{family}/peristiwa/kk-baru", taken)
    assert (refused.status_code, "sudah dipakai keluarga lain" in refused.text) == (409, True)
    assert web.post(f"{family}/peristiwa/kk-baru", taken | {"kk": "7303010101260003"}).status_code == 303
    found = web.get(web.post("/warga/cari", {"q": CARD}).headers["Location"]).text
    assert "Sitti Aminah" in found
    assert "Baharuddin" in found


def test_who_moves_out_of_the_area_is_gone_from_it(pages: Flask) -> None:
    web, path = at_desk(pages, "fasilitator"), f"/warga/{pages.config['person']}"
    typed = filled(web.get(f"{path}/peristiwa/pindah")) | {"village_code": NEIGHBOUR, "address": "Jl. Baru"}
    answer = web.post(f"{path}/peristiwa/pindah", typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/warga")
    assert web.get(path).status_code == 404
    seen = at_desk(pages).get(f"{path}/riwayat").text
    assert re.search(r"Ke: (Kelurahan|Desa) \w+", seen)


def test_a_divorce_asks_who_leaves_the_card(pages: Flask) -> None:
    web, head, wife = at_desk(pages), pages.config["head"], pages.config["person"]
    form = web.get(f"/warga/{head}/peristiwa/cerai")
    assert "Siapa yang keluar dari KK ini?" in form.text
    typed = filled(form)
    refused = web.post(f"/warga/{head}/peristiwa/cerai", typed | {"member_ids": [head, wife], "head_id": wife, "spouse_id": wife})
    assert (refused.status_code, "tidak pindah ke KK yang sama" in refused.text) == (422, True)
    assert f'value="{wife}" selected' in refused.text
    stored = web.post(f"/warga/{head}/peristiwa/cerai", typed | {"spouse_id": wife, "evidence": "Akta cerai 5"})
    assert stored.status_code == 303
    page = web.get(f"/warga/{head}").text
    assert "Akta cerai 5" in page
    assert "peristiwa/cerai" not in page


def test_an_unknown_happening_does_not_exist(pages: Flask) -> None:
    web = at_desk(pages)
    assert web.get(f"/warga/{pages.config['person']}/peristiwa/terbang").status_code == 404
    assert web.post(f"/keluarga/{pages.config['family']}/peristiwa/kawin").status_code == 404


def test_health_is_kept_from_those_without_the_right(pages: Flask) -> None:
    web, path = at_desk(pages, "bo"), f"/warga/{pages.config['person']}"
    typed = filled(web.get(f"{path}/kesehatan")) | {"chronic_illnesses": ["12"], "pregnant": "1"}
    assert web.post(f"{path}/kesehatan", typed).status_code == 303
    assert re.search(r'value="12" checked', web.get(f"{path}/kesehatan").text)
    assert "TBC" in web.get(path).text
    other = at_desk(pages)
    assert "TBC" not in other.get(path).text
    assert other.get(f"{path}/kesehatan").status_code == 403


def test_a_telephone_number_comes_and_goes(pages: Flask) -> None:
    web, path = at_desk(pages), f"/warga/{pages.config['person']}"
    web.get(f"{path}/telepon")
    assert "Nomor telepon tidak terbaca" in web.post(f"{path}/telepon", {"number": "12"}).text
    typed = {"number": "0813 1111 2222", "owner": "Anak", "whatsapp": "1"}
    assert web.post(f"{path}/telepon", typed).status_code == 303
    assert re.search(r"0813-1111-2222.*Anak, boleh WA", web.get(path).text)
    (away,) = re.findall(rf'action="({path}/telepon/[\w-]+/hapus)"', web.get(f"{path}/telepon").text)
    assert web.post(away).status_code == 303
    assert "0813-1111-2222" not in web.get(f"{path}/telepon").text


def photo() -> io.BytesIO:
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(written, "JPEG")
    return io.BytesIO(written.getvalue())


def test_photos_are_shown_and_papers_are_saved_never_opened(pages: Flask) -> None:
    web, path = at_desk(pages), f"/warga/{pages.config['person']}"
    web.get(f"{path}/berkas")
    assert web.post(f"{path}/berkas", {"kind": "foto"}).status_code == 422
    assert web.post(f"{path}/berkas", {"kind": "foto", "file": (photo(), "KTP 7303014101800001.jpg")}).status_code == 303
    paper = (io.BytesIO(b"%PDF-1.4\n<script>alert(1)</script>"), "x.html")
    assert web.post(f"{path}/berkas", {"kind": "lain", "title": "SKTM", "file": paper}).status_code == 303
    page = web.get(path).text
    small = re.findall(r'src="(/berkas/[\w-]+/kecil)"', page)
    assert len(small) == 2, "as portrait and in the list"
    assert web.get(small[0]).mimetype == "image/jpeg"
    whole = web.get(small[0].removesuffix("/kecil"))
    assert (whole.mimetype, "sandbox" in whole.headers["Content-Security-Policy"]) == ("image/jpeg", True)
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert NIK not in whole.headers["Content-Disposition"]
    (link,) = (found for found in re.findall(r'href="(/berkas/[\w-]+)">Berkas lain: SKTM', page))
    sent = web.get(link)
    assert sent.mimetype == "application/pdf"
    assert sent.headers["Content-Disposition"].startswith("attachment")
    assert web.post(f"{link}/hapus").status_code == 303
    assert web.get(link).status_code == 404


def test_a_file_that_is_too_big_gets_a_clear_answer(pages: Flask) -> None:
    web, path = at_desk(pages), f"/warga/{pages.config['person']}/berkas"
    web.get(path)
    answer = web.post(path, {"kind": "foto", "file": (io.BytesIO(bytes(9 * 1024 * 1024)), "besar.jpg")})
    assert answer.status_code == 413
    assert "terlalu besar" in answer.text


def test_a_file_of_a_family(pages: Flask) -> None:
    web, path = at_desk(pages), f"/keluarga/{pages.config['family']}"
    web.get(f"{path}/berkas")
    assert web.post(f"{path}/berkas", {"kind": "rumah", "title": "Depan", "file": (photo(), "a.jpg")}).status_code == 303
    assert "Foto rumah: Depan" in web.get(path).text


def test_a_family_is_put_right(pages: Flask) -> None:
    web, path = at_desk(pages), f"/keluarga/{pages.config['family']}"
    typed = filled(web.get(f"{path}/ubah")) | {"address": "Jl. Kartini 1", "latitude": "-5,54", "longitude": "119.9"}
    assert "Pilih atau tulis alasan" in web.post(f"{path}/ubah", typed).text
    wrong = web.post(f"{path}/ubah", typed | {"latitude": "selatan", "reason": "Salah ketik"})
    assert (wrong.status_code, "sebagai angka" in wrong.text) == (422, True)
    assert web.post(f"{path}/ubah", typed | {"reason": "Salah ketik"}).status_code == 303
    assert "-5.54, 119.9" in web.get(path).text
    assert "Jl. Kartini 1" in web.get(f"{path}/riwayat").text
