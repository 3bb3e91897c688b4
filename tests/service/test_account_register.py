"""The register of accounts: what an admin may make, give and take away, and what each change means for rights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import accounts, audit
from appliance.access import Actor
from appliance.accounts import CreatedAccount, NewAccount, NewAssignment
from appliance.casework.catalogue import unit_id
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.account import Account
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from tests.support.staff import Staff

AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 20)
ZONE = ZoneInfo("Asia/Makassar")
VILLAGE = "73.03.01.1001"


def _create(username: str = "siti.aminah", role: str = Role.FO, by: Actor | None = None, **more: object) -> CreatedAccount:
    first = NewAssignment(role, **{"starts": TODAY, **more})  # type: ignore[arg-type]
    return accounts.create_account(NewAccount(username, "Siti Aminah"), first, district="73.03", by=by, at=AT)


def _actor(account_id: str, at: datetime = AT) -> Actor:
    db.session.rollback()
    return accounts.actor_of(db.session.get_one(Account, account_id), at, "test", ZONE)


@pytest.mark.parametrize(
    ("role", "chosen", "areas"),
    [
        (Role.FO, (), ("73.03",)),
        (Role.MANAJER, (), ("73.03",)),
        (Role.FO, ("73.03.01",), ("73.03.01",)),
        (Role.FASILITATOR, (VILLAGE,), (VILLAGE,)),
        (Role.ADMIN, (), ()),
        (Role.ADMIN, ("73.03",), ()),
    ],
)
def test_a_new_account_works_where_its_role_does(
    staff: Staff, role: Role, chosen: tuple[str, ...], areas: tuple[str, ...]
) -> None:
    made = _create(role=role, area_codes=chosen, by=staff.admin)
    actor = _actor(made.id)
    assert (actor.roles, actor.areas) == ({role}, areas)


def test_an_officer_of_an_organisation_speaks_for_it(staff: Staff) -> None:
    made = _create(role=Role.OPD, unit_id=unit_id("dinkes"), by=staff.admin)
    assert _actor(made.id).unit_id == unit_id("dinkes")


@pytest.mark.parametrize(
    ("username", "more", "fields"),
    [
        ("Siti Aminah", {}, {"username"}),
        ("1siti", {}, {"username"}),
        ("admin.it", {}, {"username"}),
        ("ADMIN.IT", {}, {"username"}),
        ("x" * 33, {}, {"username"}),
        ("siti", {"role": "raja"}, {"role"}),
        ("siti", {"role": ""}, {"role"}),
        ("siti", {"role": Role.OPD}, {"unit_id"}),
        ("siti", {"role": Role.OPD, "unit_id": "tidak-ada"}, {"unit_id"}),
        ("siti", {"role": Role.FASILITATOR}, {"area_codes"}),
        ("siti", {"role": Role.FASILITATOR, "area_codes": ("51.71.01.1001",)}, {"area_codes"}),
        ("siti", {"role": Role.FO, "area_codes": ("73.03.99",)}, {"area_codes"}),
        ("siti", {"starts": None}, {"starts"}),
        ("siti", {"ends": date(2026, 11, 19)}, {"ends"}),
        ("?", {"role": Role.OPD, "starts": None}, {"username", "unit_id", "starts"}),
    ],
)
def test_all_that_is_wrong_is_told_at_once_and_nothing_stored(
    staff: Staff, username: str, more: dict[str, object], fields: set[str]
) -> None:
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Account))
    with pytest.raises(InvalidInput) as wrong:
        _create(username, **{"by": staff.admin, **more})  # type: ignore[arg-type]
    assert set(wrong.value.problems) == fields
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Account)) == before


def test_the_one_time_password_is_told_once_and_stored_nowhere(staff: Staff) -> None:
    made = _create(by=staff.admin)
    row = db.session.get_one(Account, made.id)
    assert row.must_change_password
    assert row.password_expires_at == datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
    details = "\n".join(entry.detail for entry in db.session.scalars(sa.select(AuditEntry)))
    assert made.one_time_password not in details + row.password_hash
    assert row.created_by == staff.admin.account_id
    assert audit.verify().ok


FORBIDDEN: dict[str, Callable[[Actor, str], object]] = {
    "create": lambda by, _id: _create(by=by),
    "reset": lambda by, id_: accounts.reset_password(id_, by=by, at=AT),
    "deactivate": lambda by, id_: accounts.deactivate(id_, by=by, at=AT),
    "activate": lambda by, id_: accounts.activate(id_, by=by, at=AT),
    "assign": lambda by, id_: accounts.assign_role(id_, NewAssignment(Role.ADMIN, TODAY), district="73.03", by=by, at=AT),
    "end": lambda by, id_: accounts.end_assignment(id_, "x", last_day=TODAY, by=by, at=AT),
    "list": lambda by, _id: accounts.list_accounts(by=by, today=TODAY),
    "look": lambda by, id_: accounts.look_at_account(id_, by=by, today=TODAY),
}


@pytest.mark.parametrize("act", FORBIDDEN)
def test_nobody_but_an_admin_may(staff: Staff, act: str) -> None:
    for by in (staff.fo, staff.manager, staff.leader, staff.dinkes):
        with pytest.raises(NotAllowed):
            FORBIDDEN[act](by, staff.fo.account_id)


@pytest.mark.parametrize("act", ["reset", "deactivate", "activate", "assign", "end", "look"])
def test_an_account_that_never_was_is_not_found(staff: Staff, act: str) -> None:
    with pytest.raises(NotFound):
        FORBIDDEN[act](staff.admin, "tidak-ada")


def test_the_last_admin_can_neither_be_switched_off_nor_lose_the_role(app: Flask) -> None:
    made = _create("budi", Role.ADMIN)
    assignment = accounts.look_at_account(made.id, by=None, today=TODAY).assignments[0]
    with pytest.raises(Conflict, match="terakhir"):
        accounts.deactivate(made.id, by=None, at=AT)
    with pytest.raises(Conflict, match="terakhir"):
        accounts.end_assignment(made.id, assignment.id, last_day=TODAY, by=None, at=AT)
    other = _create("ani", Role.ADMIN)
    accounts.deactivate(made.id, by=None, at=AT)
    with pytest.raises(Conflict):
        accounts.deactivate(other.id, by=None, at=AT)


def test_roles_add_up_and_end_with_their_last_day_in_the_offices_zone(staff: Staff) -> None:
    made = _create(role=Role.FO, by=staff.admin)
    second = NewAssignment(Role.FASILITATOR, TODAY, (VILLAGE,), ends=date(2026, 11, 21), decree="SK 460/12")
    accounts.assign_role(made.id, second, district="73.03", by=staff.admin, at=AT)
    assert _actor(made.id).roles == {Role.FO, Role.FASILITATOR}
    last_minute = datetime(2026, 11, 21, 15, 59, tzinfo=UTC)  # 23.59 WITA
    assert Role.FASILITATOR in _actor(made.id, last_minute).roles
    assert Role.FASILITATOR not in _actor(made.id, datetime(2026, 11, 21, 16, 0, tzinfo=UTC)).roles
    assert _actor(made.id, datetime(2026, 11, 19, 2, 0, tzinfo=UTC)).roles == frozenset()


def test_an_ended_assignment_gives_no_rights_from_the_next_day(staff: Staff) -> None:
    made = _create(role=Role.BO, by=staff.admin)
    detail = accounts.look_at_account(made.id, by=staff.admin, today=TODAY)
    accounts.end_assignment(made.id, detail.assignments[0].id, last_day=TODAY, by=staff.admin, at=AT)
    assert _actor(made.id).roles == {Role.BO}
    assert _actor(made.id, datetime(2026, 11, 21, 2, 0, tzinfo=UTC)).roles == frozenset()
    with pytest.raises(NotFound):
        accounts.end_assignment(staff.fo.account_id, detail.assignments[0].id, last_day=TODAY, by=staff.admin, at=AT)


def test_the_first_admin_is_made_once(app: Flask) -> None:
    password = accounts.one_time_password()
    assert not accounts.has_admin(AT)
    # in the office it is already tomorrow while in UTC it is still today
    assert accounts.create_first_admin("admin.it", "Admin", password, starts=date(2026, 11, 21), at=AT)
    assert accounts.has_admin(AT)
    assert not accounts.create_first_admin("lain", "Lain", "x", starts=TODAY, at=AT)
    assert accounts.list_accounts(by=None, today=TODAY).total == 1
    assert accounts.sign_in("admin.it", password, at=AT, device_token=None, device="x").must_change_password


def test_the_list_is_found_by_part_of_a_name_and_cut_into_pages(staff: Staff) -> None:
    for number in range(30):
        with db.session.no_autoflush:
            row = Account(
                username=f"petugas{number:02d}", name=f"Petugas {number:02d} 100%", password_hash="!", password_changed_at=AT
            )
            row.stamp("system", AT)
            db.session.add(row)
    db.session.commit()
    first = accounts.list_accounts(by=staff.admin, today=TODAY, text="PETUGAS")
    assert (first.total, first.pages, len(first.accounts)) == (30, 2, 25)
    assert len(accounts.list_accounts(by=staff.admin, today=TODAY, text="petugas", page=9).accounts) == 5
    assert accounts.list_accounts(by=staff.admin, today=TODAY, text="100%").total == 30
    assert accounts.list_accounts(by=staff.admin, today=TODAY, text="_%_").total == 0
    assert accounts.find_account("Petugas00") is not None
    with pytest.raises(NotFound):
        accounts.find_account("tidak.ada")
