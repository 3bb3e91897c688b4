"""Short ways to what service tests need to be there already: a resident, an open case, a case in a state, a referral."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from typing import Any

from appliance.access import Actor
from appliance.casework import casebook, cases, catalogue, papers, referrals
from appliance.registry import people
from tests.support.staff import AT, HOME, Staff

_numbers = itertools.count(1)


def request() -> str:
    """A token as a form carries it."""
    return f"request-{next(_numbers)}"


def resident(by: Actor, name: str = "Sitti Aminah", village: str = HOME, **rest: Any) -> str:
    """Register somebody; her identifier. Without a NIK unless one is given."""
    rest.setdefault("nik_reason", "" if rest.get("nik") else "Belum merekam KTP-el")
    new = people.NewPerson(name=name, village_code=village, **{"sex": "P", "birth_date": date(1980, 1, 1), **rest})
    return people.register_person(new, request_id=request(), by=by, at=AT)


def service(code: str = "biaya-perawatan") -> str:
    return next(choice.id for choice in catalogue.service_types() if choice.code == code)


def new_case(person: str, **changes: Any) -> cases.NewCase:
    """What is typed for a plain case, with changes."""
    known: dict[str, Any] = {"service_type_id": service(), "kind": "permohonan", "description": "Butuh biaya berobat"}
    return cases.NewCase(applicant_id=person, informed=True, **{**known, **changes})


def open_case(by: Actor, person: str | None = None, at: datetime = AT, **changes: Any) -> str:
    """Open a case; its identifier."""
    person = person or resident(by)
    return cases.open_case(new_case(person, **changes), request_id=request(), by=by, at=at).id


def move(case: str, by: Actor, action: str, at: datetime = AT, **fields: str) -> None:
    """One step on the case as it is now."""
    seen = casebook.look_at_case(case, by=by, at=at)
    cases.move_case(case, action, fields, row_version=seen.row_version, by=by, at=at)


def show_papers(case: str, by: Actor, at: datetime = AT) -> None:
    """Every paper that the service asks for was shown and found right."""
    seen = casebook.look_at_case(case, by=by, at=at)
    told = {line.name: papers.Judgement("sah") for line in seen.papers.requirements if line.state != "sah"}
    if told:
        papers.check_papers(case, told, row_version=seen.row_version, by=by, at=at)


def confirm(case: str, by: Actor, at: datetime = AT) -> None:
    """Confirm a case that was taken: its papers are right, what is similar was looked at."""
    show_papers(case, by, at)
    offers = casebook.look_at_case(case, by=by, at=at).actions
    (mark,) = (
        field.choices[0][0] for offer in offers if offer.action == "sahkan" for field in offer.fields if field.kind == "check"
    )
    move(case, by, "sahkan", at, duplicates_seen=mark)


def verify(case: str, by: Actor, at: datetime = AT) -> None:
    """From BARU to TELAAH."""
    move(case, by, "ambil", at)
    confirm(case, by, at)
    move(case, by, "teruskan", at)


def decided(staff: Staff, **changes: Any) -> str:
    """A case that the manager has decided to refer."""
    case = open_case(staff.fo, **changes)
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Rujuk")
    move(case, staff.manager, "tetapkan_dirujuk")
    return case


def prepare_referral(staff: Staff, case: str, unit: str = "dinkes", **changes: Any) -> str:
    """A referral that is written but not sent; its identifier."""
    known: dict[str, Any] = {"summary": "Mohon bantuan", "share": ("nama", "uraian")}
    new = referrals.NewReferral(unit_id=catalogue.unit_id(unit), **{**known, **changes})
    return referrals.refer_case(case, new, request_id=request(), by=staff.bo, at=AT)


def version_of(referral: str, by: Actor) -> int:
    return casebook.look_at_referral(referral, by=by, at=AT).line.row_version


def referred(staff: Staff, case: str | None = None, unit: str = "dinkes", **changes: Any) -> str:
    """A referral that was sent; its identifier."""
    referral = prepare_referral(staff, case or decided(staff), unit, **changes)
    referrals.send_referral(referral, row_version=version_of(referral, staff.bo), by=staff.bo, at=AT)
    return referral
