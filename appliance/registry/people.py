"""Residents and their families: finding, looking, registering. Each function is one transaction and one fact in the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import REGISTRAR_ROLES, Actor, require, require_area, scope
from appliance.database import Duplicate, db, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.person import Family, NikStatus, Person, Relation, Sex
from appliance.registry import areas, nik
from appliance.registry.names import searchable
from appliance.registry.people_search import PersonLine, family_of, lines_of
from appliance.registry.search_index import index_person

NIK_REASONS = (
    "Bayi baru lahir",
    "Belum melakukan perekaman KTP-el",
    "Orang telantar, identitas tidak diketahui",
    "ODGJ tanpa identitas",
    "KTP hilang, NIK tidak diingat",
)
RELATIONS = {
    Relation.HEAD.value: "Kepala keluarga",
    Relation.HUSBAND.value: "Suami",
    Relation.WIFE.value: "Istri",
    Relation.CHILD.value: "Anak",
    Relation.CHILD_IN_LAW.value: "Menantu",
    Relation.GRANDCHILD.value: "Cucu",
    Relation.PARENT.value: "Orang tua",
    Relation.PARENT_IN_LAW.value: "Mertua",
    Relation.RELATIVE.value: "Famili lain",
    Relation.HELPER.value: "Pembantu",
    Relation.OTHER.value: "Lainnya",
}
INSURANCES = {
    "tidak": "Tidak punya",
    "PBI": "PBI-JK (KIS)",
    "PBI_APBD": "PBI APBD",
    "mandiri": "Mandiri",
    "PPU": "Pekerja penerima upah",
    "lain": "Lainnya",
}
LONGEST = {"name": 120, "nickname": 60, "address": 300, "hamlet": 80, "birth_place": 80, "phone": 20, "nik_reason": 300}


class NikTaken(Conflict):
    """Somebody with this NIK is registered. `person_id` names her if the reader may see her."""

    def __init__(self, person_id: str | None, who: str) -> None:
        super().__init__(
            f"NIK ini sudah terdaftar{who}.", "Buka data yang sudah ada; jangan mendaftarkan orang yang sama dua kali."
        )
        self.person_id = person_id


@dataclass(frozen=True)
class NewPerson:
    """What is typed when somebody is registered. `birth_date` may be estimated; without `nik` there is a `nik_reason`."""

    name: str
    sex: str
    village_code: str
    nik: str = ""
    nik_reason: str = ""
    birth_date: date | None = None
    birth_date_estimated: bool = False
    birth_place: str = ""
    kk: str = ""
    relation: str = Relation.OTHER.value
    address: str = ""
    hamlet: str = ""
    rw: str = ""
    rt: str = ""
    nickname: str = ""
    phone: str = ""
    mother_name: str = ""
    father_name: str = ""
    religion: str = ""
    education: str = ""
    occupation: str = ""
    marital_status: str = ""
    insurance: str = ""
    insurance_number: str = ""


@dataclass(frozen=True)
class PersonDetail:
    """Everything of one person that a page shows; `family` are the others on the card. `nik` and `kk` may be masked."""

    line: PersonLine
    nik: str
    nik_reason: str
    kk: str
    birth_place: str
    birth_date_estimated: bool
    religion: str
    education: str
    occupation: str
    marital_status: str
    mother_name: str
    father_name: str
    phone: str
    insurance: str
    insurance_number: str
    family_id: str | None
    family_address: str
    family: tuple[PersonLine, ...]
    row_version: int


def look_at_person(person_id: str, *, by: Actor, at: datetime) -> PersonDetail:
    """One person with her family, her numbers masked. The look is written to the journal. Raises NotFound."""
    return _look(person_id, "lihat", by, at)


def reveal_person(person_id: str, *, by: Actor, at: datetime) -> PersonDetail:
    """The same with the whole NIK and card number; the journal says that they were revealed. Raises NotFound."""
    return _look(person_id, "ungkap", by, at)


def _look(person_id: str, action: str, by: Actor, at: datetime) -> PersonDetail:
    with transaction():
        person = person_in_scope(person_id, by)
        detail = _detail(person, by, at, nik.spaced if action == "ungkap" else nik.mask)
        audit.record(action, f"person:{person.id}", by=by, at=at)
        return detail


def person_in_scope(person_id: str, by: Actor) -> Person:
    """The row of a person that `by` may see. Raises NotFound. For services."""
    person = db.session.scalar(scope(sa.select(Person).where(Person.id == person_id), Person, by))
    if person is None:
        raise NotFound("Data warga tidak ditemukan.", "Cari lagi dengan NIK, nomor KK, atau nama.")
    return person


def register_person(new: NewPerson, *, request_id: str, by: Actor, at: datetime) -> str:
    """Register a resident, with her family if its number or an address is given; her identifier.

    The same `request_id` again gives the same person. Raises InvalidInput with all problems, NikTaken, NotAllowed.
    """
    require(by, *REGISTRAR_ROLES)
    try:
        with transaction():
            return _registered(request_id, by) or _register(new, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request or the same NIK: the second look sees it.
        with transaction():
            return _registered(request_id, by) or _register(new, request_id, by, at)


def _registered(request_id: str, by: Actor) -> str | None:
    return db.session.scalar(sa.select(Person.id).where(Person.request_id == request_id, Person.created_by == by.account_id))


def _register(new: NewPerson, request_id: str, by: Actor, at: datetime) -> str:
    number = nik.check_nik(new.nik, sex=new.sex, birth_date=new.birth_date, knows_area=areas.knows_area) if new.nik else None
    problems = _problems(new, number, at)
    if problems:
        raise InvalidInput(problems)
    require_area(by, new.village_code)
    if number:
        _refuse_taken(number.digits, by)
    person = _person(new, number)
    person.request_id = request_id
    person.family_id = _family(new, by, at)
    person.stamp(by.account_id, at)
    db.session.add(person)
    db.session.flush()
    index_person(person)
    if person.family_id and person.relation == Relation.HEAD:
        family = db.session.get_one(Family, person.family_id)
        family.head_id = family.head_id or person.id
        family.stamp(by.account_id, at)
    audit.record("daftar", f"person:{person.id}", by=by, at=at, detail={"desa": person.village_code})
    return person.id


def _problems(new: NewPerson, number: nik.NikCheck | None, at: datetime) -> dict[str, str]:
    problems = {
        name: f"Terlalu panjang; paling banyak {longest} huruf."
        for name, longest in LONGEST.items()
        if len(getattr(new, name)) > longest
    }
    if not searchable(new.name):
        problems["name"] = "Nama lengkap wajib diisi, seperti di KTP."
    if new.sex not in set(Sex):
        problems["sex"] = "Pilih laki-laki atau perempuan."
    if new.relation not in set(Relation):
        problems["relation"] = "Pilih hubungan dalam keluarga."
    if number and number.wrong:
        problems["nik"] = " ".join(number.wrong)
    if not new.nik and not new.nik_reason.strip():
        problems["nik_reason"] = "Bila NIK tidak ada, tulis alasannya."
    if new.birth_date and not date(1900, 1, 1) <= new.birth_date <= at.date():
        problems["birth_date"] = "Tanggal lahir tidak mungkin."
    if new.village_code.count(".") != 3 or not areas.knows_area(new.village_code):
        problems["village_code"] = "Pilih desa/kelurahan."
    return problems | _family_problems(new)


def _family_problems(new: NewPerson) -> dict[str, str]:
    card = nik.check_kk(new.kk) if new.kk else None
    if card is None:
        return {}
    if card.wrong:
        return {"kk": " ".join(card.wrong)}
    village = db.session.scalar(sa.select(Family.village_code).where(Family.kk == card.digits))
    if village not in (None, new.village_code):
        return {"kk": "Nomor KK ini terdaftar di desa/kelurahan lain; periksa nomor atau desanya."}
    return {}


def _refuse_taken(digits: str, by: Actor) -> None:
    taken = sa.select(Person.id, Person.name).where(Person.nik == digits)
    if db.session.execute(taken).first() is None:
        return
    seen = db.session.execute(scope(taken, Person, by)).first()
    raise NikTaken(seen.id, f" atas nama {seen.name}") if seen else NikTaken(None, " di luar wilayah Anda")


def _person(new: NewPerson, number: nik.NikCheck | None) -> Person:
    if number is None:
        status, reason = NikStatus.NONE, new.nik_reason.strip()
    else:
        status = NikStatus.DOUBTFUL if number.doubts else NikStatus.VALID
        reason = " ".join(number.doubts)[:300]
    return Person(
        nik=number.digits if number else None,
        nik_status=status,
        nik_reason=reason,
        name=" ".join(new.name.split()),
        nickname=new.nickname.strip(),
        name_search=searchable(new.name),
        sex=new.sex,
        birth_place=new.birth_place.strip(),
        birth_date=new.birth_date,
        birth_date_estimated=new.birth_date_estimated,
        relation=new.relation,
        village_code=new.village_code,
        religion=new.religion,
        education=new.education,
        occupation=new.occupation,
        marital_status=new.marital_status,
        mother_name=new.mother_name.strip(),
        father_name=new.father_name.strip(),
        phone=new.phone.strip(),
        insurance=new.insurance,
        insurance_number=new.insurance_number.strip(),
    )


def _family(new: NewPerson, by: Actor, at: datetime) -> str | None:
    """The family with the card's number, made if need be; without a number one is made for the address alone."""
    digits = nik.clean(new.kk) or None
    if digits is None and not new.address.strip():
        return None
    found = db.session.scalar(sa.select(Family.id).where(Family.kk == digits)) if digits else None
    if found:
        return found
    family = Family(
        kk=digits,
        address=new.address.strip(),
        hamlet=new.hamlet.strip(),
        rw=_three_digits(new.rw),
        rt=_three_digits(new.rt),
        village_code=new.village_code,
    )
    family.stamp(by.account_id, at)
    db.session.add(family)
    db.session.flush()
    return family.id


def _three_digits(text: str) -> str:
    """RT and RW as offices write them: "1" is "001"."""
    text = text.strip()
    return text.zfill(3)[:3] if text.isdigit() else text[:3]


def _detail(person: Person, by: Actor, at: datetime, shown: Callable[[str | None], str]) -> PersonDetail:
    family = person.family
    (line,) = lines_of([person], at)
    others = [member for member in family_of(person.family_id, by) if member.id != person.id]
    return PersonDetail(
        line=line,
        nik=shown(person.nik),
        nik_reason=person.nik_reason,
        kk=shown(family.kk if family else None),
        birth_place=person.birth_place,
        birth_date_estimated=person.birth_date_estimated,
        religion=person.religion,
        education=person.education,
        occupation=person.occupation,
        marital_status=person.marital_status,
        mother_name=person.mother_name,
        father_name=person.father_name,
        phone=person.phone,
        insurance=person.insurance,
        insurance_number=person.insurance_number,
        family_id=person.family_id,
        family_address=line.address,
        family=tuple(lines_of(others, at)),
        row_version=person.row_version,
    )
