"""The invented cases: what each is about and how far it has come. Data, in the words of the transition table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One step in the life of an invented case: who does what, with which words."""

    who: str
    action: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Story:
    """An invented case and how far it has come. `opened_days` ago; a step follows each half day."""

    service: str
    description: str
    opened_days: int
    steps: tuple[Step, ...] = ()
    field_case: bool = False
    kind: str = "permohonan"
    priority: str = "biasa"
    vulnerable: tuple[str, ...] = ()
    confidential: bool = False


FO, BO, SUPERVISOR, MANAGER = "fo.sari", "bo.andi", "supervisor.rahma", "manajer.hasan"
DINKES, NUR = "opd.dinkes", "fasilitator.nur"
VERIFIED = (Step(BO, "ambil"), Step(BO, "sahkan", {"note": "Berkas lengkap"}))
SEEN = {
    "visit_result": "sesuai",
    "visit_date": "hari itu",
    "note": "Dikunjungi; keadaan sesuai dengan laporan.",
    "witness": "Ketua RT 2",
}
PLANNED = Step(SUPERVISOR, "jadwalkan_kunjungan", {"visitor": NUR, "planned_date": "hari itu", "note": "Lihat keadaan rumah."})
VISITED = (PLANNED, Step(NUR, "isi_kunjungan", SEEN))
CONFIRMED = Step(SUPERVISOR, "sahkan_kunjungan")
FIELD_VERIFIED = (Step(SUPERVISOR, "ambil"), *VISITED, CONFIRMED, Step(SUPERVISOR, "sahkan"))
REVIEWED = (Step(BO, "teruskan"),)
RECOMMENDED_ONLY = Step(BO, "ajukan", {"recommendation": "Layak dibantu; mohon ditetapkan."})
RECOMMENDED = (*REVIEWED, RECOMMENDED_ONLY)
DECIDED = (*RECOMMENDED, Step(MANAGER, "tetapkan_dirujuk"))


def _referral(unit: str, summary: str) -> tuple[Step, ...]:
    return Step(BO, "buat_rujukan", {"unit": unit, "summary": summary}), Step(BO, "kirim_rujukan")


HEALTH = _referral("dinkes", "Mohon bantuan jaminan biaya perawatan bagi warga ini.")
ANSWERED = (
    *(Step(DINKES, "terima_rujukan"), Step(DINKES, "proses_rujukan")),
    Step(DINKES, "jawab_rujukan", {"reply": "Biaya perawatan ditanggung Jamkesda; surat jaminan sudah terbit."}),
)
RESULT = Step(
    BO,
    "catat_hasil",
    {
        "outcome": "terpenuhi",
        "outcome_note": "Bantuan diterima.",
        "citizen_note": "Bantuan dapat diambil.",
        "told_way": "telepon",
    },
)
CLOSED = Step(FO, "konfirmasi", {"satisfaction": "4", "note": "Warga mengucapkan terima kasih."})
AT_ONCE = Step(
    FO,
    "selesaikan_langsung",
    {"outcome": "informasi", "outcome_note": "Dijelaskan syarat dan alurnya.", "citizen_note": "Syarat dan alur pengurusan."},
)
REFUSED = Step(
    MANAGER, "tolak", {"note": "Desil 8, di luar sasaran.", "citizen_note": "Dapat mengajukan pemutakhiran data di desa."}
)
PBI_FACTS = {
    "advice": "layak",
    "inactive_date": "hari itu",
    "inactive_reason": "desil",
    "reactivated": "belum",
    "need": "kronis",
    "recommendation": "Layak direaktivasi; pasien jantung dengan surat puskesmas.",
}
NEEDS_PAPERS = {"return_reasons": "berkas_kurang", "missing_papers": "1", "note": "KK belum dilampirkan; foto KTP tidak terbaca."}

STORIES: tuple[Story, ...] = (
    Story("reaktivasi-pbi", "Kartu KIS tidak aktif, istri akan melahirkan di RSUD.", 1, priority="darurat", vulnerable=("hamil",)),
    Story("informasi", "Menanyakan syarat pendaftaran PKH.", 0, kind="pertanyaan"),
    Story("sk-dtsen", "Minta surat keterangan DTSEN untuk KIP Kuliah.", 0),
    Story("rumah", "Atap rumah roboh setelah hujan lebat.", 2, field_case=True, priority="cepat", vulnerable=("lansia",)),
    Story("usulan-dtsen", "Keluarga layak tetapi belum terdaftar.", 3, (Step(SUPERVISOR, "ambil"), PLANNED), True),
    Story("kartu-bantuan", "KKS hilang, bantuan tiga bulan tidak dapat diambil.", 5, (Step(BO, "kembalikan", NEEDS_PAPERS),)),
    Story("biaya-perawatan", "Butuh biaya cuci darah setiap minggu.", 4, (Step(BO, "ambil"),), vulnerable=("disabilitas",)),
    Story("alat-bantu", "Anak membutuhkan kursi roda.", 6, FIELD_VERIFIED[:3], True, vulnerable=("anak", "disabilitas")),
    Story("pendidikan", "Tidak mampu membayar seragam sekolah.", 7, VERIFIED),
    Story("pangan", "Tidak ada bahan makanan setelah gagal panen.", 8, (*FIELD_VERIFIED, Step(SUPERVISOR, "teruskan")), True),
    Story("bantuan-belum-cair", "BPNT dua bulan belum cair.", 9, (*VERIFIED, *REVIEWED), kind="pengaduan"),
    Story("usaha", "Mohon modal usaha menjahit.", 10, (*FIELD_VERIFIED, RECOMMENDED_ONLY), True),
    Story("sanggah", "Tetangga mampu menerima PKH.", 11, (*FIELD_VERIFIED, RECOMMENDED_ONLY), True, kind="pengaduan", confidential=True),
    Story("santunan-kematian", "Santunan kematian orang tua.", 14, (*VERIFIED, *RECOMMENDED, Step(MANAGER, "tetapkan_ditangani"))),
    Story("biaya-perawatan", "Operasi katarak tidak ditanggung.", 12, (*VERIFIED, *DECIDED, HEALTH[0])),
    Story("biaya-perawatan", "Rujukan berobat ke Makassar.", 13, (*VERIFIED, *DECIDED, *HEALTH), vulnerable=("lansia",)),
    Story("biaya-perawatan", "Tunggakan rawat inap kelas III.", 15, (*VERIFIED, *DECIDED, *HEALTH, ANSWERED[0])),
    Story("biaya-perawatan", "Obat rutin tidak tersedia.", 16, (*VERIFIED, *DECIDED, *HEALTH, *ANSWERED[:2])),
    Story("rumah", "Dinding bambu lapuk, lantai tanah.", 18, (*FIELD_VERIFIED, *DECIDED[1:], *_referral("perkim", "Mohon survei RTLH.")), True),
    Story("adminduk", "NIK anak tidak padan dengan Dukcapil.", 20, (
        *VERIFIED, *DECIDED, *HEALTH,
        Step(DINKES, "kembalikan_rujukan", {"reason": "Data kependudukan diurus Disdukcapil."}),
    )),
    Story("reaktivasi-pbi", "PBI dinonaktifkan, pasien jantung.", 22, (
        *VERIFIED, *REVIEWED, Step(BO, "ajukan", PBI_FACTS), Step(MANAGER, "tetapkan_ditangani"),
        Step(BO, "usulkan_keluar", {"outside_to": "kemensos", "outside_date": "hari itu", "outside_number": "SIKS-0212"}),
    ), priority="cepat"),
    Story("biaya-perawatan", "Biaya ambulans ke rumah sakit.", 24, (*VERIFIED, *DECIDED, *HEALTH, *ANSWERED)),
    Story("biaya-perawatan", "Alat bantu dengar.", 28, (*VERIFIED, *DECIDED, *HEALTH, *ANSWERED, RESULT), vulnerable=("lansia",)),
    Story("biaya-perawatan", "Persalinan dengan penyulit.", 33, (*VERIFIED, *DECIDED, *HEALTH, *ANSWERED, RESULT, CLOSED)),
    Story("cek-kepesertaan", "Menanyakan apakah masih terdaftar PKH.", 26, (AT_ONCE, CLOSED), kind="pertanyaan"),
    Story("usaha", "Modal usaha kedua dalam setahun.", 30, (*FIELD_VERIFIED, RECOMMENDED_ONLY, REFUSED), True),
    Story("pungutan", "Diminta uang saat mengambil bantuan.", 17, (
        Step(BO, "ambil"), Step(BO, "tandai_tidak_valid", {"note": "Pelapor mencabut keterangan; tidak terbukti."}),
    ), kind="pengaduan", confidential=True),
    Story("orang-telantar", "Pemulangan ke Jeneponto.", 21, (Step(FO, "batalkan", {"cancel_reason": "dicabut", "note": "Dijemput keluarga."}),)),
)  # fmt: skip
