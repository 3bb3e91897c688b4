""" "Sudah pernah dibantu apa?": all that is known of the aid, needs and standing of a person and her family, on one screen.

Reads only, with a fixed number of queries; looking at the person is recorded by whoever shows her page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.database import db, transaction
from appliance.models.account import Account
from appliance.models.profile import ListStatus
from appliance.models.programme import Need, Participation, ParticipationStatus, Payment
from appliance.registry.combination import COUNTED, Caution
from appliance.registry.holders import Household, face_of, held_row, household_of, may_record
from appliance.registry.list_status import newest_of_each, statuses_of
from appliance.registry.needs import needs_of
from appliance.registry.participation import cautions_of, participations_of
from appliance.registry.profile import ProfileLine, line_of, profiles_of

LAST_PAYMENTS = 5
MOST_PAYMENTS = 200


@dataclass(frozen=True)
class AidLine:
    """One participation in a list. `counts`: it runs or is proposed; `own`: it is this person's, not a member's."""

    id: str
    programme: str
    sector: str
    holder: str
    own: bool
    status: str
    counts: bool
    starts: date | None
    ends: date | None
    reason: str
    source: str
    known_on: date


@dataclass(frozen=True)
class PaymentLine:
    """One payment. `struck_reason` is "" for one that stands."""

    id: str
    programme: str
    holder: str
    period: str
    paid_on: date
    amount: int | None
    goods: str
    form: str
    evidence: str
    struck_reason: str
    row_version: int


@dataclass(frozen=True)
class NeedLine:
    """One need; `outcome` is "" while it is open."""

    id: str
    holder: str
    programme: str
    sector: str
    priority: str
    reason: str
    noted_on: date
    outcome: str
    outcome_note: str
    closed_on: date | None
    row_version: int


@dataclass(frozen=True)
class StatusLine:
    """What one look into a national list showed. `withdrawn` says why it does not count any more; "" while it does."""

    id: str
    list_name: str
    holder: str
    listed: str
    decile: int | None
    outside_id: str
    period: str
    checked_on: date
    checked_by: str
    evidence: str
    withdrawn: str


@dataclass(frozen=True)
class AidView:
    """Everything for the panel and for the page behind it. `may_record`: the reader may add to it.

    `statuses` is the newest of each list and holder, `former_statuses` the others; the newest profile is `profiles[0]`.
    """

    person_id: str
    person: str
    has_family: bool
    cautions: tuple[Caution, ...]
    aids: tuple[AidLine, ...]
    payments: tuple[PaymentLine, ...]
    needs: tuple[NeedLine, ...]
    statuses: tuple[StatusLine, ...]
    former_statuses: tuple[StatusLine, ...]
    profiles: tuple[ProfileLine, ...]
    may_record: bool

    @property
    def running(self) -> tuple[AidLine, ...]:
        """What runs or is proposed."""
        return tuple(line for line in self.aids if line.counts)

    @property
    def former(self) -> tuple[AidLine, ...]:
        """What ended or was refused."""
        return tuple(line for line in self.aids if not line.counts)

    @property
    def open_needs(self) -> tuple[NeedLine, ...]:
        """What is still needed."""
        return tuple(need for need in self.needs if not need.outcome)

    @property
    def closed_needs(self) -> tuple[NeedLine, ...]:
        """What is needed no more."""
        return tuple(need for need in self.needs if need.outcome)


@dataclass(frozen=True)
class ParticipationDetail:
    """One participation with all its payments, the newest first. `person_id` leads back to whose page it is."""

    line: AidLine
    programme_id: str
    person_id: str | None
    person: str
    card_number: str
    note: str
    payments: tuple[PaymentLine, ...]
    total: int
    written_by: str
    updated_at: datetime
    row_version: int
    may_record: bool


def aid_of_person(person_id: str, *, by: Actor) -> AidView:
    """What the person and her family get, got and need. Raises NotFound."""
    household = household_of(person_id, by)
    rows = participations_of(household)
    seen = statuses_of(household)
    newest = newest_of_each(seen)
    return AidView(
        person_id=household.person.id,
        person=household.person.name,
        has_family=household.family is not None,
        cautions=cautions_of(household, rows, seen),
        aids=tuple(_aid_line(row, household) for row in rows),
        payments=tuple(_last_payments(rows, household)),
        needs=tuple(_need_line(need, household) for need in needs_of(household)),
        statuses=tuple(_status_line(row, household) for row in newest),
        former_statuses=tuple(_status_line(row, household) for row in seen if row not in newest),
        profiles=tuple(line_of(row) for row in profiles_of(household)),
        may_record=may_record(by, household.person.village_code),
    )


def look_at_participation(participation_id: str, *, by: Actor, at: datetime) -> ParticipationDetail:
    """One participation with its payments. The look is written to the journal. Raises NotFound."""
    with transaction():
        row, holder = held_row(Participation, participation_id, by)
        face = face_of(row, by)
        audit.record("lihat_kepesertaan", f"participation:{row.id}", by=by, at=at)
        name = "Keluarga" if row.family_id else (face.name if face else "")
        payments = [_payment_line(one, row.programme.name, name) for one in _payments_of(row.id)]
        return ParticipationDetail(
            line=_line(row, name, own=True),
            programme_id=row.programme_id,
            person_id=face.id if face else None,
            person=face.name if face else "",
            card_number=row.card_number,
            note=row.note,
            payments=tuple(payments),
            total=sum(one.amount or 0 for one in payments if not one.struck_reason),
            written_by=db.session.scalar(sa.select(Account.name).where(Account.id == row.updated_by)) or row.updated_by,
            updated_at=row.updated_at,
            row_version=row.row_version,
            may_record=may_record(by, holder.village_code),
        )


def look_at_need(need_id: str, *, by: Actor, at: datetime) -> tuple[NeedLine, str, str]:
    """One need, with the identifier and the name of the person whose page it belongs to. Recorded. Raises NotFound."""
    with transaction():
        need, _ = held_row(Need, need_id, by)
        face = face_of(need, by)
        audit.record("lihat_kebutuhan", f"need:{need.id}", by=by, at=at)
        name = face.name if face else ""
        line = _need(need, "Keluarga" if need.family_id else name)
        return line, face.id if face else "", name


def _last_payments(rows: Iterable[Participation], household: Household) -> list[PaymentLine]:
    known = {row.id: row for row in rows}
    statement = sa.select(Payment).where(Payment.participation_id.in_(known), Payment.struck_reason == "")
    statement = statement.order_by(Payment.paid_on.desc(), Payment.id.desc()).limit(LAST_PAYMENTS)
    found = db.session.scalars(statement).all() if known else ()
    return [
        _payment_line(one, known[one.participation_id].programme.name, household.name_of(known[one.participation_id]))
        for one in found
    ]


def _payments_of(participation_id: str) -> list[Payment]:
    statement = sa.select(Payment).where(Payment.participation_id == participation_id)
    return list(db.session.scalars(statement.order_by(Payment.paid_on.desc(), Payment.id.desc()).limit(MOST_PAYMENTS)))


def _aid_line(row: Participation, household: Household) -> AidLine:
    return _line(row, household.name_of(row), own=row.person_id == household.person.id)


def _line(row: Participation, holder: str, *, own: bool) -> AidLine:
    return AidLine(
        id=row.id,
        programme=row.programme.name,
        sector=row.programme.sector,
        holder=holder,
        own=own,
        status=row.status,
        counts=ParticipationStatus(row.status) in COUNTED,
        starts=row.starts,
        ends=row.ends,
        reason=row.reason,
        source=row.source,
        known_on=row.known_on,
    )


def _payment_line(payment: Payment, programme: str, holder: str) -> PaymentLine:
    return PaymentLine(
        id=payment.id,
        programme=programme,
        holder=holder,
        period=payment.period,
        paid_on=payment.paid_on,
        amount=payment.amount,
        goods=payment.goods,
        form=payment.form,
        evidence=payment.evidence,
        struck_reason=payment.struck_reason,
        row_version=payment.row_version,
    )


def _need_line(need: Need, household: Household) -> NeedLine:
    return _need(need, household.name_of(need))


def _need(need: Need, holder: str) -> NeedLine:
    return NeedLine(
        id=need.id,
        holder=holder,
        programme=need.programme.name if need.programme else "",
        sector=need.sector,
        priority=need.priority,
        reason=need.reason,
        noted_on=need.noted_on,
        outcome=need.outcome,
        outcome_note=need.outcome_note,
        closed_on=need.closed_on,
        row_version=need.row_version,
    )


def _status_line(row: ListStatus, household: Household) -> StatusLine:
    return StatusLine(
        id=row.id,
        list_name=row.list.name,
        holder=household.name_of(row),
        listed=row.listed,
        decile=row.decile,
        outside_id=row.outside_id,
        period=row.period,
        checked_on=row.checked_on,
        checked_by=row.checked_by,
        evidence=row.evidence,
        withdrawn=row.withdrawn_reason,
    )
