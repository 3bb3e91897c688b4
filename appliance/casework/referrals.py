"""Referrals: handing a case to another organisation, and its answer. Each function is one transaction.

The organisation sees what the back office chose to share, frozen at that moment, and nothing else of the case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require, require_area, scope
from appliance.casework.cases import follow
from appliance.casework.history import Fact, add_fact, next_number
from appliance.casework.moving import locked_case
from appliance.casework.office_calendar import close_after
from appliance.casework.referral_steps import MAY_PREPARE_REFERRAL, REFERRAL_STEPS, ReferralStep, referral_steps
from appliance.casework.step_values import LONGEST_TEXT
from appliance.casework.transitions import Action
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.case import Case, Referral
from appliance.models.person import Person
from appliance.models.roles import Role
from appliance.models.states import CaseState, Outcome, ReferralState
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
    """Send a prepared referral; from now on the organisation sees it. The case must be DIRUJUK."""
    with transaction():
        referral, case = _take(referral_id, ReferralStep.SEND, row_version, by)
        referral.sent_at = at
        _done(referral, case, ReferralStep.SEND, "", by=by, at=at)


def cancel_referral(referral_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Drop a referral that was prepared but not sent."""
    with transaction():
        referral, case = _take(referral_id, ReferralStep.CANCEL, row_version, by)
        referral.finished_at = at
        _done(referral, case, ReferralStep.CANCEL, "", by=by, at=at)
        if _was_answered(case):
            follow(case, Action.REFERRALS_ANSWERED, by, at)


def receive_referral(referral_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """The organisation has it and will see to it."""
    with transaction():
        referral, case = _take(referral_id, ReferralStep.RECEIVE, row_version, by)
        referral.accepted_at = at
        _done(referral, case, ReferralStep.RECEIVE, "", by=by, at=at)


def process_referral(referral_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """The organisation has begun to work on it."""
    with transaction():
        referral, case = _take(referral_id, ReferralStep.PROCESS, row_version, by)
        _done(referral, case, ReferralStep.PROCESS, "", by=by, at=at)


def answer_referral(referral_id: str, *, reply: str, outcome: str, row_version: int, by: Actor, at: datetime) -> None:
    """The organisation's answer. When no referral of the case is open any more, the case goes on to TINDAK_LANJUT."""
    problems = _text_problem("reply", reply, "Jawaban")
    if outcome not in set(Outcome):
        problems["outcome"] = "Pilih hasilnya."
    if problems:
        raise InvalidInput(problems)
    with transaction():
        referral, case = _take(referral_id, ReferralStep.ANSWER, row_version, by)
        referral.reply, referral.outcome, referral.finished_at = reply.strip(), outcome, at
        _done(referral, case, ReferralStep.ANSWER, referral.reply, by=by, at=at)
        follow(case, Action.REFERRALS_ANSWERED, by, at)


def return_referral(referral_id: str, *, reason: str, row_version: int, by: Actor, at: datetime) -> None:
    """The organisation sends it back: not its authority, or something is missing. The case goes back to TELAAH."""
    problems = _text_problem("reason", reason, "Alasan")
    if problems:
        raise InvalidInput(problems)
    with transaction():
        referral, case = _take(referral_id, ReferralStep.RETURN, row_version, by)
        referral.return_reason, referral.finished_at = reason.strip(), at
        _done(referral, case, ReferralStep.RETURN, referral.return_reason, by=by, at=at)
        follow(case, Action.REFERRAL_RETURNED, by, at)


def steps_for(referral: Referral, case_state: str, sees_case: bool, by: Actor) -> tuple[ReferralStep, ...]:
    """What `by` may do with the referral now. For services."""
    sender = sees_case and by.has_in(referral.case.village_code, Role.BO)
    addressee = by.speaks_for(referral.unit_id)
    # Where the organisation has no account, or answers on paper, the back office enters what came.
    on_paper = not referral.unit.has_accounts or referral.sent_by_way != "akun"
    receiver = addressee or (sender and on_paper)
    return referral_steps(ReferralState(referral.state), CaseState(case_state), sender=sender, receiver=receiver)


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
        reply_due=close_after(at, new.reply_days),
    )
    referral.stamp(by.account_id, at)
    db.session.add(referral)
    db.session.flush()
    details = {"Rujukan": referral.number, "Kepada": unit.name, "Data yang dibagikan": ", ".join(referral.shared)}
    add_fact(case, Fact("buat_rujukan", Role.BO, details=details), state_from=case.state, by=by, at=at)
    audit.record("rujukan", f"referral:{referral.id}", by=by, at=at, detail={"aksi": "buat_rujukan", "kasus": case.id})
    return referral.id


def _problems(new: NewReferral, unit: Unit | None) -> dict[str, str]:
    problems = _text_problem("summary", new.summary, "Isi rujukan")
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
    name = searchable(case.reporter_name)
    if not name or name == searchable(case.applicant.name):
        return {}

    def names(text: str) -> bool:
        return f" {name} " in f" {searchable(text)} "

    problems = {}
    if names(new.summary) or names(new.contact):
        problems["summary"] = "Nama pelapor tidak boleh ikut ke luar; hapus dari isi rujukan."
    if any(names(text) for label, text in shared.items() if label != SHAREABLE["nama"]):
        problems["share"] = "Uraian kasus memuat nama pelapor; jangan bagikan uraian, tulis pokoknya di isi rujukan."
    return problems


def _text_problem(name: str, text: str, label: str) -> dict[str, str]:
    if not text.strip():
        return {name: f"{label} wajib diisi."}
    return {name: f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."} if len(text) > LONGEST_TEXT else {}


def _take(referral_id: str, step: ReferralStep, row_version: int, by: Actor) -> tuple[Referral, Case]:
    """The referral and its case, locked, if `by` may do the step now."""
    case_id = db.session.scalar(scope(sa.select(Referral.case_id).where(Referral.id == referral_id), Referral, by))
    if case_id is None:
        raise referral_not_found()
    # The case first: all writers lock in this order, and the case's history is written in every step.
    case = db.session.scalars(sa.select(Case).where(Case.id == case_id).with_for_update(of=Case)).one()
    referral = db.session.get_one(Referral, referral_id)
    if referral.row_version != row_version:
        raise changed_meanwhile()
    sees_case = db.session.scalar(scope(sa.select(Case.id).where(Case.id == case_id), Case, by)) is not None
    if step in steps_for(referral, case.state, sees_case, by):
        return referral, case
    if step in referral_steps(ReferralState(referral.state), CaseState(case.state), sender=True, receiver=True):
        raise NotAllowed("Peran Anda tidak boleh melakukan langkah ini pada rujukan.", "Minta petugas yang berwenang.")
    raise Conflict(
        f"Rujukan berstatus {ReferralState(referral.state).label} dan kasusnya {CaseState(case.state).label}; langkah ini tidak dapat dilakukan.",
        "Muat ulang halaman untuk melihat langkah yang tersedia.",
    )


def referral_not_found() -> NotFound:
    """The one answer for what is not there and for what is not the reader's."""
    return NotFound("Rujukan tidak ditemukan.", "Buka daftar rujukan, lalu pilih dari sana.")


def _was_answered(case: Case) -> bool:
    answered = sa.select(Referral.id).where(Referral.case_id == case.id, Referral.state == ReferralState.ANSWERED)
    return db.session.scalar(answered.limit(1)) is not None


def _done(referral: Referral, case: Case, step: ReferralStep, text: str, *, by: Actor, at: datetime) -> None:
    _, target, word = REFERRAL_STEPS[step]
    referral.state = target
    referral.stamp(by.account_id, at)
    role = Role.OPD if by.speaks_for(referral.unit_id) else Role.BO
    details = {"Rujukan": referral.number, "Kepada": referral.unit.name}
    add_fact(case, Fact(word, role, note=text, details=details), state_from=case.state, by=by, at=at)
    audit.record("rujukan", f"referral:{referral.id}", by=by, at=at, detail={"aksi": word, "kasus": case.id})
