"""Letters that the office sends, the wording and letterheads it has made its own, and who signs.

A wording or letterhead is never changed: a new version is added, and the newest counts. What a letter was approved with is
frozen in the letter itself.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.area import CODE_LENGTH
from appliance.models.case import Case, Referral
from appliance.models.columns import ID_LENGTH, Code, Identified, Moment, Stamped, rows_where

WORDING_LENGTH = 40
SERIES_LENGTH = 16
TEXT_LENGTH = 160
FULL_NUMBER_LENGTH = 80
CHECK_LENGTH = 16
_ASKED = ("state", "area_code", "case_id", "wording", "initialled_by", "referral_id", "number")


class LetterWording(Identified, Model):
    """The office's own version of a document, in the place of the one that comes with the program. Triggers refuse changes.

    `content` holds the fields of `appliance.letters.wordings.Wording`.
    """

    __tablename__ = "letter_wording"
    __table_args__ = (sa.UniqueConstraint("code", "version"),)

    code: Mapped[str] = mapped_column(sa.String(WORDING_LENGTH))
    version: Mapped[int] = mapped_column(sa.Integer)
    content: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    stored_at: Mapped[datetime] = mapped_column(Moment)
    stored_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))


class Letterhead(Identified, Model):
    """One version of the head of the letters. The logos are contents below the attachments, by their hash; "" is none."""

    __tablename__ = "letterhead"

    version: Mapped[int] = mapped_column(sa.Integer, unique=True)
    content: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    stored_at: Mapped[datetime] = mapped_column(Moment)
    stored_by: Mapped[str] = mapped_column(sa.String(ID_LENGTH))


class Signatory(Stamped, Model):
    """An official who signs: for herself, "a.n." (on behalf of) somebody, or also "u.b." (by order of another)."""

    __tablename__ = "signatory"

    name: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH))
    position: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH))
    rank: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH), default="")
    nip: Mapped[str] = mapped_column(sa.String(18), default="")
    on_behalf: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH), default="")
    by_order: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH), default="")
    active: Mapped[bool] = mapped_column(sa.Boolean, default=True)


class LetterCase(Model):
    """A case that a collective letter names besides its own: the letter is for nobody who may not see that case."""

    __tablename__ = "letter_case"

    letter_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("letter.id"), primary_key=True)
    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"), primary_key=True, index=True)


class Letter(Stamped, Model):
    """One letter, from its draft to the end of its validity.

    `typed` is what the drafter filled in, `frozen` everything the paper shows, fixed when it is approved. The number (`series`,
    `year`, `count`) is taken when it is issued and never given again. `pdf` is the hash of the one paper that was made of it.
    """

    __tablename__ = "letter"
    __table_args__ = (
        sa.UniqueConstraint("series", "year", "count"),
        # What lists ask of a letter, so that passing over a row costs nothing: the register, and what is on its way.
        sa.Index("ix_letter_issued", "issued_at", "id", *_ASKED, "valid_until", **rows_where("issued_at IS NOT NULL")),
        sa.Index("ix_letter_unissued", "created_at", "id", *_ASKED, **rows_where("issued_at IS NULL")),
        sa.Index("ix_letter_person_id_wording", "person_id", "wording"),
    )

    request_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    wording: Mapped[str] = mapped_column(sa.String(WORDING_LENGTH))
    title: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH))
    case_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("case.id"), index=True)
    referral_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("referral.id"), index=True)
    person_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("person.id"))
    area_code: Mapped[str] = mapped_column(Code(CODE_LENGTH), sa.ForeignKey("area.code"), index=True)
    signatory_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("signatory.id"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(TEXT_LENGTH), default="")
    addressee: Mapped[str] = mapped_column(sa.Text, default="")
    typed: Mapped[dict[str, str]] = mapped_column(sa.JSON, default=dict)
    frozen: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    state: Mapped[str] = mapped_column(sa.String(12))
    # Everybody who wrote at it: none of them initials or approves.
    drafters: Mapped[list[str]] = mapped_column(sa.JSON)
    initialled_by: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    approved_by: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"))
    series: Mapped[str | None] = mapped_column(sa.String(SERIES_LENGTH))
    year: Mapped[int | None] = mapped_column(sa.Integer)
    count: Mapped[int | None] = mapped_column(sa.Integer)
    number: Mapped[str | None] = mapped_column(sa.String(FULL_NUMBER_LENGTH), unique=True)
    # The number that the national letter system (SRIKANDI) gave it, if it went through there as well.
    outside_number: Mapped[str] = mapped_column(sa.String(FULL_NUMBER_LENGTH), default="")
    day: Mapped[date | None] = mapped_column(sa.Date)
    valid_until: Mapped[date | None] = mapped_column(sa.Date)
    issued_at: Mapped[datetime | None] = mapped_column(Moment)
    check_code: Mapped[str | None] = mapped_column(sa.String(CHECK_LENGTH), unique=True)
    pdf: Mapped[str] = mapped_column(sa.String(64), default="")
    prints: Mapped[int] = mapped_column(sa.Integer, default=0)
    # How often anybody checked the paper on the last day somebody did.
    checked_on: Mapped[date | None] = mapped_column(sa.Date)
    checked_count: Mapped[int] = mapped_column(sa.Integer, default=0)
    cancel_reason: Mapped[str] = mapped_column(sa.Text, default="")
    # The signed paper, scanned: its hash and what kind of file it is.
    scan: Mapped[str] = mapped_column(sa.String(64), default="")
    scan_media: Mapped[str] = mapped_column(sa.String(40), default="")

    case: Mapped[Case] = relationship()
    # The other cases that a collective letter names.
    named: Mapped[list[Case]] = relationship(secondary="letter_case", order_by=Case.number)
    referral: Mapped[Referral | None] = relationship()
    signatory: Mapped[Signatory | None] = relationship()
