"""Is the recovery sheet to be trusted? Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from appliance.recovery.record import Sheet
from appliance.sticks.rules import Tone, Verdict, days_between

PROVED_FOR = timedelta(days=180)
GRACE = timedelta(days=7)
PRINT = "Cetak di server: sudo slrt backup key sheet --to /root/lembar.pdf"
TRY = "Buka amplopnya, lalu ketik dua kelompok terakhir di halaman Lembar pemulihan."


def judge(sheet: Sheet | None, at: datetime) -> Verdict:
    """What to say of the sheet at `at`; a new passphrase gets a week."""
    if sheet is None:
        return Verdict(Tone.INFO, "Lembar pemulihan belum dibuat.", PRINT)
    late = Tone.WARN if at - sheet.since > GRACE else Tone.INFO
    if sheet.printed_at is None:
        return Verdict(late, "Lembar pemulihan belum dicetak: tanpa kata sandinya, tidak ada cadangan yang dapat dibuka.", PRINT)
    if sheet.proved_at is None:
        return Verdict(late, "Lembar pemulihan sudah dicetak, tetapi belum pernah diuji.", TRY)
    if at - sheet.proved_at > PROVED_FOR:
        return Verdict(Tone.WARN, f"Lembar pemulihan terakhir diuji {days_between(sheet.proved_at, at)} hari yang lalu.", TRY)
    return Verdict(Tone.GOOD, "Lembar pemulihan sudah diuji.")
