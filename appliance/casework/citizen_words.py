"""A case in the words of the citizen: how far it is, what happens next, and the message that an officer copies to her.

Nothing internal is said here: no names of officers, no notes but those that were written for her.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.models.states import CaseState

S = CaseState


@dataclass(frozen=True)
class Stage:
    """Where a case stands, and what comes next or is to be done: two sentences for the citizen."""

    now: str
    following: str


STAGES: Mapping[CaseState, Stage] = {
    S.DRAFT: Stage("Laporan Anda sedang dicatat.", "Petugas akan memeriksanya."),
    S.NEW: Stage("Laporan Anda sudah kami terima.", "Petugas akan memeriksanya. Anda tidak perlu datang lagi."),
    S.NEEDS_REPAIR: Stage("Masih ada data atau berkas yang perlu dilengkapi.", "Lengkapi berkas yang diminta, lalu serahkan ke loket atau petugas desa."),
    S.VERIFYING: Stage("Laporan Anda sedang diperiksa.", "Petugas mungkin menghubungi atau mengunjungi Anda."),
    S.VERIFIED: Stage("Laporan Anda sudah diperiksa.", "Petugas menyiapkan penanganannya."),
    S.REVIEW: Stage("Laporan Anda sedang dipelajari petugas.", "Petugas menyiapkan usulan penanganan untuk ditetapkan."),
    S.AWAITING_DECISION: Stage("Usulan penanganan menunggu penetapan.", "Setelah ditetapkan, petugas menjalankan penanganannya."),
    S.IN_HANDLING: Stage("Laporan Anda sedang ditangani.", "Petugas akan memberi tahu Anda hasilnya."),
    S.REFERRED: Stage("Laporan Anda sedang ditangani instansi lain yang berwenang.", "Kami menunggu jawaban instansi itu, lalu memberi tahu Anda."),
    S.WAITING_OUTSIDE: Stage("Usulan Anda menunggu keputusan pemerintah pusat, BPJS, atau provinsi.", "Keputusannya di luar kantor kami; kami memberi tahu Anda setelah ada jawaban."),
    S.FOLLOW_UP: Stage("Jawaban atas laporan Anda sudah ada.", "Petugas menyiapkan pemberitahuan hasilnya kepada Anda."),
    S.DONE: Stage("Laporan Anda sudah selesai ditangani.", "Bila hasilnya belum Anda terima, tanyakan ke loket dengan membawa slip ini."),
    S.CLOSED: Stage("Laporan Anda sudah selesai dan ditutup.", "Bila masih ada masalah, sampaikan lagi ke loket atau petugas desa."),
    S.REFUSED: Stage("Permohonan Anda belum dapat dipenuhi.", "Tanyakan alasan dan langkah berikutnya ke loket; Anda dapat mengajukan lagi."),
    S.DUPLICATE: Stage("Laporan ini digabung dengan laporan lain yang sama.", "Penanganannya berlanjut pada laporan itu; tanyakan nomornya ke loket."),
    S.INVALID: Stage("Laporan ini tidak dapat dilanjutkan.", "Tanyakan alasannya ke loket dengan membawa slip ini."),
    S.CANCELLED: Stage("Laporan ini dibatalkan.", "Bila Anda tidak merasa membatalkannya, tanyakan ke loket."),
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """What a message to the citizen is made of; `service` stays empty for what is confidential."""

    name: str
    number: str
    state: CaseState
    service: str = ""
    told: str = ""
    office: str = ""


def whatsapp_text(message: Message) -> str:
    """A polite message to copy, from the state and from what was written for the citizen, nothing else."""
    stage = STAGES[message.state]
    about = f" ({message.service})" if message.service else ""
    parts = [
        f"Yth. Bapak/Ibu {message.name},",
        f"Laporan Anda nomor {message.number}{about}: {stage.now[0].lower()}{stage.now[1:]}",
        message.told.strip(),
        stage.following,
        f"Layanan ini gratis. Mohon tidak mengirim foto KTP atau KK lewat pesan ini.\nTerima kasih.\n{message.office}".strip(),
    ]
    return "\n\n".join(part for part in parts if part)
