"""The fields and tables that a wording may name: what each is called, and an example of it for the preview.

The letter to another organisation shows what was shared in the referral and nothing else of the case; hence its own, shorter list.
"""

from __future__ import annotations

from appliance.letters.markup import Known
from appliance.letters.markup_html import Grid

# name, what it is, an example
_OFFICE = (
    ("kantor.nama", "Nama kantor", "Dinas Sosial"),
    ("kantor.pemerintah", "Pemerintah daerah", "Pemerintah Kabupaten Bantaeng"),
    ("kantor.kabupaten", "Kabupaten/kota", "Kabupaten Bantaeng"),
    ("kantor.alamat", "Alamat kantor", "Jalan Andi Mannappiang Nomor 1, Bantaeng"),
    ("kantor.telepon", "Telepon kantor", "(0413) 21001"),
    ("kantor.tempat", "Tempat surat ditulis", "Bantaeng"),
    ("petugas.nama", "Petugas yang menulis", "Andi Firmansyah"),
    ("hari_ini", "Tanggal hari ini", "21 November 2026"),
    ("hari_ini.huruf", "Hari dan tanggal dengan huruf", "Sabtu tanggal dua puluh satu bulan November tahun dua ribu dua puluh enam"),
    ("surat.nomor", "Nomor surat", "400.9/001/SLRT/XI/2026"),
    ("surat.tanggal", "Tanggal surat", "21 November 2026"),
    ("surat.keperluan", "Keperluan surat", "Pendaftaran KIP Kuliah"),
    ("surat.berlaku", "Berlaku sampai", "21 Februari 2027"),
    ("penandatangan.nama", "Nama penanda tangan", "Dra. Hj. Nurhayati, M.Si."),
    ("penandatangan.jabatan", "Jabatan penanda tangan", "Kepala Dinas Sosial"),
    ("penandatangan.pangkat", "Pangkat penanda tangan", "Pembina Utama Muda"),
    ("penandatangan.nip", "NIP penanda tangan", "197001011995032001"),
)  # fmt: skip
_PERSON = (
    ("warga.nama", "Nama lengkap", "Sitti Aminah"),
    ("warga.nik", "NIK", "7399 0141 0180 0001"),
    ("warga.kk", "Nomor KK", "7399 0101 0110 0001"),
    ("warga.ttl", "Tempat dan tanggal lahir", "Bantaeng, 1 Januari 1980"),
    ("warga.umur", "Umur (tahun)", "46"),
    ("warga.jenis_kelamin", "Jenis kelamin", "Perempuan"),
    ("warga.agama", "Agama", "Islam"),
    ("warga.pekerjaan", "Pekerjaan", "Petani/pekebun"),
    ("warga.status_kawin", "Status perkawinan", "Kawin"),
    ("warga.alamat", "Alamat dengan RT/RW", "Jalan Merpati 4, RT 001/RW 002"),
    ("warga.desa", "Desa/kelurahan", "Kelurahan Bonto Sunggu"),
    ("warga.kecamatan", "Kecamatan", "Bissappu"),
    ("warga.kode_pos", "Kode pos desa/kelurahan", "92451"),
    ("warga.telepon", "Telepon", "0812-3456-7890"),
    ("warga.no_jkn", "Nomor kartu JKN", "0001234567890"),
    ("keluarga.kepala", "Kepala keluarga", "Abdul Rahman"),
    ("data.daftar", "Nama daftar nasional", "DTSEN"),
    ("data.terdaftar", "Terisi bila terdaftar", "terdaftar"),
    ("data.tidak_terdaftar", "Terisi bila tidak terdaftar", "tidak terdaftar"),
    ("data.desil", "Desil", "2"),
    ("data.desil_huruf", "Desil dengan huruf", "dua"),
    ("data.periode", "Periode daftar", "2026-T3"),
    ("data.dicek", "Tanggal daftar diperiksa", "18 November 2026"),
    ("kasus.nomor", "Nomor kasus", "SLRT-7303-202611-00012"),
    ("kasus.layanan", "Jenis layanan", "Reaktivasi PBI-JK (KIS)"),
    ("kasus.kategori", "Kategori", "Dihentikan atau dinonaktifkan"),
    ("kasus.uraian", "Uraian keluhan", "Kartu KIS tidak aktif ketika hendak berobat."),
    ("kasus.harapan", "Harapan warga", "Kartu aktif kembali."),
    ("kasus.rekomendasi", "Rekomendasi Back Office", "Layak direkomendasikan untuk diaktifkan kembali."),
    ("kasus.hasil", "Hasil penanganan", "Kartu sudah aktif."),
    ("kasus.status", "Status kasus", "Telaah"),
    ("kasus.diterima", "Tanggal diterima", "20 November 2026"),
)  # fmt: skip
# Never in a letter to somebody outside: some reporters fear being named.
_REPORTER = (
    ("pelapor.nama", "Nama pelapor", "Hasan Basri"),
    ("pelapor.hubungan", "Hubungan pelapor", "Tetangga"),
    ("pelapor.telepon", "Telepon pelapor", "0813-1111-2222"),
    ("kasus.saluran", "Diterima lewat", "Datang ke kantor"),
    ("kasus.jenis", "Jenis keluhan", "Pengaduan"),
    ("kasus.batas", "Batas waktu", "25 November 2026"),
    ("kasus.rentan", "Kelompok rentan", "Lanjut usia"),
)
_REFERRAL = (
    ("rujukan.nomor", "Nomor rujukan", "RJK-7303-202611-00002"),
    ("rujukan.kepada", "Tujuan rujukan", "Dinas Kesehatan"),
    ("rujukan.alamat", "Alamat tujuan", "Jalan Kartini 2, Bantaeng"),
    ("rujukan.kontak", "Kontak tujuan", "Seksi Jaminan Kesehatan"),
    ("rujukan.isi", "Yang diminta", "Mohon bantuan biaya perawatan."),
    ("rujukan.batas", "Batas jawaban", "27 November 2026"),
)

# About a meeting or a statement that DTSEN proposals rest on: no single resident, so none of her fields.
_BASIS = (
    ("dasar.nomor", "Nomor musyawarah atau SPTJM", "MUS-7303-202611-00001"),
    ("dasar.desa", "Desa/kelurahan", "Kelurahan Bonto Sunggu"),
    ("dasar.kecamatan", "Kecamatan", "Bissappu"),
    ("dasar.tanggal", "Tanggal pelaksanaan", "12 November 2026"),
    (
        "dasar.tanggal.huruf",
        "Tanggal pelaksanaan dengan huruf",
        "Kamis tanggal dua belas bulan November tahun dua ribu dua puluh enam",
    ),
    ("dasar.tempat", "Tempat", "Kantor Kelurahan Bonto Sunggu"),
    ("dasar.pimpinan", "Pimpinan musyawarah atau pembuat pernyataan", "H. Baso Amir"),
    ("dasar.catatan", "Jalannya musyawarah", "Usulan dibacakan satu per satu."),
    ("dasar.jumlah", "Jumlah usulan", "40"),
    ("dasar.disepakati", "Jumlah yang disepakati", "38"),
    ("dasar.ditolak", "Jumlah yang tidak disepakati", "2"),
    ("dasar.hadir", "Jumlah yang hadir", "25"),
)

LETTER, REFERRAL, PAPER, BASIS = "surat", "rujukan", "formulir", "musyawarah"
# Simply printed: they have no life of their own, and no number of the office.
UNNUMBERED = frozenset({PAPER, BASIS})
KINDS = {LETTER: "Surat tentang warga", REFERRAL: "Surat yang menyertai rujukan", PAPER: "Formulir atau lembar tanpa nomor"}
KINDS[BASIS] = "Berita acara atau SPTJM usulan DTSEN"
_FIELDS = {
    LETTER: (*_PERSON, *_OFFICE),
    REFERRAL: (*_REFERRAL, *_OFFICE),
    PAPER: (*_PERSON, *_REPORTER, *_OFFICE),
    BASIS: (*_BASIS, *(field for field in _OFFICE if field[0].startswith(("kantor.", "petugas.", "hari_ini")))),
}
_LIST = Grid(
    ("Nama", "NIK", "Alamat", "Kasus"),
    (("Sitti Aminah", "7399 0141 0180 0001", "Kelurahan Bonto Sunggu", "SLRT-7303-202611-00012"),),
    "Tidak ada nama.",
)
SAMPLE_TABLES: dict[str, Grid] = {
    "daftar kasus": _LIST,
    "daftar nama": Grid(("Nama", "Desa/kelurahan"), (("Sitti Aminah", "Kelurahan Bonto Sunggu"),), "Tidak ada nama."),
    "data dibagikan": Grid(("Keterangan", "Isi"), (("Nama", "Sitti Aminah"), ("Desa/kelurahan", "Kelurahan Bonto Sunggu"))),
    "bantuan": Grid(("Program", "Status", "Sejak"), (("PKH", "Aktif", "1 Januari 2024"),), "Belum ada bantuan yang tercatat."),
    "anggota keluarga": Grid(("Nama", "Hubungan", "Umur"), (("Abdul Rahman", "Kepala keluarga", "50 tahun"),)),
    "riwayat": Grid(("Waktu", "Langkah", "Oleh", "Catatan"), (("20-11-2026 10.00", "Kasus dicatat", "Sari Wahyuni", ""),)),
    "rujukan": Grid(("Nomor", "Kepada", "Status", "Jawaban"), (("RJK-7303-202611-00002", "Dinas Kesehatan", "Dikirim", ""),)),
    "persyaratan": Grid(("Berkas", "Ada"), (("KTP", "☐"), ("Kartu Keluarga", "☐"))),
    "daftar usulan": Grid(
        ("Nama", "NIK", "Alamat", "Usulan", "Hasil"),
        (("Sitti Aminah", "739901••••••••••", "Jalan Merpati 4", "Usul baru masuk DTSEN", "Disepakati"),),
        "Tidak ada usulan.",
    ),
    "daftar usulan lengkap": Grid(
        ("Nama", "NIK", "No. KK", "Alamat", "Usulan"),
        (("Sitti Aminah", "7399 0141 0180 0001", "7399 0101 0110 0001", "Jalan Merpati 4", "Usul baru masuk DTSEN"),),
        "Tidak ada usulan.",
    ),
    "peserta hadir": Grid(
        ("Nama", "Jabatan atau unsur", "Tanda tangan"),
        (("H. Baso Amir", "Ketua RW 02", ""),),
        "Belum ada yang tercatat hadir.",
    ),
}
_TABLES = {
    LETTER: ("daftar kasus", "daftar nama", "anggota keluarga", "bantuan"),
    REFERRAL: ("data dibagikan",),
    PAPER: ("anggota keluarga", "bantuan", "riwayat", "rujukan", "persyaratan"),
    BASIS: ("daftar usulan", "daftar usulan lengkap", "peserta hadir"),
}


def fields_of(kind: str) -> tuple[tuple[str, str, str], ...]:
    """Name, meaning and example of each field that a wording of this kind may name."""
    return _FIELDS[kind]


def tables_of(kind: str) -> tuple[str, ...]:
    """The tables that a wording of this kind may name."""
    return _TABLES[kind]


def known_to(kind: str, questions: tuple[str, ...]) -> Known:
    """What a wording of this kind may name; `questions` are the codes it asks the drafter."""
    names = {name for name, _, _ in _FIELDS[kind]}
    return Known(names | {f"isian.{code}" for code in questions}, _TABLES[kind])


def examples_for(kind: str) -> dict[str, str]:
    """The example of each field."""
    return {name: example for name, _, example in _FIELDS[kind]}
