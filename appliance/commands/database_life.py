"""The hidden commands of `slrt database` by which an upgrade asks and moves the data: it knows no tables itself.

They are called by the provisioning of another release than this one, so what they say and take is a promise between releases.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import click
import sqlalchemy as sa

from appliance import audit, database
from appliance.commands.backup_plan import translated
from appliance.commands.door import Door, become_owner_of
from appliance.config import Settings
from appliance.custody import settle_restored
from appliance.errors import ApplianceError, ConfigurationError
from appliance.models.columns import new_id
from appliance.restoration.settling import complete
from appliance.restoration.states import note_for
from backups import exchange, files, postgresql, sqlite
from backups.restore import KEPT_COUNTS, KEPT_DUMP, STAGED, Part

COUNTS = {"position": "SELECT coalesce(max(position), 0) FROM audit_entry", "cases": 'SELECT count(*) FROM "case"'}
BLOCK = 1 << 20
KEPT, COUNTED = ("slrt.db", "slrt.db-wal", "database.dump"), "counts.json"


@click.command(hidden=True)
@click.pass_obj
def describe(door: Door) -> None:
    """Keadaan basis data dalam JSON, untuk pemasangan dan pembaruan program. Hanya membaca."""
    try:
        key = door.secret("audit-key")
    except ConfigurationError:
        key = ""
    become_owner_of(Path(door.settings.paths.data))
    click.echo(json.dumps({**described(door.settings), "foreign": bool(key) and _is_foreign(door.settings, key)}))


def _is_foreign(settings: Settings, key: str) -> bool:
    """Whether the end of the journal was sealed with another key than this node's."""
    service = database.create_service(settings, audit_key=key)
    with service.app_context():
        try:
            return not audit.ends_in_our_hand()
        except sa.exc.SQLAlchemyError:  # tables of another release
            return False
        finally:
            database.db.session.remove()
            database.db.engine.dispose()


def described(settings: Settings) -> dict[str, Any]:
    """What is in the database, also of another release; `opens` false for one that cannot be read."""
    told: dict[str, Any] = {"opens": False, "revision": "", "known": False, "bytes": 0, "newest": database.newest_revision()}
    try:
        with database.reading(settings) as connection:
            revision = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
            counts = {name: int(connection.exec_driver_sql(question).scalar_one()) for name, question in COUNTS.items()}
        size = postgresql.size(postgresql.Server(settings.server_url)) if settings.database.url else 0
    except (sa.exc.SQLAlchemyError, ApplianceError):
        return told
    return told | counts | {"opens": True, "revision": revision, "known": revision in database.known_revisions(), "bytes": size}


@click.command(hidden=True)
@click.argument("old")
@click.argument("new")
@click.pass_obj
def prove_write(door: Door, old: str, new: str) -> None:
    """Mencatat pembaruan di jurnal dan membacanya kembali: bukti bahwa basis data menerima simpanan."""
    key = door.secret("audit-key")
    become_owner_of(Path(door.settings.paths.data))
    with database.create_service(door.settings, audit_key=key).app_context():
        with database.transaction():
            audit.record("pembaruan", "node:program", by=None, at=datetime.now(UTC), detail={"dari": old, "ke": new})
            written = audit.latest()
        database.db.session.remove()
        if audit.latest() != written:
            raise ApplianceError("Catatan pembaruan tidak terbaca kembali dari basis data.", "Jalankan: sudo slrt database check")
        database.db.engine.dispose()


@click.command(hidden=True)
@click.pass_obj
def dump(door: Door) -> None:
    """Menyalin basis data PostgreSQL ke keluaran baku: satu baris jumlah isi, lalu salinannya."""
    become_owner_of(Path(door.settings.paths.data))
    server = postgresql.Server(door.settings.server_url)
    with tempfile.NamedTemporaryFile(dir=door.settings.paths.data, prefix=".dump-") as file, translated():
        content = postgresql.dump_to(server, Path(file.name), require_tables=False)
        sys.stdout.buffer.write(json.dumps(dict(content.counts)).encode() + b"\n")
        while block := file.read(BLOCK):
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()


@click.command(hidden=True)
@click.pass_obj
def load(door: Door) -> None:
    """Menggantikan isi basis data PostgreSQL dengan salinan dari masukan baku, dalam satu transaksi."""
    become_owner_of(Path(door.settings.paths.data))
    counts = json.loads(sys.stdin.buffer.readline())
    with tempfile.NamedTemporaryFile(dir=door.settings.paths.data, prefix=".load-") as file, translated():
        while block := sys.stdin.buffer.read(BLOCK):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        postgresql.restore(postgresql.Server(door.settings.server_url), Path(file.name), counts)


@click.command(hidden=True)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--taken-at", required=True)
@click.option("--by", required=True)
@click.option("--reason", required=True)
@click.pass_obj
def put_back(door: Door, folder: Path, taken_at: str, by: str, reason: str) -> None:
    """Menggantikan basis data dengan salinan sebelum pembaruan; yang diganti disimpan di samping data, masa data naik."""
    settings, key = door.settings, door.secret("audit-key")
    with ExitStack() as opened:
        # root's folder: opened while we may, read as the owner of the data
        sources = {file.name: opened.enter_context(file.open("rb")) for file in sorted(folder.iterdir()) if file.name in KEPT}
        become_owner_of(Path(settings.paths.data))
        with translated():
            staged = files.empty_folder(Path(settings.paths.data) / STAGED)
            _stage(settings, staged, sources)
            told = {"id": new_id(), "by": by, "reason": reason, "part": str(Part.DATABASE), "taken_at": taken_at}
            note = note_for(settings, staged, told)
            settle_restored(settings, staged)
            files.sync_tree(staged)
            exchange.begin(Path(settings.paths.data), _swap(settings, staged, note))
            complete(settings, database.create_service(settings, audit_key=key))


def _stage(settings: Settings, staged: Path, sources: Mapping[str, BinaryIO]) -> None:
    """The copy in a folder of the owner's, as a restore has it: the database file without a log, or the dump."""
    place = staged / settings.database_file.parent.name
    place.mkdir(mode=0o700)
    if settings.database.url:
        dump = sources["database.dump"]
        files.write_whole(staged / COUNTED, dump.readline())
        with (place / postgresql.FILE).open("wb") as file:
            shutil.copyfileobj(dump, file)
        return
    for name, source in sources.items():
        with (place / name).open("wb") as file:
            shutil.copyfileobj(source, file)
    with closing(sqlite.connect(place / settings.database_file.name)) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _swap(settings: Settings, staged: Path, note: dict[str, Any]) -> exchange.Swap:
    if not settings.database.url:
        return exchange.Swap(staged, [settings.database_file.parent.name], note)
    server, counts = postgresql.Server(settings.server_url), json.loads((staged / COUNTED).read_bytes())
    # what is replaced stays beside, as after any restore
    present = postgresql.dump_to(server, staged / KEPT_DUMP, require_tables=False)
    files.write_whole(staged / KEPT_COUNTS, json.dumps(dict(present.counts)).encode())
    return exchange.Swap(staged, [], note, f"{settings.database_file.parent.name}/{postgresql.FILE}", counts)
