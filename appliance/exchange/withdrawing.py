"""Withdraws what an import wrote into append-only tables: looks into national lists and filled blanks.

They stay in the history with the reason; they only do not count any more. Each is known by its row of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.database import db, one_of, transaction
from appliance.exchange.export_run import Hands
from appliance.models.imports import ImportRow
from appliance.models.profile import ListStatus, Profile

REASON = "Impor yang membawanya dibatalkan."
LOOK, FAMILY_BLANK, PERSON_BLANK = "", "k", "o"
ROWS_AT_ONCE = 500


def request_of(import_id: str, number: int, kind: str) -> str:
    """What a row of a file wrote, by one name: the same again is refused, and an undo finds exactly it."""
    return f"{import_id}:{number}{kind}"


def withdraw(import_id: str, work: Hands, actor: Actor) -> int:
    """Withdraw all that this import noted and that still counts, part by part; how many."""
    withdrawn = 0
    for numbers in _rows_of(import_id):
        work.check()
        at = work.now()
        with transaction():
            found = _withdraw_part(import_id, numbers, at)
            if found:
                detail = {"baris": f"{numbers[0]}-{numbers[-1]}", "ditarik": found}
                audit.record("impor-tarik-catatan", f"import:{import_id}", by=actor, at=at, detail=detail)
        withdrawn += found
    return withdrawn


def _rows_of(import_id: str) -> Iterator[Sequence[int]]:
    last = 0
    while True:
        behind = sa.select(ImportRow.number).where(ImportRow.import_id == import_id, ImportRow.number > last)
        numbers = db.session.scalars(behind.order_by(ImportRow.number).limit(ROWS_AT_ONCE)).all()
        db.session.rollback()  # only read: the next part begins afresh
        if not numbers:
            return
        yield numbers
        last = numbers[-1]


def _withdraw_part(import_id: str, numbers: Sequence[int], at: datetime) -> int:
    found = 0
    for table, kinds in ((ListStatus, (LOOK,)), (Profile, (FAMILY_BLANK, PERSON_BLANK))):
        named = [request_of(import_id, number, kind) for number in numbers for kind in kinds]
        counting = sa.update(table).where(one_of(table.request_id, named), table.withdrawn_at.is_(None))
        changed = counting.values(withdrawn_at=at, withdrawn_reason=REASON).execution_options(synchronize_session=False)
        found += db.session.execute(changed).rowcount  # type: ignore[attr-defined]
    return found
