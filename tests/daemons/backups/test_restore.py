"""Bringing back the whole, a part or single files on the real borg: beside, swapped, taken back, with what is lost, killed anywhere."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pysqlite3 import dbapi2 as sqlite

from backups import attachments, exchange, repository, restore, take
from backups.errors import BackupError, NoSuchArchive, RepositoryDamaged
from backups.exchange import Swap
from backups.restore import Choice, Part
from backups.settings import Plan
from tests.support.borg import add_attachment, add_rows, contents, flip, ledger, moved, run_now

ONLY_DATABASE = Choice(Part.DATABASE)
NOTE = {"why": "uji"}


def noted(_staged: Path) -> dict[str, str]:
    return NOTE


def note_of(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((plan.data / exchange.NOTE).read_bytes())
    return found


def all_of(plan: Plan) -> dict[str, bytes]:
    """What the services would find."""
    return {f"{name}/{path}": found for name in ("attachments", "identity") for path, found in contents(plan.data / name).items()}


def test_only_the_database_goes_back_and_forth(plan: Plan) -> None:
    old_rows = ledger(plan.database_file)
    later = add_attachment(plan.data, b"a later paper" * 1000)
    last = add_rows(plan, 5)
    files = all_of(plan)

    done = restore.in_place(plan, "1", noted, choice=ONLY_DATABASE)
    assert ledger(plan.database_file) == old_rows
    assert all_of(plan) == files, "papers that came later stay"
    assert later.exists()
    assert (note_of(plan)["run"], note_of(plan)["why"]) == (1, "uji")

    kept = restore.revert(plan, noted)
    assert (done.folder.name, kept.name) == ("before-restore-1", "before-restore-2")
    assert len(rows_of_live(plan)) == last, "the write-ahead log came back with its database"
    restore.revert(plan, noted)
    assert ledger(plan.database_file) == old_rows


def rows_of_live(plan: Plan) -> list[tuple[int, str]]:
    """The ledger with what is still in its log."""
    with closing(sqlite.connect(str(plan.database_file))) as base:
        return list(base.execute("SELECT id, entry FROM ledger ORDER BY id"))


def test_nothing_to_take_back_is_told(plan: Plan) -> None:
    with pytest.raises(NoSuchArchive, match="Tidak ada keadaan lama"):
        restore.revert(plan, noted)


def test_what_the_preparation_refuses_leaves_everything(plan: Plan) -> None:
    def refuse(_staged: Path) -> None:
        raise BackupError("susunan lebih baru")

    add_rows(plan, 2)
    before, rows = all_of(plan), rows_of_live(plan)
    with pytest.raises(BackupError, match="lebih baru"):
        restore.in_place(plan, "1", refuse)
    assert (all_of(plan), rows_of_live(plan)) == (before, rows)
    assert not exchange.is_cut_off(plan.data)


STEPS_OF = ((exchange, "write_whole"), (exchange, "_exchange"), (exchange, "sync_folder"), (Path, "rename"), (Path, "unlink"))
"""Each call that changes a name or puts something on the disk is a moment at which the mains may fail."""


def die_at(moment: int, work: Callable[[], object]) -> bool:
    """Let a child do the work and be killed before its step number `moment`; whether it came so far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def step(real: Callable[..., object]) -> Callable[..., object]:
            def counted(*words: object, **more: object) -> object:
                nonlocal seen
                seen += 1
                if seen == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*words, **more)

            return counted

        for owner, name in STEPS_OF:
            setattr(owner, name, step(getattr(owner, name)))
        try:
            work()
        except BaseException:  # noqa: BLE001 - nothing of the child may come back into the suite
            os._exit(3)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, -signal.SIGKILL}
    return code != 0


def state_of(plan: Plan) -> str:
    """Old, new, or what is neither: by the two things that must never be mixed."""
    key, rows = (plan.data / "identity" / "ca.key").read_text(), len(rows_of_live(plan))
    return {("a locked key", 2000): "old", ("another key", 2007): "new"}.get((key, rows), f"{key}, {rows} rows")


@pytest.mark.parametrize("way", ["restore", "revert"])
def test_killed_at_every_step_of_the_exchange_it_is_all_or_nothing(plan: Plan, tmp_path: Path, way: str) -> None:
    """Until it is written down the data are the old; from then on the next start makes them the new, note and all."""
    place = "restoring" if way == "restore" else "before-restore-1"
    staged = plan.data / place
    for name in ("attachments", "identity", "database"):
        shutil.copytree(plan.data / name, staged / name)
    other = replace(plan, data=staged)
    add_rows(other, 7)
    (staged / "identity" / "ca.key").write_text("another key")
    rows_of_live(other)
    moment, ends, killed = 0, set[str](), True
    while killed:
        moment += 1
        shutil.copytree(plan.data, tmp_path / "at" / "data")
        victim = moved(plan, tmp_path / "at")
        killed = die_at(moment, partial(begin_and_finish if way == "restore" else revert, victim))
        cut = restore.finish(victim.data)
        found = state_of(victim)
        assert found in {"old", "new"}, f"killed at {moment}: {found}"
        assert (victim.data / exchange.NOTE).exists() == (found == "new"), f"killed at {moment}"
        assert not restore.finish(victim.data)
        ends.add(f"{found} {cut}")
        shutil.rmtree(tmp_path / "at")
    assert moment > 8
    assert ends == {"old False", "new True", "new False"}


def begin_and_finish(plan: Plan) -> None:
    exchange.begin(plan.data, Swap(plan.data / "restoring", ["attachments", "identity", "database"], NOTE))
    restore.finish(plan.data)


def revert(plan: Plan) -> None:
    restore.revert(plan, noted)


def damage(plan: Plan, wanted: Path) -> None:
    """Flip a bit in the part of the repository that holds the content of one attachment: it is stored as it is, for it is random."""
    marker = wanted.read_bytes()[5000:5016]
    for file in plan.repository.glob("data/*/*"):
        if (place := file.read_bytes().find(marker)) >= 0:
            flip(file, place)
            return
    raise AssertionError("the content is not in the repository")


@pytest.fixture(scope="session")
def damaged_template(empty_template: Plan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, str]:
    """A node with one backup in which one of its papers cannot be read any more."""
    folder = tmp_path_factory.mktemp("damaged") / "node"
    shutil.copytree(empty_template.data, folder / "data")
    plan = moved(empty_template, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository.Engine, "init", plain_init)
        repository.init(plan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(take, "FILES", ("--compression=none",))
        papers = [add_attachment(plan.data, os.urandom(60_000)) for _ in range(6)]
        run_now(plan)
    damage(plan, papers[3])
    return plan, str(papers[3].relative_to(plan.data))


@pytest.fixture
def damaged(damaged_template: tuple[Plan, str], tmp_path: Path) -> tuple[Plan, Path]:
    plan, name = damaged_template
    shutil.copytree(plan.data.parent, tmp_path / "node")
    own = moved(plan, tmp_path / "node")
    return own, own.data / name


def plain_init(engine: Any) -> None:
    """A repository that signs but does not encrypt, so that a test can say which paper it breaks."""
    engine._borg("init", "--encryption=authenticated-blake2", "--make-parent-dirs", str(engine.folder))


def test_what_is_damaged_is_named_and_the_rest_comes_back(damaged: tuple[Plan, Path], tmp_path: Path) -> None:
    plan, paper = damaged
    done = restore.restore(plan, "1", tmp_path / "back")
    name = str(paper.relative_to(plan.data))
    assert done.losses == (name,)
    assert json.loads((tmp_path / "back" / restore.LOSSES).read_text()) == [name]
    rest = contents(plan.data / "attachments")
    del rest[str(paper.relative_to(plan.data / "attachments"))]
    assert contents(tmp_path / "back" / "attachments") == rest
    assert ledger(tmp_path / "back" / "database" / "slrt.db") == ledger(plan.database_file)


def test_in_place_a_lost_paper_is_taken_from_the_data_or_refused(damaged: tuple[Plan, Path]) -> None:
    plan, paper = damaged
    before = contents(plan.data / "attachments")
    assert restore.in_place(plan, "1", noted).losses == ()
    assert contents(plan.data / "attachments") == before, "the data had it still"

    (plan.data / paper.relative_to(plan.data)).unlink()
    shutil.rmtree(plan.data / "before-restore-1")
    held = contents(plan.data / "attachments")
    with pytest.raises(RepositoryDamaged, match=r"1 berkas .* tidak terbaca lagi"):
        restore.in_place(plan, "1", noted)
    assert contents(plan.data / "attachments") == held
    assert restore.in_place(plan, "1", noted, choice=Choice(accept_losses=True)).losses == (str(paper.relative_to(plan.data)),)


def test_missing_and_altered_papers_are_found_and_brought_back(plan: Plan) -> None:
    names = sorted(path.name for path in (plan.data / "attachments").rglob("*") if path.is_file())
    missing, altered, fine = (plan.data / attachments.place_of(name) for name in names[:3])
    whole = {path: path.read_bytes() for path in (missing, altered, fine)}
    missing.unlink()
    flip(altered)
    wrong = altered.read_bytes()
    unknown = "0" * 64

    faults = attachments.look_for_faults(plan.data, [*names, unknown])
    assert set(faults.missing) == {missing.name, unknown}
    assert (faults.altered, faults.seen) == ((altered.name,), len(names) + 1)

    kept = attachments.find_kept(plan, faults)
    assert {name: one.number for name, one in kept.items()} == {missing.name: 1, altered.name: 1}
    assert (missing.exists(), altered.read_bytes()) == (False, wrong), "to look brings nothing back"
    back = attachments.put_back(plan, faults.wanted)
    assert back.found == {missing.name: 1, altered.name: 1}
    assert back.absent == (unknown,)
    assert {path: path.read_bytes() for path in whole} == whole
    (aside,) = (plan.state / attachments.ALTERED).iterdir()
    assert aside.read_bytes() == wrong
    assert attachments.look_for_faults(plan.data, names).wanted == ()


def test_a_paper_that_the_newest_backup_never_had_comes_from_an_older_one(plan: Plan) -> None:
    paper = next(path for path in (plan.data / "attachments").rglob("*") if path.is_file())
    content = paper.read_bytes()
    paper.unlink()
    run_now(plan)
    assert attachments.find_kept(plan, attachments.Faults((paper.name,), (), 1))[paper.name].number == 1
    assert attachments.put_back(plan, [paper.name], "2").absent == (paper.name,)
    assert attachments.put_back(plan, [paper.name]).found == {paper.name: 1}
    assert paper.read_bytes() == content


def test_a_backup_made_after_a_paper_was_altered_is_not_offered_for_it(plan: Plan) -> None:
    paper = next(path for path in (plan.data / "attachments").rglob("*") if path.is_file())
    flip(paper)
    run_now(plan)
    faults = attachments.look_for_faults(plan.data, [paper.name])
    assert attachments.find_kept(plan, faults)[paper.name].number == 1
    assert not any(plan.scratch.iterdir())
