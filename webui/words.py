"""The words of the pages: how a code, a date or a number is read by an officer.

The one place where a code of the service becomes Indonesian. It knows no request; the office's zone is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from appliance.models.imports import ImportState, Verdict
from appliance.models.person import LifeKind, NikStatus, Sex
from appliance.models.states import (
    CLOCK_STOPPED,
    CaseKind,
    CaseState,
    Channel,
    Outcome,
    PaperState,
    Priority,
    ReferralState,
    VisitState,
    Vulnerable,
)

NOTHING = "–"


def date_words(value: date | datetime | None, zone: ZoneInfo) -> str:
    """21 November 2026."""
    return NOTHING if value is None else str(format_date(_day(value, zone), "d MMMM y", locale="id"))


def short_date_words(value: date | datetime | None, zone: ZoneInfo) -> str:
    """21-11-2026."""
    return NOTHING if value is None else str(format_date(_day(value, zone), "dd-MM-y", locale="id"))


def month_words(value: date) -> str:
    """November 2026."""
    return str(format_date(value, "MMMM y", locale="id"))


def moment_words(value: datetime | None, zone: ZoneInfo) -> str:
    """Sabtu, 21 November 2026 pukul 14.05 WITA."""
    if value is None:
        return NOTHING
    return str(format_datetime(_aware(value), "EEEE, d MMMM y 'pukul' HH.mm z", tzinfo=zone, locale="id"))


def short_moment_words(value: datetime | None, zone: ZoneInfo) -> str:
    """21-11-2026 14.05."""
    return NOTHING if value is None else str(format_datetime(_aware(value), "dd-MM-y HH.mm", tzinfo=zone, locale="id"))


def clock_words(value: datetime | None, zone: ZoneInfo) -> str:
    """14.05.32."""
    return NOTHING if value is None else str(format_datetime(_aware(value), "HH.mm.ss", tzinfo=zone, locale="id"))


def number_words(value: float | None) -> str:
    """1.234.567,5."""
    return NOTHING if value is None else str(format_decimal(value, locale="id"))


def span_words(span: timedelta) -> str:
    """A length of time in its biggest whole unit: 3 hari, 5 jam, 12 menit."""
    minutes = int(abs(span).total_seconds()) // 60
    if minutes >= 24 * 60:
        return f"{minutes // (24 * 60)} hari"
    if minutes >= 60:
        return f"{minutes // 60} jam"
    return f"{max(minutes, 1)} menit"


def _day(value: date | datetime, zone: ZoneInfo) -> date:
    return _aware(value).astimezone(zone).date() if isinstance(value, datetime) else value


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Word:
    """How one code is read: its text, and the tone of the badge it is shown in (plain, info, good, warn, bad)."""

    text: str
    tone: str = "plain"


# A state carries its own label; only its colour is said here. States that wait for somebody stand out.
CASE_TONES: Mapping[str, str] = {
    CaseState.NEW: "info",
    CaseState.NEEDS_REPAIR: "warn",
    CaseState.VERIFYING: "info",
    CaseState.VERIFIED: "info",
    CaseState.REVIEW: "info",
    CaseState.AWAITING_DECISION: "warn",
    CaseState.IN_HANDLING: "info",
    CaseState.REFERRED: "info",
    CaseState.FOLLOW_UP: "warn",
    CaseState.DONE: "good",
    CaseState.REFUSED: "bad",
}

# For whoever has no step of her own now: who has, and what it is.
WAITS_FOR: Mapping[str, str] = {
    CaseState.NEW: "Menunggu Back Office, supervisor, atau koordinator Puskesos mengambil kasus ini.",
    CaseState.NEEDS_REPAIR: "Menunggu petugas pencatat memperbaiki dan mengirim ulang.",
    CaseState.VERIFYING: "Sedang diverifikasi.",
    CaseState.VERIFIED: "Menunggu diteruskan ke telaah atau ditangani di desa.",
    CaseState.REVIEW: "Sedang ditelaah Back Office.",
    CaseState.AWAITING_DECISION: "Menunggu penetapan manajer.",
    CaseState.IN_HANDLING: "Sedang ditangani.",
    CaseState.REFERRED: "Sedang dirujuk; menunggu jawaban OPD atau lembaga tujuan.",
    CaseState.WAITING_OUTSIDE: "Menunggu keputusan pihak luar.",
    CaseState.FOLLOW_UP: "Menunggu Back Office atau fasilitator mencatat hasil.",
    CaseState.DONE: "Hasil sudah dicatat; menunggu konfirmasi warga lewat Front Office atau fasilitator.",
}

# Said beside the due time while the office's clock stands still.
CLOCK_STANDS = dict.fromkeys(CLOCK_STOPPED, "Batas waktu berhenti selama menunggu warga atau pihak luar.")

# What the history says in other words than the button that did it.
EVENTS: Mapping[str, str] = {
    "kirim": "Kasus dicatat",
    "rujukan_dijawab": "Semua rujukan sudah dijawab",
    "rujukan_dikembalikan": "Kasus kembali ke telaah",
    "isi_kunjungan": "Hasil kunjungan diisi",
    "teruskan_otomatis": "Kasus lapangan diteruskan ke telaah",
    "eskalasi": "Keterlambatan disampaikan",
    "tutup_otomatis": "Ditutup otomatis setelah tidak ada tanggapan",
}

VISIT_TONES: Mapping[str, str] = {
    VisitState.PLANNED: "info",
    VisitState.REPORTED: "warn",
    VisitState.RETURNED: "bad",
    VisitState.CONFIRMED: "good",
}

PAPER_STATES: Mapping[str, Word] = {
    PaperState.WAITING: Word("Menunggu diperiksa", "info"),
    PaperState.VALID: Word("Sah", "good"),
    PaperState.REPLACE: Word("Perlu ganti", "bad"),
    PaperState.PROMISED: Word("Menyusul", "warn"),
}

REFERRAL_TONES: Mapping[str, str] = {
    ReferralState.SENT: "warn",
    ReferralState.ACCEPTED: "info",
    ReferralState.IN_PROCESS: "info",
    ReferralState.ANSWERED: "good",
    ReferralState.RETURNED: "bad",
    ReferralState.DECLINED: "bad",
}

# Where the age of a referral still counts.
REFERRAL_WAITS = frozenset({ReferralState.SENT, ReferralState.ACCEPTED, ReferralState.IN_PROCESS})
REFERRAL_ENDS: Mapping[str, str] = {
    ReferralState.RETURNED: "Dikembalikan",
    ReferralState.DECLINED: "Ditolak",
    ReferralState.WITHDRAWN: "Ditarik kembali",
}

PRIORITIES: Mapping[str, Word] = {
    Priority.NORMAL: Word("Biasa"),
    Priority.FAST: Word("Cepat", "warn"),
    Priority.EMERGENCY: Word("Darurat", "bad"),
}

CHANNELS: Mapping[str, str] = {
    Channel.COUNTER: "Datang ke kantor",
    Channel.PUSKESOS: "Datang ke Puskesos",
    Channel.FIELD: "Kunjungan lapangan",
    Channel.PHONE: "Telepon",
    Channel.WHATSAPP: "WhatsApp",
    Channel.LETTER: "Surat",
    Channel.LAPOR: "SP4N-LAPOR!",
}

KINDS: Mapping[str, str] = {
    CaseKind.COMPLAINT: "Pengaduan",
    CaseKind.REQUEST: "Permohonan layanan",
    CaseKind.QUESTION: "Pertanyaan",
    CaseKind.SUGGESTION: "Saran",
}

VULNERABLE_GROUPS: Mapping[str, str] = {
    Vulnerable.PREGNANT: "Ibu hamil atau menyusui",
    Vulnerable.ELDERLY: "Lanjut usia",
    Vulnerable.DISABLED: "Penyandang disabilitas",
    Vulnerable.VICTIM: "Korban kekerasan",
    Vulnerable.CHILD: "Anak",
}

OUTCOMES: Mapping[str, str] = {
    Outcome.FULFILLED: "Terpenuhi",
    Outcome.PARTLY: "Terpenuhi sebagian",
    Outcome.NOT: "Tidak terpenuhi",
    Outcome.INFORMATION: "Informasi diberikan",
}

# The parts of the node that its admin sees on the first page.
PARTS: Mapping[str, str] = {
    "backup": "Cadangan data",
    "sticks": "Stik cadangan",
    "sheet": "Lembar pemulihan",
    "power": "Listrik dan UPS",
    "disk": "Ruang penyimpanan",
    "database": "Basis data",
    "certificate": "Sertifikat HTTPS",
}

HEALTHS: Mapping[str, Word] = {
    "ok": Word("Baik", "good"),
    "warn": Word("Perhatian", "warn"),
    "fail": Word("Bermasalah", "bad"),
    "unknown": Word("Belum diketahui"),
}

SEXES: Mapping[str, str] = {Sex.FEMALE: "Perempuan", Sex.MALE: "Laki-laki"}

NIK_STATUSES: Mapping[str, Word] = {
    NikStatus.VALID: Word("NIK sesuai", "good"),
    NikStatus.DOUBTFUL: Word("NIK perlu diperiksa", "warn"),
    NikStatus.TEMPORARY: Word("NIK sementara", "warn"),
    NikStatus.NONE: Word("Belum ada NIK", "warn"),
}

PERSON_STATUSES: Mapping[str, Word] = {
    "hidup": Word("Hidup", "good"),
    "mati": Word("Meninggal", "bad"),
    "pindah": Word("Pindah", "warn"),
    "hilang": Word("Hilang", "warn"),
    "ganda": Word("Data ganda", "warn"),
    "tidak_valid": Word("Data tidak valid", "bad"),
}

IMPORT_STATES: Mapping[str, Word] = {
    ImportState.MAPPING: Word("Kolom belum dipastikan", "warn"),
    ImportState.CHECKING: Word("Sedang diperiksa", "info"),
    ImportState.CHECKED: Word("Menunggu persetujuan Anda", "warn"),
    ImportState.STORING: Word("Sedang disimpan", "info"),
    ImportState.STORED: Word("Selesai", "good"),
    ImportState.UNDOING: Word("Sedang dibatalkan", "info"),
    ImportState.UNDONE: Word("Dibatalkan"),
    ImportState.DROPPED: Word("Dibuang"),
}

VERDICTS: Mapping[str, Word] = {
    Verdict.NEW: Word("Baru", "good"),
    Verdict.CHANGED: Word("Berubah", "info"),
    Verdict.SAME: Word("Sama"),
    Verdict.SKIPPED: Word("Dilewati"),
    Verdict.WRONG: Word("Salah", "bad"),
}

LIFE_KINDS: Mapping[str, str] = {
    LifeKind.BORN: "Lahir",
    LifeKind.DIED: "Meninggal",
    LifeKind.MOVED: "Pindah",
    LifeKind.MISSING: "Hilang",
    LifeKind.CAME: "Datang",
    LifeKind.SPLIT: "Pecah KK",
    LifeKind.MARRIED: "Kawin",
    LifeKind.DIVORCED: "Cerai",
    LifeKind.CORRECTED: "Data diperbaiki",
    LifeKind.RECODED: "Kode wilayah berganti",
    LifeKind.MERGED: "Data ganda digabung",
    LifeKind.UNMERGED: "Penggabungan dibatalkan",
    LifeKind.IMPORTED: "Dari impor",
}

# What an event tells beside its day. What is not named here is for programs.
EVENT_FACTS: Mapping[str, str] = {
    "alasan": "Alasan",
    "dari": "Dari",
    "dari_desa": "Dari",
    "ke_desa": "Ke",
    "ke_luar": "Ke",
    "pasangan": "Dengan",
    "anggota": "Anggota yang pindah ke KK baru",
    "sumber": "Sumber",
    "kk": "Keluarga",
    "impor": "Impor",
}

FILE_KINDS: Mapping[str, str] = {
    "foto": "Foto orangnya",
    "rumah": "Foto rumah",
    "ktp": "KTP",
    "kk": "Kartu keluarga",
    "bukti": "Bukti hasil cek",
    "lain": "Berkas lain",
}

PERSON_FIELDS: Mapping[str, str] = {
    "nik": "NIK",
    "nik_reason": "Alasan tanpa NIK",
    "name": "Nama lengkap",
    "nickname": "Nama panggilan",
    "sex": "Jenis kelamin",
    "birth_place": "Tempat lahir",
    "birth_date": "Tanggal lahir",
    "birth_date_estimated": "Tanggal lahir perkiraan",
    "relation": "Hubungan keluarga",
    "mother_name": "Nama ibu",
    "father_name": "Nama ayah",
    "religion": "Agama",
    "education": "Pendidikan",
    "occupation": "Pekerjaan",
    "marital_status": "Status perkawinan",
    "nationality": "Kewarganegaraan",
    "domicile": "Domisili",
    "phone": "Telepon",
    "insurance": "Jaminan kesehatan",
    "insurance_number": "Nomor kartu JKN",
    "kk": "Nomor KK",
    "address": "Alamat",
    "hamlet": "Dusun/lingkungan",
    "rt": "RT",
    "rw": "RW",
    "latitude": "Lintang",
    "longitude": "Bujur",
    "note": "Catatan",
    "disabilities": "Disabilitas",
    "chronic_illnesses": "Penyakit menahun",
    "pregnant": "Hamil",
}


def text_of(words: Mapping[str, Word] | Mapping[str, str], code: str | None) -> str:
    """The text of a code; a code that has no word yet is shown as it is, and nothing as a dash."""
    if not code:
        return NOTHING
    found = words.get(code, code)
    return found.text if isinstance(found, Word) else found


def tone_of(words: Mapping[str, Word], code: str) -> str:
    """The tone of a code's badge."""
    return words[code].tone if code in words else "plain"


def options_of(words: Mapping[str, Word] | Mapping[str, str]) -> list[tuple[str, str]]:
    """Codes and texts for a choice on a page, in the order they stand here."""
    return [(str(code), text_of(words, code)) for code in words]
