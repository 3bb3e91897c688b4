"""The power watcher: a daemon whose cycle is read → decide → act → one sentence.

It must outlive everything else: it knows neither the database nor the pages, keeps going when upsd goes away, and whatever it
decides is on the disk before it acts, so that a killed watcher's successor goes on where it stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.config import Settings, config_path, load, read_secret
from appliance.errors import ApplianceError, ConfigurationError, TryLater
from appliance.gate import DRILL, Gate
from appliance.notify import notify
from appliance.power import drain_drill, handover, journal, memory, samples, sentences
from appliance.power.chain_news import ChainNews
from appliance.power.changes import changed, noticed
from appliance.power.handover import Handover
from appliance.power.journal import End, Entry, Event
from appliance.power.memory import Recalled
from appliance.power.notices import Notice, notices_of
from appliance.power.policy import Around, Decision, Limits, Memory, Moment, Stage, Step, accepts_jobs, step
from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.seeing import comms
from appliance.power.selftest import note_self_test
from appliance.power.stages import PREPARING
from appliance.power.state import STATE_FILE, State, publish
from appliance.power.ups import Ups

CYCLE = timedelta(seconds=1)
CYCLE_ON_BATTERY = timedelta(seconds=0.5)
ALIVE_EVERY = timedelta(seconds=30)  # how exactly a crash can be dated
WATCHER_USER = "watcher"
LOCK = "watcher.lock"

log = logging.getLogger("slrt-watcher")


class Watcher:
    """One UPS watched for one node. `ups` is None when the settings know no UPS."""

    def __init__(self, settings: Settings, ups: Ups | None, alarm: Path = handover.ALARM) -> None:
        power = settings.power
        self._runtime, self._folder = Path(power.runtime), Path(power.state)
        self._journal = self._folder / journal.JOURNAL_FILE
        self._limits = Limits.of(power)
        self._ups = ups
        self._needs_alarm = power.ups == "usb"
        self._gate_folder = Path(settings.paths.runtime)
        gate = Gate(self._gate_folder / "gate.lock", self._runtime / STATE_FILE)
        self._handover = Handover(self._runtime, gate, alarm)
        self._chain = ChainNews(self._runtime, self._journal)
        self._boot = ""
        self._memory = Memory()
        self._heard: Reading | Silence = Silence(SilenceKind.UNCLEAR)
        self._notices: tuple[str, ...] = ()
        self._remembered_at: timedelta | None = None
        self._sampled_at: timedelta | None = None
        self._said: tuple[object, ...] = ()

    def start(self, at: Moment) -> None:
        """Take up what the last watcher left, and tell the journal how the last boot ended. Raises ConfigurationError."""
        try:
            known = memory.known_boot(self._runtime)
            self._boot = known or memory.new_word()
            recalled = memory.recall_either(self._runtime, self._folder, self._boot, at.ticks)
            # A memory that was lost within a boot is no new boot: the node is open, and stays so.
            self._take_up(recalled, at, new_boot=not recalled.same_boot and not (known and recalled.lost))
            # The word comes last: with it and without a memory, a successor would believe that the node was open.
            self._remember_here(at)
            memory.name_boot(self._runtime, self._boot)
        except OSError as error:
            raise ConfigurationError(
                f"Folder pengawas listrik tidak dapat dipakai: {error}.", "Periksa folder power.runtime dan power.state."
            ) from error

    def _take_up(self, recalled: Recalled, at: Moment, *, new_boot: bool) -> None:
        past = journal.entries(self._journal)
        self._limits = self._limits.allowing_for(journal.shutdown_took(past))
        self._memory = recalled.memory
        if not self._memory.decided:
            self._handover.clear()
        if new_boot:
            end = journal.ended(past, recalled.alive)
            self._tell_return(at, end)
            self._hold(at, end)
            if self._handover.alarm_is_set:
                self._ask_alarm(arm=False)
        self._record(at, Event.STARTED)

    def _hold(self, at: Moment, end: tuple[datetime, str, bool] | None) -> None:
        """Nothing is opened yet. After an orderly end by somebody's hand the mains need not prove itself."""
        if self._ups is not None:
            proves_itself = end is not None and end[1] != End.OPERATOR
            hold = self._limits.boot_hold if proves_itself else timedelta()
            self._memory = dataclasses.replace(self._memory, stage=Stage.HOLD, hold=hold)
            if proves_itself:
                self._record(at, Event.HELD, seconds=int(hold.total_seconds()))

    def cycle(self, at: Moment) -> str:
        """Read, decide, act. Returns the sentence of this cycle. Raises OSError when the state cannot be published."""
        if self._ups is None:
            publish(self._runtime, State(at.wall, Stage.ONLINE, accepts_work=True, sentence=sentences.NO_UPS))
            return sentences.NO_UPS
        draining = self._memory.stage is Stage.DRAINING
        self._heard = heard = self._ups.read()
        note_self_test(self._runtime, heard)
        around = self._handover.look_around(CYCLE_ON_BATTERY if draining else timedelta())
        before, now = self._memory, step(self._memory, heard, at, self._limits, around)
        self._keep(now.memory, at, around)
        said = sentences.sentence(now.memory, heard, at, now.seconds_left)
        self._publish(now, at, said)
        self._sample(heard, at)
        for event, facts in self._chain.look(heard, at):
            self._record(at, event, **facts)
        self._act(before, now, at)
        return said

    def stop(self, at: Moment) -> None:
        """Say that the watcher was told to end. After a handing over this is the end of the boot. Raises OSError."""
        down = self._memory.stage is Stage.DOWN
        took = (
            {} if self._memory.down_since is None else {"seconds": round((at.ticks - self._memory.down_since).total_seconds(), 1)}
        )
        self._record(at, Event.STOPPED, **took)
        self._remember(at)
        if down:
            memory.end_boot(self._runtime)

    def say(self, said: str) -> None:
        """Log the sentence when it says something new; a countdown is nothing new."""
        kind = self._heard.kind if isinstance(self._heard, Silence) else None
        subject = (self._memory.stage, self._memory.cause, self._memory.mains_since is None, kind)
        if subject != self._said:
            self._said = subject
            log.info("%s", said)
            notify(f"STATUS={said}")

    @property
    def pause(self) -> timedelta:
        """How long to wait until the next cycle."""
        quiet = self._memory.battery_since is None and not self._memory.decided and isinstance(self._heard, Reading)
        return CYCLE if quiet else CYCLE_ON_BATTERY

    def _act(self, before: Memory, now: Step, at: Moment) -> None:
        match now.decision:
            case Decision.DRAIN if before.stage not in PREPARING:
                self._handover.forget_words()  # what was saved before is not saved any more
            case Decision.STAND_READY if before.stage is not Stage.READY:
                self._ask_alarm(arm=True)
            case Decision.HAND_OVER | Decision.FORCE | Decision.POWER_OFF:
                self._hand_over(now.decision, at)
        if before.stage in PREPARING and not now.memory.decided:
            self._ask_alarm(arm=False)

    def _hand_over(self, decision: Decision, at: Moment) -> None:
        if self._ups is None:
            return
        # Logged in, we would keep upsmon from going on.
        self._ups.release()
        self._handover.raise_flag(handover.FORCE_SHUTDOWN)
        if decision is Decision.FORCE and self._ups.force_shutdown():
            self._record(at, Event.FORCED_AGAIN)
        if decision is Decision.POWER_OFF and not (self._runtime / handover.POWER_OFF).exists():
            log.error("upsmon tidak mematikan mesin pada waktunya; meminta systemd mematikannya.")
            self._record(at, Event.POWER_OFF)
            self._handover.raise_flag(handover.POWER_OFF)

    def _ask_alarm(self, *, arm: bool) -> None:
        try:
            self._handover.ask_alarm(arm=arm)
        except OSError as error:
            log.warning("Jam penyala tidak dapat diatur: %s", error)

    def _keep(self, new: Memory, at: Moment, around: Around) -> None:
        """Journal what changed, then remember it: a kill between the two repeats a line rather than loses it."""
        old, self._memory = self._memory, new
        changes = changed(old, new, at.ticks)
        for event, facts in changes:
            self._record(at, event, **facts)
        due = self._remembered_at is None or at.ticks - self._remembered_at >= ALIVE_EVERY
        if due or changes or old.stage is not new.stage or (old.battery_since is None) is not (new.battery_since is None):
            self._remember(at)
        else:
            self._remember_here(at)
        if around.asked is not None:
            self._record(at, Event.ASKED, what=around.asked, by=self._handover.who_asked(around.asked))
            self._handover.forget_words()

    def _remember(self, at: Moment) -> None:
        self._remembered_at = at.ticks
        self._remember_here(at)
        try:
            memory.remember(self._folder, self._boot, self._memory, at)
        except OSError as error:
            # A full or read-only disk is no reason not to power off.
            log.warning("Ingatan pengawas listrik tidak dapat disimpan: %s", error)

    def _remember_here(self, at: Moment) -> None:
        """For a successor in this boot, whatever the disk does."""
        try:
            memory.remember(self._runtime, self._boot, self._memory, at, durable=False)
        except OSError as error:
            log.warning("Ingatan pengawas listrik di %s tidak dapat ditulis: %s", self._runtime, error)

    def _sample(self, heard: Reading | Silence, at: Moment) -> None:
        if isinstance(heard, Silence) or (self._sampled_at is not None and at.ticks - self._sampled_at < samples.EVERY):
            return
        self._sampled_at = at.ticks
        try:
            samples.append(self._folder, at.wall, heard)
        except OSError as error:
            log.warning("Catatan keadaan UPS tidak dapat ditulis: %s", error)

    def _record(self, at: Moment, event: Event, **facts: Any) -> None:
        try:
            journal.append(self._journal, Entry(at.wall, event, facts))
        except OSError as error:
            log.warning("Jurnal listrik tidak dapat ditulis: %s", error)

    def _tell_return(self, at: Moment, end: tuple[datetime, str, bool] | None) -> None:
        if end is not None:
            down_at, cause, clean = end
            self._record(at, Event.BACK, down_at=down_at.isoformat(), cause=cause, clean=clean)

    def _publish(self, now: Step, at: Moment, said: str) -> None:
        stage = now.memory.stage
        known = now.memory.last if stage is not Stage.UNKNOWN else None
        runtime = known.runtime if known else None
        notices = self._note(now.memory, at)
        drill = stage is Stage.ONLINE and drain_drill.is_asked(self._gate_folder, at.ticks)
        complaints = (sentences.NOTICES[notice] for notice in notices if notice in sentences.SAID_AT_ONCE)
        publish(
            self._runtime,
            State(
                at=at.wall,
                stage=stage,
                accepts_work=now.memory.accepts_work and not drill,
                accepts_jobs=accepts_jobs(now.memory, at.ticks) and not drill,
                mains=known.mains if known else None,
                charge=known.charge if known else None,
                runtime_seconds=None if runtime is None else int(runtime.total_seconds()),
                seconds_left=now.seconds_left,
                sentence=drain_drill.SENTENCE if drill else " ".join([said, *complaints]),
                cause=DRILL if drill else now.memory.cause or "",
                mains_volts=known.mains_volts if known else None,
                battery_volts=known.battery_volts if known else None,
                load=known.load if known else None,
                comms=comms(now.memory, at.ticks),
                notices=notices,
            ),
        )

    def _note(self, known: Memory, at: Moment) -> tuple[str, ...]:
        """The notices of this cycle; the journal is told of each when it begins."""
        found = list(notices_of(known, self._heard, at.ticks, self._limits))
        if self._ups is not None and self._ups.login_refused and isinstance(self._heard, Reading):
            found.append(Notice.LOGIN_REFUSED)
        if self._needs_alarm and not self._handover.has_alarm:
            found.append(Notice.NO_ALARM)
        for event, facts in noticed(self._notices, tuple(found), self._heard):
            self._record(at, event, **facts)
        self._notices = tuple(found)
        return self._notices


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until told to end. Exits with the code of the error when the configuration is wrong."""
    parser = argparse.ArgumentParser(prog="slrt-watcher", description="Pengawas listrik simpul SLRT.")
    parser.add_argument("--config", type=Path, default=None, help="berkas pengaturan (biasanya /etc/slrt/appliance.toml)")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    try:
        settings = load(chosen.config or config_path())
        with only_watcher(Path(settings.power.runtime)):
            run(Watcher(settings, _ups(settings)), ending)
    except ApplianceError as error:
        log.critical("Gagal: %s %s", error.message, error.hint)
        sys.exit(error.exit_code)


@contextmanager
def only_watcher(runtime: Path) -> Iterator[None]:
    """Be the one watcher of this node; the kernel lets go of a dead one's lock. Raises TryLater when there is another."""
    try:
        runtime.mkdir(parents=True, exist_ok=True)
        handle = os.open(runtime / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"Folder {runtime} tidak dapat dipakai: {error}.", "Periksa folder power.runtime.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise TryLater("Pengawas listrik sudah berjalan.", "Lihat: systemctl status slrt-watcher") from error
    finally:
        os.close(handle)


def run(watcher: Watcher, ending: threading.Event) -> None:
    """Cycle until `ending`. What goes wrong in a cycle is logged; systemd restarts a watcher that cannot do one for long."""
    watcher.start(_now())
    while not ending.is_set():
        began = time.monotonic()
        try:
            watcher.say(watcher.cycle(_now()))
            notify("READY=1\nWATCHDOG=1")
        except Exception:
            log.exception("Putaran pengawas listrik gagal; dicoba lagi.")
        spent = time.monotonic() - began
        ending.wait(max(0.05, watcher.pause.total_seconds() - spent))
    notify("STOPPING=1")
    watcher.stop(_now())


def _ups(settings: Settings) -> Ups | None:
    power = settings.power
    if power.ups == "none":
        return None
    login = (WATCHER_USER, read_secret(settings, "upsd-watcher-password"))
    return Ups(power.name, (power.host, power.port), login, power.serial)


def _now() -> Moment:
    return Moment(timedelta(seconds=time.monotonic()), datetime.now(UTC))


if __name__ == "__main__":
    main()
