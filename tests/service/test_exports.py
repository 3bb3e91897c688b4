"""Lists that leave the office: who may ask, what is in the file, what the journal says, and that the file goes again."""

from __future__ import annotations

import csv
import json
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from python_calamine import CalamineWorkbook

from appliance import accounts, background, database, work
from appliance.access import Actor, Grant
from appliance.accounts import NewAssignment
from appliance.config import Settings
from appliance.database import db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.exchange import export_layouts, export_rows, export_run, export_shelf, exports
from appliance.exchange.export_filter import ListFilter
from appliance.exchange.export_layouts import LAYOUTS, Format, Subject
from appliance.exchange.export_opensid import NAMES
from appliance.exchange.export_rows import Rows
from appliance.exchange.export_shelf import Shelf
from appliance.exchange.exports import NewExport, ask_export, remove_expired
from appliance.gate import Gate
from appliance.models.account import Account
from appliance.models.audit import AuditEntry
from appliance.models.export import Export
from appliance.models.person import Family, Person
from appliance.models.roles import Role
from appliance.models.task import TaskState
from appliance.registry.participation import SOURCES
from appliance.scheduling import office_jobs
from appliance.scheduling.workplace import Workplace
from appliance.work import Work, do_everything
from tests.support.aid import programme, take_part
from tests.support.desk import move, open_case, request, resident
from tests.support.killing import killed
from tests.support.staff import AT, FAR, HOME, NEIGHBOUR, Staff

NIK, CARD = "7303014101800001", "7303010101100001"
LATER = AT + timedelta(hours=25)


@pytest.fixture
def office(app: Flask, staff: Staff) -> Staff:
    """The staff with assignments in the database: the worker looks her rights up there."""
    for actor in (staff.bo, staff.supervisor, staff.manager, staff.leader):
        (role,) = actor.roles
        new = NewAssignment(role=role, starts=date(2020, 1, 1), area_codes=actor.areas)
        accounts.assign_role(actor.account_id, new, district="73.03", by=None, at=AT)
    return staff


def wish(layout: str = "warga", **changes: Any) -> NewExport:
    known: dict[str, Any] = {
        "format": "xlsx",
        "reason": "verifikasi",
        "reason_note": "Pencocokan data tahunan",
        "recipient": "Operator desa",
        "masked": not LAYOUTS[layout].whole,
    }
    return NewExport(layout=layout, **{**known, **changes})


def ask(by: Actor, layout: str = "warga", at: datetime = AT, **changes: Any) -> str:
    return ask_export(wish(layout, **changes), request_id=request(), by=by, at=at)


def do_all(settings: Settings, stop: Callable[[], bool] = lambda: False, at: datetime = AT) -> int:
    folder = Path(settings.paths.runtime)
    return do_everything(Work(settings, lambda: at, stop), Gate(folder / "gate.lock", folder / "state.json"))


def made(settings: Settings, by: Actor, layout: str = "warga", **changes: Any) -> str:
    """An export that is done; its identifier."""
    export = ask(by, layout, **changes)
    do_all(settings)
    assert export_shelf.look_at_export(export, by=by, at=AT).line.state is Shelf.READY, task_text(export)
    return export


def task_text(export: str) -> str:
    progress = background.progress_of(export)
    assert progress is not None
    return progress.text


def sheet(export: str, by: Actor, name: str | None = None) -> list[list[Any]]:
    """The rows of the first sheet, or of the one named, as a program reads them."""
    book = CalamineWorkbook.from_path(str(export_shelf.hand_out(export, by=by, at=AT).path))
    return book.get_sheet_by_name(name or book.sheet_names[0]).to_python()


def names(export: str, by: Actor) -> list[str]:
    heading, *rows = sheet(export, by)
    return [row[heading.index("Nama")] for row in rows]


def journal(action: str) -> list[AuditEntry]:
    found = sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.position)
    return list(db.session.scalars(found))


def test_a_file_for_opensid_is_read_back_whole(app: Flask, office: Staff, settings: Settings) -> None:
    known = {"kk": CARD, "address": "Jl. Pahlawan 1", "hamlet": "Beru", "rt": "1", "rw": "2", "birth_place": "Bantaeng"}
    resident(
        office.fo, "Sitti Aminah", nik=NIK, relation="3", religion="Islam", education="SLTA / SEDERAJAT", nationality="1",
        domicile="Jl. Seruni 4", occupation="Petani", marital_status="Kawin", mother_name="Hasnah", father_name="Baso", insurance="PBI_APBD",
        insurance_number="0001234567890", **known,
    )  # fmt: skip
    resident(office.fo, "=Baharuddin", relation="1", **known)
    with transaction():
        for family in db.session.scalars(sa.select(Family)):
            family.latitude, family.longitude = -5.5412, 120.1
    export = made(settings, office.bo, "opensid", area_codes=(HOME,))
    heading, head, wife, mark = sheet(export, office.bo)
    assert tuple(heading) == NAMES
    shared = {
        "alamat": "Jl. Pahlawan 1", "dusun": "Beru", "rw": "002", "rt": "001", "no_kk": CARD, "sex": "2", "tempatlahir": "Bantaeng",
        "tanggallahir": "1980-01-01", "status_dasar": "1", "lat": "-5.5412", "lng": "120.1",
    }  # fmt: skip
    of_wife = {
        "nama": "Sitti Aminah", "nik": NIK, "agama_id": "1", "pendidikan_kk_id": "5", "pekerjaan_id": "9",
        "status_kawin": "2", "kk_level": "3", "nama_ayah": "Baso", "nama_ibu": "Hasnah", "id_asuransi": "4",
        "no_asuransi": "0001234567890", "warganegara_id": "1", "alamat_sekarang": "Jl. Seruni 4",
    }  # fmt: skip
    empty = dict.fromkeys(NAMES, "")
    assert dict(zip(NAMES, wife, strict=True)) == empty | shared | of_wife
    assert dict(zip(NAMES, head, strict=True)) == empty | shared | {"nama": "=Baharuddin", "nik": "0", "kk_level": "1"}
    assert mark[1] == "###"
    assert ["Jumlah baris", "2"] in sheet(export, office.bo, "Kode Data")


def test_the_order_is_that_of_the_hamlet_and_the_card(app: Flask, office: Staff, settings: Settings) -> None:
    for name, rt, card, relation in (
        ("Anak", "2", "7303010101100002", "4"),
        ("Kakek", "2", "7303010101100002", "10"),
        ("Kepala", "2", "7303010101100002", "1"),
        ("Tetangga", "1", "7303010101100003", "1"),
    ):
        resident(office.fo, name, kk=card, relation=relation, rt=rt, rw="1")
    resident(office.fo, "Tanpa keluarga")
    assert names(made(settings, office.bo), office.bo) == ["Tanpa keluarga", "Tetangga", "Kepala", "Anak", "Kakek"]


FILTERS = [
    (ListFilter(), ["Lansia", "Bayi", "Tanpa tanggal"]),
    (ListFilter(status=""), ["Lansia", "Bayi", "Almarhum", "Tanpa tanggal"]),
    (ListFilter(status="mati"), ["Almarhum"]),
    (ListFilter(age_from=60), ["Lansia"]),
    (ListFilter(age_from=61), []),
    (ListFilter(age_to=0), ["Bayi"]),
    (ListFilter(without_nik=True), ["Bayi", "Tanpa tanggal"]),
    (ListFilter(sex="L"), ["Bayi"]),
]


def test_a_list_is_narrowed(app: Flask, office: Staff) -> None:
    people = [
        resident(office.fo, "Lansia", nik=NIK, birth_date=date(1966, 11, 20)),
        resident(office.fo, "Bayi", birth_date=date(2025, 11, 21)),
        resident(office.fo, "Almarhum", nik="7303014101800002", birth_date=date(1990, 1, 1)),
        resident(office.fo, "Tanpa tanggal", birth_date=None),
    ]
    with transaction() as session:
        session.get_one(Person, people[1]).sex = "L"
        session.get_one(Person, people[2]).status = "mati"
        merged = resident_row("Digabung", office)
        merged.merged_into_id = people[0]
        session.add(merged)
    for wanted, found in FILTERS:
        rows = Rows(Subject.PEOPLE, wanted, ("73.03",), office.bo, AT.date())
        listed = [row.name for village in rows.villages() for page in rows.pages(village.code) for row in page]
        assert sorted(listed) == sorted(found), wanted
        assert rows.count() == len(found), wanted


def resident_row(name: str, office: Staff) -> Person:
    known = {"nik_status": "tidak_ada", "nik_reason": "-", "sex": "P", "village_code": HOME, "status": "hidup"}
    person = Person(name=name, name_search=name.lower(), **known)
    person.stamp(office.fo.account_id, AT)
    return person


def test_families_stand_in_a_line_each(app: Flask, office: Staff, settings: Settings) -> None:
    resident(office.fo, "Baharuddin", kk=CARD, relation="1", nik=NIK, phone="081234567890")
    resident(office.fo, "Hasnah", kk=CARD, relation="3")
    heading, *rows = sheet(made(settings, office.bo, "keluarga", masked=False), office.bo)
    (row,) = [dict(zip(heading, row, strict=True)) for row in rows]
    assert (row["No KK"], row["Nama Kepala Keluarga"], row["NIK Kepala Keluarga"]) == (CARD, "Baharuddin", NIK)
    assert (row["Jumlah Anggota"], row["Telepon Kepala Keluarga"], row["Kode Desa/Kelurahan"]) == ("2", "081234567890", HOME)


def test_participants_of_a_programme_are_people_and_families(app: Flask, office: Staff, settings: Settings) -> None:
    person = resident(office.fo, "Sitti Aminah", nik=NIK)
    head = resident(office.fo, "Baharuddin", kk=CARD, relation="1")
    stopped = resident(office.fo, "Hasnah", nik="7303014101800002")
    take_part(person, "pkh", office.bo, card_number="6013010000000001")
    take_part(head, "pkh", office.bo, family=True)
    take_part(stopped, "pkh", office.bo, status="nonaktif", reason="Graduasi mandiri")
    take_part(stopped, "sembako", office.bo)
    export = made(settings, office.bo, "peserta", wanted=ListFilter(programme_id=programme("pkh"), participation="aktif"))
    heading, *rows = sheet(export, office.bo)
    found = [dict(zip(heading, row, strict=True)) for row in rows]
    told = [(row["Nama (Kepala Keluarga)"], row["Penerima"], row["No Kartu Program"]) for row in found]
    assert told == [("Sitti Aminah", "Perorangan", "6013010000000001"), ("Baharuddin", "Keluarga", "")]
    assert found[1]["No KK"] == "730301••••••••••"
    assert {(row["Status Kepesertaan"], row["Sumber"]) for row in found} == {("Aktif", SOURCES["kartu"])}
    with pytest.raises(InvalidInput) as caught:
        ask(office.bo, "peserta")
    assert set(caught.value.problems) == {"programme_id"}


def test_the_register_of_cases_holds_what_its_reader_may_see(app: Flask, office: Staff, settings: Settings) -> None:
    person = resident(office.fo, "Sitti Aminah", nik=NIK)
    open_case(office.fo, person, description="Suaminya sakit")
    open_case(office.fo, person, confidential=True)
    move(open_case(office.fo, person), office.fo, "batalkan", cancel_reason="lain", note="Salah catat")
    for by, wanted, count in (
        (office.bo, ListFilter(), 3),
        (office.bo, ListFilter(cases="terbuka"), 2),
        (office.bo, ListFilter(cases="selesai"), 1),
        (office.bo, ListFilter(received_from="2026-11-20", received_to="2026-11-20"), 3),
        (office.bo, ListFilter(received_from="2026-11-21"), 0),
        (office.bo, ListFilter(received_to="2026-11-19"), 0),
        (office.leader, ListFilter(cases="terbuka"), 1),
    ):
        assert Rows(Subject.CASES, wanted, ("73.03",), by, AT.date()).count() == count, wanted
    export = made(settings, office.leader, "kasus", wanted=ListFilter(cases="terbuka", received_from="2026-11-01"))
    heading, row = sheet(export, office.leader)
    told = dict(zip(heading, row, strict=True))
    assert (told["Nama Pemohon"], told["NIK"], told["Diterima"], told["Status"]) == (
        "Sitti Aminah", "730301••••••••••", "20-11-2026", "Baru",
    )  # fmt: skip
    assert "Suaminya sakit" not in str(row)
    notes = dict(sheet(export, office.leader, "Keterangan"))
    assert notes["Saringan"] == "Kasus terbuka, diterima sejak 01-11-2026"


def test_only_the_chosen_villages_and_only_once(app: Flask, office: Staff, settings: Settings) -> None:
    for name, village in (("Satu", HOME), ("Dua", NEIGHBOUR), ("Jauh", FAR)):
        resident(office.fo, name, village=village)
    assert names(made(settings, office.bo, area_codes=("73.03.01", HOME)), office.bo) == ["Satu", "Dua"]
    assert names(made(settings, office.bo), office.bo) == ["Satu", "Dua", "Jauh"]


def test_masked_numbers_stay_masked(app: Flask, office: Staff, settings: Settings) -> None:
    resident(office.fo, "Sitti Aminah", nik=NIK, kk=CARD)
    export = made(settings, office.leader)
    content = "".join(str(row) for row in sheet(export, office.leader))
    assert "730301••••••••••" in content
    assert NIK not in content
    assert CARD not in content


def test_a_csv_names_its_rows_and_its_reason(app: Flask, office: Staff, settings: Settings) -> None:
    resident(office.fo, "=1+1", nik=NIK, phone="081234567890")
    export = made(settings, office.bo, format="csv-titik-koma", masked=False)
    given = export_shelf.hand_out(export, by=office.bo, at=AT)
    assert given.name == "daftar-warga-20261120.csv"
    with given.path.open(encoding="utf-8-sig", newline="") as file:
        heading, row, notes = csv.reader(file, delimiter=";")
    cells = dict(zip(heading, row, strict=True))
    assert (cells["NIK"], cells["Nama"], cells["Telepon"]) == (f"'{NIK}", "'=1+1", "'081234567890")
    assert notes[0].startswith("### Daftar: Daftar warga; Jumlah baris: 1; Wilayah: Kabupaten Bantaeng")
    assert all(word in notes[0] for word in ("Andi", "Pencocokan data tahunan", "Operator desa", "RAHASIA"))


def test_pages_follow_each_other_without_gap(
    app: Flask, office: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "PAGE_ROWS", 2)
    wanted = {resident(office.fo, f"Warga {number}") and f"Warga {number}" for number in range(5)}
    export = made(settings, office.bo)
    assert set(names(export, office.bo)) == wanted
    progress = background.progress_of(export)
    assert progress is not None
    assert (progress.done, progress.total, progress.text) == (5, 5, "5 baris siap diunduh.")


def test_nobody_in_the_list_is_no_fault(app: Flask, office: Staff, settings: Settings) -> None:
    export = made(settings, office.bo, area_codes=(FAR,))
    assert len(sheet(export, office.bo)) == 1
    assert task_text(export) == "Tidak ada baris yang cocok; berkasnya kosong."


def test_to_take_lists_out_is_a_right_of_its_own(app: Flask, office: Staff) -> None:
    for who in (office.fo, office.facilitator, office.dinkes, office.admin, office.stranger):
        with pytest.raises(NotAllowed):
            ask(who)


def test_all_problems_are_told_at_once(app: Flask, office: Staff) -> None:
    wanted = ListFilter(status="x", sex="y", age_from=-1, age_to=200)
    wrong = wish(reason="", reason_note="data", recipient=" ", format="pdf", area_codes=("51.71",), wanted=wanted)
    with pytest.raises(InvalidInput) as caught:
        ask_export(wrong, request_id=request(), by=office.bo, at=AT)
    told = {"reason", "reason_note", "recipient", "format", "area_codes", "status", "sex", "age_from", "age_to"}
    assert set(caught.value.problems) == told
    assert db.session.query(Export).count() == 0
    assert not background.is_anything_to_do()


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("leader", {"masked": False}, "masked"),
    ("leader", {"layout": "siksng", "masked": False}, "masked"),
    ("bo", {"layout": "opensid", "masked": True}, "masked"),
    ("bo", {"layout": "opensid", "masked": False, "format": "csv-koma"}, "format"),
    ("bo", {"layout": "lain"}, "layout"),
    ("bo", {"reason_note": f"Untuk ibu {NIK}"}, "reason_note"),
    ("bo", {"recipient": "7303 0141 0180 0001"}, "recipient"),
    ("bo", {"reason_note": "x" * 301}, "reason_note"),
    ("bo", {"wanted": ListFilter(age_from=9, age_to=8)}, "age_to"),
    ("bo", {"area_codes": ("73.03.99",)}, "area_codes"),
]


def test_what_may_not_be_asked_for(app: Flask, office: Staff) -> None:
    for who, changes, told in REFUSED:
        with pytest.raises(InvalidInput) as caught:
            ask_export(replace(wish(), **changes), request_id=request(), by=getattr(office, who), at=AT)
        assert set(caught.value.problems) == {told}, changes


def test_a_second_press_asks_once(app: Flask, office: Staff) -> None:
    first = ask_export(wish(), request_id="once", by=office.bo, at=AT)
    assert ask_export(wish(), request_id="once", by=office.bo, at=AT) == first
    assert db.session.query(Export).count() == 1


def test_nobody_fills_the_queue(app: Flask, office: Staff, settings: Settings) -> None:
    for _ in range(exports.MOST_OPEN):
        ask(office.bo)
    with pytest.raises(Conflict):
        ask(office.bo)
    ask(office.supervisor)
    do_all(settings)
    ask(office.bo)


def test_the_journal_tells_the_whole_story_without_a_nik(app: Flask, office: Staff, settings: Settings) -> None:
    resident(office.fo, "Sitti Aminah", nik=NIK, kk=CARD)
    export = made(settings, office.bo, "siksng", area_codes=(HOME,))
    export_shelf.hand_out(export, by=office.bo, at=AT)
    export_shelf.hand_out(export, by=office.bo, at=AT)
    (asked,), (done,) = journal("ekspor-minta"), journal("ekspor-selesai")
    told = json.loads(asked.detail)
    assert (told["bentuk"], told["nomor"], told["wilayah"], told["alasan"]) == ("siksng", "lengkap", [HOME], "verifikasi")
    assert (told["keterangan"], told["penerima"]) == ("Pencocokan data tahunan", "Operator desa")
    row = db.session.get_one(Export, export)
    assert json.loads(done.detail) == {"baris": 1, "sha256": row.sha256}
    assert done.account_id == office.bo.account_id
    assert [json.loads(entry.detail)["sha256"] for entry in journal("ekspor-unduh")] == [row.sha256] * 2
    assert row.downloads == 2
    everything = "".join(f"{entry.subject}{entry.detail}" for entry in db.session.scalars(sa.select(AuditEntry)))
    assert NIK not in everything
    assert CARD not in everything


def test_an_export_exists_only_for_her_who_asked(app: Flask, office: Staff, settings: Settings) -> None:
    export = made(settings, office.bo)
    for other in (office.manager, office.supervisor):
        assert export_shelf.list_exports(by=other, at=AT) == ()
        for act in (export_shelf.look_at_export, export_shelf.hand_out, export_shelf.discard):
            with pytest.raises(NotFound):
                act(export, by=other, at=AT)
    with pytest.raises(NotAllowed):
        export_shelf.look_at_export(export, by=office.fo, at=AT)


def test_rights_that_are_gone_take_the_file_with_them(app: Flask, office: Staff, settings: Settings) -> None:
    whole, masked = made(settings, office.bo, masked=False), made(settings, office.bo)

    def now(*grants: Grant) -> Actor:
        return Actor.holding(office.bo.account_id, office.bo.name, office.bo.username, grants)

    fewer, lesser = now(Grant(Role.BO, (HOME,))), now(Grant(Role.PIMPINAN, ("73.03",)), Grant(Role.BO, (HOME,)))
    for by, export in ((fewer, whole), (fewer, masked), (lesser, whole)):
        with pytest.raises(NotAllowed):
            export_shelf.hand_out(export, by=by, at=AT)
    assert export_shelf.hand_out(masked, by=lesser, at=AT).path.exists()


def test_a_role_counts_only_where_it_holds(app: Flask, office: Staff) -> None:
    grants = (Grant(Role.BO, (HOME,)), Grant(Role.PIMPINAN, ("73.03.01",)), Grant(Role.FO, ("73.03",)))
    by = Actor.holding(office.bo.account_id, office.bo.name, office.bo.username, grants)
    for masked, areas in ((False, [HOME]), (True, ["73.03.01"])):
        assert db.session.get_one(Export, ask(by, masked=masked)).area_codes == areas
    for masked, code in ((False, NEIGHBOUR), (True, FAR)):
        with pytest.raises(InvalidInput) as caught:
            ask(by, masked=masked, area_codes=(code,))
        assert set(caught.value.problems) == {"area_codes"}


@pytest.mark.parametrize("lost", ["assignment", "account"])
def test_rights_that_are_gone_before_the_work_begins_stop_it(app: Flask, office: Staff, settings: Settings, lost: str) -> None:
    export = ask(office.bo)
    with transaction() as session:
        account = session.get_one(Account, office.bo.account_id)
        if lost == "account":
            account.active = False
        else:
            account.assignments[0].ends = AT.date() - timedelta(days=1)
    do_all(settings)
    assert export_shelf.look_at_export(export, by=office.bo, at=AT).line.state is Shelf.FAILED
    assert "sudah berubah" in task_text(export)
    assert not (settings.export_files / export).exists()


def test_the_file_expires(app: Flask, office: Staff, settings: Settings) -> None:
    export = made(settings, office.bo)
    path = export_shelf.hand_out(export, by=office.bo, at=AT).path
    assert remove_expired(settings, at=AT + timedelta(hours=23)) == 0
    with pytest.raises(export_shelf.Expired):
        export_shelf.hand_out(export, by=office.bo, at=LATER)
    assert remove_expired(settings, at=LATER) == 1
    assert not path.parent.exists()
    assert export_shelf.look_at_export(export, by=office.bo, at=LATER).line.state is Shelf.EXPIRED
    assert [entry.subject for entry in journal("ekspor-kedaluwarsa")] == [f"export:{export}"]
    assert remove_expired(settings, at=LATER) == 0


def test_a_file_can_be_given_up_early(app: Flask, office: Staff, settings: Settings) -> None:
    export = made(settings, office.bo)
    export_shelf.discard(export, by=office.bo, at=AT)
    export_shelf.discard(export, by=office.bo, at=AT)
    assert list(settings.export_files.iterdir()) == []
    with pytest.raises(export_shelf.Expired):
        export_shelf.hand_out(export, by=office.bo, at=AT)
    assert len(journal("ekspor-hapus")) == 1


def test_what_nobody_waits_for_is_cleared_away(app: Flask, office: Staff, settings: Settings) -> None:
    """Left by a failed run, or by a restore of an older database; what waits or may be fetched stays."""
    kept, waiting = made(settings, office.bo), ask(office.bo)
    for name in (waiting, "of-another-time"):
        (settings.export_files / name).mkdir()
        (settings.export_files / name / "tulis.xlsx").touch()
    assert remove_expired(settings, at=AT) == 1
    assert {folder.name for folder in settings.export_files.iterdir()} == {kept, waiting}


def test_the_clockwork_clears_away_by_itself(app: Flask, office: Staff, settings: Settings) -> None:
    export = made(settings, office.bo)
    (settings.export_files / "of-another-time").mkdir()
    workplace = Workplace(settings, Path("appliance.toml"), threading.Event())
    with transaction() as session:
        session.get_one(Export, export).expires_at = datetime(2026, 1, 1, tzinfo=UTC)
    office_jobs.do(workplace, office_jobs.clear_exports)
    assert list(settings.export_files.iterdir()) == []
    database.db.session.rollback()
    assert [entry.subject for entry in journal("ekspor-kedaluwarsa")] == [f"export:{export}"]


def test_a_file_that_a_restore_did_not_bring_back_is_expired(app: Flask, office: Staff, settings: Settings) -> None:
    export = made(settings, office.bo)
    export_shelf.hand_out(export, by=office.bo, at=AT).path.unlink()
    with pytest.raises(export_shelf.Expired):
        export_shelf.hand_out(export, by=office.bo, at=AT)


def test_told_to_stop_it_begins_again_whole(
    app: Flask, office: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "PAGE_ROWS", 2)
    for number in range(5):
        resident(office.fo, f"Warga {number}")
    export = ask(office.bo)
    assert do_all(settings, stop=lambda: rows_done(export) >= 2) == 0
    assert (state(export), db.session.get_one(Export, export).starts) == (TaskState.WAITING, 0)
    with pytest.raises(Conflict):
        export_shelf.hand_out(export, by=office.bo, at=AT)
    assert do_all(settings) == 1
    assert len(names(export, office.bo)) == 5


def rows_done(export: str) -> int:
    progress = background.progress_of(export)
    return progress.done if progress else 0


def state(export: str) -> TaskState:
    progress = background.progress_of(export)
    assert progress is not None
    return progress.state


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "moment", ["at_fsync(1)", "at_fsync(2)", "before('UPDATE export SET row_count')", "before('UPDATE task SET state', 2)"],
    ids=["written", "renamed", "on the disk", "finished"],
)  # fmt: skip
def test_a_killed_run_is_followed_by_a_whole_one(
    app: Flask, office: Staff, settings: Settings, tmp_path: Path, moment: str
) -> None:
    resident(office.fo, "Sitti Aminah")
    export = ask(office.bo)
    killed(settings, tmp_path, moment)
    database.db.session.remove()
    assert state(export) is TaskState.RUNNING
    remove_expired(settings, at=AT)
    assert do_all(settings) == 1
    assert names(export, office.bo) == ["Sitti Aminah"]
    assert len(journal("ekspor-selesai")) == 1
    assert [file.name for file in (settings.export_files / export).iterdir()] == ["daftar.xlsx"]


def test_a_list_that_kills_every_worker_is_given_up(
    app: Flask, office: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident(office.fo, "Sitti Aminah")
    export = ask(office.bo)

    def die(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    for _ in range(export_run.MOST_STARTS):
        with pytest.raises(KeyboardInterrupt):
            do_all(settings)
    do_all(settings)
    assert (state(export), task_text(export)) == (TaskState.FAILED, background.GIVEN_UP)


def test_too_many_rows_for_one_sheet_are_told_at_once(
    app: Flask, office: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    resident(office.fo, "Sitti Aminah")
    monkeypatch.setattr(export_run, "MOST_XLSX_ROWS", 0)
    export = ask(office.bo)
    do_all(settings)
    assert "tidak muat di satu lembar Excel" in task_text(export)
    made(settings, office.bo, format="csv-koma")


def test_a_full_disk_is_not_filled_further(
    app: Flask, office: Staff, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_run, "RESERVE_BYTES", 2**62)
    export = ask(office.bo)
    do_all(settings)
    assert "Ruang penyimpanan" in task_text(export)


def test_the_office_changes_the_order_of_columns(app: Flask, office: Staff, settings: Settings) -> None:
    resident(office.fo, "Sitti Aminah", nik=NIK)
    before = ask(office.bo, "siksng")
    new = [("nama", "NAMA LENGKAP"), ("nik", "NIK")]
    export_layouts.save_layout("siksng", new, row_version=0, by=office.manager, at=AT)
    after = ask(office.bo, "siksng")
    do_all(settings)
    assert len(sheet(before, office.bo)[0]) == 18, "what was asked for before keeps its columns"
    assert sheet(after, office.bo) == [["NAMA LENGKAP", "NIK"], ["Sitti Aminah", NIK]]
    with pytest.raises(Conflict):
        export_layouts.save_layout("siksng", new, row_version=0, by=office.manager, at=AT)
    seen = export_layouts.look_at_layout("siksng", by=office.manager)
    export_layouts.save_layout("siksng", [], row_version=seen.row_version, by=office.manager, at=AT)
    assert list(export_layouts.chosen_layout("siksng").columns) == LAYOUTS["siksng"].columns
    assert len(journal("ekspor-susunan")) == 2


def test_who_may_not_change_which_order(app: Flask, office: Staff) -> None:
    for who, code in ((office.bo, "siksng"), (office.manager, "opensid")):
        with pytest.raises(NotAllowed):
            export_layouts.save_layout(code, [("nik", "NIK")], row_version=0, by=who, at=AT)


def test_the_worker_knows_what_an_export_is(app: Flask) -> None:
    assert work.DOERS[exports.KIND] == export_run.__name__
    assert {Format.CSV_COMMA.separator, Format.CSV_SEMICOLON.separator} == {",", ";"}
