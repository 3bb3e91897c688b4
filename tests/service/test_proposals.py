"""Proposals for the national list, from the village to the result: agreed in writing, checked by another, entered, answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor
from appliance.casework import casebook
from appliance.casework.office_calendar import NewHoliday, add_holiday
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.person import REASON_LENGTH
from appliance.models.profile import ListStatus
from appliance.models.programme import Participation
from appliance.models.proposal import Proposal, ProposalEvent
from appliance.models.proposal_words import ProposalState
from appliance.models.roles import Role
from appliance.proposals import bases, book, proposals, window_rules
from appliance.proposals.bases import Meeting, Said, Signed
from appliance.proposals.book import ProposalFilter
from appliance.proposals.proposals import Act, Wish
from appliance.proposals.windows import Rule
from appliance.registry import corrections, happenings, participation, people
from appliance.registry.participation import NewParticipation, record_participation
from appliance.registry.programme_seed import seed_programmes
from tests.support.aid import programme
from tests.support.desk import move, open_case, request, resident, verify
from tests.support.pictures import photo
from tests.support.proposals import (
    HELD,
    MEETING,
    REASON,
    agree,
    agreed_and_signed,
    entered,
    meeting,
    proposed,
    ready,
    seen,
    sign,
    step,
    version,
)
from tests.support.staff import AT, HOME, NEIGHBOUR, Staff, hire_one

NIK = "7303014101800001"
S = ProposalState


def state(proposal: str) -> ProposalState:
    db.session.rollback()
    return ProposalState(db.session.scalars(sa.select(Proposal.state).where(Proposal.id == proposal)).one())


def citizen(staff: Staff, name: str = "Sitti Aminah", **rest: Any) -> str:
    """Somebody with a NIK that agrees with her papers, on a card."""
    numbers = {"nik": NIK, "kk": "7303010101100001", "address": "Jl. Kartini 12", "rt": "1", "rw": "2"}
    return resident(staff.fo, name, **{**numbers, **rest})


def queue(by: Actor, at: datetime = AT) -> dict[str, int]:
    return {found.queue.key: found.count for found in book.count_queues(by=by, at=at)}


def test_from_the_village_to_the_national_list(app: Flask, staff: Staff) -> None:
    seed_programmes(at=AT)
    person = citizen(staff)
    proposal = proposed(staff.facilitator, person, family=True)
    assert state(proposal) is S.SUBMITTED
    basis = agreed_and_signed(staff, proposal)
    assert state(proposal) is S.SIGNED
    step(proposal, staff.bo, "periksa")
    step(proposal, staff.manager, "tetapkan", note="Setuju")
    step(proposal, staff.bo, "entri", entered_on="2026-11-20", outside_number="SIKS-77")
    step(proposal, staff.bo, "cek_lapangan", field_result="sesuai", field_on="2026-11-20", note="Pendamping PKH: sesuai")
    step(proposal, staff.bo, "diterima", result_on="2026-11-20", decile="2", list_period="2026-T4")
    found = seen(proposal, staff.bo)
    assert (found.line.state, found.outside_number, found.line.basis_number) == (S.ACCEPTED, "SIKS-77", number_of(basis, staff))
    assert [event.label for event in found.events] == [
        "Usulan ditulis", "Ajukan ke musyawarah atau SPTJM", "Masuk agenda", "Disepakati", "Berita acara atau SPTJM ditandatangani",
        "Sahkan hasil pemeriksaan", "Tetapkan siap entri", "Tandai sudah dientri", "Catat cek lapangan", "Catat diterima",
    ]  # fmt: skip
    row = db.session.scalars(sa.select(ListStatus)).one()
    family = people.look_at_person(person, by=staff.fo, at=AT).family_id
    assert (row.family_id, row.listed, row.decile, row.period, row.outside_id) == (family, "ya", 2, "2026-T4", "SIKS-77")
    journal = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject == f"proposal:{proposal}")).all()
    assert journal == ["usulan"] * 10


def number_of(basis: str, staff: Staff) -> str:
    return bases.basis_in_scope(basis, staff.bo).number


def test_what_is_not_signed_is_held_with_the_reason(app: Flask, staff: Staff) -> None:
    proposal = proposed(staff.facilitator, citizen(staff))
    basis = meeting(staff.facilitator, proposal)
    agree(basis, staff.facilitator, proposal)
    found = seen(proposal, staff.bo)
    assert "belum bertanda tangan" in found.line.held
    assert [label for label, _ in found.blocked] == ["Sahkan hasil pemeriksaan"]
    for by, action in ((staff.bo, "periksa"), (staff.manager, "tetapkan"), (staff.bo, "entri")):
        with pytest.raises((NotAllowed, Conflict)):
            step(proposal, by, action, entered_on="2026-11-20")
    assert (state(proposal), queue(staff.manager)["tanda-tangan"]) == (S.AGREED, 1)
    sign(basis, staff.facilitator)
    assert (state(proposal), seen(proposal, staff.bo).line.held) == (S.SIGNED, "")


def test_a_statement_of_the_village_head_is_the_other_way(app: Flask, staff: Staff) -> None:
    proposal = proposed(staff.facilitator, citizen(staff))
    basis = meeting(staff.facilitator, proposal, kind="sptjm")
    assert (state(proposal), "SPTJM" in seen(proposal, staff.bo).line.held) == (S.AGREED, True)
    with pytest.raises(InvalidInput):
        agree(basis, staff.facilitator, proposal)
    sign(basis, staff.facilitator)
    assert state(proposal) is S.SIGNED


def test_a_paper_is_not_signed_before_it_is_whole(app: Flask, staff: Staff) -> None:
    proposal, by = proposed(staff.facilitator, citizen(staff)), staff.facilitator
    basis = bases.begin_basis(HOME, "musyawarah", Meeting(HELD), request_id=request(), by=by, at=AT)
    with pytest.raises(InvalidInput) as nothing:
        sign(basis, by, signed_on=date(2026, 11, 11))
    assert set(nothing.value.problems) == {"signed_on", "leader", "attendance", "chosen"}
    bases.put_on_agenda(basis, [proposal], row_version=version(basis, by), by=by, at=AT)
    bases.change_basis(basis, MEETING, row_version=version(basis, by), by=by, at=AT)
    with pytest.raises(InvalidInput, match="Isian") as undecided:
        sign(basis, by)
    assert "1 usulan belum ada keputusannya" in undecided.value.problems["chosen"]
    agree(basis, by, proposal)
    with pytest.raises(InvalidInput) as later:
        sign(basis, by, signed_on=date(2026, 11, 21))
    assert set(later.value.problems) == {"signed_on"}
    with pytest.raises(InvalidInput) as wrong:
        sign(basis, by, scan=b"kosong")
    assert set(wrong.value.problems) == {"file"}
    assert state(proposal) is S.AGREED


def test_what_a_meeting_says_of_each(app: Flask, staff: Staff) -> None:
    yes, no, later = (proposed(staff.facilitator, resident(staff.fo, name)) for name in ("Aminah", "Baso", "Hasnah"))
    by = staff.facilitator
    basis = meeting(by, yes, no, later)
    said = {yes: Said("setuju"), no: Said("tolak"), later: Said("tunda", "Datanya belum lengkap")}
    with pytest.raises(InvalidInput) as unreasoned:
        bases.decide_proposals(basis, said, row_version=version(basis, by), by=by, at=AT)
    assert set(unreasoned.value.problems) == {no}
    assert [state(one) for one in (yes, no, later)] == [S.DISCUSSED] * 3
    said[no] = Said("tolak", "Sudah mampu")
    bases.decide_proposals(basis, said, row_version=version(basis, by), by=by, at=AT)
    assert [state(one) for one in (yes, no, later)] == [S.AGREED, S.NOT_AGREED, S.SUBMITTED]
    assert (seen(no, by).line.decision_reason, seen(later, by).basis_id) == ("Sudah mampu", "")
    # before the signature it may be corrected, after it not
    bases.decide_proposals(basis, {no: Said("setuju")}, row_version=version(basis, by), by=by, at=AT)
    assert state(no) is S.AGREED
    sign(basis, by)
    for change in (
        lambda: bases.decide_proposals(basis, {no: Said("tolak", "Mampu")}, row_version=version(basis, by), by=by, at=AT),
        lambda: bases.take_off_agenda(basis, no, row_version=version(basis, by), by=by, at=AT),
        lambda: bases.change_basis(basis, MEETING, row_version=version(basis, by), by=by, at=AT),
        lambda: bases.cancel_basis(basis, "Keliru semua", row_version=version(basis, by), by=by, at=AT),
        lambda: bases.put_on_agenda(basis, [later], row_version=version(basis, by), by=by, at=AT),
    ):
        with pytest.raises(Conflict):
            change()
    assert [state(one) for one in (yes, no, later)] == [S.SIGNED, S.SIGNED, S.SUBMITTED]


def test_a_meeting_that_is_called_off_lets_go_of_its_proposals(app: Flask, staff: Staff) -> None:
    one, other = (proposed(staff.facilitator, resident(staff.fo, name)) for name in ("Aminah", "Baso"))
    basis = meeting(staff.facilitator, one, other)
    agree(basis, staff.facilitator, one)
    bases.take_off_agenda(basis, other, row_version=version(basis, staff.facilitator), by=staff.facilitator, at=AT)
    assert state(other) is S.SUBMITTED
    with pytest.raises(InvalidInput):
        bases.cancel_basis(basis, "", row_version=version(basis, staff.facilitator), by=staff.facilitator, at=AT)
    bases.cancel_basis(basis, "Hujan deras", row_version=version(basis, staff.facilitator), by=staff.facilitator, at=AT)
    assert (state(one), seen(one, staff.bo).basis_id) == (S.SUBMITTED, "")
    with pytest.raises(Conflict):
        sign(basis, staff.facilitator)


def test_a_wrong_scan_is_replaced_and_nothing_happens_twice(app: Flask, staff: Staff) -> None:
    proposal = proposed(staff.facilitator, citizen(staff))
    basis = agreed_and_signed(staff, proposal)
    first = bases.open_scan(basis, by=staff.bo, at=AT).path
    sign(basis, staff.bo, scan=photo("navy"))
    assert bases.open_scan(basis, by=staff.bo, at=AT).path != first
    events = sa.select(sa.func.count()).select_from(ProposalEvent).where(ProposalEvent.action == "ditandatangani")
    assert db.session.scalar(events) == 1


def test_four_eyes(app: Flask, staff: Staff) -> None:
    """Who wrote does not check, and who checked or wrote does not release."""
    both = hire_one("bo.manajer", Role.BO, ("73.03",))
    both = replace(both, roles=frozenset({Role.BO, Role.MANAJER}), grants=())
    written = proposed(staff.bo, citizen(staff))
    agreed_and_signed(staff, written)
    with pytest.raises(NotAllowed, match="bukan penulisnya"):
        step(written, staff.bo, "periksa")
    step(written, both, "periksa")
    with pytest.raises(NotAllowed, match="bukan yang memeriksa"):
        step(written, both, "tetapkan")
    step(written, staff.manager, "tetapkan")
    assert state(written) is S.READY
    # a second writer is one, too
    returned = proposed(staff.facilitator, resident(staff.fo, "Baso"), submit=False)
    wish = Wish("perbaikan", "Namanya keliru di daftar.", family=False)
    proposals.change_proposal(returned, wish, row_version=seen(returned, staff.bo).line.row_version, by=staff.bo, at=AT)
    assert sorted(db.session.get_one(Proposal, returned).writers) == sorted({staff.facilitator.account_id, staff.bo.account_id})


def test_doubts_are_seen_before_a_yes_and_forbid_nothing(app: Flask, staff: Staff) -> None:
    person = citizen(staff, nik="7303014201800001")  # born on the 2nd, by her papers on the 1st
    proposal = proposed(staff.facilitator, person)
    agreed_and_signed(staff, proposal)
    cautions = seen(proposal, staff.bo).cautions
    assert len(cautions) == 1
    with pytest.raises(InvalidInput) as unseen:
        step(proposal, staff.bo, "periksa")
    assert set(unseen.value.problems) == {"seen"}
    step(proposal, staff.bo, "periksa", seen="ya")
    assert seen(proposal, staff.bo).events[-1].details["Peringatan yang dilihat"] == cautions[0]


def test_without_a_number_nobody_is_entered(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    proposal = proposed(staff.facilitator, person)
    agreed_and_signed(staff, proposal)
    with pytest.raises(NotAllowed, match="NIK"):
        step(proposal, staff.bo, "periksa", seen="ya")
    step(proposal, staff.bo, "kembalikan", note="NIK belum ada")
    assert state(proposal) is S.NEEDS_REPAIR
    give_number(person, staff)
    step(proposal, staff.facilitator, "kirim_ulang", note="NIK sudah direkam")
    step(proposal, staff.bo, "periksa", seen="ya")
    assert state(proposal) is S.CHECKED


def give_number(person: str, staff: Staff, number: str = NIK) -> None:
    known = people.look_at_person(person, by=staff.fo, at=AT)
    fields = replace(known.fields, nik=number)
    corrections.correct_person(
        person, fields, reason="KTP sudah direkam", row_version=known.row_version, by=staff.fo, at=AT
    )  # fmt: skip


def test_who_died_meanwhile_is_held_and_proposed_to_leave(app: Flask, staff: Staff) -> None:
    person = citizen(staff)
    proposal = proposed(staff.facilitator, person)
    with pytest.raises(InvalidInput) as alive:
        proposed(staff.facilitator, person, kind="hapus_meninggal")
    assert "belum tercatat meninggal" in alive.value.problems["kind"]
    agreed_and_signed(staff, proposal)
    known = people.look_at_person(person, by=staff.fo, at=AT)
    happenings.record_death(
        person, on=date(2026, 11, 1), evidence="Surat desa", row_version=known.row_version, by=staff.fo, at=AT
    )  # fmt: skip
    assert "meninggal" in seen(proposal, staff.bo).line.held
    with pytest.raises(NotAllowed, match="meninggal"):
        step(proposal, staff.bo, "periksa", seen="ya")
    step(proposal, staff.bo, "tarik", note="Meninggal sebelum dientri")
    leaving = proposed(staff.facilitator, person, kind="hapus_meninggal")
    assert state(leaving) is S.SUBMITTED


def test_a_changed_kind_must_be_agreed_upon_anew(app: Flask, staff: Staff) -> None:
    proposal = proposed(staff.facilitator, citizen(staff))
    agreed_and_signed(staff, proposal)
    step(proposal, staff.bo, "kembalikan", note="Ini perbaikan, bukan usul baru")

    def change(kind: str, reason: str = REASON) -> None:
        by = staff.facilitator
        row_version = seen(proposal, by).line.row_version
        proposals.change_proposal(proposal, Wish(kind, reason, family=False), row_version=row_version, by=by, at=AT)

    change("usul_baru", "Alasannya ditulis lebih jelas.")
    assert "kirim_ulang" in [line.step for line in seen(proposal, staff.facilitator).steps]
    change("perbaikan")
    assert [line.step.value for line in seen(proposal, staff.facilitator).steps][:2] == ["ubah", "ajukan"]
    with pytest.raises(NotAllowed, match="belum bertanda tangan"):
        step(proposal, staff.facilitator, "kirim_ulang", note="Sudah")
    step(proposal, staff.facilitator, "ajukan")
    assert (state(proposal), seen(proposal, staff.bo).basis_id) == (S.SUBMITTED, "")


def test_everything_wrong_is_told_at_once_and_nothing_is_stored(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    wrong = Wish("apa", "pendek", "x" * 301, family=True)
    with pytest.raises(InvalidInput) as told:
        proposals.propose(person, wrong, case_number="SLRT-1", request_id="r", by=staff.facilitator, at=AT)
    assert set(told.value.problems) == {"kind", "reason", "evidence", "family", "case_number"}
    with pytest.raises(InvalidInput) as aid:
        proposed(staff.facilitator, person, kind="usul_bansos")
    assert set(aid.value.problems) == {"programme_id"}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Proposal)) == 0


def test_the_same_form_twice_and_the_same_wish_twice(app: Flask, staff: Staff) -> None:
    person, wish = citizen(staff), Wish("usul_baru", REASON)
    made = [proposals.propose(person, wish, request_id="twice", by=staff.facilitator, at=AT) for _ in range(2)]
    assert made[0] == made[1]
    with pytest.raises(InvalidInput) as same:
        proposals.propose(person, wish, request_id="another", by=staff.bo, at=AT)
    assert "belum selesai" in same.value.problems["kind"]
    step(made[0], staff.facilitator, "tarik", note="Keliru orang")
    assert proposals.propose(person, wish, request_id="again", by=staff.bo, at=AT) != made[0]


def test_aid_is_proposed_for_a_programme(app: Flask, staff: Staff) -> None:
    seed_programmes(at=AT)
    proposal = proposed(staff.facilitator, citizen(staff), kind="usul_bansos", programme_id=programme("pkh"))
    assert "PKH" in seen(proposal, staff.bo).programme or "Keluarga Harapan" in seen(proposal, staff.bo).programme


def test_aid_that_was_accepted_is_taken_part_in(app: Flask, staff: Staff) -> None:
    seed_programmes(at=AT)
    first, second = citizen(staff), citizen(staff, "Baharuddin", nik="7303014101800002", kk="7303010101100002")
    pkh = programme("pkh")
    asked = NewParticipation(
        pkh, "diusulkan", "desa", AT.date(), family=True, card_number="PKH-7", note="Menunggu. " + "lama " * 57
    )
    before = record_participation(second, asked, request_id=request(), by=staff.bo, at=AT)
    made = entered(staff, first, second, kind="usul_bansos", programme_id=pkh, family=True)
    for proposal in made:
        step(proposal, staff.bo, "diterima", result_on="2026-11-20")
    taken = {row.id: row for row in db.session.scalars(sa.select(Participation))}
    assert len(taken) == 2, "what was proposed already is now active, and no second one"
    assert {(row.status, row.source, row.known_on) for row in taken.values()} == {("aktif", "siks_ng", AT.date())}
    assert taken[before].card_number == "PKH-7"
    assert taken[before].note.startswith("Menunggu. lama ")
    assert "Hasil usulan " in taken[before].note, "the old note makes room for what this step says"
    assert len(taken[before].note) <= REASON_LENGTH
    assert all(row.family_id and not row.person_id for row in taken.values())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ListStatus)) == 0
    told = seen(made[0], staff.bo).events[-1].details
    assert "aktif" in told["Kepesertaan"]


@pytest.mark.parametrize(
    ("code", "ticked", "held_by_family"), [("pbi-jk", True, False), ("pkh", False, True), ("pkh", True, True)]
)
def test_aid_goes_to_whom_its_programme_is_meant_for(
    app: Flask, staff: Staff, code: str, ticked: bool, held_by_family: bool
) -> None:
    seed_programmes(at=AT)
    person = citizen(staff)
    (proposal,) = entered(staff, person, kind="usul_bansos", programme_id=programme(code), family=ticked)
    step(proposal, staff.bo, "diterima", result_on="2026-11-20")
    (row,) = db.session.scalars(sa.select(Participation))
    assert (row.family_id is not None, row.person_id is not None) == (held_by_family, not held_by_family)


def test_a_result_that_cannot_be_written_is_no_result(app: Flask, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    seed_programmes(at=AT)
    (proposal,) = entered(staff, citizen(staff), kind="usul_bansos", programme_id=programme("pkh"))
    monkeypatch.setattr(participation, "EARLIEST", date(2026, 11, 21))
    with pytest.raises(InvalidInput) as refused:
        step(proposal, staff.bo, "diterima", result_on="2026-11-20")
    assert set(refused.value.problems) == {"result_on"}
    assert state(proposal) == S.ENTERED


def test_after_a_refusal_a_case_leads_to_a_proposal(app: Flask, staff: Staff) -> None:
    person = citizen(staff)
    case = open_case(staff.fo, person)
    number = casebook.look_at_case(case, by=staff.fo, at=AT).line.number
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Tolak, desil 6")
    move(case, staff.manager, "tolak", note="Desil di atas batas", citizen_note="Usulkan pembaruan desil di desa")
    proposal = proposed(staff.facilitator, person, kind="pembaruan_desil", case_number=number)
    assert seen(proposal, staff.bo).case_number == number
    assert [line.id for line in book.proposals_of_case(case, by=staff.bo, at=AT)] == [proposal]
    stranger = citizen(staff, "Baso Amir", nik="7303010101700002", kk="7303010101100009", sex="L", birth_date=date(1970, 1, 1))
    with pytest.raises(InvalidInput) as foreign:
        proposed(staff.facilitator, stranger, case_number=number)
    assert set(foreign.value.problems) == {"case_number"}


def test_a_confidential_case_is_not_named_to_who_may_not_see_it(app: Flask, staff: Staff) -> None:
    person = citizen(staff)
    case = open_case(staff.fo, person, confidential=True)
    number = casebook.look_at_case(case, by=staff.bo, at=AT).line.number
    proposal = proposed(staff.bo, person, case_number=number)
    assert (seen(proposal, staff.bo).case_number, seen(proposal, staff.facilitator).case_number) == (number, "")


@pytest.mark.parametrize("day", [17, 18])
def test_an_entry_counts_for_the_month_of_its_day(app: Flask, staff: Staff, day: int) -> None:
    begun = datetime(2026, 11, 10, 2, tzinfo=UTC)
    proposal = proposed(staff.facilitator, citizen(staff), at=begun)
    basis = meeting(staff.facilitator, proposal)
    agree(basis, staff.facilitator, proposal)
    sign(basis, staff.facilitator)
    step(proposal, staff.bo, "periksa")
    step(proposal, staff.manager, "tetapkan")
    assert seen(proposal, staff.bo, begun).line.period == "2026-11"
    step(proposal, staff.bo, "entri", entered_on=f"2026-11-{day}")
    assert seen(proposal, staff.bo).line.period == ("2026-11" if day == 17 else "2026-12")


def test_a_month_that_is_over_is_told_and_carried_over(app: Flask, staff: Staff) -> None:
    begun = datetime(2026, 11, 17, 2, tzinfo=UTC)
    proposal = proposed(staff.facilitator, citizen(staff), at=begun)
    assert (queue(staff.bo, begun).get("lewat-jendela"), seen(proposal, staff.bo, begun).line.late) == (None, False)
    with pytest.raises(NotAllowed, match="masih di dalam"):
        step(proposal, staff.bo, "alihkan_periode", begun)
    later = begun + timedelta(days=1)
    assert (queue(staff.bo, later)["lewat-jendela"], seen(proposal, staff.bo, later).line.late) == (1, True)
    step(proposal, staff.bo, "alihkan_periode", later)
    found = seen(proposal, staff.bo, later)
    assert (found.line.period, found.line.late, found.events[-1].details) == ("2026-12", False, {"Periode": "2026-11 → 2026-12"})


def test_the_window_is_the_managers(app: Flask, staff: Staff) -> None:
    last = datetime(2026, 11, 17, 8, tzinfo=UTC)
    now = window_rules.window_now(last)
    assert (now.window.period, now.window.closes, now.days_left, now.last_day) == ("2026-11", date(2026, 11, 17), 0, True)
    # a free day moves the cut-off before it
    add_holiday(NewHoliday(date(2026, 11, 17), "Hari jadi", "libur_daerah"), by=staff.manager, at=AT)
    assert window_rules.window_now(last).window.period == "2026-12"
    assert window_rules.window_now(last - timedelta(days=1)).last_day
    window_rules.save_rule("2026-11", Rule(1, 20, 10), row_version=0, by=staff.manager, at=AT)
    assert window_rules.window_now(last).window.closes == date(2026, 11, 20)
    window_rules.remove_rule("2026-11", by=staff.manager, at=AT)
    window_rules.save_rule("", Rule(5, 25, 10), row_version=0, by=staff.manager, at=AT)
    assert window_rules.window_now(last).window.closes == date(2026, 11, 25)
    for by in (staff.bo, staff.facilitator, staff.admin):
        with pytest.raises(NotAllowed):
            window_rules.save_rule("", Rule(), row_version=1, by=by, at=AT)
    with pytest.raises(Conflict):
        window_rules.save_rule("", Rule(), row_version=0, by=staff.manager, at=AT)
    with pytest.raises(InvalidInput) as wrong:
        window_rules.save_rule("2026-99", Rule(20, 10, 0), row_version=0, by=staff.manager, at=AT)
    assert set(wrong.value.problems) == {"period", "result_days"}
    with pytest.raises(InvalidInput) as turned:
        window_rules.save_rule("", Rule(20, 10), row_version=1, by=staff.manager, at=AT)
    assert set(turned.value.problems) == {"closes_day"}


def test_several_at_once_all_or_none(app: Flask, staff: Staff) -> None:
    people_ = [citizen(staff), citizen(staff, "Baso", nik="7303010101700002", sex="L", birth_date=date(1970, 1, 1))]
    made = ready(staff, *people_)
    versions = {one: seen(one, staff.bo).line.row_version for one in made}

    def enter(first: str, second: str) -> int:
        acts = {one: Act("entri", {"entered_on": on}, versions[one]) for one, on in zip(made, (first, second), strict=True)}
        return proposals.take_steps(acts, by=staff.bo, at=AT)

    with pytest.raises(InvalidInput) as tomorrow:
        enter("2026-11-20", "2026-11-21")
    assert set(tomorrow.value.problems) == {made[1]}
    assert [state(one) for one in made] == [S.READY, S.READY]
    assert enter("2026-11-20", "2026-11-19") == 2
    with pytest.raises(InvalidInput) as stale:
        enter("2026-11-20", "2026-11-19")
    assert set(stale.value.problems) == set(made)
    assert [state(one) for one in made] == [S.ENTERED, S.ENTERED]


def test_results(app: Flask, staff: Staff) -> None:
    seed_programmes(at=AT)
    person = citizen(staff)
    (proposal,) = entered(staff, person)
    for wrong in ({"result_on": "2026-11-21"}, {"result_on": "2026-11-19"}, {"result_on": "2026-11-20", "decile": "11"}, {}):
        with pytest.raises(InvalidInput):
            step(proposal, staff.bo, "diterima", **wrong)
    with pytest.raises(InvalidInput):
        step(proposal, staff.bo, "ditolak", result_on="2026-11-20")
    step(proposal, staff.bo, "ditahan", result_on="2026-11-20", note="Menunggu padan NIK")
    assert queue(staff.bo)["hasil"] == 1
    step(proposal, staff.bo, "ditolak", result_on="2026-11-20", note="NIK tidak padan")
    assert (state(proposal), seen(proposal, staff.bo).result_note) == (S.REJECTED, "NIK tidak padan")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ListStatus)) == 0
    assert "hasil" not in queue(staff.bo)


def test_a_result_that_does_not_come_is_late(app: Flask, staff: Staff) -> None:
    window_rules.save_rule("", Rule(1, 17, 2), row_version=0, by=staff.manager, at=AT)
    (proposal,) = entered(staff, citizen(staff))
    # Friday; two working days later the office closes on Tuesday at 16.00
    due = datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert "hasil-terlambat" not in queue(staff.bo, due)
    assert queue(staff.bo, due + timedelta(minutes=1))["hasil-terlambat"] == 1
    assert seen(proposal, staff.bo, due + timedelta(minutes=1)).line.result_late


def test_an_entry_that_was_a_mistake_is_taken_back(app: Flask, staff: Staff) -> None:
    (proposal,) = entered(staff, citizen(staff))
    step(proposal, staff.bo, "batalkan_entri", note="Salah centang")
    found = seen(proposal, staff.bo)
    assert (found.line.state, found.entered_on, found.result_due) == (S.READY, None, None)


def test_two_at_the_same_proposal(app: Flask, staff: Staff) -> None:
    proposal = proposed(staff.facilitator, citizen(staff), submit=False)
    old, wish = seen(proposal, staff.bo).line.row_version, Wish("usul_baru", "Alasan yang lebih jelas.", family=False)
    proposals.change_proposal(proposal, wish, row_version=old, by=staff.bo, at=AT)
    with pytest.raises(Conflict, match="petugas lain"):
        proposals.take_step(proposal, "ajukan", {}, row_version=old, by=staff.facilitator, at=AT)
    with pytest.raises(Conflict, match="petugas lain"):
        proposals.change_proposal(proposal, wish, row_version=old, by=staff.facilitator, at=AT)
    assert state(proposal) is S.DRAFT
    step(proposal, staff.facilitator, "tarik", note="Keliru orang")
    with pytest.raises(Conflict, match="tidak dapat dilakukan"):
        step(proposal, staff.bo, "kembalikan", note="Kurang")


def test_nobody_sees_or_touches_another_village(app: Flask, staff: Staff) -> None:
    proposal = proposed(staff.facilitator, citizen(staff))
    basis = meeting(staff.facilitator, proposal)
    for by in (staff.neighbour, staff.stranger, staff.admin, staff.dinkes):
        with pytest.raises(NotFound):
            seen(proposal, by)
        with pytest.raises(NotFound):
            bases.basis_in_scope(basis, by)
        with pytest.raises(NotFound):
            bases.put_on_agenda(basis, [proposal], row_version=1, by=by, at=AT)
        assert book.list_proposals(ProposalFilter(), by=by, at=AT).proposals == ()
        assert (book.list_bases(by=by)[0], queue(by)) == ((), {})
    with pytest.raises(NotAllowed):
        bases.begin_basis(HOME, "musyawarah", MEETING, request_id=request(), by=staff.neighbour, at=AT)
    with pytest.raises(NotAllowed):
        proposed(staff.leader, citizen(staff, nik="7303014101800002"))
    other = proposed(staff.neighbour, resident(staff.fo, "Tetangga", NEIGHBOUR))
    with pytest.raises(NotFound):
        bases.put_on_agenda(basis, [other], row_version=version(basis, staff.facilitator), by=staff.facilitator, at=AT)
    with pytest.raises(Conflict, match="desa/kelurahan lain"):
        bases.put_on_agenda(basis, [other], row_version=version(basis, staff.bo), by=staff.bo, at=AT)


def test_the_list_goes_on_where_it_ended(app: Flask, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "PAGE_SIZE", 2)
    made = [proposed(staff.facilitator, resident(staff.fo, name)) for name in ("Aminah", "Baso", "Hasnah")]
    first = book.list_proposals(ProposalFilter(queue="musyawarah"), by=staff.bo, at=AT)
    second = book.list_proposals(ProposalFilter(queue="musyawarah"), by=staff.bo, at=AT, after=first.following)
    assert [line.id for line in (*first.proposals, *second.proposals)] == made[::-1]
    assert second.following == ""
    assert book.list_proposals(ProposalFilter(kind="perbaikan"), by=staff.bo, at=AT).proposals == ()


def test_a_look_is_recorded_and_history_is_never_changed(app: Flask, staff: Staff) -> None:
    person = citizen(staff)
    proposal = proposed(staff.facilitator, person)
    before = db.session.scalar(sa.select(sa.func.max(AuditEntry.position)))
    assert seen(proposal, staff.bo).line.nik_masked == "730301••••••••••"
    look = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.position > before)).one()
    assert (look.action, look.subject, look.account_id) == ("lihat", f"person:{person}", staff.bo.account_id)
    for statement in (
        sa.update(ProposalEvent).values(note="lain"),
        sa.delete(ProposalEvent),
        sa.delete(Proposal),
    ):
        with pytest.raises(sa.exc.DBAPIError):
            db.session.execute(statement)
        db.session.rollback()


def test_the_scan_is_for_who_handles_it(app: Flask, staff: Staff) -> None:
    basis = agreed_and_signed(staff, proposed(staff.facilitator, citizen(staff)))
    with pytest.raises(NotAllowed):
        bases.open_scan(basis, by=staff.leader, at=AT)
    with pytest.raises(NotFound):
        bases.open_scan(meeting(staff.facilitator), by=staff.bo, at=AT)
    with pytest.raises(NotAllowed):
        bases.sign_basis(basis, Signed(photo(), HELD), row_version=version(basis, staff.bo), by=staff.leader, at=AT)
