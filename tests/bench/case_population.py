"""The casework of ten years, poured into a district of 0.2 million people by SQL alone: as many cases as wanted, and ten facts of history each.

    .venv/bin/python tests/bench/case_population.py [CASES] [--folder DIR]

About one case in twenty-seven is open, four times what such an office carries. Around the cases stand referrals, visits, papers, letters, changed
due times and a journal, as many as an office makes of them. The folder is kept: what is there is used again.
"""

# ruff: noqa: S608 - statements are put together from our own names alone
from __future__ import annotations

import argparse
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from pysqlite3 import dbapi2

from appliance import database
from appliance.casework.catalogue import unit_id
from appliance.config import Settings
from appliance.database import db
from appliance.models.audit import AuditEntry
from appliance.models.case import Case, CaseEvent, Referral
from appliance.models.deadline import DueChange
from appliance.models.letter import Letter
from appliance.models.roles import Role
from appliance.models.visit import CasePaper, Visit
from appliance.registry.areas import active_villages
from tests.bench.population import SIZES, literal_of, populated, without_indexes
from tests.support.databases import settings_below
from tests.support.web_client import officer

DISTRICT = "73.03"
AT = datetime.now(UTC).replace(microsecond=0)
EVENTS = 10
# So many of the newest cases have a history of so many facts.
LONG_CASES, LONG_HISTORY = 40, 200
COUNTERS, BACK_OFFICERS = 8, 8
TABLES = ("case", "case_event", "referral", "letter", "case_paper", "visit", "due_change", "audit_entry")
_STAMP = "%Y-%m-%d %H:%M:%S.000000"
_NOW = f"'{AT:{_STAMP}}'"
_SERIES = "WITH RECURSIVE series(n) AS (SELECT {first} UNION ALL SELECT n + {step} FROM series WHERE n + {step} <= {last}) "
_CASE = "printf('0193f000-0000-7000-8000-%012x', n)"
_OPEN_STATES = (
    "BARU",
    "VERIFIKASI",
    "TERVERIFIKASI",
    "TELAAH",
    "MENUNGGU_PENETAPAN",
    "DIRUJUK",
    "TINDAK_LANJUT",
    "PERLU_PERBAIKAN",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/slrt-bench"))
    wanted = parser.parse_args()
    print(with_cases(wanted.cases, wanted.folder).database_file)


def with_cases(count: int, folder: Path) -> Settings:
    """Settings of a node below `folder` with that many cases; filled unless it is there."""
    home = folder / f"{count}-cases"
    home.mkdir(parents=True, exist_ok=True)
    settings, done = settings_below(home), home / "filled"
    if not done.exists():
        begin = time.perf_counter()
        _fill(settings, count, folder)
        seconds = time.perf_counter() - begin
        done.write_text(f"{count} cases in {seconds:.0f} s, {count * (EVENTS + 1) / seconds:,.0f} rows a second\n")
        print(f"filled: {done.read_text()}", end="", file=sys.stderr)
    database.upgrade(settings)
    return settings


def _fill(settings: Settings, count: int, folder: Path) -> None:
    people = populated(SIZES["0.2"], folder)
    settings.database_file.parent.mkdir(exist_ok=True)
    for old in settings.database_file.parent.glob(f"{settings.database_file.name}*"):
        old.unlink()
    shutil.copyfile(people.database_file, settings.database_file)
    _hire(settings)
    raw = dbapi2.connect(str(settings.database_file), isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000", "threads=2"):
        raw.execute(f"PRAGMA {pragma}")
    with without_indexes(raw, TABLES):
        _pour(raw, count)
    raw.close()
    database.refresh_statistics(settings)
    database.checkpoint(settings)


def _hire(settings: Settings) -> None:
    """Who opened the cases and who has them: a facilitator in each village, the counter, the back office."""
    with database.create_service(settings).app_context():
        for number, village in enumerate(active_villages()):
            officer(f"lama.fasilitator.{number}", Role.FASILITATOR, areas=(village.code,))
        for role, many in ((Role.FO, COUNTERS), (Role.BO, BACK_OFFICERS)):
            for number in range(many):
                officer(f"lama.{role.value}.{number}", role)
        officer("lama.dinkes", Role.OPD, areas=(), unit=unit_id("dinkes"))
        db.session.remove()
        db.engine.dispose()


def _pour(raw: Any, count: int) -> None:
    people = _numbered(raw, "applicant", "SELECT id, village_code FROM person WHERE status = 'hidup' ORDER BY id")
    kinds = _numbered(raw, "kind", "SELECT id, name FROM service_type ORDER BY id")
    units = _numbered(raw, "agency", "SELECT id, name FROM unit WHERE kind = 'opd' ORDER BY id")
    accounts = "SELECT id, username FROM account WHERE username LIKE 'lama.{}.%' ORDER BY id"
    clerks = _numbered(raw, "clerk", accounts.format("bo"))
    openers = _numbered(raw, "opener", accounts.format("fo"))
    raw.execute("BEGIN")
    raw.execute(_cases(count, people, kinds, clerks, openers))
    raw.execute(_events(_SERIES.format(first=1, step=1, last=count), 1, EVENTS))
    newest = _SERIES.format(first=count - count % 32 + 4 - 32 * LONG_CASES, step=32, last=count)
    raw.execute(_events(newest, EVENTS + 1, LONG_HISTORY))
    for statement in (_referrals(units), _visits(), _papers(), _letters(), _due_changes(), _journal(raw)):
        raw.execute(statement)
    raw.execute("COMMIT")


def _numbered(raw: Any, name: str, query: str) -> int:
    """A temporary table of what the query gives, by its place from 0; how many rows."""
    raw.execute(f"CREATE TEMP TABLE {name} (position INTEGER PRIMARY KEY, id TEXT, more TEXT)")
    raw.execute(f"INSERT INTO {name} SELECT row_number() OVER () - 1, * FROM ({query})")
    (count,) = raw.execute(f"SELECT count(*) FROM {name}").fetchone()
    return int(count)


def _insert(model: type[Any], given: dict[str, str], source: str) -> str:
    """INSERT … SELECT of `given` SQL expressions; every other column gets what an empty form would leave in it."""
    columns = [column for column in model.__table__.columns if column.name not in given]
    rest = {column.name: literal_of(column) for column in columns}
    names = ", ".join(f'"{name}"' for name in (*given, *rest))
    values = ", ".join((*given.values(), *rest.values()))
    series, _, table = source.rpartition("@")
    return f'{series}INSERT INTO "{model.__tablename__}" ({names}) SELECT {values} FROM {table}'


def _stamps(moment: str, by: str = "'bench'") -> dict[str, str]:
    return {"created_at": moment, "updated_at": moment, "created_by": by, "updated_by": by, "row_version": "1"}


def _cases(count: int, people: int, kinds: int, clerks: int, openers: int) -> str:
    """The last are the newest, over ten years; of the newest 15 in 100 a fourth is open."""
    minutes = f"(({count} - n) * {10 * 365 * 24 * 60} / {count})"
    received = f"strftime('%Y-%m-%d %H:%M:%S.000000', '{AT:%Y-%m-%d %H:%M:%S}', '-' || {minutes} || ' minutes')"
    states = " ".join(f"WHEN {place} THEN '{state}'" for place, state in enumerate(_OPEN_STATES))
    ended = f"CASE n % 40 WHEN 1 THEN 'DITOLAK' WHEN 2 THEN 'DIBATALKAN' WHEN 3 THEN 'DUPLIKAT' ELSE iif(n > {count * 99 // 100}, 'SELESAI', 'DITUTUP') END"
    is_open = f"(n > {count * 85 // 100} AND n % 4 = 0)"
    due = f"strftime('%Y-%m-%d 08:00:00.000000', {received}, '+' || (3 + n % 40) || ' days')"
    given = {
        "id": _CASE,
        "number": f"'SLRT-7303-' || strftime('%Y%m', {received}) || printf('-%05d', n % 100000)",
        "channel": "'kantor'",
        "kind": "'permohonan'",
        "category": "'KB1'",
        "service_type_id": f"(SELECT id FROM kind WHERE position = n / 7 % {kinds})",
        "applicant_id": "applicant.id",
        "village_code": "applicant.more",
        "description": "'Butuh biaya berobat'",
        "priority": "CASE WHEN n % 50 = 0 THEN 'darurat' WHEN n % 10 = 0 THEN 'cepat' ELSE 'biasa' END",
        "confidential": "n % 20 = 0",
        "state": f"CASE WHEN {is_open} THEN CASE (n / 4) % {len(_OPEN_STATES)} {states} END ELSE {ended} END",
        "owner_id": f"CASE WHEN n % 3 OR NOT {is_open} THEN (SELECT id FROM clerk WHERE position = n / 5 % {clerks}) END",
        "deadline": due,
        "stage_due": f"CASE WHEN {is_open} THEN {due} END",
        "escalation": f"CASE WHEN {is_open} AND n / 4 % 5 = 0 THEN 1 + n / 20 % 4 END",
        "escalate_at": f"CASE WHEN {is_open} THEN {due} END",
        "ratify_due": f"CASE WHEN {is_open} AND n % 1000 = 0 THEN {due} END",
        "received_at": received,
        "stored_at": received,
        "state_since": received,
        **_stamps(received, f"(SELECT id FROM opener WHERE position = n / 11 % {openers})"),
    }
    series = _SERIES.format(first=1, step=1, last=count)
    return _insert(Case, given, f"{series}@series JOIN applicant ON position = n * 7919 % {people}")


def _events(series: str, first: int, last: int) -> str:
    given = {
        "id": "printf('0194f000-0000-7000-8000-%012x', n * 256 + position)",
        "case_id": _CASE,
        "position": "position",
        "state_from": "'BARU'",
        "state_to": "'VERIFIKASI'",
        "action": "'ambil'",
        "account_id": "(SELECT id FROM clerk WHERE position = 0)",
        "account_name": "'Petugas Bangku'",
        "happened_at": _NOW,
        "stored_at": _NOW,
        "note": "'Sudah diperiksa bersama keluarga'",
        "details": "'{}'",
        "seal": f"'{'0' * 64}'",
    }
    places = " UNION ALL ".join(f"SELECT {place} AS position" for place in range(first, last + 1))
    return _insert(CaseEvent, given, f"{series}@series, ({places})")


def _referrals(units: int) -> str:
    """Three cases in ten were referred; those that are DIRUJUK wait for an answer."""
    open_state = "CASE c.rowid / 32 % 3 WHEN 0 THEN 'DIKIRIM' WHEN 1 THEN 'DITERIMA' ELSE 'DIPROSES' END"
    given = {
        "id": "printf('0195f000-0000-7000-8000-%012x', c.rowid)",
        "number": "printf('RJK-7303-%06d-%06d', 201600, c.rowid)",
        "case_id": "c.id",
        "unit_id": f"(SELECT id FROM agency WHERE position = c.rowid / 64 % {units})",
        "summary": "'Mohon bantuan biaya perawatan.'",
        "shared": "'{}'",
        "missing": "'[]'",
        "state": f"CASE c.state WHEN 'DIRUJUK' THEN {open_state} ELSE 'DIJAWAB' END",
        "sent_by_way": "'akun'",
        "sent_at": "c.received_at",
        "reply_due": "c.deadline",
        "finished_at": "CASE WHEN c.state <> 'DIRUJUK' THEN c.deadline END",
        **_stamps("c.received_at"),
    }
    return _insert(Referral, given, "@\"case\" c WHERE c.state = 'DIRUJUK' OR c.rowid % 10 < 3")


def _visits() -> str:
    given = {
        "id": "printf('0196f000-0000-7000-8000-%012x', c.rowid)",
        "case_id": "c.id",
        "visitor_id": "c.created_by",
        "state": "'DISAHKAN'",
        **_stamps("c.received_at"),
    }
    return _insert(Visit, given, '@"case" c WHERE c.rowid % 4 = 1')


def _papers() -> str:
    given = {
        "id": "printf('0197f000-0000-7000-8000-%012x', c.rowid)",
        "case_id": "c.id",
        "visit_id": "CASE WHEN c.rowid % 4 = 1 THEN printf('0196f000-0000-7000-8000-%012x', c.rowid) END",
        "title": "'Foto rumah'",
        "state": "'sah'",
        **_stamps("c.received_at"),
    }
    return _insert(CasePaper, given, '@"case" c')


def _letters() -> str:
    """A letter for one case in five; of the newest one in fifty is still on its way."""
    issued = "c.rowid % 50 <> 0"
    given = {
        "id": "printf('0198f000-0000-7000-8000-%012x', c.rowid)",
        "request_id": "'bench-' || c.rowid",
        "wording": "'sktm'",
        "title": "'Surat Keterangan Tidak Mampu'",
        "case_id": "c.id",
        "person_id": "c.applicant_id",
        "area_code": "c.village_code",
        "purpose": "'Biaya berobat'",
        "typed": "'{}'",
        # a draft is drawn from what is known of its case, so it can be looked at
        "frozen": f"CASE WHEN {issued} THEN "
        + '\'{"addressee": "Direktur RSUD", "body": "\' || hex(zeroblob(1000)) || \'"}\''
        + " ELSE '{}' END",
        "drafters": "'[]'",
        "state": f"CASE WHEN {issued} THEN 'TERBIT' ELSE 'DRAF' END",
        "series": f"CASE WHEN {issued} THEN 'SK' END",
        "year": f"CASE WHEN {issued} THEN 0 + strftime('%Y', c.received_at) END",
        "count": f"CASE WHEN {issued} THEN c.rowid END",
        "number": f"CASE WHEN {issued} THEN printf('400.9/%d/DINSOS', c.rowid) END",
        "day": f"CASE WHEN {issued} THEN date(c.received_at) END",
        "valid_until": f"CASE WHEN {issued} THEN date(c.received_at, '+180 days') END",
        "issued_at": f"CASE WHEN {issued} THEN c.received_at END",
        **_stamps("c.received_at"),
    }
    return _insert(Letter, given, '@"case" c WHERE c.rowid % 5 = 0')


def _due_changes() -> str:
    given = {
        "id": "printf('0199f000-0000-7000-8000-%012x', c.rowid)",
        "case_id": "c.id",
        "old": "c.deadline",
        "new": "c.deadline",
        "cause": "'jeda'",
        "account_id": "c.owner_id",
        "account_name": "'Petugas Bangku'",
        "at": "c.received_at",
    }
    return _insert(DueChange, given, '@"case" c WHERE c.rowid % 5 = 1 AND c.owner_id IS NOT NULL')


def _journal(raw: Any) -> str:
    """A look at each case. Its seals are none: nobody verifies this chain."""
    (last,) = raw.execute("SELECT coalesce(max(position), 0) FROM audit_entry").fetchone()
    given = {
        "position": f"{last} + c.rowid",
        "at": "c.received_at",
        "account_id": "c.created_by",
        "action": "'lihat'",
        "subject": "'case:' || c.id",
        "detail": "'{}'",
        "seal": f"'{'0' * 64}'",
    }
    return _insert(AuditEntry, given, '@"case" c')


if __name__ == "__main__":
    main()
