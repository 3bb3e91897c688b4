"""What is worth a notice about the backups: none that is proven for too long, and that it is well again. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.backup_news import News
from appliance.notices.messages import Message

RESTORED_WITHIN = timedelta(days=14)
CARRIED_WITHIN = timedelta(minutes=5)
REMEDY = "Di server, admin menjalankan: sudo slrt status"


def why_late(news: News, at: datetime, allowed: timedelta) -> str:
    """What is too old at `at`: no good backup for longer than `allowed`, none restored for two weeks, or what was stored in the last
    minutes is on one disk only. Empty: nothing."""
    begun = news.since or at
    if at - (news.good or begun) > allowed:
        return "cadangan"
    if at - (news.restored or begun) > RESTORED_WITHIN:
        return "uji"
    return "catatan" if news.reaches and at - news.reaches > CARRIED_WITHIN else ""


def message_of_backup(news: News, told: str, now_late: str, at: datetime, zone: ZoneInfo) -> Message | None:
    """The notice of a change; None while nothing changed since `told`."""
    if now_late == told:
        return None
    if now_late == "cadangan":
        text = f"Cadangan terakhir yang terbukti baik: {_day(news.good, zone)}. {REMEDY}"
        return Message(at, "Tidak ada cadangan baru yang terbukti", text)
    if now_late == "uji":
        text = f"Cadangan terakhir kali dipulihkan sebagai uji: {_day(news.restored, zone)}. {REMEDY}"
        return Message(at, "Cadangan lama tidak diuji pemulihannya", text)
    if now_late == "catatan":
        text = f"Bila disk data rusak sekarang, yang disimpan sejak {_day(news.reaches, zone)} hilang. {REMEDY}"
        return Message(at, "Simpanan terbaru hanya ada di satu disk", text)
    return Message(at, "Cadangan baik kembali", f"Cadangan terakhir yang terbukti baik: {_day(news.good, zone)}.")


def _day(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%d-%m-%Y pukul %H.%M %Z") if at else "belum pernah ada"
