"""The catalogue of programmes, the rules that warn and the national lists: seeding and editing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.programme import CombinationRule, Programme, RuleKind, Sector
from appliance.registry import aid, national_lists, programmes, rules
from appliance.registry.national_lists import ListFields
from appliance.registry.programme_seed import seed_programmes
from appliance.registry.programmes import ProgrammeFields
from appliance.registry.rules import RuleFields
from tests.support.aid import programme, take_part
from tests.support.desk import request, resident
from tests.support.staff import AT, Staff

NEW = ProgrammeFields("bansos-air", "Bantuan air bersih", "kabkota", "perumahan", "keluarga", max_decile=3)


def changed(programme_id: str, by: Actor, **changes: Any) -> ProgrammeFields:
    """What is known of a programme, with changes."""
    line = programmes.look_at_programme(programme_id, by=by)
    names = ("code", "name", "level", "sector", "target", "unit_id", "max_decile", "starts", "ends", "active")
    return ProgrammeFields(**{**{name: getattr(line, name) for name in names}, **changes})


def test_a_new_node_knows_programmes_of_all_nine_sectors(app: Flask, staff: Staff) -> None:
    found = {line.code: line for line in programmes.list_programmes(by=staff.fo)}
    assert {line.sector for line in found.values()} == set(Sector)
    assert {
        "pkh",
        "sembako",
        "pbi-jk",
        "pip",
        "kip-kuliah",
        "atensi",
        "rtlh",
        "subsidi-listrik",
        "lpg-3kg",
        "kur",
        "pupuk",
    } <= set(found)
    assert (found["pkh"].unit_name, found["pkh"].max_decile) == ("Koordinator PKH", 4)
    assert not found["rastra"].active
    assert "rastra" not in {line.code for line in programmes.list_programmes(by=staff.fo, active_only=True)}


def test_seeding_again_adds_nothing_and_changes_nothing(app: Flask, staff: Staff) -> None:
    pkh = programme("pkh")
    programmes.change_programme(pkh, changed(pkh, staff.bo, name="PKH lokal"), row_version=1, by=staff.bo, at=AT)
    with transaction() as session:
        session.execute(sa.delete(CombinationRule).where(CombinationRule.code == "sosial-tiga"))
    assert seed_programmes(at=AT) == 1
    assert seed_programmes(at=AT) == 0
    assert programmes.look_at_programme(pkh, by=staff.fo).name == "PKH lokal"


def test_the_manager_and_the_back_office_edit(app: Flask, staff: Staff) -> None:
    made = programmes.add_programme(NEW, by=staff.manager, at=AT)
    fields = changed(made, staff.bo, code="ignored", name="  Air   bersih ", active=False, starts=date(2026, 1, 1))
    programmes.change_programme(made, fields, row_version=1, by=staff.bo, at=AT)
    line = programmes.look_at_programme(made, by=staff.leader)
    assert (line.code, line.name, line.active, line.max_decile, line.starts) == (
        "bansos-air",
        "Air bersih",
        False,
        3,
        date(2026, 1, 1),
    )
    entries = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.subject == f"programme:{made}")).all()
    assert entries == ["program_baru", "program_ubah"]
    with pytest.raises(Conflict):
        programmes.change_programme(made, fields, row_version=1, by=staff.bo, at=AT)


@pytest.mark.parametrize("role", ["fo", "supervisor", "facilitator", "leader", "admin", "dinkes"])
def test_nobody_else_edits(app: Flask, staff: Staff, role: str) -> None:
    by = getattr(staff, role)
    pkh = programme("pkh")
    with pytest.raises(NotAllowed):
        programmes.add_programme(NEW, by=by, at=AT)
    with pytest.raises(NotAllowed):
        programmes.change_programme(pkh, NEW, row_version=1, by=by, at=AT)
    with pytest.raises(NotAllowed):
        rules.add_rule(RuleFields("ganda"), request_id=request(), by=by, at=AT)
    with pytest.raises(NotAllowed):
        national_lists.add_list("regsosek", ListFields("Regsosek"), by=by, at=AT)


def test_who_serves_no_area_does_not_read(app: Flask, staff: Staff) -> None:
    for by in (staff.admin, staff.dinkes):
        with pytest.raises(NotAllowed):
            programmes.list_programmes(by=by)
        with pytest.raises(NotAllowed):
            rules.list_rules(by=by)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"code": "Bansos Air"}, {"code"}),
        ({"code": "pkh"}, {"code"}),
        ({"name": " ", "level": "dunia", "sector": "", "target": "semua"}, {"name", "level", "sector", "target"}),
        ({"max_decile": 11, "unit_id": "nobody"}, {"max_decile", "unit_id"}),
        ({"starts": date(2026, 2, 1), "ends": date(2026, 1, 1), "name": "x" * 161}, {"ends", "name"}),
    ],
)
def test_what_is_wrong_with_a_programme_is_told_at_once(
    app: Flask, staff: Staff, changes: dict[str, Any], wrong: set[str]
) -> None:
    before = db.session.query(Programme).count()
    with pytest.raises(InvalidInput) as caught:
        programmes.add_programme(replace(NEW, **changes), by=staff.bo, at=AT)
    assert set(caught.value.problems) == wrong
    assert db.session.query(Programme).count() == before


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        (RuleFields("larang"), {"kind"}),
        (RuleFields("bersamaan", within="desa"), {"within", "first_id"}),
        (RuleFields("bersamaan", first_id="pkh", second_id="pkh"), {"second_id"}),
        (RuleFields("desil", first_id="nothing"), {"first_id"}),
        (RuleFields("terlalu_banyak"), {"most"}),
        (RuleFields("terlalu_banyak", most=2, sector="emas", advice="x" * 301), {"sector", "advice"}),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_at_once(app: Flask, staff: Staff, fields: RuleFields, wrong: set[str]) -> None:
    real = {name: programme("pkh") for name in ("first_id", "second_id") if getattr(fields, name) == "pkh"}
    with pytest.raises(InvalidInput) as caught:
        rules.add_rule(replace(fields, **real), request_id=request(), by=staff.bo, at=AT)
    assert set(caught.value.problems) == wrong


def test_a_rule_warns_from_the_moment_it_is_stored_until_it_is_switched_off(app: Flask, staff: Staff) -> None:
    person = resident(staff.fo)
    take_part(person, "uep", staff.fo)
    take_part(person, "kur", staff.fo)
    fields = RuleFields("bersamaan", "orang", programme("uep"), programme("kur"), most=9, sector="pangan", advice="Pilih satu.")
    made = rules.add_rule(fields, request_id="rule", by=staff.manager, at=AT)
    assert rules.add_rule(fields, request_id="rule", by=staff.manager, at=AT) == made
    assert [caution.advice for caution in aid.aid_of_person(person, by=staff.fo).cautions] == ["Pilih satu."]
    line = rules.look_at_rule(made, by=staff.fo)
    assert (line.fields.most, line.fields.sector) == (None, ""), "only what counts for the kind is kept"
    rules.change_rule(made, replace(line.fields, active=False), row_version=line.row_version, by=staff.bo, at=AT)
    assert aid.aid_of_person(person, by=staff.fo).cautions == ()
    with pytest.raises(Conflict):
        rules.change_rule(made, line.fields, row_version=line.row_version, by=staff.bo, at=AT)


def test_each_kind_of_rule_is_seeded(app: Flask, staff: Staff) -> None:
    assert {line.fields.kind for line in rules.list_rules(by=staff.leader)} == set(RuleKind)


def test_a_national_list_changes_its_name(app: Flask, staff: Staff) -> None:
    made = national_lists.add_list("dtsen-2027", ListFields("DTSEN 2027"), by=staff.bo, at=AT)
    national_lists.change_list(made, ListFields("Data Tunggal", has_decile=False), row_version=1, by=staff.bo, at=AT)
    line = next(found for found in national_lists.national_lists() if found.id == made)
    assert (line.code, line.name, line.has_decile) == ("dtsen-2027", "Data Tunggal", False)
    national_lists.change_list(made, ListFields("Data Tunggal", active=False), row_version=2, by=staff.bo, at=AT)
    assert made not in {found.id for found in national_lists.national_lists(active_only=True)}
    for code, name in (("dtsen", "Lagi"), ("DTSEN", "Besar"), ("baru", " ")):
        with pytest.raises(InvalidInput):
            national_lists.add_list(code, ListFields(name), by=staff.bo, at=AT)
    with pytest.raises(NotFound):
        national_lists.change_list("nothing", ListFields("x"), row_version=1, by=staff.bo, at=AT)
