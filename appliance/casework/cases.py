"""Opening a case and moving it through its life. Each function is one transaction, one event of history, one audit entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance import audit
from appliance.access import REGISTRAR_ROLES, Actor, require, require_area, scope
from appliance.casework import due_times, effects
from appliance.casework.catalogue import CATEGORIES, SECRETARIAT, kind_of
from appliance.casework.facts import facts_of
from appliance.casework.history import Fact, add_fact, next_number
from appliance.casework.moving import locked_case, record_move
from appliance.casework.papers import store_all
from appliance.casework.referral_moving import end_with_case
from appliance.casework.step_values import LONGEST_TEXT, checked_values, fact_of, with_choices
from appliance.casework.tickets import attach_case
from appliance.casework.transitions import TRANSITIONS, Action, Transition, effect, may, missing_condition
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.models.case import Case, ServiceType
from appliance.models.person import Person
from appliance.models.states import (
    ENDED,
    CaseKind,
    CaseState,
    Channel,
    Outcome,
    Priority,
    Vulnerable,
)
from appliance.models.unit import Unit
from appliance.registry.people import person_in_scope

# Of the words that are read out before anything is written down (webui/templates/citizen/notice.html); it grows with them.
NOTICE_VERSION = "1"
CLOCK_TOLERANCE = timedelta(minutes=10)
TAKES_PHOTOS = frozenset(line.action for line in TRANSITIONS if any(field.kind == "files" for field in line.fields))
_CHOICES: tuple[tuple[str, set[str], str], ...] = (
    ("kind", {*CaseKind, ""}, "Pilih pertanyaan, saran, pengaduan, atau permohonan."),
    ("channel", set(Channel), "Pilih dari mana keluhan diterima."),
    ("priority", set(Priority), "Pilih prioritas."),
    ("category", {*CATEGORIES, ""}, "Pilih kategori keluhan."),
)


@dataclass(frozen=True)
class NewCase:
    """What is typed when a case is opened. The village is the applicant's; `kind` and `category` may be left to the service type.

    With `outcome` a simple service is finished in the same act; an empty `outcome_note` is what the citizen was told.

    `origin_id` is the ended case of the same person that this one goes on from; `ticket_id` the card in the officer's hand.
    """

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
    origin_id: str = ""
    ticket_id: str = ""
    outcome: str = ""
    outcome_note: str = ""
    citizen_note: str = ""


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


def move_case(  # noqa: PLR0913  a step, what was typed for it, and who took it
    case_id: str,
    action: Action | str,
    fields: Mapping[str, str],
    *,
    photos: Sequence[bytes] = (),
    row_version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Do `action` with a case as it stood at `row_version`; `fields` and `photos` are what the action asks for.

    A field that takes several codes holds them joined by commas, one that takes a date holds it as ISO.
    Raises Conflict when the case has changed or is past this step, NotAllowed with the reason, InvalidInput, NotFound.
    """
    stored = store_all(photos, field="photos", pdf=False) if action in TAKES_PHOTOS else []
    with transaction():
        case = locked_case(case_id, by)
        line = with_choices(_line_for(case, action, row_version, by, at), case, by, at)
        values = checked_values(line, fields)
        effects.apply(case, line.action, values, stored, by=by, at=at)
        if line.target in ENDED:
            end_with_case(case, by=by, at=at)
        record_move(case, line, fact_of(line, values, by.roles_in(case.village_code)), by=by, at=at)
        if line.action is Action.CONFIRM_TRUE:
            follow(case, Action.FORWARD_FROM_FIELD, by, at)


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
    origin = _origin(new, by) if new.origin_id else None
    case = _case(new, applicant, service, at)
    case.request_id, case.origin_id = request_id, origin.id if origin else None
    case.number = next_number("SLRT", at)
    case.owner_unit_id = db.session.scalar(sa.select(Unit.id).where(Unit.code == SECRETARIAT))
    case.stamp(by.account_id, at)
    db.session.add(case)
    db.session.flush()
    if new.ticket_id:
        attach_case(case, new.ticket_id, by=by)
    role = next(iter(sorted(REGISTRAR_ROLES & by.roles_in(case.village_code))), None)
    details = {"Pemberitahuan data pribadi": f"dibacakan, naskah {NOTICE_VERSION}"}
    if origin:
        details["Lanjutan dari"] = origin.number
    add_fact(case, Fact(Action.OPEN, role, details=details), state_from=CaseState.DRAFT, by=by, at=at)
    audit.record(
        "kasus",
        f"case:{case.id}",
        by=by,
        at=at,
        detail={"aksi": Action.OPEN.value, "nomor": case.number, "pemberitahuan": NOTICE_VERSION},
    )
    if new.outcome:
        _finish_at_once(case, new, by, at)
    return OpenedCase(case.id, case.number)


def _finish_at_once(case: Case, new: NewCase, by: Actor, at: datetime) -> None:
    line = _line_for(case, Action.FINISH_AT_ONCE, case.row_version, by, at)
    told = {
        "outcome": new.outcome,
        "outcome_note": new.outcome_note.strip() or new.citizen_note,
        "citizen_note": new.citizen_note,
    }
    values = checked_values(line, told)
    effects.apply(case, line.action, values, (), by=by, at=at)
    record_move(case, line, fact_of(line, values, by.roles_in(case.village_code)), by=by, at=at)


def _origin(new: NewCase, by: Actor) -> Case:
    """The ended case that this one goes on from."""
    statement = scope(sa.select(Case).where(Case.id == new.origin_id, Case.applicant_id == new.applicant_id), Case, by)
    case = db.session.scalar(statement)
    if case is None or CaseState(case.state) not in ENDED:
        raise InvalidInput({"origin_id": "Kasus asal harus kasus warga ini yang sudah berakhir."})
    return case


def _problems(new: NewCase, service: ServiceType | None, at: datetime) -> dict[str, str]:
    problems = {name: sentence for name, words, sentence in _CHOICES if getattr(new, name) not in words}
    problems |= {
        name: f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."
        for name in ("description", "expectation", "outcome_note", "citizen_note")
        if len(getattr(new, name)) > LONGEST_TEXT
    }
    if service is None or not service.active:
        problems["service_type_id"] = "Pilih jenis layanan; daftarnya mungkin baru saja diubah."
    if not new.description.strip():
        problems["description"] = "Uraian keluhan wajib diisi."
    if not set(new.vulnerable_groups) <= set(Vulnerable):
        problems["vulnerable_groups"] = "Pilih kelompok rentan dari daftar."
    if not new.informed:
        problems["informed"] = "Bacakan dahulu pemberitahuan pemrosesan data pribadi."
    if new.received_at and new.received_at > at + CLOCK_TOLERANCE:
        problems["received_at"] = "Waktu diterima belum terjadi; periksa jam perangkat."
    return problems | _reason_problems(new) | _solved_problems(new, service)


def _reason_problems(new: NewCase) -> dict[str, str]:
    problems: dict[str, str] = {}
    if new.priority == Priority.EMERGENCY and not new.priority_reason.strip():
        problems["priority_reason"] = "Tulis mengapa kasus ini darurat."
    if new.reporter_is_proxy and not new.reporter_name.strip():
        problems["reporter_name"] = "Tulis nama kuasa atau pelapor."
    return problems


def _solved_problems(new: NewCase, service: ServiceType | None) -> dict[str, str]:
    if not (new.outcome or new.outcome_note.strip() or new.citizen_note.strip()):
        return {}
    problems = {}
    if new.outcome not in set(Outcome):
        problems["outcome"] = "Pilih hasilnya, atau kosongkan uraiannya bila kasus belum selesai."
    elif service is not None and not service.simple:
        problems["outcome"] = "Layanan ini tidak boleh selesai di loket; kosongkan hasilnya agar diteruskan ke Back Office."
    if new.outcome and not new.citizen_note.strip():
        problems["citizen_note"] = "Tulis apa yang disampaikan kepada warga."
    return problems


def _case(new: NewCase, applicant: Person, service: ServiceType, at: datetime) -> Case:
    received = new.received_at or at
    case = Case(
        channel=new.channel,
        kind=new.kind or kind_of(service),
        category=new.category or service.category,
        service_type=service,
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
    )
    due_times.begin(case, at)
    return case


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
