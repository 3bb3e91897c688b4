"""The tamper-evident journal of who looked, changed, printed, exported and signed in.

Each entry is sealed with a key over its content and the seal before it, in the transaction of the act itself. An edited,
removed or moved entry breaks the chain; a cut tail is seen by whoever kept an `Anchor` (the backups do).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import sqlalchemy as sa
from flask import current_app

from appliance.config import read_secret
from appliance.database import db
from appliance.models.audit import AuditEntry

FIRST_SEAL = "0" * 64
SYSTEM = "system"
CHAIN_LOCK = 7304


class Doer(Protocol):
    """The part of an actor that the journal names."""

    @property
    def account_id(self) -> str: ...

    @property
    def device(self) -> str: ...


@dataclass(frozen=True)
class Anchor:
    """The end of the chain at some moment, to be kept elsewhere: in a backup, on paper."""

    position: int
    seal: str


@dataclass(frozen=True)
class Verdict:
    """Whether the chain is whole, how many entries were read, and a sentence for the operator."""

    ok: bool
    entries: int
    text: str


def record(  # noqa: PLR0913  the columns of the journal
    action: str,
    subject: str,
    *,
    by: Doer | None,
    at: datetime,
    detail: Mapping[str, object] | None = None,
    account_id: str = SYSTEM,
    device: str = "",
) -> None:
    """Append one entry inside the running transaction, as its last act: on PostgreSQL it holds the chain until the commit.

    `subject` is a kind and an identifier ("person:…"), never a NIK. Without `by`, `account_id` and `device` name the doer.
    """
    session = db.session()
    if session.connection().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN_LOCK)))
    session.flush()
    before = latest()
    entry = AuditEntry(
        position=before.position + 1,
        at=at.astimezone(UTC),
        account_id=by.account_id if by else account_id,
        device=(by.device if by else device)[:64],
        action=action,
        subject=subject,
        detail=json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True, default=str),
    )
    entry.seal = _seal(_key(), before.seal, entry)
    session.add(entry)
    session.flush()


def latest() -> Anchor:
    """The end of the chain now; position 0 for an empty one."""
    newest = sa.select(AuditEntry.position, AuditEntry.seal).order_by(AuditEntry.position.desc()).limit(1)
    found = db.session.execute(newest).first()
    return Anchor(found.position, found.seal) if found else Anchor(0, FIRST_SEAL)


def ends_in_our_hand() -> bool:
    """Whether the newest entry is sealed with the key of this node; an empty journal is nobody's."""
    newest = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.position.desc()).limit(2)).all()
    if not newest:
        return True
    before = newest[1].seal if len(newest) > 1 else FIRST_SEAL
    return hmac.compare_digest(newest[0].seal, _seal(_key(), before, newest[0]))


def newest_moment() -> datetime | None:
    """When the last entry was written, by the clock of then; None while there is none."""
    return db.session.scalar(sa.select(AuditEntry.at).order_by(AuditEntry.position.desc()).limit(1))


def verify(anchor: Anchor | None = None) -> Verdict:
    """Read the whole chain, oldest first, and compare it with its seals and with the kept anchor."""
    key, seal, position = _key(), FIRST_SEAL, 0
    anchored = anchor is None or anchor.position == 0
    for entry in db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.position).execution_options(yield_per=1000)):
        if entry.position != position + 1:
            return Verdict(False, position, f"Jurnal audit berlubang setelah catatan nomor {position}.")
        if not hmac.compare_digest(entry.seal, _seal(key, seal, entry)):
            return Verdict(False, position, f"Catatan audit nomor {entry.position} pernah diubah.")
        seal, position = entry.seal, entry.position
        if anchor and position == anchor.position:
            anchored = hmac.compare_digest(seal, anchor.seal)
    if not anchored:
        return Verdict(
            False, position, "Jurnal audit tidak cocok dengan titik yang dicatat sebelumnya: dipotong atau ditulis ulang."
        )
    return Verdict(True, position, f"Jurnal audit utuh ({position} catatan).")


def _seal(key: bytes, before: str, entry: AuditEntry) -> str:
    content = [
        before,
        entry.position,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.account_id,
        entry.device,
        entry.action,
        entry.subject,
        entry.detail,
    ]
    canonical = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def _key() -> bytes:
    key: str | None = current_app.config["SLRT_AUDIT_KEY"]
    if key is None:
        key = current_app.config["SLRT_AUDIT_KEY"] = read_secret(current_app.config["SLRT_SETTINGS"], "audit-key")
    return key.encode("ascii")
