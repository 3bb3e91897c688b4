"""The journal of looks and changes: every act leaves its entry, and nobody edits it unseen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit, database
from appliance.casework import casebook, referral_replies
from appliance.casework.history import history_is_whole
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.errors import NotAllowed
from appliance.models.audit import AuditEntry
from appliance.registry import people
from tests.support.desk import decided, move, open_case, referred, resident, version_of
from tests.support.staff import AT, Staff

TRIGGERS = {
    "sqlite": ("DROP TRIGGER {table}_refuses_update", "DROP TRIGGER {table}_refuses_delete"),
    "postgresql": ("DROP TRIGGER {table}_keeps_rows ON {table}", "DROP TRIGGER {table}_keeps_statements ON {table}"),
}


def entries() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) or 0


def run(*statements: str) -> None:
    with transaction() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def disarm(table: str) -> None:
    """What an attacker with the database in his hands does first."""
    run(*(statement.format(table=table) for statement in TRIGGERS[db.engine.dialect.name]))


@pytest.fixture
def person(app: Flask, staff: Staff) -> str:
    return resident(staff.fo)


@pytest.mark.parametrize(
    "act",
    [
        lambda staff, person: people.look_at_person(person, by=staff.fo, at=AT),
        lambda staff, person: people.reveal_person(person, reason="Dicocokkan", by=staff.fo, at=AT),
        lambda staff, person: resident(staff.fo),
        lambda staff, person: open_case(staff.fo, person),
    ],
    ids=["look", "reveal", "register", "open"],
)
def test_every_act_leaves_one_entry(staff: Staff, person: str, act: Callable[[Staff, str], object]) -> None:
    before = entries()
    act(staff, person)
    assert entries() == before + 1


def test_looks_and_steps_on_cases_and_referrals_leave_entries(app: Flask, staff: Staff) -> None:
    referral = referred(staff)
    before = entries()
    version = version_of(referral, staff.dinkes)  # one look
    referral_replies.receive_referral(referral, row_version=version, by=staff.dinkes, at=AT)
    assert entries() == before + 2
    last = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.position.desc()).limit(1)).one()
    assert (last.account_id, last.device, last.subject) == (staff.dinkes.account_id, "test", f"referral:{referral}")


def test_what_is_refused_leaves_no_entry_of_a_change(staff: Staff, person: str) -> None:
    before = entries()
    with pytest.raises(NotAllowed):
        resident(staff.leader)
    assert entries() == before


def test_no_entry_holds_a_nik_or_a_name(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo, "Sitti Aminah", nik="7303014101800001", kk="7303010101100001")
    people.reveal_person(person, reason="Dicocokkan", by=staff.fo, at=AT)
    open_case(staff.fo, person)
    text = " ".join(f"{entry.subject} {entry.detail}" for entry in db.session.scalars(sa.select(AuditEntry)))
    assert "7303014101800001" not in text
    assert "7303010101100001" not in text
    assert "Aminah" not in text


@pytest.mark.parametrize("change", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"])
def test_the_database_refuses_changes(staff: Staff, person: str, change: str) -> None:
    before = audit.latest()
    with pytest.raises(Exception, match="append-only"):
        run(change)
    assert audit.latest() == before


def test_postgresql_refuses_to_empty_the_table(app: Flask, staff: Staff, settings: Settings) -> None:
    resident(staff.fo)
    if db.engine.dialect.name == "postgresql":
        with pytest.raises(Exception, match="append-only"):
            run("TRUNCATE audit_entry")
    assert entries() == 1


ATTACKS = {
    "edit": ("UPDATE audit_entry SET account_id = 'x' WHERE position = 3",),
    "edit the time": ("UPDATE audit_entry SET at = '2020-01-01 00:00:00' WHERE position = 3",),
    "remove": ("DELETE FROM audit_entry WHERE position = 3",),
    "remove and renumber": (
        "DELETE FROM audit_entry WHERE position = 3",
        "UPDATE audit_entry SET position = -position WHERE position > 3",
        "UPDATE audit_entry SET position = -position - 1 WHERE position < 0",
    ),
    "swap": (
        "UPDATE audit_entry SET position = -1 WHERE position = 3",
        "UPDATE audit_entry SET position = 3 WHERE position = 4",
        "UPDATE audit_entry SET position = 4 WHERE position = -1",
    ),
    "remove the first": ("DELETE FROM audit_entry WHERE position = 1",),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_tampering_is_found(app: Flask, staff: Staff, attack: str) -> None:
    decided(staff)
    whole = audit.verify()
    assert whole.ok
    assert whole.entries == entries()
    disarm("audit_entry")
    run(*ATTACKS[attack])
    assert not audit.verify().ok


def test_a_cut_tail_is_found_by_who_kept_the_end(app: Flask, staff: Staff) -> None:
    decided(staff)
    anchor = audit.latest()
    disarm("audit_entry")
    run(f"DELETE FROM audit_entry WHERE position > {anchor.position - 2}")  # noqa: S608
    assert audit.verify().ok, "the rest is a whole chain"
    assert not audit.verify(anchor).ok


def test_a_chain_written_anew_without_the_key_is_found(app: Flask, staff: Staff, settings: Settings) -> None:
    resident(staff.fo)
    database.db.session.remove()
    other = database.create_service(settings, audit_key="ff" * 32)
    with other.app_context():
        assert not audit.verify().ok


def test_the_history_of_a_case_is_sealed_as_well(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    assert history_is_whole(case)
    disarm("case_event")
    run(f"UPDATE case_event SET note = 'lain' WHERE case_id = '{case}' AND position = 2")  # noqa: S608
    assert not history_is_whole(case)


def test_look_and_entry_stand_or_fall_together(app: Flask, staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the key there is no entry, and without the entry nothing is shown and nothing is changed."""
    case = open_case(staff.fo)
    monkeypatch.setitem(app.config, "SLRT_AUDIT_KEY", "\u2603")
    with pytest.raises(UnicodeEncodeError):
        casebook.look_at_case(case, by=staff.bo, at=AT)
    with pytest.raises(UnicodeEncodeError):
        move(case, staff.bo, "ambil")
