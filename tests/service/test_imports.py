"""Imports from the upload to the undo, on both databases."""

from __future__ import annotations

import os
from datetime import date, timedelta
from io import BytesIO, RawIOBase
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from xlsxwriter import Workbook

from appliance.access import Actor
from appliance.config import Settings
from appliance.database import db, table_of, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.exchange import imports
from appliance.exchange.listing import NOTED
from appliance.exchange.sheets import MEGABYTE, MOST_BYTES
from appliance.models.area import Area
from appliance.models.audit import AuditEntry
from appliance.models.imports import Existing, ImportRow, ImportState
from appliance.models.person import Family, LifeEvent, Person, PersonPhone, PersonWord
from appliance.models.profile import ListStatus, NationalList
from appliance.models.programme import Participation, Programme
from appliance.registry.lookalikes import to_compare
from appliance.registry.people_search import find_people
from appliance.registry.programme_seed import seed_programmes
from tests.support.desk import open_case, resident
from tests.support.importing import checked, choose, employ, said, see, store, stored, upload, work
from tests.support.opensid import CARD, CHILD, HEAD, WIFE, population, rows_of, workbook
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

pytestmark = pytest.mark.usefixtures("app")
DATA = Path(__file__).parents[1] / "data" / "imports"


@pytest.fixture
def bo(staff: Staff) -> Actor:
    return employ(staff.bo)


def people() -> list[Person]:
    return list(db.session.scalars(sa.select(Person).order_by(Person.birth_date)))


def person(name: str) -> Person:
    found = db.session.scalar(sa.select(Person).where(Person.name == name).execution_options(populate_existing=True))
    assert found is not None
    return found


def count(table: type[object]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_the_sheet_of_opensid_is_imported_unchanged(bo: Actor, settings: Settings) -> None:
    import_id = upload(population(), bo)
    seen = see(import_id, bo)
    assert (seen.choice.layout, seen.choice.sheet, seen.choice.header_row) == ("opensid", "Data Penduduk", 1)
    choose(import_id, bo)
    assert work(settings) == 1
    assert see(import_id, bo).line.counts == {"baru": 3}
    assert count(Person) == 0
    store(import_id, bo)
    assert work(settings) == 1
    head, wife, child = people()
    assert (head.nik, head.birth_date, head.education, head.insurance, head.father_name) == (
        "7303011206750001", date(1975, 6, 12), "5", "PBI", "Sampara",
    )  # fmt: skip
    assert (wife.sex, wife.birth_date, wife.relation, wife.occupation) == ("P", date(1980, 8, 10), "3", "2")
    assert (child.nik, child.nik_status, child.marital_status) == (None, "tidak_ada", "1")
    assert "Belum ada NIK" in child.nik_reason
    family = db.session.scalars(sa.select(Family)).one()
    assert (family.kk, family.head_id, family.rw, family.rt, family.hamlet) == (CARD, head.id, "001", "002", "Kampung Beru")
    assert {one.family_id for one in people()} == {family.id}
    assert see(import_id, bo).line.state is ImportState.STORED
    assert not list((Path(settings.paths.data) / "imports").iterdir()), "people's data does not lie about"


def test_who_was_imported_is_found_and_has_a_history(bo: Actor, settings: Settings) -> None:
    stored(population(), bo, settings)
    (found,) = find_people("siti aminah", by=bo, at=AT).people
    assert [event.kind for event in db.session.scalars(sa.select(LifeEvent).where(LifeEvent.person_id == found.id))] == ["impor"]
    actions = list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.position)))
    assert [one for one in actions if one.startswith("impor")] == [
        "impor-unggah", "impor-periksa", "impor-diperiksa", "impor-simpan", "impor-bagian", "impor-selesai",
    ]  # fmt: skip


def test_the_same_file_again_changes_nothing_and_is_noticed(bo: Actor, settings: Settings) -> None:
    stored(population(), bo, settings)
    again = checked(population(), bo, settings)
    assert see(again, bo).line.counts == {"sama": 3}
    store(again, bo)
    work(settings)
    assert count(Person) == 3
    content = population(HEAD | {"suku": "Makassar"})
    first = upload(content, bo)
    assert see(first, bo).earlier == ()
    choose(first, bo)
    work(settings)
    store(first, bo)
    work(settings)
    assert see(upload(content, bo), bo).earlier == (AT,)


@pytest.mark.parametrize(
    ("how", "verdict", "name"),
    [
        (Existing.SKIP, "dilewati", "Sitti Aminah"),
        (Existing.FILL, "berubah", "Sitti Aminah"),
        (Existing.UPDATE, "berubah", "SITTI AMINAH DAENG BAU"),
    ],
)
def test_nobody_is_overwritten_unasked(
    bo: Actor, staff: Staff, settings: Settings, how: Existing, verdict: str, name: str
) -> None:
    known = resident(staff.fo, "Sitti Aminah", nik=WIFE["nik"], birth_date=date(1980, 8, 12), birth_place="")
    import_id = stored(population(WIFE | {"nama": "SITTI AMINAH DAENG BAU"}), bo, settings, existing=how)
    assert said(import_id, bo)[2][0] == verdict
    seen = db.session.get_one(Person, known, populate_existing=True)
    assert seen.name == name
    assert seen.birth_place == ("" if how is Existing.SKIP else "Bantaeng")
    assert seen.birth_date == (date(1980, 8, 10) if how is Existing.UPDATE else date(1980, 8, 12))
    events = list(db.session.scalars(sa.select(LifeEvent).where(LifeEvent.person_id == known, LifeEvent.kind == "perbaikan")))
    if how is Existing.SKIP:
        assert not events
    else:
        assert events[0].detail["changes"]["birth_place"] == ["", "Bantaeng"]
    if how is Existing.UPDATE:
        assert events[0].detail["changes"]["birth_date"] == ["1980-08-12", "1980-08-10"]
        assert [line.id for line in find_people("bau", by=bo, at=AT).people] == [known]


def test_a_telephone_number_stands_in_both_places(bo: Actor, staff: Staff, settings: Settings) -> None:
    known = resident(staff.fo, "Sitti Aminah", nik=WIFE["nik"], birth_date=date(1980, 8, 12))
    rows = rows_of(
        [HEAD | {"hp": 81234567890}, WIFE | {"hp": "0813-4567-8901"}, CHILD | {"hp": "tidak ada"}], [*rows_of([])[0], "hp"]
    )
    import_id = upload(workbook(rows), bo)
    choose(import_id, bo, mapping={**see(import_id, bo).choice.mapping, "phone": 43})
    work(settings)
    store(import_id, bo)
    work(settings)
    assert [one.phone for one in people()] == ["+6281234567890", "+6281345678901", ""]
    listed = db.session.execute(sa.select(PersonPhone.person_id, PersonPhone.number)).all()
    assert (known, "+6281345678901") in listed
    assert len(listed) == 2
    assert "tidak terbaca" in said(import_id, bo)[4][1][0]
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert count(PersonPhone) == 0


def test_without_a_nik_name_day_and_place_tell_who_it_is(bo: Actor, staff: Staff, settings: Settings) -> None:
    known = resident(staff.fo, "Nurul Hidayah", birth_date=date(2024, 2, 1), birth_place="Bantaeng")
    import_id = stored(population(CHILD, CHILD | {"tanggallahir": "02-02-2024"}), bo, settings)
    assert {number: verdict for number, (verdict, _) in said(import_id, bo).items()} == {2: "berubah", 3: "baru"}
    assert db.session.get_one(Person, known, populate_existing=True).family_id
    # Later her card arrives: the number is added to the record that is there.
    stored(population(CHILD | {"nik": "7303014102240003"}), bo, settings)
    assert db.session.get_one(Person, known, populate_existing=True).nik == "7303014102240003"


def test_rows_outside_the_areas_are_refused_one_by_one(bo: Actor, staff: Staff, settings: Settings) -> None:
    resident(staff.fo, "Orang Jauh", village=FAR, nik=HEAD["nik"])
    local = employ(Actor(staff.supervisor.account_id, "S", "s", staff.supervisor.roles, (HOME,)))
    rows = rows_of([HEAD | {"desa": ""}, WIFE | {"desa": ""}, CHILD | {"desa": NEIGHBOUR}], [*rows_of([])[0], "desa"])
    import_id = upload(workbook(rows), local)
    seen = see(import_id, local)
    columns = {heading.text: heading.index for heading in imports.columns_of(import_id, by=local).headings}
    choose(import_id, local, layout="warga", mapping={**seen.choice.mapping, "village": columns["desa"]})
    work(settings)
    report = said(import_id, local)
    assert [report[number][0] for number in (2, 3, 4)] == ["salah", "baru", "salah"]
    assert "di luar wilayah" in report[2][1][-1]
    with pytest.raises(NotAllowed):
        choose(upload(population(), local), local, village_code=NEIGHBOUR)


def test_an_undo_takes_back_all_but_what_was_built_on(bo: Actor, staff: Staff, settings: Settings) -> None:
    known = resident(staff.fo, "Sitti Aminah", nik=WIFE["nik"], birth_date=date(1980, 8, 12), birth_place="")
    import_id = stored(population(), bo, settings)
    open_case(staff.fo, person("BAHARUDDIN").id)
    imports.undo_import(import_id, by=bo, at=AT)
    assert work(settings) == 1
    seen = see(import_id, bo)
    assert (seen.line.state, seen.kept) == (ImportState.UNDONE, 1)
    assert "1 baris tidak dapat dibatalkan" in (seen.progress.text if seen.progress else "")
    (kept,) = imports.rows_of(import_id, verdict="bertahan", by=bo)
    assert (kept.name, kept.taken_back) == ("BAHARUDDIN", "sudah ada kasus")
    withdrawn = person("NURUL HIDAYAH")
    assert (withdrawn.status, withdrawn.family_id) == ("tidak_valid", None)
    assert not find_people("nurul hidayah", by=bo, at=AT).people
    restored = db.session.get_one(Person, known, populate_existing=True)
    assert (restored.birth_place, restored.family_id) == ("", None)
    # and the same file may come again
    again = stored(population(), bo, settings)
    assert see(again, bo).line.counts == {"sama": 1, "berubah": 1, "baru": 1}


def test_an_undo_of_changes_leaves_everybody_as_before(bo: Actor, settings: Settings) -> None:
    """Rows that change different fields, and two that change the same family one after the other."""
    stored(population(), bo, settings)
    before = registered()
    rows = [
        HEAD | {"nama": "Baharuddin Tompo", "alamat": "Jl. Baru 1", "tanggallahir": "13-06-1975", "tempatlahir": "Makassar"},
        WIFE | {"pekerjaan_id": "9", "alamat": "Jl. Baru 2", "rt": "7"},
        CHILD | {"nama_ayah": "Tompo", "alamat": "Jl. Baru 1"},
    ]
    import_id = stored(workbook(rows_of(rows)), bo, settings, existing=Existing.UPDATE)
    assert see(import_id, bo).line.counts == {"berubah": 3}
    changed = registered()
    assert changed["address"] == ["Jl. Baru 1"], "the last row counts"
    different = {"name", "name_search", "occupation", "birth_date", "birth_place", "father_name", "address", "word"}
    assert {field for field in before if changed[field] != before[field]} >= different
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert see(import_id, bo).kept == 0
    assert registered() == before


def registered() -> dict[str, list[object]]:
    """What the registry holds of everybody, by field; without who changed it when."""
    left_out = {"updated_at", "updated_by", "row_version"}
    return {
        column.name: list(db.session.scalars(sa.select(column).order_by(*table.primary_key)))
        for table in map(table_of, (Family, Person, PersonWord))
        for column in table.columns
        if column.name not in left_out
    }


def test_an_undo_of_everything_leaves_no_number_taken(bo: Actor, settings: Settings) -> None:
    import_id = stored(population(), bo, settings)
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert see(import_id, bo).kept == 0
    assert {one.nik for one in people()} == {None}
    assert db.session.scalars(sa.select(Family.kk)).all() == [None]
    assert count(PersonWord) == 0
    villages = {one.village_code for one in people()}
    assert not [found for code in villages for found in find_people("", village_code=code, by=bo, at=AT).people]
    assert not db.session.execute(to_compare()).all(), "and nobody is likened to them"
    assert see(stored(population(), bo, settings), bo).line.counts == {"baru": 3}


def test_somebody_twice_in_a_file_is_stored_once(bo: Actor, settings: Settings) -> None:
    import_id = stored(population(HEAD, WIFE, HEAD | {"nama": "Bahar"}, CHILD, CHILD), bo, settings)
    report = said(import_id, bo)
    assert [report[number][0] for number in (2, 3, 4, 5, 6)] == ["baru", "baru", "dilewati", "baru", "dilewati"]
    assert "sudah ada di baris 2" in report[4][1][-1]
    assert count(Person) == 3


def test_rights_that_were_lost_meanwhile_stop_it(bo: Actor, settings: Settings) -> None:
    import_id = upload(population(), bo)
    choose(import_id, bo)
    db.session.rollback()
    with db.engine.execution_options(slrt_writer=True).begin() as connection:
        connection.execute(sa.text("DELETE FROM assignment"))
    db.session.expire_all()
    work(settings)
    seen = see(import_id, bo)
    assert "tidak lagi berhak" in seen.line.problem
    assert seen.stuck
    employ(bo)
    imports.resume_import(import_id, by=bo, at=AT)
    work(settings)
    assert see(import_id, bo).line.state is ImportState.CHECKED


def test_it_goes_on_where_it_was_stopped(bo: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.exchange.import_run.PART", 2)
    content = population(HEAD, WIFE, CHILD, HEAD, *(CHILD | {"nama": f"Anak {name}"} for name in "ABC"))
    import_id = checked(content, bo, settings)
    store(import_id, bo)
    for part in (1, 2):
        asked = iter([False, False] + [True] * 9)
        assert work(settings, lambda asked=asked: next(asked)) == 0
        assert count(Person) == part + 1
    assert work(settings) == 1
    assert see(import_id, bo).line.counts == {"baru": 6, "dilewati": 1}
    assert count(Person) == 6
    assert count(ImportRow) == 7


def test_who_may_not_import_and_who_may_not_know(bo: Actor, staff: Staff, settings: Settings) -> None:
    with pytest.raises(NotAllowed):
        upload(population(), staff.fo)
    import_id = checked(population(), bo, settings)
    other = Actor("other", "Other", "other", staff.bo.roles, ("73.03",))
    with pytest.raises(NotFound):
        imports.look_at_import(import_id, by=other)
    assert imports.list_imports(by=other) == ()
    # her supervisor goes on when she is ill
    assert see(import_id, staff.supervisor).line.id == import_id
    with pytest.raises(NotAllowed):
        imports.list_imports(by=staff.admin)


def test_what_was_dropped_is_gone(bo: Actor, settings: Settings) -> None:
    import_id = checked(population(), bo, settings)
    imports.drop_import(import_id, by=bo, at=AT)
    assert see(import_id, bo).line.state is ImportState.DROPPED
    assert count(ImportRow) == 0
    assert not list((Path(settings.paths.data) / "imports").iterdir())


def test_a_mapping_by_hand_is_remembered(bo: Actor, settings: Settings) -> None:
    rows = [["Nomor", "Siapa", "Kelaminnya", "Lahirnya"], ["1", "Baso Amir", "L", "3/4/1990"]]
    with pytest.raises(InvalidInput) as caught:
        choose(upload(workbook(rows, end=False), bo), bo)
    assert set(caught.value.problems) == {"name", "nik"}
    mapping = {"name": 1, "sex": 2, "birth_date": 3}
    import_id = stored(workbook(rows, end=False), bo, settings, mapping=mapping)
    assert see(import_id, bo).line.counts == {"baru": 1}
    rows[1][1] = "Baso Amiruddin"
    assert see(upload(workbook(rows, end=False), bo), bo).choice.mapping == mapping


def test_a_request_that_is_sent_twice_keeps_one_file(bo: Actor, settings: Settings, app: Flask) -> None:
    content = population()
    first = imports.receive(BytesIO(content), "a.xlsx", request_id="one", by=bo, at=AT)
    assert imports.receive(BytesIO(content), "a.xlsx", request_id="one", by=bo, at=AT) == first


def test_participants_of_a_programme_join_once_and_leave_again(bo: Actor, staff: Staff, settings: Settings) -> None:
    seed_programmes(at=AT)
    stored(population(), bo, settings)
    programme = db.session.scalars(sa.select(Programme).where(Programme.code == "pkh")).one()
    rows = [
        ["Peserta", "No. Peserta", "NIK", "Nama", "Tempat Lahir", "Tanggal Lahir", "Alamat"],
        [HEAD["nik"], "PKH-1", HEAD["nik"], "Baharuddin", "Bantaeng", "1975-06-12", ""],
        [WIFE["nik"], "PKH-2", WIFE["nik"], "Aminah", "Bantaeng", "1980-08-10", ""],
        ["7303011206750099", "PKH-3", "7303011206750099", "Siapa", "", "", ""],
    ]
    with pytest.raises(InvalidInput) as caught:
        choose(upload(workbook(rows, sheet="Peserta"), bo), bo)
    assert set(caught.value.problems) == {"programme_id", "checked_on"}
    options = {"programme_id": programme.id, "checked_on": "2026-11-01"}
    import_id = stored(workbook(rows, sheet="Peserta"), bo, settings, options=options)
    # the programme is the family's: the second of them takes part already
    assert {number: verdict for number, (verdict, _) in said(import_id, bo).items()} == {2: "berubah", 3: "sama", 4: "salah"}
    row = db.session.scalars(sa.select(Participation)).one()
    assert (row.family_id is not None, row.card_number, row.source, row.status) == (True, "PKH-1", "impor", "aktif")
    again = stored(workbook(rows, sheet="Peserta"), bo, settings, options=options)
    assert see(again, bo).line.counts == {"sama": 2, "salah": 1}
    imports.undo_import(import_id, by=bo, at=AT)
    work(settings)
    assert db.session.scalars(sa.select(Participation.status).execution_options(populate_existing=True)).all() == ["nonaktif"]


def test_a_ministrys_list_brings_the_desil(bo: Actor, settings: Settings) -> None:
    with transaction() as session:
        listed = NationalList(code="uji", name="DTSEN uji")
        listed.stamp("system", AT)
        session.add(listed)
        session.flush()
    text = "NO_KK;NIK;Nama;JK;Tgl Lahir;Kelurahan;Kecamatan;desil_nasional\n"
    text += (
        f"{CARD};{HEAD['nik']};Baharuddin;L;12/06/1975;Bonto Manai;Bissappu;2\n;;Daeng Ngalle;L;1/1/1950;BONTO-MANAI;;Desil 11\n"
    )
    options = {"list_id": listed.id, "checked_on": "2026-10-01", "period": "tw 4"}
    import_id = stored(text.encode("cp1252"), bo, settings, village_code="", options=options)
    assert see(import_id, bo).choice.layout == "daftar_nasional"
    statuses = db.session.scalars(sa.select(ListStatus).order_by(ListStatus.request_id)).all()
    assert [(one.decile, one.listed, one.checked_on) for one in statuses] == [
        (2, "ya", date(2026, 10, 1)),
        (None, "ya", date(2026, 10, 1)),
    ]
    assert "bukan 1 sampai 10" in said(import_id, bo)[3][1][0]
    again = stored(text.replace(";2\n", ";3\n").encode("cp1252"), bo, settings, village_code="", options=options)
    assert [NOTED in reasons for _, reasons in said(again, bo).values()] == [False, True], "only what is the same is not added"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ListStatus)) == 3
    assert {one.village_code for one in people()} == {HOME}


def test_codes_of_the_statistics_office_find_the_village(bo: Actor, settings: Settings) -> None:
    with transaction() as session:
        session.execute(sa.update(Area).where(Area.code == HOME).values(bps_code="7303010001"))
    rows = [["idbdt", "kdprop", "kdkab", "kdkec", "kddesa", "Nama", "NIK", "Hub_KRT", "JnsKel", "Umur"]]
    rows += [["1", 73, 3, 10, 1, "Baso Amir", "0", 1, 1, 50], ["1", "73", "03", "010", "999", "Siapa", "0", "1", "1", "30"]]
    import_id = stored(workbook(rows, end=False), bo, settings, village_code="", options={"checked_on": "2015-06-01"})
    report = said(import_id, bo)
    assert (report[2][0], report[3][0]) == ("baru", "salah")
    assert "tidak dikenal" in report[3][1][-1]
    assert (person("Baso Amir").village_code, person("Baso Amir").birth_date_estimated) == (HOME, True)


@pytest.mark.parametrize(
    ("merged", "said_of_it"),
    [("F2:F3", "Ada sel gabungan di baris data: F2:F3."), ("A1:C1", ""), ("AR2:AS9", "")],
)
def test_merged_cells_among_the_rows_are_refused(bo: Actor, settings: Settings, merged: str, said_of_it: str) -> None:
    file = BytesIO()
    with Workbook(file) as book:
        page = book.add_worksheet("Data Penduduk")
        page.merge_range(merged, "")
        for number, row in enumerate(rows_of([HEAD, WIFE])):
            page.write_row(number, 0, [cell or None for cell in row])
    import_id = checked(file.getvalue(), bo, settings)
    assert see(import_id, bo).line.problem.partition(" Di Excel")[0] == said_of_it


def test_a_file_that_is_gone_is_told_and_old_ones_are_removed(bo: Actor, settings: Settings) -> None:
    import_id = upload(population(), bo)
    folder = Path(settings.paths.data) / "imports"
    for name in ("nobody-knows", "arriving"):
        (folder / name).mkdir()
    long_ago = (AT - timedelta(days=2)).timestamp()
    for name in ("nobody-knows", import_id):
        os.utime(folder / name, (long_ago, long_ago))
    choose(import_id, bo)
    work(settings)
    assert {one.name for one in folder.iterdir()} == {import_id, "arriving"}
    (folder / import_id / "upload").unlink()
    store(import_id, bo)
    work(settings)
    assert "tidak ada lagi di server" in see(import_id, bo).line.problem
    assert count(Person) == 0


def test_a_sheet_of_headings_alone_is_told(bo: Actor, settings: Settings) -> None:
    import_id = checked(workbook(rows_of([])), bo, settings)
    assert "Tidak ada baris data" in see(import_id, bo).line.problem
    assert see(import_id, bo).stuck


def test_older_kinds_of_workbook_say_the_same(bo: Actor, settings: Settings) -> None:
    """XLS, ODS and XLSB as other programs write them, each through the whole import."""
    counts = {}
    for kind in ("xls", "ods", "xlsb"):
        import_id = upload((DATA / f"penduduk.{kind}").read_bytes(), bo, f"penduduk.{kind}")
        assert imports.columns_of(import_id, by=bo).kind == kind.upper()
        choose(import_id, bo)
        work(settings)
        store(import_id, bo)
        work(settings)
        counts[kind] = see(import_id, bo).line.counts
    assert counts == {"xls": {"baru": 3}, "ods": {"sama": 3}, "xlsb": {"sama": 3}}
    assert [(one.name, one.sex, one.birth_date) for one in people()] == [
        ("BAHARUDDIN", "L", date(1975, 6, 12)), ("SITTI AMINAH", "P", date(1980, 8, 10)), ("NURUL HIDAYAH", "P", date(2024, 2, 1)),
    ]  # fmt: skip


class Endless(RawIOBase):
    """An upload of 200 MB, as far as anybody reads it."""

    given = 0

    def read(self, size: int = -1) -> bytes:
        piece = min(size, 200 * MEGABYTE - self.given)
        self.given += piece
        return bytes(piece)


def test_200_megabytes_are_refused_before_they_are_read(bo: Actor, settings: Settings) -> None:
    stream = Endless()
    with pytest.raises(InvalidInput) as caught:
        imports.receive(stream, "besar.xlsx", request_id="big", by=bo, at=AT)
    assert "lebih besar dari 40 MB" in caught.value.problems["file"]
    assert stream.given <= MOST_BYTES + MEGABYTE
    assert not list((Path(settings.paths.data) / "imports").iterdir())
