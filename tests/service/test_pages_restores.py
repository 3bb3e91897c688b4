"""The administrator's way to a restore, and what everybody reads afterwards."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import backup_news, database, restore_orders
from appliance.backup_news import News
from appliance.commands import backup_ordered
from appliance.config import Settings
from appliance.models.account import Account
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.restoration import Restoration
from appliance.models.roles import Role
from appliance.models.visit import CasePaper
from appliance.restoration import lost_papers
from appliance.restore_orders import Order, Progress, Wish
from backups.attachments import CARRIED
from backups.lock import only_run
from tests.support.databases import SqliteTemplate
from tests.support.desk import open_case
from tests.support.nights import some_weeks
from tests.support.staff import hire
from tests.support.web_client import PASSWORD, Web, officer, web_app

WHY = "basis data rusak setelah listrik padam"


@pytest.fixture
def settings(sqlite: SqliteTemplate, tmp_path: Path) -> Settings:
    """With SQLite: nothing here asks the database for more than rows."""
    found = sqlite.fresh(tmp_path)
    state = Path(found.paths.data) / "backup"
    state.mkdir()
    some_weeks(state, datetime.now(UTC) - timedelta(hours=3))
    return found


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    with app.app_context():
        officer("admin", Role.ADMIN)
        officer("fo", Role.FO)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def signed_in(app: Flask, username: str) -> Web:
    web = Web(app)
    assert web.sign_in(username).status_code == 303
    return web


def test_from_the_list_to_an_order_that_says_why(app: Flask, settings: Settings) -> None:
    web = signed_in(app, "admin")
    assert "apa=basis-data" in web.get("/cadangan/pulihkan").text, "first what, then from which night"
    listed = web.get("/cadangan/pulihkan?apa=semua").text
    assert "Nomor 40" in listed
    assert "Nomor 20<" not in listed, "forgotten long ago"
    assert "PULIHKAN 39" in web.get("/cadangan/pulihkan?nomor=39").text
    assert web.get("/cadangan/pulihkan?nomor=20").status_code == 404

    form = {"wish": "restore", "run": "39", "reason": "x", "typed": "pulihkan 38"}
    refused = web.post("/cadangan/pulihkan", form)
    assert refused.status_code == 422
    assert "Tulis alasannya" in refused.text
    assert "Ketik PULIHKAN 39 untuk memastikan" in refused.text
    assert restore_orders.take(settings) is None

    done = web.post("/cadangan/pulihkan", {**form, "reason": WHY, "typed": " pulihkan  39 "})
    assert done.headers["Location"].endswith("/cadangan/pulihkan/jalan")
    assert "segera dijalankan" in web.get("/cadangan/pulihkan/jalan").text
    assert web.post("/cadangan/pulihkan", {**form, "wish": "check"}).status_code == 503, "one after the other"
    assert restore_orders.take(settings) == Order(Wish.RESTORE, 39, "admin", WHY)
    with app.app_context():
        entry = database.db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "pulihkan-restore")).one()
    assert json.loads(entry.detail) == {"alasan": WHY, "cadangan": 39}


def test_the_database_alone_is_ordered_by_words_of_its_own(app: Flask, settings: Settings) -> None:
    web = signed_in(app, "admin")
    assert "apa=basis-data&amp;nomor=39" in web.get("/cadangan/pulihkan?apa=basis-data").text
    page = web.get("/cadangan/pulihkan?apa=basis-data&nomor=39").text
    assert "Ketik BASIS DATA 39 untuk memastikan" in page
    form = {"wish": "database", "run": "39", "reason": WHY, "typed": "PULIHKAN 39"}
    refused = web.post("/cadangan/pulihkan", form)
    assert (refused.status_code, "Ketik BASIS DATA 39" in refused.text) == (422, True)
    assert web.post("/cadangan/pulihkan", {**form, "typed": "basis data 39"}).status_code == 303
    assert restore_orders.take(settings) == Order(Wish.DATABASE, 39, "admin", WHY)


def test_a_moment_that_can_be_reached_is_chosen_confirmed_and_ordered(app: Flask, settings: Settings) -> None:
    web, nights = signed_in(app, "admin"), "/cadangan/pulihkan?apa=semua"
    assert "Suatu saat di antara dua cadangan" not in web.get(nights).text, "no log is carried over"
    office = settings.zone
    first, last = datetime(2026, 11, 21, 22, 4, tzinfo=office), datetime(2026, 11, 28, 14, 30, tzinfo=office)
    refused = web.get(f"{nights}&day=28-11-2026&clock=14.05")
    assert (refused.status_code, "pilih cadangan dari daftar" in refused.text) == (422, True)
    backup_news.publish(settings, News(last, last, first, last, reaches_back=first))
    page = web.get(nights).text
    assert all(words in page for words in ("Suatu saat di antara dua cadangan", "21 November 2026", "28 November 2026"))
    assert "Suatu saat" not in web.get("/cadangan/pulihkan?apa=basis-data").text
    for typed in (
        "day=28-11-2026&clock=14.31",
        "day=21-11-2026&clock=22.03",
        "day=28-11-2026&clock=",
        "day=&clock=14.05",
        "day=besok&clock=14.05",
    ):
        assert web.get(f"{nights}&{typed}").status_code == 422, typed
    assert "antara 21-11-2026 22.04 dan 28-11-2026 14.30" in web.get(f"{nights}&day=1-1-2026&clock=8.00").text
    assert "Ketik PULIHKAN 28-11-2026 14.05 untuk memastikan" in web.get(f"{nights}&day=28-11-2026&clock=14.05").text

    form = {"wish": "restore", "run": "", "day": "28-11-2026", "clock": "14.05", "reason": WHY, "typed": "PULIHKAN 28-11-2026"}
    again = web.post("/cadangan/pulihkan", form)
    assert (again.status_code, "Ketik PULIHKAN 28-11-2026 14.05" in again.text) == (422, True)
    whole = {**form, "typed": "pulihkan 28-11-2026 14.05"}
    backup_news.publish(settings, News(last, last, first, first, reaches_back=first))
    assert web.post("/cadangan/pulihkan", whole).status_code == 422, "the chain broke meanwhile"
    assert restore_orders.take(settings) is None
    backup_news.publish(settings, News(last, last, first, last, reaches_back=first))
    assert web.post("/cadangan/pulihkan", whole).status_code == 303
    order = restore_orders.take(settings)
    assert order == Order(Wish.RESTORE, 0, "admin", WHY, moment="28-11-2026 14:05:00")
    assert backup_ordered._words_of(order)[:2] == ["restore", "28-11-2026 14:05:00"]
    ended = backup_ordered._outcome(settings, order, subprocess.CompletedProcess([], 0, "", ""))
    assert ended.text == "Data sudah dipulihkan ke keadaan 28-11-2026 14.05.00."
    with app.app_context():
        entry = database.db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "pulihkan-restore")).one()
    assert json.loads(entry.detail)["saat"] == "28-11-2026 14:05:00"


MISSING, ALTERED, NOWHERE, FORGOTTEN = (letter * 64 for letter in "abcd")


def with_papers(app: Flask, settings: Settings) -> str:
    """Papers of a case in the tables, and what a search found of them; the number of the case."""
    at = datetime.now(UTC)
    with app.app_context():
        staff = hire()
        case_id = open_case(staff.fo)
        with database.transaction() as session:
            case = session.get_one(Case, case_id)
            for sha256, requirement in ((MISSING, "Fotokopi KTP"), (ALTERED, "Surat keterangan"), (NOWHERE, "")):
                paper = CasePaper(case_id=case_id, state="DIPERIKSA", sha256=sha256, requirement=requirement, title="luka bakar")
                paper.stamp("system", at)
                session.add(paper)
            number = case.number
    kept = {sha256: {"id": 38, "at": at.isoformat()} for sha256 in (MISSING, ALTERED, FORGOTTEN)}
    kept[ALTERED]["id"] = CARRIED
    answer = {"checked": 7, "missing": [MISSING, NOWHERE, FORGOTTEN], "altered": [ALTERED], "kept": kept}
    lost_papers.keep(settings, answer, at)
    return number


def test_missing_papers_are_told_without_names_and_the_ticked_ones_ordered(app: Flask, settings: Settings) -> None:
    web = signed_in(app, "admin")
    assert "Cari sekarang" in web.get("/cadangan/pulihkan/berkas").text
    number = with_papers(app, settings)
    page = web.get("/cadangan/pulihkan/berkas").text
    assert page.count(number) >= 3
    assert "Fotokopi KTP" in page
    assert (page.count("cadangan nomor 38"), page.count("salinan sesudah cadangan")) == (2, 1)
    assert "luka bakar" not in page, "what somebody wrote is not for who reads no case"
    assert [bool(re.search(rf'value="{sha256}" checked', page)) for sha256 in (MISSING, ALTERED, NOWHERE, FORGOTTEN)] == [
        True, True, False, False,
    ]  # fmt: skip
    with app.app_context(), database.transaction() as session:
        session.execute(sa.update(Case).values(confidential=True))
    hidden = web.get("/cadangan/pulihkan/berkas").text
    assert (number in hidden, "Fotokopi KTP" in hidden) == (True, False)

    refused = web.post("/cadangan/pulihkan/berkas", {"wish": "papers"})
    assert (refused.status_code, "Tandai berkas" in refused.text) == (422, True)
    assert web.post("/cadangan/pulihkan/berkas", {"wish": "papers", "papers": ["../x"]}).status_code == 422
    assert web.post("/cadangan/pulihkan/berkas", {"wish": "papers", "papers": [MISSING, ALTERED]}).status_code == 303
    assert restore_orders.take(settings) == Order(Wish.PAPERS, 0, "admin", papers=(MISSING, ALTERED))
    assert web.post("/cadangan/pulihkan/berkas", {"wish": "search"}).status_code == 303
    assert restore_orders.take(settings) == Order(Wish.SEARCH, 0, "admin")


def test_what_came_back_is_no_fault_any_more(app: Flask, settings: Settings) -> None:
    with_papers(app, settings)
    order = Order(Wish.PAPERS, 0, "admin", papers=(MISSING, ALTERED))
    answer = {"checked": 2, "missing": [MISSING], "altered": [], "put_back": {}, "left": [MISSING]}
    done = subprocess.CompletedProcess([], 1, json.dumps(answer), "")
    told = backup_ordered._outcome(settings, order, done)
    assert (told.ok, told.next_step != "") == (False, True)
    found = lost_papers.read(settings)
    assert found is not None
    assert {fault.sha256 for fault in found.faults} == {MISSING, NOWHERE, FORGOTTEN}, "the altered one was well already"
    failed = backup_ordered._outcome(settings, order, subprocess.CompletedProcess([], 75, "", "Gagal: sibuk\n"))
    assert (failed.ok, failed.text) == (False, "sibuk")


def test_the_progress_goes_on_ends_or_was_cut_off(app: Flask, settings: Settings) -> None:
    web, at = signed_in(app, "admin"), datetime.now(UTC)
    assert "Belum ada perintah" in web.get("/cadangan/pulihkan/jalan").text
    restore_orders.tell(settings, Progress(Wish.RESTORE, 39, "Mengembalikan lampiran", at, 2, 3))
    with only_run(Path(settings.paths.runtime)):
        page = web.get("/cadangan/pulihkan/jalan").text
        assert "Langkah 2 dari 3" in page
        assert 'http-equiv="refresh"' in page
    page = web.get("/cadangan/pulihkan/jalan").text
    assert "Terputus sebelum selesai" in page
    assert 'http-equiv="refresh"' not in page
    restore_orders.tell(settings, restore_orders.ended(Order(Wish.CHECK, 39, "admin"), ok=True, text="Cadangan 39 utuh."))
    assert "Lanjut ke pemulihan" in web.get("/cadangan/pulihkan/jalan").text
    assert "Lulus" in web.get("/cadangan/pulihkan?nomor=39").text
    assert "Lulus" not in web.get("/cadangan/pulihkan?nomor=38").text


def test_a_cut_off_restore_that_ended_by_itself_is_not_asked_for_again(app: Flask, settings: Settings) -> None:
    at = datetime.now(UTC)
    restore_orders.tell(settings, Progress(Wish.RESTORE, 39, "Menukar data lama", at, 3, 3))
    for epoch, restored_at, told in (
        (1, at - timedelta(days=1), "ulangi bila perlu"),
        (2, at + timedelta(minutes=3), "jangan diulang"),
    ):
        with app.app_context(), database.transaction() as session:
            session.add(
                Restoration(
                    epoch=epoch, id=f"0192aaaa-bbbbccc{epoch}", restored_at=restored_at, taken_at=at, run=39, part="all",
                    by_name="admin", reason=WHY, exact=True, missed={}, numbers={},
                )
            )  # fmt: skip
        # as after the restart that a restore is
        page = signed_in(web_app(settings), "admin").get("/cadangan/pulihkan/jalan").text
        assert told in page
        assert ("Apa yang mungkin hilang" in page) == (told == "jangan diulang")
    restore_orders.tell(settings, Progress(Wish.CHECK, 39, "Membaca lampiran", at, 2, 2))
    assert "ulangi bila perlu" in signed_in(web_app(settings), "admin").get("/cadangan/pulihkan/jalan").text


def test_only_what_was_replaced_can_be_taken_back(app: Flask, settings: Settings) -> None:
    web, form = signed_in(app, "admin"), {"wish": "revert", "reason": WHY, "typed": "BATALKAN"}
    assert web.post("/cadangan/pulihkan", form).status_code == 422
    (Path(settings.paths.data) / "before-restore-1").mkdir()
    assert "Membatalkan pemulihan terakhir" in web.get("/cadangan/pulihkan").text
    assert web.post("/cadangan/pulihkan", form).status_code == 303
    order = restore_orders.take(settings)
    assert order is not None
    assert (order.wish, order.reason) == (Wish.REVERT, WHY)


def test_what_a_restore_put_aside_is_erased_with_a_word_and_the_password(app: Flask, settings: Settings) -> None:
    web, data = signed_in(app, "admin"), Path(settings.paths.data)
    for number in (3, 4):
        (data / f"before-restore-{number}" / "database").mkdir(parents=True)
        (data / f"before-restore-{number}" / "database" / "slrt.db").write_bytes(b"x" * 2_000_000)
    page = web.get("/cadangan/pulihkan").text
    assert ("Ketik HAPUS 3 untuk memastikan" in page, page.count("2 MB"), "Ketik HAPUS 4" in page) == (True, 2, False)
    form = {"number": "3", "removal": "HAPUS 3", "password": "bukan ini"}
    for wrong, sentence in (
        (form, "Kata sandi Anda tidak cocok"),
        ({**form, "removal": "HAPUS", "password": PASSWORD}, "Ketik HAPUS 3"),
    ):
        refused = web.post("/cadangan/pulihkan/hapus", wrong)
        assert (refused.status_code, sentence in refused.text) == (422, True)
        assert (data / "before-restore-3" / "database" / "slrt.db").exists()
    assert web.post("/cadangan/pulihkan/hapus", {**form, "password": PASSWORD}).status_code == 303
    assert not (data / "before-restore-3").exists()
    for _ in range(3):
        last = web.post("/cadangan/pulihkan/hapus", {**form, "number": "4", "removal": "HAPUS 4"})
    assert last.status_code == 429, "an open browser is no place to guess"


def test_an_order_is_believed_no_further_than_it_makes_sense(settings: Settings, tmp_path: Path) -> None:
    place = Path(settings.paths.runtime) / restore_orders.REQUEST
    secret = tmp_path / "secret"
    secret.write_text(json.dumps({"wish": "restore", "run": 1, "by": "x", "reason": "y"}))
    whole = {"wish": "papers", "run": 0, "by": "x", "reason": "y", "papers": ["a" * 64]}
    place.write_text(json.dumps(whole))
    assert restore_orders.take(settings) is not None
    strange: list[dict[str, object]] = [
        {}, {**whole, "wish": "erase"}, {**whole, "run": "--to=/etc"}, {**whole, "papers": ["../../etc/shadow"]},
        {**whole, "case": "--from=1"}, {**whole, "moment": "kemarin"}, {**whole, "papers": 5},
    ]  # fmt: skip
    for content in (b"", b"[]", *(json.dumps(one).encode() for one in strange)):
        place.write_bytes(content)
        assert restore_orders.take(settings) is None
        assert not place.exists()
    place.symlink_to(secret)
    assert restore_orders.take(settings) is None
    assert secret.exists()


def test_everybody_is_told_and_sees_her_own_work_only(settings: Settings, app: Flask) -> None:
    assert signed_in(app, "fo").get("/healthz").json["epoch"] == "0"
    at = datetime.now(UTC)
    with app.app_context(), database.transaction() as session:
        account = session.scalars(sa.select(Account).where(Account.username == "fo")).one()
        session.add(
            Restoration(
                epoch=3, id="0192aaaa-bbbbcccc", restored_at=at, taken_at=at - timedelta(hours=9), run=39, part="all",
                by_name="admin", reason=WHY, exact=True,
                missed={
                    "accounts": {account.id: {"facts": 2, "cases": ["SLRT-7303-202611-00007"]}, "x": {"facts": 5, "cases": ["SLRT-7303-202611-00008"]}},
                    "cases": ["SLRT-7303-202611-00008"], "letters": [],
                },
                numbers={"SLRT-7303-202611": [7, 8]},
            )
        )  # fmt: skip
    again = web_app(settings)  # as after the restart that a restore is
    web = signed_in(again, "fo")
    assert "Data dikembalikan ke keadaan" in web.get("/").text
    assert web.get("/healthz").json["epoch"] == "3-bbbbcccc"
    mine = web.get("/cadangan/pemulihan").text
    assert "SLRT-7303-202611-00007" in mine
    assert "2 catatan Anda" in mine
    assert "00008" not in mine
    admin = signed_in(again, "admin").get("/cadangan/pemulihan").text
    assert "SLRT-7303-202611-00008" in admin
    assert "7 sampai 8" in admin
    with again.app_context():
        database.db.engine.dispose()
