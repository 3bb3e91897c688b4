"""What is tried before the node is handed over, and when a confirmation is taken. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SHORTEST_NOTE, LONGEST_NOTE = 10, 500


class Result(StrEnum):
    """How a check ended."""

    PASSED = "lulus"
    FAILED = "gagal"
    NOT_HERE = "tidak-berlaku"

    @property
    def label(self) -> str:
        """As people read it."""
        return {"lulus": "Lulus", "gagal": "Tidak lulus", "tidak-berlaku": "Tidak berlaku di sini"}[self]


@dataclass(frozen=True)
class Check:
    """One thing to try: its code, what it is called, and what somebody does."""

    code: str
    title: str
    task: str


CHECKS = (
    Check(
        "steker",
        "Steker UPS dicabut",
        "Mulai latihan L2 atau L3 di halaman Latihan listrik, lalu cabut steker UPS dari dinding. Sistem bertahan, dan bila perlu mati sendiri dengan tertib.",
    ),
    Check(
        "hidup-lagi",
        "Hidup lagi sendiri sesudah listrik kembali",
        "Jalankan latihan penuh (L3), atau atur di BIOS: Restore AC Power Loss = Always On; putus daya sampai mati, sambungkan, dan jangan tekan tombol apa pun.",
    ),
    Check(
        "disk",
        "Satu disk dicabut",
        "Matikan mesin, cabut disk pertama, nyalakan: halaman Mesin menyebut disk yang hilang dan kasus tetap terbuka. Matikan, pasang kembali, tunggu sampai RAID lengkap.",
    ),
    Check("cadangan", "Cadangan terbukti", "Tekan Uji pemulihan sekarang di halaman Cadangan dan tunggu sampai terbukti."),
    Check(
        "pulih",
        "Dipulihkan di mesin lain",
        "Pasang simpul di komputer cadangan, pasang stik, dan pulihkan memakai kata sandi dari lembar. Buka satu kasus yang dikenal.",
    ),
    Check(
        "lembar",
        "Lembar pemulihan disegel",
        "Cetak semua lembar, uji setiap lembar di halaman Lembar pemulihan, masukkan ke amplop, segel, simpan di dua gedung.",
    ),
    Check(
        "tablet",
        "Tablet mempercayai halaman",
        "Buka halaman dari sebuah tablet fasilitator tanpa peringatan sertifikat, lalu masuk.",
    ),
    Check(
        "alamat",
        "Alamat tetap",
        "Nyalakan ulang router dan server; halaman masih terbuka di alamat yang sama dan kartu alamat tertempel.",
    ),
    Check("jam", "Jam benar", "Bandingkan jam di halaman dengan jam resmi (telepon genggam)."),
    Check(
        "manajemen",
        "Sandi manajemen jarak jauh",
        "Ganti sandi bawaan iLO atau Intel AMT (MEBx, Ctrl+P), atau matikan fiturnya di BIOS.",
    ),
    Check("akun", "Akun petugas dibuat", "Setiap petugas mempunyai akun sendiri dengan peran dan wilayahnya."),
    Check(
        "sandi",
        "Tidak ada sandi bawaan",
        "Semua petugas sudah mengganti sandi sekali pakainya; berkas sandi pertama di server dihapus.",
    ),
)
BY_CODE: Mapping[str, Check] = {check.code: check for check in CHECKS}


@dataclass(frozen=True)
class Evidence:
    """What the node saw of a check by itself: `seen` None where it can see nothing."""

    seen: bool | None
    text: str


@dataclass(frozen=True)
class Confirmation:
    """Somebody's word on a check."""

    code: str
    result: Result
    note: str
    evidence: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Line:
    """A check with what the node sees now, and the newest word on it."""

    check: Check
    evidence: Evidence
    last: Confirmation | None


def lines_of(evidence: Mapping[str, Evidence], confirmed: Sequence[Confirmation]) -> list[Line]:
    """All checks in their order; of several confirmations of one the last counts."""
    newest = {one.code: one for one in confirmed}
    return [Line(check, evidence.get(check.code, Evidence(None, "")), newest.get(check.code)) for check in CHECKS]


def is_complete(lines: Sequence[Line]) -> bool:
    """Whether the node may be handed over: nothing is open and nothing failed."""
    return all(line.last is not None and line.last.result is not Result.FAILED for line in lines)


def problems_of(code: str, result: str, note: str, evidence: Evidence) -> dict[str, str]:
    """What is wrong with a confirmation, by field."""
    problems = {}
    if code not in BY_CODE:
        problems["check"] = "Pemeriksaan itu tidak ada dalam daftar."
    if result not in list(Result):
        problems["result"] = "Pilih hasilnya."
    if len(note) > LONGEST_NOTE:
        problems["note"] = f"Catatan paling panjang {LONGEST_NOTE} huruf."
    if len(note) < SHORTEST_NOTE:
        if result == Result.PASSED and evidence.seen is False:
            problems["note"] = (
                f"Sistem belum melihat buktinya ({evidence.text}) Tulis mengapa ini tetap lulus, paling sedikit {SHORTEST_NOTE} huruf."
            )
        elif result in {Result.FAILED, Result.NOT_HERE}:
            problems["note"] = f"Tulis alasannya, paling sedikit {SHORTEST_NOTE} huruf."
    return problems
