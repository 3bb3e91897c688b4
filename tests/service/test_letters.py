"""Letters through their life: who, in which order, with which number, and the one paper."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit, database
from appliance.access import Actor
from appliance.casework import casebook, referrals
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.letters import book, letters, papers, series, wordings
from appliance.letters.book import LetterFilter
from appliance.letters.life import LetterState
from appliance.letters.wording import from_data, to_data
from appliance.models.audit import AuditEntry
from appliance.models.letter import Letter
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.registry.file_store import content_path
from tests.support.desk import decided, move, open_case, prepare_referral, resident, version_of
from tests.support.letters import Signers, approved, drafted, issue, issued, new_letter, row, signers, version
from tests.support.staff import AT, FAR, NEIGHBOUR, Staff, hire_one


@pytest.fixture
def signer(staff: Staff) -> Signers:
    return signers(staff)


def test_from_draft_to_paper(staff: Staff, signer: Signers) -> None:
    case = open_case(staff.fo, resident(staff.fo, "Sitti Aminah", nik="7303014101800001"))
    letter = issued(staff, signer, case)
    stored = row(letter)
    assert (stored.state, stored.number) == (LetterState.ISSUED, "400.9.14/001/SLRT/XI/2026")
    assert stored.valid_until == date(2026, 12, 20)
    assert stored.frozen
    assert stored.frozen["values"]["warga.nik"] == "7303 0141 0180 0001"
    paper = papers.print_letter(letter, by=staff.bo, at=AT)
    assert paper.path.read_bytes().startswith(b"%PDF-")
    told = casebook.look_at_case(case, by=staff.bo, at=AT).events[-1]
    assert (told.action, told.details["Nomor surat"]) == ("terbitkan_surat", stored.number)


def test_what_was_approved_stays_whatever_changes_later(staff: Staff, signer: Signers, app: Flask) -> None:
    letter = approved(staff, signer)
    with database.transaction() as session:
        session.execute(sa.update(Person).where(Person.id == row(letter).person_id).values(name="Nama Lain"))
    changed = wordings.wording_of("sktm")
    wordings.save_wording(from_data("sktm", 0, to_data(changed) | {"pattern": "X/{n}/{tahun}"}), by=staff.admin, at=AT)
    assert issue(letter, staff.bo) == "400.9.14/001/SLRT/XI/2026"
    frozen = row(letter).frozen or {}
    assert frozen["values"]["warga.nama"] == "Sitti Aminah"


def test_every_copy_is_the_same_and_is_counted(staff: Staff, signer: Signers, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = issued(staff, signer)
    before = version(letter)
    monkeypatch.setattr(papers, "to_pdf", lambda html: pytest.fail("it is made only once"))
    copies = [papers.print_letter(letter, by=by, at=AT).path.read_bytes() for by in (staff.bo, staff.fo)]
    assert copies[0] == copies[1]
    assert (row(letter).prints, version(letter)) == (2, before)
    said = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "cetak_surat").order_by(AuditEntry.position))
    assert [entry.account_id for entry in said] == [staff.bo.account_id, staff.fo.account_id]


def test_a_node_killed_before_the_paper_makes_it_when_it_is_asked_for(
    staff: Staff, signer: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = approved(staff, signer)

    class Killed(BaseException):
        pass

    def die(html: str) -> bytes:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(papers, "to_pdf", die)
        with pytest.raises(Killed):
            issue(letter, staff.bo)
    assert (row(letter).number, row(letter).pdf) == ("400.9.14/001/SLRT/XI/2026", "")
    paper = papers.print_letter(letter, by=staff.bo, at=AT)
    assert paper.path == content_path(row(letter).pdf)


def test_four_eyes(staff: Staff, signer: Signers) -> None:
    both = hire_one("supervisor.dua", Role.SUPERVISOR, ("73.03",))
    letter = drafted(staff, signer)
    letters.change_letter(letter, new_letter(signer), row_version=version(letter), by=both, at=AT)
    with pytest.raises(NotAllowed, match="Anda tulis sendiri"):
        letters.initial_letter(letter, row_version=version(letter), by=both, at=AT)
    letters.initial_letter(letter, row_version=version(letter), by=signer.head, at=AT)
    with pytest.raises(NotAllowed, match="Peran"):
        letters.approve_letter(letter, row_version=version(letter), by=signer.head, at=AT)
    letters.approve_letter(letter, row_version=version(letter), by=signer.agency, at=AT)
    with pytest.raises(NotAllowed):
        issue(letter, signer.agency)


def test_who_was_slower_is_told(staff: Staff, signer: Signers) -> None:
    letter = drafted(staff, signer)
    seen = version(letter)
    letters.initial_letter(letter, row_version=seen, by=signer.head, at=AT)
    with pytest.raises(Conflict):
        letters.initial_letter(letter, row_version=seen, by=staff.supervisor, at=AT)
    with pytest.raises(Conflict, match="Paraf"):
        letters.initial_letter(letter, row_version=version(letter), by=staff.supervisor, at=AT)


def test_returned_to_the_drafter_it_begins_anew(staff: Staff, signer: Signers) -> None:
    letter = approved(staff, signer)
    with pytest.raises(InvalidInput):
        letters.return_letter(letter, reason="-", row_version=version(letter), by=signer.agency, at=AT)
    letters.return_letter(letter, reason="Alamat kurang RT", row_version=version(letter), by=signer.agency, at=AT)
    stored = row(letter)
    assert (stored.state, stored.initialled_by, stored.approved_by, stored.frozen) == (LetterState.DRAFT, None, None, None)
    trail = book.look_at_letter(letter, by=staff.bo, at=AT).trail
    assert trail[-1].note == "Alamat kurang RT"


def test_a_cancelled_letter_keeps_its_number(staff: Staff, signer: Signers) -> None:
    first = issued(staff, signer)
    with pytest.raises(NotAllowed):
        letters.cancel_letter(first, reason="Salah nama", row_version=version(first), by=staff.bo, at=AT)
    letters.cancel_letter(first, reason="Salah nama", row_version=version(first), by=signer.head, at=AT)
    assert (row(first).state, row(first).number) == (LetterState.CANCELLED, "400.9.14/001/SLRT/XI/2026")
    with pytest.raises(Conflict, match="dibatalkan"):
        papers.print_letter(first, by=staff.bo, at=AT)
    second = issued(staff, signer)
    assert row(second).count == 2
    register = book.list_letters(LetterFilter(), by=staff.bo, at=AT).letters
    assert [(line.number[9:12], line.state) for line in register] == [("002", "TERBIT"), ("001", "BATAL")]


def test_numbers_begin_anew_each_year_and_run_by_series(staff: Staff, signer: Signers) -> None:
    eve = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)  # 23.59 in the office
    first = issued(staff, signer, at=eve)
    second = issued(staff, signer, at=eve + timedelta(minutes=1))
    assert [(row(one).year, row(one).count) for one in (first, second)] == [(2026, 1), (2027, 1)]
    own = to_data(wordings.wording_of("penolakan")) | {"series": "tolak", "pattern": "T/{n}/{tahun}"}
    wordings.save_wording(from_data("penolakan", 0, own), by=staff.admin, at=AT)
    answers = {"alasan": "Desil di atas batas", "langkah": "Usulkan perbaikan di desa"}
    other = issued(staff, signer, at=eve, wording="penolakan", purpose="Pemberitahuan", typed=answers)
    assert row(other).number == "T/1/2026"


def test_a_series_goes_on_after_what_was_given_out_on_paper(staff: Staff, signer: Signers) -> None:
    series.go_on_from("umum", 117, by=staff.admin, at=AT)
    assert row(issued(staff, signer)).count == 118
    with pytest.raises(InvalidInput) as refused:
        series.go_on_from("umum", 118, by=staff.admin, at=AT)
    assert "lebih besar" in refused.value.problems["last"]
    with pytest.raises(NotAllowed):
        series.go_on_from("umum", 200, by=staff.bo, at=AT)


def test_two_operators_never_get_the_same_number(app: Flask, staff: Staff, signer: Signers) -> None:
    """Four at once, of whom all begin the year's series."""
    waiting = [approved(staff, signer) for _ in range(4)]
    versions = {letter: version(letter) for letter in waiting}
    db.session.rollback()
    start, got = threading.Barrier(len(waiting)), list[str]()

    def press(letter: str) -> None:
        with app.app_context():
            start.wait(timeout=120)
            try:
                got.append(letters.issue_letter(letter, row_version=versions[letter], by=staff.bo, at=AT))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press, args=(letter,)) for letter in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(got) == [f"400.9.14/{count:03d}/SLRT/XI/2026" for count in (1, 2, 3, 4)]


def test_the_same_request_makes_one_draft(staff: Staff, signer: Signers) -> None:
    case = open_case(staff.fo)
    made = {letters.draft_letter(case, new_letter(signer), request_id="twice", by=staff.bo, at=AT) for _ in range(2)}
    assert len(made) == 1


def test_a_draft_with_everything_wrong_is_told_all_at_once(staff: Staff, signer: Signers) -> None:
    wrong = new_letter(signer, wording="penolakan", purpose="Lain", signatory_id="nobody")
    with pytest.raises(InvalidInput) as refused:
        letters.draft_letter(open_case(staff.fo), wrong, request_id="w", by=staff.bo, at=AT)
    assert set(refused.value.problems) == {"purpose", "signatory_id", "typed-alasan", "typed-langkah"}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Letter)) == 0


def test_a_letter_that_is_still_good_is_told_before_another(staff: Staff, signer: Signers) -> None:
    case = open_case(staff.fo)
    first = issued(staff, signer, case)
    with pytest.raises(InvalidInput) as refused:
        drafted(staff, signer, case)
    assert (row(first).number or "") in refused.value.problems["again"]
    drafted(staff, signer, case, purpose="Sekolah atau kuliah")
    drafted(staff, signer, case, again=True)
    later = AT + timedelta(days=31)
    letters.draft_letter(case, new_letter(signer), request_id="later", by=staff.bo, at=later)


def test_two_referrals_of_a_case_go_out_with_a_letter_each(staff: Staff, signer: Signers) -> None:
    case = decided(staff)
    first, second = (prepare_referral(staff, case, unit) for unit in ("dinkes", "rsud"))
    both = {"wording": "surat-rujukan", "purpose": "Rujukan"}
    issued(staff, signer, case, referral_id=first, **both)
    with pytest.raises(InvalidInput) as refused:
        drafted(staff, signer, case, referral_id=first, **both)
    assert set(refused.value.problems) == {"again"}
    drafted(staff, signer, case, referral_id=second, **both)


@pytest.mark.parametrize(("days", "state"), [(30, "TERBIT"), (31, "KEDALUWARSA")])
def test_its_last_day_is_its_last(staff: Staff, signer: Signers, days: int, state: str) -> None:
    letter = issued(staff, signer)
    at = AT + timedelta(days=days)
    assert book.look_at_letter(letter, by=staff.bo, at=at).line.state == state
    listed = book.list_letters(LetterFilter(state=state), by=staff.bo, at=at).letters
    assert [line.id for line in listed] == [letter]


def test_the_organisation_sees_its_own_letter_and_no_other(staff: Staff, signer: Signers) -> None:
    case = decided(staff)
    referral = prepare_referral(staff, case)
    letter = approved(staff, signer, case, wording="surat-rujukan", purpose="Rujukan", referral_id=referral)
    other = issued(staff, signer, case, referral_id=referral)  # not a letter that goes with a referral
    issue(letter, staff.bo)

    def sees(by: Actor) -> set[str]:
        return {line.id for line in book.list_letters(LetterFilter(), by=by, at=AT).letters}

    assert sees(staff.dinkes) == set(), "the referral is not sent yet"
    referrals.send_referral(referral, row_version=version_of(referral, staff.bo), by=staff.bo, at=AT)
    assert (sees(staff.dinkes), sees(staff.disdik)) == ({letter}, set())
    paper = papers.print_letter(letter, by=staff.dinkes, at=AT)
    assert paper.path.exists()
    detail = book.look_at_letter(letter, by=staff.dinkes, at=AT)
    assert (detail.case_id, detail.trail, detail.line.person, detail.line.village) == (None, (), "", "")
    assert [line.person for line in book.list_letters(LetterFilter(), by=staff.dinkes, at=AT).letters] == [""]
    with pytest.raises(NotFound):
        papers.print_letter(other, by=staff.dinkes, at=AT)


def test_the_organisation_reads_no_reason_of_the_office_and_nothing_that_was_taken_back(staff: Staff, signer: Signers) -> None:
    case = decided(staff)
    referral = prepare_referral(staff, case)
    given = {"wording": "surat-rujukan", "purpose": "Rujukan", "referral_id": referral}
    wrong, right = issued(staff, signer, case, **given), issued(staff, signer, case, again=True, **given)
    referrals.send_referral(referral, row_version=version_of(referral, staff.bo), by=staff.bo, at=AT)
    letters.attach_scan(wrong, b"%PDF-1.4 signed", row_version=version(wrong), by=staff.bo, at=AT)
    letters.cancel_letter(wrong, reason="Warga ini menipu kami", row_version=version(wrong), by=signer.head, at=AT)
    assert book.look_at_letter(wrong, by=staff.dinkes, at=AT).cancel_reason == ""
    assert book.look_at_letter(wrong, by=staff.bo, at=AT).cancel_reason == "Warga ini menipu kami"
    with pytest.raises(NotFound):
        papers.open_scan(wrong, by=staff.dinkes, at=AT)
    assert papers.open_scan(wrong, by=staff.bo, at=AT).path.exists()
    assert papers.print_letter(right, by=staff.dinkes, at=AT).path.exists()
    referrals.withdraw_referral(referral, "Salah alamat", row_version=version_of(referral, staff.bo), by=staff.bo, at=AT)
    for look in (book.look_at_letter, papers.print_letter):
        with pytest.raises(NotFound):
            look(right, by=staff.dinkes, at=AT)
    assert book.list_letters(LetterFilter(), by=staff.dinkes, at=AT).letters == ()


def test_a_referral_letter_shows_what_was_shared_and_nothing_else(staff: Staff, signer: Signers) -> None:
    case = decided(staff, reporter_name="Tetangga Takut", description="Rahasia rumah tangga")
    referral = prepare_referral(staff, case, share=("nama",))
    letter = approved(staff, signer, case, wording="surat-rujukan", purpose="Rujukan", referral_id=referral)
    text = str(row(letter).frozen)
    assert "Sitti Aminah" in text
    assert "5 hari kerja sejak surat ini dikirim" in text, "not a day that was counted from the writing"
    assert "Tetangga Takut" not in text
    assert "Rahasia rumah tangga" not in text


def test_a_collective_letter_is_for_who_works_in_all_its_villages(staff: Staff, signer: Signers) -> None:
    here, there = open_case(staff.fo), open_case(staff.fo, resident(staff.fo, "Baharuddin", FAR))
    secret = open_case(staff.fo, resident(staff.fo, "Rahasia", NEIGHBOUR), confidential=True)
    numbers = [casebook.look_at_case(case, by=staff.bo, at=AT).line.number for case in (there, secret)]
    answers = {"tujuan": "BPJS", "maksud": "diaktifkan", "daftar_kasus": "\n".join(numbers)}
    wanted = {"wording": "pengantar-kolektif", "purpose": "Usulan SIKS-NG"}
    with pytest.raises(InvalidInput) as refused:
        drafted(staff, signer, here, typed=answers, **wanted)
    assert numbers[1] in refused.value.problems["typed-daftar_kasus"]
    letter = issued(staff, signer, here, typed=answers | {"daftar_kasus": numbers[0]}, **wanted)
    assert (row(letter).frozen or {})["tables"]["daftar kasus"]["rows"][0][0] == "Baharuddin"
    assert row(letter).area_code == "73.03"
    with pytest.raises(NotFound):
        book.look_at_letter(letter, by=staff.facilitator, at=AT)


def secret(case: str, staff: Staff) -> None:
    move(case, staff.supervisor, "ubah_kerahasiaan", confidential="ya", note="Korban kekerasan")


def test_a_collective_letter_follows_each_case_that_it_names(staff: Staff, signer: Signers) -> None:
    here, named = open_case(staff.fo), open_case(staff.fo, resident(staff.fo, "Baharuddin"))
    number = casebook.look_at_case(named, by=staff.bo, at=AT).line.number
    wanted = {"wording": "pengantar-kolektif", "purpose": "Usulan SIKS-NG"}
    wanted["typed"] = {"tujuan": "BPJS", "maksud": "diaktifkan", "daftar_kasus": number}
    letter, ready = issued(staff, signer, here, **wanted), approved(staff, signer, here, again=True, **wanted)
    assert [line.id for line in book.letters_of_case(named, by=staff.bo, at=AT)] == [ready, letter]
    assert papers.print_letter(letter, by=staff.facilitator, at=AT).path.exists()
    secret(named, staff)
    for look in (book.look_at_letter, papers.print_letter):
        with pytest.raises(NotFound):
            look(letter, by=staff.facilitator, at=AT)
    assert book.list_letters(LetterFilter(), by=staff.facilitator, at=AT).letters == ()
    assert papers.print_letter(letter, by=staff.bo, at=AT).path.exists()
    with pytest.raises(Conflict, match="sekarang rahasia"):
        issue(ready, staff.bo)


def test_the_register_has_every_number_and_masks_what_is_not_the_readers(staff: Staff, signer: Signers) -> None:
    case = open_case(staff.fo)
    letter = issued(staff, signer, case)
    (seen,) = book.list_letters(LetterFilter(), by=staff.leader, at=AT).letters
    assert (seen.id, seen.person, seen.masked) == (letter, "Sitti Aminah", False)
    secret(case, staff)
    db.session.expire_all()
    (masked,) = book.list_letters(LetterFilter(), by=staff.leader, at=AT).letters
    assert (masked.number, masked.day, masked.state) == (seen.number, seen.day, seen.state)
    assert (masked.id, masked.person, masked.village, masked.purpose, masked.case_number) == ("", "Rahasia", "", "", "")
    assert [line.masked for line in book.register_part(LetterFilter(), by=staff.leader, at=AT).letters] == [True]
    assert book.list_letters(LetterFilter(case_id=case), by=staff.leader, at=AT).letters == (), "not that this case has one"
    assert book.list_letters(LetterFilter(), by=staff.facilitator, at=AT).letters == ()
    assert not book.list_letters(LetterFilter(), by=staff.bo, at=AT).letters[0].masked
    with pytest.raises(NotFound):
        book.look_at_letter(letter, by=staff.leader, at=AT)


def test_who_signs_sees_letters_of_confidential_cases_but_no_drafts(staff: Staff, signer: Signers) -> None:
    case = open_case(staff.fo, confidential=True)
    letter = drafted(staff, signer, case)
    with pytest.raises(NotFound):
        book.look_at_letter(letter, by=signer.agency, at=AT)
    letters.initial_letter(letter, row_version=version(letter), by=signer.head, at=AT)
    letters.approve_letter(letter, row_version=version(letter), by=signer.agency, at=AT)
    with pytest.raises(NotFound):
        book.look_at_letter(letter, by=staff.facilitator, at=AT)


@pytest.mark.parametrize(
    "look",
    [
        lambda letter, by: book.look_at_letter(letter, by=by, at=AT),
        lambda letter, by: papers.preview_letter(letter, by=by, at=AT),
        lambda letter, by: papers.open_scan(letter, by=by, at=AT),
    ],
)
def test_a_foreign_letter_does_not_exist(staff: Staff, signer: Signers, look: Callable[[str, Actor], object]) -> None:
    letter = drafted(staff, signer)
    for by in (staff.stranger, staff.neighbour, staff.admin):
        with pytest.raises(NotFound):
            look(letter, by)


def test_a_look_at_a_letter_or_its_draft_names_the_person_looked_at(staff: Staff, signer: Signers) -> None:
    letter = drafted(staff, signer)
    book.look_at_letter(letter, by=staff.fo, at=AT)
    book.look_at_draft(letter, by=staff.bo, at=AT)
    looks = sa.select(AuditEntry.detail).where(AuditEntry.action == "lihat", AuditEntry.subject == f"letter:{letter}")
    assert [json.loads(detail) for detail in db.session.scalars(looks)] == [{"warga": row(letter).person_id}] * 2


def test_who_only_watches_reads_the_register_but_no_letter(staff: Staff, signer: Signers) -> None:
    letter = issued(staff, signer)
    assert not book.look_at_letter(letter, by=staff.leader, at=AT).may_read
    with pytest.raises(NotAllowed, match="NIK"):
        papers.print_letter(letter, by=staff.leader, at=AT)


def test_the_signed_scan(staff: Staff, signer: Signers) -> None:
    letter = issued(staff, signer)

    def attach(content: bytes) -> None:
        letters.attach_scan(letter, content, outside_number="SRIKANDI/9", row_version=version(letter), by=staff.bo, at=AT)

    with pytest.raises(InvalidInput):
        attach(b"<script>alert(1)</script>")
    attach(b"%PDF-1.4 signed")
    opened = papers.open_scan(letter, by=staff.fo, at=AT)
    assert (opened.path.read_bytes(), opened.media) == (b"%PDF-1.4 signed", "application/pdf")
    assert book.look_at_letter(letter, by=staff.bo, at=AT).outside_number == "SRIKANDI/9"


def test_pages_of_the_register_lose_nobody(staff: Staff, signer: Signers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "PAGE_SIZE", 2)
    case = open_case(staff.fo)
    made = [drafted(staff, signer, case, again=True) for _ in range(5)]
    found, older = list[str](), ""
    for _ in range(3):
        page = book.list_letters(LetterFilter(view=book.ON_THE_WAY), by=staff.bo, at=AT, before=older)
        found += [line.id for line in page.letters]
        older = page.older
    assert (sorted(found), older) == (sorted(made), "")


def test_the_register_waits_for_each_role(staff: Staff, signer: Signers) -> None:
    letter = drafted(staff, signer)

    def waits(by: Actor) -> bool:
        return bool(book.list_letters(LetterFilter(view=book.MINE), by=by, at=AT).letters)

    assert (waits(signer.head), waits(signer.agency)) == (True, False)
    letters.initial_letter(letter, row_version=version(letter), by=signer.head, at=AT)
    assert (waits(signer.head), waits(signer.agency)) == (False, True)


def test_forms_about_a_case(staff: Staff) -> None:
    case = open_case(staff.fo, reporter_name="Hasan")
    assert papers.print_form(case, "formulir-keluhan", by=staff.fo, at=AT).startswith(b"%PDF-")
    with pytest.raises(NotFound):
        papers.print_form(case, "sktm", by=staff.fo, at=AT)
    with pytest.raises(NotAllowed):
        papers.print_form(case, "formulir-keluhan", by=staff.leader, at=AT)
    with pytest.raises(NotFound):
        papers.print_form(case, "formulir-keluhan", by=staff.neighbour, at=AT)
    assert audit.verify().ok


def test_without_pango_all_but_the_papers_works() -> None:
    """Where the system's library cannot be loaded: the pages start, and who wants a paper is told what is missing."""
    program = (
        "import cffi\n"
        "def missing(self, name, flags=0): raise OSError(f'cannot load library {name!r}')\n"
        "cffi.FFI.dlopen = missing\n"
        "import webui\n"
        "from appliance.letters.pdf import to_pdf\n"
        "from appliance.errors import TryLater\n"
        "try:\n    to_pdf('<p>x</p>')\n"
        "except TryLater as error:\n    print(error.message, error.hint)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "Pango" in said
    assert "apt install" in said
