"""Residents: looking at one, revealing her numbers, registering. Each function is one transaction and one fact in the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import REGISTRAR_ROLES, REVEAL_ROLES, Actor, require, require_area, scope
from appliance.database import Duplicate, db, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.person import Family, LifeKind, Person, Relation
from appliance.models.roles import Role
from appliance.registry import areas, life_events, nik, person_fields, search_index
from appliance.registry.cards import families_by_card
from appliance.registry.people_search import PersonLine, family_of, lines_of
from appliance.registry.person_fields import NIK_REASONS, NikTaken, PersonFields

__all__ = ["NIK_REASONS", "NewPerson", "NikTaken", "PersonDetail", "PersonFields"]

REVEAL_REASONS = (
    "Mencocokkan dengan KTP/KK yang dibawa warga",
    "Mengisi surat atau formulir",
    "Mengisi aplikasi lain (SIKS-NG, BPJS)",
    "Dibacakan kepada warga lewat telepon",
)
# The address of a family as it is typed with a person.
PLACE_LIMITS = {"address": 300, "hamlet": 80}


@dataclass(frozen=True)
class NewPerson(PersonFields):
    """What is typed when somebody is registered: herself, and where she lives, with whom.

    `arrived_from` is filled for somebody who just came from elsewhere.
    """

    village_code: str
    _: KW_ONLY
    kk: str = ""
    address: str = ""
    hamlet: str = ""
    rw: str = ""
    rt: str = ""
    arrived_from: str = ""


@dataclass(frozen=True)
class PersonDetail:
    """Everything of one person that a page shows; `family` are the others on the card. `nik` and `kk` may be masked.

    `fields.nik` is always empty here: the number is in `nik`, as far as it may be read.
    """

    line: PersonLine
    fields: PersonFields
    nik: str
    nik_reason: str
    kk: str
    family_id: str | None
    family_address: str
    family: tuple[PersonLine, ...]
    is_head: bool
    photo_id: str | None
    status_since: date | None
    merged_into_id: str | None
    row_version: int


def look_at_person(person_id: str, *, by: Actor, at: datetime) -> PersonDetail:
    """One person with her family, her numbers masked. The look is written to the journal. Raises NotFound."""
    detail = _detail(person_in_scope(person_id, by), by, at, nik.mask)
    with transaction():  # only now: nobody who writes waits while a page is gathered
        audit.record("lihat", f"person:{person_id}", by=by, at=at)
    return detail


def reveal_person(person_id: str, *, reason: str, by: Actor, at: datetime) -> PersonDetail:
    """The same with the whole NIK and card number; the journal keeps who asked and why.

    Raises NotFound, NotAllowed, InvalidInput for a missing reason.
    """
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *REVEAL_ROLES)
        detail = _detail(person, by, at, nik.spaced)
        audit.record("ungkap", f"person:{person_id}", by=by, at=at, detail={"alasan": given_reason(reason)})
        return detail


def given_reason(reason: str) -> str:
    """The reason for a look at whole numbers, fit for the journal: a number in it is masked. Raises InvalidInput for none."""
    text = " ".join(reason.split())[:200]
    if len(text) < 5:
        raise InvalidInput({"reason": "Pilih atau tulis alasan membuka nomor lengkap."})
    return nik.mask_within(text)


def require_there(by: Actor, village_code: str, *roles: Role) -> None:
    """Raises NotAllowed unless `by` holds one of `roles` in the village of what she already sees."""
    if not by.has_in(village_code, *roles):
        raise NotAllowed("Peran Anda tidak boleh melakukan ini.", "Minta petugas yang berwenang, atau hubungi admin.")


def person_in_scope(person_id: str, by: Actor) -> Person:
    """The row of a person that `by` may see; of one who was merged, the row that survived. Raises NotFound. For services."""
    person = db.session.scalar(scope(sa.select(Person).where(Person.id == person_id), Person, by))
    while person is not None and person.merged_into_id:
        person = db.session.scalar(scope(sa.select(Person).where(Person.id == person.merged_into_id), Person, by))
    if person is None:
        raise NotFound("Data warga tidak ditemukan.", "Cari lagi dengan NIK, nomor KK, atau nama.")
    return person


def register_person(
    new: NewPerson, *, request_id: str, by: Actor, at: datetime, then: Callable[[Person], None] | None = None
) -> str:
    """Register a resident, with her family if its number or an address is given; her identifier.

    The same `request_id` again gives the same person. `then` does in the same transaction what belongs to it. Raises
    InvalidInput with all problems, NikTaken, NotAllowed.
    """
    require(by, *REGISTRAR_ROLES)
    with person_fields.telling_of_taken_numbers(by, at):
        try:
            with transaction():
                return registered(request_id, by=by) or _register(new, request_id, by, at, then)
        except Duplicate:
            # Another process was faster with the same request or the same NIK: the second look sees it.
            with transaction():
                return registered(request_id, by=by) or _register(new, request_id, by, at, then)


def registered(request_id: str, *, by: Actor) -> str | None:
    """Whom `by` registered with this request already."""
    return db.session.scalar(sa.select(Person.id).where(Person.request_id == request_id, Person.created_by == by.account_id))


def _register(new: NewPerson, request_id: str, by: Actor, at: datetime, then: Callable[[Person], None] | None) -> str:
    number = person_fields.check(new)
    problems = person_fields.problems_of(new, number, at) | place_problems(new)
    if problems:
        raise InvalidInput(problems)
    require_area(by, new.village_code, *REGISTRAR_ROLES)
    person = add_person(new, number, request_id=request_id, by=by, at=at)
    if new.arrived_from.strip():
        arrival = {"dari": new.arrived_from.strip()[:120]}
        life_events.note(LifeKind.CAME, person_id=person.id, family_id=person.family_id, detail=arrival, by=by.account_id, at=at)
    if then:
        then(person)
    audit.record("daftar", f"person:{person.id}", by=by, at=at, detail={"desa": person.village_code})
    return person.id


def add_person(new: NewPerson, number: nik.NikCheck | None, *, request_id: str, by: Actor, at: datetime) -> Person:
    """Store a checked person inside the running transaction, with her family and the words of her name. Raises NikTaken."""
    if number:
        person_fields.refuse_taken(number.digits, by)
    person = Person(village_code=new.village_code, request_id=request_id)
    person_fields.write(person, new, number)
    person.family_id = family_for(new, by, at)
    person.stamp(by.account_id, at)
    db.session.add(person)
    search_index.index_person(person)
    if person.family_id and person.relation == Relation.HEAD:
        family = db.session.get_one(Family, person.family_id)
        family.head_id = family.head_id or person.id
        family.stamp(by.account_id, at)
    return person


def place_problems(new: NewPerson) -> dict[str, str]:
    """What is wrong with the village, the address and the card that were typed."""
    problems = {
        name: f"Terlalu panjang; paling banyak {longest} huruf."
        for name, longest in PLACE_LIMITS.items()
        if len(getattr(new, name)) > longest
    }
    if new.village_code.count(".") != 3 or not areas.knows_area(new.village_code):
        problems["village_code"] = "Pilih desa/kelurahan."
    card = nik.check_kk(new.kk) if new.kk else None
    if card is None:
        return problems
    if card.wrong:
        return problems | {"kk": " ".join(card.wrong)}
    held = families_by_card([card.digits]).get(card.digits)
    village = db.session.get_one(Family, held).village_code if held else None
    if village not in (None, new.village_code):
        problems["kk"] = "Nomor KK ini terdaftar di desa/kelurahan lain; periksa nomor atau desanya."
    return problems


def family_for(new: NewPerson, by: Actor, at: datetime) -> str | None:
    """The family with the card's number, made if need be; without a number one is made for the address alone."""
    digits = nik.clean(new.kk) or None
    if digits is None and not new.address.strip():
        return None
    if digits and (found := families_by_card([digits]).get(digits)):
        return found
    family = Family(
        kk=digits,
        address=new.address.strip(),
        hamlet=new.hamlet.strip(),
        rw=three_digits(new.rw),
        rt=three_digits(new.rt),
        village_code=new.village_code,
    )
    family.stamp(by.account_id, at)
    db.session.add(family)
    db.session.flush()
    return family.id


def three_digits(text: str) -> str:
    """RT and RW as offices write them: "1" is "001"."""
    text = text.strip()
    return text.zfill(3)[:3] if text.isdigit() else text[:3]


def _detail(person: Person, by: Actor, at: datetime, shown: Callable[[str | None], str]) -> PersonDetail:
    family = person.family
    (line,) = lines_of([person], at)
    others = [member for member in family_of(person.family_id, by) if member.id != person.id]
    return PersonDetail(
        line=line,
        fields=replace(person_fields.fields_of(person), nik=""),
        nik=shown(person.nik),
        nik_reason=person.nik_reason,
        kk=shown(family.kk if family else None),
        family_id=person.family_id,
        family_address=line.address,
        family=tuple(lines_of(others, at)),
        is_head=person.relation == Relation.HEAD or (family is not None and family.head_id == person.id),
        photo_id=person.photo_id,
        status_since=person.status_since,
        merged_into_id=person.merged_into_id,
        row_version=person.row_version,
    )
