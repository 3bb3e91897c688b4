"""Who opened these data: read from the journal by the manager, page by page, itself recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from appliance import audit
from appliance.access import Actor
from appliance.casework import casebook, papers, trail, visits
from appliance.errors import NotAllowed, NotFound
from appliance.letters import book
from appliance.models.roles import Role
from appliance.registry import people
from tests.support.desk import confirm, move, open_case, prepare_referral, resident
from tests.support.letters import drafted, signers
from tests.support.pictures import photo
from tests.support.staff import AT, FAR, Staff


def actions(found: trail.Trail) -> list[tuple[str, str, str]]:
    return [(entry.subject, entry.action, entry.username) for entry in found.entries]


def test_everybody_who_touched_a_person_is_told_the_newest_first(staff: Staff) -> None:
    person, other = resident(staff.fo), resident(staff.fo)
    people.look_at_person(person, by=staff.facilitator, at=AT + timedelta(minutes=1))
    people.look_at_person(other, by=staff.leader, at=AT)
    case = open_case(staff.fo, person)
    casebook.look_at_case(case, by=staff.bo, at=AT)
    found = trail.trail_of_person(person, by=staff.manager, at=AT)
    assert actions(found)[:3] == [
        ("case", "lihat", "bo.andi"),
        ("case", "kasus", "fo.sari"),
        ("person", "lihat", "fasilitator.nur"),
    ]
    assert "pimpinan.bupati" not in {entry.username for entry in found.entries}
    assert actions(trail.trail_of_person(person, by=staff.manager, at=AT))[0] == ("person", "lihat_jejak", "manajer.hasan")
    assert audit.verify().ok


def test_the_trail_of_a_case_holds_its_referrals(staff: Staff) -> None:
    case = open_case(staff.fo)
    other = open_case(staff.fo)
    move(case, staff.bo, "ambil")
    confirm(case, staff.bo)
    move(case, staff.bo, "teruskan")
    prepare_referral(staff, case)
    casebook.look_at_case(other, by=staff.supervisor, at=AT)
    found = trail.trail_of_case(case, by=staff.manager, at=AT)
    assert ("referral", "rujukan", "bo.andi") in actions(found)
    assert "supervisor.rahma" not in {entry.username for entry in found.entries}


def test_the_trails_hold_papers_visits_and_letters_also_collective_ones(staff: Staff) -> None:
    person = resident(staff.fo)
    case, first = open_case(staff.fo, person), open_case(staff.fo)
    move(case, staff.supervisor, "ambil")
    move(case, staff.facilitator, "isi_kunjungan", visit_result="sesuai", visit_date="2026-11-20", note="Benar")
    visits.sheet_of(casebook.look_at_case(case, by=staff.bo, at=AT).visits[0].id, by=staff.facilitator, at=AT)
    papers.add_papers(case, [photo()], requirement="KTP", title="", by=staff.fo, at=AT)
    (brought,) = casebook.look_at_case(case, by=staff.bo, at=AT).papers.requirements[0].papers
    papers.open_paper(brought.id, by=staff.bo, at=AT)
    signer = signers(staff)
    number = casebook.look_at_case(case, by=staff.bo, at=AT).line.number
    named = {"tujuan": "BPJS", "maksud": "diaktifkan", "daftar_kasus": number}
    drafted(staff, signer, first, wording="pengantar-kolektif", purpose="Usulan SIKS-NG", typed=named)
    book.look_at_letter(drafted(staff, signer, case), by=staff.leader, at=AT)
    wanted = {
        ("visit", "cetak", "fasilitator.nur"), ("paper", "lihat_berkas", "bo.andi"),
        ("letter", "surat", "bo.andi"), ("letter", "lihat", "pimpinan.bupati"),
    }  # fmt: skip
    for found in (
        trail.trail_of_case(case, by=staff.manager, at=AT),
        trail.trail_of_person(person, by=staff.manager, at=AT),
    ):
        assert wanted <= set(actions(found))
        assert actions(found).count(("letter", "surat", "bo.andi")) == 2, "her own and the collective one"


def test_page_by_page_without_gaps_or_repeats(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "PAGE", 4)
    case = open_case(staff.fo)
    for _ in range(9):
        casebook.look_at_case(case, by=staff.bo, at=AT)
    seen, before = [], None
    while True:
        page = trail.trail_of_case(case, before=before, by=staff.manager, at=AT)
        seen += [entry.position for entry in page.entries]
        before = page.following
        if before is None:
            break
    assert len(seen) == 10
    assert seen == sorted(set(seen), reverse=True)


def test_only_the_manager_of_the_area_reads_it(staff: Staff) -> None:
    person = resident(staff.fo)
    case = open_case(staff.fo, person)
    for by in (staff.fo, staff.bo, staff.leader, staff.admin):
        with pytest.raises(NotAllowed):
            trail.trail_of_person(person, by=by, at=AT)
    far = Actor(staff.manager.account_id, "M", "m", frozenset({Role.MANAJER}), (FAR,))
    with pytest.raises(NotFound):
        trail.trail_of_person(person, by=far, at=AT)
    with pytest.raises(NotFound):
        trail.trail_of_case(case, by=far, at=AT)
