"""What the scheduler asks of the backups' own user: done once, by the words of a short list, and never waited for in vain."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance import backup_errands as errands
from appliance.backup_errands import Errand
from appliance.commands.backing_up import have_backed_up_first
from appliance.errors import EXIT_CONFIGURATION, EXIT_FAILED, EXIT_TRY_LATER, ApplianceError, TryLater
from backups import outcome
from backups.clock import moment
from backups.outcome import Outcome
from tests.support.waiting import wait_for

KEEPER = """
import sys, time
from pathlib import Path
from appliance import backup_errands as errands
with errands.doing(Path(sys.argv[1])) as errand:
    print(errand.words, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def asker() -> ThreadPoolExecutor:
    return ThreadPoolExecutor()


def ask(asker: ThreadPoolExecutor, runtime: Path, words: Sequence[str], ending: threading.Event | None = None) -> Future[int]:
    """Ask in a thread of its own; returns when the errand waits."""
    asked = asker.submit(errands.send, runtime, words, (ending or threading.Event()).is_set)
    wait_for(lambda: (runtime / errands.ERRAND).exists() or asked.done(), what="the errand")
    return asked


@pytest.mark.parametrize("code", [0, 1, 75])
def test_the_asker_gets_the_code_of_what_was_done(asker: ThreadPoolExecutor, tmp_path: Path, code: int) -> None:
    asked = ask(asker, tmp_path, ("disk", "copy", "A"))
    with errands.doing(tmp_path) as errand:
        assert errand is not None
        assert errand.words == ("disk", "copy", "A")
        assert errands.is_under_way(tmp_path)
        assert errands.send(tmp_path, ("run",), lambda: False) == EXIT_TRY_LATER, "one at a time"
        errands.answer(tmp_path, Errand("another", ()), 9)
        errands.answer(tmp_path, errand, code)
    assert asked.result(20) == code
    assert not errands.is_under_way(tmp_path)
    with errands.doing(tmp_path) as errand:
        assert errand is None, "done once"


@pytest.mark.parametrize(
    "words",
    [
        ("restore", "terakhir", "--in-place"),
        ("disk", "copy", "A --config /tmp/x"),
        ("run", "--config", "/tmp/x"),
        ("key", "rotate"),
        ("init", "--anew"),
        (),
    ],
)
def test_what_is_on_no_list_is_not_done(asker: ThreadPoolExecutor, tmp_path: Path, words: tuple[str, ...]) -> None:
    asked = ask(asker, tmp_path, words)
    with errands.doing(tmp_path) as errand:
        assert errand is None
    assert asked.result(20) == EXIT_FAILED


def test_rubbish_and_links_are_thrown_away(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"key": "1", "words": ["run"]}')
    for leave in (
        lambda: (tmp_path / errands.ERRAND).write_bytes(b"\xff{"),
        lambda: (tmp_path / errands.ERRAND).symlink_to(secret),
    ):
        leave()
        with errands.doing(tmp_path) as errand:
            assert errand is None
        assert not (tmp_path / errands.ERRAND).is_symlink()
        assert not (tmp_path / errands.ERRAND).exists()
    assert secret.exists()


def test_a_killed_keeper_leaves_a_failure_and_the_next_errand_is_done(asker: ThreadPoolExecutor, tmp_path: Path) -> None:
    asked = ask(asker, tmp_path, ("run",))
    command = [sys.executable, "-c", KEEPER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"('run',)\n"
        assert not asked.done()
        keeper.send_signal(signal.SIGKILL)
    assert asked.result(20) == EXIT_FAILED
    again = ask(asker, tmp_path, ("prove",))
    with errands.doing(tmp_path) as errand:
        assert errand is not None
        errands.answer(tmp_path, errand, 0)
    assert again.result(20) == 0


def test_two_who_ask_at_once_do_not_take_each_other_for_the_keeper(tmp_path: Path) -> None:
    """Who is told that an errand is under way tries later, and an order of the pages would be lost by that."""
    with (tmp_path / errands.LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        assert not errands.is_under_way(tmp_path)
    assert not errands.is_under_way(tmp_path / "not-there")


def test_who_ends_takes_back_what_nobody_began(asker: ThreadPoolExecutor, tmp_path: Path) -> None:
    ending = threading.Event()
    asked = ask(asker, tmp_path, ("run",), ending)
    ending.set()
    assert asked.result(20) == EXIT_TRY_LATER
    assert not (tmp_path / errands.ERRAND).exists()


def test_nobody_who_takes_it_is_a_fault_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errands, "TAKEN_SECONDS", 0.3)
    assert errands.send(tmp_path, ("run",), lambda: False) == EXIT_CONFIGURATION
    assert not (tmp_path / errands.ERRAND).exists()
    # what an asker left that died is no reason to wait for ever
    (tmp_path / errands.ERRAND).write_text("{}")
    wait_for(lambda: errands.send(tmp_path, ("run",), lambda: False) == EXIT_CONFIGURATION, what="its own turn")


def test_a_change_begins_only_after_the_backup_that_was_asked_for(tmp_path: Path) -> None:
    def asking(*codes: int) -> str:
        left = iter(codes)
        return have_backed_up_first(tmp_path, lambda: next(left), lambda: False, "sebelum impor dibatalkan")

    at = moment(datetime.now(UTC))
    outcome.write(tmp_path, Outcome(at, True, "7", "Cadangan 7 lengkap."))
    assert asking(EXIT_TRY_LATER, 0) == "Cadangan 7 lengkap.", "it waits for its turn"
    with pytest.raises(ApplianceError, match="tidak ada yang diubah"):
        asking(EXIT_CONFIGURATION)
    outcome.write(tmp_path, Outcome(at, False, None, "Disk penuh.", "Kosongkan disk itu."))
    with pytest.raises(ApplianceError, match="Disk penuh") as told:
        asking(EXIT_FAILED)
    assert told.value.hint == "Kosongkan disk itu."
    with pytest.raises(TryLater):
        have_backed_up_first(tmp_path, lambda: EXIT_TRY_LATER, lambda: True, "sebelum impor dibatalkan")
