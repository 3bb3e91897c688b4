"""Looking into the state that is to come back and into the one that it replaces, before anything is exchanged.

Both may be older than this program, the present one may be broken: what cannot be read is told as unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from appliance import __version__, database
from appliance.config import Settings
from appliance.errors import ApplianceError, Conflict
from appliance.restoration.shut_out import read_assignments, read_present
from backups import postgresql, sqlite
from backups.errors import BackupError
from backups.restore import KEPT_DUMP, LEAVING_DUMP

MOST_NAMED = 200
REVISION, JOURNAL = "alembic_version", "audit_entry"
# By their place in the journal, not by a clock: that may have been wrong.
FACTS = (
    """SELECT a.account_id, c.number FROM audit_entry a JOIN "case" c ON a.subject = 'case:' || c.id """
    "WHERE a.position > :after AND a.action = 'kasus' ORDER BY a.position"
)
NAMED = {
    "cases": """SELECT c.number FROM audit_entry a JOIN "case" c ON a.subject = 'case:' || c.id """
    "WHERE a.action = 'kasus' GROUP BY c.number HAVING min(a.position) > :after ORDER BY c.number",
    "letters": "SELECT DISTINCT l.number FROM audit_entry a JOIN letter l ON a.subject = 'letter:' || l.id "
    "WHERE a.position > :after AND a.action = 'surat' AND l.number IS NOT NULL ORDER BY l.number",
}
BROUGHT_BACK = "SELECT max(position) FROM audit_entry WHERE action = 'data-dipulihkan'"
NEWEST_ENTRY = "SELECT position, seal, at FROM audit_entry ORDER BY position DESC LIMIT 1"


@dataclass(frozen=True)
class Coming:
    """The state that is to come back: its tables' version ("" for none), and the last entry of its journal (position 0: none)."""

    revision: str = ""
    position: int = 0
    seal: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Present:
    """What stands in the data now. `exact`: it is sound and came out of the state that comes back (or replaced it), so every number
    that was given out since is known. `accounts` and `assignments` are those of now, for `shut_out`."""

    exact: bool = False
    epoch: int = 0
    sequences: Mapping[str, int] = field(default_factory=dict)
    missed: Mapping[str, Any] = field(default_factory=dict)
    accounts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    assignments: Mapping[str, str | None] = field(default_factory=dict, repr=False)


def look_at_coming(settings: Settings, folder: Path) -> Coming:
    """What a restored folder holds: the SQLite file in it, or the dump of a server's database. Raises BackupError."""
    if settings.database.url:
        # a dump that was on its way out when the mains failed is the one that was meant
        places = (folder / LEAVING_DUMP, folder / "database" / postgresql.FILE, folder / KEPT_DUMP)
        return next((_of_dump(place) for place in places if place.exists()), Coming())
    return _of_file(folder / "database" / settings.database_file.name)


def _of_file(file: Path) -> Coming:
    # what was replaced has a log of its own still; what came from a backup shall get none
    mode = "rw" if Path(f"{file}-wal").exists() else "ro&immutable=1"
    with sqlite.closing(sqlite.connect(file, mode)) as base:
        there = sqlite.tables(base)
        revision = base.execute("SELECT version_num FROM alembic_version").fetchone() if REVISION in there else None
        entry = base.execute(NEWEST_ENTRY).fetchone() if JOURNAL in there else None
    return Coming(revision[0] if revision else "", *(entry[0], entry[1], _moment(entry[2])) if entry else ())


def _of_dump(dump: Path) -> Coming:
    revisions: list[str] = []
    newest: dict[str, str] = {}

    def compare(row: Mapping[str, str]) -> None:
        if int(row["position"]) > int(newest.get("position", 0)):
            newest.update(row)

    postgresql.stored_rows(dump, REVISION, lambda row: revisions.append(row["version_num"]))
    postgresql.stored_rows(dump, JOURNAL, compare)
    revision = revisions[0] if revisions else ""
    return Coming(revision, int(newest["position"]), newest["seal"], _moment(newest["at"])) if newest else Coming(revision)


def _moment(text: str) -> datetime:
    """As either database writes it; without a zone it is UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def require_known(coming: Coming) -> None:
    """Raises Conflict for tables that this program is too old for."""
    if coming.revision and coming.revision not in database.known_revisions():
        raise Conflict(
            f"Cadangan ini memakai susunan tabel {coming.revision}, lebih baru daripada yang dikenal program ini "
            f"(versi {__version__}, susunan {database.newest_revision()}). Data tidak diubah.",
            "Pasang versi program yang sama atau lebih baru, lalu ulangi; atau pilih cadangan yang lebih lama: slrt backup list",
        )


def look_at_present(settings: Settings, coming: Coming, *, replaced: bool = False) -> Present:
    """What would be replaced. Never raises for what is broken or missing: that is not exact.

    `replaced`: what is to come back is what a restore put aside when it brought the present state.
    """
    if not settings.database.url and not settings.database_file.exists():
        return Present()
    present = Present()
    with suppress(sa.exc.SQLAlchemyError, ApplianceError, BackupError, OSError), database.reading(settings) as connection:
        present = Present(False, _epoch(connection), _sequences(connection))
        present = replace(present, accounts=read_present(connection), assignments=read_assignments(connection))
        if _is_sound(connection) and (replaced or _goes_on_from(connection, coming)):
            after = connection.execute(sa.text(BROUGHT_BACK)).scalar() if replaced else coming.position
            return replace(present, exact=True, missed=_missed(connection, after or 0))
    return present


def _has(connection: sa.Connection, table: str) -> bool:
    return sa.inspect(connection).has_table(table)


def _epoch(connection: sa.Connection) -> int:
    if not _has(connection, "restoration"):
        return 0
    return int(connection.execute(sa.text("SELECT coalesce(max(epoch), 0) FROM restoration")).scalar_one())


def _sequences(connection: sa.Connection) -> dict[str, int]:
    return {name: int(value) for name, value in connection.execute(sa.text("SELECT series, value FROM sequence"))}


def _is_sound(connection: sa.Connection) -> bool:
    """A file that lost pages may have lost the newest counts as well."""
    return connection.dialect.name != "sqlite" or connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one() == "ok"


def _goes_on_from(connection: sa.Connection, coming: Coming) -> bool:
    """Whether the journal here holds the last entry of the other one, sealed alike: then this database came out of that state."""
    if not coming.position:
        return False
    question = sa.text("SELECT seal FROM audit_entry WHERE position = :position")
    return connection.execute(question, {"position": coming.position}).scalar() == coming.seal


def _missed(connection: sa.Connection, after: int) -> dict[str, Any]:
    """What was done since the entry number `after` of the journal, as far as it can be named: acts on cases by account, new cases,
    letters."""
    by_account: dict[str, dict[str, Any]] = {}
    acts: Iterable[Any] = connection.execute(sa.text(FACTS), {"after": after})
    for account, number in acts:
        told = by_account.setdefault(account, {"facts": 0, "cases": []})
        told["facts"] += 1
        if number not in told["cases"] and len(told["cases"]) < MOST_NAMED:
            told["cases"].append(number)
    named = {
        name: list(connection.execute(sa.text(question), {"after": after}).scalars())[:MOST_NAMED]
        for name, question in NAMED.items()
    }
    return {"accounts": by_account, **named}


def note_for(settings: Settings, folder: Path, told: Mapping[str, str], *, replaced: bool = False) -> dict[str, Any]:
    """Everything that has to be known after the exchange, for the note that is left with it. Raises Conflict, BackupError.

    `replaced`: the folder holds what a restore put aside.
    """
    coming = look_at_coming(settings, folder)
    require_known(coming)
    present = look_at_present(settings, coming, replaced=replaced)
    # a backup tells by itself when it was made; what was put aside, by its journal, and an empty one not at all
    at = {"taken_at": (coming.at or datetime.now(UTC)).isoformat()} if replaced else {}
    return {**told, **at, **vars(present)}
