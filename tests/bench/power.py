"""How fast the node sees an outage and ends itself in order, beside upsmon alone, and what it costs while nothing happens.

    python tests/bench/power.py [--rounds 5] [--traces 1000] [--sample 8] [--idle 60]

Everything runs on a real NUT (dummy-ups, upsd, upsmon) in folders of its own; traces of flapping mains are played to the pure policy at
accelerated time, and a sample of them to upsmon in real time. Nothing of this machine's own NUT is touched.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from appliance.config import PowerSettings
from appliance.power.handover import FORCE_SHUTDOWN
from appliance.power.policy import Decision, Limits, Memory, Moment, step
from appliance.power.reading import Reading
from tests.bench.measuring import machine
from tests.support.nut import NutLab
from tests.support.waiting import wait_for
from tests.support.watching import Watching, watching

# what upsmon does when nobody sets it up
DEFAULTS = {"FINALDELAY 0": "FINALDELAY 5", "HOSTSYNC 50": "HOSTSYNC 15", "DEADTIME 60": "DEADTIME 15"}
EACH_SECOND = {"POLLFREQ 5": "POLLFREQ 1", "POLLFREQALERT 5": "POLLFREQALERT 1"}
NONSENSE = ("OB DISCHRG LB", "OL LB", "OL DISCHRG", "OB DISCHRG", "OL LB RB")
MAINS, LOW = ("OL", 100), ("OB DISCHRG LB", 8)


@dataclass(frozen=True)
class Row:
    """A line of the table: what we took, what upsmon took, and what we may take."""

    name: str
    ours: str
    upsmon: str
    goal: str
    kept: bool

    def __str__(self) -> str:
        return f"| {self.name} | {self.ours} | {self.upsmon} | {self.goal}{'' if self.kept else ' **missed**'} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rounds", 5), ("traces", 1000), ("sample", 8), ("idle", 60), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):  # what the labs have to tell
        rows = [*reaction(chosen.rounds), flapping(chosen.seed, chosen.traces, chosen.sample), *idle(chosen.idle)]
    print("| | node | upsmon alone, as it comes | goal |\n|---|---|---|---|", *rows, sep="\n")
    print(f"\n{machine(Path(tempfile.gettempdir()))}")
    return 0 if all(row.kept for row in rows) else 1


@contextmanager
def node_on_mains(lab: NutLab) -> Iterator[Watching]:
    """A watcher that has seen the mains, upsmon beside it, and somebody in the place of systemd who passes the flag on."""
    with tempfile.TemporaryDirectory() as folder, watching(lab, Path(folder)) as node:
        node.start()
        node.wait_stage("online")
        lab.start_upsmon_beside_watcher()
        ending = threading.Event()
        passing = threading.Thread(target=_pass_on, args=(lab, node, ending))
        passing.start()
        try:
            yield node
        finally:
            ending.set()
            passing.join()


def _pass_on(lab: NutLab, node: Watching, ending: threading.Event) -> None:
    while not ending.wait(0.005):
        if node.flag(FORCE_SHUTDOWN):
            lab.force_shutdown()
            return


def seconds_until(happened: Callable[[], object], after: Callable[[], None]) -> float:
    """How long it takes from the beginning of `after` until it has happened."""
    began = time.monotonic()
    after()
    wait_for(happened, 120)
    return time.monotonic() - began


def reaction(rounds: int) -> Iterator[Row]:
    """Seeing an outage, and from a low battery or a forced shutdown to the power-off."""
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, seconds in (*_ours().items(), *_of_upsmon().items()):
            found.setdefault(name, []).append(seconds)
    seen, low, forced = found["seen"], found["low"], found["forced"]
    yield Row("mains lost → seen, s", _spread(seen), _spread(found["upsmon seen"]), "≤ 2", max(seen) <= 2)
    their = found["upsmon low"]
    kept = statistics.median(low) <= statistics.median(their)
    yield Row("low battery → power-off, work finished, s", _spread(low), _spread(their), "≤ upsmon", kept)
    yield Row("forced shutdown → SHUTDOWNCMD, s", _spread(forced), _spread(found["upsmon forced"]), "≤ 1", max(forced) <= 1)


def _ours() -> dict[str, float]:
    with NutLab() as lab, node_on_mains(lab) as node:
        seen = seconds_until(lambda: node.state is not None and node.state.mains is False, lambda: lab.say("OB DISCHRG"))
    with NutLab() as lab, node_on_mains(lab):
        low = seconds_until(lambda: lab.powered_off, lambda: lab.say(LOW[0], battery_charge=LOW[1]))
    with NutLab() as lab:
        lab.start_upsmon()
        _let_pass()
        forced = seconds_until(lambda: lab.powered_off, lab.force_shutdown)
    return {"seen": seen, "low": low, "forced": forced}


def _of_upsmon() -> dict[str, float]:
    """upsmon alone with NUT's own settings, and a shutdown command that has nothing to wait for."""
    found = {}
    for name, act, happened in (
        ("seen", lambda lab: lab.say("OB DISCHRG"), lambda lab: lab.heard_by_upsmon("on battery")),
        ("low", lambda lab: lab.say(LOW[0], battery_charge=LOW[1]), lambda lab: lab.powered_off),
        ("forced", lambda lab: lab.processes["upsmon"].send_signal(signal.SIGUSR1), lambda lab: lab.powered_off),
    ):
        with NutLab(edits=DEFAULTS) as lab:
            lab.start_upsmon()
            _let_pass()
            found[f"upsmon {name}"] = seconds_until(
                lambda happened=happened, lab=lab: happened(lab), lambda act=act, lab=lab: act(lab)
            )  # type: ignore[misc]
    return found


def _let_pass() -> None:
    """Go on somewhere between two looks of upsmon, as an outage does."""
    threading.Event().wait(random.uniform(0, 5))  # noqa: S311


def flapping(seed: int, count: int, sample: int) -> Row:
    """How many traces of mains that flap and of words that mean nothing ended in a shutdown."""
    traces = [trace(seed + number) for number in range(count)]
    ours = sum(policy_shuts_down(one) for one in traces)
    chosen = traces[:sample]
    with ThreadPoolExecutor(max(1, sample)) as pool:
        as_it_comes = sum(pool.map(lambda one: upsmon_shuts_down(one, DEFAULTS), chosen))
        quick = sum(pool.map(lambda one: upsmon_shuts_down(one, EACH_SECOND), chosen))
    theirs = f"{as_it_comes} of {sample} (polling each second: {quick})"
    return Row("shutdowns without cause, flapping mains", f"{ours} of {count}", theirs, "0", ours == 0)


def trace(seed: int) -> list[tuple[float, str]]:
    """Twenty seconds of blinks of at most 1.9 s, a fifth of all time: how long, and what the UPS says then."""
    chance = random.Random(seed)  # noqa: S311
    found: list[tuple[float, str]] = []
    while sum(seconds for seconds, _ in found) < 20:
        found += [(chance.uniform(0.5, 8), "OL"), (chance.uniform(0.2, 1.9), chance.choice(NONSENSE))]
    return [*found, (3.0, "OL")]


def policy_shuts_down(played: list[tuple[float, str]], limits: Limits | None = None) -> bool:
    """The watcher's own looks, once a second on mains and twice on battery, without waiting for them."""
    limits = limits or Limits.of(PowerSettings())
    memory, at = Memory(), 0.0
    changes = [(sum(seconds for seconds, _ in played[:place]), status) for place, (_, status) in enumerate(played)]
    end = sum(seconds for seconds, _ in played)
    while at < end:
        status = [said for moment, said in changes if moment <= at][-1]
        heard = Reading(frozenset(status.split()), 100, timedelta(seconds=2700), 224.0, 27.0, 24.0, 12.0)
        now = step(memory, heard, Moment(timedelta(seconds=at), datetime.now(UTC)), limits)
        if now.decision is not Decision.CARRY_ON:
            return True
        memory = now.memory
        at += 0.5 if memory.battery_since is not None else 1.0
    return False


def upsmon_shuts_down(played: list[tuple[float, str]], edits: dict[str, str]) -> bool:
    """upsmon alone, in real time."""
    with NutLab(edits=edits) as lab:
        lab.start_upsmon()
        pause = threading.Event()
        for seconds, status in played:
            lab.say(status)
            pause.wait(seconds)
            if lab.status().startswith("FSD"):
                return True
        return False


def idle(seconds: int) -> Iterator[Row]:
    """What the watcher costs while the mains is there."""
    with NutLab() as lab, tempfile.TemporaryDirectory() as folder, watching(lab, Path(folder)) as node:
        node.start()
        node.wait_stage("online")
        lab.start_upsmon_beside_watcher()
        pids = [node.process.pid if node.process else 0, lab.processes["upsmon"].pid]
        before, began = [_used(pid) for pid in pids], time.monotonic()
        threading.Event().wait(seconds)
        spent = time.monotonic() - began
        ours, theirs = ((_used(pid) - first) / spent * 100 for pid, first in zip(pids, before, strict=True))
        yield Row(f"processor while idle ({seconds} s), % of a core", f"{ours:.2f}", f"{theirs:.2f}", "≤ 0.3", ours <= 0.3)
        mine, other = (_resident(pid) for pid in pids)
        yield Row("memory while idle, MB", f"{mine:.0f}", f"{other:.0f}", "≤ 40", mine <= 40)


def _used(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _spread(seconds: list[float]) -> str:
    return f"{min(seconds):.1f} / {statistics.median(seconds):.1f} / {max(seconds):.1f}"


if __name__ == "__main__":
    sys.exit(main())
