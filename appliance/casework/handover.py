"""Handing villages over from one facilitator to her successor in one act: assignments, the cases she keeps, a frozen sheet.

All of it is one transaction. It takes effect on the day it is done: the list of what is open must be that of the day both sign.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import Actor
from appliance.casework.handover_assignments import begin_assignment, end_assignments
from appliance.casework.handover_rules import covered, fingerprint
from appliance.casework.handover_sheet import PassedCase, Signer, make_sheet, passed_case
from appliance.casework.history import Fact, add_facts, next_number
from appliance.database import Duplicate, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.columns import new_id
from appliance.models.handover import Handover, HandoverVillage
from appliance.models.roles import Role
from appliance.models.states import OPEN, CaseState
from appliance.registry.area_codes import at_any_time
from appliance.registry.areas import area_names

HANDING_ROLES = (Role.SUPERVISOR, Role.MANAJER)
SERIES = "BAST"
ACTION = "serah_terima"
LONGEST_NOTE = 1000
LONGEST_DECREE = 80
FARTHEST_PLAN = timedelta(days=366)
# What the recorder still has to do: repair what came back, tell the citizen the result.
_TO_DO = OPEN | {CaseState.DONE}


@dataclass(frozen=True)
class NewHandover:
    """Which villages go from whom to whom. `starts` is the first day of the successor: today."""

    from_account_id: str
    to_account_id: str
    village_codes: tuple[str, ...]
    starts: date | None
    decree: str = ""
    note: str = ""


@dataclass(frozen=True)
class Preview:
    """What would happen: the cases that pass, how many others are open there, and `seen`, the mark of this list."""

    giver: str
    taker: str
    villages: tuple[tuple[str, str], ...]
    cases: tuple[PassedCase, ...]
    others: int
    seen: str


class ListChanged(Conflict):
    """The cases are not those that were shown."""

    def __init__(self) -> None:
        super().__init__(
            "Daftar kasus berubah sejak ditampilkan; serah terima belum dilakukan.", "Periksa daftar yang baru, lalu serahkan."
        )


def preview(new: NewHandover, *, by: Actor, at: datetime) -> Preview:
    """What stands open and would pass, today or on a later day that is planned. Changes nothing. Raises InvalidInput, NotAllowed."""
    giver, taker = _checked(new, by, at, planned=is_planned(new, at))
    cases = db.session.scalars(_passing(giver.id, new.village_codes)).all()
    names = area_names(set(new.village_codes))
    return Preview(
        giver=giver.name,
        taker=taker.name,
        villages=tuple((code, names[code]) for code in sorted(new.village_codes)),
        cases=tuple(passed_case(case, names, at) for case in cases),
        others=_others(new.village_codes) - sum(case.state != CaseState.DONE for case in cases),
        seen=_mark(cases),
    )


def hand_over(new: NewHandover, *, seen: str, request_id: str, by: Actor, at: datetime) -> str:
    """Do it; the identifier of the record. The same `request_id` again gives the same record.

    `seen` is the mark of the list that was shown: ListChanged when it is no longer that. Raises InvalidInput, NotAllowed.
    """
    try:
        with transaction():
            return _done(request_id, by) or _hand_over(new, seen, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request or began the month's series: the second look sees it.
        with transaction():
            return _done(request_id, by) or _hand_over(new, seen, request_id, by, at)


def may_hand_over(village_code: str, by: Actor) -> bool:
    """Whether `by` may hand this village from one facilitator to another."""
    return by.has(Role.ADMIN) or by.has_in(village_code, *HANDING_ROLES)


def _done(request_id: str, by: Actor) -> str | None:
    return find_done(request_id, by.account_id)


def _hand_over(new: NewHandover, seen: str, request_id: str, by: Actor, at: datetime) -> str:
    giver, taker = _checked(new, by, at, lock=True)
    day = _today(at)
    # One order of locking for all writers: accounts above, cases by their identifier, then the series of numbers.
    cases = db.session.scalars(_passing(giver.id, new.village_codes).with_for_update(of=Case)).all()
    if _mark(cases) != seen:
        raise ListChanged
    number = next_number(SERIES, at)
    end_assignments(giver, new.village_codes, day, by, at)
    begin_assignment(taker, new.village_codes, day, new.decree.strip() or number, by, at)
    names = area_names(set(new.village_codes))
    listed = [passed_case(case, names, at) for case in cases]
    _pass(cases, giver, taker, number, by, at)
    sheet = make_sheet(
        number=number,
        day=day,
        people=tuple(Signer(account.name, account.nip or "") for account in (giver, taker)),
        villages=names,
        cases=listed,
        others=_others(new.village_codes) - sum(case.state != CaseState.DONE for case in cases),
        decree=new.decree.strip(),
        note=new.note.strip(),
        witness=_witness(new.village_codes[0], by),
    )
    return _store(new, sheet, number, request_id, by, at)


def _store(new: NewHandover, sheet: dict[str, object], number: str, request_id: str, by: Actor, at: datetime) -> str:
    handover = Handover(
        id=new_id(),
        number=number,
        request_id=request_id,
        from_account_id=new.from_account_id,
        to_account_id=new.to_account_id,
        starts=_today(at),
        cases=len(sheet["cases"]),  # type: ignore[arg-type]
        sheet=sheet,
        done_at=at,
        done_by=by.account_id,
    )
    db.session.add(handover)
    db.session.flush()
    db.session.add_all(HandoverVillage(village_code=code, handover_id=handover.id) for code in sorted(new.village_codes))
    digest = hashlib.sha256(json.dumps(sheet, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    detail = {
        "nomor": number,
        "dari": new.from_account_id,
        "kepada": new.to_account_id,
        "desa": sorted(new.village_codes),
        "kasus": handover.cases,
        "lembar": digest,
    }
    audit.record("serah-terima", f"handover:{handover.id}", by=by, at=at, detail=detail)
    return handover.id


def is_planned(new: NewHandover, at: datetime) -> bool:
    """Whether it is for a later day."""
    return new.starts is not None and new.starts > _today(at)


def check_plan(new: NewHandover, *, by: Actor, at: datetime) -> tuple[Account, Account]:
    """Both accounts, locked, if as far as is known today it can be done on the later day `new.starts`. Raises InvalidInput, NotAllowed."""
    return _checked(new, by, at, lock=True, planned=True)


def find_done(request_id: str, by_account_id: str) -> str | None:
    """The handover that this account made with this request already."""
    done = sa.select(Handover.id).where(Handover.request_id == request_id, Handover.done_by == by_account_id)
    return db.session.scalar(done)


def _checked(new: NewHandover, by: Actor, at: datetime, *, lock: bool = False, planned: bool = False) -> tuple[Account, Account]:
    """Both accounts, if everything that was typed holds. With `lock` nobody else changes their assignments meanwhile."""
    if not by.has(Role.ADMIN, *HANDING_ROLES) or not all(may_hand_over(code, by) for code in new.village_codes):
        raise NotAllowed("Desa/kelurahan itu di luar wilayah tugas Anda.", "Pilih desa/kelurahan di wilayah Anda.")
    wanted = sa.select(Account).where(Account.id.in_([new.from_account_id, new.to_account_id])).order_by(Account.id)
    if lock:
        # The assignments are read after the lock: of two handovers of one village the second sees the first.
        wanted = wanted.with_for_update(of=Account).execution_options(populate_existing=True)
    accounts = {account.id: account for account in db.session.scalars(wanted)}
    giver, taker = accounts.get(new.from_account_id), accounts.get(new.to_account_id)
    day = new.starts if planned and new.starts else _today(at)
    problems = _typed_problems(new, at, planned=planned) | _people_problems(new, giver, taker, day)
    if problems or giver is None or taker is None:
        raise InvalidInput(problems, hint="Perbaiki isian yang ditandai, lalu lanjutkan.")
    if not by.has(Role.ADMIN) and not _has_been_facilitator(taker):
        raise NotAllowed(
            f"{taker.name} belum pernah ditugaskan sebagai fasilitator.", "Minta admin memberi penugasan pertamanya, lalu ulangi."
        )
    return giver, taker


def _typed_problems(new: NewHandover, at: datetime, *, planned: bool = False) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not new.village_codes or len(set(new.village_codes)) != len(new.village_codes):
        problems["village_codes"] = "Pilih desa/kelurahan yang diserahkan."
    if new.starts is None:
        problems["starts"] = "Tulis tanggal serah terima."
    elif new.starts < _today(at):
        problems["starts"] = "Tanggal itu sudah lewat. Serah terima berlaku mulai hari ini."
    elif planned and not _today(at) < new.starts <= _today(at) + FARTHEST_PLAN:
        problems["starts"] = "Rencana dimulai paling cepat besok dan paling lambat setahun lagi."
    elif not planned and new.starts > _today(at):
        problems["starts"] = "Serah terima dilakukan pada harinya; untuk hari lain, simpan sebagai rencana."
    if len(new.decree) > LONGEST_DECREE:
        problems["decree"] = f"Terlalu panjang; paling banyak {LONGEST_DECREE} huruf."
    if len(new.note) > LONGEST_NOTE:
        problems["note"] = f"Terlalu panjang; paling banyak {LONGEST_NOTE} huruf."
    return problems


def _people_problems(new: NewHandover, giver: Account | None, taker: Account | None, day: date) -> dict[str, str]:
    problems: dict[str, str] = {}
    if giver is None:
        problems["from_account_id"] = "Pilih fasilitator yang menyerahkan."
    elif strange := [code for code in new.village_codes if not _serves(giver, code, day)]:
        names = area_names(set(strange))
        listed = ", ".join(names.get(code, code) for code in strange)
        problems["village_codes"] = f"{giver.name} pada {day:%d-%m-%Y} tidak bertugas sebagai fasilitator di {listed}."
    if taker is None or not taker.active:
        problems["to_account_id"] = "Pilih penerima yang akunnya aktif."
    elif new.to_account_id == new.from_account_id:
        problems["to_account_id"] = "Penerima harus orang lain."
    return problems


def _serves(account: Account, village_code: str, day: date) -> bool:
    held = [one.area_codes for one in account.assignments_on(day) if one.kind is Role.FASILITATOR]
    return any(covered(codes, code) for codes in held for code in at_any_time([village_code]))


def _has_been_facilitator(account: Account) -> bool:
    return any(held.kind is Role.FASILITATOR for held in account.assignments)


def _passing(giver_id: str, village_codes: Iterable[str]) -> sa.Select[Case]:
    """The cases that pass: those she has taken, and those she wrote that nobody took or that wait for her repair.

    Not narrowed by the reader's scope: who may hand the village over passes all of it, and sees numbers and states only.
    """
    hers = sa.or_(
        Case.owner_id == giver_id,
        sa.and_(Case.created_by == giver_id, sa.or_(Case.owner_id.is_(None), Case.state == CaseState.NEEDS_REPAIR)),
    )
    return (
        sa.select(Case)
        .where(Case.village_code.in_(at_any_time(village_codes)), Case.state.in_(_TO_DO), hers)
        .options(joinedload(Case.service_type))
        .order_by(Case.id)
    )


def _others(village_codes: Iterable[str]) -> int:
    """All open cases of the villages, whoever works on them."""
    statement = sa.select(sa.func.count()).where(Case.village_code.in_(at_any_time(village_codes)), Case.state.in_(OPEN))
    return db.session.scalar(statement) or 0


def _mark(cases: Sequence[Case]) -> str:
    return fingerprint((case.id, case.state) for case in cases)


def _pass(cases: Sequence[Case], giver: Account, taker: Account, number: str, by: Actor, at: datetime) -> None:
    roles = {code: _role(code, by) for code in {case.village_code for case in cases}}
    details = {"Berita acara": number, "Dari": giver.name, "Kepada": taker.name}
    for case in cases:
        case.owner_id = taker.id
    add_facts(((case, Fact(ACTION, roles[case.village_code], details=details)) for case in cases), by=by, at=at)


def _role(village_code: str, by: Actor) -> Role:
    return next((role for role in HANDING_ROLES if by.has_in(village_code, role)), Role.ADMIN)


def _witness(village_code: str, by: Actor) -> Signer:
    account = db.session.get_one(Account, by.account_id)
    return Signer(account.name, account.nip or "", _role(village_code, by).label)


def _today(at: datetime) -> date:
    return at.astimezone(settings_in_use().zone).date()
