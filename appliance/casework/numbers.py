"""Numbers on slips and letters: a case or a referral by its number, however it was typed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa

from appliance.access import Actor, scope
from appliance.database import db, settings_in_use
from appliance.models.case import Case, Referral

_TABLES: dict[str, type[Case] | type[Referral]] = {"SLRT": Case, "RJK": Referral}
_NUMBER = re.compile(
    r"(?:(?P<series>SLRT|RJK)[\s/-]*)?(?:(?P<district>\d{4})[\s/-]+)?(?P<month>20\d{4})[\s/-]+(?P<count>[1-9]\d*|\d{5,6})"
)


@dataclass(frozen=True)
class Numbered:
    """What carries the number: `kind` is "kasus" or "rujukan"."""

    kind: str
    id: str


def find_numbered(text: str, *, by: Actor) -> Numbered | None:
    """The case or referral in the scope of `by` with the number `text`; prefix, district and leading zeros may be left out.

    With some of the zeros it is the beginning of other numbers, and none itself.
    """
    found = _NUMBER.fullmatch(text.strip().upper())
    if found is None:
        return None
    district = found["district"] or settings_in_use().node.district.replace(".", "")
    for series in [found["series"]] if found["series"] else _TABLES:
        number = f"{series}-{district}-{found['month']}-{int(found['count']):05d}"
        table = _TABLES[series]
        key = db.session.scalar(scope(sa.select(table.id).where(table.number == number), table, by))
        if key:
            return Numbered("kasus" if table is Case else "rujukan", key)
    return None
