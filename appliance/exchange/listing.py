"""Who stands in a national list, as a ministry's sheet says: a look into that list for each row, with its desil if it tells one.

Only copied, never computed. What a look showed is never changed; when its import is taken back it is withdrawn (`withdrawing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db, table_of
from appliance.exchange.withdrawing import LOOK, request_of
from appliance.models.columns import new_id
from appliance.models.imports import Verdict
from appliance.models.profile import Listed, ListStatus
from appliance.registry.bulk import Decision, Stored

SEEN = (Verdict.NEW, Verdict.CHANGED, Verdict.SAME, Verdict.SKIPPED)


def note_listed(
    decisions: Sequence[Decision],
    stored: Mapping[int, Stored],
    import_id: str,
    options: Mapping[str, str],
    *,
    by: Actor,
    at: datetime,
) -> int:
    """Store a look for each person of a part, inside the running transaction; how many. Once for each row of the file."""
    rows = []
    for decision in decisions:
        number = decision.candidate.number
        person = stored[number].person_id if number in stored else decision.person["id"] if decision.person else None
        if person is None or decision.verdict not in SEEN:
            continue
        rows.append(
            {
                "id": new_id(),
                "request_id": request_of(import_id, number, LOOK),
                "list_id": options["list_id"],
                "person_id": person,
                "family_id": None,
                "listed": Listed.YES.value,
                "outside_id": str(decision.candidate.values.get("outside_id", ""))[:40],
                "decile": decision.candidate.values.get("decile"),
                "period": options.get("period", "")[:40],
                "checked_on": date.fromisoformat(options["checked_on"]),
                "checked_by": by.name,
                "evidence": "Daftar yang diimpor",
                "stored_at": at,
                "stored_by": by.account_id,
            }
        )
    if rows:
        db.session.execute(sa.insert(table_of(ListStatus)), rows)
    return len(rows)
