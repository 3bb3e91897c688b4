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
    for number in numbers_of(text):
        table = _TABLES[number.partition("-")[0]]
        key = db.session.scalar(scope(sa.select(table.id).where(table.number == number), table, by))
        if key:
            return Numbered("kasus" if table is Case else "rujukan", key)
    return None


def numbers_of(text: str, series: str = "") -> list[str]:
    """The whole numbers that `text` can stand for, of one series or of all; none when it is no number."""
    found = _NUMBER.fullmatch(text.strip().upper())
    if found is None or (series and found["series"] not in (None, series)):
        return []
    district = found["district"] or settings_in_use().node.district.replace(".", "")
    wanted = [found["series"] or series] if found["series"] or series else list(_TABLES)
    return [f"{name}-{district}-{found['month']}-{int(found['count']):05d}" for name in wanted]
