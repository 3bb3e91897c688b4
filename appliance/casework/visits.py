"""Visits: planned, reported, confirmed or returned. The steps are those of the case's table; here is what they write, and the lists.

A case has at most one visit that is not settled; the case's lock keeps it so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from appliance import audit
from appliance.access import Actor, in_areas, scope
from appliance.casework.papers import PaperLine, keep_papers, papers_of
from appliance.casework.step_fields import VISIT_RESULTS, VISIT_RETURN_REASONS
from appliance.casework.transitions import Action
from appliance.database import db, settings_in_use, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.person import NAME_LENGTH
from appliance.models.roles import Role
from appliance.models.states import CaseState, VisitResult, VisitState
from appliance.models.visit import Visit, VisitReport
from appliance.registry.areas import area_names
from appliance.registry.file_store import Stored

MOST_SHOWN = 200
UNSETTLED = (VisitState.PLANNED, VisitState.REPORTED, VisitState.RETURNED)
TO_DO = (VisitState.PLANNED, VisitState.RETURNED)
VISITORS = frozenset({Role.FASILITATOR, Role.TKSK})
JUDGES = frozenset({Role.SUPERVISOR, Role.KOORDINATOR_PUSKESOS})
_REPORTED = ("visitor_id", "visited_on", "result", "report", "witness", "latitude", "longitude", "judgement")
_RESULTS, _REASONS = dict(VISIT_RESULTS), dict(VISIT_RETURN_REASONS)


@dataclass(frozen=True)
class ReportLine:
    """A report that was returned, as it was, and why it was."""

    visitor_name: str
    visited_on: date | None
    result: str
    report: str
    witness: str
    place: str
    judgement: str
    judged_at: datetime


@dataclass(frozen=True)
class VisitLine:
    """One visit in a list; `late` when its day is over and nothing was reported. `returned`: its reports before the one that stands
    in it, the first first.
    """

    id: str
    case_id: str
    case_number: str
    applicant_name: str
    village: str
    service: str
    visitor_id: str
    visitor_name: str
    state: VisitState
    planned_on: date | None
    instruction: str
    visited_on: date | None
    result: str
    report: str
    witness: str
    place: str
    judgement: str
    late: bool
    returned: tuple[ReportLine, ...]


@dataclass(frozen=True)
class VisitsFound:
    """What waits for the reader: visits to make, reports to judge, and what she reported that is not judged yet.

    `capped`: of one of them there is more than is shown, the earliest first.
    """

    to_do: tuple[VisitLine, ...]
    to_judge: tuple[VisitLine, ...]
    reported: tuple[VisitLine, ...]

    @property
    def capped(self) -> bool:
        """Whether a list was cut."""
        return any(len(lines) == MOST_SHOWN for lines in (self.to_do, self.to_judge, self.reported))


@dataclass(frozen=True)
class VisitSheet:
    """What is printed for a visit. Of a confidential case neither complaint nor service nor what to look at: a neighbour signs it."""

    visit: VisitLine
    address: str
    hamlet: str
    rt: str
    rw: str
    complaint: str
    photos: tuple[PaperLine, ...]
    printed_for: str


def unsettled_visit(case_id: str) -> Visit | None:
    """The visit that is planned, reported or returned; None without one. For services."""
    return db.session.scalar(sa.select(Visit).where(Visit.case_id == case_id, Visit.state.in_(UNSETTLED)))


def was_visited(case_id: str) -> bool:
    """Whether somebody went, met the family, and another found the report right. For services."""
    statement = sa.select(Visit.id).where(
        Visit.case_id == case_id, Visit.state == VisitState.CONFIRMED, Visit.result != VisitResult.NOT_MET
    )
    return db.session.scalar(statement.limit(1)) is not None


def apply_step(
    case: Case, action: Action, values: Mapping[str, str], photos: Sequence[Stored], *, by: Actor, at: datetime
) -> None:
    """What a step about a visit writes. For `casework.effects`, with the case locked and the step allowed."""
    if action is Action.PLAN_VISIT:
        _plan(case, values, by, at)
        return
    visit = unsettled_visit(case.id)
    if action is Action.VISIT:
        _report(case, visit or _unplanned(case, by), values, photos, by, at)
    elif visit is not None:
        visit.state = {
            Action.CONFIRM_VISIT: VisitState.CONFIRMED,
            Action.RETURN_VISIT: VisitState.RETURNED,
            Action.CANCEL_VISIT: VisitState.CANCELLED,
        }[action]
        visit.judged_by = by.account_id
        reasons = [_REASONS[code] for code in values.get("visit_reasons", "").split(",") if code]
        visit.judgement = "\n".join(filter(None, ["; ".join(reasons), values.get("note", "")]))
        visit.stamp(by.account_id, at)
        if action is Action.RETURN_VISIT:
            _keep_report(visit, by, at)


def reported_by(visit: Visit, account_id: str) -> bool:
    """Whether she made the visit, or a report of it that was returned. For services."""
    return account_id in {visit.visitor_id, *(report.visitor_id for report in visit.returned)}


def visits_of(case: Case, at: datetime) -> tuple[VisitLine, ...]:
    """The visits of a case, the newest first. For services; the case is in the reader's scope."""
    rows = db.session.scalars(
        _joined(sa.select(Visit)).where(Visit.case_id == case.id).order_by(Visit.id.desc()).limit(MOST_SHOWN)
    )
    return _lines(list(rows), at)


def list_visits(*, by: Actor, at: datetime) -> VisitsFound:
    """What waits for `by`: visits to make, her own and others in her villages; as a leader the reports of others."""
    seen = scope(sa.select(Case.id), Case, by).where(Case.state == CaseState.VERIFYING)
    near = sa.or_(Visit.visitor_id == by.account_id, _in_villages(by, JUDGES | VISITORS))
    judged = _in_villages(by, JUDGES)

    def lines(*conditions: sa.ColumnElement[bool]) -> tuple[VisitLine, ...]:
        statement = _joined(sa.select(Visit)).join(Case, Case.id == Visit.case_id).where(Visit.case_id.in_(seen), *conditions)
        return _lines(list(db.session.scalars(statement.order_by(Visit.planned_on, Visit.id).limit(MOST_SHOWN))), at)

    return VisitsFound(
        to_do=lines(Visit.state.in_(TO_DO), near),
        to_judge=lines(Visit.state == VisitState.REPORTED, judged, Visit.visitor_id != by.account_id),
        reported=lines(Visit.state == VisitState.REPORTED, Visit.visitor_id == by.account_id),
    )


def sheet_of(visit_id: str, *, by: Actor, at: datetime) -> VisitSheet:
    """The sheet to print. Written to the journal. Raises NotFound."""
    with transaction():
        seen = scope(sa.select(Case.id), Case, by)
        visit = db.session.scalar(_joined(sa.select(Visit)).where(Visit.id == visit_id, Visit.case_id.in_(seen)))
        if visit is None:
            raise NotFound("Kunjungan tidak ditemukan.", "Buka daftar kunjungan, lalu pilih dari sana.")
        (line,) = _lines([visit], at)
        case, family = visit.case, visit.case.applicant.family
        sheet = VisitSheet(
            visit=replace(line, service="", instruction="") if case.confidential else line,
            address=family.address if family else "",
            hamlet=family.hamlet if family else "",
            rt=family.rt if family else "",
            rw=family.rw if family else "",
            complaint="" if case.confidential else case.description,
            photos=tuple(paper for paper in papers_of(case, by).others if paper.visit_id == visit.id and paper.has_thumbnail),
            printed_for=by.name,
        )
        audit.record("cetak", f"visit:{visit.id}", by=by, at=at, detail={"kasus": case.id})
        return sheet


def _plan(case: Case, values: Mapping[str, str], by: Actor, at: datetime) -> None:
    planned = date.fromisoformat(values["planned_date"])
    if planned < _day(at):
        raise InvalidInput({"planned_date": "Tanggal kunjungan paling awal hari ini."})
    visit = Visit(
        case_id=case.id,
        visitor_id=values["visitor"],
        state=VisitState.PLANNED,
        planned_on=planned,
        instruction=values.get("note", ""),
    )
    visit.stamp(by.account_id, at)
    db.session.add(visit)


def _unplanned(case: Case, by: Actor) -> Visit:
    """A facilitator who went without being sent."""
    visit = Visit(case_id=case.id, visitor_id=by.account_id)
    db.session.add(visit)
    return visit


def _report(case: Case, visit: Visit, values: Mapping[str, str], photos: Sequence[Stored], by: Actor, at: datetime) -> None:
    went = date.fromisoformat(values["visit_date"])
    latitude, longitude, problems = _place(values)
    if not _day(case.received_at) <= went <= _day(at):
        problems["visit_date"] = "Tanggal kunjungan sesudah kasus diterima dan paling lambat hari ini."
    if len(values["witness"]) > NAME_LENGTH:
        problems["witness"] = f"Terlalu panjang; paling banyak {NAME_LENGTH} huruf."
    if problems:
        raise InvalidInput(problems)
    visit.state, visit.visitor_id = VisitState.REPORTED, by.account_id
    visit.visited_on, visit.result, visit.report = went, values["visit_result"], values["note"]
    visit.witness, visit.latitude, visit.longitude = values["witness"], latitude, longitude
    visit.stamp(by.account_id, at)
    db.session.flush()
    keep_papers(case, photos, title=f"Kunjungan {went:%d-%m-%Y}", visit_id=visit.id, by=by, at=at)


def _keep_report(visit: Visit, by: Actor, at: datetime) -> None:
    """The returned report stays as it is, whatever the next one says."""
    known = db.session.scalar(sa.select(sa.func.max(VisitReport.position)).where(VisitReport.visit_id == visit.id)) or 0
    kept = {name: getattr(visit, name) for name in _REPORTED}
    db.session.add(VisitReport(visit_id=visit.id, position=known + 1, judged_by=by.account_id, judged_at=at, **kept))


def _place(values: Mapping[str, str]) -> tuple[float | None, float | None, dict[str, str]]:
    """Latitude and longitude in degrees, both or neither."""
    problems: dict[str, str] = {}
    found: list[float | None] = []
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        typed = values[name].replace(",", ".")
        try:
            number = float(typed) if typed else None
        except ValueError:
            number = most + 1
        if number is not None and not -most <= number <= most:
            problems[name] = "Tulis derajat sebagai angka, contoh -5,5417."
        found.append(number)
    if not problems and (found[0] is None) != (found[1] is None):
        problems["latitude" if found[0] is None else "longitude"] = "Isi lintang dan bujur, atau kosongkan keduanya."
    return found[0], found[1], problems


def _in_villages(by: Actor, roles: frozenset[Role]) -> sa.ColumnElement[bool]:
    return in_areas(Case.village_code, by.areas_of(roles))


def _joined(statement: sa.Select[Visit]) -> sa.Select[Visit]:
    case = joinedload(Visit.case)
    return statement.options(
        case.joinedload(Case.applicant),
        case.joinedload(Case.service_type),
        joinedload(Visit.visitor),
        selectinload(Visit.returned).joinedload(VisitReport.visitor),
    )


def _lines(rows: list[Visit], at: datetime) -> tuple[VisitLine, ...]:
    villages = area_names({row.case.village_code for row in rows})
    return tuple(_line(row, row.visitor, villages.get(row.case.village_code, ""), _day(at)) for row in rows)


def _line(row: Visit, visitor: Account, village: str, today: date) -> VisitLine:
    state = VisitState(row.state)
    return VisitLine(
        id=row.id,
        case_id=row.case_id,
        case_number=row.case.number,
        applicant_name=row.case.applicant.name,
        village=village,
        service=row.case.service_type.name,
        visitor_id=row.visitor_id,
        visitor_name=visitor.name,
        state=state,
        planned_on=row.planned_on,
        instruction=row.instruction,
        visited_on=row.visited_on,
        result=_RESULTS.get(row.result, row.result),
        report=row.report,
        witness=row.witness,
        place=_place_words(row),
        judgement=row.judgement,
        late=state in TO_DO and row.planned_on is not None and row.planned_on < today,
        returned=tuple(_report_line(report) for report in (row.returned[:-1] if state is VisitState.RETURNED else row.returned)),
    )


def _report_line(row: VisitReport) -> ReportLine:
    return ReportLine(
        visitor_name=row.visitor.name,
        visited_on=row.visited_on,
        result=_RESULTS.get(row.result, row.result),
        report=row.report,
        witness=row.witness,
        place=_place_words(row),
        judgement=row.judgement,
        judged_at=row.judged_at,
    )


def _place_words(row: Visit | VisitReport) -> str:
    return "" if row.latitude is None or row.longitude is None else f"{row.latitude:.6f}, {row.longitude:.6f}"


def _day(at: datetime) -> date:
    return at.astimezone(settings_in_use().zone).date()
