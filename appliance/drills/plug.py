"""L2: somebody pulls the plug of the UPS for 90 seconds. The real protection stays armed; the drill only looks and writes down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from appliance.config import Settings
from appliance.drills.progress import DrillAborted, Progress
from appliance.drills.rules import MOST_LOSS, judge_plug
from appliance.drills.waiting import Stopwatch, until
from appliance.power.state import STATE_FILE, State, read


@dataclass(frozen=True)
class Pace:
    """How long things may take, in seconds; `sign` asks the person to do it now and is None where nobody can answer."""

    on_battery: float = 90.0
    patience: float = 300.0
    between: float = 1.0
    sign: Callable[[str], None] | None = None


def run(progress: Progress, settings: Settings, pace: Pace) -> None:
    """The whole drill. Raises DrillAborted when the plug is not pulled, or the node begins to end itself."""
    _Drill(progress, Path(settings.power.runtime) / STATE_FILE, pace).run()


class _Drill:
    def __init__(self, progress: Progress, state_file: Path, pace: Pace) -> None:
        self._progress, self._file, self._pace = progress, state_file, pace
        self._seen: list[State] = []

    def run(self) -> None:
        before = self._state()
        seen_after = self._ask("Cabut steker UPS dari stopkontak SEKARANG. Jangan cabut kabel data UPS.", mains=False)
        held = self._watch_battery(before)
        back_after = self._ask("Colokkan kembali steker UPS SEKARANG.", mains=True)
        losses = [before.charge - state.charge for state in self._seen if before.charge is not None and state.charge is not None]
        self._progress.check(*judge_plug(losses, seen_after, back_after, held))

    def _ask(self, what: str, *, mains: bool) -> timedelta | None:
        """Ask for it and wait until the UPS tells it. How long that took from the sign; None without one."""
        self._progress.step(what)
        if self._pace.sign is not None:
            self._pace.sign(what)
        watch = Stopwatch()
        if not until(lambda: self._state().mains is mains, self._pace.patience):
            told = "masih menyala" if not mains else "masih padam"
            raise DrillAborted(f"Menurut UPS listrik {told}. Periksa steker, lalu ulangi latihan.")
        self._progress.step(
            "UPS melaporkan listrik menyala." if mains else "UPS melaporkan listrik padam; sistem memakai baterai."
        )
        return timedelta(seconds=watch.seconds) if self._pace.sign is not None else None

    def _watch_battery(self, before: State) -> bool:
        """Look at the battery until the time is over or too much is lost. Whether work was accepted all the time."""
        watch, held = Stopwatch(), True
        while watch.seconds < self._pace.on_battery:
            time.sleep(self._pace.between)
            state = self._state()
            self._seen.append(state)
            held = held and state.accepts_work
            if state.mains is True:
                self._progress.step("Listrik sudah menyala sebelum waktunya.")
                break
            if not held or _lost(before, state) > MOST_LOSS:
                self._progress.step("Baterai turun terlalu cepat atau sistem bersiap mati: segera colokkan kembali steker UPS.")
                break
        self._note(before, watch.seconds)
        return held

    def _note(self, before: State, seconds: float) -> None:
        last = self._seen[-1] if self._seen else before
        self._progress.note(
            seconds=round(seconds), charge_before=before.charge, charge_after=last.charge, load=last.load,
            battery_volts_before=before.battery_volts, battery_volts_after=last.battery_volts,
        )  # fmt: skip
        if last.battery_volts is not None and before.battery_volts is not None:
            fall = f"{before.battery_volts:.1f} V menjadi {last.battery_volts:.1f} V".replace(".", ",")
            self._progress.step(f"Tegangan baterai {fall} dalam {round(seconds)} detik.")

    def _state(self) -> State:
        state = read(self._file)
        if state is None:
            raise DrillAborted("Pengawas listrik tidak melapor. Colokkan steker UPS, lalu: sudo systemctl restart slrt-watcher")
        return state


def _lost(before: State, now: State) -> int:
    return 0 if before.charge is None or now.charge is None else before.charge - now.charge
