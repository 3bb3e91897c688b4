"""Who takes part in which programme, and what was paid out. Each function is one transaction and one fact in the journal.

The rules of combination warn before something is stored; they never refuse. Nothing is deleted: a participation ends, a wrong
payment is struck out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.person import REASON_LENGTH
from appliance.models.profile import ListStatus
from appliance.models.programme import Participation, ParticipationStatus, Payment, PaymentForm, Programme, Source, Target
from appliance.registry.combination import Aid, Caution, cautions
from appliance.registry.holders import (
    Holder,
    Household,
    belongs_to,
    gone,
    held_row,
    holder_for,
    household_of,
    office_day,
    require_recorder,
    require_version,
    stored_once,
    subject_of,
    too_long,
)
from appliance.registry.list_status import newest_decile, statuses_of
from appliance.registry.programmes import refuse, sector_name
from appliance.registry.rules import active_rules

STATUSES = {
    ParticipationStatus.ACTIVE.value: "Aktif",
    ParticipationStatus.PROPOSED.value: "Diusulkan",
    ParticipationStatus.STOPPED.value: "Nonaktif",
    ParticipationStatus.REFUSED.value: "Ditolak",
    ParticipationStatus.GRADUATED.value: "Graduasi",
}
SOURCES = {
    Source.CITIZEN.value: "Keterangan warga",
    Source.CARD.value: "Kartu atau dokumen",
    Source.SIKS_NG.value: "SIKS-NG",
    Source.CEK_BANSOS.value: "Cek Bansos",
    Source.VILLAGE.value: "Data desa",
    Source.AGENCY.value: "OPD pengelola",
    Source.IMPORT.value: "Impor daftar",
    Source.OTHER.value: "Lainnya",
}
FORMS = {
    PaymentForm.ACCOUNT.value: "Rekening/KKS",
    PaymentForm.CASH.value: "Tunai",
    PaymentForm.GOODS.value: "Barang",
    PaymentForm.SERVICE.value: "Jasa atau layanan",
    PaymentForm.DISCOUNT.value: "Potongan harga",
}
# Ended ones say why; the reason is what the citizen will ask for.
NEEDS_REASON = frozenset({ParticipationStatus.STOPPED, ParticipationStatus.REFUSED, ParticipationStatus.GRADUATED})
MOST_RUPIAH = 1_000_000_000
EARLIEST = date(1990, 1, 1)
# More than this of one family are a mistake of an import; a page shows the newest.
MOST_SHOWN = 200
_NEW = "baru"


@dataclass(frozen=True)
class NewParticipation:
    """What is typed. `family`: whether it is the family's or only this person's; None for what the programme is meant for.

    `known_on` is the day the source was asked.
    """

    programme_id: str
    status: str
    source: str
    known_on: date | None
    family: bool | None = None
    card_number: str = ""
    starts: date | None = None
    ends: date | None = None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class ParticipationChange:
    """What may change of a participation."""

    status: str
    source: str
    known_on: date | None
    card_number: str = ""
    starts: date | None = None
    ends: date | None = None
    reason: str = ""
    note: str = ""


@dataclass(frozen=True)
class NewPayment:
    """What is typed about one payment. `amount` in whole Rupiah; for goods `goods` says what and how much."""

    paid_on: date | None
    form: str
    amount: int | None = None
    goods: str = ""
    period: str = ""
    evidence: str = ""


def record_participation(person_id: str, new: NewParticipation, *, request_id: str, by: Actor, at: datetime) -> str:
    """Store that a person or her family takes part; the identifier. The same `request_id` again gives the same one.

    Raises InvalidInput with all problems, NotFound, NotAllowed.
    """

    def store() -> str:
        household = household_of(person_id, by)
        programme = db.session.get(Programme, new.programme_id)
        holder = holder_for(person_id, family=_for_family(new, programme, household), by=by)
        require_recorder(by, holder)
        if programme is None:
            raise InvalidInput({**_problems(new, at), "programme_id": "Pilih program dari daftar."})
        return _add(holder, programme, new, request_id, by, at)

    return stored_once(Participation, request_id, by, store)


def let_take_part(
    holder: Holder, programme: Programme, new: NewParticipation, *, request_id: str, by: Actor, at: datetime
) -> str:  # fmt: skip
    """Store for a service, in its own transaction, that the holder takes part now; the identifier of the participation.

    What was proposed before becomes what is known now; of somebody who takes part already nothing changes.
    Raises InvalidInput, NotAllowed.
    """
    require_recorder(by, holder)
    owner = Participation.family_id == holder.family_id if holder.family_id else Participation.person_id == holder.person_id
    running = Participation.status.in_((ParticipationStatus.ACTIVE, ParticipationStatus.PROPOSED))
    known = sa.select(Participation).where(owner, Participation.programme_id == programme.id, running).with_for_update()
    rows = db.session.scalars(known.order_by(Participation.known_on.desc(), Participation.id.desc())).all()
    if active := next((row for row in rows if row.status == ParticipationStatus.ACTIVE), None):
        return active.id
    if not rows:
        return _add(holder, programme, new, request_id, by, at)
    row = rows[0]
    kept = {name: getattr(row, name) for name in ("card_number", "starts", "ends")}
    # the new note is what this step says; of the old one as much as there is room for
    former = row.note[: max(0, REASON_LENGTH - len(new.note) - 1)]
    change = ParticipationChange(new.status, new.source, new.known_on, **kept, note=" ".join(filter(None, (former, new.note))))
    _change(row, holder, change, by, at)
    return row.id


def cautions_before(person_id: str, new: NewParticipation, *, by: Actor) -> tuple[Caution, ...]:
    """What the rules would say if it were stored; of what they say already only what concerns it. Raises NotFound."""
    household = household_of(person_id, by)
    programme = db.session.get(Programme, new.programme_id)
    if programme is None:
        return ()
    row = Participation(id=_NEW, programme=programme, programme_id=programme.id, status=new.status)
    if _for_family(new, programme, household):
        row.family_id = household.person.family_id
    else:
        row.person_id = household.person.id
    return tuple(found for found in cautions_of(household, [*participations_of(household), row]) if _NEW in found.aids)


def cautions_of(household: Household, rows: list[Participation], statuses: list[ListStatus] | None = None) -> tuple[Caution, ...]:
    """What the active rules say about the aids of a family; `statuses` are what was seen of it, if they were read already."""
    seen = statuses_of(household) if statuses is None else statuses
    aids = [_aid(row, household, newest_decile(seen, row.person_id)) for row in rows]
    return cautions(aids, active_rules(), sector_names=sector_name)


def participations_of(household: Household) -> list[Participation]:
    """All that is known of the family and its members, the newest first."""
    statement = sa.select(Participation).where(belongs_to(Participation, household))
    return list(db.session.scalars(statement.order_by(Participation.known_on.desc(), Participation.id.desc()).limit(MOST_SHOWN)))


def change_participation(
    participation_id: str, change: ParticipationChange, *, row_version: int, by: Actor, at: datetime
) -> None:  # fmt: skip
    """Store what is known now. Raises InvalidInput, NotFound, NotAllowed, Conflict."""
    with transaction():
        row, holder = held_row(Participation, participation_id, by)
        require_recorder(by, holder)
        require_version(row, row_version)
        _change(row, holder, change, by, at)


def record_payment(participation_id: str, new: NewPayment, *, request_id: str, by: Actor, at: datetime) -> str:
    """Store a payment; its identifier. The same `request_id` again gives the same one. Raises InvalidInput, NotFound, NotAllowed."""

    def store() -> str:
        row, holder = held_row(Participation, participation_id, by)
        require_recorder(by, holder)
        refuse(_payment_problems(new, at))
        payment = Payment(
            request_id=request_id,
            participation_id=row.id,
            period=new.period.strip(),
            paid_on=new.paid_on,
            amount=new.amount,
            form=new.form,
            goods=new.goods.strip(),
            evidence=new.evidence.strip(),
        )
        payment.stamp(by.account_id, at)
        db.session.add(payment)
        db.session.flush()
        audit.record("salur", subject_of(holder), by=by, at=at, detail={"program": row.programme.code, "bentuk": payment.form})
        return payment.id

    return stored_once(Payment, request_id, by, store)


def strike_payment(payment_id: str, reason: str, *, row_version: int, by: Actor, at: datetime) -> str:
    """Strike out a payment that was wrong; the identifier of its participation.

    Raises InvalidInput, NotFound, NotAllowed, Conflict.
    """
    with transaction() as session:
        payment = session.get(Payment, payment_id)
        if payment is None:
            raise NotFound("Penyaluran itu tidak ada.", "Muat ulang halaman.")
        row, holder = held_row(Participation, payment.participation_id, by)
        require_recorder(by, holder)
        require_version(payment, row_version)
        if not reason.strip() or len(reason) > 300:
            raise InvalidInput({"struck_reason": "Tulis mengapa penyaluran ini dicoret, paling banyak 300 huruf."})
        payment.struck_reason = reason.strip()
        payment.stamp(by.account_id, at)
        audit.record("salur_coret", subject_of(holder), by=by, at=at, detail={"program": row.programme.code})
        return row.id


def _add(holder: Holder, programme: Programme, new: NewParticipation, request_id: str, by: Actor, at: datetime) -> str:
    refuse(_problems(new, at))
    row = Participation(request_id=request_id, person_id=holder.person_id, family_id=holder.family_id, programme_id=programme.id)
    _write(row, new)
    row.stamp(by.account_id, at)
    db.session.add(row)
    db.session.flush()
    detail = {"program": programme.code, "status": row.status}
    audit.record("kepesertaan", subject_of(holder), by=by, at=at, detail=detail)
    return row.id


def _change(row: Participation, holder: Holder, change: ParticipationChange, by: Actor, at: datetime) -> None:
    refuse(_problems(change, at))
    before = row.status
    _write(row, change)
    row.stamp(by.account_id, at)
    detail = {"program": row.programme.code, "dari": before, "status": row.status}
    audit.record("kepesertaan_ubah", subject_of(holder), by=by, at=at, detail=detail)


def _problems(given: NewParticipation | ParticipationChange, at: datetime) -> dict[str, str]:
    problems = too_long(given, {"card_number": 40, "reason": 300, "note": 300})
    if given.status not in set(ParticipationStatus):
        problems["status"] = "Pilih status kepesertaan."
    elif given.status in NEEDS_REASON and not given.reason.strip():
        problems["reason"] = f"Tulis alasan mengapa {STATUSES[given.status].lower()}."
    if given.source not in set(Source):
        problems["source"] = "Pilih dari mana ini diketahui."
    if given.known_on is None or not EARLIEST <= given.known_on <= office_day(at):
        problems["known_on"] = "Isi tanggal keterangan ini diperoleh, paling lambat hari ini."
    if given.starts and given.starts < EARLIEST:
        problems["starts"] = "Tanggal mulai tidak mungkin."
    if given.ends and given.starts and given.ends < given.starts:
        problems["ends"] = "Tanggal berakhir mendahului tanggal mulai."
    return problems


def _for_family(new: NewParticipation, programme: Programme | None, household: Household) -> bool:
    """As typed; else as the programme is meant, if there is a family to hold it."""
    if new.family is not None:
        return new.family
    return programme is not None and programme.target == Target.FAMILY and household.family is not None


def _payment_problems(new: NewPayment, at: datetime) -> dict[str, str]:
    problems = too_long(new, {"period": 40, "goods": 40, "evidence": 300})
    if new.paid_on is None or not EARLIEST <= new.paid_on <= office_day(at):
        problems["paid_on"] = "Isi tanggal diterima, paling lambat hari ini."
    if new.form not in set(PaymentForm):
        problems["form"] = "Pilih bentuk bantuan."
    if new.amount is not None and not 0 < new.amount <= MOST_RUPIAH:
        problems["amount"] = "Jumlah antara Rp1 dan Rp1.000.000.000."
    if new.amount is None and not new.goods.strip():
        problems["amount"] = "Isi jumlah rupiah, atau tulis barang yang diterima."
    return problems


def _write(row: Participation, given: NewParticipation | ParticipationChange) -> None:
    row.status, row.source, row.starts, row.ends = given.status, given.source, given.starts, given.ends
    row.known_on = given.known_on or date.min  # never: it was required
    row.card_number, row.reason, row.note = given.card_number.strip(), given.reason.strip(), given.note.strip()


def _aid(row: Participation, household: Household, decile: int | None) -> Aid:
    holder = household.family if row.family_id else next(one for one in household.members if one.id == row.person_id)
    return Aid(
        id=row.id,
        programme_id=row.programme_id,
        programme=row.programme.name,
        sector=row.programme.sector,
        target=row.programme.target,
        status=row.status,
        person_id=row.person_id or "",
        holder=household.name_of(row),
        max_decile=row.programme.max_decile,
        decile=decile,
        gone=gone(holder) if holder else "",
    )
