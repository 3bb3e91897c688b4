"""The one sentence of a cycle, for pages, terminal and log: formal plain Indonesian, made of values only."""

from __future__ import annotations

from datetime import timedelta

from appliance.power.book import Cut
from appliance.power.journal import End
from appliance.power.policy import Cause, Memory, Moment, Stage
from appliance.power.reading import Reading, Silence, SilenceKind

NO_UPS = "Tidak ada UPS yang diawasi; bila listrik padam, sistem mati seketika."

CAUSES: dict[str, str] = {
    Cause.TIME: "listrik padam terlalu lama",
    Cause.CHARGE: "isi baterai UPS mencapai batas",
    Cause.RUNTIME: "sisa waktu baterai UPS mencapai batas",
    Cause.VOLTAGE: "tegangan baterai UPS mencapai batas",
    Cause.LOW: "baterai UPS hampir habis",
    Cause.SILENT: "UPS tidak menjawab lagi ketika listrik padam",
    Cause.FORCED: "pematian paksa diminta lewat NUT",
    End.OPERATOR: "dimatikan atau dinyalakan ulang oleh petugas",
    End.CUT: "listrik habis sebelum sistem sempat mati dengan tertib",
    End.CRASH: "berhenti mendadak ketika listrik menyala",
}

_SILENCES: dict[SilenceKind, str] = {
    SilenceKind.CONNECT: "layanan NUT (upsd) tidak berjalan",
    SilenceKind.TIMEOUT: "layanan NUT (upsd) tidak menjawab",
    SilenceKind.CLOSED: "sambungan ke layanan NUT (upsd) terputus",
    SilenceKind.PROTOCOL: "jawaban layanan NUT (upsd) tidak dapat dipahami",
    SilenceKind.STALE: "UPS tidak mengirim keadaan baru",
    SilenceKind.DRIVER: "UPS tidak terhubung; periksa kabel USB",
    SilenceKind.DENIED: "layanan NUT (upsd) menolak kata sandi pengawas",
    SilenceKind.UNKNOWN: "UPS ini tidak dikenal oleh layanan NUT (upsd)",
    SilenceKind.UNCLEAR: "UPS belum menyatakan keadaan listriknya",
}


def sentence(memory: Memory, heard: Reading | Silence, at: Moment, seconds_left: int | None) -> str:
    """How the power is now and what the node will do about it."""
    match memory.stage:
        case Stage.DOWN:
            return f"Sistem sedang mati: {_why(memory)}."
        case Stage.DRAINING:
            return f"Sistem bersiap mati ({_why(memory)}); pekerjaan yang berjalan sedang diselesaikan."
        case Stage.ON_BATTERY:
            return _on_battery(memory, heard, at, seconds_left)
        case _ if isinstance(heard, Silence):
            return f"Keadaan listrik tidak diketahui: {_SILENCES[heard.kind]}."
        case _:
            return _online(heard)


def _online(reading: Reading) -> str:
    charge = "" if reading.charge is None else f", baterai UPS {reading.charge} %"
    advice = " UPS meminta baterainya diganti." if reading.replace_battery else ""
    return f"Listrik menyala{charge}.{advice}"


def _on_battery(memory: Memory, heard: Reading | Silence, at: Moment, seconds_left: int | None) -> str:
    if memory.mains_since is not None:
        return "Listrik menyala lagi; sistem memastikan listrik tidak padam kembali."
    since = memory.battery_since
    began = "" if since is None else f" sudah {duration(at.ticks - since)}"
    left = "" if seconds_left is None else f" Sistem mati dalam {duration(timedelta(seconds=seconds_left))}."
    silent = f" UPS tidak terbaca ({_SILENCES[heard.kind]})." if isinstance(heard, Silence) else ""
    charge = f", baterai UPS {heard.charge} %" if isinstance(heard, Reading) and heard.charge is not None else ""
    return f"Listrik padam{began}{charge}.{silent}{left}"


def _why(memory: Memory) -> str:
    return CAUSES[memory.cause] if memory.cause else "alasan tidak tercatat"


def what_happened(cut: Cut) -> str:
    """What a cut of the mains did to the node."""
    if cut.back_at is None:
        return "masih berlangsung"
    why = CAUSES.get(cut.cause, "alasan tidak tercatat")
    if cut.down_at is not None:
        return f"sistem mati dengan tertib: {why}" if cut.clean else f"sistem mati mendadak: {why}"
    told = "pematian dibatalkan karena listrik menyala kembali" if cut.cancelled else "ditanggung baterai UPS"
    return told + ("; padam lagi sebelum baterai penuh" if cut.second else "")


def what_users_saw(cut: Cut) -> str:
    """What people at their screens met during a cut."""
    if cut.down_at is not None and not cut.clean:
        return "peringatan listrik padam, lalu sistem berhenti tiba-tiba"
    told = ["peringatan listrik padam pada setiap halaman"]
    if cut.refused is not None:
        told.append(f"simpanan baru ditolak {duration(cut.refused)}")
    elif cut.closed_at is not None:
        told.append("simpanan baru ditolak sebelum sistem mati")
    return "; ".join(told)


def duration(length: timedelta) -> str:
    """A length in words: "4 menit 20 detik"."""
    minutes, seconds = divmod(max(0, int(length.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    words = [f"{hours} jam" if hours else "", f"{minutes} menit" if minutes else "", f"{seconds} detik" if seconds else ""]
    return " ".join(word for word in words if word) or "0 detik"
