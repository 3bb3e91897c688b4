"""Who else is at the same case: told while it holds, forgotten after, and only to who may see the case."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.casework import casebook
from appliance.casework.looking import BELIEVED, keep_looking
from appliance.database import db
from appliance.errors import NotFound
from appliance.models.audit import AuditEntry
from appliance.models.deadline import CaseLook
from tests.support.desk import open_case
from tests.support.staff import AT, Staff


def test_two_at_one_case_are_told_of_each_other(app: Flask, staff: Staff) -> None:
    case, other = open_case(staff.fo), open_case(staff.fo)
    assert casebook.look_at_case(case, by=staff.bo, at=AT).others == ()
    later = AT + timedelta(seconds=30)
    (seen,) = casebook.look_at_case(case, by=staff.supervisor, at=later).others
    assert (seen.name, seen.since) == (staff.bo.name, AT)
    assert [line.name for line in keep_looking(case, by=staff.bo, at=later)] == [staff.supervisor.name]
    assert keep_looking(other, by=staff.bo, at=later) == ()
    gone = later + BELIEVED
    assert keep_looking(case, by=staff.bo, at=gone - timedelta(seconds=1)) != ()
    assert keep_looking(case, by=staff.bo, at=gone) == ()
    assert db.session.scalar(sa.select(sa.func.count()).where(CaseLook.case_id == case)) == 1, "old looks are forgotten"


def test_a_stranger_is_told_nothing_and_the_poll_writes_no_journal(app: Flask, staff: Staff) -> None:
    case = open_case(staff.facilitator, confidential=True)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    for by in (staff.stranger, staff.neighbour, staff.leader):
        with pytest.raises(NotFound):
            keep_looking(case, by=by, at=AT)
    keep_looking(case, by=staff.facilitator, at=AT)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry)) == before
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CaseLook)) == 1
