"""What the steps of a case ask for: the fields, and the fixed lists of reasons and results behind them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.models.states import Outcome, Priority, VisitResult


@dataclass(frozen=True)
class Field:
    """One thing that an action asks for.

    `kind` is text, long, choice, date, multi (several of the choices), check (the one choice must be ticked) or files.
    The choices stand here, or `source` names the list of this case that they come from (`casework.choices`).
    """

    name: str
    label: str
    kind: str = "long"
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    source: str = ""


OUTCOMES = (
    (Outcome.FULFILLED.value, "Terpenuhi"),
    (Outcome.PARTLY.value, "Terpenuhi sebagian"),
    (Outcome.NOT.value, "Tidak terpenuhi"),
    (Outcome.INFORMATION.value, "Informasi diberikan"),
)
RETURN_REASONS = (
    ("berkas_kurang", "Berkas kurang"),
    ("berkas_tidak_terbaca", "Berkas tidak terbaca"),
    ("data_tidak_cocok", "Data warga tidak cocok dengan berkas"),
    ("uraian_kurang", "Uraian belum jelas"),
    ("salah_layanan", "Jenis layanan tidak tepat"),
    ("lain", "Alasan lain, tertulis di petunjuk"),
)
CANCEL_REASONS = (
    ("dicabut", "Warga mencabut permohonan"),
    ("meninggal", "Warga meninggal"),
    ("pindah", "Warga pindah ke luar daerah"),
    ("lain", "Alasan lain, tertulis di catatan"),
)
VISIT_RESULTS = (
    (VisitResult.AS_REPORTED.value, "Sesuai dengan laporan"),
    (VisitResult.OTHERWISE.value, "Tidak sesuai dengan laporan"),
    (VisitResult.NOT_MET.value, "Tidak bertemu"),
    (VisitResult.MOVED.value, "Sudah pindah"),
    (VisitResult.DIED.value, "Sudah meninggal"),
)
VISIT_RETURN_REASONS = (
    ("foto_kurang", "Foto kurang"),
    ("foto_kabur", "Foto tidak jelas"),
    ("lokasi_kosong", "Lokasi GPS belum diisi"),
    ("tanda_tangan", "Nama atau tanda tangan RT/RW belum ada"),
    ("uraian_kurang", "Uraian belum jelas"),
    ("salah_rumah", "Rumah yang dikunjungi keliru"),
)
TOLD_WAYS = (
    ("langsung", "Langsung di kantor atau Puskesos"),
    ("kunjungan", "Saat kunjungan ke rumah"),
    ("telepon", "Telepon"),
    ("wa", "WhatsApp"),
    ("surat", "Surat"),
)
PRIORITIES = ((Priority.NORMAL.value, "Biasa"), (Priority.FAST.value, "Cepat"), (Priority.EMERGENCY.value, "Darurat"))
SATISFACTION = (("4", "Sangat puas"), ("3", "Puas"), ("2", "Kurang puas"), ("1", "Tidak puas"))

NOTE = Field("note", "Catatan internal", required=False)
REASON = Field("note", "Alasan")
TOLD = Field("citizen_note", "Apa yang disampaikan kepada warga")
TOLD_WAY = Field("told_way", "Cara memberi tahu warga", "choice", choices=TOLD_WAYS)
TOLD_DATE = Field("told_date", "Tanggal diberi tahu", "date", required=False)
OUTCOME = Field("outcome", "Hasil", "choice", choices=OUTCOMES)
RESULT = Field("outcome_note", "Uraian hasil")

RETURN_FIELDS = (
    Field("return_reasons", "Mengapa dikembalikan", "multi", choices=RETURN_REASONS),
    Field("missing_papers", "Berkas yang harus dilengkapi", "multi", required=False, source="requirements"),
    Field("note", "Petunjuk untuk petugas"),
    Field("citizen_note", "Yang perlu disiapkan warga", required=False),
)
PLAN_FIELDS = (
    Field("visitor", "Petugas yang berkunjung", "choice", source="visitors"),
    Field("planned_date", "Tanggal kunjungan", "date"),
    Field("note", "Yang perlu diperiksa", required=False),
)
VISIT_FIELDS = (
    Field("visit_result", "Hasil kunjungan", "choice", choices=VISIT_RESULTS),
    Field("visit_date", "Tanggal kunjungan", "date"),
    Field("note", "Uraian keadaan"),
    Field("witness", "Nama RT/RW atau saksi yang menandatangani", "text", required=False),
    Field("latitude", "Lintang (GPS)", "text", required=False),
    Field("longitude", "Bujur (GPS)", "text", required=False),
    Field("photos", "Foto rumah dan lembar kunjungan", "files", required=False),
)
VISIT_RETURN_FIELDS = (
    Field("visit_reasons", "Mengapa dikembalikan", "multi", choices=VISIT_RETURN_REASONS),
    Field("note", "Petunjuk untuk petugas", required=False),
)
OUTSIDE_BODIES = (("kemensos", "Kementerian Sosial (SIKS-NG)"), ("bpjs", "BPJS Kesehatan"), ("provinsi", "Dinas Sosial Provinsi"))
OUTSIDE_DECISIONS = (("disetujui", "Disetujui"), ("ditolak", "Ditolak"), ("dikembalikan", "Dikembalikan untuk dilengkapi"))
PROPOSE_FIELDS = (
    Field("outside_to", "Diusulkan kepada", "choice", choices=OUTSIDE_BODIES),
    Field("outside_date", "Tanggal diusulkan", "date"),
    Field("outside_number", "Nomor usulan", "text", required=False),
    NOTE,
)
OUTSIDE_FIELDS = (
    Field("outside_decision", "Keputusan", "choice", choices=OUTSIDE_DECISIONS),
    Field("decided_date", "Tanggal keputusan", "date"),
    Field("note", "Uraian keputusan"),
)
DUPLICATES_SEEN = Field("duplicates_seen", "Pemeriksaan ganda", "check", source="similar")
CANCEL_REASON = Field("cancel_reason", "Sebab", "choice", choices=CANCEL_REASONS)
NEW_OWNER = Field("new_owner", "Petugas baru", "choice", source="officers")
NEW_PRIORITY = Field("priority", "Prioritas baru", "choice", choices=PRIORITIES)
NEW_DUE = Field("due_date", "Batas waktu baru", "date")
CONFIDENTIALITY = Field("confidential", "Kerahasiaan", "choice", choices=(("ya", "Rahasia"), ("tidak", "Tidak rahasia")))
