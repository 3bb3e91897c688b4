"""Incidents from the stolen tablet to the notice: opened, whom they touch, told in time, closed; nothing of it is lost or overwritten."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit
from appliance.casework import casebook
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.incidents import book, register
from appliance.incidents.affected import Affected, print_affected
from appliance.incidents.register import IncidentText
from appliance.incidents.rules import IncidentState
from appliance.models.audit import AuditEntry
from appliance.models.incident import Incident, IncidentEvent
from appliance.registry import people
from tests.service.test_devices import signed_in
from tests.support.aid import everything_about
from tests.support.desk import open_case, request, resident
from tests.support.proposals import proposed
from tests.support.staff import AT, NEIGHBOUR, Staff

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
S = IncidentState
NIK = "7303014101800001"


def stolen(staff: Staff, **changes: Any) -> IncidentText:
    """The facilitator's tablet, gone for an hour."""
    text = IncidentText(
        kind="perangkat_hilang",
        happened_at=AT - HOUR,
        noticed_at=AT,
        story="Dicuri dari motor.",
        data="Nama, alamat, keluhan",
        account_id=staff.facilitator.account_id,
    )
    return replace(text, **changes)


def opened(staff: Staff, **changes: Any) -> str:
    return register.open_incident(stolen(staff, **changes), request_id=request(), by=staff.manager, at=AT)


def seen(incident: str, staff: Staff, at: Any = AT) -> book.IncidentDetail:
    return book.look_at_incident(incident, by=staff.manager, at=at)


def step(incident: str, staff: Staff, name: str, at: Any = AT, **typed: str | date) -> None:
    version = seen(incident, staff, at).row_version
    register.take_step(incident, name, typed, row_version=version, by=staff.manager, at=at)


TOLD: dict[str, str | date] = {"authority": "Kementerian Komdigi, 400.9/12", "note": "Surat diantar ke rumah"}


def test_from_the_theft_to_the_end(app: Flask, staff: Staff) -> None:
    incident = opened(staff)
    found = seen(incident, staff)
    assert found.line.number.startswith("INS-7303-202611-")
    assert (found.line.clock.deadline, found.line.clock.left) == (AT + 3 * DAY, 3 * DAY)
    assert found.seen_from == AT - HOUR, "from when it happened, when nothing else is said"
    step(incident, staff, "tangani", note="Perangkat diputus, kata sandi diganti.")
    day = (AT + DAY).date()
    step(incident, staff, "beritahukan", AT + DAY, subjects_on=day, authority_on=day, **TOLD)
    step(incident, staff, "tutup", AT + 5 * DAY, note="Tablet memakai kunci layar.")
    ended = seen(incident, staff, AT + 9 * DAY)
    assert (ended.line.state, ended.line.clock.running, ended.line.clock.late) == (S.CLOSED, False, False)
    assert [event.label for event in ended.events] == [
        *("Insiden dibuka", "Catat penanganan", "Catat pemberitahuan", "Tutup insiden"),
    ]
    assert ended.events[2].details["Tanggal lembaga diberi tahu tertulis"] == "21-11-2026"
    assert {line.step for line in ended.steps} == {"buka_lagi"}


def test_what_is_late_is_told_and_the_notice_then_needs_a_reason(app: Flask, staff: Staff) -> None:
    incident = opened(staff)
    assert book.count_late(by=staff.manager, at=AT + 3 * DAY) == 0
    late = AT + 3 * DAY + HOUR * 24
    assert (book.count_late(by=staff.manager, at=late), book.count_late(by=staff.bo, at=late)) == (1, 0)
    day = late.date()
    with pytest.raises(InvalidInput) as refused:
        step(incident, staff, "beritahukan", late, subjects_on=day, authority_on=day, **TOLD)
    assert set(refused.value.problems) == {"late_reason"}
    step(incident, staff, "beritahukan", late, subjects_on=day, authority_on=day, late_reason="Jalan putus.", **TOLD)
    assert book.count_late(by=staff.manager, at=late) == 0


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"kind": "lupa", "story": " ", "data": ""}, {"kind", "story", "data"}),
        ({"happened_at": None, "noticed_at": None}, {"happened_at", "noticed_at"}),
        ({"noticed_at": AT + HOUR}, {"noticed_at"}),
        ({"happened_at": AT + HOUR}, {"happened_at"}),
        ({"account_id": ""}, {"account_id"}),
        ({"account_id": "nobody"}, {"account_id"}),
        ({"device": "Chrome di Android #00000000"}, {"device"}),
        ({"seen_until": AT - DAY}, {"seen_until"}),
        ({"story": "a" * 4001}, {"story"}),
    ],
)
def test_what_is_wrong_is_told_at_once_and_nothing_is_stored(
    app: Flask, staff: Staff, changes: dict[str, Any], wrong: set[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        opened(staff, **changes)
    assert set(refused.value.problems) == wrong
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Incident)) == 0


def test_a_second_press_finds_the_first_and_a_change_lands_on_no_newer_state(app: Flask, staff: Staff) -> None:
    made = [register.open_incident(stolen(staff), request_id="r", by=staff.manager, at=AT) for _ in range(2)]
    assert made[0] == made[1]
    version = seen(made[0], staff).row_version
    register.change_incident(made[0], stolen(staff, data="Juga NIK"), row_version=version, by=staff.admin, at=AT)
    with pytest.raises(Conflict):
        register.change_incident(made[0], stolen(staff, data="Nama saja"), row_version=version, by=staff.manager, at=AT)
    found = seen(made[0], staff)
    assert found.data == "Juga NIK"
    assert found.events[-1].details == {"Data semula": "Nama, alamat, keluhan"}


def test_only_manager_and_admin_read_and_only_the_manager_decides(app: Flask, staff: Staff) -> None:
    incident = opened(staff)
    for by in (staff.bo, staff.supervisor, staff.facilitator, staff.leader):
        with pytest.raises(NotAllowed):
            book.look_at_incident(incident, by=by, at=AT)
        with pytest.raises(NotAllowed):
            register.open_incident(stolen(staff), request_id=request(), by=by, at=AT)
    version = book.look_at_incident(incident, by=staff.admin, at=AT).row_version
    for act in (
        lambda: register.take_step(incident, "tutup_tanpa", {"note": "x"}, row_version=version, by=staff.admin, at=AT),
        lambda: print_affected(incident, by=staff.admin, at=AT),
    ):
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(Conflict):
        step(incident, staff, "tutup", note="Belum")
    with pytest.raises(NotFound):
        seen("nothing", staff)
    assert seen(incident, staff).line.state is S.OPEN


@pytest.mark.parametrize("act", ["DELETE FROM incident", "DELETE FROM incident_event", "UPDATE incident_event SET note = 'x'"])
def test_the_database_itself_keeps_the_register(app: Flask, staff: Staff, act: str) -> None:
    opened(staff)
    db.session.rollback()
    with pytest.raises(sa.exc.DBAPIError), db.engine.begin() as connection:
        connection.execute(sa.text(act))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(IncidentEvent)) == 1


def affected(staff: Staff, at: Any = AT, **changes: Any) -> Affected:
    return print_affected(opened(staff, **changes), by=staff.manager, at=at)


def names(found: Affected) -> list[str]:
    return [line.person.name for line in found.people]


def test_the_list_names_everybody_the_account_opened_or_wrote(app: Flask, staff: Staff) -> None:
    nur = staff.facilitator
    written = resident(nur, "Basse Tanga", nik=NIK)
    case = open_case(nur, written)
    read, by_case = resident(staff.fo, "Nurhayati"), resident(staff.fo, "Hasna")
    people.look_at_person(read, by=nur, at=AT)
    casebook.look_at_case(open_case(staff.fo, by_case), by=nur, at=AT)
    resident(staff.fo, "Tidak Dibuka")
    people.look_at_person(resident(staff.fo, "Sesudahnya"), by=nur, at=AT + DAY)
    found = affected(staff, seen_until=AT)
    assert names(found) == ["Basse Tanga", "Hasna", "Nurhayati"]
    first = found.people[0]
    number = casebook.look_at_case(case, by=nur, at=AT).line.number
    assert (first.cases, first.touch.changed, first.person.nik_masked[:6]) == ((number,), True, NIK[:6])
    assert NIK not in first.person.nik_masked
    assert [line.touch.changed for line in found.people[1:]] == [False, False]


def test_what_belongs_to_somebody_leads_to_her(app: Flask, staff: Staff) -> None:
    """Aid, needs, proposals and families, each touched alone: the list follows them to people."""
    owner = resident(staff.fo, "Sitti Aminah", nik=NIK, kk="7303010101100001")
    ids = everything_about(owner, staff.fo) | {"proposal_id": proposed(staff.facilitator, owner)}
    family = people.look_at_person(owner, by=staff.fo, at=AT).family_id or ""
    other = replace(staff.neighbour, areas=("73.03",), grants=())
    for look in (
        f"participation:{ids['participation_id']}",
        f"need:{ids['need_id']}",
        f"proposal:{ids['proposal_id']}",
        f"family:{family}",
    ):
        moment = AT + DAY * (len(look) % 7 + 1)
        _note(look, other.account_id, moment)
        found = affected(staff, at=moment, account_id=other.account_id, seen_from=moment)
        assert names(found) == ["Sitti Aminah"], look


def _note(subject: str, account_id: str, at: Any) -> None:
    """An entry as the services write it."""
    with transaction():
        audit.record("lihat", subject, by=None, account_id=account_id, device="d", at=at)


def test_the_list_counts_whoever_its_reader_may_not_see_and_whole_lists(app: Flask, staff: Staff) -> None:
    mine, theirs = resident(staff.fo, "Hasna"), resident(staff.fo, "Jauh", NEIGHBOUR)
    for key in (f"person:{mine}", f"person:{theirs}", "export:e", "account:a"):
        _note(key, staff.facilitator.account_id, AT)
    narrow = replace(staff.manager, areas=("73.03.01.1001",), grants=())
    incident = opened(staff)
    found = print_affected(incident, by=narrow, at=AT)
    assert (names(found), found.beyond, found.lists) == (["Hasna"], 1, {"ekspor": 1})
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "cetak_terdampak")).one()
    assert (entry.subject, json.loads(entry.detail)) == (f"incident:{incident}", {"jumlah": 1, "warga": [mine]})
    assert seen(incident, staff).affected == 2


def test_one_device_alone_counts_when_it_is_named(app: Flask, staff: Staff) -> None:
    signed_in(staff.facilitator, "Chrome di Android", "a")
    (device,) = register.devices_of(staff.facilitator.account_id)
    people.look_at_person(resident(staff.fo, "Hasna"), by=replace(staff.facilitator, device=device), at=AT)
    people.look_at_person(resident(staff.fo, "Nurhayati"), by=staff.facilitator, at=AT)
    assert names(affected(staff, device=device)) == ["Hasna"]
    assert names(affected(staff)) == ["Hasna", "Nurhayati"]
