"""The invented families: names of the region, real villages, numbers that were given to nobody.

All NIK end in 9xxx: right in shape, but no office gives so many on one birthday.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.models.area import Area, Level
from appliance.models.person import Person
from appliance.registry import families, happenings, people

MARK = "contoh-"
FAMILIES = 60
# The two villages of fasilitator.nur, from where the cases of the field come.
FIELD_VILLAGES = ("73.03.01.2009", "73.03.01.2010")
MEN = (
    *("Baharuddin", "Syamsuddin", "Jufri", "Muh. Yusuf", "Abd. Rahman", "Kamaruddin", "Sirajuddin"),
    *("Hamzah", "Muh. Arsyad", "Basri", "Ramli", "Sudirman", "Ilyas", "Amiruddin"),
)
WOMEN = (
    *("Sitti Aminah", "Nurhayati", "St. Rabiah", "Hasnah", "Daeng Tarring", "Kasmawati"),
    *("Rosmini", "Jumriah", "Salmah", "Nuraeni", "Hj. Marwah", "Suriani"),
)
CHILDREN = (
    *("Muh. Fadli", "Nur Aisyah", "Reski Amalia", "Ahmad Fauzan", "Putri Ramadhani"),
    *("Muh. Ikbal", "Nabila", "Aswar", "Sri Wahyuni", "Rahmat Hidayat"),
)
FATHERS = ("Sampara", "Dg. Ngalle", "Mappiasse", "Baco", "Saharuddin", "Tompo", "Lallo", "Rumallang", "Sangkala", "Manai")
HAMLETS = ("Dusun Bungung Barua", "Dusun Pattiro", "Lingkungan Sasaya", "Lingkungan Lembang Cina", "Dusun Panaikang")
JOBS = ("Petani", "Nelayan", "Buruh harian", "Pedagang", "Mengurus rumah tangga", "Tidak bekerja")
SCHOOLS = ("Tamat SD/sederajat", "Belum tamat SD/sederajat", "SLTP/sederajat", "SLTA/sederajat")


def register_everybody(actors: Mapping[str, Actor], at: datetime) -> Iterator[tuple[str, str]]:
    """The identifiers of all residents who may have a case, each with her village."""
    dice = random.Random(7303)  # noqa: S311  invented people, the same on every node
    villages = sorted(db.session.scalars(sa.select(Area.code).where(Area.level == Level.VILLAGE, Area.active)))
    for number in range(FAMILIES):
        village = FIELD_VILLAGES[number % 2] if number < 14 else dice.choice(villages)
        by = actors["fasilitator.nur" if number < 14 else "fo.sari"]
        for order, new in enumerate(_family(dice, number, village)):
            request = f"{MARK}{number:03d}-{order}"
            person_id = people.register_person(new, request_id=request, by=by, at=at - timedelta(days=60 - number % 20))
            if order < 2:
                yield person_id, village


def live_on(by: Actor, at: datetime) -> None:
    """A child is born, a card is renewed: what a registry sees every week. Done already, it is not done again."""
    born = happenings.Birth("Nur Afifah", "P", at.date() - timedelta(days=9), "Bantaeng", evidence="Surat kelahiran Puskesmas")
    happenings.record_birth(_family_of(25), born, request_id=f"{MARK}lahir", by=by, at=at)
    family = families.look_at_family(_family_of(20), by=by, at=at)
    if not family.former:
        card = f"{family.village_code.replace('.', '')[:6]}0109269920"
        on, version = at.date() - timedelta(days=30), family.row_version
        families.renew_card(family.id, card, reason=families.CARD_REASONS[2], on=on, row_version=version, by=by, at=at)


def _family_of(number: int) -> str:
    head = sa.select(Person.family_id).where(Person.request_id == f"{MARK}{number:03d}-0")
    return db.session.scalars(head).one() or ""


def _family(dice: random.Random, number: int, village: str) -> Iterator[people.NewPerson]:
    """Two parents and up to three children, as on one card; a few of them with the troubles of real data."""
    card = f"{village.replace('.', '')[:6]}{dice.randint(1, 28):02d}{dice.randint(1, 12):02d}{dice.randint(8, 24):02d}{9000 + number:04d}"
    home = {
        "village_code": village,
        "kk": card,
        "address": f"Jl. Poros {dice.choice(FATHERS)} No. {dice.randint(1, 90)}",
        "hamlet": dice.choice(HAMLETS),
        "rt": str(dice.randint(1, 6)),
        "rw": str(dice.randint(1, 4)),
        "birth_place": "Bantaeng",
        "religion": "Islam",
        "nationality": "WNI",
    }
    wed = {"marital_status": "Kawin", "education": SCHOOLS[number % len(SCHOOLS)], "insurance": "PBI"}
    father = f"{dice.choice(MEN)} {dice.choice(FATHERS)}"
    mother = dice.choice(WOMEN)
    year = dice.randint(1950, 1995)
    yield _person(dice, number, 0, father, "L", year, relation="1", occupation=dice.choice(JOBS), **wed, **home)
    yield _person(dice, number, 1, mother, "P", year + 3, relation="3", occupation="Mengurus rumah tangga", **wed, **home)
    for order in range(2, 2 + dice.randint(0, 3)):
        sex, child = dice.choice("LP"), dice.choice(CHILDREN)
        born = year + 24 + 2 * order
        names = {"father_name": father, "mother_name": mother, "marital_status": "Belum kawin"}
        yield _person(dice, number, order, child, sex, min(born, 2025), relation="4", **home, **names)


def _person(dice: random.Random, family: int, order: int, name: str, sex: str, year: int, **rest: Any) -> people.NewPerson:
    born = date(year, dice.randint(1, 12), dice.randint(1, 28))
    day = born.day + (40 if sex == "P" else 0)
    area = rest["village_code"].replace(".", "")[:6]
    nik = f"{area}{day:02d}{born:%m%y}9{family:02d}{order + 1}"
    if (family, order) in {(5, 1), (22, 0)}:
        return people.NewPerson(name, sex, nik_reason="Belum melakukan perekaman KTP-el", birth_date=born, **rest)
    if (family, order) in {(9, 0), (31, 1)}:
        # As on many real cards: the number tells another day than the papers.
        return people.NewPerson(name, sex, nik=nik, birth_date=born + timedelta(days=1), **rest)
    return people.NewPerson(name, sex, nik=nik, birth_date=born, **rest)
