"""What is known of one person, as it is typed and as it is stored, and the rules it has to follow.

Registering and correcting share it. It reads areas and numbers, opens no transaction and writes no journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor, scope
from appliance.database import db, settings_in_use
from appliance.errors import Conflict
from appliance.models.person import NikStatus, Person, Relation, Sex
from appliance.registry import areas, codes, nik, phones
from appliance.registry.names import searchable

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
    """Somebody with this NIK is registered. `person_id` names her if the reader may see her."""

    def __init__(self, person_id: str | None, who: str) -> None:
        super().__init__(
            f"NIK ini sudah terdaftar{who}.", "Buka data yang sudah ada; jangan mendaftarkan orang yang sama dua kali."
        )
        self.person_id = person_id


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
    taken = sa.select(Person.id, Person.name).where(Person.nik == digits, Person.id != but)
    if db.session.execute(taken).first() is None:
        return
    seen = db.session.execute(scope(taken, Person, by)).first()
    raise NikTaken(seen.id, f" atas nama {seen.name}") if seen else NikTaken(None, " di luar wilayah Anda")


def write(person: Person, typed: PersonFields, number: nik.NikCheck | None) -> None:
    """Put what was typed and checked into the row. What finds her is for `search_index.index_person` to write."""
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
