"""Accounts of the officers: who they are, what they are assigned to, where they are signed in, and how often guessing failed.

Passwords and cookies are never stored, only their hashes. The rules of signing in live in `appliance.accounts`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from appliance.database import Model
from appliance.models.columns import ID_LENGTH, Moment, Stamped
from appliance.models.roles import Role

HASH_LENGTH = 64  # SHA-256 in hexadecimal


class Account(Stamped, Model):
    """A person who may sign in. Never deleted, for the histories name her; switched off instead."""

    __tablename__ = "account"

    username: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    phone: Mapped[str | None] = mapped_column(sa.String(32))
    nip: Mapped[str | None] = mapped_column(sa.String(18))
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    # A one-time password must be replaced at the first sign-in and dies by itself; an own password has neither.
    must_change_password: Mapped[bool] = mapped_column(default=True)
    password_expires_at: Mapped[datetime | None] = mapped_column(Moment)
    password_changed_at: Mapped[datetime] = mapped_column(Moment)
    active: Mapped[bool] = mapped_column(default=True)

    assignments: Mapped[list[Assignment]] = relationship(back_populates="account", order_by="Assignment.starts", lazy="selectin")

    def assignments_on(self, day: date) -> list[Assignment]:
        """What the person is assigned to on `day`; rights come from these alone."""
        return [assignment for assignment in self.assignments if assignment.holds_on(day)]

    def password_expired(self, at: datetime) -> bool:
        """Whether a one-time password was not used in time."""
        return self.password_expires_at is not None and at >= self.password_expires_at


class Assignment(Stamped, Model):
    """A role for a time: in areas (codes, each standing for itself and all below it), for an OPD officer at a unit."""

    __tablename__ = "assignment"

    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), index=True)
    role: Mapped[str] = mapped_column(sa.String(32))
    unit_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("unit.id"), index=True)
    area_codes: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    starts: Mapped[date] = mapped_column(sa.Date)
    ends: Mapped[date | None] = mapped_column(sa.Date)  # the last day it holds
    decree: Mapped[str | None] = mapped_column(sa.String(80))

    account: Mapped[Account] = relationship(back_populates="assignments")

    @property
    def kind(self) -> Role:
        """The role as a value."""
        return Role(self.role)

    def holds_on(self, day: date) -> bool:
        """Whether it gives rights on `day`."""
        return self.starts <= day and (self.ends is None or day <= self.ends)


class WebSession(Model):
    """A browser that is signed in. `id` is the SHA-256 of its cookie, so that a copy of the database signs nobody in."""

    __tablename__ = "web_session"

    id: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), primary_key=True)
    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), index=True)
    device_id: Mapped[str] = mapped_column(sa.String(HASH_LENGTH))
    device: Mapped[str] = mapped_column(sa.String(80))  # what the person recognises: "Chrome di Windows"
    address: Mapped[str] = mapped_column(sa.String(45), default="", server_default="")  # from where it was used last
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_seen_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    end_reason: Mapped[str | None] = mapped_column(sa.String(20))

    account: Mapped[Account] = relationship(lazy="joined", innerjoin=True)

    @property
    def device_name(self) -> str:
        """The device as the journal names it: "Chrome di Windows #1a2b3c4d"."""
        return f"{self.device} #{self.device_id[:8]}"

    def alive(self, at: datetime, idle: timedelta, longest: timedelta) -> bool:
        """Whether it still counts at `at`. A clock that was set back ends nothing; one far ahead ends it."""
        return self.ended_at is None and at < self.last_seen_at + idle and at < self.created_at + longest


class KnownDevice(Model):
    """A browser from which this person signed in before; `device_id` is the SHA-256 of its lasting cookie."""

    __tablename__ = "known_device"

    account_id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), sa.ForeignKey("account.id"), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), primary_key=True)
    last_used_at: Mapped[datetime] = mapped_column(Moment)


class SignInAttempt(Model):
    """How often signing in failed in a row for one name: a row for each known device, and one for all unknown ones.

    Stored, so that a restart does not give a guesser a fresh start.
    """

    __tablename__ = "sign_in_attempt"

    subject: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), primary_key=True)
    device_id: Mapped[str] = mapped_column(sa.String(HASH_LENGTH), primary_key=True)
    misses: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(Moment)
