"""What is to be said of a stick, and when it is to be written. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from appliance.sticks.book import Seen, State, Stick
from backups.outcome import Record
from backups.schedule import Moment, Reason, Rhythm, due

TOO_LONG = timedelta(days=8)
PREPARE = "Siapkan di server: sudo slrt backup disk prepare /dev/… --label A"
PULL = "Cabut, simpan di gedung lain, lalu pasang stik yang satunya."


class Tone(StrEnum):
    """How good or bad a sentence is; the words of the style sheet."""

    GOOD = "good"
    INFO = "info"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Verdict:
    """How a stick is, in a sentence and with what to do next; `may_eject` whether asking for it makes sense now."""

    tone: Tone
    text: str
    next_step: str = ""
    may_eject: bool = False


def days_between(earlier: datetime, later: datetime) -> int:
    """Whole days; 0 when a clock went back."""
    return max((later - earlier).days, 0)


def judge(stick: Stick, seen: Seen, copies: Record, at: datetime) -> Verdict:
    """What to say of this stick at `at`; `copies` tells of the backups on it."""
    match seen.state:
        case State.ABSENT:
            return _absent(stick, seen, copies, at)
        case State.EJECTED:
            return Verdict(Tone.GOOD, f"{stick.name} sudah dilepas dengan aman dan boleh dicabut.", PULL)
        case State.DAMAGED:
            return Verdict(
                Tone.BAD, f"{stick.name} bermasalah. {seen.told}", "Siapkan stik pengganti dengan label yang sama.", True
            )
        case State.READ_ONLY:
            return Verdict(Tone.BAD, f"{stick.name} tidak dapat ditulisi. {seen.told}", "Buka kuncinya atau ganti stiknya.", True)
    return _present(stick, seen, copies, at)


def _absent(stick: Stick, seen: Seen, copies: Record, at: datetime) -> Verdict:
    last = max(seen.seen_at, stick.prepared_at)
    days = days_between(last, at)
    if at - last > TOO_LONG:
        return Verdict(
            Tone.WARN, f"{stick.name} belum terlihat {days} hari.", f"Pasang {stick.name} agar cadangan di dalamnya diperbarui."
        )
    if copies.last and not copies.last.ok and not copies.last.running:
        return Verdict(Tone.WARN, copies.last.text, copies.last.next_step)
    return Verdict(Tone.INFO, f"{stick.name} sedang di tempat lain; terakhir terlihat {_ago(days)}.")


def _present(stick: Stick, seen: Seen, copies: Record, at: datetime) -> Verdict:
    if is_copying(copies):
        return Verdict(Tone.INFO, f"{stick.name} sedang ditulisi. Jangan dicabut.")
    if seen.state is State.BUSY:
        return Verdict(Tone.WARN, f"{stick.name} belum dapat dilepas. {seen.told}", "", True)
    if copies.last and not copies.last.ok and not copies.last.running:
        return Verdict(Tone.BAD, copies.last.text, copies.last.next_step, True)
    if copies.last_good is None:
        return Verdict(Tone.INFO, f"{stick.name} terpasang dan segera ditulisi.", "Tunggu; jangan dicabut.", True)
    return _written(stick, seen, at)


def _written(stick: Stick, seen: Seen, at: datetime) -> Verdict:
    if seen.told:
        return Verdict(Tone.WARN, f"{stick.name}: {seen.told}", "Pakai stik yang lebih besar.", True)
    if seen.since and at - seen.since > TOO_LONG:
        text = f"{stick.name} sudah {days_between(seen.since, at)} hari terpasang terus."
        then = "Tukar dengan stik lain: pencuri, api dan virus mengenai simpul dan stik yang terpasang sekaligus."
        return Verdict(Tone.WARN, text, then, True)
    return Verdict(Tone.GOOD, f"{stick.name} terpasang; cadangannya lengkap dan sudah dicoba dipulihkan.", "", True)


def _ago(days: int) -> str:
    return f"{days} hari yang lalu" if days else "hari ini"


def is_copying(copies: Record) -> bool:
    """Whether a copy has begun and not ended. After a cut this is still true until the next one."""
    if copies.attempt is None:
        return False
    return copies.last is None or copies.last.running or copies.last.moment != copies.attempt


def none_known(since: datetime | None, at: datetime) -> Verdict:
    """What to say while there is no stick at all; a new node gets a week."""
    text = "Belum ada stik cadangan: bila simpul terbakar atau dicuri, semua data hilang."
    return Verdict(Tone.WARN if since and at - since > timedelta(days=7) else Tone.INFO, text, PREPARE)


def worst(verdicts: list[Verdict]) -> Verdict | None:
    """The one that matters most."""
    order = list(Tone)
    return max(verdicts, key=lambda verdict: order.index(verdict.tone), default=None)


def copy_due(now: Moment, seen: Seen, copies: Record, rhythm: Rhythm) -> Reason | None:
    """Why a ready stick is to be written now, or None: as the nightly backup, but at once for a stick that came (back)."""
    if seen.state is not State.READY:
        return None
    attempt = copies.attempt
    if attempt and seen.since and seen.since > attempt.at:
        attempt = None
    return due(now, copies.last_good.moment if copies.last_good else None, attempt, rhythm)
