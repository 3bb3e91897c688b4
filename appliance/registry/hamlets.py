"""The dusun or lingkungan of a village with their RW and RT: what forms suggest. Free text stays allowed there.

Kept by those who know the village: the Puskesos coordinator, the supervisor, the admin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.area import Area, Hamlet, Level
from appliance.models.roles import Role

KEEPER_ROLES = frozenset({Role.KOORDINATOR_PUSKESOS, Role.SUPERVISOR})
LONGEST_NAME = 80
MOST_AT_ONCE = 99
MOST_IN_VILLAGE = 2000


@dataclass(frozen=True)
class HamletLine:
    """One line of the list; `rw` and `rt` have three digits or are empty."""

    id: str
    name: str
    rw: str
    rt: str


@dataclass(frozen=True)
class Suggestions:
    """What a form offers for an address, each value once."""

    hamlets: tuple[str, ...] = ()
    rws: tuple[str, ...] = ()
    rts: tuple[str, ...] = ()


def hamlets_of(village_code: str) -> tuple[HamletLine, ...]:
    """The list of one village, by name, RW and RT."""
    statement = (
        sa.select(Hamlet.id, Hamlet.name, Hamlet.rw, Hamlet.rt)
        .where(Hamlet.village_code == village_code)
        .order_by(Hamlet.name, Hamlet.rw, Hamlet.rt)
        .limit(MOST_IN_VILLAGE)
    )
    return tuple(HamletLine(*row) for row in db.session.execute(statement))


def suggestions(village_codes: Iterable[str]) -> Suggestions:
    """What to suggest for an address in these villages. Names of places are no secret."""
    statement = sa.select(Hamlet.name, Hamlet.rw, Hamlet.rt).where(Hamlet.village_code.in_(list(village_codes)))
    rows = db.session.execute(statement.limit(MOST_IN_VILLAGE)).all()
    return Suggestions(*(tuple(sorted({row[column] for row in rows} - {""})) for column in range(3)))


def may_keep(village_code: str, by: Actor) -> bool:
    """Whether `by` may change the list of this village."""
    return by.has(Role.ADMIN) or by.has_in(village_code, *KEEPER_ROLES)


def add_hamlet(village_code: str, name: str, rw: str, rt: str, *, by: Actor, at: datetime) -> int:
    """Add a hamlet with its RW and one RT, or several ("1-4"); how many lines are new. What is there already stays as it is.

    Raises InvalidInput with all problems, NotAllowed, NotFound.
    """
    with transaction() as session:
        _require_keeper(village_code, by)
        name, problems = " ".join(name.split()), {}
        if not 2 <= len(name) <= LONGEST_NAME:
            problems["name"] = f"Tulis nama dusun atau lingkungan, paling banyak {LONGEST_NAME} huruf."
        if not re.fullmatch(r"\d{0,3}", rw.strip()):
            problems["rw"] = "RW paling banyak tiga angka."
        numbers = _numbers(rt.strip())
        if not numbers:
            problems["rt"] = "Tulis satu RT, atau rentang seperti 1-4."
        if problems:
            raise InvalidInput(problems)
        known = {(line.name.casefold(), line.rw, line.rt) for line in hamlets_of(village_code)}
        new = [number for number in numbers if (name.casefold(), _three(rw), number) not in known]
        for number in new:
            hamlet = Hamlet(village_code=village_code, name=name, rw=_three(rw), rt=number)
            hamlet.stamp(by.account_id, at)
            session.add(hamlet)
        detail = {"nama": name, "rw": _three(rw), "rt": new}
        audit.record("wilayah-dusun", f"area:{village_code}", by=by, at=at, detail=detail)
        return len(new)


def remove_hamlet(village_code: str, hamlet_id: str, *, by: Actor, at: datetime) -> None:
    """Take one line off the list; people's addresses keep what they say. Raises NotFound, NotAllowed."""
    with transaction() as session:
        _require_keeper(village_code, by)
        found = session.scalar(sa.select(Hamlet).where(Hamlet.id == hamlet_id, Hamlet.village_code == village_code))
        if found is None:
            raise NotFound("Baris itu tidak ada lagi.", "Muat ulang halaman desa ini.")
        session.delete(found)
        detail = {"dihapus": found.name, "rw": found.rw, "rt": found.rt}
        audit.record("wilayah-dusun", f"area:{village_code}", by=by, at=at, detail=detail)


def _require_keeper(village_code: str, by: Actor) -> None:
    area = db.session.get(Area, village_code)
    if area is None or area.level != Level.VILLAGE or not area.active:
        raise NotFound("Desa/kelurahan itu tidak ada.", "Cari lagi di halaman Wilayah.")
    if not may_keep(village_code, by):
        raise NotAllowed(
            "Daftar dusun diubah oleh koordinator Puskesos, supervisor, atau admin.", "Mintalah kepada salah satu dari mereka."
        )


def _numbers(text: str) -> list[str]:
    """ "" is no RT; "3" one; "1-4" four. Empty when it is none of these, or too many."""
    if not text:
        return [""]
    found = re.fullmatch(r"(\d{1,3})(?:\s*[-–]\s*(\d{1,3}))?", text)
    if not found:
        return []
    first, last = int(found[1]), int(found[2] or found[1])
    return [_three(str(number)) for number in range(first, last + 1)] if last - first < MOST_AT_ONCE else []


def _three(text: str) -> str:
    return text.strip().zfill(3) if text.strip() else ""
