"""The sheet of a handover ("berita acara serah terima wilayah"): what is printed and signed, frozen as plain values.

It names cases by number only: it lies on desks and in folders, and says nothing of who is poor or ill.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime

from appliance.casework.day_words import day_in_words
from appliance.database import settings_in_use
from appliance.models.case import Case
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState

FORM = 1  # of this record: a later layout must still be able to print it


@dataclass(frozen=True)
class PassedCase:
    """One case on the sheet: `age` in days since it was received; `state` as it is read."""

    id: str
    number: str
    state: str
    service: str
    village: str
    age: int
    overdue: bool
    confidential: bool


@dataclass(frozen=True)
class Signer:
    """Somebody who signs."""

    name: str
    nip: str = ""
    role: str = "Fasilitator"


def passed_case(case: Case, villages: Mapping[str, str], at: datetime) -> PassedCase:
    """A case as the list shows it."""
    state = CaseState(case.state)
    running = state in OPEN and state not in CLOCK_STOPPED
    return PassedCase(
        id=case.id,
        number=case.number,
        state=state.label,
        service=case.service_type.name,
        village=villages.get(case.village_code, case.village_code),
        age=max(0, (at - case.received_at).days),
        overdue=running and case.deadline is not None and case.deadline < at,
        confidential=case.confidential,
    )


def make_sheet(  # noqa: PLR0913  the parts of the sheet
    *,
    number: str,
    day: date,
    people: tuple[Signer, ...],
    villages: Mapping[str, str],
    cases: Iterable[PassedCase],
    others: int,
    decree: str,
    note: str,
    witness: Signer,
) -> dict[str, object]:
    """The record to store. `people` are who gives and who takes."""
    node = settings_in_use().node
    giver, taker = people
    return {
        "form": FORM,
        "office": node.office,
        "number": number,
        "day": day.isoformat(),
        "day_in_words": day_in_words(day),
        "giver": asdict(giver),
        "taker": asdict(taker),
        "witness": asdict(witness),
        "villages": [{"code": code, "name": villages[code]} for code in sorted(villages)],
        "cases": [asdict(case) for case in sorted(cases, key=lambda case: case.number)],
        "others": others,
        "decree": decree,
        "note": note,
    }
