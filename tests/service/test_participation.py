"""Who takes part in which programme: recording, warning, changing, paying, and who may see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.person import Person
from appliance.models.programme import Participation, Payment
from appliance.registry import aid, list_status, participation
from appliance.registry.national_lists import national_lists
from appliance.registry.participants import PAGE_SIZE, ParticipantsWanted, list_participants
from appliance.registry.participation import NewParticipation, NewPayment, ParticipationChange
from tests.support.aid import programme, take_part
from tests.support.desk import request, resident
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

CARD, NIK = "7303010101100001", "7303014101800001"
TODAY = date(2026, 11, 20)
NEW = NewParticipation("", "aktif", "kartu", TODAY)


def family(by: Actor) -> tuple[str, str]:
    """Two people on one card; the head first."""
    return resident(by, "Baharuddin", kk=CARD, relation="1"), resident(by, "Sitti Aminah", kk=CARD, relation="3", nik=NIK)


def texts(person: str, by: Actor) -> list[str]:
    return [caution.text for caution in aid.aid_of_person(person, by=by).cautions]


def test_aid_of_the_family_is_seen_from_each_member(app: Flask, staff: Staff) -> None:
    head, wife = family(staff.fo)
    take_part(head, "pkh", staff.facilitator, card_number="6013 0100")
    take_part(wife, "pbi-jk", staff.fo)
    seen = aid.aid_of_person(wife, by=staff.fo)
    assert {(line.programme[:7], line.holder, line.own) for line in seen.running} == {
        ("Program", "Keluarga", False),
        ("PBI Jam", "Sitti Aminah", True),
    }
    assert {(line.holder, line.own) for line in aid.aid_of_person(head, by=staff.fo).running} == {
        ("Keluarga", False),
        ("Sitti Aminah", False),
    }


def test_without_a_family_the_person_holds_what_is_meant_for_families(app: Flask, staff: Staff) -> None:
    alone = resident(staff.fo)
    take_part(alone, "pkh", staff.fo)
    (line,) = aid.aid_of_person(alone, by=staff.fo).running
    assert line.own
    with pytest.raises(InvalidInput) as caught:
        take_part(alone, "sembako", staff.fo, family=True)
    assert set(caught.value.problems) == {"family"}


def test_a_second_press_records_nothing(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    new = replace(NEW, programme_id=programme("pip"))
    first = participation.record_participation(person, new, request_id="once", by=staff.fo, at=AT)
    assert participation.record_participation(person, new, request_id="once", by=staff.fo, at=AT) == first
    assert db.session.query(Participation).count() == 1
    entries = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "kepesertaan")).all()
    assert [entry.subject for entry in entries] == [f"person:{person}"]


def test_all_problems_are_told_at_once(app: Flask, staff: Staff) -> None:
    new = NewParticipation(
        "nothing", "nonaktif", "?", TODAY + timedelta(days=1), starts=date(2026, 5, 1), ends=date(2026, 4, 1), note="x" * 301
    )
    with pytest.raises(InvalidInput) as caught:
        participation.record_participation(resident(staff.fo), new, request_id=request(), by=staff.fo, at=AT)
    assert set(caught.value.problems) == {"programme_id", "reason", "source", "known_on", "ends", "note"}
    assert db.session.query(Participation).count() == 0


def test_warnings_come_before_it_is_stored_and_stay_after(app: Flask, staff: Staff) -> None:
    head, wife = family(staff.fo)
    take_part(head, "pkh", staff.fo)
    new = replace(NEW, programme_id=programme("blt-desa"))
    (before,) = participation.cautions_before(wife, new, by=staff.fo)
    assert before.text.startswith("BLT Dana Desa dan Program Keluarga Harapan (PKH) bersamaan dalam satu keluarga")
    assert texts(wife, staff.fo) == []
    assert db.session.query(Participation).count() == 1
    participation.record_participation(wife, new, request_id=request(), by=staff.fo, at=AT)
    assert texts(head, staff.fo) == [before.text]


def test_what_is_wrong_already_is_not_told_of_something_else(app: Flask, staff: Staff) -> None:
    head, wife = family(staff.fo)
    take_part(head, "pkh", staff.fo)
    take_part(head, "blt-desa", staff.fo)
    assert participation.cautions_before(wife, replace(NEW, programme_id=programme("pip")), by=staff.fo) == ()


def test_a_desil_above_the_limit_and_a_dead_member_are_told(app: Flask, staff: Staff) -> None:
    head, wife = family(staff.fo)
    take_part(wife, "pkh", staff.fo)
    take_part(head, "pip", staff.fo)
    dtsen = next(found.id for found in national_lists() if found.code == "dtsen")
    seen = list_status.NewStatus(dtsen, "ya", TODAY, decile=6)
    list_status.note_status(wife, seen, request_id=request(), by=staff.fo, at=AT)
    with transaction() as session:
        session.get_one(Person, head).status = "mati"
    assert texts(wife, staff.fo) == [
        "Desil 6 di atas batas Program Keluarga Harapan (PKH) (paling tinggi 4): Keluarga.",
        "Baharuddin sudah meninggal, tetapi Program Indonesia Pintar (PIP/KIP) masih tercatat aktif.",
    ]


def test_an_end_needs_its_reason_and_clears_the_warning(app: Flask, staff: Staff) -> None:
    head, _ = family(staff.fo)
    take_part(head, "pkh", staff.fo)
    stopped = take_part(head, "blt-desa", staff.fo)
    version = aid.look_at_participation(stopped, by=staff.bo, at=AT).row_version
    change = ParticipationChange("nonaktif", "desa", TODAY, ends=TODAY)
    with pytest.raises(InvalidInput) as caught:
        participation.change_participation(stopped, change, row_version=version, by=staff.bo, at=AT)
    assert set(caught.value.problems) == {"reason"}
    participation.change_participation(stopped, replace(change, reason="Sudah PKH"), row_version=version, by=staff.bo, at=AT)
    seen = aid.aid_of_person(head, by=staff.fo)
    assert seen.cautions == ()
    assert [(line.status, line.reason) for line in seen.former] == [("nonaktif", "Sudah PKH")]
    with pytest.raises(Conflict):
        participation.change_participation(stopped, replace(change, reason="lagi"), row_version=version, by=staff.bo, at=AT)


def test_payments_are_shown_newest_first_and_a_struck_one_counts_no_more(app: Flask, staff: Staff) -> None:
    head, wife = family(staff.fo)
    row = take_part(head, "pkh", staff.fo)
    ids = [
        participation.record_payment(row, NewPayment(TODAY - timedelta(days=30 * n), "rekening", 600_000 + n), request_id=request(), by=staff.fo, at=AT)
        for n in range(aid.LAST_PAYMENTS + 2)
    ]  # fmt: skip
    assert [one.amount for one in aid.aid_of_person(wife, by=staff.fo).payments] == [
        600_000 + n for n in range(aid.LAST_PAYMENTS)
    ]
    newest = db.session.get_one(Payment, ids[0])
    with pytest.raises(InvalidInput):
        participation.strike_payment(ids[0], " ", row_version=newest.row_version, by=staff.fo, at=AT)
    participation.strike_payment(ids[0], "Salah orang", row_version=newest.row_version, by=staff.fo, at=AT)
    assert aid.aid_of_person(wife, by=staff.fo).payments[0].amount == 600_001
    seen = aid.look_at_participation(row, by=staff.fo, at=AT)
    assert (len(seen.payments), seen.payments[0].struck_reason) == (len(ids), "Salah orang")
    assert seen.total == sum(600_000 + n for n in range(1, len(ids)))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"amount": None}, {"amount"}),
        ({"amount": 0}, {"amount"}),
        ({"amount": 2_000_000_000}, {"amount"}),
        ({"amount": None, "goods": "Beras 10 kg", "form": "barang"}, set()),
        ({"paid_on": None, "form": "emas"}, {"paid_on", "form"}),
        ({"paid_on": TODAY + timedelta(days=1)}, {"paid_on"}),
    ],
)
def test_a_payment_is_money_or_goods(app: Flask, staff: Staff, changes: dict[str, Any], wrong: set[str]) -> None:
    row = take_part(resident(staff.fo), "pkh", staff.fo)
    new = replace(NewPayment(TODAY, "tunai", 100_000), **changes)
    if not wrong:
        assert participation.record_payment(row, new, request_id=request(), by=staff.fo, at=AT)
        return
    with pytest.raises(InvalidInput) as caught:
        participation.record_payment(row, new, request_id=request(), by=staff.fo, at=AT)
    assert set(caught.value.problems) == wrong


def test_what_is_not_hers_does_not_exist_for_her(app: Flask, staff: Staff) -> None:
    head, _ = family(staff.fo)
    ours = take_part(head, "pkh", staff.fo)
    payment = participation.record_payment(ours, NewPayment(TODAY, "tunai", 1), request_id=request(), by=staff.fo, at=AT)
    for who in (staff.neighbour, staff.stranger, staff.dinkes, staff.admin):
        for act in (
            lambda who=who: aid.aid_of_person(head, by=who),
            lambda who=who: aid.look_at_participation(ours, by=who, at=AT),
            lambda who=who: take_part(head, "pip", who),
            lambda who=who: participation.record_payment(
                ours, NewPayment(TODAY, "tunai", 1), request_id=request(), by=who, at=AT
            ),
            lambda who=who: participation.strike_payment(payment, "x", row_version=1, by=who, at=AT),
            lambda who=who: participation.change_participation(
                ours, ParticipationChange("aktif", "warga", TODAY), row_version=1, by=who, at=AT
            ),
        ):
            with pytest.raises(NotFound):
                act()


def test_who_only_reads_does_not_write(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    assert not aid.aid_of_person(person, by=staff.leader).may_record
    with pytest.raises(NotAllowed):
        take_part(person, "pip", staff.leader)


def test_a_member_who_lives_elsewhere_is_not_shown(app: Flask, staff: Staff) -> None:
    head, wife = family(staff.fo)
    take_part(wife, "pbi-jk", staff.fo)
    with transaction() as session:
        session.get_one(Person, wife).village_code = FAR
    assert aid.aid_of_person(head, by=staff.facilitator).aids == ()
    assert len(aid.aid_of_person(head, by=staff.fo).aids) == 1


def test_the_screen_takes_a_fixed_number_of_queries(app: Flask, staff: Staff) -> None:
    head, wife = family(staff.fo)

    def queries() -> int:
        asked: list[str] = []
        sa.event.listen(db.engine, "before_cursor_execute", listener := lambda *given: asked.append(given[2]))
        try:
            db.session.expire_all()
            aid.aid_of_person(head, by=staff.fo)
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", listener)
        return len(asked)

    for code in ("pkh", "pbi-jk"):
        take_part(head, code, staff.fo)
    few = queries()
    for code in ("pip", "sembako", "kur", "rtlh", "lpg-3kg"):
        row = take_part(wife, code, staff.fo)
        participation.record_payment(row, NewPayment(TODAY, "tunai", 1), request_id=request(), by=staff.fo, at=AT)
    assert queries() == few <= 12


def test_participants_of_a_village_by_name_page_after_page(app: Flask, staff: Staff) -> None:
    head, _ = family(staff.fo)
    take_part(head, "pkh", staff.fo, card_number="6013")
    for number in range(PAGE_SIZE + 3):
        take_part(resident(staff.fo, f"Warga {number:02d}"), "pkh", staff.fo)
    take_part(resident(staff.fo, "Aaron", village=NEIGHBOUR), "pkh", staff.fo)
    take_part(resident(staff.fo, "Aaron"), "pip", staff.fo)
    wanted = ParticipantsWanted(programme("pkh"), HOME)
    first = list_participants(wanted, by=staff.facilitator)
    rest = list_participants(replace(wanted, after=first.following), by=staff.facilitator)
    names = [line.name for line in (*first.lines, *rest.lines)]
    assert (len(first.lines), len(rest.lines), rest.following) == (PAGE_SIZE, 4, "")
    assert names == ["Baharuddin", *sorted(names[1:])]
    assert len(set(names)) == PAGE_SIZE + 4
    assert (first.lines[0].family, first.lines[0].card_number, first.lines[0].person_id) == (True, "6013", head)


def test_participants_are_masked_scoped_and_narrowed(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, nik=NIK, kk=CARD)
    take_part(person, "pip", staff.fo)
    wanted = ParticipantsWanted(programme("pip"), HOME, "aktif")
    (line,) = list_participants(wanted, by=staff.fo).lines
    assert NIK[6:] not in repr(line).replace(" ", "")
    assert list_participants(replace(wanted, status="graduasi"), by=staff.fo).lines == ()
    assert list_participants(wanted, by=staff.neighbour).lines == ()
    with pytest.raises(NotAllowed):
        list_participants(wanted, by=staff.dinkes)
