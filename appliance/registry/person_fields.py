"""What is known of one person, as it is typed and as it is stored, and the rules it has to follow.

Registering and correcting share it. It reads areas and numbers. Only that a taken NIK was told does it write, into the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, fields
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, scope
from appliance.database import db, settings_in_use, transaction
from appliance.errors import Conflict
from appliance.models.person import NikStatus, Person, Relation, Sex
from appliance.registry import areas, codes, nik, phones
from appliance.registry.names import searchable, veiled

NIK_REASONS = (
    "Bayi baru lahir",
    "Belum melakukan perekaman KTP-el",
    "Orang telantar, identitas tidak diketahui",
    "ODGJ tanpa identitas",
    "KTP hilang, NIK tidak diingat",
)
LONGEST: Mapping[str, int] = {
    "name": 120,
    "mother_name": 120,
    "father_name": 120,
    "nickname": 60,
    "birth_place": 80,
    "nik_reason": 300,
    "domicile": 300,
    "religion": 20,
    "education": 40,
    "occupation": 60,
    "marital_status": 20,
    "insurance": 12,
    "insurance_number": 20,
}


class NikTaken(Conflict):
    """Somebody with this NIK is registered. `person_id` names her if the reader may see her; `holder_id` is for the journal."""

    def __init__(self, holder_id: str, who: str, *, seen: bool) -> None:
        super().__init__(f"NIK sudah dipakai oleh {who}.", _WHEN_SEEN if seen else _WHEN_ELSEWHERE)
        self.holder_id = holder_id
        self.person_id = holder_id if seen else None


_WHEN_SEEN = "Buka data yang sudah ada; jangan mendaftarkan orang yang sama dua kali."
_WHEN_ELSEWHERE = (
    "Cocokkan angkanya dengan KTP. Bila benar, mungkin warga ini pindah: hubungi petugas desa itu atau supervisor; jangan "
    "mendaftarkannya lagi tanpa NIK."
)


@dataclass(frozen=True)
class PersonFields:
    """One person as she is typed in. `birth_date` may be estimated; without `nik` there is a `nik_reason`.

    Pick-lists hold codes of `registry.codes`; words of such a list are taken too. `domicile` is where she really stays, if that
    is not the address of her card.
    """

    name: str
    sex: str
    _: KW_ONLY
    nik: str = ""
    nik_reason: str = ""
    birth_date: date | None = None
    birth_date_estimated: bool = False
    birth_place: str = ""
    nickname: str = ""
    relation: str = Relation.OTHER.value
    mother_name: str = ""
    father_name: str = ""
    religion: str = ""
    education: str = ""
    occupation: str = ""
    marital_status: str = ""
    nationality: str = ""
    domicile: str = ""
    phone: str = ""
    insurance: str = ""
    insurance_number: str = ""


def today(at: datetime) -> date:
    """The day it is in the office at that moment."""
    return at.astimezone(settings_in_use().zone).date()


def fields_of(person: Person) -> PersonFields:
    """What is stored of a person, as it would be typed. Holds the whole NIK."""
    same = {field.name: getattr(person, field.name) for field in fields(PersonFields)}
    reason = person.nik_reason if person.nik is None else ""
    return PersonFields(**(same | {"nik": person.nik or "", "nik_reason": reason, "phone": phones.shown(person.phone)}))


def check(typed: PersonFields) -> nik.NikCheck | None:
    """What the typed NIK says about itself; None when there is none."""
    if not typed.nik:
        return None
    return nik.check_nik(typed.nik, sex=typed.sex, birth_date=typed.birth_date, knows_area=areas.knows_area)


def problems_of(
    typed: PersonFields, number: nik.NikCheck | None, at: datetime, known: PersonFields | None = None
) -> dict[str, str]:
    """All that is wrong with what was typed, a sentence a field. An older entry that stays as it is (`known`) is no problem."""
    problems = {
        name: f"Terlalu panjang; paling banyak {longest} huruf."
        for name, longest in LONGEST.items()
        if len(getattr(typed, name)) > longest
    }
    if not searchable(typed.name):
        problems["name"] = "Nama lengkap wajib diisi, seperti di KTP."
    if typed.sex not in set(Sex):
        problems["sex"] = "Pilih laki-laki atau perempuan."
    if typed.relation not in set(Relation):
        problems["relation"] = "Pilih hubungan dalam keluarga."
    if number and number.wrong:
        problems["nik"] = " ".join(number.wrong)
    if not typed.nik and not typed.nik_reason.strip():
        problems["nik_reason"] = "Bila NIK tidak ada, tulis alasannya."
    if typed.birth_date and not date(1900, 1, 1) <= typed.birth_date <= today(at):
        problems["birth_date"] = "Tanggal lahir tidak mungkin."
    if typed.nationality and codes.find("nationality", typed.nationality) is None:
        problems["nationality"] = "Pilih kewarganegaraan dari daftar."
    telephone = None if known and typed.phone == known.phone else phones.problem_of(typed.phone)
    return problems | ({"phone": telephone} if telephone else {})


def refuse_taken(digits: str, by: Actor, *, but: str = "") -> None:
    """Raises NikTaken when somebody else than the person `but` has this NIK; it names only whom the reader may see."""
    taken = sa.select(Person.id, Person.name, Person.village_code).where(Person.nik == digits, Person.id != but)
    holder = db.session.execute(taken).first()
    if holder is None:
        return
    if db.session.execute(scope(taken, Person, by)).first():
        raise NikTaken(holder.id, holder.name, seen=True)
    raise NikTaken(holder.id, f"{veiled(holder.name)} di {areas.area_name(holder.village_code)}", seen=False)


@contextmanager
def telling_of_taken_numbers(by: Actor, at: datetime) -> Iterator[None]:
    """Around a transaction: that somebody learnt whose a NIK is goes into the journal, though nothing was stored."""
    try:
        yield
    except NikTaken as taken:
        with transaction():
            audit.record(
                "nik_terpakai", f"person:{taken.holder_id}", by=by, at=at, detail={"terlihat": taken.person_id is not None}
            )
        raise


def write(person: Person, typed: PersonFields, number: nik.NikCheck | None) -> None:
    """Put what was typed and checked into the row. What she is found by is `search_index`'s to write."""
    if number is None:
        person.nik, person.nik_status, person.nik_reason = None, NikStatus.NONE, typed.nik_reason.strip()
    else:
        person.nik = number.digits
        person.nik_status = NikStatus.DOUBTFUL if number.doubts else NikStatus.VALID
        person.nik_reason = " ".join(number.doubts)[:300]
    person.name = " ".join(typed.name.split())
    person.name_search = searchable(typed.name)
    person.sex, person.relation = typed.sex, typed.relation
    person.birth_date, person.birth_date_estimated = typed.birth_date, typed.birth_date_estimated
    person.phone = phones.to_stored(typed.phone) or typed.phone.strip()[:20]
    for field in ("nickname", "birth_place", "mother_name", "father_name", "domicile", "insurance_number"):
        setattr(person, field, getattr(typed, field).strip())
    for field in ("religion", "education", "occupation", "marital_status", "nationality", "insurance"):
        text = getattr(typed, field).strip()
        setattr(person, field, codes.find(field, text) or text)
