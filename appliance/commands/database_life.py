"""The hidden commands of `slrt database` by which an upgrade asks and moves the data: it knows no tables itself.

They are called by the provisioning of another release than this one, so what they say and take is a promise between releases.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from appliance import audit, database
from appliance.commands.door import Door, become_owner_of
from appliance.commands.restoring import translated
from appliance.config import Settings
from appliance.errors import ApplianceError
from appliance.restoration.settling import server_url
from backups import postgresql

COUNTS = {"position": "SELECT coalesce(max(position), 0) FROM audit_entry", "cases": 'SELECT count(*) FROM "case"'}
BLOCK = 1 << 20


@click.command(hidden=True)
@click.pass_obj
def describe(door: Door) -> None:
    """Keadaan basis data dalam JSON, untuk pembaruan program. Hanya membaca."""
    become_owner_of(Path(door.settings.paths.data))
    click.echo(json.dumps(described(door.settings)))


def described(settings: Settings) -> dict[str, Any]:
    """What is in the database, also of another release; `opens` false for one that cannot be read."""
    told: dict[str, Any] = {"opens": False, "revision": "", "known": False, "bytes": 0, "newest": database.newest_revision()}
    try:
        with database.reading(settings) as connection:
            revision = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
            counts = {name: int(connection.exec_driver_sql(question).scalar_one()) for name, question in COUNTS.items()}
        size = postgresql.size(postgresql.Server(server_url(settings))) if settings.database.url else 0
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
    server = postgresql.Server(server_url(door.settings))
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
        postgresql.restore(postgresql.Server(server_url(door.settings)), Path(file.name), counts)


COMMANDS = (describe, prove_write, dump, load)
