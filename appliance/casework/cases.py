"""Opening a case and moving it through its life. Each function is one transaction, one event of history, one audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from appliance import audit
from appliance.access import REGISTRAR_ROLES, Actor, require, require_area, scope
from appliance.casework import sla
from appliance.casework.catalogue import CATEGORIES, SECRETARIAT
from appliance.casework.history import Fact, add_fact, next_number
from appliance.casework.transitions import (
    REFERRAL_OPEN,
    Action,
    Facts,
    Field,
    Transition,
    effect,
    may,
    missing_condition,
)
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.case import Case, Referral, ServiceType
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.models.states import (
    CLOCK_STOPPED,
    CaseKind,
    CaseState,
    Channel,
    Outcome,
    Priority,
    Vulnerable,
)
from appliance.models.unit import Unit
from appliance.registry.people import person_in_scope

LONGEST_TEXT = 5000
CLOCK_TOLERANCE = timedelta(minutes=10)
_NOTES = ("note", "citizen_note")
_CHOICES: tuple[tuple[str, set[str], str], ...] = (
    ("kind", set(CaseKind), "Pilih pertanyaan, saran, pengaduan, atau permohonan."),
    ("channel", set(Channel), "Pilih dari mana keluhan diterima."),
    ("priority", set(Priority), "Pilih prioritas."),
    ("category", {*CATEGORIES, ""}, "Pilih kategori keluhan."),
)


@dataclass(frozen=True)
class NewCase:
    """What is typed when a case is opened. The village is the applicant's; `category` may be left to the service type."""

    applicant_id: str
    service_type_id: str
    kind: str
    description: str
    category: str = ""
    channel: str = Channel.COUNTER.value
    expectation: str = ""
    priority: str = Priority.NORMAL.value
    priority_reason: str = ""
    vulnerable_groups: tuple[str, ...] = ()
    confidential: bool = False
    reporter_name: str = ""
    reporter_relation: str = ""
    reporter_phone: str = ""
    reporter_is_proxy: bool = False
    informed: bool = False
    received_at: datetime | None = None


@dataclass(frozen=True)
class OpenedCase:
    """The new case, by its identifier and by the number on the citizen's slip."""

    id: str
    number: str


def open_case(new: NewCase, *, request_id: str, by: Actor, at: datetime) -> OpenedCase:
    """Open a case; it begins as BARU. The same `request_id` again gives the same case, however often it is sent.

    Raises InvalidInput with all problems, NotFound for an applicant outside of the scope, NotAllowed.
    """
    require(by, *REGISTRAR_ROLES)
    try:
        with transaction():
            return _opened(request_id, by) or _open(new, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request or began the month's series: the second look sees it.
        with transaction():
            return _opened(request_id, by) or _open(new, request_id, by, at)


def move_case(
    case_id: str, action: Action | str, fields: Mapping[str, str], *, row_version: int, by: Actor, at: datetime
) -> None:
    """Do `action` with a case as it stood at `row_version`; `fields` are what the action asks for.

    Raises Conflict when the case has changed or is past this step, NotAllowed with the reason, InvalidInput, NotFound.
    """
    with transaction():
        case = locked_case(case_id, by)
        line = _line_for(case, action, row_version, by, at)
        values = _values(line, fields)
        _apply(case, line, values, by, at)
        record_move(case, line, _fact(line, values, by.roles_in(case.village_code)), by=by, at=at)


def locked_case(case_id: str, by: Actor) -> Case:
    """The case, if `by` may see it, kept from all other writers until the transaction ends. Raises NotFound. For services."""
    statement = scope(sa.select(Case).where(Case.id == case_id), Case, by).with_for_update(of=Case)
    case = db.session.scalar(statement)
    if case is None:
        raise NotFound("Kasus tidak ditemukan.", "Cari lagi dengan nomor kasus atau nama pemohon.")
    return case


def facts_of(case: Case, by: Actor, at: datetime) -> Facts:
    """What the conditions of the transition table ask about this case. For services."""
    referrals = sa.select(sa.func.count()).where(Referral.case_id == case.id, Referral.state.in_(REFERRAL_OPEN))
    return Facts(
        channel=Channel(case.channel),
        by_creator=case.created_by == by.account_id,
        simple=case.service_type.simple,
        emergency=case.priority == Priority.EMERGENCY,
        referrals_open=db.session.scalar(referrals) or 0,
        days_since_end=(at - case.state_since).days,
    )


def record_move(case: Case, line: Transition, fact: Fact, *, by: Actor, at: datetime) -> None:
    """Put the case into the line's target state and write the fact to its history and to the journal. For services."""
    before = CaseState(case.state)
    _turn_clock(case, before, line.target, at)
    if line.target != before:
        case.state_since = at
    case.state = line.target
    case.closed_at = at if line.target is CaseState.CLOSED else None
    add_fact(case, fact, state_from=before, by=by, at=at)
    audit.record("kasus", f"case:{case.id}", by=by, at=at, detail={"aksi": fact.action, "ke": line.target.value})


def follow(case: Case, action: Action, by: Actor, at: datetime) -> None:
    """The effect of something else on the case, if its state and conditions call for it: what the node does by itself."""
    line = effect(action)
    if CaseState(case.state) in line.sources and not missing_condition(line, facts_of(case, by, at)):
        record_move(case, line, Fact(line.action, None), by=by, at=at)


def _opened(request_id: str, by: Actor) -> OpenedCase | None:
    known = sa.select(Case.id, Case.number).where(Case.request_id == request_id, Case.created_by == by.account_id)
    found = db.session.execute(known).first()
    return OpenedCase(found.id, found.number) if found else None


def _open(new: NewCase, request_id: str, by: Actor, at: datetime) -> OpenedCase:
    service = db.session.get(ServiceType, new.service_type_id)
    problems = _problems(new, service, at)
    if problems or service is None:
        raise InvalidInput(problems)
    applicant = person_in_scope(new.applicant_id, by)
    require_area(by, applicant.village_code, *REGISTRAR_ROLES)
    case = _case(new, applicant, service, at)
    case.request_id = request_id
    case.number = next_number("SLRT", at)
    case.owner_unit_id = db.session.scalar(sa.select(Unit.id).where(Unit.code == SECRETARIAT))
    case.stamp(by.account_id, at)
    db.session.add(case)
    db.session.flush()
    role = next(iter(sorted(REGISTRAR_ROLES & by.roles_in(case.village_code))), None)
    add_fact(case, Fact(Action.OPEN, role), state_from=CaseState.DRAFT, by=by, at=at)
    audit.record("kasus", f"case:{case.id}", by=by, at=at, detail={"aksi": Action.OPEN.value, "nomor": case.number})
    return OpenedCase(case.id, case.number)


def _problems(new: NewCase, service: ServiceType | None, at: datetime) -> dict[str, str]:
    problems = {name: sentence for name, words, sentence in _CHOICES if getattr(new, name) not in words}
    problems |= {
        name: f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."
        for name in ("description", "expectation")
        if len(getattr(new, name)) > LONGEST_TEXT
    }
    if service is None or not service.active:
        problems["service_type_id"] = "Pilih jenis layanan."
    if not new.description.strip():
        problems["description"] = "Uraian keluhan wajib diisi."
    if not set(new.vulnerable_groups) <= set(Vulnerable):
        problems["vulnerable_groups"] = "Pilih kelompok rentan dari daftar."
    if not new.informed:
        problems["informed"] = "Bacakan dahulu pemberitahuan pemrosesan data pribadi."
    if new.received_at and new.received_at > at + CLOCK_TOLERANCE:
        problems["received_at"] = "Waktu diterima belum terjadi; periksa jam perangkat."
    return problems | _reason_problems(new)


def _reason_problems(new: NewCase) -> dict[str, str]:
    problems: dict[str, str] = {}
    if new.priority == Priority.EMERGENCY and not new.priority_reason.strip():
        problems["priority_reason"] = "Tulis mengapa kasus ini darurat."
    if new.reporter_is_proxy and not new.reporter_name.strip():
        problems["reporter_name"] = "Tulis nama kuasa atau pelapor."
    return problems


def _case(new: NewCase, applicant: Person, service: ServiceType, at: datetime) -> Case:
    received = new.received_at or at
    days = sla.days_for(service.working_days, Priority(new.priority))
    return Case(
        channel=new.channel,
        kind=new.kind,
        category=new.category or service.category,
        service_type_id=service.id,
        applicant_id=applicant.id,
        village_code=applicant.village_code,
        reporter_name=new.reporter_name.strip()[:120],
        reporter_relation=new.reporter_relation.strip()[:60],
        reporter_phone=new.reporter_phone.strip()[:20],
        reporter_is_proxy=new.reporter_is_proxy,
        description=new.description.strip(),
        expectation=new.expectation.strip(),
        priority=new.priority,
        priority_reason=new.priority_reason.strip()[:300],
        vulnerable_groups=list(new.vulnerable_groups),
        confidential=new.confidential,
        state=CaseState.NEW,
        state_since=at,
        received_at=received,
        stored_at=at,
        deadline=sla.due(received, days, settings_in_use().zone),
    )


def _line_for(case: Case, action: Action | str, row_version: int, by: Actor, at: datetime) -> Transition:
    if case.row_version != row_version:
        raise changed_meanwhile()
    if action not in set(Action):
        raise InvalidInput({"action": "Langkah ini tidak dikenal."})
    answer = may(Action(action), CaseState(case.state), by.roles_in(case.village_code), facts_of(case, by, at))
    if isinstance(answer, Transition):
        return answer
    if answer.impossible:
        raise Conflict(answer.text, "Muat ulang halaman untuk melihat langkah yang tersedia.")
    raise NotAllowed(answer.text, "Muat ulang halaman untuk melihat langkah yang tersedia.")


def _values(line: Transition, fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed for the fields of the line, cleaned; anything else that was sent is left out."""
    values = {field.name: fields.get(field.name, "").strip() for field in line.fields}
    problems = {field.name: problem for field in line.fields if (problem := _problem(field, values[field.name]))}
    if problems:
        raise InvalidInput(problems)
    return values


def _problem(field: Field, value: str) -> str:
    if not value:
        return f"{field.label} wajib diisi." if field.required else ""
    if len(value) > LONGEST_TEXT:
        return f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."
    if field.choices and value not in dict(field.choices):
        return "Pilih dari daftar."
    if field.kind == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            return "Tanggal tidak benar."
    return ""


def _apply(case: Case, line: Transition, values: dict[str, str], by: Actor, at: datetime) -> None:
    """What a step changes of the case besides its state."""
    if line.action in (Action.TAKE, Action.RECOMMEND):
        case.owner_id = by.account_id
    if "recommendation" in values:
        case.recommendation = values["recommendation"]
    if "outcome" in values:
        case.outcome, case.outcome_note = Outcome(values["outcome"]), values["outcome_note"]
    if values.get("satisfaction"):
        case.satisfaction = int(values["satisfaction"])
    if line.action is Action.MARK_DUPLICATE:
        case.duplicate_of_id = _original(case, values["duplicate_of"], by)


def _original(case: Case, number: str, by: Actor) -> str:
    named = scope(sa.select(Case.id).where(Case.number == number.upper(), Case.id != case.id), Case, by)
    found = db.session.scalar(named)
    if found is None:
        raise InvalidInput({"duplicate_of": f"Kasus {number} tidak ditemukan."})
    return found


def _fact(line: Transition, values: dict[str, str], roles: frozenset[Role]) -> Fact:
    """The values as the history keeps them: the two notes, and the rest under their labels."""
    details = {
        field.label: dict(field.choices).get(values[field.name], values[field.name])
        for field in line.fields
        if field.name not in _NOTES and values[field.name]
    }
    role = next(iter(sorted(line.by & roles)), None)
    return Fact(line.action, role, values.get("note", ""), values.get("citizen_note", ""), details)


def _turn_clock(case: Case, before: CaseState, after: CaseState, at: datetime) -> None:
    """Stop the clock while the citizen or somebody outside is to act; what it stood still is added to the deadline."""
    if after in CLOCK_STOPPED and case.clock_stopped_at is None:
        case.clock_stopped_at = at
    elif after not in CLOCK_STOPPED and before in CLOCK_STOPPED and case.clock_stopped_at:
        if case.deadline:
            case.deadline += at - case.clock_stopped_at
        case.clock_stopped_at = None
