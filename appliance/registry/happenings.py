"""What happens to people, with its consequences: born, died, went missing, moved away or within the district, came back.

Each function is one transaction and one fact in the journal; the life events keep what happened and on what paper it rests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import EDITOR_ROLES, REGISTRAR_ROLES, Actor, require_area
from appliance.database import Duplicate, db, transaction
from appliance.errors import Conflict, InvalidInput
from appliance.models.area import Area, Level
from appliance.models.person import Family, FormerCard, LifeKind, Person, Relation, Sex
from appliance.registry import life_events, nik, person_fields, search_index
from appliance.registry.corrections import family_in_scope, require_version
from appliance.registry.families import (
    ALIVE,
    card_problems,
    day_problems,
    living_members,
    living_person,
    make_head,
    refuse_taken_card,
)
from appliance.registry.marriages import note_widowed
from appliance.registry.people import (
    NewPerson,
    add_person,
    family_for,
    person_in_scope,
    place_problems,
    require_there,
    three_digits,
)
from appliance.registry.person_fields import today

MOVED_AWAY = "pindah"
DEAD = "mati"
MISSING = "hilang"


@dataclass(frozen=True)
class Birth:
    """A child born into a family; the NIK is usually not there yet."""

    name: str
    sex: str
    birth_date: date | None
    birth_place: str = ""
    mother_name: str = ""
    father_name: str = ""
    nik: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Move:
    """Where somebody goes: to a village of the district (`village_code`, with an address and perhaps a card there), or `outside`."""

    village_code: str = ""
    outside: str = ""
    kk: str = ""
    address: str = ""
    hamlet: str = ""
    rt: str = ""
    rw: str = ""
    on: date | None = None
    evidence: str = ""


def record_birth(family_id: str, birth: Birth, *, request_id: str, by: Actor, at: datetime) -> str:
    """Register a child into a family; its identifier. The same `request_id` again gives the same child.

    Raises NotFound, NotAllowed, NikTaken, InvalidInput with all problems.
    """
    try:
        with person_fields.telling_of_taken_numbers(by, at), transaction():
            return _born_already(request_id, by) or _birth(family_id, birth, request_id, by, at)
    except Duplicate:
        with person_fields.telling_of_taken_numbers(by, at), transaction():
            return _born_already(request_id, by) or _birth(family_id, birth, request_id, by, at)


def record_death(  # noqa: PLR0913  who, when, on what paper
    person_id: str,
    *,
    on: date | None,
    evidence: str,
    new_head_id: str = "",
    row_version: int,
    by: Actor,
    at: datetime,
) -> None:
    """Note that somebody died. A family without its head shows that it needs one, unless `new_head_id` takes the place.

    Raises NotFound, NotAllowed, Conflict, InvalidInput.
    """
    with transaction():
        person = living_person(person_id, row_version, by)
        problems = day_problems(on, at)
        if on is None:
            problems["on"] = "Isi tanggal meninggal; bila tidak pasti, isi perkiraannya."
        if person.birth_date and on and on < person.birth_date:
            problems["on"] = "Tanggal meninggal sebelum tanggal lahir."
        if problems:
            raise InvalidInput(problems)
        person.status, person.status_since = DEAD, on
        note_widowed(person, by, at)
        _leave_head(person, new_head_id, by, at)
        person.stamp(by.account_id, at)
        life_events.note(
            LifeKind.DIED,
            person_id=person.id,
            family_id=person.family_id,
            on=on,
            evidence=evidence,
            by=by.account_id,
            at=at,
        )
        audit.record("meninggal", f"person:{person.id}", by=by, at=at)


def record_missing(person_id: str, *, on: date | None, evidence: str, row_version: int, by: Actor, at: datetime) -> None:
    """Note that nobody knows where somebody is; `record_return` notes that she is back. Raises as `record_death` does."""
    with transaction():
        person = living_person(person_id, row_version, by)
        if problems := day_problems(on, at):
            raise InvalidInput(problems)
        person.status, person.status_since = MISSING, on
        _leave_head(person, "", by, at)
        person.stamp(by.account_id, at)
        family_id = person.family_id
        life_events.note(
            LifeKind.MISSING, person_id=person.id, family_id=family_id, on=on, evidence=evidence, by=by.account_id, at=at
        )
        audit.record("hilang", f"person:{person.id}", by=by, at=at)


def record_move(person_id: str, move: Move, *, row_version: int, by: Actor, at: datetime) -> None:
    """One person leaves her family's address: for another village or family of the district, or for elsewhere.

    Raises NotFound, NotAllowed, Conflict, InvalidInput with all problems.
    """
    with transaction():
        person = living_person(person_id, row_version, by)
        _refuse_bad_move(move, at, elsewhere=True)
        _leave_head(person, "", by, at)
        told = _told(person.village_code, move)
        if move.village_code:
            _settle(person, move, by, at)
        else:
            _go_away(person, move, by, at)
        life_events.note(
            LifeKind.MOVED, person_id=person.id, on=move.on, detail=told, evidence=move.evidence, by=by.account_id, at=at
        )
        audit.record("pindah", f"person:{person.id}", by=by, at=at, detail={"ke": move.village_code or "luar"})


def record_family_move(family_id: str, move: Move, *, row_version: int, by: Actor, at: datetime) -> None:
    """A whole family moves, with all who live in it; its card number stays or becomes the one in `move`.

    Raises NotFound, NotAllowed, Conflict, CardTaken, InvalidInput with all problems.
    """
    with transaction():
        family = family_in_scope(family_id, by)
        require_there(by, family.village_code, *EDITOR_ROLES)
        require_version(family, row_version)
        _refuse_bad_move(move, at, whole=True, elsewhere=True)
        told = _told(family.village_code, move)
        for person in living_members(family.id):
            _follow(person, move, told, by, at)
        if move.village_code:
            _settle_family(family, move, at)
        else:
            family.status = MOVED_AWAY
        family.stamp(by.account_id, at)
        life_events.note(
            LifeKind.MOVED, family_id=family.id, on=move.on, detail=told, evidence=move.evidence, by=by.account_id, at=at
        )
        audit.record("pindah", f"family:{family.id}", by=by, at=at, detail={"ke": move.village_code or "luar"})


def record_return(person_id: str, move: Move, *, row_version: int, by: Actor, at: datetime) -> None:
    """Somebody who had moved away (or was missing) lives in the district again. Raises as `record_move` does."""
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *EDITOR_ROLES)
        require_version(person, row_version)
        if person.status in (ALIVE, DEAD):
            raise Conflict("Warga ini tidak tercatat pindah.", "Muat ulang halaman dan periksa statusnya.")
        _refuse_bad_move(move, at)
        if not move.village_code:
            raise InvalidInput({"village_code": "Pilih desa/kelurahan tempat tinggalnya sekarang."})
        require_area(by, move.village_code, *EDITOR_ROLES)
        person.status, person.status_since = ALIVE, None
        _settle(person, move, by, at)
        detail = {"dari": move.outside} if move.outside else {}
        life_events.note(
            LifeKind.CAME,
            person_id=person.id,
            family_id=person.family_id,
            on=move.on,
            detail=detail,
            evidence=move.evidence,
            by=by.account_id,
            at=at,
        )
        audit.record("datang", f"person:{person.id}", by=by, at=at, detail={"desa": person.village_code})


def _born_already(request_id: str, by: Actor) -> str | None:
    return db.session.scalar(sa.select(Person.id).where(Person.request_id == request_id, Person.created_by == by.account_id))


def _birth(family_id: str, birth: Birth, request_id: str, by: Actor, at: datetime) -> str:
    family = family_in_scope(family_id, by)
    require_there(by, family.village_code, *REGISTRAR_ROLES, *EDITOR_ROLES)
    child = NewPerson(
        name=birth.name,
        sex=birth.sex,
        village_code=family.village_code,
        nik=birth.nik,
        nik_reason="" if birth.nik else person_fields.NIK_REASONS[0],
        birth_date=birth.birth_date,
        birth_place=birth.birth_place,
        relation=Relation.CHILD.value,
        mother_name=birth.mother_name or _parent(family, Sex.FEMALE),
        father_name=birth.father_name or _parent(family, Sex.MALE),
        marital_status="1",
    )
    number = person_fields.check(child)
    problems = person_fields.problems_of(child, number, at)
    if birth.birth_date is None:
        problems.setdefault("birth_date", "Isi tanggal lahir.")
    if problems:
        raise InvalidInput(problems)
    person = add_person(child, number, request_id=request_id, by=by, at=at)
    person.family_id = family.id
    life_events.note(
        LifeKind.BORN,
        person_id=person.id,
        family_id=family.id,
        on=birth.birth_date,
        evidence=birth.evidence,
        by=by.account_id,
        at=at,
    )
    audit.record("lahir", f"person:{person.id}", by=by, at=at, detail={"desa": person.village_code})
    return person.id


def _parent(family: Family, sex: Sex) -> str:
    """The name of the one who is surely mother or father of the head's child: the head, or the only spouse."""
    couple = {Relation.HEAD.value, Relation.HUSBAND.value, Relation.WIFE.value}
    fitting = [person.name for person in living_members(family.id) if person.relation in couple and person.sex == sex]
    return fitting[0] if len(fitting) == 1 else ""


def _leave_head(person: Person, new_head_id: str, by: Actor, at: datetime) -> None:
    """If she heads her family, the family gets the new head or shows that it needs one."""
    family = db.session.get(Family, person.family_id) if person.family_id else None
    if family is None or (family.head_id != person.id and person.relation != Relation.HEAD):
        return
    family.head_id = None
    person.relation = Relation.OTHER.value
    db.session.flush()
    if new_head_id:
        make_head(family, new_head_id, by, at)
    family.stamp(by.account_id, at)


def _refuse_bad_move(move: Move, at: datetime, *, whole: bool = False, elsewhere: bool = False) -> None:
    """`whole`: a family that takes its card along; `elsewhere`: the move may lead out of the district."""
    problems = day_problems(move.on, at) | card_problems(move.kk)
    if not (move.village_code or move.outside.strip()):
        problems["village_code"] = "Pilih desa/kelurahan tujuan, atau tulis tujuan di luar kabupaten/kota."
    elif elsewhere and move.village_code and move.outside.strip():
        problems["outside"] = "Isi salah satu: desa/kelurahan tujuan, atau tujuan di luar kabupaten/kota."
    elif move.village_code and not _is_village_here(move.village_code):
        problems["village_code"] = "Pilih desa/kelurahan di kabupaten/kota ini."
    elif move.village_code and not whole:
        problems = place_problems(_as_new(move)) | problems
    if problems:
        raise InvalidInput(problems)


def _is_village_here(code: str) -> bool:
    area = db.session.get(Area, code)
    return area is not None and area.active and area.level == Level.VILLAGE


def _as_new(move: Move) -> NewPerson:
    """The place of a move in the shape that registering takes."""
    return NewPerson(
        "-",
        Sex.FEMALE.value,
        move.village_code,
        kk=move.kk,
        address=move.address,
        hamlet=move.hamlet,
        rt=move.rt,
        rw=move.rw,
    )


def _told(village_from: str, move: Move) -> dict[str, str]:
    return {
        "dari_desa": village_from,
        "ke_desa": move.village_code,
        "ke_luar": "" if move.village_code else move.outside.strip()[:120],
    }


def _go_away(person: Person, move: Move, by: Actor, at: datetime) -> None:
    person.status, person.status_since = MOVED_AWAY, move.on or today(at)
    person.stamp(by.account_id, at)


def _settle(person: Person, move: Move, by: Actor, at: datetime) -> None:
    """She lives in the village from now on, on the card that was typed or on none yet."""
    _live_in(person, move.village_code, by, at)
    person.family_id = family_for(_as_new(move), by, at)
    person.relation = Relation.OTHER.value


def _live_in(person: Person, village_code: str, by: Actor, at: datetime) -> None:
    """From now on the officers of this village see and find her."""
    search_index.forget_person(person)
    person.village_code, person.domicile = village_code, ""
    person.stamp(by.account_id, at)
    search_index.index_person(person)


def _follow(person: Person, move: Move, told: dict[str, str], by: Actor, at: datetime) -> None:
    """A member goes where her family goes, unless she lives elsewhere already."""
    if person.village_code != told["dari_desa"]:
        return
    if not move.village_code:
        _go_away(person, move, by, at)
    else:
        _live_in(person, move.village_code, by, at)
    life_events.note(
        LifeKind.MOVED, person_id=person.id, on=move.on, detail=told, evidence=move.evidence, by=by.account_id, at=at
    )


def _settle_family(family: Family, move: Move, at: datetime) -> None:
    family.village_code = move.village_code
    family.address, family.hamlet = move.address.strip()[:300], move.hamlet.strip()[:80]
    family.rt, family.rw = three_digits(move.rt), three_digits(move.rw)
    family.latitude = family.longitude = None
    digits = nik.clean(move.kk)
    if digits and digits != family.kk:
        refuse_taken_card(digits)
        if family.kk:
            db.session.add(FormerCard(family_id=family.id, kk=family.kk, until=move.on or today(at), reason="Pindah"))
        family.kk = digits
