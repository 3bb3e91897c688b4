"""The power watcher: a daemon whose cycle is read → decide → act → one sentence.

It must outlive everything else: it knows neither the database nor the pages, keeps going when upsd goes away, and whatever it
decides is on the disk before it acts, so that a killed watcher's successor goes on where it stopped.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.config import Settings, config_path, load, read_secret
from appliance.errors import ApplianceError, ConfigurationError
from appliance.gate import Gate
from appliance.notify import notify
from appliance.power import drain_drill, handover, journal, memory, samples, sentences
from appliance.power.chain_news import ChainNews
from appliance.power.handover import Handover
from appliance.power.journal import Entry, Event
from appliance.power.memory import Recalled
from appliance.power.policy import Decision, Limits, Memory, Moment, Stage, Step, step
from appliance.power.reading import Reading, Silence, SilenceKind
from appliance.power.state import STATE_FILE, State, publish
from appliance.power.ups import Ups

CYCLE = timedelta(seconds=1)
CYCLE_ON_BATTERY = timedelta(seconds=0.5)
ALIVE_EVERY = timedelta(seconds=30)  # how exactly a crash can be dated
WATCHER_USER = "watcher"

log = logging.getLogger("slrt-watcher")


class Watcher:
    """One UPS watched for one node. `ups` is None when the settings know no UPS."""

    def __init__(self, settings: Settings, ups: Ups | None) -> None:
        power = settings.power
        self._runtime, self._folder = Path(power.runtime), Path(power.state)
        self._journal = self._folder / journal.JOURNAL_FILE
        self._limits = Limits.of(power)
        self._ups = ups
        self._gate_folder = Path(settings.paths.runtime)
        gate = Gate(self._gate_folder / "gate.lock", self._runtime / STATE_FILE)
        self._handover = Handover(self._runtime, gate)
        self._chain = ChainNews(self._runtime, self._journal)
        self._boot = ""
        self._memory = Memory()
        self._heard: Reading | Silence = Silence(SilenceKind.UNCLEAR)
        self._remembered_at: timedelta | None = None
        self._sampled_at: timedelta | None = None
        self._said: tuple[object, ...] = ()

    def start(self, at: Moment) -> None:
        """Take up what the last watcher left, and tell the journal how the last boot ended. Raises ConfigurationError."""
        try:
            self._boot = memory.name_boot(self._runtime)
            recalled = memory.recall(self._folder, self._boot, at.ticks)
            self._take_up(recalled, at)
        except OSError as error:
            raise ConfigurationError(
                f"Folder pengawas listrik tidak dapat dipakai: {error}.", "Periksa folder power.runtime dan power.state."
            ) from error

    def _take_up(self, recalled: Recalled, at: Moment) -> None:
        self._memory = recalled.memory
        if self._memory.stage is not Stage.DOWN:
            self._handover.clear()
        if not recalled.same_boot:
            self._tell_return(at, recalled.alive)
        self._record(at, Event.STARTED)

    def cycle(self, at: Moment) -> str:
        """Read, decide, act. Returns the sentence of this cycle. Raises OSError when the state cannot be published."""
        if self._ups is None:
            publish(self._runtime, State(at.wall, Stage.ONLINE, accepts_work=True, sentence=sentences.NO_UPS))
            return sentences.NO_UPS
        draining = self._memory.stage is Stage.DRAINING
        self._heard = heard = self._ups.read()
        around = self._handover.look_around(CYCLE_ON_BATTERY if draining else timedelta())
        now = step(self._memory, heard, at, self._limits, around)
        self._keep(now.memory, at)
        said = sentences.sentence(now.memory, heard, at, now.seconds_left)
        self._publish(now, heard, at, said)
        self._sample(heard, at)
        for event, facts in self._chain.look(heard, at):
            self._record(at, event, **facts)
        self._act(now, at)
        return said

    def stop(self, at: Moment) -> None:
        """Say that the watcher was told to end. After a handing over this is the end of the boot. Raises OSError."""
        self._record(at, Event.STOPPED)
        self._remember(at)
        if self._memory.stage is Stage.DOWN:
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
        quiet = self._memory.battery_since is None and self._memory.accepts_work and isinstance(self._heard, Reading)
        return CYCLE if quiet else CYCLE_ON_BATTERY

    def _act(self, now: Step, at: Moment) -> None:
        if now.decision is Decision.CARRY_ON or now.decision is Decision.DRAIN or self._ups is None:
            return
        # Logged in, we would keep upsmon from going on.
        self._ups.release()
        self._handover.raise_flag(handover.FORCE_SHUTDOWN)
        if now.decision is Decision.POWER_OFF and not (self._runtime / handover.POWER_OFF).exists():
            log.error("upsmon tidak mematikan mesin pada waktunya; meminta systemd mematikannya.")
            self._record(at, Event.POWER_OFF)
            self._handover.raise_flag(handover.POWER_OFF)

    def _keep(self, new: Memory, at: Moment) -> None:
        """Journal what changed, then remember it: a kill between the two repeats a line rather than loses it."""
        old, self._memory = self._memory, new
        changes = changed(old, new)
        for event, facts in changes:
            self._record(at, event, **facts)
        due = self._remembered_at is None or at.ticks - self._remembered_at >= ALIVE_EVERY
        if due or changes or old.stage is not new.stage or (old.battery_since is None) is not (new.battery_since is None):
            self._remember(at)

    def _remember(self, at: Moment) -> None:
        self._remembered_at = at.ticks
        try:
            memory.remember(self._folder, self._boot, self._memory, at)
        except OSError as error:
            # A full or read-only disk is no reason not to power off.
            log.warning("Ingatan pengawas listrik tidak dapat disimpan: %s", error)

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

    def _tell_return(self, at: Moment, alive: datetime | None) -> None:
        end = journal.ended(journal.entries(self._journal), alive)
        if end is not None:
            down_at, cause, clean = end
            self._record(at, Event.BACK, down_at=down_at.isoformat(), cause=cause, clean=clean)

    def _publish(self, now: Step, heard: Reading | Silence, at: Moment, said: str) -> None:
        last, stage = now.memory.last, now.memory.stage
        known = last if stage is not Stage.UNKNOWN else None
        runtime = known.runtime if known else None
        drill = stage is Stage.ONLINE and drain_drill.is_asked(self._gate_folder, at.ticks)
        publish(
            self._runtime,
            State(
                at=at.wall,
                stage=stage,
                accepts_work=now.memory.accepts_work and not drill,
                mains=known.mains if known else None,
                charge=known.charge if known else None,
                runtime_seconds=None if runtime is None else int(runtime.total_seconds()),
                seconds_left=now.seconds_left,
                sentence=drain_drill.SENTENCE if drill else said + self._complaint(heard),
                cause=drain_drill.CAUSE if drill else now.memory.cause or "",
                mains_volts=known.mains_volts if known else None,
                battery_volts=known.battery_volts if known else None,
                load=known.load if known else None,
            ),
        )

    def _complaint(self, heard: Reading | Silence) -> str:
        if self._ups is not None and self._ups.login_refused and isinstance(heard, Reading):
            return " Layanan NUT (upsd) menolak kata sandi pengawas; jalankan ulang ./install.sh."
        return ""


def changed(old: Memory, new: Memory) -> list[tuple[Event, dict[str, Any]]]:
    """What the step from one memory to the next means for the journal."""
    found: list[tuple[Event, dict[str, Any]]] = []

    def note(event: Event, happened: bool, **facts: Any) -> None:
        if happened:
            found.append((event, facts))

    charge = new.last.charge if new.last else None
    outage = (Stage.ON_BATTERY, Stage.DRAINING, Stage.DOWN)
    was_out, is_out = old.stage in outage, new.stage in outage
    lost = is_out and not was_out and new.battery_since is not None
    before = new.before or new.last
    note(Event.MAINS_LOST, lost, **_numbers_before(before))
    note(Event.DECIDED, new.cause is not None and old.cause is None, cause=new.cause, charge=charge)
    note(Event.CANCELLED, old.stage is Stage.DRAINING and new.accepts_work, cause=old.cause)
    if new.stage is Stage.DOWN and old.stage is not Stage.DOWN:
        waited = (new.down_since or timedelta()) - (new.draining_since or new.down_since or timedelta())
        note(Event.DRAINED, happened=True, seconds=round(waited.total_seconds(), 1), idle=new.idle)
        note(Event.HANDED_OVER, happened=True, cause=new.cause)
    note(Event.MAINS_BACK, was_out and not is_out, charge=charge, volts=new.last.mains_volts if new.last else None)
    note(Event.UPS_SILENT, new.stage is Stage.UNKNOWN and old.stage is not Stage.UNKNOWN)
    note(Event.UPS_BACK, old.stage is Stage.UNKNOWN and new.stage is not Stage.UNKNOWN and old.last is not None)
    wants, wanted = bool(new.last and new.last.replace_battery), bool(old.last and old.last.replace_battery)
    note(Event.REPLACE_BATTERY, wants and not wanted)
    return found


def _numbers_before(before: Reading | None) -> dict[str, Any]:
    """What the UPS said last before the cut: what the book measures the battery by."""
    if before is None:
        return {"charge": None, "volts": None, "load": None}
    return {"charge": before.charge, "volts": before.mains_volts, "load": before.load}


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
        run(Watcher(settings, _ups(settings)), ending)
    except ApplianceError as error:
        log.critical("Gagal: %s %s", error.message, error.hint)
        sys.exit(error.exit_code)


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
    return Ups(power.name, (power.host, power.port), (WATCHER_USER, read_secret(settings, "upsd-watcher-password")))


def _now() -> Moment:
    return Moment(timedelta(seconds=time.monotonic()), datetime.now(UTC))


if __name__ == "__main__":
    main()
