"""The proofs: a rehearsal that restores everything and compares it, a reading of all data that names what a medium forgot."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backups import book, catalogue, outcome, repository, sqlite, sums
from backups.clock import moment
from backups.errors import BackupError, Mismatch, NoSpace, RepositoryDamaged, Stopped
from backups.ladder import ALL_DATA_STEPS, REHEARSAL_STEPS, read_everything, rehearse
from backups.manifest import Manifest
from backups.schedule import Depth
from backups.settings import MEBIBYTE, Plan, Retention
from backups.sqlite import Content
from backups.verify import altered
from tests.support.borg import add_attachment, add_rows, contents, flip, run_now


def now() -> datetime:
    return datetime.now(UTC)


def segment(plan: Plan) -> Path:
    """The piece of the repository that holds most of the database."""
    return max((plan.repository / "data").glob("*/*"), key=lambda path: path.stat().st_size)


def complete(plan: Plan) -> list[int]:
    return [run.number for run in catalogue.list_runs(repository.engine(plan)) if run.complete]


def manifest_of(plan: Plan, number: int) -> Manifest:
    engine = repository.engine(plan)
    return catalogue.read_manifest(engine, catalogue.find(catalogue.list_runs(engine), str(number)))


def test_a_rehearsal_restores_compares_every_table_and_is_noted(plan: Plan) -> None:
    run_now(plan, hashes=True)
    said: list[str] = []
    line = rehearse(plan, moment(now()), say=said.append)

    assert (line.ok, line.number, line.kind) == (True, 2, Depth.REHEARSAL)
    assert "2.000 baris, 1 tabel sama isinya, 6 berkas" in line.text
    assert (len(said), len(line.steps)) == (REHEARSAL_STEPS, REHEARSAL_STEPS)
    assert book.lines(plan.state)[-1] == replace(line, seconds=round(line.seconds, 1))
    assert not any(plan.scratch.iterdir())
    assert set(manifest_of(plan, 2).tables) == {"ledger"}


def test_a_flipped_bit_is_named_stops_the_forgetting_and_what_is_whole_is_told(plan: Plan) -> None:
    """The bit lies in the first run's attachments; the database and later runs without them are whole."""
    rule = replace(plan, retention=Retention(1, 0, 0, 0, newest=1))
    broken = segment(plan)
    flip(broken)
    name = str(broken.relative_to(plan.repository))
    with pytest.raises(RepositoryDamaged, match=name) as caught:
        read_everything(rule, moment(now()))
    assert "yang kena: 1" in caught.value.message

    line = book.lines(plan.state)[-1]
    assert (line.ok, line.kind) == (False, Depth.ALL_DATA)
    flip(broken)  # as it was: the next run succeeds, but nothing is forgotten while the last proof failed
    add_rows(plan, 3)
    run_now(rule)
    assert complete(plan) == [1, 2]
    rehearse(rule, moment(now()))
    run_now(rule, now() + timedelta(days=1))
    assert complete(plan) == [2, 3], "the rehearsed one and the newest"


def test_reading_everything_finds_nothing_wrong_with_a_whole_repository(plan: Plan) -> None:
    said: list[str] = []
    line = read_everything(plan, moment(now()), say=said.append)
    assert (line.ok, line.number, len(said)) == (True, 1, ALL_DATA_STEPS)
    assert "sama sampai bita terakhir" in line.text  # that run had not hashed its tables


def test_a_bit_flipped_in_any_file_of_the_repository_is_named(plan: Plan) -> None:
    """borg's own check passes over its settings, counters and newest index: the hashes do not."""
    sums.note(plan.state, plan.repository)  # the fixture's copy lies in another place
    dice = random.Random(4711)  # noqa: S311 - the same places each time
    files = [path for path in sorted(plan.repository.rglob("*")) if path.is_file() and path.name != repository.RESERVE]
    assert {"config", "nonce", "README"} <= {path.name for path in files}
    for path in files:
        place = dice.randrange(path.stat().st_size)
        flip(path, place)
        assert sums.damaged(plan.state, plan.repository) == [str(path.relative_to(plan.repository))]
        flip(path, place)
    assert sums.damaged(plan.state, plan.repository) == []


def test_a_file_that_a_program_wrote_again_is_no_damage(plan: Plan) -> None:
    sums.note(plan.state, plan.repository)
    (plan.repository / "config").write_bytes((plan.repository / "config").read_bytes() + b"\n")
    assert sums.damaged(plan.state, plan.repository) == []
    (plan.state / sums.NAME).write_text("{")
    assert sums.damaged(plan.state, plan.repository) == []
    sums.note(plan.state, plan.repository)
    flip(plan.repository / "config")
    assert sums.damaged(plan.state, plan.repository) == ["config"]


def test_without_room_for_it_a_rehearsal_says_so_and_leaves_nothing(plan: Plan) -> None:
    greedy = replace(plan, reserve_bytes=1 << 50)
    with pytest.raises(NoSpace, match="Disk data"):
        rehearse(greedy, moment(now()))
    assert not any(plan.scratch.iterdir())
    assert not book.lines(plan.state)[-1].ok


def test_a_stopped_proof_leaves_no_line(plan: Plan) -> None:
    before, said = book.lines(plan.state), list[str]()
    with pytest.raises(Stopped):
        rehearse(plan, moment(now()), stop=lambda: len(said) >= 2, say=said.append)
    assert book.lines(plan.state) == before
    assert outcome.read(plan.state).last_good is not None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (Content({"ledger": 1999}), "Jumlah baris .*ledger"),
        (Content({"ledger": 2000, "gone": 3}), "Jumlah baris .*gone"),
        (Content({"ledger": 2000}, {"ledger": "0" * 32}), "Isi tabel .*ledger"),
    ],
)
def test_what_differs_between_a_restored_database_and_the_record_is_named(plan: Plan, content: Content, what: str) -> None:
    with pytest.raises(Mismatch, match=what):
        sqlite.examine(plan.database_file, content, thorough=False)


def test_a_single_changed_value_changes_the_hash_of_its_table(plan: Plan) -> None:
    with sqlite.closing(sqlite.connect(plan.database_file)) as base:
        before = sqlite.hash_rows(base)
        base.execute("UPDATE ledger SET entry = 'x' WHERE id = 1000")
        after = sqlite.hash_rows(base)
        base.execute("UPDATE ledger SET entry = ? WHERE id = 1000", ["entry 1000 " * 40])
        assert sqlite.hash_rows(base) == before != after
        base.execute('CREATE TABLE "it\'s ""odd""" (a BLOB, b REAL, c)')
        base.execute('INSERT INTO "it\'s ""odd""" VALUES (x\'00ff\', 0.1, NULL)')
        assert len(sqlite.hash_rows(base)) == 2


def test_an_altered_attachment_is_listed(plan: Plan, tmp_path: Path) -> None:
    shutil.copytree(plan.data / "attachments", tmp_path / "attachments")
    names = sorted(str(path.relative_to(plan.data)) for path in (plan.data / "attachments").rglob("*") if path.is_file())
    assert altered(plan.data, tmp_path, names, now()) == []
    (tmp_path / names[2]).write_bytes(b"something else")
    assert altered(plan.data, tmp_path, names, now()) == [names[2]]


def test_an_attachment_that_is_not_what_its_name_says_fails_the_rehearsal(plan: Plan) -> None:
    file = add_attachment(plan.data, b"what it was")
    file.write_bytes(b"what it is now")
    run_now(plan)
    with pytest.raises(Mismatch, match=f"1 berkas.*{file.name}"):
        rehearse(plan, moment(now()))
    assert contents(plan.scratch) == {}


def test_a_reserve_does_not_count_as_a_piece(plan: Plan) -> None:
    assert (plan.repository / repository.RESERVE).stat().st_size == MEBIBYTE
    sums.note(plan.state, plan.repository)
    flip(plan.repository / repository.RESERVE)
    assert sums.damaged(plan.state, plan.repository) == []
    with pytest.raises(BackupError):
        repository.require_room(plan.repository, 1 << 60, "x")
