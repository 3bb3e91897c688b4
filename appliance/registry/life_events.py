"""What happened to people and families: an append-only list, newest first.

`note` is for services, inside their own transaction. It opens none of its own and writes nothing into the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from appliance.database import db
from appliance.models.person import LifeEvent, LifeKind


def note(  # noqa: PLR0913  the columns of an event
    kind: LifeKind | str,
    *,
    person_id: str | None = None,
    family_id: str | None = None,
    on: date | None = None,
    detail: Mapping[str, Any] | None = None,
    evidence: str = "",
    by: str,
    at: datetime,
) -> None:
    """Append one event inside the running transaction.

    `by` is an account's identifier, `on` the day it happened. `detail` is small and of plain values; what changed stands in it
    as `{"changes": {field: [before, after]}}`. Raises ValueError for an unknown kind or an event of nobody.
    """
    if person_id is None and family_id is None:
        raise ValueError("an event belongs to a person, a family, or both")
    db.session.add(
        LifeEvent(
            kind=LifeKind(kind).value,
            person_id=person_id,
            family_id=family_id,
            happened_on=on,
            recorded_at=at,
            recorded_by=by,
            evidence=evidence.strip()[:300],
            detail=dict(detail or {}),
        )
    )
    db.session.flush()
