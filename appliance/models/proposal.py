"""DTSEN proposals, what they rest on (a meeting of the village or the statement of its head), their history, the monthly window."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.case import NUMBER_LENGTH, STATE_LENGTH
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped
from appliance.models.person import NAME_LENGTH, REASON_LENGTH, Person
from appliance.models.programme import CODE_WORD

PERIOD_LENGTH = 7


class ProposalBasis(Stamped, Model):
    """A musyawarah or an SPTJM of one village. Without the scan of the signed paper nothing that rests on it is sent on.

    `leader` leads the meeting or makes the statement; `attendance` are {"name", "role"}.
    """

    __tablename__ = "proposal_basis"
    __table_args__ = (sa.Index("ix_proposal_basis_village_code_held_on", "village_code", "held_on"),)

    number: Mapped[str] = mapped_column(Code(NUMBER_LENGTH), unique=True)
    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    state: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    held_on: Mapped[date] = mapped_column(sa.Date)
    place: Mapped[str] = mapped_column(sa.String(160), default="")
    leader: Mapped[str] = mapped_column(sa.String(NAME_LENGTH), default="")
    attendance: Mapped[list[dict[str, str]]] = mapped_column(sa.JSON, default=list)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    # The village's own number and the day on the signed paper, and the paper itself.
    paper_number: Mapped[str] = mapped_column(sa.String(80), default="")
    signed_on: Mapped[date | None] = mapped_column(sa.Date)
    scan: Mapped[str] = mapped_column(sa.String(64), default="")
    scan_media: Mapped[str] = mapped_column(sa.String(40), default="")
    cancel_reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")


class Proposal(Stamped, Model):
    """One proposal to change the national list. `person_id` is who is entered; `family_id` her family when it is about all of it.

    `period` ("2026-11") is the month it is meant for; `decision` is what the meeting said.
    """

    __tablename__ = "proposal"
    __table_args__ = (
        sa.Index("ix_proposal_state_village_code", "state", "village_code"),
        sa.Index("ix_proposal_village_code_id", "village_code", "id"),
        sa.Index("ix_proposal_person_id", "person_id"),
        sa.Index("ix_proposal_family_id", "family_id"),
        sa.Index("ix_proposal_case_id", "case_id"),
        sa.Index("ix_proposal_basis_id", "basis_id"),
    )

    number: Mapped[str] = mapped_column(Code(NUMBER_LENGTH), unique=True)
    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    state: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    state_since: Mapped[datetime] = mapped_column(Moment)
    period: Mapped[str] = mapped_column(sa.String(PERIOD_LENGTH))
    person_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"))
    family_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("family.id"))
    case_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"))
    programme_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("programme.id"))
    village_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"))
    reason: Mapped[str] = mapped_column(sa.Text)
    evidence: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    basis_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("proposal_basis.id"))
    decision: Mapped[str] = mapped_column(sa.String(8), default="")
    decision_reason: Mapped[str] = mapped_column(sa.String(REASON_LENGTH), default="")
    # Everybody who wrote at it: none of them checks it. Who checked it does not release it.
    writers: Mapped[list[str]] = mapped_column(sa.JSON)
    checked_by: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    entered_on: Mapped[date | None] = mapped_column(sa.Date)
    outside_number: Mapped[str] = mapped_column(sa.String(CODE_WORD), default="")
    result_due: Mapped[datetime | None] = mapped_column(Moment)
    result_on: Mapped[date | None] = mapped_column(sa.Date)
    result_note: Mapped[str] = mapped_column(sa.Text, default="")

    person: Mapped[Person] = relationship()
    basis: Mapped[ProposalBasis | None] = relationship()


class ProposalEvent(Identified, Model):
    """One fact of a proposal's history. Never changed, never deleted: triggers refuse it."""

    __tablename__ = "proposal_event"
    __table_args__ = (sa.UniqueConstraint("proposal_id", "position"),)

    proposal_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("proposal.id"))
    position: Mapped[int] = mapped_column(sa.Integer)
    action: Mapped[str] = mapped_column(sa.String(32))
    state_from: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    state_to: Mapped[str] = mapped_column(sa.String(STATE_LENGTH))
    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    account_name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    role: Mapped[str] = mapped_column(sa.String(24))
    happened_at: Mapped[datetime] = mapped_column(Moment)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)


class ProposalWindow(Stamped, Model):
    """From which to which day of a month proposals are entered: the usual rule (`period` ""), or that of one month.

    `result_days`: after how many working days without a result an entered proposal is late.
    """

    __tablename__ = "proposal_window"

    period: Mapped[str] = mapped_column(sa.String(PERIOD_LENGTH), unique=True)
    opens_day: Mapped[int] = mapped_column(sa.Integer)
    closes_day: Mapped[int] = mapped_column(sa.Integer)
    result_days: Mapped[int] = mapped_column(sa.Integer)
