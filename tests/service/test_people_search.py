"""The one search box: what finds whom, in which order, for what reason, and for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor, Grant
from appliance.casework.numbers import find_numbered
from appliance.database import db, transaction
from appliance.models.audit import AuditEntry
from appliance.models.case import Case, Referral
from appliance.models.person import FormerCard, Person, PersonWord
from appliance.models.roles import Role
from appliance.models.search import NameVariant, NameWord
from appliance.registry import contacts, search_index
from appliance.registry.candidates import Within, near_words
from appliance.registry.contacts import NewContact
from appliance.registry.people_search import find_people, search_people
from tests.support.desk import decided, prepare_referral, resident
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

NIK, CARD, OLD_CARD = "7303014101800001", "7303010101100001", "7303010101990009"


@pytest.fixture
def town(app: Flask, staff: Staff) -> Mapping[str, str]:
    """People by a short name for each; "far" ones live in another subdistrict."""
    fo = staff.fo
    people = {
        "aminah": resident(fo, "Hj. Sitti Aminah", nik=NIK, kk=CARD, relation="3", nickname="Dg. Bau", phone="0812-3456-7890"),
        "head": resident(fo, "Baharuddin", kk=CARD, relation="1"),
        "neighbour": resident(fo, "Siti Aminah Ramli", village=NEIGHBOUR),
        "far": resident(fo, "St. Aminah", village=FAR),
        "yusuf": resident(fo, "Muhammad Yusuf"),
        "zul": resident(fo, "Muh. Zulkarnaen Basri"),
        "nurhayati": resident(fo, "Nurhayati"),
        "nurhayani": resident(fo, "Nurhayani", village=FAR),
    }
    with transaction() as session:
        family = session.get_one(Person, people["aminah"]).family_id
        session.add(FormerCard(family_id=family, kk=OLD_CARD, until=None, reason="Pecah KK"))
    return people


FOUND: tuple[tuple[str, list[tuple[str, str]]], ...] = (
    (NIK, [("aminah", "NIK")]),
    ("7303 0141 0180 0001", [("aminah", "NIK")]),
    (CARD, [("head", "KK"), ("aminah", "KK")]),
    (OLD_CARD, [("head", "KK lama"), ("aminah", "KK lama")]),
    ("7303014101800009", []),
    ("+62 812 3456 7890", [("aminah", "telepon")]),
    ("0812-3456", [("aminah", "telepon")]),
    ("aminah sitti", [("aminah", "nama"), ("far", "nama"), ("neighbour", "nama")]),
    ("Moh. Jusuf", [("yusuf", "nama")]),
    ("zul muh", [("zul", "nama")]),
    ("Baharudin", [("head", "nama")]),
    ("Nurhayti", [("nurhayati", "nama mirip: nurhayati"), ("nurhayani", "nama mirip: nurhayani")]),
    ("muhamad yusfu", [("yusuf", "nama mirip: yusuf")]),
    ("zulkarnain basri muhammad", [("zul", "nama mirip: zulkarnaen")]),
    ("bau", [("aminah", "nama panggilan")]),
    ("aminah bau", [("aminah", "nama panggilan")]),
    ("aminah bonto manai", [("aminah", "nama + desa")]),
    ("bonto manai amina", [("aminah", "nama + desa")]),
    ("amniah bonto lebang", [("neighbour", "nama mirip: amina + desa")]),
    ("aminah bisapu", [("aminah", "nama + kecamatan"), ("neighbour", "nama + kecamatan")]),
    ("aminah xaverius", []),
    ("xaverius", []),
    ("%", []),
    ("'; --", []),
)


def test_everybody_is_found_by_what_is_known_and_says_why(town: Mapping[str, str], staff: Staff) -> None:
    short = {person: name for name, person in town.items()}
    wrong = []
    for text, expected in FOUND:
        found = [(short[line.id], line.why) for line in find_people(text, by=staff.fo, at=AT).people]
        if found != expected:
            wrong.append((text, found, expected))
    assert wrong == []


def test_a_search_shows_only_what_the_reader_may_see(town: Mapping[str, str], staff: Staff) -> None:
    texts = ("aminah", "siti amina", "bau", "aminah bau", NIK, CARD, OLD_CARD, "0812 3456 7890")

    def seen(by: object) -> set[str]:
        return {line.id for text in texts for line in find_people(text, by=by, at=AT).people}  # type: ignore[arg-type]

    assert seen(staff.fo) == {town[name] for name in ("aminah", "head", "neighbour", "far")}
    assert seen(staff.facilitator) == {town["aminah"], town["head"]}
    assert seen(staff.neighbour) == {town["neighbour"]}
    assert seen(staff.stranger) == seen(staff.admin) == seen(staff.dinkes) == set()


def test_a_village_that_is_chosen_narrows(town: Mapping[str, str], staff: Staff) -> None:
    found = find_people("aminah", village_code=NEIGHBOUR, by=staff.fo, at=AT)
    assert [line.id for line in found.people] == [town["neighbour"]]
    assert find_people(NIK, village_code=NEIGHBOUR, by=staff.fo, at=AT).total == 0


def test_who_was_merged_is_found_by_the_old_identifiers(town: Mapping[str, str], staff: Staff) -> None:
    """A chain of merges leads to the last one; who may not see that one sees nobody."""
    with transaction() as session:
        session.get_one(Person, town["aminah"]).merged_into_id = town["neighbour"]
        session.get_one(Person, town["neighbour"]).merged_into_id = town["far"]
    for text, why in ((NIK, "NIK"), ("0812 3456 7890", "telepon"), ("bau", "nama panggilan")):
        (line,) = find_people(text, by=staff.fo, at=AT).people
        assert (line.id, line.why) == (town["far"], f"{why} pada data yang sudah digabung")
        assert find_people(text, by=staff.facilitator, at=AT).total == 0
    assert [line.id for line in find_people("aminah", by=staff.fo, at=AT).people] == [town["far"]]


def test_the_dead_are_found_with_their_status(town: Mapping[str, str], staff: Staff) -> None:
    with transaction() as session:
        session.get_one(Person, town["yusuf"]).status = "mati"
    (line,) = find_people("muhammad yusuf", by=staff.fo, at=AT).people
    assert (line.id, line.status) == (town["yusuf"], "mati")


def test_who_looked_for_a_number_is_in_the_journal_and_the_number_is_not(town: Mapping[str, str], staff: Staff) -> None:
    for text in (NIK, "7303014101800009", "aminah"):
        search_people(text, by=staff.facilitator, at=AT)
    search_people(NIK, by=staff.neighbour, at=AT)
    entries = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "cari").order_by(AuditEntry.position)).all()
    assert [entry.subject for entry in entries] == [f"person:{town['aminah']}", "tidak ditemukan", "tidak ditemukan"]
    assert not any("7303014" in entry.detail for entry in entries)


def test_the_index_follows_a_change_of_the_person(town: Mapping[str, str], staff: Staff) -> None:
    with transaction() as session:
        person = session.get_one(Person, town["aminah"])
        search_index.forget_person(person)
        person.name_search, person.nickname, person.phone, person.village_code = "salma daud", "", "", NEIGHBOUR
        search_index.index_person(person)
        search_index.index_people([search_index.Findable.of(person)])  # again, and nothing happens
    rows = db.session.execute(sa.select(PersonWord.word, PersonWord.village_code).where(PersonWord.person_id == town["aminah"]))
    assert {tuple(row) for row in rows} == {(key, NEIGHBOUR) for key in ("daud", "salma", "daud salma")}
    assert "salma" in near_words("salmah"[:-1] + "u")


@pytest.mark.parametrize("areas", [(HOME,), (HOME, NEIGHBOUR), ("73.03.01",), ("73.03",)])
def test_a_common_word_is_looked_up_where_the_reader_may_see(
    town: Mapping[str, str], staff: Staff, areas: tuple[str, ...]
) -> None:
    """One range of the index, of which the first rows are enough: gathering all of a village first grows with the people."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by its statistics")
    reader = Actor.holding("a", "A", "a", [Grant(Role.FO, areas)])
    statement = Within(reader).narrowed(sa.select(PersonWord.person_id).where(PersonWord.word == "siti")).limit(200)
    text = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    plan = [row.detail for row in db.session.execute(sa.text(f"EXPLAIN QUERY PLAN {text}"))]
    assert len(plan) == 1, plan
    assert "USING PRIMARY KEY (word=? AND village_code" in plan[0]


def test_a_number_is_looked_up_without_reading_everybody(app: Flask, staff: Staff) -> None:
    """The tables are small here: PostgreSQL is told not to read a whole one if there is any other way."""
    explain, looked_up = "EXPLAIN QUERY PLAN", "(nik=?)"
    if db.engine.dialect.name == "postgresql":
        explain, looked_up = "EXPLAIN", "uq_person_nik"
        db.session.execute(sa.text("SET LOCAL enable_seqscan = off"))
    asked: list[tuple[str, Any]] = []
    listen = (db.engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    sa.event.listen(*listen)
    find_people(NIK, by=staff.fo, at=AT)
    sa.event.remove(*listen)
    statement, values = next(one for one in asked if one[0].startswith("SELECT person"))
    plan = [str(row) for row in db.session.connection().exec_driver_sql(f"{explain} {statement}", values)]
    assert any(looked_up in line for line in plan), plan


def test_the_vocabulary_learns_each_word_once(town: Mapping[str, str], staff: Staff) -> None:
    before = db.session.scalar(sa.select(sa.func.count()).select_from(NameVariant))
    resident(staff.fo, "Sitti Nurhayati")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(NameVariant)) == before
    assert db.session.get(NameWord, "nurhayati")


def test_a_case_or_referral_is_found_by_its_number(app: Flask, staff: Staff) -> None:
    case = decided(staff)
    referral = prepare_referral(staff, case)
    number, letter = (db.session.get_one(table, key).number for table, key in ((Case, case), (Referral, referral)))
    _, _, month, count = number.split("-")
    for text in (number, number.lower(), number.replace("-", " "), f"{month}-{count}", f"slrt {month} {int(count)}"):
        found = find_numbered(text, by=staff.fo)
        assert found is not None, text
        assert (found.kind, found.id) == ("kasus", case), text
    found = find_numbered(letter, by=staff.bo)
    assert found is not None
    assert (found.kind, found.id) == ("rujukan", referral)
    for text in (number[:-1], "aminah", NIK, f"{month}-99999"):
        assert find_numbered(text, by=staff.fo) is None, text
    assert find_numbered(number, by=staff.stranger) is None
    assert find_numbered(letter, by=staff.stranger) is None


def test_any_number_of_a_person_finds_her_and_says_that_it_is_not_the_first(town: Mapping[str, str], staff: Staff) -> None:
    def found(text: str, by: Actor) -> list[tuple[str, str]]:
        return [(line.id, line.why) for line in find_people(text, by=by, at=AT).people]

    contacts.add_contact(town["aminah"], NewContact("0853 1111 2222", owner="Tetangga"), by=staff.fo, at=AT)
    contacts.add_contact(town["neighbour"], NewContact("+62 853 1111 2222"), by=staff.fo, at=AT)
    other = (town["aminah"], "nomor telepon lain")
    for text in ("0853-1111-2222", "+6285311112222", "08531111"):
        assert found(text, staff.fo) == [(town["neighbour"], "telepon"), other]
    assert found("08531111", staff.facilitator) == [other]
    assert found("08531111", staff.stranger) == []
    contacts.add_contact(town["aminah"], NewContact("0853 3333 4444", main=True), by=staff.fo, at=AT)
    assert found("0853 3333 4444", staff.fo) == [(town["aminah"], "telepon")]
    assert found("0812 3456 7890", staff.fo) == [other], "the number before"
    with transaction() as session:
        session.get_one(Person, town["aminah"]).merged_into_id = town["far"]
    assert found("0812 3456 7890", staff.fo) == [(town["far"], f"{other[1]} pada data yang sudah digabung")]
