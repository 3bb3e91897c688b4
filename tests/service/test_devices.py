"""Devices that are signed in: who may cut off whose, and what that ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import accounts, database
from appliance.access import Actor, Grant
from appliance.accounts.devices import may_cut
from appliance.accounts.sessions import SessionLimits
from appliance.database import db
from appliance.errors import Conflict, NotFound
from appliance.models.account import KnownDevice, WebSession
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from tests.support.staff import AT, FAR, HOME, Staff, employ
from tests.support.web_client import Web, officer, web_app

LIMITS = SessionLimits(timedelta(minutes=30), timedelta(hours=12))
EVERYWHERE = "73.03"
R = Role


def somebody(*grants: Grant) -> Actor:
    return Actor.holding("-".join(f"{grant.role}{grant.areas}" for grant in grants), "Nama", "nama", grants)


@pytest.mark.parametrize(
    ("by", "holder", "may"),
    [
        ([Grant(R.ADMIN)], [Grant(R.MANAJER, (EVERYWHERE,))], True),
        ([Grant(R.ADMIN)], [Grant(R.OPD, (), "dinkes")], True),
        ([Grant(R.SUPERVISOR, (EVERYWHERE,))], [Grant(R.FASILITATOR, (HOME,))], True),
        ([Grant(R.SUPERVISOR, (FAR,))], [Grant(R.FASILITATOR, (HOME,))], False),
        ([Grant(R.SUPERVISOR, (HOME,))], [Grant(R.FASILITATOR, (HOME, FAR))], False),
        ([Grant(R.SUPERVISOR, (HOME,)), Grant(R.FO, (FAR,))], [Grant(R.FASILITATOR, (HOME, FAR))], False),
        ([Grant(R.SUPERVISOR, (HOME,)), Grant(R.MANAJER, (FAR,))], [Grant(R.FASILITATOR, (HOME, FAR))], True),
        ([Grant(R.SUPERVISOR, (EVERYWHERE,))], [Grant(R.MANAJER, (EVERYWHERE,))], False),
        ([Grant(R.SUPERVISOR, (EVERYWHERE,))], [Grant(R.FASILITATOR, (HOME,)), Grant(R.ADMIN)], False),
        ([Grant(R.MANAJER, (EVERYWHERE,))], [Grant(R.SUPERVISOR, (EVERYWHERE,))], True),
        ([Grant(R.MANAJER, (EVERYWHERE,))], [Grant(R.PIMPINAN, (EVERYWHERE,))], False),
        ([Grant(R.MANAJER, (EVERYWHERE,))], [Grant(R.OPD, (), "dinkes")], False),
        ([Grant(R.MANAJER, (EVERYWHERE,))], [], False),
        ([Grant(R.BO, (EVERYWHERE,))], [Grant(R.FASILITATOR, (HOME,))], False),
    ],
)
def test_who_may_cut_off_whose_device(by: list[Grant], holder: list[Grant], may: bool) -> None:
    assert may_cut(somebody(*holder), somebody(*by)) is may


def signed_in(holder: Actor, device: str, token: str) -> str:
    """A session on a device that is known from now on; its identifier."""
    with database.transaction() as session:
        row = WebSession(id=token, account_id=holder.account_id, device_id=f"{device}-{holder.account_id}"[:64], device=device)
        row.created_at = row.last_seen_at = AT
        session.add(row)
        session.merge(KnownDevice(account_id=holder.account_id, device_id=row.device_id, last_used_at=AT))
    return token


def alive() -> set[str]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(WebSession.id).where(WebSession.ended_at.is_(None))))


def test_the_supervisor_cuts_off_a_stolen_tablet_and_nothing_else(app: Flask, staff: Staff) -> None:
    zone = app.config["SLRT_SETTINGS"].zone
    employ(staff.facilitator, staff.supervisor, staff.manager)
    tablet = signed_in(staff.facilitator, "Chrome di Android", "a")
    laptop, boss = signed_in(staff.facilitator, "Firefox di Windows", "b"), signed_in(staff.manager, "Edge di Windows", "c")
    found = accounts.SignedIn("s", staff.supervisor, False, AT)
    lines = accounts.list_devices(found, at=AT, limits=LIMITS, zone=zone)
    assert [line.session_id for line in lines if line.account_id == staff.facilitator.account_id] == [tablet, laptop]
    assert boss not in {line.session_id for line in lines}
    assert accounts.list_devices(found, at=AT, limits=LIMITS, zone=zone, text="tidak ada") == ()
    assert accounts.cut_device(tablet, by=staff.supervisor, at=AT, zone=zone) == staff.facilitator.account_id
    assert alive() == {laptop, boss}
    kept = db.session.scalars(sa.select(KnownDevice.device_id).where(KnownDevice.account_id == staff.facilitator.account_id))
    assert [device[:7] for device in kept] == ["Firefox"]
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "device-cut")).one()
    assert (entry.account_id, entry.subject) == (staff.supervisor.account_id, f"account:{staff.facilitator.account_id}")
    assert "Chrome di Android #" in entry.detail


def test_what_she_may_not_cut_off_is_not_there_and_what_ended_is_told(app: Flask, staff: Staff) -> None:
    zone = app.config["SLRT_SETTINGS"].zone
    employ(staff.facilitator, staff.neighbour)
    session = signed_in(staff.facilitator, "Chrome di Android", "a")
    for by, key in ((staff.neighbour, session), (staff.bo, session), (staff.admin, "nothing")):
        with pytest.raises(NotFound):
            accounts.cut_device(key, by=by, at=AT, zone=zone)
    assert alive() == {session}
    accounts.cut_device(session, by=staff.facilitator, at=AT, zone=zone)
    with pytest.raises(Conflict):
        accounts.cut_device(session, by=staff.admin, at=AT, zone=zone)
    assert len(db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "device-cut")).all()) == 1


def test_the_next_click_on_the_device_asks_for_the_password(app: Flask) -> None:
    pages = web_app(app.config["SLRT_SETTINGS"])
    with pages.app_context():
        officer("nur", Role.FASILITATOR, areas=(HOME,))
        officer("rahma", Role.SUPERVISOR)
        db.session.remove()
    tablet, desk = Web(pages), Web(pages)
    tablet.sign_in("nur")
    assert tablet.get("/").status_code == 200
    desk.sign_in("rahma")
    listed = desk.get("/perangkat?q=nur").text
    assert "dari 127.0.0.1" in listed
    key = listed.split('name="session_id" value="')[1].split('"')[0]
    assert desk.post("/perangkat/putus", {"session_id": key}).status_code == 303
    assert tablet.get("/").location == "/masuk"
    assert "sudah diputus" in desk.get("/perangkat").text
    assert Web(pages).sign_in("nur").status_code == 303, "her account is as it was"
