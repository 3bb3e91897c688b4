"""Referrals: handing a case to another organisation, and taking it back. Each function is one transaction.

The organisation sees what the back office chose to share, frozen at that moment, and nothing else of the case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require, require_area
from appliance.casework.cases import follow
from appliance.casework.history import Fact, add_fact, next_number
from appliance.casework.moving import locked_case
from appliance.casework.office_calendar import close_after
from appliance.casework.referral_moving import step_done, take_step, text_problem, was_answered
from appliance.casework.referral_steps import MAY_PREPARE_REFERRAL, REFERRAL_OPEN, ReferralStep
from appliance.casework.transitions import Action
from appliance.database import Duplicate, db, transaction
from appliance.errors import Conflict, InvalidInput
from appliance.models.case import Case, Referral
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.models.states import CaseState, ReferralState
from appliance.models.unit import Unit, UnitKind
from appliance.registry import nik, phones
from appliance.registry.areas import area_name
from appliance.registry.names import searchable

WAYS = {"akun": "Lewat sistem ini", "surat": "Surat", "kurir": "Diantar", "wa": "WhatsApp"}
# What can be shared, and how it is read from the case. Never the reporter: some of them fear being named.
_READERS: dict[str, tuple[str, Callable[[Case, Person], str]]] = {
    "nama": ("Nama", lambda case, person: person.name),
    "nik": ("NIK", lambda case, person: nik.spaced(person.nik)),
    "jenis_kelamin": ("Jenis kelamin", lambda case, person: "Perempuan" if person.sex == "P" else "Laki-laki"),
    "tanggal_lahir": ("Tanggal lahir", lambda case, person: f"{person.birth_date:%d-%m-%Y}" if person.birth_date else ""),
    "alamat": ("Alamat", lambda case, person: person.family.address if person.family else ""),
    "desa": ("Desa/kelurahan", lambda case, person: area_name(case.village_code)),
    "telepon": ("Telepon", lambda case, person: phones.shown(person.phone)),
    "uraian": ("Uraian keluhan", lambda case, person: case.description),
    "harapan": ("Harapan warga", lambda case, person: case.expectation),
    "kelompok_rentan": ("Kelompok rentan", lambda case, person: ", ".join(case.vulnerable_groups).replace("_", " ")),
}
SHAREABLE = {key: label for key, (label, _) in _READERS.items()}


@dataclass(frozen=True)
class NewReferral:
    """What the back office writes: to whom, what is asked, and which keys of SHAREABLE go with it."""

    unit_id: str
    summary: str
    share: tuple[str, ...]
    contact: str = ""
    reply_days: int = 5
    way: str = "akun"


def refer_case(case_id: str, new: NewReferral, *, request_id: str, by: Actor, at: datetime) -> str:
    """Prepare a referral of a case; its identifier. It is sent apart. The same `request_id` again gives the same one.

    Raises InvalidInput, NotAllowed, NotFound; Conflict when the case is not at a state for it.
    """
    require(by, Role.BO)
    try:
        with transaction():
            return _prepared(request_id, by) or _prepare(case_id, new, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request or began the month's series: the second look sees it.
        with transaction():
            return _prepared(request_id, by) or _prepare(case_id, new, request_id, by, at)


def send_referral(referral_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Send a prepared referral; from now on the organisation sees it, and its time to reply runs. The case must be DIRUJUK."""
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.SEND, row_version, by, at)
        referral.sent_at = at
        if referral.reply_days is not None:
            referral.reply_due = close_after(at, referral.reply_days)
        step_done(referral, case, ReferralStep.SEND, "", by=by, at=at)


def cancel_referral(referral_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Drop a referral that was prepared but not sent."""
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.CANCEL, row_version, by, at)
        referral.finished_at = at
        step_done(referral, case, ReferralStep.CANCEL, "", by=by, at=at)
        if was_answered(case):
            follow(case, Action.REFERRALS_ANSWERED, by, at)


def withdraw_referral(referral_id: str, reason: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Take back a referral that was sent; the organisation reads why. A case that no referral is left of goes back to TELAAH.

    Raises InvalidInput, Conflict, NotAllowed, NotFound.
    """
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.WITHDRAW, row_version, by, at)
        problems = text_problem("reason", reason, "Alasan")
        if _names_reporter(case, reason):
            problems["reason"] = "Nama pelapor tidak boleh ikut ke luar; hapus dari alasan."
        if problems:
            raise InvalidInput(problems)
        referral.return_reason, referral.finished_at = reason.strip(), at
        step_done(referral, case, ReferralStep.WITHDRAW, referral.return_reason, by=by, at=at)
        if was_answered(case):
            follow(case, Action.REFERRALS_ANSWERED, by, at)
        elif not _is_any_open(case):
            follow(case, Action.REFERRAL_RETURNED, by, at)


def _is_any_open(case: Case) -> bool:
    still = sa.select(Referral.id).where(Referral.case_id == case.id, Referral.state.in_(REFERRAL_OPEN))
    return db.session.scalar(still.limit(1)) is not None


def _prepared(request_id: str, by: Actor) -> str | None:
    known = sa.select(Referral.id).where(Referral.request_id == request_id, Referral.created_by == by.account_id)
    return db.session.scalar(known)


def _prepare(case_id: str, new: NewReferral, request_id: str, by: Actor, at: datetime) -> str:
    case = locked_case(case_id, by)
    require_area(by, case.village_code, Role.BO)
    if CaseState(case.state) not in MAY_PREPARE_REFERRAL:
        raise Conflict(
            f"Kasus berstatus {CaseState(case.state).label}; rujukan tidak dapat dibuat.", "Muat ulang halaman kasus ini."
        )
    unit = db.session.get(Unit, new.unit_id)
    shared = {label: text for key, (label, read) in _READERS.items() if key in new.share and (text := read(case, case.applicant))}
    problems = _problems(new, unit) | _reporter_problems(case, new, shared)
    if problems or unit is None:
        raise InvalidInput(problems)
    referral = Referral(
        number=next_number("RJK", at),
        request_id=request_id,
        case_id=case.id,
        unit_id=unit.id,
        contact=new.contact.strip()[:160],
        summary=new.summary.strip(),
        shared=shared,
        state=ReferralState.DRAFT,
        sent_by_way=new.way,
        reply_days=new.reply_days,
        reply_due=close_after(at, new.reply_days),  # its place among the unfinished; the time runs from the sending
    )
    referral.stamp(by.account_id, at)
    db.session.add(referral)
    db.session.flush()
    details = {"Rujukan": referral.number, "Kepada": unit.name, "Data yang dibagikan": ", ".join(referral.shared)}
    add_fact(case, Fact("buat_rujukan", Role.BO, details=details), state_from=case.state, by=by, at=at)
    audit.record("rujukan", f"referral:{referral.id}", by=by, at=at, detail={"aksi": "buat_rujukan", "kasus": case.id})
    return referral.id


def _problems(new: NewReferral, unit: Unit | None) -> dict[str, str]:
    problems = text_problem("summary", new.summary, "Isi rujukan")
    if unit is None or not unit.active or unit.kind == UnitKind.SECRETARIAT:
        problems["unit_id"] = "Pilih tujuan rujukan."
    if not new.share or not set(new.share) <= set(SHAREABLE):
        problems["share"] = "Pilih data yang dibagikan; sesedikit yang diperlukan."
    if not 1 <= new.reply_days <= 90:
        problems["reply_days"] = "Batas jawaban 1 sampai 90 hari kerja."
    if new.way not in WAYS:
        problems["way"] = "Pilih cara pengiriman."
    return problems


def _reporter_problems(case: Case, new: NewReferral, shared: Mapping[str, str]) -> dict[str, str]:
    """The name of who reported stays in the office, wherever it was written; some of them fear being named."""
    problems = {}
    if _names_reporter(case, new.summary) or _names_reporter(case, new.contact):
        problems["summary"] = "Nama pelapor tidak boleh ikut ke luar; hapus dari isi rujukan."
    if any(_names_reporter(case, text) for label, text in shared.items() if label != SHAREABLE["nama"]):
        problems["share"] = "Uraian kasus memuat nama pelapor; jangan bagikan uraian, tulis pokoknya di isi rujukan."
    return problems


def _names_reporter(case: Case, text: str) -> bool:
    """Whether the text names a reporter who is not the resident herself."""
    name = searchable(case.reporter_name)
    if not name or name == searchable(case.applicant.name):
        return False
    return f" {name} " in f" {searchable(text)} "
