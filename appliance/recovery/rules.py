"""Is the recovery sheet to be trusted? Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from appliance.recovery.record import Paper, Sheet
from appliance.sticks.rules import Tone, Verdict, days_between

PROVED_FOR = timedelta(days=180)
GRACE = timedelta(days=7)
PRINT = "Cetak di server: sudo slrt backup key sheet --to /root/lembar.pdf"
TRY = "Buka amplopnya, lalu ketik dua kelompok terakhir di halaman Lembar pemulihan."
HOLDERS = {
    Paper.OFFICE: "lembar kepala dinas (brankas kantor)",
    Paper.DISTRICT: "lembar bidang TI kabupaten (gedung lain)",
    Paper.SECOND: "lembar kata sandi kedua (kepala daerah)",
}
LOST = "Bila simpul hilang sekarang, tidak ada yang dapat membuka cadangan."


def due_at(sheet: Sheet) -> datetime:
    """From when on somebody has to print or to try a paper."""
    if sheet.printed_at is None or any(paper not in sheet.proved for paper in sheet.papers):
        return sheet.since + GRACE
    return min(sheet.proved.values()) + PROVED_FOR


def judge(sheet: Sheet | None, at: datetime) -> Verdict:
    """What to say of the sheets at `at`; a new passphrase gets a week."""
    if sheet is None:
        return Verdict(Tone.INFO, "Lembar pemulihan belum dibuat.", PRINT)
    late = Tone.WARN if at > due_at(sheet) else Tone.INFO
    if sheet.printed_at is None:
        return Verdict(late, f"Lembar pemulihan belum dicetak. {LOST}", PRINT)
    missing = [HOLDERS[paper] for paper in sheet.papers if paper not in sheet.proved]
    if missing:
        return Verdict(late, f"Lembar pemulihan belum diuji: {', '.join(missing)}.", TRY)
    oldest = min(sheet.proved, key=lambda paper: sheet.proved[paper])
    days = days_between(sheet.proved[oldest], at)
    if at - sheet.proved[oldest] > PROVED_FOR:
        return Verdict(Tone.WARN, f"Terakhir diuji {days} hari yang lalu: {HOLDERS[oldest]}.", TRY)
    return Verdict(Tone.GOOD, "Semua lembar pemulihan sudah diuji.")
