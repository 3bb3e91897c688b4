"""The one sentence of a cycle, for pages, terminal and log: formal plain Indonesian, made of values only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from appliance.power.book import Cut
from appliance.power.chain import Finding, Link
from appliance.power.journal import End
from appliance.power.notices import Notice
from appliance.power.policy import Cause, HoldEnd, Memory, Moment, Stage
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
    Cause.HELD: "listrik belum ada ketika sistem baru menyala",
    Cause.ASKED: "petugas meminta sistem mati selagi listrik padam",
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
    SilenceKind.OTHER_UNIT: "UPS yang terhubung bukan UPS yang dipasang pada sistem ini",
}

HOLD_ENDS: dict[str, str] = {
    HoldEnd.STABLE: "listrik stabil",
    HoldEnd.ASKED: "diminta petugas",
    HoldEnd.BLIND: "UPS tidak menjawab selama 3 menit",
}

NOTICES: dict[str, str] = {
    Notice.FLAPPING: "Listrik padam berulang kali dalam waktu singkat. Pencadangan, impor dan ekspor menunggu sampai listrik tenang.",
    Notice.FROZEN: "Angka dari UPS tidak berubah selama 10 menit, mungkin macet. Selagi listrik menyala, cabut dan pasang lagi kabel USB UPS.",
    Notice.ODD_NUMBERS: "UPS mengirim angka yang tidak masuk akal; angka itu tidak dipakai. Bila terus begitu, cabut dan pasang lagi kabel"
    " USB UPS selagi listrik menyala.",
    Notice.BLIND_START: "Sistem dibuka tanpa kabar dari UPS: bila listrik padam, sistem mati mendadak. Periksa kabel USB UPS sekarang.",
    Notice.BLIND_LONG: "UPS sudah lama tidak terbaca, jadi sistem tidak terlindung dari pemadaman. Periksa kabel USB UPS.",
    Notice.OTHER_UNIT: "UPS yang terhubung bukan UPS yang dipasang pada sistem ini, jadi tidak dipercaya. Sambungkan UPS yang benar, atau"
    " tulis nomor seri yang baru pada pengaturan power.serial.",
    Notice.REPLACE_BATTERY: "UPS meminta baterainya diganti.",
    Notice.LOGIN_REFUSED: "Layanan NUT (upsd) menolak kata sandi pengawas; jalankan ulang ./install.sh.",
    Notice.NO_ALARM: "Mesin ini tidak mempunyai jam yang dapat menyalakannya kembali. Atur BIOS: menyala sendiri ketika listrik kembali.",
}


# What follows the sentence of the cycle at once; the others stand in a list of their own.
SAID_AT_ONCE = frozenset({Notice.LOGIN_REFUSED, Notice.REPLACE_BATTERY, Notice.BLIND_START})
# What the light of the chain tells as well, with its remedy.
_LINKS: dict[str, frozenset[str]] = {
    Notice.FROZEN: frozenset({Link.FROZEN}),
    Notice.OTHER_UNIT: frozenset({Link.UNIT}),
    Notice.NO_ALARM: frozenset({Link.CLOCK}),
    Notice.BLIND_LONG: frozenset({Link.CABLE, Link.UPSD, Link.SERVICES}),
}


def untold(notices: Iterable[str], findings: Iterable[Finding], said: str) -> list[str]:
    """The names of the notices that neither the sentence `said` nor a finding of the light tells already."""
    links = {finding.link for finding in findings}
    return [one for one in notices if NOTICES.get(one, one) not in said and not links & _LINKS.get(one, frozenset())]


def sentence(memory: Memory, heard: Reading | Silence, at: Moment, seconds_left: int | None) -> str:
    """How the power is now and what the node will do about it."""
    if memory.decided:
        return _going_down(memory)
    if memory.stage is Stage.HOLD:
        return _hold(heard, seconds_left)
    if memory.stage is Stage.ON_BATTERY:
        return _on_battery(memory, heard, at, seconds_left)
    if isinstance(heard, Silence):
        begin = "UPS sedang diperiksa" if memory.stage is Stage.ONLINE else "Keadaan listrik tidak diketahui"
        return f"{begin}: {_SILENCES[heard.kind]}."
    return _online(memory, heard)


def _going_down(memory: Memory) -> str:
    why = CAUSES[memory.cause] if memory.cause else "alasan tidak tercatat"
    if memory.stage is Stage.DOWN:
        return f"Sistem sedang mati: {why}."
    if memory.mains_returning:
        return "Listrik menyala lagi; bila tetap menyala, sistem tidak jadi mati."
    if memory.stage is Stage.READY:
        return f"Semua data tersimpan; sistem mati dalam beberapa detik ({why})."
    doing = "data sedang dirapikan di disk" if memory.stage is Stage.SAVING else "pekerjaan yang berjalan sedang diselesaikan"
    return f"Sistem bersiap mati ({why}); {doing}."


def _online(memory: Memory, reading: Reading) -> str:
    charge = "" if reading.charge is None else f", baterai UPS {reading.charge} %"
    flaps = " Listrik sering padam; pencadangan, impor dan ekspor menunggu." if memory.flapping else ""
    return f"Listrik menyala{charge}.{flaps}"


def _hold(heard: Reading | Silence, seconds_left: int | None) -> str:
    """What the node waits for before it takes work."""
    begin = "Sistem baru menyala dan untuk sementara hanya dapat dibaca"
    if isinstance(heard, Silence):
        return f"{begin}: menunggu kabar dari UPS ({_SILENCES[heard.kind]})."
    if heard.mains is False:
        left = (
            ""
            if seconds_left is None
            else f" Bila tetap padam, sistem mati lagi dalam {duration(timedelta(seconds=seconds_left))}."
        )
        return f"{begin}: listrik masih padam.{left}"
    charge = "" if heard.charge is None else f", baterai UPS {heard.charge} %"
    return f"{begin}: memastikan listrik stabil dan baterai cukup{charge}."


def _on_battery(memory: Memory, heard: Reading | Silence, at: Moment, seconds_left: int | None) -> str:
    if memory.mains_since is not None:
        return "Listrik menyala lagi; sistem memastikan listrik tidak padam kembali."
    since = memory.battery_since
    began = "" if since is None else f" sudah {duration(at.ticks - since)}"
    left = "" if seconds_left is None else f" Data Anda disimpan; sistem mati dalam {duration(timedelta(seconds=seconds_left))}."
    silent = f" UPS tidak terbaca ({_SILENCES[heard.kind]})." if isinstance(heard, Silence) else ""
    charge = f", baterai UPS {heard.charge} %" if isinstance(heard, Reading) and heard.charge is not None else ""
    return f"Listrik padam{began}{charge}.{silent}{left}"


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
