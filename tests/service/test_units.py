"""The list of organisations: what the admin may write, and what keeps an organisation on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from appliance import database
from appliance.casework import catalogue, referral_replies, units
from appliance.casework.referral_replies import Return
from appliance.casework.units import UnitText
from appliance.config import Settings
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.roles import Role
from tests.support.desk import decided, prepare_referral, referred, version_of
from tests.support.office_page import read_page
from tests.support.staff import AT, Staff
from tests.support.web_client import Web, officer, web_app

CLINIC = UnitText("RS Bersalin Ibu", "faskes", "Jl. Mawar 1", "0413-21000", "rs@bersalin.id", "dr. Nur", "198001012005012003")


def unit(code: str, staff: Staff) -> units.UnitDetail:
    return units.look_at_unit(catalogue.unit_id(code), by=staff.admin, at=AT)


def change(code: str, staff: Staff, **changes: object) -> None:
    seen = unit(code, staff)
    units.change_unit(seen.id, replace(seen.text, **changes), row_version=seen.row_version, by=staff.admin, at=AT)  # type: ignore[arg-type]


def test_a_new_organisation_can_be_referred_to(app: Flask, staff: Staff) -> None:
    added = units.add_unit("rs-bersalin", CLINIC, by=staff.admin, at=AT)
    assert added in {choice.id for choice in catalogue.referral_targets()}
    assert units.look_at_unit(added, by=staff.admin, at=AT).text == CLINIC
    prepare_referral(staff, decided(staff), unit="rs-bersalin")


@pytest.mark.parametrize(
    ("code", "text", "wrong"),
    [
        ("dinkes", CLINIC, {"code"}),
        ("RS Bersalin", replace(CLINIC, name=" ", kind="warung", email="rs", official_nip="12"), {"code", "name", "kind", "email", "official_nip"}),
        ("rs", replace(CLINIC, name="dinas KESEHATAN", kind="sekretariat"), {"name", "kind"}),
        ("rs", replace(CLINIC, phone="1" * 41), {"phone"}),
    ],
)  # fmt: skip
def test_all_problems_are_told_at_once(app: Flask, staff: Staff, code: str, text: UnitText, wrong: set[str]) -> None:
    before = len(units.list_units(by=staff.admin, at=AT))
    with pytest.raises(InvalidInput) as caught:
        units.add_unit(code, text, by=staff.admin, at=AT)
    assert set(caught.value.problems) == wrong
    assert len(units.list_units(by=staff.admin, at=AT)) == before


def test_only_the_admin_keeps_the_list(app: Flask, staff: Staff) -> None:
    seen = unit("dinkes", staff)
    with pytest.raises(NotAllowed):
        units.change_unit(seen.id, CLINIC, row_version=seen.row_version, by=staff.manager, at=AT)
    with pytest.raises(NotAllowed):
        units.list_units(by=staff.bo, at=AT)
    with pytest.raises(NotFound):
        units.look_at_unit("nothing", by=staff.admin, at=AT)


def test_one_who_saw_an_older_state_is_told(app: Flask, staff: Staff) -> None:
    seen = unit("dinkes", staff)
    change("dinkes", staff, phone="0413-1")
    with pytest.raises(Conflict):
        units.change_unit(seen.id, replace(seen.text, phone="0413-2"), row_version=seen.row_version, by=staff.admin, at=AT)
    assert unit("dinkes", staff).text.phone == "0413-1"


def test_what_waits_for_an_answer_keeps_its_organisation(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    assert unit("dinkes", staff).open_referrals == 1
    with pytest.raises(InvalidInput) as caught:
        change("dinkes", staff, active=False)
    assert set(caught.value.problems) == {"active"}
    version = version_of(referral, staff.dinkes)
    referral_replies.return_referral(referral, Return("bukan_wewenang"), row_version=version, by=staff.dinkes, at=AT)
    change("dinkes", staff, active=False)
    assert "dinkes" not in {choice.code for choice in catalogue.referral_targets()}


def test_the_secretariat_stays_what_it_is(app: Flask, staff: Staff) -> None:
    for changes in ({"active": False}, {"kind": "opd"}):
        with pytest.raises(InvalidInput):
            change("sekretariat", staff, **changes)
    with pytest.raises(InvalidInput):
        change("dinkes", staff, kind="sekretariat")


def test_without_accounts_the_back_office_answers(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    change("dinkes", staff, has_accounts=False)
    version = version_of(referral, staff.bo)
    referral_replies.receive_referral(referral, row_version=version, by=staff.bo, at=AT)


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("petugas.admin", Role.ADMIN, areas=())
        database.db.session.remove()
    yield app
    with app.app_context():
        database.db.engine.dispose()


def test_the_pages_of_the_list(pages: Flask) -> None:
    web = Web(pages)
    assert web.sign_in("petugas.admin").status_code == 303
    form, button = read_page("/unit/baru", 200, web.get("/unit/baru").text).form_with("Simpan unit")
    typed = {"name": "RS Ibu", "code": "RS", "kind": "faskes", "official_nip": "19800101 200501 2 003"}
    refused = web.post(form.action, dict(form.filled(typed, button)) | {"csrf_token": web.token})
    assert refused.status_code == 422
    assert 'value="19800101 200501 2 003"' in refused.text
    typed["code"] = "rs-ibu"
    assert web.post(form.action, dict(form.filled(typed, button)) | {"csrf_token": web.token}).status_code == 303
    page = read_page("/unit", 200, web.get("/unit").text)
    address = page.link("RS Ibu")
    form, button = read_page(address, 200, web.get(address).text).form_with("Simpan unit")
    sent = dict(form.filled({"phone": "0413-21"}, button)) | {"csrf_token": web.token}
    assert web.post(address, sent).status_code == 303
    stale = web.post(address, sent | {"phone": "0413-22"})
    assert stale.status_code == 409
    assert "0413-22" in stale.text
    assert "0413-21" in web.get("/unit").text
