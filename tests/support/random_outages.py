"""Outages of a booted machine at random moments, while somebody saves all the time: what was answered must be there afterwards."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.machine import Machine, wait_for
from tests.support.office import Office
from tests.support.story import NIK, Node, open_case

ON_BATTERY_SECONDS = 10  # the shortest that the settings allow
LONGEST = 26.0  # seconds of an outage that ends: well past the decision and into the shutdown
# what else goes wrong → what makes it so in the machine
FAULTS = {
    "nothing": "true",
    "watcher killed": "systemctl kill --signal=KILL slrt-watcher",
    "upsd killed": "systemctl kill --signal=KILL nut-server",
    "database hung": "systemd-run --quiet --collect --uid=slrt /opt/slrt/current/venv/bin/python -c "
    '\'import time; from pysqlite3 import dbapi2 as d; c = d.connect("/var/lib/slrt/database/slrt.db", timeout=20, isolation_level=None); '
    'c.execute("BEGIN IMMEDIATE"); time.sleep(45)\'',
}
NUMBERS = """/opt/slrt/current/venv/bin/python -c '
from pysqlite3 import dbapi2
rows = dbapi2.connect("file:/var/lib/slrt/database/slrt.db?mode=ro", uri=True).execute("select number from \\"case\\"")
print(*(row[0] for row in rows), sep="\\n")
'"""


@dataclass(frozen=True)
class Outage:
    """One outage: the mains returns after `back` seconds, or never (None); the fault comes after `fault_at` seconds."""

    back: float | None
    fault: str
    fault_at: float

    def __str__(self) -> str:
        mains = "no return" if self.back is None else f"return after {self.back:4.1f} s"
        return f"{mains}, {self.fault}" + ("" if self.fault == "nothing" else f" after {self.fault_at:.1f} s")


def outages(seed: int, count: int) -> list[Outage]:
    """So many outages; each fault and each kind of return comes early, so that a short run has seen them."""
    chance, faults = random.Random(seed), list(FAULTS)  # noqa: S311
    chance.shuffle(faults)
    found = []
    for number in range(count):
        late = chance.uniform(ON_BATTERY_SECONDS, LONGEST)
        back = (chance.uniform(0.5, ON_BATTERY_SECONDS - 4), late, None)[number % 3]
        found.append(Outage(back, faults[number % len(faults)], chance.uniform(0.0, ON_BATTERY_SECONDS)))
    return found


@dataclass
class Clerk:
    """Somebody at the counter who opens one case after the other, also through outages. `answered` are the numbers she was shown."""

    node: Node
    answered: list[str] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def working(self) -> Iterator[None]:
        self._ending.clear()
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join(90)

    def _work(self) -> None:
        while not self._ending.is_set():
            # no answer, or the page that says "not now": she tries again
            with suppress(Exception):
                desk = self.node.sign_in("fo.ani")
                while not self._ending.wait(0.2):
                    self._save(desk)
            self._ending.wait(0.5)

    def _save(self, desk: Office) -> None:
        desk.visit("/warga")
        desk.press("Cari", q=NIK)
        desk.follow("Buka kasus baru")
        self.answered.append(open_case(desk, f"Simpanan ke-{len(self.answered)}."))


def play(machine: Machine, outage: Outage) -> str:
    """Play it to its end: `running` or `off`. Fails when the machine is neither within two minutes."""
    began = time.monotonic()
    machine.run("slrt power simulate ob")
    for moment, command in sorted(_moments(outage)):
        _wait_until(began + moment, machine)
        with suppress(Exception):  # the machine may be going down
            machine.run(command, seconds=20, check=False)
    wait_for("the machine is off, or at work again", lambda: not machine.is_on() or _at_work(machine, outage), 180, pause=0.5)
    return "running" if machine.is_on() else "off"


def _wait_until(moment: float, machine: Machine) -> None:
    """Wait for a moment of the monotonic clock, or until the machine is off."""
    late = max(0.0, moment - time.monotonic())
    wait_for("the moment has come", lambda: time.monotonic() >= moment or not machine.is_on(), late + 5)


def _moments(outage: Outage) -> list[tuple[float, str]]:
    back = [] if outage.back is None else [(outage.back, "slrt power simulate ol")]
    return [*back, (outage.fault_at, FAULTS[outage.fault])]


def _at_work(machine: Machine, outage: Outage) -> bool:
    """Whether the mains is back for the node, and it takes work."""
    if outage.back is None:
        return False
    with suppress(Exception):
        # upsmon is one of the two: with upsd gone it may be on its way to a shutdown that nothing shows yet
        both_there = 'test "$(upsc -c apc 2>/dev/null | wc -l)" -ge 2'
        state = json.loads(machine.run(f"{both_there} && cat /run/slrt-power/state.json", seconds=20).out)
        return bool(state["mains"] and state["accepts_work"] and state["stage"] == "online")
    return False


def stored(machine: Machine) -> set[str]:
    """The numbers of all cases in the database."""
    return set(machine.run(NUMBERS).out.split())
