"""The record of the acceptance: confirmations are added, never changed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.commissioning import evidence
from appliance.commissioning.rules import Confirmation, Evidence, Line, Result, lines_of, problems_of
from appliance.config import Settings
from appliance.database import Duplicate, db, transaction
from appliance.errors import InvalidInput, NotAllowed
from appliance.models.acceptance import AcceptanceEntry
from appliance.models.roles import Role


def look(settings: Settings, at: datetime) -> list[Line]:
    """All checks with what the node sees now and the newest word on each."""
    return lines_of(evidence.look(settings, at), confirmations())


def confirmations() -> list[Confirmation]:
    """Every confirmation, the oldest first."""
    rows = db.session.scalars(sa.select(AcceptanceEntry).order_by(AcceptanceEntry.position))
    return [Confirmation(row.check_code, Result(row.result), row.note, row.evidence, row.by_name, row.at) for row in rows]


def confirm(settings: Settings, code: str, result: str, note: str, *, by: Actor, at: datetime) -> None:
    """Write down how a check ended, with what the node sees of it now. Raises NotAllowed, InvalidInput with all problems."""
    if not by.has(Role.ADMIN):
        raise NotAllowed("Serah terima dicatat oleh admin.", "Bila Anda memerlukannya, mintalah kepada admin.")
    typed = " ".join(note.split())
    seen = evidence.look(settings, at).get(code, Evidence(None, ""))
    if problems := problems_of(code, result, typed, seen):
        raise InvalidInput(problems)
    row = {"check_code": code, "result": result, "note": typed, "evidence": seen.text, "seen": seen.seen, "by_name": by.name}
    try:
        _add(row, by, at)
    except Duplicate:  # somebody wrote the same place a moment ago
        _add(row, by, at)


def _add(row: dict[str, str | bool | None], by: Actor, at: datetime) -> None:
    with transaction() as session:
        last = session.scalar(sa.select(sa.func.max(AcceptanceEntry.position))) or 0
        session.add(AcceptanceEntry(position=last + 1, by_account=by.account_id, at=at, **row))
        session.flush()
        audit.record("serah-terima", f"acceptance:{row['check_code']}", by=by, at=at, detail={"hasil": row["result"]})
