"""The papers of a case: brought in, checked by another, needed before the case is confirmed, given out within the scope only."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.casework import casebook, papers
from appliance.casework.papers import Judgement
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.states import PaperState
from appliance.models.visit import CasePaper
from tests.support.desk import confirm, move, open_case
from tests.support.pictures import photo
from tests.support.staff import AT, Staff, employ

KTP, KK, SKTM, CARE = "KTP", "Kartu Keluarga", "SKTM", "Surat rawat inap kelas III"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"


@pytest.fixture
def case(app: Flask, staff: Staff) -> str:
    """A case whose service asks for four papers, taken by the back office."""
    case = open_case(staff.fo)
    move(case, staff.bo, "ambil")
    return case


def add(case: str, staff: Staff, *contents: bytes, requirement: str = KTP) -> None:
    papers.add_papers(case, contents, requirement=requirement, title="", by=staff.fo, at=AT)


def check(case: str, staff: Staff, **told: Judgement) -> None:
    named = {{"ktp": KTP, "kk": KK, "sktm": SKTM, "care": CARE}.get(key, key): judgement for key, judgement in told.items()}
    version = casebook.look_at_case(case, by=staff.bo, at=AT).row_version
    papers.check_papers(case, named, row_version=version, by=staff.bo, at=AT)


def listed(case: str, staff: Staff) -> dict[str, PaperState | None]:
    found = casebook.look_at_case(case, by=staff.bo, at=AT).papers
    return {line.name: line.state for line in found.requirements}


def test_from_nothing_over_what_was_brought_to_complete(case: str, staff: Staff) -> None:
    assert listed(case, staff) == dict.fromkeys((KTP, KK, SKTM, CARE))
    add(case, staff, photo("peru"), photo("navy"))
    add(case, staff, PDF, requirement=KK)
    assert listed(case, staff)[KTP] is PaperState.WAITING
    check(case, staff, ktp=Judgement("perlu_ganti", "Tidak terbaca"), kk=Judgement("sah"), sktm=Judgement("sah"))
    seen = casebook.look_at_case(case, by=staff.fo, at=AT)
    assert [(line.state, line.reason) for line in seen.papers.requirements] == [
        (PaperState.REPLACE, "Tidak terbaca"), (PaperState.VALID, ""), (PaperState.VALID, ""), (None, ""),
    ]  # fmt: skip
    assert seen.papers.open == 2
    assert seen.events[-1].details == {KTP: "perlu ganti: Tidak terbaca", KK: "sah", SKTM: "sah"}
    assert [label for label, told in casebook.look_at_case(case, by=staff.bo, at=AT).blocked if "berkas" in told] == ["Sahkan"]
    add(case, staff, photo("olive"))
    assert listed(case, staff)[KTP] is PaperState.WAITING, "the new one is to be looked at"
    check(case, staff, ktp=Judgement("sah"), care=Judgement("sah"))
    add(case, staff, photo("gold"))
    check(case, staff, ktp=Judgement("perlu_ganti", "Ternyata milik orang lain"))
    assert listed(case, staff)[KTP] is PaperState.REPLACE, "nothing older stands for what must be brought again"
    check(case, staff, ktp=Judgement("sah"))
    confirm(case, staff.bo)


def test_only_an_emergency_goes_on_with_a_promise_and_ends_after_it_was_kept(case: str, staff: Staff) -> None:
    promise = {
        "ktp": Judgement("sah"),
        "kk": Judgement("sah"),
        "sktm": Judgement("sah"),
        "care": Judgement("menyusul", "Anaknya, besok"),
    }
    assert "hanya kasus darurat" in refusal(case, staff, **promise)
    move(case, staff.supervisor, "ubah_prioritas", priority="darurat", note="Masuk IGD")
    assert "tulis siapa" in refusal(case, staff, care=Judgement("menyusul"))
    check(case, staff, **promise)
    assert casebook.look_at_case(case, by=staff.bo, at=AT).papers.open == 1
    confirm_as_it_is(case, staff)
    for action, by in (
        ("teruskan", staff.bo),
        ("ajukan", staff.bo),
        ("tetapkan_ditangani", staff.manager),
        ("catat_tindakan", staff.bo),
    ):
        move(case, by, action, recommendation="Bantu", note="Dibayar")
    result = {"outcome": "terpenuhi", "outcome_note": "Dibayar", "citizen_note": "Sudah dibayar", "told_way": "telepon"}
    for brought in (False, True):
        with pytest.raises(NotAllowed, match="menyusul"):
            move(case, staff.bo, "catat_hasil", **result)
        if not brought:
            add(case, staff, photo(), requirement=CARE)
    assert "sudah ada" in refusal(case, staff, care=Judgement("menyusul", "Lusa"))
    check(case, staff, care=Judgement("sah"))
    move(case, staff.bo, "catat_hasil", **result)


def test_a_promise_that_is_not_kept_can_be_given_up(case: str, staff: Staff) -> None:
    move(case, staff.supervisor, "ubah_prioritas", priority="darurat", note="Masuk IGD")
    check(case, staff, care=Judgement("menyusul", "Anaknya, besok"))
    check(case, staff, care=Judgement("menyusul", "Anaknya, lusa"))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CasePaper)) == 1
    check(case, staff, care=Judgement("perlu_ganti", "Tidak pernah diserahkan"))
    row = db.session.get_one(Case, case)
    assert (papers.count_promised(row), papers.count_open(row)) == (0, 4)


def refusal(case: str, staff: Staff, **told: Judgement) -> str:
    """Why the paper of the ward is not judged like this; nothing has changed then."""
    before = listed(case, staff)
    with pytest.raises(InvalidInput) as caught:
        check(case, staff, **told)
    assert listed(case, staff) == before
    return caught.value.problems[CARE]


def confirm_as_it_is(case: str, staff: Staff) -> None:
    """Without looking at any paper once more."""
    offers = casebook.look_at_case(case, by=staff.bo, at=AT).actions
    (mark,) = (
        field.choices[0][0] for offer in offers if offer.action == "sahkan" for field in offer.fields if field.kind == "check"
    )
    move(case, staff.bo, "sahkan", duplicates_seen=mark)


def test_a_wrong_judgement_changes_nothing(case: str, staff: Staff) -> None:
    add(case, staff, photo())
    for name, told in (
        (KTP, Judgement("perlu_ganti", "")),
        (KK, Judgement("perlu_ganti", "Buram")),  # nothing was brought
        (KTP, Judgement("bagus")),
        ("Ijazah", Judgement("sah")),
    ):
        with pytest.raises(InvalidInput) as caught:
            check(case, staff, **{name: told, SKTM: Judgement("sah")})
        assert set(caught.value.problems) == {name}
        db.session.rollback()
    with pytest.raises(InvalidInput):
        check(case, staff)
    assert (listed(case, staff)[KTP], listed(case, staff)[SKTM]) == (PaperState.WAITING, None)
    assert casebook.look_at_case(case, by=staff.bo, at=AT).events[-1].action == "tambah_berkas"


def test_who_recorded_the_case_does_not_check_its_papers(app: Flask, staff: Staff) -> None:
    case = open_case(staff.fo)
    version = casebook.look_at_case(case, by=staff.fo, at=AT).row_version
    with pytest.raises(NotAllowed):
        papers.check_papers(case, {KTP: Judgement("sah")}, row_version=version, by=staff.fo, at=AT)
    with pytest.raises(Conflict):
        papers.check_papers(case, {KTP: Judgement("sah")}, row_version=version - 1, by=staff.bo, at=AT)


def test_who_brought_a_paper_does_not_find_it_right(case: str, staff: Staff) -> None:
    papers.add_papers(case, [photo("olive")], requirement=KTP, title="", by=staff.bo, at=AT)
    with pytest.raises(InvalidInput) as caught:
        check(case, staff, ktp=Judgement("sah"), kk=Judgement("sah"))
    assert set(caught.value.problems) == {KTP}
    own = {line.name: line.own for line in casebook.look_at_case(case, by=staff.bo, at=AT).papers.requirements}
    assert own == {KTP: True, KK: False, SKTM: False, CARE: False}
    check(case, staff, ktp=Judgement("perlu_ganti", "Saya salah pindai"), kk=Judgement("sah"))
    check(case, staff, kk=Judgement("sah"))  # the original, seen twice, is no copy of hers
    seen = casebook.look_at_case(case, by=staff.supervisor, at=AT)
    assert not any(line.own for line in seen.papers.requirements)
    papers.check_papers(case, {KTP: Judgement("sah")}, row_version=seen.row_version, by=staff.supervisor, at=AT)
    assert listed(case, staff)[KTP] is PaperState.VALID


def test_who_took_her_own_copy_away_does_not_find_the_original_right(case: str, staff: Staff) -> None:
    papers.add_papers(case, [photo("olive")], requirement=KTP, title="", by=staff.bo, at=AT)
    (mine,) = (line.papers for line in casebook.look_at_case(case, by=staff.bo, at=AT).papers.requirements if line.name == KTP)
    papers.remove_paper(mine[0].id, by=staff.bo, at=AT)
    with pytest.raises(InvalidInput) as caught:
        check(case, staff, ktp=Judgement("sah"), kk=Judgement("sah"))
    assert set(caught.value.problems) == {KTP}
    assert "minta rekan" in caught.value.problems[KTP]
    own = {line.name: line.own for line in casebook.look_at_case(case, by=staff.bo, at=AT).papers.requirements}
    assert (own[KTP], own[KK]) == (True, False)
    # also when it was promised in between, as for an emergency it may be
    db.session.get_one(Case, case).priority = "darurat"
    db.session.commit()
    check(case, staff, ktp=Judgement("menyusul", "Anaknya, besok"))
    with pytest.raises(InvalidInput) as caught:
        check(case, staff, ktp=Judgement("sah"))
    assert "minta rekan" in caught.value.problems[KTP]
    papers.add_papers(case, [photo("navy")], requirement=KTP, title="", by=staff.fo, at=AT)
    check(case, staff, ktp=Judgement("sah"))  # what another brought
    assert listed(case, staff)[KTP] is PaperState.VALID


def test_the_same_content_twice_is_one_paper_and_an_odd_one_none(case: str, staff: Staff) -> None:
    add(case, staff, photo())
    add(case, staff, photo())
    count = sa.select(sa.func.count()).select_from(CasePaper)
    assert db.session.scalar(count) == 1
    for content in (b"", b"GIF89a", b"<html>", b"%PDF-" + bytes(8 * 1024 * 1024)):
        with pytest.raises(InvalidInput):
            add(case, staff, content)
    with pytest.raises(InvalidInput):
        add(case, staff)
    with pytest.raises(InvalidInput):
        papers.add_papers(case, [PDF], requirement="Ijazah", title="", by=staff.fo, at=AT)
    assert db.session.scalar(count) == 1


def test_a_photo_tells_nothing_of_its_place_and_looks_are_recorded(case: str, staff: Staff) -> None:
    add(case, staff, photo(with_place=True))
    (paper,) = casebook.look_at_case(case, by=staff.bo, at=AT).papers.requirements[0].papers
    content = papers.open_paper(paper.id, by=staff.bo, at=AT).path.read_bytes()
    assert b"KAMERA-RAHASIA" not in content
    assert papers.open_small_paper(paper.id, by=staff.bo).path.stat().st_size < len(content)
    looks = db.session.scalars(sa.select(AuditEntry.subject).where(AuditEntry.action == "lihat_berkas"))
    assert list(looks) == [f"paper:{paper.id}"]


def test_a_paper_is_only_for_who_sees_the_case_and_numbers(case: str, staff: Staff) -> None:
    add(case, staff, photo())
    paper = db.session.scalars(sa.select(CasePaper.id)).one()
    for who in ("neighbour", "stranger", "dinkes", "admin", "leader"):
        reader, error = getattr(staff, who), NotAllowed if who == "leader" else NotFound
        with pytest.raises(error):
            papers.open_paper(paper, by=reader, at=AT)
        with pytest.raises(error):
            papers.open_small_paper(paper, by=reader)
        with pytest.raises(error):
            papers.remove_paper(paper, by=reader, at=AT)
    assert casebook.look_at_case(case, by=staff.leader, at=AT).papers.requirements[0].papers == ()


def test_a_wrong_paper_is_taken_away_by_who_brought_it_or_checks(case: str, staff: Staff) -> None:
    employ(staff.facilitator)
    add(case, staff, photo())
    paper = db.session.scalars(sa.select(CasePaper.id)).one()
    with pytest.raises(NotAllowed):
        papers.remove_paper(paper, by=staff.facilitator, at=AT)
    assert papers.remove_paper(paper, by=staff.fo, at=AT) == case
    assert listed(case, staff)[KTP] is None
    with pytest.raises(NotFound):
        papers.open_paper(paper, by=staff.bo, at=AT)


def test_what_was_found_right_is_taken_away_by_checkers_only(case: str, staff: Staff) -> None:
    add(case, staff, photo())
    paper = db.session.scalars(sa.select(CasePaper.id)).one()
    check(case, staff, ktp=Judgement("sah"))
    with pytest.raises(NotAllowed, match="dinyatakan sah"):
        papers.remove_paper(paper, by=staff.fo, at=AT)
    assert papers.remove_paper(paper, by=staff.bo, at=AT) == case


def test_an_ended_case_keeps_its_papers_as_they_are(case: str, staff: Staff) -> None:
    move(case, staff.bo, "batalkan", cancel_reason="dicabut", note="Tidak jadi")
    with pytest.raises(Conflict):
        add(case, staff, photo())


def test_a_case_is_returned_with_what_is_missing(case: str, staff: Staff) -> None:
    with pytest.raises(InvalidInput) as caught:
        move(case, staff.bo, "kembalikan", return_reasons="berkas_kurang", note="Lengkapi")
    assert set(caught.value.problems) == {"missing_papers"}
    for wrong in ({"return_reasons": "malas"}, {"missing_papers": "9"}):
        with pytest.raises(InvalidInput):
            move(case, staff.bo, "kembalikan", **{"return_reasons": "lain", "note": "x", **wrong})
    move(
        case, staff.bo, "kembalikan", return_reasons="berkas_kurang,uraian_kurang", missing_papers="1,3", note="Lengkapi",
        citizen_note="Bawa KK dan surat rawat inap",
    )  # fmt: skip
    event = casebook.look_at_case(case, by=staff.fo, at=AT).events[-1]
    assert event.details == {
        "Mengapa dikembalikan": "Berkas kurang; Uraian belum jelas",
        "Berkas yang harus dilengkapi": f"{KK}; {CARE}",
    }
    assert (event.note, event.citizen_note) == ("Lengkapi", "Bawa KK dan surat rawat inap")
