"""When a drill may not begin, and what its numbers mean. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from appliance.drills.records import Check, Level, Result
from appliance.power.chain import Color
from appliance.power.journal import Entry, Event
from appliance.power.sentences import CAUSES, duration

FULL_ENOUGH = 80  # percent
CALM = timedelta(hours=12)
BACKUP_FRESH = timedelta(hours=30)
MOST_LOSS = 15  # percent in a plug drill
SEEN_WITHIN = timedelta(seconds=5)
GUIDED = (Level.PLUG, Level.FULL, Level.RACE)
TO_THE_END = (Level.FULL, Level.RACE)


@dataclass(frozen=True)
class Situation:
    """The node as a drill finds it. `charge` in percent; None where nothing is known."""

    at: datetime
    mains: bool | None = None
    stage: str = ""
    charge: int | None = None
    light: Color = Color.NONE
    last_cut_ended: datetime | None = None
    backup_runs: bool = False
    good_backup: datetime | None = None


@dataclass(frozen=True)
class Refusal:
    """Why a drill may not begin now, and what to do about it."""

    reason: str
    remedy: str


def refusals(level: Level, now: Situation) -> list[Refusal]:
    """All reasons against beginning now; none when it may begin."""
    found = [_when_calm(now)]
    if level is not Level.TABLE_TOP:
        found.append(_while_backup(now))
    if level in GUIDED:
        found += [_when_armed(now), _when_charged(now), _after_a_cut(now)]
    if level in TO_THE_END:
        found.append(_with_backup(now))
    return [refusal for refusal in found if refusal is not None]


def _when_calm(now: Situation) -> Refusal | None:
    if now.mains is not False and now.stage in {"online", ""}:
        return None
    return Refusal("Listrik sedang padam atau keadaannya belum pasti.", "Tunggu sampai listrik menyala dan tenang, lalu ulangi.")


def _while_backup(now: Situation) -> Refusal | None:
    if not now.backup_runs:
        return None
    return Refusal("Pencadangan sedang berjalan.", "Tunggu sampai cadangan selesai, lalu ulangi.")


def _when_armed(now: Situation) -> Refusal | None:
    if now.light is Color.ARMED:
        return None
    return Refusal("Perlindungan tidak aktif, jadi mencabut steker berbahaya.", "Perbaiki dahulu: sudo slrt power status")


def _when_charged(now: Situation) -> Refusal | None:
    if now.charge is not None and now.charge >= FULL_ENOUGH:
        return None
    told = "tidak diketahui" if now.charge is None else f"{now.charge} %"
    return Refusal(f"Isi baterai UPS {told}, kurang dari {FULL_ENOUGH} %.", "Biarkan UPS mengisi baterainya, lalu ulangi.")


def _after_a_cut(now: Situation) -> Refusal | None:
    if now.last_cut_ended is None or now.at - now.last_cut_ended >= CALM:
        return None
    left = duration(now.last_cut_ended + CALM - now.at)
    return Refusal("Listrik padam dalam 12 jam terakhir.", f"Baterai perlu pulih; ulangi sesudah {left}.")


def _with_backup(now: Situation) -> Refusal | None:
    if now.good_backup is not None and timedelta() <= now.at - now.good_backup < BACKUP_FRESH:
        return None
    return Refusal("Tidak ada cadangan baru yang sudah diuji.", "Jalankan dahulu: sudo slrt backup run")


def judge_plug(losses: Sequence[int], seen_after: timedelta | None, back_after: timedelta | None, held: bool) -> list[Check]:
    """The checks of a plug drill: `losses` in percent of the charge, in order; the delays None when nobody gave the sign."""
    loss = losses[-1] if losses else None
    return [
        Check("UPS melaporkan listrik padam paling lama 5 detik sesudah steker dicabut", *_within(seen_after)),
        Check("Sistem tetap menerima pekerjaan selama latihan", held),
        Check(
            f"Isi baterai turun paling banyak {MOST_LOSS} %",
            None if loss is None else loss <= MOST_LOSS,
            "" if loss is None else f"turun {loss} %",
        ),
        Check("UPS melaporkan listrik menyala paling lama 5 detik sesudah steker dicolok", *_within(back_after)),
    ]


def _within(delay: timedelta | None) -> tuple[bool | None, str]:
    if delay is None:
        return None, ""
    return delay <= SEEN_WITHIN, f"{delay.total_seconds():.1f} detik".replace(".", ",")


def result_of(checks: Sequence[Check]) -> Result:
    """Passed when nothing that was measured failed."""
    return Result.FAILED if any(check.ok is False for check in checks) else Result.PASSED


def judge_full(begun_at: datetime, entries: Sequence[Entry]) -> tuple[datetime, list[Check]] | None:
    """The end and the checks of a full drill by the journal; None while the node has not come back."""
    since = [entry for entry in entries if entry.at >= begun_at]
    back = next((entry for entry in since if entry.event is Event.BACK), None)
    if back is None:
        return None
    told = {entry.event: entry for entry in reversed(since) if entry.at <= back.at}
    decided, drained = told.get(Event.DECIDED), told.get(Event.DRAINED)
    cause = str(back.facts.get("cause", ""))
    idle = None if drained is None else drained.facts.get("idle") is True
    return back.at, [
        Check("Padamnya listrik terlihat", Event.MAINS_LOST in told),
        Check("Sistem sendiri memutuskan mati", decided is not None, CAUSES.get(cause, "")),
        Check("Semua pekerjaan yang berjalan selesai sebelum mati", idle, _seconds(drained)),
        Check("Mesin diminta mati lewat UPS", Event.HANDED_OVER in told),
        Check("Mesin mati dengan tertib", back.facts.get("clean") is True),
        Check("Mesin hidup kembali", True, _absence(back)),
    ]


def _seconds(entry: Entry | None) -> str:
    seconds = entry.facts.get("seconds") if entry else None
    return f"{seconds} detik".replace(".", ",") if isinstance(seconds, int | float) else ""


def _absence(back: Entry) -> str:
    try:
        return f"mati selama {duration(back.at - datetime.fromisoformat(back.facts['down_at']))}"
    except (KeyError, TypeError, ValueError):
        return ""
