"""Kinds of service that the Dinas edits: versions, the checklist, and what a case keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from appliance import audit, database
from appliance.casework import casebook, catalogue, service_types
from appliance.casework.service_types import Requirement, ServiceFields
from appliance.config import Settings
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.models.roles import Role
from tests.service.test_concurrency import together
from tests.support.desk import move, open_case, service
from tests.support.staff import AT, Staff
from tests.support.web_client import Web, officer, web_app

NEW = ServiceFields(
    "kursi-roda", "Kursi roda", "KB7", 14, (Requirement("KTP"), Requirement("Foto", False, "foto", "Seluruh badan"))
)


def stands(code: str, staff: Staff) -> ServiceFields:
    return service_types.look_at_service(code, by=staff.fo).fields


def test_the_services_of_a_fresh_node_say_what_to_bring(staff: Staff) -> None:
    asked = [paper for service in service_types.list_services(by=staff.fo) for paper in service.fields.requirements]
    assert asked
    assert all(paper.example and paper.kind in service_types.PAPER_KINDS and paper.required for paper in asked)


def test_a_change_is_a_new_version_and_a_case_keeps_its_own(staff: Staff) -> None:
    case = open_case(staff.fo, service_type_id=service("adminduk"))
    changed = replace(
        stands("adminduk", staff), requirements=(Requirement("Surat pindah"), Requirement("KTP", False)), working_days=9
    )
    service_types.change_service("adminduk", changed, version=1, by=staff.manager, at=AT)
    assert stands("adminduk", staff) == changed
    assert service_types.look_at_service("adminduk", by=staff.fo).version == 2
    old = casebook.look_at_case(case, by=staff.bo, at=AT).papers
    assert [line.name for line in old.requirements] == ["Kartu Keluarga"]
    newer = open_case(staff.fo, service_type_id=service("adminduk"))
    papers = casebook.look_at_case(newer, by=staff.bo, at=AT).papers
    assert [(line.name, line.required) for line in papers.requirements] == [("Surat pindah", True), ("KTP", False)]
    assert papers.open == 1


def test_what_is_brought_if_there_is_any_stops_nobody(staff: Staff) -> None:
    fields = replace(stands("adminduk", staff), requirements=(Requirement("KTP", required=False),))
    service_types.change_service("adminduk", fields, version=1, by=staff.bo, at=AT)
    case = open_case(staff.fo, service_type_id=service("adminduk"))
    move(case, staff.bo, "ambil")
    offers = {offer.action for offer in casebook.look_at_case(case, by=staff.bo, at=AT).actions}
    assert "sahkan" in offers


def test_a_case_is_not_opened_with_what_is_no_longer_offered(staff: Staff) -> None:
    before = service("pangan")
    service_types.change_service("pangan", replace(stands("pangan", staff), active=False), version=1, by=staff.bo, at=AT)
    assert "pangan" not in {choice.code for choice in catalogue.service_types()}
    with pytest.raises(InvalidInput) as raised:
        open_case(staff.fo, service_type_id=before)
    assert set(raised.value.problems) == {"service_type_id"}


def test_saving_what_stands_makes_no_version(staff: Staff) -> None:
    entries = audit.verify().entries
    service_types.change_service("pangan", stands("pangan", staff), version=1, by=staff.bo, at=AT)
    assert service_types.look_at_service("pangan", by=staff.fo).version == 1
    assert audit.verify().entries == entries


def test_a_new_service(staff: Staff) -> None:
    service_types.add_service(NEW, by=staff.manager, at=AT)
    assert stands("kursi-roda", staff) == NEW
    assert service_types.requirements_by_service()[service("kursi-roda")] == NEW.requirements
    with pytest.raises(InvalidInput) as raised:
        service_types.add_service(NEW, by=staff.manager, at=AT)
    assert set(raised.value.problems) == {"code"}
    with pytest.raises(NotAllowed):
        service_types.add_service(replace(NEW, code="lain"), by=staff.fo, at=AT)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"code": "Kursi Roda"}, "code"),
        ({"name": " "}, "name"),
        ({"category": "KB99"}, "category"),
        ({"working_days": None}, "working_days"),
        ({"working_days": 0}, "working_days"),
        ({"requirements": (Requirement("KTP"), Requirement("ktp"))}, "requirements"),
        ({"requirements": (Requirement("KTP", True, "emas"),)}, "requirements"),
        ({"requirements": tuple(Requirement(str(number)) for number in range(16))}, "requirements"),
    ],
)
def test_what_cannot_be_a_service(staff: Staff, wrong: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        service_types.add_service(replace(NEW, **wrong), by=staff.manager, at=AT)  # type: ignore[arg-type]
    assert set(raised.value.problems) == {field}


def test_two_who_change_the_same_service_at_once(app: Flask, staff: Staff) -> None:
    fields = stands("pangan", staff)
    answers = together(
        app,
        *[
            lambda days=days: service_types.change_service(
                "pangan", replace(fields, working_days=days), version=1, by=staff.bo, at=AT
            )
            for days in (7, 8)
        ],
    )
    assert sorted(isinstance(answer, Conflict) for answer in answers) == [False, True]
    assert service_types.look_at_service("pangan", by=staff.fo).version == 2


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    pages = web_app(settings)
    with pages.app_context():
        officer("manajer.dua", Role.MANAJER)
        database.db.session.remove()
    yield Web(pages)
    with pages.app_context():
        database.db.engine.dispose()


def test_the_form_shows_what_stands_and_stores_what_is_typed(web: Web) -> None:
    web.sign_in("manajer.dua")
    page = web.get("/layanan/rumah/ubah").text
    assert 'value="Bukti hak tanah"' in page
    typed: dict[str, object] = {
        "version": "1", "name": "RTLH", "category": "KB4", "working_days": "20", "active": "1",
        "requirement-0": "Foto rumah", "required-0": "1", "kind-0": "foto", "example-0": "Atap dan dinding",
        "requirement-1": "", "requirement-4": "Sertifikat", "kind-4": "surat",
    }  # fmt: skip
    assert web.post("/layanan/rumah/ubah", {**typed, "working_days": "lama"}).status_code == 422
    assert web.post("/layanan/rumah/ubah", typed).status_code == 303
    assert web.post("/layanan/rumah/ubah", {**typed, "name": "Lain"}).status_code == 409
    paper = web.get("/layanan/rumah/berkas").text
    assert re.findall(r"☐ <b>([^<]*)", paper) == ["Foto rumah", "Sertifikat"]
    assert "Atap dan dinding" in paper
    assert "20 hari kerja" in paper
