"""One step of an invented case, with what must be there before: papers that were checked, a look into the national list."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.access import Actor
from appliance.casework import cases, papers
from appliance.casework.papers import Judgement
from appliance.casework.similar import similar_to
from appliance.database import db, settings_in_use
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.profile import Listed, NationalList
from appliance.registry.list_status import NewStatus, note_status
from appliance.sample.stories import Step


def take_step(case_id: str, step: Step, by: Actor, at: datetime) -> None:
    """Do what is missing for the step, then the step."""
    case = db.session.get_one(Case, case_id)
    fields = {name: _filled(name, text, at) for name, text in step.fields.items()}
    if step.action == "sahkan":
        _show_papers(case, by, at - timedelta(minutes=5))
        fields["duplicates_seen"] = similar_to(case, by).mark
    if step.action == "ajukan" and case.service_type.needs_list_check:
        _look_up(case, by, at)
    cases.move_case(case_id, step.action, fields, row_version=case.row_version, by=by, at=at)


def _filled(name: str, text: str, at: datetime) -> str:
    if name.endswith("_date"):
        return f"{at.astimezone(settings_in_use().zone):%Y-%m-%d}"
    if name == "visitor":
        return db.session.scalars(sa.select(Account.id).where(Account.username == text)).one()
    return text


def _show_papers(case: Case, by: Actor, at: datetime) -> None:
    """The originals were shown at the desk. Done before, when the filling was cut off between the two."""
    if papers.count_open(case):
        told = {name: Judgement("sah") for name in papers.requirements_of(case)}
        papers.check_papers(case.id, told, row_version=case.row_version, by=by, at=at)


def _look_up(case: Case, by: Actor, at: datetime) -> None:
    newest = db.session.scalars(sa.select(NationalList.id).where(NationalList.code == "dtsen")).one()
    day = at.astimezone(settings_in_use().zone).date()
    seen = NewStatus(newest, Listed.NO, day, family=False, evidence="Data contoh")
    note_status(case.applicant_id, seen, request_id=f"contoh-cek-{case.number}", by=by, at=at)
