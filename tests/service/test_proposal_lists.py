"""Proposals on their way into SIKS-NG and back: the list, the rows to copy, the results in a sheet, and the papers they rest on."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.exchange import export_layouts, proposal_entry
from appliance.exchange.export_filter import ListFilter
from appliance.exchange.export_layouts import Subject
from appliance.exchange.export_rows import Rows
from appliance.exchange.exports import NewExport, problems_of
from appliance.exchange.proposal_results import store_results
from appliance.exchange.sheets import Unreadable
from appliance.letters import basis_papers
from appliance.letters.papers import forms, print_form
from appliance.letters.sheet import Sheet, to_page
from appliance.models.audit import AuditEntry
from appliance.models.profile import ListStatus
from appliance.models.proposal import Proposal
from appliance.models.proposal_words import ProposalState
from appliance.registry.programme_seed import seed_programmes
from tests.support.desk import open_case, resident
from tests.support.proposals import agree, entered, meeting, proposed, ready, seen
from tests.support.staff import AT, HOME, NEIGHBOUR, Staff

TODAY = date(2026, 11, 20)
NUMBERS = ("7303014101800001", "7303014101800002", "7303014101800003")


def citizens(staff: Staff, count: int) -> list[str]:
    """Residents of HOME with numbers that agree with their papers, by address."""
    return [
        resident(
            staff.fo, f"Warga {at}", nik=NUMBERS[at], kk=f"730301010110000{at}", address=f"Jl. Kartini {at}", hamlet=f"Dusun {at}",
            mother_name="Hasnah",
        )
        for at in range(count)
    ]  # fmt: skip


def listed(by: Actor, **wanted: Any) -> list[str]:
    """The numbers of the proposals that a list holds."""
    rows = Rows(Subject.PROPOSALS, ListFilter(**wanted), ("73.03",), by, TODAY)
    found = [row.number for village in rows.villages() for page in rows.pages(village.code) for row in page]
    assert rows.count() == len(found)
    return found


def number_of(proposal: str, by: Actor) -> str:
    return seen(proposal, by).line.number


def test_the_list_holds_what_is_ready(app: Flask, staff: Staff) -> None:
    one, other, third = citizens(staff, 3)
    waiting = ready(staff, one, other)
    held = proposed(staff.facilitator, third)
    names = [number_of(proposal, staff.bo) for proposal in waiting]
    assert listed(staff.bo) == names
    assert listed(staff.bo, period="2026-12") == names
    assert listed(staff.bo, period="2026-11") == []
    assert listed(staff.bo, proposals="") == [*names, number_of(held, staff.bo)]
    assert listed(staff.bo, proposals="DIAJUKAN") == [number_of(held, staff.bo)]
    assert (listed(staff.neighbour, proposals=""), listed(staff.stranger, proposals="")) == ([], [])


def test_what_may_be_asked_of_the_list(app: Flask, staff: Staff) -> None:
    known = {"reason": "siksng", "reason_note": "Entri bulan ini", "recipient": "Operator", "format": "xlsx", "masked": False}
    wish = NewExport(layout="usulan-siksng", **known)
    assert problems_of(wish, staff.bo) == {}
    wrong = replace(wish, masked=True, wanted=ListFilter(proposals="APA", period="11-2026"))
    assert set(problems_of(wrong, staff.bo)) == {"masked", "proposals", "period"}
    assert "masked" in problems_of(wish, staff.leader)


def test_rows_to_copy_are_in_the_offices_order_and_recorded(app: Flask, staff: Staff) -> None:
    people = citizens(staff, 2)
    made = ready(staff, *people)
    columns = [
        ("nama", "Nama Lengkap"),
        ("nik", "NIK"),
        ("nomor_usulan", "Usulan"),
        ("dasar", "Dasar"),
        ("tanggal_dasar", "Tanggal"),
    ]
    export_layouts.save_layout("usulan-siksng", columns, row_version=0, by=staff.manager, at=AT)
    before = db.session.scalar(sa.select(sa.func.max(AuditEntry.position)))
    first, second = proposal_entry.rows_to_key_in(HOME, by=staff.bo, at=AT)
    assert first.fields == (
        ("Nama Lengkap", "Warga 0"), ("NIK", NUMBERS[0]), ("Usulan", number_of(made[0], staff.bo)), ("Dasar", "Musyawarah"),
        ("Tanggal", "12-11-2026"),
    )  # fmt: skip
    assert first.line == f"Warga 0\t{NUMBERS[0]}\t{first.number}\tMusyawarah\t12-11-2026"
    looks = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.position > before, AuditEntry.action == "ungkap")).all()
    assert {look.subject for look in looks} == {f"person:{person}" for person in people}
    assert [row.id for row in proposal_entry.rows_to_key_in(HOME, chosen=[second.id], by=staff.bo, at=AT)] == [second.id]
    for by in (staff.facilitator, staff.manager, staff.leader):
        with pytest.raises(NotAllowed):
            proposal_entry.rows_to_key_in(HOME, by=by, at=AT)
    with pytest.raises(InvalidInput):
        proposal_entry.rows_to_key_in(NEIGHBOUR, by=staff.bo, at=AT)


def test_a_few_rows_at_a_time(app: Flask, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(staff, *citizens(staff, 3))
    monkeypatch.setattr(proposal_entry, "AT_ONCE", 2)
    assert [row.name for row in proposal_entry.rows_to_key_in(HOME, by=staff.bo, at=AT)] == ["Warga 0", "Warga 1"]


def sheet(*rows: tuple[str, ...]) -> bytes:
    written = io.StringIO()
    csv.writer(written, delimiter=";").writerows(rows)
    return written.getvalue().encode()


def states(*proposals: str) -> list[str]:
    db.session.rollback()
    found = dict(db.session.execute(sa.select(Proposal.id, Proposal.state).where(Proposal.id.in_(proposals))).all())
    return [found[one] for one in proposals]


def test_results_of_a_sheet_are_stored_together(app: Flask, staff: Staff) -> None:
    seed_programmes(at=AT)
    yes, no, held = entered(staff, *citizens(staff, 3))
    content = sheet(
        ("No.", "N I K", "Status", "Desil", "Keterangan", "Periode"),
        ("1", NUMBERS[0], "Diterima", "2", "", "2026-T4"),
        ("2", f"'{NUMBERS[1]}", "DITOLAK", "", "Sudah terdaftar di daerah lain", ""),
        ("3", NUMBERS[2], "ditahan", "", "NIK belum padan", ""),
        ("4", "7303019999999999", "Diterima", "1", "", ""),
    )
    assert store_results(content, TODAY, by=staff.bo, at=AT) == (3, 1)
    assert states(yes, no, held) == [ProposalState.ACCEPTED, ProposalState.REJECTED, ProposalState.ON_HOLD]
    assert seen(no, staff.bo).result_note == "Sudah terdaftar di daerah lain"
    row = db.session.scalars(sa.select(ListStatus)).one()
    assert (row.listed, row.decile, row.period, row.checked_on) == ("ya", 2, "2026-T4", TODAY)
    # once more, only what still waits is ours; a result that is there is not written over
    assert store_results(
        sheet(("NIK", "Hasil"), (NUMBERS[0], "ditolak"), (NUMBERS[2], "diterima")), TODAY, by=staff.bo, at=AT
    ) == (1, 1)
    assert states(yes, held) == [ProposalState.ACCEPTED, ProposalState.ACCEPTED]


def test_one_wrong_row_stores_nothing(app: Flask, staff: Staff) -> None:
    made = entered(staff, *citizens(staff, 3))
    wrong = sheet(
        ("NIK", "Hasil", "Desil"), (NUMBERS[0], "diterima", "2"), (NUMBERS[1], "mungkin", ""), (NUMBERS[0], "ditolak", "")
    )
    with pytest.raises(InvalidInput) as told:
        store_results(wrong, TODAY, by=staff.bo, at=AT)
    assert set(told.value.problems) == {"row-3", "row-4"}
    for content, day in (
        (sheet(("NIK", "Hasil"), (NUMBERS[0], "ditolak")), TODAY),
        (sheet(("A", "B"), ("1", "2")), TODAY),
        (b"x", None),
    ):
        with pytest.raises(InvalidInput):
            store_results(content, day, by=staff.bo, at=AT)
    with pytest.raises(Unreadable):
        store_results(b"  ", TODAY, by=staff.bo, at=AT)
    with pytest.raises(NotAllowed):
        store_results(sheet(("NIK", "Hasil"), (NUMBERS[0], "diterima")), TODAY, by=staff.facilitator, at=AT)
    assert states(*made) == [ProposalState.ENTERED] * 3


def test_two_proposals_of_one_person_need_their_numbers(app: Flask, staff: Staff) -> None:
    (person,) = citizens(staff, 1)
    (first,) = entered(staff, person)
    (second,) = entered(staff, person, kind="perbaikan")
    with pytest.raises(InvalidInput) as both:
        store_results(sheet(("NIK", "Hasil"), (NUMBERS[0], "diterima")), TODAY, by=staff.bo, at=AT)
    assert "Nomor Usulan" in both.value.problems["row-2"]
    named = sheet(("Nomor Usulan", "NIK", "Hasil"), (number_of(second, staff.bo), NUMBERS[0], "diterima"))
    assert store_results(named, TODAY, by=staff.bo, at=AT) == (1, 0)
    assert states(first, second) == [ProposalState.ENTERED, ProposalState.ACCEPTED]


def test_the_paper_names_everybody_and_is_for_who_handles_papers(
    app: Flask, staff: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (proposed(staff.facilitator, person) for person in citizens(staff, 2))
    basis = meeting(staff.facilitator, one, other)
    agree(basis, staff.facilitator, one)
    statement = meeting(
        staff.facilitator, proposed(staff.facilitator, resident(staff.fo, "Hasnah", nik=NUMBERS[2])), kind="sptjm"
    )
    drawn: list[str] = []

    def keep(page: Sheet, *rest: Any) -> str:
        drawn.append(to_page(page, *rest))
        return drawn[-1]

    monkeypatch.setattr(basis_papers.sheet, "to_page", keep)
    before = db.session.scalar(sa.select(sa.func.max(AuditEntry.position)))
    assert basis_papers.print_basis(basis, by=staff.facilitator, at=AT).startswith(b"%PDF-")
    assert basis_papers.print_basis(statement, by=staff.bo, at=AT).startswith(b"%PDF-")
    minutes, sptjm = drawn
    for text in (
        "Warga 0",
        "Warga 1",
        "Disepakati",
        "membahas 2 usulan",
        "1 disepakati",
        "H. Baso Amir",
        "Ketua RW 02",
        "12 November 2026",
    ):
        assert text in minutes, text
    assert NUMBERS[0] not in minutes.replace(" ", "")
    assert "7303 0141 0180 0003" in sptjm
    looks = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.position > before)).all()
    assert looks == ["cetak_formulir"] * 2
    with pytest.raises(NotAllowed):
        basis_papers.print_basis(basis, by=staff.leader, at=AT)
    with pytest.raises(NotFound):
        basis_papers.print_basis(basis, by=staff.neighbour, at=AT)


def test_these_papers_are_not_printed_about_a_case(app: Flask, staff: Staff) -> None:
    assert not {"berita-acara-usulan", "sptjm-usulan"} & {form.code for form in forms()}
    with pytest.raises(NotFound):
        print_form(open_case(staff.fo), "sptjm-usulan", by=staff.fo, at=AT)
