"""What an undo takes back and what it leaves, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.exchange import imports
from appliance.exchange.withdrawing import REASON
from appliance.models.imports import Existing
from appliance.models.person import Family, Person, PersonPhone
from appliance.models.profile import ListStatus
from appliance.registry import aid, contacts, corrections, files
from appliance.registry.contacts import NewContact
from appliance.registry.programme_seed import seed_programmes
from tests.support.aid import dtsen, need, seen
from tests.support.desk import resident
from tests.support.importing import employ, stored, work
from tests.support.opensid import CHILD, COLUMNS, HEAD, WIFE, rows_of, workbook
from tests.support.staff import AT, Staff

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def bo(staff: Staff) -> Actor:
    return employ(staff.bo)


def person(name: str) -> Person:
    return db.session.scalars(sa.select(Person).where(Person.name == name).execution_options(populate_existing=True)).one()


def test_an_undone_list_does_not_count_any_more(bo: Actor, staff: Staff, settings: Settings) -> None:
    """Also for people who stay; what officers saw themselves stays, and the withdrawn look stays in the history."""
    seed_programmes(at=AT)
    known, only = resident(staff.fo, "Baharuddin", nik=HEAD["nik"]), resident(staff.fo, "Sitti Aminah", nik=WIFE["nik"])
    seen(known, staff.fo, decile=5, checked_on=date(2026, 9, 1))
    text = f"NIK;Nama;JK;Tgl Lahir;desil_nasional\n{HEAD['nik']};Baharuddin;L;12/06/1975;2\n;Daeng Ngalle;L;1/1/1950;1\n;Bau;P;1/1/1960;3\n"
    text += f"{WIFE['nik']};Sitti Aminah;P;10/08/1980;1\n"
    options = {"list_id": dtsen(), "checked_on": "2026-10-01"}
    import_id = stored(text.encode(), bo, settings, options=options)
    assert [(one.decile, one.withdrawn) for one in aid.aid_of_person(known, by=bo).statuses] == [(2, "")]
    seen(person("Bau").id, staff.fo, decile=4)
    imports.undo_import(import_id, by=bo, at=AT)
    assert work(settings) == 1
    view = aid.aid_of_person(known, by=bo)
    assert [(one.decile, one.withdrawn) for one in view.statuses] == [(5, "")]
    assert [(one.decile, one.withdrawn) for one in view.former_statuses] == [(2, REASON)]
    assert aid.aid_of_person(only, by=bo).statuses == ()
    assert (person("Daeng Ngalle").status, person("Bau").status) == ("tidak_valid", "hidup")
    (kept,) = imports.rows_of(import_id, verdict="bertahan", by=bo)
    assert (kept.name, kept.taken_back) == ("Bau", "sudah ada hasil cek daftar nasional")
    assert [one.decile for one in aid.aid_of_person(person("Bau").id, by=bo).statuses] == [4]
    with pytest.raises(sa.exc.DBAPIError), transaction() as session:
        session.execute(sa.update(ListStatus).where(ListStatus.withdrawn_at.is_not(None)).values(withdrawn_at=None))


def test_who_was_worked_with_stays_whatever_the_work_was(bo: Actor, staff: Staff, settings: Settings) -> None:
    rows = rows_of([HEAD, WIFE, CHILD | {"hp": "0813-4567-8901"}], [*COLUMNS, "hp"])
    import_id = stored(workbook(rows), bo, settings)
    seed_programmes(at=AT)
    need(person("BAHARUDDIN").id, staff.fo)
    files.add_person_file(person("SITTI AMINAH").id, b"%PDF-1.4 kartu", kind="ktp", title="", by=staff.fo, at=AT)
    contacts.add_contact(person("NURUL HIDAYAH").id, NewContact("0812-3456-7890", "bibinya"), by=staff.fo, at=AT)
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert {row.name: row.taken_back for row in imports.rows_of(import_id, by=bo)} == {
        "BAHARUDDIN": "sudah ada kebutuhan yang dicatat",
        "SITTI AMINAH": "sudah ada berkas warga",
        "NURUL HIDAYAH": "sudah ada nomor telepon yang dicatat petugas",
    }
    assert set(db.session.scalars(sa.select(PersonPhone.number))) == {"+6281234567890", "+6281345678901"}


def test_a_family_that_was_corrected_since_stays_as_it_was_corrected(bo: Actor, staff: Staff, settings: Settings) -> None:
    stored(workbook(rows_of([HEAD, WIFE])), bo, settings)
    changed = [HEAD | {"alamat": "Jl. Baru 1"}, WIFE | {"alamat": "Jl. Baru 2"}]
    import_id = stored(workbook(rows_of(changed)), bo, settings, existing=Existing.UPDATE)
    family = db.session.scalars(sa.select(Family).execution_options(populate_existing=True)).one()
    typed = replace(corrections.family_fields_of(family), address="Jl. Kenari 5")
    corrections.correct_family(family.id, typed, reason="Pindah rumah", row_version=family.row_version, by=bo, at=AT)
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert db.session.scalars(sa.select(Family.address).execution_options(populate_existing=True)).one() == "Jl. Kenari 5"
    assert {row.taken_back for row in imports.rows_of(import_id, by=bo)} == {"sudah diubah petugas sesudah impor"}
