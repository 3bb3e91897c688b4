"""Two evenings of role play from the trainings: a proxy without paper, and a house that was reported twice from the field."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from appliance.casework import casebook, cases, papers, visits
from appliance.casework.papers import PROXY_LETTER, Judgement
from appliance.errors import NotAllowed
from appliance.models.states import CaseState, PaperState
from tests.support.desk import confirm, move, open_case, prepare_referral, referred, resident, service, version_of
from tests.support.pictures import photo
from tests.support.staff import AT, Staff, employ

SEEN = {"visit_result": "sesuai", "visit_date": "2026-11-20", "witness": "Ketua RT 2"}


def visit(case: str, staff: Staff, *photos: bytes) -> None:
    """Planned by the supervisor, made and reported by the facilitator, confirmed."""
    sent = {"visitor": staff.facilitator.account_id, "planned_date": "2026-11-20"}
    move(case, staff.supervisor, "jadwalkan_kunjungan", **sent)
    assert [line.case_id for line in visits.list_visits(by=staff.facilitator, at=AT).to_do] == [case]
    version = casebook.look_at_case(case, by=staff.facilitator, at=AT).row_version
    told = {**SEEN, "note": "Keadaan seperti dilaporkan"}
    cases.move_case(case, "isi_kunjungan", told, photos=photos, row_version=version, by=staff.facilitator, at=AT)
    move(case, staff.supervisor, "sahkan_kunjungan")


def test_a_proxy_without_paper(app: Flask, staff: Staff) -> None:
    employ(staff.facilitator)
    patient = resident(staff.fo, "Baso Dg. Ngalle")
    case = open_case(
        staff.fo,
        patient,
        reporter_name="Rosdiana",
        reporter_relation="Kader",
        reporter_is_proxy=True,
        description="Stroke, lumpuh",
    )
    move(case, staff.bo, "ambil")
    missing = casebook.look_at_case(case, by=staff.bo, at=AT).papers.requirements
    assert [(line.name, line.state) for line in missing][-1] == (PROXY_LETTER, None)
    told = {line.name: Judgement("sah") for line in missing[:-1]}
    version = casebook.look_at_case(case, by=staff.bo, at=AT).row_version
    papers.check_papers(case, told, row_version=version, by=staff.bo, at=AT)
    with pytest.raises(NotAllowed, match="belum sah"):
        move(case, staff.bo, "sahkan")
    visit(case, staff, photo())
    papers.add_papers(case, [photo("ivory")], requirement=PROXY_LETTER, title="Dari keluarga", by=staff.facilitator, at=AT)
    confirm(case, staff.bo)
    move(case, staff.bo, "teruskan")
    move(case, staff.bo, "ajukan", recommendation="Surat diserahkan kepada keluarga saja")
    move(case, staff.manager, "tetapkan_dirujuk")
    referral = prepare_referral(staff, case, share=("nama", "alamat", "uraian"))
    shared = casebook.look_at_referral(referral, by=staff.bo, at=AT).shared
    assert dict(shared)["Nama"] == "Baso Dg. Ngalle"
    assert "Rosdiana" not in str(shared)


def test_a_house_that_was_reported_twice(app: Flask, staff: Staff) -> None:
    employ(staff.facilitator)
    father, mother = (resident(staff.fo, name, kk="7303010101100001") for name in ("Abd. Rahman", "Hasnah"))
    rest = {"service_type_id": service("rumah"), "channel": "lapangan", "description": "Roboh setelah hujan"}
    two_days_ago = AT - timedelta(days=2)
    first, other, again = (
        open_case(staff.facilitator, person, received_at=two_days_ago, **rest)
        for person in (father, resident(staff.fo, "Baharuddin", kk="7303010101100002"), mother)
    )
    assert casebook.look_at_case(first, by=staff.facilitator, at=AT).line.received_at == two_days_ago
    papers.add_papers(again, [photo("navy")], requirement="Foto rumah", title="", by=staff.facilitator, at=AT)
    for case in (first, other, again):
        move(case, staff.supervisor, "ambil")
    assert [line.id for line in casebook.look_at_case(again, by=staff.supervisor, at=AT).similar] == [first]
    assert casebook.look_at_case(other, by=staff.supervisor, at=AT).similar == ()
    number = casebook.look_at_case(first, by=staff.supervisor, at=AT).line.number
    move(again, staff.supervisor, "tandai_duplikat", duplicate_of=number, note="Rumah yang sama")
    kept = casebook.look_at_case(again, by=staff.supervisor, at=AT)
    assert (kept.line.state, kept.duplicate_of and kept.duplicate_of.id) == (CaseState.DUPLICATE, first)
    (house,) = (line for line in kept.papers.requirements if line.name == "Foto rumah")
    assert papers.open_paper(house.papers[0].id, by=staff.bo, at=AT).path.exists()
    assert house.state is PaperState.WAITING
    visit(first, staff, photo("peru"))
    confirm(first, staff.supervisor)
    move(first, staff.bo, "ajukan", recommendation="RTLH dan logistik")
    move(first, staff.manager, "tetapkan_dirujuk")
    sent = [referred(staff, first, unit) for unit in ("perkim", "ketapang")]
    lines = casebook.look_at_case(first, by=staff.bo, at=AT).referrals
    assert sorted(line.id for line in lines) == sorted(sent)
    assert all(version_of(line.id, staff.bo) for line in lines)
