"""A restore as the office lives through it, on both databases and the real borg: no number twice, a new epoch, and what was lost told."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import accounts, audit, custody, database
from appliance.access import Actor
from appliance.accounts import passwords
from appliance.accounts.assignments import admins
from appliance.accounts.sessions import acting_for, begin
from appliance.carried_log import CarriedLog
from appliance.casework import casebook
from appliance.commands import restoring
from appliance.commands.backup_plan import Handed, plan_of
from appliance.commands.restoring import Errand
from appliance.config import BackupSettings, Settings
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound, TryLater
from appliance.models.account import Account, Assignment, WebSession
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.letter import Letterhead
from appliance.models.restoration import Restoration
from appliance.models.roles import Role
from appliance.models.visit import CasePaper
from appliance.registry.named_files import hashes_of_case, named_hashes
from appliance.restoration import looking, looks, replaced
from appliance.restoration.epoch import Epoch, ShutOut, list_restorations, newest
from appliance.restoration.looking import Seen, as_words, look_at_case_then
from appliance.restoration.numbers import Lost, raised
from appliance.restoration.replaced import Replaced, due
from appliance.restoration.settling import complete
from appliance.restoration.states import Coming, look_at_coming, require_known
from backups import exchange, repository
from backups.clock import moment
from backups.ladder import rehearse
from backups.lock import only_run
from backups.process import never
from backups.restore import quiet
from backups.settings import Plan
from tests.support.borg import run_now
from tests.support.databases import AUDIT_KEY, SqliteTemplate, settings_below
from tests.support.desk import open_case
from tests.support.staff import AT, Staff, hire
from tests.support.waiting import wait_for
from tests.support.web_client import PASSWORD, officer

HANDED = Handed("jeruk bali 4711", "jeruk bali 4711", AUDIT_KEY)


@pytest.fixture(scope="session")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository without any backup, to copy: making one takes seconds."""
    folder = tmp_path_factory.mktemp("restoration")
    repository.init(plan_for(with_repository(settings_below(folder), folder / "repository")))
    return folder / "repository"


def with_repository(settings: Settings, folder: Path) -> Settings:
    return replace(settings, backup=BackupSettings(repository=str(folder)))


@pytest.fixture
def node(settings: Settings, tmp_path: Path, empty_repository: Path) -> Settings:
    """A prepared node with a repository."""
    return node_in(settings, tmp_path, empty_repository)


@pytest.fixture(scope="session")
def saved_template(
    sqlite: SqliteTemplate, empty_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Staff]:
    """A node with SQLite, the staff, one case, and a backup of that."""
    folder = tmp_path_factory.mktemp("saved")
    settings = node_in(sqlite.fresh(folder), folder, empty_repository)
    with open_office(settings):
        staff = hire()
        case_by(staff)
    run_now(plan_for(settings))
    return folder, staff


@pytest.fixture
def known(saved_template: tuple[Path, Staff]) -> Staff:
    """The people of that node."""
    return saved_template[1]


@pytest.fixture
def saved(saved_template: tuple[Path, Staff], tmp_path: Path) -> Settings:
    """A copy of it, for what is the same on both databases once the states are read."""
    shutil.copytree(saved_template[0], tmp_path, dirs_exist_ok=True)
    return with_repository(settings_below(tmp_path), tmp_path / "repository")


def node_in(settings: Settings, folder: Path, repository_of: Path) -> Settings:
    settings.attachments.mkdir()
    return with_repository(settings, Path(shutil.copytree(repository_of, folder / "repository")))


def plan_for(settings: Settings) -> Plan:
    return replace(plan_of(settings, HANDED), reserve_bytes=1, spare_bytes=1)


@contextmanager
def open_office(settings: Settings) -> Iterator[Flask]:
    """The service at work; afterwards nobody has the database open."""
    service = database.create_service(settings)
    with service.app_context():
        yield service
        db.session.remove()
        db.engine.dispose()


def current_epoch() -> Epoch:
    return newest().epoch


def numbers() -> list[str]:
    return sorted(number[-5:] for number in db.session.scalars(sa.select(Case.number)))


def case_by(by: Staff, at: datetime = AT) -> str:
    number = db.session.scalar(sa.select(Case.number).where(Case.id == open_case(by.fo, at=at)))
    assert number is not None
    return number


def bring_back(settings: Settings, number: str = "terakhir") -> None:
    restoring.in_place(settings, HANDED, Errand(number, by="admin.it", reason="disk rusak"), never, quiet)


def settle(settings: Settings) -> bool:
    service = database.create_service(settings)
    done = complete(settings, service)
    with service.app_context():
        db.engine.dispose()
    return done


def test_no_number_is_given_twice_and_everybody_learns_what_is_gone(node: Settings) -> None:
    with open_office(node):
        staff = hire()
        first = case_by(staff)
        with database.transaction() as session:
            begin(session.get_one(Account, staff.fo.account_id), device_id="tablet", device="uji", at=AT)
        run_now(plan_for(node))
        gone = case_by(staff)
        assert numbers() == ["00001", "00002"]
    if node.database.url:
        assert look(node, first, staff.fo).case.line.number == first, "in a spare database, gone afterwards"
        assert look_at_coming(node, Path(node.paths.data)) == Coming()

    bring_back(node)
    assert settle(node)
    assert not settle(node), "once is enough"

    with open_office(node):
        assert numbers() == ["00001"]
        assert db.session.scalars(sa.select(WebSession.end_reason)).all() == ["data-dipulihkan"], "a stolen tablet stays out"
        assert str(current_epoch()).startswith("1-")
        (told,) = list_restorations(by=staff.fo)
        assert (told.exact, told.reason, told.by_name, told.run) == (True, "disk rusak", "admin.it", 1)
        assert (told.mine, told.cases) == ((gone,), ()), "her own work, not that of others"
        assert told.facts > 0
        (seen,) = list_restorations(by=staff.manager)
        assert (seen.mine, seen.cases, seen.facts_of_all) == ((), (gone,), told.facts)
        assert list(seen.numbers.values()) == [(2, 2)]
        at = datetime.now(UTC)
        assert newest().told_at(at) == seen.taken_at
        assert newest().told_at(at + timedelta(days=366)) is None
        assert audit.verify().ok
        assert case_by(staff)[-5:] == "00003", "the number of the lost case is on somebody's slip"

    restoring.put_back(node, HANDED, Errand("", by="admin.it", reason="salah cadangan"), quiet)
    assert settle(node)
    with open_office(node):
        assert numbers() == ["00001", "00002"], "the lost case is back, the one made meanwhile is gone"
        assert current_epoch().number == 2
        assert case_by(staff)[-5:] == "00004"
        assert [told.exact for told in list_restorations(by=staff.admin)] == [True]
        assert audit.verify().ok


def test_who_was_shut_out_since_stays_so(node: Settings) -> None:
    """Also over a revert, and whoever replaced a password goes on with the new one, which she has to renew."""
    with open_office(node):
        officers = {name: officer(name, Role.FO) for name in ("asri", "budi", "cici")}
        admin = officer("kepala.it", Role.ADMIN)
        run_now(plan_for(node))
        at = datetime.now(UTC)
        accounts.deactivate(officers["asri"], by=None, at=at)
        password = accounts.reset_password(officers["budi"], by=None, at=at)
        before = journal_of_accounts()
    bring_back(node)
    assert settle(node)
    with open_office(node):
        asri, budi, cici = (db.session.get_one(Account, key) for key in officers.values())
        assert (asri.active, budi.active, cici.active) == (False, True, True)
        assert (passwords.verify(password, budi.password_hash), passwords.verify(PASSWORD, budi.password_hash)) == (True, False)
        assert (budi.must_change_password, cici.must_change_password) == (True, False)
        assert budi.password_expires_at is not None, "a one-time password dies as it would have died"
        assert journal_of_accounts() - before == {("account-deactivate", asri.id), ("password-keep", budi.id)}
        oversees = acting_for(admin, at, "", node.zone)
        assert oversees is not None
        (told,) = list_restorations(by=oversees)
        assert told.shut_out == ShutOut(("asri",), ("budi",))
        plain = acting_for(officers["cici"], at, "", node.zone)
        assert plain is not None
        assert list_restorations(by=plain)[0].shut_out == ShutOut(), "others' accounts are not hers to know"
        accounts.deactivate(officers["cici"], by=None, at=at)
        assert audit.verify().ok
    restoring.put_back(node, HANDED, Errand("", by="admin.it", reason="salah cadangan"), quiet)
    assert settle(node)
    with open_office(node):
        assert [db.session.get_one(Account, key).active for key in officers.values()] == [False, True, False]


def test_a_role_that_was_ended_since_stays_ended(node: Settings) -> None:
    """Also when it is that of the last administrator, and over a revert; what was not ended goes on as it came back."""
    last_day = date(2026, 11, 27)
    with open_office(node):
        officers = {name: officer(name, Role.FO) for name in ("asri", "budi", "cici")}
        gone = officer("dulu.it", Role.ADMIN)
        end(officers["budi"], date(2026, 11, 2))
        run_now(plan_for(node))
        officer("baru.it", Role.ADMIN)
        for account in (officers["asri"], officers["budi"], gone):
            end(account, last_day)
        before = journal_of_accounts()
    bring_back(node)
    assert settle(node)
    expected = {"asri": last_day, "budi": date(2026, 11, 2), "cici": None, "dulu.it": last_day}
    with open_office(node):
        assert ends() == expected
        (row,) = db.session.scalars(sa.select(Restoration))
        assert row.missed["shut_out"]["ended"] == [f"asri ({Role.FO.label})", f"dulu.it ({Role.ADMIN.label})"]
        assert row.missed["shut_out"]["no_admin"]
        assert journal_of_accounts() - before == {("role-end", officers["asri"]), ("role-end", gone)}
        assert audit.verify().ok
        end(officers["cici"], last_day)
    restoring.put_back(node, HANDED, Errand("", by="admin.it", reason="salah cadangan"), quiet)
    assert settle(node)
    with open_office(node):
        assert ends() == expected | {"budi": date(2026, 11, 2), "cici": last_day, "baru.it": None}


def end(account_id: str, last_day: date) -> None:
    """Her role holds until that day and no longer."""
    (assignment,) = db.session.get_one(Account, account_id).assignments
    accounts.end_assignment(account_id, assignment.id, last_day=last_day, by=None, at=AT)


def ends() -> dict[str, date | None]:
    """The last day of everybody's role."""
    return {
        one.account.username: one.ends for one in db.session.scalars(sa.select(Assignment)) if one.account.username != "system"
    }


def journal_of_accounts() -> set[tuple[str, str]]:
    """What was done to accounts as the journal of now tells it."""
    rows = db.session.execute(
        sa.select(AuditEntry.action, AuditEntry.subject).where(AuditEntry.detail.contains("data-dipulihkan"))
    )
    return {(action, subject.removeprefix("account:")) for action, subject in rows if subject.startswith("account:")}


def test_an_admin_who_was_sent_away_does_not_come_back_because_she_is_the_last(saved: Settings, known: Staff) -> None:
    with open_office(saved):
        gone = officer("dulu.it", Role.ADMIN)
        for other in admins(date(2026, 11, 29)):
            if other != gone:
                accounts.deactivate(other, by=None, at=AT)
        run_now(plan_for(saved))
        officer("baru.it", Role.ADMIN)
        accounts.deactivate(gone, by=None, at=AT)
    bring_back(saved)
    assert settle(saved)
    with open_office(saved):
        assert not db.session.get_one(Account, gone).active
        assert list_restorations(by=known.manager)[0].shut_out.no_admin


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("ages", "proven", "expected"),
    [
        ((40, 35), (34,), [1, 2]),
        ((40, 35), (36,), [1]),
        ((40, 35), (), []),
        ((40, 35), (41,), []),
        ((40, 29), (1,), [1]),
        ((30,), (29,), [1]),
        ((29,), (1,), []),
        ((-3,), (-4,), []),
        # a clock that was wrong for a while: the oldest first all the same
        ((-3, 40), (1,), []),
    ],
)
def test_a_state_beside_goes_after_thirty_days_and_a_proof(
    ages: tuple[int, ...], proven: tuple[int, ...], expected: list[int]
) -> None:
    found = [Replaced(number, AT - DAY * age, 5) for number, age in enumerate(ages, start=1)]
    assert due(found, [AT - DAY * age for age in proven], AT) == expected


def test_a_state_beside_goes_by_word_the_oldest_first_and_its_number_never_comes_again(saved: Settings, known: Staff) -> None:
    data, at = Path(saved.paths.data), datetime.now(UTC)
    for _ in range(2):
        bring_back(saved, "1")
        settle(saved)
    admin = known.admin
    with open_office(saved):
        assert [(one.number, one.bytes > 1000) for one in replaced.list_replaced(saved)] == [(1, True), (2, True)]
        with pytest.raises(NotAllowed):
            replaced.remove(saved, 1, "HAPUS 1", by=known.manager, at=at)
        with pytest.raises(InvalidInput):
            replaced.remove(saved, 1, "HAPUS", by=admin, at=at)
        with pytest.raises(Conflict, match="lebih lama"):
            replaced.remove(saved, 2, "HAPUS 2", by=admin, at=at)
        with pytest.raises(NotFound):
            replaced.remove(saved, 3, "HAPUS 3", by=admin, at=at)
        with only_run(Path(saved.paths.runtime)), pytest.raises(TryLater):
            replaced.remove(saved, 1, "HAPUS 1", by=admin, at=at)
        (data / exchange.NOTE).write_text("{}")
        with pytest.raises(TryLater, match="belum selesai"):
            replaced.remove(saved, 1, "HAPUS 1", by=admin, at=at)
        (data / exchange.NOTE).unlink()
        assert len(replaced.list_replaced(saved)) == 2, "nothing of that removed anything"
        for number in (1, 2):
            replaced.remove(saved, number, f"hapus {number}", by=admin, at=at)
        assert replaced.list_replaced(saved) == []
        assert [list(folder.iterdir()) for folder in sorted(data.glob("removed-*"))] == [[], []]
        told = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "hapus-keadaan-lama")).all()
        assert [json.loads(entry.detail)["nomor"] for entry in told] == [1, 2]
        assert audit.verify().ok
    bring_back(saved)
    assert (data / "before-restore-3").is_dir(), "an audit key that was set aside bears the number"


def test_what_a_cut_left_of_an_erasing_goes_with_the_next_look_and_what_is_due(saved: Settings) -> None:
    data, at = Path(saved.paths.data), datetime.now(UTC)
    bring_back(saved)
    settle(saved)
    (data / "before-restore-1").rename(data / "removed-restore-1")
    with open_office(saved):
        (data / "before-restore-2" / "database").mkdir(parents=True)
        assert replaced.remove_due(saved, at + DAY * 31) == 0, "no backup of after it was proven"
        assert list((data / "removed-restore-1").iterdir()) == []
        plan = plan_for(saved)
        run_now(plan)
        assert replaced.remove_due(saved, at + DAY * 31) == 0, "nor is one that was only read back"
        rehearse(plan, moment(datetime.now(UTC)))
        assert replaced.remove_due(saved, at + DAY * 29) == 0
        assert replaced.remove_due(saved, at + DAY * 31) == 1
    assert exchange.replaced(data) == []


def break_database(settings: Settings) -> None:
    """What is left when the disk lost it."""
    settings.database_file.write_bytes(b"x" * 8192)
    for beside in ("-wal", "-shm"):
        Path(f"{settings.database_file}{beside}").unlink(missing_ok=True)


def test_where_nobody_knows_what_was_given_out_the_series_jump(saved: Settings, known: Staff) -> None:
    with open_office(saved):
        case_by(known, datetime.now(UTC))
    break_database(saved)
    bring_back(saved)
    assert settle(saved)
    with open_office(saved):
        # of now: the series that jump are those of the months since the backup; two days of a hundred, or three if midnight passed
        assert int(case_by(known, datetime.now(UTC))[-5:]) > 200
        told = list_restorations(by=known.manager)[0]
        assert not told.exact
        assert {name.split("-")[0] for name in told.numbers} >= {"SLRT", "RJK", "INS", "BAST", "USL", "MUS", "SPT", "SURAT"}


def test_a_backup_of_another_node_jumps_as_well(saved: Settings) -> None:
    """What stands here is whole, but it did not come out of that state: it knows nothing of the other node's numbers."""
    with open_office(saved), database.transaction() as session:
        session.execute(sa.text("DROP TRIGGER audit_entry_refuses_delete"))
        session.execute(sa.text("DELETE FROM audit_entry"))
    bring_back(saved)
    assert settle(saved)
    with open_office(saved):
        assert db.session.scalars(sa.select(Restoration.exact)).all() == [False]


def test_a_newer_state_is_refused_with_both_versions(saved: Settings) -> None:
    with database._engine(saved) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9001'"))
    coming = look_at_coming(saved, Path(saved.paths.data))
    with pytest.raises(Conflict, match=rf"susunan tabel 9001.*susunan {database.newest_revision()}"):
        require_known(coming)


def test_an_older_backup_is_settled_once_its_tables_are_of_today(saved: Settings) -> None:
    """As an earlier version left it: without the table of the restores."""
    saved.database_file.unlink()
    with database._engine(saved) as engine, engine.execution_options(slrt_writer=True).begin() as connection:
        database._migrate(connection, "0021")
    run_now(replace(plan_for(saved), guarded=()))
    bring_back(saved)
    assert not settle(saved)
    assert (Path(saved.paths.data) / exchange.NOTE).exists(), "it waits"
    assert database.upgrade(saved)
    assert settle(saved)
    with open_office(saved):
        assert current_epoch().number == 1


def test_each_epoch_is_above_every_other_one_and_settled_once(saved: Settings) -> None:
    """The second restore of the same night forgets the first one, but not that it was; killed between the commit and the note's end,
    it is only that end that is missing."""
    marks, note = [], Path(saved.paths.data) / exchange.NOTE
    for expected in (1, 2):
        bring_back(saved, "1")
        kept = note.read_bytes()
        settle(saved)
        note.write_bytes(kept)
        assert settle(saved)
        assert not note.exists()
        with open_office(saved):
            assert current_epoch().number == expected
            marks.append(str(current_epoch()))
    assert len(set(marks)) == 2


def test_the_jump_grows_with_the_days() -> None:
    one, many = Lost(date(2026, 11, 28), date(2026, 11, 28)), Lost(date(2026, 11, 28), date(2027, 1, 3))
    assert [f"{month:%Y%m}" for month in many.months()] == ["202611", "202612", "202701"]
    assert raised({"a": 5}, {"a": 9, "b": 2}, None, ()) == {"a": 9, "b": 2}
    assert raised({"a": 5}, {"a": 3}, None, ()) == {}
    assert raised({"a": 5}, {"a": 9}, one, {"a", "c"}) == {"a": 9 + one.jump, "c": one.jump}
    assert one.jump < many.jump


WHY = "warga menanyakan catatan lama"


def look(settings: Settings, number: str, by: Actor, reason: str = WHY, run: str = "1") -> Seen:
    service = database.create_service(settings)
    try:
        return look_at_case_then(
            service, plan_for(settings), run, number, reason=reason, by=lambda: by, at=datetime.now(UTC), stop=never
        )
    finally:
        with service.app_context():
            db.engine.dispose()


def test_a_case_is_seen_as_it_was_by_who_may_see_it_today(saved: Settings, known: Staff) -> None:
    with open_office(saved):
        with database.transaction() as session:
            case = session.scalars(sa.select(Case)).one()
            case.description = "sesudahnya"
            number = case.number
        case_id = case.id

    seen = look(saved, number, known.fo)
    assert (seen.run, seen.case.description, seen.case.line.number) == (1, "Butuh biaya berobat", number)
    with pytest.raises(InvalidInput):
        look(saved, number, known.fo, "iseng")
    with pytest.raises(NotFound):
        look(saved, number, known.stranger)
    with open_office(saved):
        with database.transaction() as session:
            session.execute(sa.update(Case).values(confidential=True, created_by=known.bo.account_id, owner_id=None))
        looks = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "lihat-cadangan")).all()
        assert [(entry.account_id, entry.subject, WHY in entry.detail) for entry in looks] == [
            (known.fo.account_id, f"case:{case_id}", True)
        ]
    with pytest.raises(NotFound):
        look(saved, number, known.fo)
    assert not any(plan_for(saved).scratch.iterdir()), "nothing of it stays"


def test_a_case_is_seen_as_it_was_between_two_backups(saved: Settings, known: Staff) -> None:
    log, words = CarriedLog(saved), ("pagi", "siang", "sore")
    with open_office(saved):
        log.carry_over()
        run_now(plan_for(saved))
        moments = []
        for text in words:
            with database.transaction() as session:
                case = session.scalars(sa.select(Case)).one()
                case.description = text
                number = case.number
            log.carry_over()
            moments.append(datetime.now(UTC) + timedelta(seconds=1))
            wait_for(lambda: datetime.now(UTC) > moments[-1], what="a moment later, for what is typed has whole seconds")
        seen = look(saved, number, known.fo, run=f"{moments[1].astimezone(saved.zone):%d-%m-%Y %H:%M:%S}")
    assert (seen.run, seen.case.description) == (2, "siang")
    assert moments[0] < seen.taken_at < moments[1]


def test_what_is_laid_out_is_for_one_person_and_for_half_an_hour(saved: Settings, known: Staff) -> None:
    with open_office(saved):
        (number,) = db.session.scalars(sa.select(Case.number))
        case = casebook.look_at_case(db.session.scalars(sa.select(Case.id)).one(), by=known.manager, at=AT)
    answer = {"run": 1, "taken_at": AT.isoformat(), "case": as_words(case)}
    manager, at = known.manager, datetime.now(UTC)
    first = looks.keep(saved, answer, manager.username)
    name = looks.keep(saved, answer, manager.username)
    place = custody.restores_of(saved) / looks.FOLDER
    assert [file.name for file in place.iterdir()] == [name], "one at a time"
    assert (place.stat().st_mode & 0o777, (place / name).stat().st_mode & 0o777) == (0o700, 0o600)
    assert looks.read(saved, name, by=manager, at=at + timedelta(minutes=29)).case["line"]["number"] == number
    for wrong, by, when in (
        (first, manager, at),
        (f"../{looks.FOLDER}/{name}", manager, at),
        (name, known.supervisor, at),
        (name, manager, at + timedelta(minutes=31)),
        (name, manager, at - timedelta(minutes=5)),
    ):
        with pytest.raises(NotFound):
            looks.read(saved, wrong, by=by, at=when)
    (place / f".{name}.new").write_bytes(b"{")  # a power cut while it was written
    assert looks.remove_ended(saved, at) == 0
    assert looks.remove_ended(saved, at + timedelta(minutes=31)) == 2
    assert list(place.iterdir()) == []
    with pytest.raises(NotFound):
        looks.close(saved, looks.keep(saved, answer, manager.username), by=known.supervisor, at=at)


def test_what_is_laid_out_is_not_for_who_may_not_read_the_case_any_more(saved: Settings, known: Staff) -> None:
    with open_office(saved):
        case = db.session.scalars(sa.select(Case)).one()
        answer = {"run": 1, "taken_at": AT.isoformat(), "case": as_words(casebook.look_at_case(case.id, by=known.manager, at=AT))}
        at, name = datetime.now(UTC), looks.keep(saved, answer, known.facilitator.username)
        for by, confidential in ((known.facilitator, False), (known.facilitator, True)):
            with database.transaction() as session:
                session.execute(sa.update(Case).values(confidential=confidential, created_by=known.bo.account_id, owner_id=None))
            if confidential:
                with pytest.raises(NotFound):
                    looks.open_look(saved, name, what="membaca", by=by, at=at)
            else:
                assert looks.open_look(saved, name, what="membaca", by=by, at=at)[1] is not None
        opened = db.session.scalars(sa.select(AuditEntry.detail).where(AuditEntry.action == "lihat-cadangan")).all()
        assert [json.loads(one)["tindakan"] for one in opened] == ["membaca"]


def test_the_copy_cannot_be_written_and_is_erased(saved: Settings) -> None:
    plan = plan_for(saved)
    with looking._as_it_was(saved, plan, "1", never) as (copy, _, _), copy.app_context():
        looking._read_only()
        with pytest.raises(sa.exc.SQLAlchemyError), db.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM sequence"))
        assert any(plan.scratch.iterdir())
        assert {path.stat().st_mode & 0o077 for path in plan.scratch.rglob("*") if path.is_dir()} == {0}
        db.engine.dispose()
    assert not any(plan.scratch.iterdir())


def test_papers_named_by_the_tables_are_known_by_their_hash(settings: Settings) -> None:
    with open_office(settings):
        staff = hire()
        case_id = open_case(staff.fo)
        number = db.session.scalars(sa.select(Case.number)).one()
        with database.transaction() as session:
            for sha256, removed in (("a" * 64, None), ("b" * 64, datetime.now(UTC)), ("", None)):
                paper = CasePaper(case_id=case_id, state="DIPERIKSA", sha256=sha256, removed_at=removed)
                paper.stamp("system", datetime.now(UTC))
                session.add(paper)
            session.add(
                Letterhead(
                    version=9, content={"logo_left": "c" * 64, "logo_right": ""}, stored_at=datetime.now(UTC), stored_by="system"
                )
            )
        assert set(named_hashes()) == {"a" * 64, "c" * 64}
        assert hashes_of_case(number.lower()) == ["a" * 64]
        with pytest.raises(NotFound):
            hashes_of_case("SLRT-7303-202611-99999")
