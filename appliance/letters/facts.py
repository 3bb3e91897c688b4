"""What a paper is filled with: the values and tables of a case, its resident, a referral and the office, as plain text.

Reads only what the reader's scope lets her see. Looking at the person is recorded by whoever shows or prints the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor, knows_reporter, scope
from appliance.casework.catalogue import CATEGORIES
from appliance.casework.day_words import day_in_words, long_day, number_in_words
from appliance.casework.transitions import LABELS
from appliance.database import db, settings_in_use
from appliance.letters.markup_html import Content, Grid
from appliance.letters.office import Head
from appliance.letters.placeholders import PAPER, REFERRAL, SAMPLE_TABLES, tables_of
from appliance.letters.wording import CASE_LIST
from appliance.models.area import Area
from appliance.models.case import Case, CaseEvent, Referral
from appliance.models.letter import Signatory
from appliance.models.person import Person
from appliance.models.profile import Listed, ListStatus, NationalList
from appliance.models.states import CaseState, Outcome, ReferralState
from appliance.registry import codes, nik, phones
from appliance.registry.areas import area_name, called
from appliance.registry.holders import Household, belongs_to, household_of, office_day
from appliance.registry.participation import STATUSES, participations_of
from appliance.registry.people_search import age

NATIONAL_LIST = "DTSEN"
MOST_LISTED = 200
_OUTCOMES = {
    Outcome.FULFILLED: "Terpenuhi",
    Outcome.PARTLY: "Terpenuhi sebagian",
    Outcome.NOT: "Tidak terpenuhi",
    Outcome.INFORMATION: "Informasi diberikan",
}


@dataclass(frozen=True)
class About:
    """What a paper is about. `typed` are the drafter's answers."""

    case: Case
    kind: str
    head: Head
    writer: str
    referral: Referral | None = None
    signatory: Signatory | None = None
    purpose: str = ""
    typed: dict[str, str] = field(default_factory=dict)


def gather(about: About, *, by: Actor, at: datetime) -> Content:
    """The values and tables for one paper. What belongs to the number and the day of issue is not among them."""
    values = office_values(about.head, about.signatory, at) | {
        "petugas.nama": about.writer,
        "surat.keperluan": about.purpose,
        **{f"isian.{code}": answer for code, answer in about.typed.items()},
    }
    if about.kind == REFERRAL:
        return Content(values | _referral_values(about.referral), _referral_tables(about.referral))
    household = household_of(about.case.applicant_id, by)
    values |= _person_values(household.person, office_day(at)) | _list_values(household) | _case_values(about.case)
    values["keluarga.kepala"] = next((member.name for member in household.members if _is_head(member, household)), "")
    if about.kind == PAPER:
        values |= _reporter_values(about.case, knows_reporter(about.case, by))
    readers = {name: _TABLES[name] for name in tables_of(about.kind)}
    return Content(values, {name: read(about, household, by, at) for name, read in readers.items()})


def office_values(head: Head, signer: Signatory | None, at: datetime) -> dict[str, str]:
    """The values that say something of the office alone."""
    today = office_day(at)
    return {
        "kantor.nama": head.office,
        "kantor.pemerintah": head.government,
        "kantor.kabupaten": head.government.removeprefix("Pemerintah ").removeprefix("PEMERINTAH "),
        "kantor.alamat": head.address,
        "kantor.telepon": head.phone,
        "kantor.tempat": head.place,
        "hari_ini": long_day(today),
        "hari_ini.huruf": day_in_words(today),
        "penandatangan.nama": signer.name if signer else "",
        "penandatangan.jabatan": signer.position if signer else "",
        "penandatangan.pangkat": signer.rank if signer else "",
        "penandatangan.nip": signer.nip if signer else "",
    }


def named_cases(text: str, by: Actor) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """The cases whose numbers stand in `text`, one a line, and the numbers that lead to none in scope or to a confidential one."""
    wanted = list(dict.fromkeys(line.strip().upper() for line in text.splitlines() if line.strip()))[:MOST_LISTED]
    statement = scope(sa.select(Case).where(Case.number.in_(wanted), Case.confidential.is_(False)), Case, by)
    found = {case.number: case for case in db.session.scalars(statement)}
    return tuple(found[number] for number in wanted if number in found), tuple(one for one in wanted if one not in found)


def local_moment(value: datetime) -> str:
    """21-11-2026 14.05, by the clock of the office."""
    return value.astimezone(settings_in_use().zone).strftime("%d-%m-%Y %H.%M")


def _day(value: datetime | date | None) -> str:
    if value is None:
        return ""
    return long_day(office_day(value) if isinstance(value, datetime) else value)


def _person_values(person: Person, today: date) -> dict[str, str]:
    family, years = person.family, age(person.birth_date, today)
    place = f"RT {family.rt}/RW {family.rw}" if family and family.rt and family.rw else ""
    born = ", ".join(part for part in (person.birth_place, _day(person.birth_date)) if part)
    village, subdistrict = (_area(code) for code in (person.village_code, person.village_code.rpartition(".")[0]))
    return {
        "warga.nama": person.name,
        "warga.nik": nik.spaced(person.nik),
        "warga.kk": nik.spaced(family.kk if family else None),
        "warga.ttl": born,
        "warga.umur": "" if years is None else str(years),
        "warga.jenis_kelamin": "Perempuan" if person.sex == "P" else "Laki-laki",
        "warga.agama": codes.label("religion", person.religion),
        "warga.pekerjaan": codes.label("occupation", person.occupation),
        "warga.status_kawin": codes.label("marital_status", person.marital_status),
        "warga.alamat": ", ".join(part for part in ((family.address, family.hamlet, place) if family else ()) if part),
        "warga.desa": called(village.kind, village.name) if village else "",
        "warga.kecamatan": subdistrict.name if subdistrict else "",
        "warga.kode_pos": village.postcode if village else "",
        "warga.telepon": phones.shown(person.phone),
        "warga.no_jkn": person.insurance_number,
    }


def _area(code: str) -> Area | None:
    return db.session.get(Area, code)


def _list_values(household: Household) -> dict[str, str]:
    """What the newest look into the national list showed, of the person or her family."""
    statement = (
        sa.select(ListStatus)
        .join(NationalList, ListStatus.list_id == NationalList.id)
        .where(NationalList.code == NATIONAL_LIST.lower(), ListStatus.listed != Listed.UNCHECKED, _of_these(household))
        .order_by(ListStatus.checked_on.desc(), ListStatus.id.desc())
    )
    seen = db.session.scalar(statement.limit(1))
    if seen is None:
        return {"data.daftar": NATIONAL_LIST}
    listed = seen.listed == Listed.YES
    return {
        "data.daftar": seen.list.name,
        "data.terdaftar": "terdaftar" if listed else "",
        "data.tidak_terdaftar": "" if listed else "tidak terdaftar",
        "data.desil": str(seen.decile or ""),
        "data.desil_huruf": number_in_words(seen.decile) if seen.decile else "",
        "data.periode": seen.period,
        "data.dicek": _day(seen.checked_on),
    }


def _of_these(household: Household) -> sa.ColumnElement[bool]:
    """Of the person herself or of her family; what was seen of another member alone says nothing of her."""
    alone = Household(household.person, household.family, (household.person,))
    return belongs_to(ListStatus, alone)


def _case_values(case: Case) -> dict[str, str]:
    outcome = _OUTCOMES[Outcome(case.outcome)] if case.outcome else ""
    return {
        "kasus.nomor": case.number,
        "kasus.layanan": case.service_type.name,
        "kasus.kategori": CATEGORIES.get(case.category, case.category),
        "kasus.uraian": case.description,
        "kasus.harapan": case.expectation,
        "kasus.rekomendasi": case.recommendation,
        "kasus.hasil": f"{outcome}. {case.outcome_note}".strip() if outcome else "",
        "kasus.status": CaseState(case.state).label,
        "kasus.diterima": _day(case.received_at),
    }


def _reporter_values(case: Case, told: bool) -> dict[str, str]:
    return {
        "pelapor.nama": case.reporter_name if told else "",
        "pelapor.hubungan": case.reporter_relation if told else "",
        "pelapor.telepon": case.reporter_phone if told else "",
        "kasus.saluran": case.channel.capitalize(),
        "kasus.jenis": case.kind.capitalize(),
        "kasus.batas": _day(case.deadline),
        "kasus.rentan": ", ".join(case.vulnerable_groups).replace("_", " "),
    }


def _referral_values(referral: Referral | None) -> dict[str, str]:
    if referral is None:
        return {}
    return {
        "rujukan.nomor": referral.number,
        "rujukan.kepada": referral.unit.name,
        "rujukan.alamat": referral.unit.address,
        "rujukan.kontak": referral.contact,
        "rujukan.isi": referral.summary,
        "rujukan.batas": _reply_due(referral),
    }


def _reply_due(referral: Referral) -> str:
    """The day, once it is sent; before, how long there is from then on."""
    if referral.sent_at or not referral.reply_days:
        return _day(referral.reply_due)
    return f"{referral.reply_days} hari kerja sejak surat ini dikirim"


def _referral_tables(referral: Referral | None) -> dict[str, Grid]:
    shared = tuple((label, value) for label, value in referral.shared.items()) if referral else ()
    return {"data dibagikan": Grid(SAMPLE_TABLES["data dibagikan"].headings, shared)}


def _is_head(member: Person, household: Household) -> bool:
    return member.relation == "1" or (household.family is not None and household.family.head_id == member.id)


def _grid(name: str, rows: Sequence[tuple[str, ...]]) -> Grid:
    known = SAMPLE_TABLES[name]
    return Grid(known.headings, tuple(rows), known.empty)


def _cases_table(about: About, household: Household, by: Actor, at: datetime) -> Grid:
    """Whom a collective letter names: the applicant of each case whose number was typed."""
    cases, _ = named_cases(about.typed.get(CASE_LIST, ""), by)
    people = [(case, case.applicant) for case in cases]
    rows = [(person.name, nik.spaced(person.nik), area_name(person.village_code), case.number) for case, person in people]
    return _grid("daftar kasus", rows)


def _names_table(about: About, household: Household, by: Actor, at: datetime) -> Grid:
    """The same people without their numbers: for what each of them gets to read."""
    cases, _ = named_cases(about.typed.get(CASE_LIST, ""), by)
    return _grid("daftar nama", [(case.applicant.name, area_name(case.applicant.village_code)) for case in cases])


def _members_table(about: About, household: Household, by: Actor, at: datetime) -> Grid:
    today = office_day(at)
    rows = [
        (member.name, codes.label("relation", member.relation), f"{years} tahun" if years is not None else "")
        for member in household.members
        for years in (age(member.birth_date, today),)
    ]
    return _grid("anggota keluarga", rows)


def _aid_table(about: About, household: Household, by: Actor, at: datetime) -> Grid:
    rows = [(row.programme.name, STATUSES.get(row.status, row.status), _day(row.starts)) for row in participations_of(household)]
    return _grid("bantuan", rows)


def _history_table(about: About, household: Household, by: Actor, at: datetime) -> Grid:
    events = db.session.scalars(sa.select(CaseEvent).where(CaseEvent.case_id == about.case.id).order_by(CaseEvent.position))
    rows = [
        (
            local_moment(event.happened_at),
            LABELS.get(event.action, event.action.replace("_", " ").capitalize()),
            event.account_name,
            event.note,
        )
        for event in events
    ]
    return _grid("riwayat", rows)


def _referrals_table(about: About, household: Household, by: Actor, at: datetime) -> Grid:
    statement = sa.select(Referral).where(Referral.case_id == about.case.id).order_by(Referral.created_at)
    rows = [(one.number, one.unit.name, ReferralState(one.state).label, one.reply) for one in db.session.scalars(statement)]
    return _grid("rujukan", rows)


def _requirements_table(about: About, household: Household, by: Actor, at: datetime) -> Grid:
    return _grid("persyaratan", [(requirement, "☐") for requirement in about.case.service_type.requirements])


_TABLES: dict[str, Callable[[About, Household, Actor, datetime], Grid]] = {
    "daftar kasus": _cases_table,
    "daftar nama": _names_table,
    "anggota keluarga": _members_table,
    "bantuan": _aid_table,
    "riwayat": _history_table,
    "rujukan": _referrals_table,
    "persyaratan": _requirements_table,
}
