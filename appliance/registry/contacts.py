"""The telephone numbers of a person: several, often borrowed, each with whose it is and since when it is known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import EDITOR_ROLES, Actor, scope
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.person import Person, PersonPhone
from appliance.registry import phones
from appliance.registry.corrections import note_changes
from appliance.registry.people import person_in_scope, require_there
from appliance.registry.search_index import forget_person, index_person

OWNERS = ("Milik sendiri", "Anak", "Suami/istri", "Orang tua", "Saudara", "Tetangga", "Ketua RT/RW", "Kader")
MOST_NUMBERS = 10


@dataclass(frozen=True)
class Contact:
    """A number as it is read. `main`: the one to call first; without an `id` when nothing more is known of it."""

    id: str
    number: str
    owner: str
    whatsapp: bool
    known_since: datetime | None
    main: bool


@dataclass(frozen=True)
class NewContact:
    """What is typed for a number: `main` makes it the one to call first."""

    number: str
    owner: str = ""
    whatsapp: bool = False
    main: bool = False


def contacts_of(person_id: str, *, by: Actor) -> tuple[Contact, ...]:
    """The numbers of a person whom `by` may see, the main one first, then the newest."""
    seen = scope(sa.select(Person.id, Person.phone).where(Person.id == person_id), Person, by)
    person = db.session.execute(seen).first()
    if person is None:
        return ()
    rows = db.session.scalars(
        sa.select(PersonPhone).where(PersonPhone.person_id == person_id).order_by(PersonPhone.updated_at.desc(), PersonPhone.id)
    )
    found = [
        Contact(row.id, phones.shown(row.number), row.owner, row.whatsapp, row.updated_at, row.number == person.phone)
        for row in rows
    ]
    if person.phone and not any(contact.main for contact in found):
        found.append(Contact("", phones.shown(person.phone), "", False, None, True))
    return tuple(sorted(found, key=lambda contact: not contact.main))


def add_contact(person_id: str, new: NewContact, *, by: Actor, at: datetime) -> None:
    """Store a number, or what is now known of one that is stored already. Raises NotFound, NotAllowed, InvalidInput."""
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *EDITOR_ROLES)
        number = phones.to_stored(new.number)
        known = db.session.scalars(sa.select(PersonPhone).where(PersonPhone.person_id == person.id)).all()
        row = next((one for one in known if one.number == number), None)
        problems = _problems(new, is_new=row is None, known=len(known))
        if problems or number is None:
            raise InvalidInput(problems)
        row = row or PersonPhone(person_id=person.id, number=number)
        row.owner, row.whatsapp = new.owner.strip(), new.whatsapp
        row.stamp(by.account_id, at)
        db.session.add(row)
        if (new.main or not person.phone) and person.phone != number:
            _keep_former(person, {one.number for one in known}, by, at)
            _call_first(person, number, by, at)
        audit.record("telepon", f"person:{person.id}", by=by, at=at)


def remove_contact(person_id: str, contact_id: str, *, by: Actor, at: datetime) -> None:
    """Take a number away that is not hers any more. Raises NotFound, NotAllowed."""
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *EDITOR_ROLES)
        row = db.session.scalar(sa.select(PersonPhone).where(PersonPhone.id == contact_id, PersonPhone.person_id == person.id))
        if row is None:
            raise NotFound("Nomor itu sudah tidak ada.", "Muat ulang halaman.")
        db.session.delete(row)
        if person.phone == row.number:
            _call_first(person, "", by, at)
        else:
            note_changes({"phone": [phones.shown(row.number), ""]}, "Nomor dihapus", person_id=person.id, by=by, at=at)
        audit.record("telepon", f"person:{person.id}", by=by, at=at)


def _problems(new: NewContact, *, is_new: bool, known: int) -> dict[str, str]:
    problems = {}
    if not phones.to_stored(new.number):
        problems["number"] = phones.problem_of(new.number) or "Tulis nomor telepon."
    elif is_new and known >= MOST_NUMBERS:
        problems["number"] = f"Paling banyak {MOST_NUMBERS} nomor; hapus dahulu yang tidak dipakai."
    if len(new.owner) > 60:
        problems["owner"] = "Terlalu panjang; paling banyak 60 huruf."
    return problems


def _keep_former(person: Person, known: Collection[str], by: Actor, at: datetime) -> None:
    """The number to call first so far still finds her when another takes its place."""
    if person.phone and phones.to_stored(person.phone) == person.phone and person.phone not in known:
        row = PersonPhone(person_id=person.id, number=person.phone)
        row.stamp(by.account_id, at)
        db.session.add(row)


def _call_first(person: Person, number: str, by: Actor, at: datetime) -> None:
    """Make it the number that lists and letters show, and that finds her."""
    forget_person(person)
    changes = {"phone": [phones.shown(person.phone), phones.shown(number)]}
    person.phone = number
    person.stamp(by.account_id, at)
    index_person(person)
    note_changes(changes, "Nomor utama", person_id=person.id, by=by, at=at)
