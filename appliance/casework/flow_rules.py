"""What a recommendation must say in the special flows of service types, and what it may then advise. Pure.

A flow is the same way of a case with facts of its own: reactivating PBI-JK, the certificate of a place in DTSEN, and social
rehabilitation, which the ministry counts by 26 categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appliance.casework.step_fields import Field

PBI, CERTIFICATE, REHABILITATION = "reaktivasi_pbi", "sk_dtsen", "rehabilitasi"
FIT, UNFIT, NOT_LISTED = "layak", "tidak_layak", "tidak_terdaftar"
_ONCE, _AGAIN, _NO_NEED = "belum", "pernah", "tidak_ada"

# The ministry's categories of people who need social services, in its order.
PPKS = (
    ("anak_balita", "Anak balita telantar"),
    ("anak_telantar", "Anak telantar"),
    ("anak_hukum", "Anak berhadapan dengan hukum"),
    ("anak_jalanan", "Anak jalanan"),
    ("anak_disabilitas", "Anak dengan kedisabilitasan"),
    ("anak_kekerasan", "Anak korban kekerasan"),
    ("anak_khusus", "Anak yang memerlukan perlindungan khusus"),
    ("lansia_telantar", "Lanjut usia telantar"),
    ("disabilitas", "Penyandang disabilitas"),
    ("tuna_susila", "Tuna susila"),
    ("gelandangan", "Gelandangan"),
    ("pengemis", "Pengemis"),
    ("pemulung", "Pemulung"),
    ("minoritas", "Kelompok minoritas"),
    ("bekas_binaan", "Bekas warga binaan lembaga pemasyarakatan"),
    ("odha", "Orang dengan HIV/AIDS"),
    ("napza", "Korban penyalahgunaan NAPZA"),
    ("trafficking", "Korban trafficking"),
    ("kekerasan", "Korban tindak kekerasan"),
    ("migran", "Pekerja migran bermasalah sosial"),
    ("bencana_alam", "Korban bencana alam"),
    ("bencana_sosial", "Korban bencana sosial"),
    ("perempuan_rawan", "Perempuan rawan sosial ekonomi"),
    ("fakir_miskin", "Fakir miskin"),
    ("keluarga", "Keluarga bermasalah sosial psikologis"),
    ("adat", "Komunitas adat terpencil"),
)
_PPKS = Field("ppks", "Kategori PPKS", "choice", choices=PPKS)
# What an emergency is asked for before it goes out.
EMERGENCY_FIELDS: Mapping[str, tuple[Field, ...]] = {REHABILITATION: (_PPKS,)}
FLOW_FIELDS: Mapping[str, tuple[Field, ...]] = {
    PBI: (
        Field("advice", "Kelayakan reaktivasi", "choice", choices=((FIT, "Layak diusulkan"), (UNFIT, "Tidak layak"))),
        Field("inactive_date", "Tanggal kepesertaan nonaktif", "date"),
        Field("inactive_reason", "Sebab nonaktif menurut SIKS-NG", "choice", choices=(
            ("desil", "Desil 6 sampai 10"),
            ("tidak_terdaftar", "Tidak ada dalam DTSEN"),
            ("tidak_padan", "NIK tidak padan dengan Dukcapil"),
            ("judi_daring", "Terindikasi judi daring"),
            ("bayi", "Bayi dari ibu peserta PBI"),
            ("lain", "Sebab lain, tertulis di rekomendasi"),
        )),
        Field("reactivated", "Pernah direaktivasi", "choice", choices=((_ONCE, "Belum pernah"), (_AGAIN, "Sudah pernah"))),
        Field("need", "Kebutuhan layanan kesehatan", "choice", choices=(
            ("kronis", "Penyakit kronis atau katastropik"),
            ("darurat", "Keadaan darurat medis"),
            (_NO_NEED, "Tidak ada surat kebutuhan medis"),
        )),
    ),
    REHABILITATION: (_PPKS,),
    CERTIFICATE: (
        Field("advice", "Usulan surat keterangan", "choice", choices=(
            (FIT, "Terbitkan: terdaftar dengan desil"),
            (NOT_LISTED, "Terbitkan: tidak terdaftar"),
            (UNFIT, "Tolak"),
        )),
        Field("purpose", "Keperluan surat", "choice", choices=(
            ("sekolah", "Bantuan sekolah"),
            ("kuliah", "KIP Kuliah"),
            ("berobat", "Berobat atau jaminan kesehatan"),
            ("bantuan", "Bantuan sosial lain"),
            ("lain", "Keperluan lain, tertulis di rekomendasi"),
        )),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What the rules go by: the office's day, the applicant's newest desil if one is on record, and the office's limits."""

    today: date
    decile: int | None
    pbi_months: int
    highest_decile: int


def flow_problems(flow: str, values: Mapping[str, str], known: Known) -> dict[str, str]:
    """Why the facts of the flow do not carry the advice, by field; empty when they do. `values` passed the checks of the fields."""
    if flow == PBI:
        return _pbi_problems(values, known)
    return _certificate_problems(values, known) if flow == CERTIFICATE else {}


def _pbi_problems(values: Mapping[str, str], known: Known) -> dict[str, str]:
    inactive = date.fromisoformat(values["inactive_date"])
    if inactive > known.today:
        return {"inactive_date": "Tanggal nonaktif paling lambat hari ini."}
    if values["advice"] != FIT:
        return {}
    problems: dict[str, str] = {}
    if known.today > _months_later(inactive, known.pbi_months):
        problems["inactive_date"] = f"Nonaktif lebih dari {known.pbi_months} bulan; tidak dapat direaktivasi, pilih tidak layak."
    if values["reactivated"] == _AGAIN:
        problems["reactivated"] = "Reaktivasi hanya satu kali; pilih tidak layak dan arahkan warga ke pemutakhiran DTSEN."
    if values["need"] == _NO_NEED:
        problems["need"] = "Reaktivasi memerlukan surat kebutuhan medis; minta surat itu, atau pilih tidak layak."
    return problems


def _certificate_problems(values: Mapping[str, str], known: Known) -> dict[str, str]:
    if values["advice"] == NOT_LISTED and known.decile is not None:
        return {"advice": f"Tercatat desil {known.decile}; surat tidak terdaftar tidak dapat diusulkan."}
    if values["advice"] != FIT:
        return {}
    if known.decile is None:
        return {"advice": "Desil warga belum tercatat; catat hasil cek DTSEN dahulu di halaman bantuan warga."}
    if known.decile > known.highest_decile:
        return {
            "advice": f"Desil {known.decile} di atas batas {known.highest_decile}; pilih tolak, "
            "dan arahkan warga ke pemutakhiran data di desa."
        }
    return {}


def _months_later(day: date, months: int) -> date:
    """The same day of the month `months` later, or the first of the month after when that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        return date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
