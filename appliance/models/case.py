"""Cases, their append-only history, the referrals to other organisations, service types and running numbers.

Visits and papers of a case are in `models.visit`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped, rows_where
from appliance.models.person import NAME_LENGTH, REASON_LENGTH, Person
from appliance.models.states import ENDED
from appliance.models.unit import Unit

NUMBER_LENGTH = 32
STATE_LENGTH = 20
_ENDED_WORDS = ", ".join(f"'{state.value}'" for state in sorted(ENDED))
_ASKED_OF_OPEN = (
    *("state", "village_code", "received_at", "deadline", "priority", "confidential"),
    *("created_by", "owner_id", "service_type_id", "escalation", "state_since", "id"),
)
_ASKED_OF_REFERRALS = ("state", "unit_id", "case_id", "sent_at")
_OF_CASE = ("case_id", "finished_at", "id", "state", "unit_id", "sent_at")
_WALKED = ("service_type_id", "priority", "confidential")


class ServiceType(Stamped, Model):
    """A kind of service. A change makes a new version; a case keeps the version it began with."""

    __tablename__ = "service_type"
    __table_args__ = (sa.UniqueConstraint("code", "version"),)

    code: Mapped[str] = mapped_column(sa.String(40))
    version: Mapped[int] = mapped_column(sa.Integer)
    name: Mapped[str] = mapped_column(sa.String(160))
    category: Mapped[str] = mapped_column(sa.String(4))
    flow: Mapped[str] = mapped_column(sa.String(20), default="umum")
    # Simple ones may be finished at the counter or in the village at once.
    simple: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    needs_visit: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    requirements: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    # By the name of a requirement: "required", "kind", "example". One without a note is required.
    requirement_notes: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    # Whether a look into SIKS-NG/DTSEN must be on record before the decision, and whether the Puskesos may settle it.
    needs_list_check: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    village_may_handle: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    working_days: Mapped[int] = mapped_column(sa.Integer, default=5)
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)


class Sequence(Model):
    """The last number given in a series. Taking the next one locks the row until the transaction ends."""

    __tablename__ = "sequence"

    series: Mapped[str] = mapped_column(sa.String(NUMBER_LENGTH), primary_key=True)
    value: Mapped[int] = mapped_column(sa.Integer)


class Case(Stamped, Model):
    """One complaint or request of one person, from the counter or the field to its result."""

    __tablename__ = "case"
    __table_args__ = (
        # What lists ask of open cases, and nothing of the many that ended; `is_open()` must stand in the query.
        sa.Index("ix_case_open", *_ASKED_OF_OPEN, **rows_where(f"state NOT IN ({_ENDED_WORDS})")),
        # Walks from the newest: what else a list asks of a case stands in the index, so that passing over a row costs nothing.
        sa.Index("ix_case_newest", "received_at", "id", "village_code", *_WALKED),
        sa.Index("ix_case_newest_of_village", "village_code", "received_at", "id", *_WALKED, "number"),
        sa.Index("ix_case_newest_of_service", "service_type_id", "received_at", "id", "village_code", "priority", "confidential"),
        sa.Index("ix_case_newest_of_state", "state", "received_at", "id", "village_code", *_WALKED),
        sa.Index("ix_case_newest_of_owner", "owner_id", "received_at", "id", "village_code", *_WALKED),
        sa.Index("ix_case_newest_of_creator", "created_by", "received_at", "id", "village_code", *_WALKED),
        sa.Index("ix_case_ratify_due", "ratify_due", **rows_where("ratify_due IS NOT NULL")),
        sa.Index("ix_case_escalate_at", "escalate_at", **rows_where("escalate_at IS NOT NULL")),
    )

    number: Mapped[str] = mapped_column(Code(NUMBER_LENGTH), unique=True)
    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    channel: Mapped[str] = mapped_column(sa.String(10))
    kind: Mapped[str] = mapped_column(sa.String(12))
    category: Mapped[str] = mapped_column(sa.String(4))
    service_type_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("service_type.id"))
    applicant_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"), index=True)
    reporter_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    reporter_relation: Mapped[str] = mapped_column(sa.String(60), default="")
    reporter_phone: Mapped[str] = mapped_column(sa.String(20), default="")
    reporter_is_proxy: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    description: Mapped[str] = mapped_column(sa.Text)
    expectation: Mapped[str] = mapped_column(sa.Text, default="")
    priority: Mapped[str] = mapped_column(sa.String(8))
    priority_reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    vulnerable_groups: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    confidential: Mapped[bool] = mapped_column(sa.Boolean, default=False)
    state: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    owner_unit_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("unit.id"))
    owner_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    deadline: Mapped[datetime | None] = mapped_column(Moment)
    clock_stopped_at: Mapped[datetime | None] = mapped_column(Moment)
    # Until when the step of its state is due, how far its lateness has been told, and when it is told further.
    stage_due: Mapped[datetime | None] = mapped_column(Moment)
    escalation: Mapped[int | None] = mapped_column(sa.Integer)
    escalate_at: Mapped[datetime | None] = mapped_column(Moment)
    origin_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"))
    duplicate_of_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"))
    recommendation: Mapped[str] = mapped_column(sa.Text, default="")
    recommended_by: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    # What the flow of the service asks besides (`casework.flow_rules`), and the leg outside: field → value.
    flow_facts: Mapped[dict[str, str]] = mapped_column(sa.JSON, default=dict)
    # Who referred an emergency without a decision, and until when the manager must ratify it; empty again once she has.
    ratify_due: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str] = mapped_column(sa.String(12), default="")
    outcome_note: Mapped[str] = mapped_column(sa.Text, default="")
    # When it happened in the field or at the counter, and when this server learnt of it.
    received_at: Mapped[datetime] = mapped_column(Moment)
    stored_at: Mapped[datetime] = mapped_column(Moment)
    state_since: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    satisfaction: Mapped[int | None] = mapped_column(sa.Integer)

    applicant: Mapped[Person] = relationship(foreign_keys=[applicant_id])
    service_type: Mapped[ServiceType] = relationship()


def is_open() -> sa.ColumnElement[bool]:
    """Whether a case has not ended, with the words written out: by them a database knows the index of the open cases."""
    ended: sa.BindParameter[str] = sa.bindparam(None, sorted(ENDED), expanding=True, literal_execute=True)
    condition: sa.ColumnElement[bool] = Case.state.not_in(ended)
    return condition


class CaseEvent(Identified, Model):
    """One fact of a case's history. Never changed, never deleted: triggers refuse it, and each row seals the one before."""

    __tablename__ = "case_event"
    __table_args__ = (sa.UniqueConstraint("case_id", "position"),)

    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"))
    position: Mapped[int] = mapped_column(sa.Integer)
    state_from: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    state_to: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    action: Mapped[str] = mapped_column(sa.String(32))
    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    account_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    role: Mapped[str] = mapped_column(sa.String(24))
    device: Mapped[str] = mapped_column(sa.String(64))
    happened_at: Mapped[datetime] = mapped_column(Moment)
    stored_at: Mapped[datetime] = mapped_column(Moment)
    # What colleagues read, and what may be read out to the citizen.
    note: Mapped[str] = mapped_column(sa.Text, default="")
    citizen_note: Mapped[str] = mapped_column(sa.Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    seal: Mapped[str] = mapped_column(sa.String(64))


class Referral(Stamped, Model):
    """A case handed to another organisation. It shows that organisation what `shared` holds and nothing else of the case."""

    __tablename__ = "referral"
    __table_args__ = (
        sa.Index("ix_referral_unit_id_state", "unit_id", "state"),
        sa.Index("ix_referral_state_reply_due", "state", "reply_due"),
        sa.Index("ix_referral_open", "reply_due", "id", *_ASKED_OF_REFERRALS, **rows_where("finished_at IS NULL")),
        sa.Index("ix_referral_finished", "finished_at", "id", *_ASKED_OF_REFERRALS, **rows_where("finished_at IS NOT NULL")),
        sa.Index("ix_referral_finished_of_case", *_OF_CASE, **rows_where("finished_at IS NOT NULL")),
        sa.Index("ix_referral_unit_id_finished_at", "unit_id", "finished_at", "id", "state", "sent_at"),
    )

    number: Mapped[str] = mapped_column(Code(NUMBER_LENGTH), unique=True)
    request_id: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"), index=True)
    unit_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("unit.id"))
    contact: Mapped[str] = mapped_column(sa.String(160), default="")
    summary: Mapped[str] = mapped_column(sa.Text)
    # A frozen copy, label → value, of the fields the back office chose to share when it wrote the referral.
    shared: Mapped[dict[str, str]] = mapped_column(sa.JSON, default=dict)
    state: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    sent_by_way: Mapped[str] = mapped_column(sa.String(8), default="akun")
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    accepted_at: Mapped[datetime | None] = mapped_column(Moment)
    # Working days from the day it is sent; None for what was written before this was kept.
    reply_days: Mapped[int | None] = mapped_column(sa.Integer)
    reply_due: Mapped[datetime | None] = mapped_column(Moment)
    reply: Mapped[str] = mapped_column(sa.Text, default="")
    outcome: Mapped[str] = mapped_column(sa.String(12), default="")
    # Why it ended without an answer: returned (`return_code` of a fixed list, and what is missing), declined or withdrawn.
    return_code: Mapped[str] = mapped_column(sa.String(20), default="")
    return_reason: Mapped[str] = mapped_column(sa.Text, default="")
    missing: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    # What came on paper and was entered by the back office: the date it bears, and the scan among the papers of the case.
    replied_on: Mapped[date | None] = mapped_column(sa.Date)
    reply_paper_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    reminded_at: Mapped[datetime | None] = mapped_column(Moment)
    escalated_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)

    unit: Mapped[Unit] = relationship()
    case: Mapped[Case] = relationship()
