"""One family over time: its members, its head, and the numbers its card had. Each function is one transaction and one fact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import EDITOR_ROLES, REVEAL_ROLES, Actor
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput
from appliance.models.person import Family, FormerCard, LifeKind, Person, Relation
from appliance.registry import areas, life_events, nik
from appliance.registry.corrections import (
    FamilyFields,
    family_fields_of,
    family_in_scope,
    note_changes,
    reason_problems,
    require_version,
)
from appliance.registry.people import given_reason, person_in_scope, require_there, three_digits
from appliance.registry.people_search import PersonLine, family_of, lines_of
from appliance.registry.person_fields import today

ALIVE = "hidup"
# Of whom no family lives any more; who moved away or is missing may come back.
ENDED_STATUSES = ("mati", "ganda")
PASSED_ON = "Keluarga ini sudah tidak ada; nomornya beralih ke keluarga lain"
CARD_REASONS = ("Pecah KK", "Pindah", "KK hilang atau rusak", "Perubahan data di Disdukcapil", "Salah ketik")
# Nobody reads more of them; a family with so many members is a mistake of some import.
MOST_MEMBERS = 200


@dataclass(frozen=True)
class FormerNumber:
    """A card number the family had, masked unless it was asked for."""

    kk: str
    until: date | None
    reason: str


@dataclass(frozen=True)
class FamilyDetail:
    """A family as its page shows it. `needs_head`: somebody lives in it, but no living head is named."""

    id: str
    kk: str
    has_card: bool
    fields: FamilyFields
    village_code: str
    village: str
    status: str
    head_id: str | None
    needs_head: bool
    members: tuple[PersonLine, ...]
    former: tuple[FormerNumber, ...]
    row_version: int


@dataclass(frozen=True)
class Split:
    """Some members of a family get a card of their own: `head_id` leads them. `kk` may still be unknown."""

    member_ids: tuple[str, ...]
    head_id: str
    kk: str = ""
    address: str = ""
    hamlet: str = ""
    rt: str = ""
    rw: str = ""
    on: date | None = None
    evidence: str = ""


class CardTaken(Conflict):
    """Another family has this number."""

    def __init__(self) -> None:
        super().__init__(
            "Nomor KK ini sudah dipakai keluarga lain.", "Periksa angkanya; cari nomor itu untuk melihat keluarganya."
        )


def look_at_family(family_id: str, *, by: Actor, at: datetime) -> FamilyDetail:
    """One family, its numbers masked. The look is written to the journal. Raises NotFound."""
    with transaction():
        detail = _detail(family_in_scope(family_id, by), by, at, nik.mask)
        audit.record("lihat", f"family:{family_id}", by=by, at=at)
        return detail


def reveal_family(family_id: str, *, reason: str, by: Actor, at: datetime) -> FamilyDetail:
    """The same with whole card numbers; the journal keeps who asked and why. Raises NotFound, NotAllowed, InvalidInput."""
    with transaction():
        family = family_in_scope(family_id, by)
        require_there(by, family.village_code, *REVEAL_ROLES)
        detail = _detail(family, by, at, nik.spaced)
        audit.record("ungkap", f"family:{family_id}", by=by, at=at, detail={"alasan": given_reason(reason)})
        return detail


def renew_card(  # noqa: PLR0913  a new number, when and why
    family_id: str, kk: str, *, reason: str, on: date | None, row_version: int, by: Actor, at: datetime
) -> None:
    """Give the family another card number; the one before stays findable. A first number is given the same way.

    The number of a family that has ended, for all its members died or were merged into others, passes over: she keeps it as a former one.

    Raises NotFound, NotAllowed, Conflict, CardTaken, InvalidInput.
    """
    with transaction():
        family = _to_change(family_id, row_version, by)
        problems = card_problems(kk, needed=True) | reason_problems(reason) | day_problems(on, at)
        if problems:
            raise InvalidInput(problems)
        digits = nik.clean(kk)
        if digits == family.kk:
            raise InvalidInput({"kk": "Nomor KK itu sudah nomor keluarga ini."})
        _let_go_of_card(digits, on or today(at), by, at)
        before, family.kk = family.kk, digits
        if before:
            db.session.add(FormerCard(family_id=family.id, kk=before, until=on or today(at), reason=reason.strip()[:300]))
        family.stamp(by.account_id, at)
        note_changes({"kk": [before, digits]}, reason, family_id=family.id, by=by, at=at)
        audit.record("kk_baru", f"family:{family.id}", by=by, at=at)


def choose_head(family_id: str, person_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """Name a living member head of the family. Raises NotFound, NotAllowed, Conflict, InvalidInput."""
    with transaction():
        family = _to_change(family_id, row_version, by)
        make_head(family, person_id, by, at)
        family.stamp(by.account_id, at)
        audit.record("kepala_keluarga", f"family:{family.id}", by=by, at=at)


def split_family(family_id: str, split: Split, *, row_version: int, by: Actor, at: datetime) -> str:
    """Give some members a family of their own in the same village; its identifier. The old number finds both.

    Raises NotFound, NotAllowed, Conflict, CardTaken, InvalidInput with all problems.
    """
    with transaction():
        family = _to_change(family_id, row_version, by)
        parted = part_members(family, split, by, at)
        audit.record("pecah_kk", f"family:{family.id}", by=by, at=at, detail={"keluarga_baru": parted.id})
        return parted.id


def part_members(family: Family, split: Split, by: Actor, at: datetime) -> Family:
    """Their new family, inside the running transaction. Raises CardTaken, InvalidInput with all problems. For services."""
    members = {person.id: person for person in living_members(family.id)}
    problems = part_problems(split, members.keys(), at)
    if problems:
        raise InvalidInput(problems)
    if split.kk:
        refuse_taken_card(nik.clean(split.kk))
    parted = _new_family(family, split, by, at)
    for person_id in split.member_ids:
        _part(members[person_id], family, parted, split, by, at)
    make_head(parted, split.head_id, by, at)
    family.stamp(by.account_id, at)
    told = {"anggota": str(len(split.member_ids))}
    life_events.note(
        LifeKind.SPLIT, family_id=family.id, on=split.on, detail=told, evidence=split.evidence, by=by.account_id, at=at
    )
    return parted


def part_problems(split: Split, members: Iterable[str], at: datetime) -> dict[str, str]:
    """What is wrong with what was chosen, `members` being those who live in the family. For services."""
    return _split_problems(split, members) | card_problems(split.kk) | day_problems(split.on, at)


def make_head(family: Family, person_id: str, by: Actor, at: datetime) -> None:
    """Name a member head, and the head before an other relative, inside the running transaction. Raises InvalidInput."""
    members = {person.id: person for person in living_members(family.id)}
    if person_id not in members:
        raise InvalidInput({"head_id": "Pilih salah satu anggota keluarga yang masih hidup."})
    for member in members.values():
        relation = Relation.HEAD if member.id == person_id else member.relation
        if relation == Relation.HEAD and member.id != person_id:
            relation = Relation.OTHER
        if relation != member.relation:
            note_changes(
                {"relation": [member.relation, str(relation)]}, "Ganti kepala keluarga", person_id=member.id, by=by, at=at
            )
            member.relation = str(relation)
            member.stamp(by.account_id, at)
    family.head_id = person_id


def living_members(family_id: str) -> Sequence[Person]:
    """The members of a family who are alive and not merged into others, wherever they live. For services."""
    here = sa.and_(Person.family_id == family_id, Person.status == ALIVE, Person.merged_into_id.is_(None))
    return db.session.scalars(sa.select(Person).where(here).limit(MOST_MEMBERS)).all()


def living_person(person_id: str, row_version: int, by: Actor) -> Person:
    """Somebody alive and settled, to be changed by `by`. Raises NotFound, NotAllowed, Conflict. For services."""
    person = person_in_scope(person_id, by)
    require_there(by, person.village_code, *EDITOR_ROLES)
    require_version(person, row_version)
    if person.status != ALIVE:
        raise Conflict("Status warga ini bukan hidup dan menetap.", "Muat ulang halaman dan periksa peristiwanya.")
    return person


def card_problems(kk: str, *, needed: bool = False) -> dict[str, str]:
    """What is wrong with a card number that was typed."""
    if not kk and not needed:
        return {}
    wrong = nik.check_kk(kk).wrong
    return {"kk": wrong[0]} if wrong else {}


def day_problems(on: date | None, at: datetime) -> dict[str, str]:
    """Nothing is noted before it happened."""
    if on is not None and not date(1900, 1, 1) <= on <= today(at):
        return {"on": "Tanggal kejadian tidak boleh sesudah hari ini."}
    return {}


def refuse_taken_card(digits: str) -> None:
    """Raises CardTaken when a family has this number now."""
    if db.session.scalar(sa.select(Family.id).where(Family.kk == digits)):
        raise CardTaken


def _let_go_of_card(digits: str, until: date, by: Actor, at: datetime) -> None:
    """Take the number from a family that has ended, where `by` may change her. Raises CardTaken for any other that has it."""
    holder = db.session.scalar(sa.select(Family).where(Family.kk == digits).with_for_update())
    if holder is None:
        return
    there = sa.and_(Person.family_id == holder.id, Person.merged_into_id.is_(None), Person.status.not_in(ENDED_STATUSES))
    if db.session.scalar(sa.select(Person.id).where(there).limit(1)) or not by.has_in(holder.village_code, *EDITOR_ROLES):
        raise CardTaken
    holder.kk = None
    db.session.add(FormerCard(family_id=holder.id, kk=digits, until=until, reason=PASSED_ON))
    holder.stamp(by.account_id, at)
    note_changes({"kk": [digits, None]}, PASSED_ON, family_id=holder.id, by=by, at=at)
    audit.record("kk_dilepas", f"family:{holder.id}", by=by, at=at)
    db.session.flush()  # a number belongs to one family: she lets go before the other has it


def _to_change(family_id: str, row_version: int, by: Actor) -> Family:
    family = family_in_scope(family_id, by)
    require_there(by, family.village_code, *EDITOR_ROLES)
    require_version(family, row_version)
    return family


def _split_problems(split: Split, members: Iterable[str]) -> dict[str, str]:
    chosen, known = set(split.member_ids), set(members)
    if not chosen:
        return {"member_ids": "Pilih anggota yang pindah ke KK baru."}
    if not chosen <= known:
        return {"member_ids": "Anggota keluarga sudah berubah; muat ulang halaman."}
    if chosen == known:
        return {"member_ids": "Tidak semua anggota dapat dipisah; untuk nomor baru pakai “Ganti nomor KK”."}
    return {} if split.head_id in chosen else {"head_id": "Pilih kepala keluarga baru dari anggota yang dipisah."}


def _new_family(old: Family, split: Split, by: Actor, at: datetime) -> Family:
    """The new family; where nothing else was typed, at the old address."""
    typed = split if split.address.strip() else replace(split, address=old.address, hamlet=old.hamlet, rt=old.rt, rw=old.rw)
    parted = Family(
        kk=nik.clean(split.kk) or None,
        address=typed.address.strip()[:300],
        hamlet=typed.hamlet.strip()[:80],
        rt=three_digits(typed.rt),
        rw=three_digits(typed.rw),
        village_code=old.village_code,
    )
    parted.stamp(by.account_id, at)
    db.session.add(parted)
    db.session.flush()
    _keep_old_numbers(old, parted, split, at)
    return parted


def _keep_old_numbers(old: Family, parted: Family, split: Split, at: datetime) -> None:
    """Every paper that the members still carry finds their new family: the card of before, and those before that."""
    earlier = list(db.session.scalars(sa.select(FormerCard).where(FormerCard.family_id == old.id)))
    cards = [FormerCard(family_id=parted.id, kk=card.kk, until=card.until, reason=card.reason) for card in earlier]
    if old.kk:
        cards.append(FormerCard(family_id=parted.id, kk=old.kk, until=split.on or today(at), reason="Pecah KK"))
    db.session.add_all(cards)


def _part(person: Person, old: Family, parted: Family, split: Split, by: Actor, at: datetime) -> None:
    if old.head_id == person.id:
        old.head_id = None
    person.family_id = parted.id
    person.stamp(by.account_id, at)
    db.session.flush()
    life_events.note(
        LifeKind.SPLIT,
        person_id=person.id,
        family_id=parted.id,
        on=split.on,
        evidence=split.evidence,
        by=by.account_id,
        at=at,
    )


def _detail(family: Family, by: Actor, at: datetime, shown: Callable[[str | None], str]) -> FamilyDetail:
    seen = [person for person in family_of(family.id, by) if person.merged_into_id is None]
    alive = {person.id for person in living_members(family.id)}
    cards = sa.select(FormerCard).where(FormerCard.family_id == family.id).order_by(FormerCard.until.desc(), FormerCard.id)
    return FamilyDetail(
        id=family.id,
        kk=shown(family.kk),
        has_card=family.kk is not None,
        fields=family_fields_of(family),
        village_code=family.village_code,
        village=areas.area_name(family.village_code),
        status=family.status,
        head_id=family.head_id,
        needs_head=bool(alive) and family.head_id not in alive,
        members=tuple(lines_of(seen, at)),
        former=tuple(FormerNumber(shown(card.kk), card.until, card.reason) for card in db.session.scalars(cards)),
        row_version=family.row_version,
    )
