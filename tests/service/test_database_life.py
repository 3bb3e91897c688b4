"""What an upgrade asks of the data, as it asks: by the hidden commands of `slrt database`, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from appliance import audit, database
from appliance.cli import slrt
from appliance.config import Settings, read_secret, render
from appliance.models.area import Area
from appliance.models.case import Sequence
from appliance.models.restoration import Restoration

KEY = "b" * 64


@pytest.fixture
def file(settings: Settings, tmp_path: Path) -> Path:
    """The settings of the node as its commands read them, with its audit key."""
    secrets = Path(settings.paths.secrets)
    secrets.mkdir(exist_ok=True)
    (secrets / "audit-key").write_text(KEY)
    (secrets / "audit-key").chmod(0o600)
    assert read_secret(settings, "audit-key") == KEY
    config = tmp_path / "appliance.toml"
    config.write_text(render(settings))
    return config


def ask(file: Path, *words: str, given: bytes = b"", ok: bool = True) -> bytes:
    """What `slrt database` with these words says."""
    done = CliRunner().invoke(slrt, ["--config", str(file), "database", *words], input=given)
    assert (done.exit_code == 0) == ok, done.output + str(done.exception)
    return done.stdout_bytes


def describe(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(file, "describe"))
    return found


def write_series(settings: Settings, value: int) -> None:
    """A number of a series was given out, with its line in the journal."""
    with opened(settings), database.transaction() as session:
        row = session.get(Sequence, "SLRT-7303-202611")
        if row is None:
            session.add(Sequence(series="SLRT-7303-202611", value=value))
        else:
            row.value = value
        audit.record("kasus", "case:x", by=None, at=datetime.now(UTC))


class opened:  # noqa: N801  read like a function
    """The service over the node's data, closed again."""

    def __init__(self, settings: Settings) -> None:
        self.context = database.create_service(settings, audit_key=KEY).app_context()

    def __enter__(self) -> None:
        self.context.__enter__()

    def __exit__(self, *error: object) -> None:
        database.db.session.remove()
        database.db.engine.dispose()
        self.context.__exit__(None, None, None)


def series(settings: Settings) -> int:
    with opened(settings):
        return int(database.db.session.scalar(sa.select(Sequence.value).where(Sequence.series == "SLRT-7303-202611")) or 0)


def test_a_write_is_proven_by_a_fact_and_told_with_what_is_there(settings: Settings, file: Path) -> None:
    before = describe(file)
    assert before["opens"]
    assert before["known"]
    assert not before["foreign"]
    assert before["revision"] == before["newest"] == database.newest_revision()
    ask(file, "prove-write", "0.1.0+a", "0.2.0+b")
    assert describe(file)["position"] == before["position"] + 1
    assert json.loads(ask(file, "migrate"))["position"] == before["position"] + 1, "nothing to migrate is no error"
    (Path(settings.paths.secrets) / "audit-key").write_text("c" * 64)
    assert describe(file)["foreign"], "the journal ends in another hand"


def test_the_lists_of_others_are_brought_by_the_upgrade_of_the_tables_and_not_while_the_pages_are_closed_for_it(
    settings: Settings, file: Path
) -> None:
    with opened(settings):
        database.db.session.execute(sa.update(Area).where(Area.code == "73.03.08").values(name="Lama"))
        database.db.session.commit()
    ask(file, "migrate")
    assert name_of(settings, "73.03.08") == "Lama"
    ask(file, "upgrade")
    assert name_of(settings, "73.03.08") != "Lama"


def name_of(settings: Settings, area: str) -> str:
    with opened(settings):
        return str(database.db.session.scalar(sa.select(Area.name).where(Area.code == area)))


@pytest.fixture
def copy(settings: Settings, file: Path, tmp_path: Path) -> Path:
    """What an upgrade kept of the data: the state with number 7, while number 9 was given out since."""
    folder = tmp_path / "copy"
    folder.mkdir()
    write_series(settings, 7)
    if settings.database.url:
        (folder / "database.dump").write_bytes(ask(file, "dump"))
    else:
        (folder / "slrt.db").write_bytes(settings.database_file.read_bytes())
    write_series(settings, 9)
    return folder


def test_the_data_of_then_come_back_but_no_number_is_given_twice(settings: Settings, file: Path, copy: Path) -> None:
    ask(file, "put-back", str(copy), "--taken-at=2026-11-28T01:00:00+00:00", "--by=admin.it", "--reason=kembali ke rilis 0.1.0+a")
    assert series(settings) == 9, "what was given out is passed over"
    with opened(settings):
        told = database.db.session.scalars(sa.select(Restoration)).one()
        assert (told.epoch, told.part, told.exact, told.numbers) == (1, "database", True, {"SLRT-7303-202611": [8, 9]})
        assert audit.verify().ok
    assert (Path(settings.paths.data) / "before-restore-1").is_dir(), "what was replaced stays beside"


def test_a_server_s_data_are_loaded_as_they_were_dumped(settings: Settings, file: Path, copy: Path) -> None:
    if not settings.database.url:
        return
    ask(file, "load", given=(copy / "database.dump").read_bytes())
    assert series(settings) == 7
    ask(file, "load", given=b'{"public.person": 3}\nno dump', ok=False)
    assert series(settings) == 7, "a dump that cannot be read changes nothing"
