"""A node whose backups are killed again and again, at random moments of random work: what must hold after each time.

Without anybody's help the same work succeeds the next time, a backup is made and old ones are forgotten, and every complete backup,
on the stick too, brings back exactly what was there: each table's rows by a hash, each file by its own.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite

from backups import catalogue, files, repository, restore
from backups.lock import is_running
from backups.settings import Plan, Retention
from tests.support.backup_work import WORKS, Desk, Victim
from tests.support.borg import add_attachment, entry
from tests.support.sticks import Bench, cleared, own_mounts
from tests.support.waiting import wait_for

# what is killed → its work, and the steps of it
PHASES: dict[str, tuple[str, range]] = {
    "backup": ("store", range(1, 6)),
    "forgetting": ("store", range(6, 7)),
    "copy to the stick": ("copy", range(1, 7)),
    "rehearsal": ("rehearse", range(1, 6)),
    "restore beside": ("bring_back", range(1, 3)),
    "restore in place": ("put_back", range(1, 4)),
}
STORING = ("store", "copy")
WHO = ("all", "all", "engine", "run")
WITHOUT_ENGINE = {("restore in place", 3)}
MOST_KEPT = 3  # the newest two, and the one that was rehearsed
USUAL_SECONDS = 0.7  # of a step, until one has been timed


@dataclass(frozen=True)
class Blow:
    """A kill: in which phase and step, after which part of the time that the step usually takes, and what of the run it takes."""

    phase: str
    step: int
    part: float
    who: str

    def __str__(self) -> str:
        return f"{self.phase}, step {self.step}, {self.part:.0%} of it, {self.who} killed"


def blows(seed: int, count: int) -> list[Blow]:
    """So many; each phase comes early, so that a short run has seen them."""
    chance, phases = random.Random(seed), list(PHASES)  # noqa: S311
    chance.shuffle(phases)
    found = []
    for number in range(count):
        phase = phases[number % len(phases)]
        step, who = chance.choice(PHASES[phase][1]), chance.choice(WHO)
        if (phase, step) in WITHOUT_ENGINE:
            who = "all"
        found.append(Blow(phase, step, chance.random(), who))
    return found


@dataclass(frozen=True)
class Content:
    """What a node holds: a hash of each table's rows, and of each file."""

    tables: Mapping[str, str]
    files: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, mode: str) -> Content:
        """Of a data folder, `mode` as SQLite's URI takes it."""
        file = folder / "database" / "slrt.db"
        with closing(sqlite.connect(f"{file.as_uri()}?{mode}", uri=True)) as base:
            names = [name for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
            rows = {name: list(base.execute(f"SELECT * FROM {name} ORDER BY 1")) for name in names}  # noqa: S608 - our own names
        paths = [path for top in ("attachments", "identity") for path in (folder / top).rglob("*") if path.is_file()]
        tables = {name: _hash(repr(found).encode()) for name, found in rows.items()}
        return cls(tables, {str(path.relative_to(folder)): _hash(path.read_bytes()) for path in sorted(paths)})


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass
class Endurance:
    """The node under kills. `usual` are the seconds of each work's steps; `truth` what each backup of each repository must hold.

    `recover` is what happens between the kill and the next run: nothing, or that the machine loses its power.
    """

    desk: Desk
    seed: int
    recover: Callable[[], None] = lambda: None
    usual: dict[str, tuple[float, ...]] = field(default_factory=dict)
    truth: dict[Path, dict[int, Content]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311

    def begin(self) -> None:
        """The first backup on both disks; all that is stored later is compared with what was there."""
        for work in STORING:
            self._succeed(work)

    def play(self, blow: Blow) -> str:
        """One kill and what follows. Gives what was compared. Fails when anything was lost, or needs somebody."""
        now, work = self._work_a_while(), PHASES[blow.phase][0]
        newest = self._newest()
        self._strike(work, blow)
        wait_for(lambda: not self._is_busy(), 120, "what outlived the run has ended")
        self.recover()
        restore.finish(self._own.data)
        after = self._live()
        assert after == now or (work == "put_back" and after == newest), "neither what was there nor what was restored"
        self._note_what_the_dead_completed(work, after)
        self._succeed(work)
        if work not in STORING:
            self._succeed("store")
        return f"{self._compare(self._plan_of(work))} backups came back"

    @property
    def _own(self) -> Plan:
        return self.desk.bench.plan

    def _plan_of(self, work: str) -> Plan:
        """With the repository that is worked on: the node's own, or the stick's."""
        return self.desk.bench.target(self.desk.stick) if work == "copy" else self._own

    def _newest(self) -> Content:
        """What the newest backup of the node's own repository holds."""
        known = self.truth[self._own.repository]
        return known[max(known)]

    def _live(self) -> Content:
        return Content.of(self._own.data, "mode=ro")

    def _work_a_while(self) -> Content:
        """What an office changes; on the disk when it is done."""
        with closing(sqlite.connect(str(self._own.database_file), isolation_level=None)) as base:
            last = base.execute("SELECT max(id) FROM ledger").fetchone()[0]
            base.execute("BEGIN IMMEDIATE")
            base.executemany("INSERT INTO ledger VALUES (?, ?)", [(last + one, entry(last + one)) for one in range(1, 20)])
            for _ in range(20):
                changed = (self.dice.randbytes(40).hex(), self.dice.randint(1, last))
                base.execute("UPDATE ledger SET entry = ? WHERE id = ?", changed)
            base.execute("CREATE TABLE IF NOT EXISTS person (id INTEGER PRIMARY KEY, name TEXT)")
            base.execute("INSERT INTO person (name) VALUES (?)", (self.dice.randbytes(9).hex(),))
            base.execute("COMMIT")
        photo = add_attachment(self._own.data, self.dice.randbytes(30_000))
        subprocess.run(["sync", photo, photo.parent, photo.parent.parent], check=True)
        return self._live()

    def _strike(self, work: str, blow: Blow) -> None:
        """Begin the work and kill it in the middle. One that was too fast is tried again, killed sooner."""
        part = blow.part
        for _ in range(8):
            times = self.usual.get(work, ())
            usual = times[blow.step - 1] if len(times) >= blow.step else USUAL_SECONDS
            victim = Victim.start(self.desk, work)
            if victim.wait_for_step(blow.step, part * usual) and victim.kill(blow.who):
                return
            assert victim.process.wait(120) == 0, victim.log.read_text()
            part *= 0.6
        raise AssertionError(f"never in time: {blow}")

    def _is_busy(self) -> bool:
        places = [folder for work in STORING for folder in (self._plan_of(work).repository, self._plan_of(work).state)]
        return any(map(is_running, places))

    def _note_what_the_dead_completed(self, work: str, content: Content) -> None:
        """A run that died after its last mark has left a complete backup of what was there."""
        plan = self._plan_of(work)
        if work in STORING:
            found = {run.number for run in catalogue.list_runs(repository.engine(plan)) if run.complete}
            known = self.truth[plan.repository]
            known.update(dict.fromkeys(found - known.keys(), content))

    def _succeed(self, work: str) -> None:
        """The work once more, to its end; a backup that it made is of what is there now."""
        began: list[float] = []
        number = WORKS[work](self.desk, lambda _text: began.append(time.monotonic()))
        self.usual[work] = tuple(end - begin for begin, end in zip(began, [*began[1:], time.monotonic()], strict=True))
        if work in STORING:
            self.truth.setdefault(self._plan_of(work).repository, {})[number] = self._live()
        if work == "put_back":
            assert self._live() == self._newest()
            for old in self._own.data.glob("before-restore-*"):
                shutil.rmtree(old)

    def _compare(self, plan: Plan) -> int:
        """Nothing but complete backups is left, and each is what it was. How many."""
        engine = repository.engine(plan)
        stored = engine.archives()
        numbers = [run.number for run in catalogue.runs(stored) if run.complete]
        assert {one.name for one in stored} == {f"{kind}-{number}" for kind in ("db", "att", "ok") for number in numbers}
        assert len(numbers) <= MOST_KEPT, "old ones are forgotten"
        for number in numbers:
            back = files.empty_folder(self.desk.beside)
            (back / "database").mkdir()
            with (back / "database" / "slrt.db").open("wb") as file:
                engine.read(f"db-{number}", "slrt.db", file.write)
            engine.extract(f"att-{number}", back)
            assert Content.of(back, "mode=ro&immutable=1") == self.truth[plan.repository][number], number
        return len(numbers)


@contextmanager
def enduring(plan: Plan) -> Iterator[Desk]:
    """A node that keeps few backups, with a stick that is plugged in."""
    own_mounts()
    with cleared(Bench.of(replace(plan, retention=Retention(1, 0, 0, 0, newest=2)))) as bench:
        stick = bench.prepare(bench.blank("a").plug(), "A")
        bench.look()
        yield Desk(bench, stick)


def play_all(endurance: Endurance, blows: Sequence[Blow], capsys: pytest.CaptureFixture[str]) -> None:
    """Play them one after the other, and say what became of each."""
    endurance.begin()
    for number, blow in enumerate(blows, start=1):
        began = time.monotonic()
        with capsys.disabled():
            print(f"\n  seed {endurance.seed}, {number}: {blow}", end="", flush=True)
            said = endurance.play(blow)
            print(f" -> {said}, {time.monotonic() - began:.0f} s", end="", flush=True)
