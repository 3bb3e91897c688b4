"""What is worth a notice about the backups: none that is proven for too long, and that it is well again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.backup_news import CARRIED_WITHIN, News
from appliance.notices.messages import Message

RESTORED_WITHIN = timedelta(days=14)
SHEET_REMEDY = "Admin membuka halaman Cadangan, bagian Lembar pemulihan."
REMEDY = "Di server, admin menjalankan: sudo slrt status"


def why_late(news: News, at: datetime, allowed: timedelta) -> str:
    """What is too old at `at`: no good backup for longer than `allowed`, none restored for two weeks, what was stored in the last
    minutes is on one disk only, or a recovery sheet that nobody tried. The first of them; empty: nothing."""
    begun = news.since or at
    if at - (news.good or begun) > allowed:
        return "cadangan"
    if at - (news.restored or begun) > RESTORED_WITHIN:
        return "uji"
    if news.reaches and at - news.reaches > CARRIED_WITHIN:
        return "catatan"
    return "lembar" if news.sheet_due and at > news.sheet_due else ""


def message_of_backup(news: News, told: str, now_late: str, at: datetime, zone: ZoneInfo) -> Message | None:
    """The notice of a change; None while nothing changed since `told`."""
    if now_late == told:
        return None
    late = {
        "cadangan": (
            "Tidak ada cadangan baru yang terbukti",
            f"Cadangan terakhir yang terbukti baik: {_day(news.good, zone)}. {REMEDY}",
        ),
        "uji": (
            "Cadangan lama tidak diuji pemulihannya",
            f"Cadangan terakhir kali dipulihkan sebagai uji: {_day(news.restored, zone)}. {REMEDY}",
        ),
        "catatan": (
            "Simpanan terbaru hanya ada di satu disk",
            f"Bila disk data rusak sekarang, yang disimpan sejak {_day(news.reaches, zone)} hilang. {REMEDY}",
        ),
        "lembar": (
            "Lembar pemulihan belum dicetak atau belum diuji",
            f"Tanpa lembar itu tidak ada yang dapat membuka cadangan. {SHEET_REMEDY}",
        ),
    }
    if now_late:
        return Message(at, *late[now_late])
    if told == "lembar":
        return Message(at, "Lembar pemulihan sudah diuji", "Semua lembar pemulihan yang diperlukan ada dan terbaca.")
    return Message(at, "Cadangan baik kembali", f"Cadangan terakhir yang terbukti baik: {_day(news.good, zone)}.")


def _day(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%d-%m-%Y pukul %H.%M %Z") if at else "belum pernah ada"
