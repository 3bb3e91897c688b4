"""The gate between work and a shutdown, with real locks and, where it matters, a process that is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.gate import Gate, GateClosed
from tests.support.waiting import wait_for

WORKER = """
import sys, time
from pathlib import Path
from appliance.gate import Gate
with Gate(Path(sys.argv[1]), Path(sys.argv[2])).work():
    print("working", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate.lock", tmp_path / "state.json")


def close(gate: Gate) -> None:
    gate.state.write_text(json.dumps({"accepts_work": False}))


def start_worker(gate: Gate) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(gate.lock), str(gate.state)]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert worker.stdout is not None
    assert worker.stdout.readline() == "working\n"
    return worker


def test_work_goes_through_an_open_gate(gate: Gate) -> None:
    with gate.work(), gate.work():
        assert gate.accepts_work()


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"accepts_work": true}', '{"accepts_work": null}', "\x00"])
def test_without_a_clear_no_the_gate_is_open(gate: Gate, text: str) -> None:
    gate.state.write_text(text)
    with gate.work():
        pass


def test_a_closed_gate_refuses_and_holds_nothing(gate: Gate) -> None:
    close(gate)
    with pytest.raises(GateClosed), gate.work():
        pytest.fail("worked behind a closed gate")
    assert gate.wait_until_idle(0)


def test_a_node_that_has_just_started_lets_pass_what_opens_it(gate: Gate) -> None:
    gate.state.write_text(json.dumps({"accepts_work": False, "stage": "boot-hold"}))
    with pytest.raises(GateClosed, match="baru menyala"), gate.work():
        pytest.fail("worked behind a closed gate")
    with gate.work(held_too=True):
        assert not gate.wait_until_idle(0)
    gate.state.write_text(json.dumps({"accepts_work": False, "stage": "draining"}))
    with pytest.raises(GateClosed, match="bersiap mati"), gate.work(held_too=True):
        pytest.fail("worked on the way down")


def test_who_is_refused_in_a_drill_is_not_told_of_an_outage(gate: Gate) -> None:
    gate.state.write_text(json.dumps({"accepts_work": False, "stage": "online", "cause": "drill"}))
    with pytest.raises(GateClosed, match="listrik tidak padam"), gate.work():
        pytest.fail("worked in a drill")


@pytest.mark.parametrize(
    ("published", "accepts"),
    [
        ({}, True),
        ({"accepts_work": True}, True),
        ({"accepts_work": True, "accepts_jobs": False}, False),
        ({"accepts_work": False, "accepts_jobs": True}, False),
    ],
)
def test_long_work_asks_for_itself(gate: Gate, published: dict[str, bool], accepts: bool) -> None:
    gate.state.write_text(json.dumps(published))
    assert gate.accepts_jobs() is accepts


def test_nobody_working_is_idle_at_once(gate: Gate) -> None:
    assert gate.wait_until_idle(0)
    with gate.work():
        pass
    assert gate.wait_until_idle(0)


def test_who_waits_does_not_make_the_lock_its_own(gate: Gate) -> None:
    gate.wait_until_idle(0)
    assert not gate.lock.exists()


def test_running_work_is_not_idle(gate: Gate) -> None:
    with gate.work():
        close(gate)
        assert not gate.wait_until_idle(0)
    assert gate.wait_until_idle(0)


def test_work_in_another_process_is_waited_for(gate: Gate) -> None:
    worker = start_worker(gate)
    close(gate)
    ended: list[bool] = []
    waiter = threading.Thread(target=lambda: ended.append(gate.wait_until_idle(60)))
    waiter.start()
    assert not gate.wait_until_idle(0)
    worker.communicate("\n")
    waiter.join(60)
    assert ended == [True]


def test_a_killed_worker_is_not_waited_for(gate: Gate) -> None:
    worker = start_worker(gate)
    close(gate)
    assert not gate.wait_until_idle(0)
    worker.kill()
    worker.wait()
    assert wait_for(lambda: gate.wait_until_idle(0))


def test_an_exception_in_the_work_opens_the_lock(gate: Gate) -> None:
    with pytest.raises(ZeroDivisionError), gate.work():
        raise ZeroDivisionError
    assert gate.wait_until_idle(0)


def test_who_comes_while_the_watcher_holds_the_lock_is_refused(gate: Gate) -> None:
    """The shutdown wrapper of upsmon holds it for a moment without having published anything."""
    worker = start_worker(gate)
    worker.communicate("\n")
    command = ["flock", "--exclusive", str(gate.lock), "sh", "-c", "echo locked; read line"]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    with pytest.raises(GateClosed), gate.work():
        pytest.fail("worked behind a closed gate")
    holder.communicate("\n")
    with gate.work():
        pass
