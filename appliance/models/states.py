"""The states of a case and of a referral, and the other fixed words a case is described with."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    DRAFT = "DRAF"
    NEW = "BARU"
    NEEDS_REPAIR = "PERLU_PERBAIKAN"
    VERIFYING = "VERIFIKASI"
    VERIFIED = "TERVERIFIKASI"
    REVIEW = "TELAAH"
    AWAITING_DECISION = "MENUNGGU_PENETAPAN"
    IN_HANDLING = "DITANGANI"
    REFERRED = "DIRUJUK"
    WAITING_OUTSIDE = "MENUNGGU_LUAR"
    FOLLOW_UP = "TINDAK_LANJUT"
    DONE = "SELESAI"
    CLOSED = "DITUTUP"
    REFUSED = "DITOLAK"
    DUPLICATE = "DUPLIKAT"
    INVALID = "TIDAK_VALID"
    CANCELLED = "DIBATALKAN"

    @property
    def label(self) -> str:
        """The state as a page shows it, for example "Menunggu penetapan"."""
        return self.value.replace("_", " ").capitalize()


ENDED = frozenset(
    {CaseState.CLOSED, CaseState.REFUSED, CaseState.DUPLICATE, CaseState.INVALID, CaseState.CANCELLED, CaseState.DONE}
)
OPEN = frozenset(set(CaseState) - ENDED)
# The clock of the office stands still while the citizen or somebody outside is to act.
CLOCK_STOPPED = frozenset({CaseState.NEEDS_REPAIR, CaseState.WAITING_OUTSIDE})


class ReferralState(StrEnum):
    DRAFT = "DRAF"
    SENT = "DIKIRIM"
    ACCEPTED = "DITERIMA"
    IN_PROCESS = "DIPROSES"
    ANSWERED = "DIJAWAB"
    RETURNED = "DIKEMBALIKAN"
    DECLINED = "DITOLAK"
    WITHDRAWN = "DITARIK"
    CANCELLED = "DIBATALKAN"

    @property
    def label(self) -> str:
        """The state as a page shows it."""
        return self.value.capitalize()


# While and after its work the organisation sees what was shared with it; not once it was taken back or it did not want it.
SHOWN_TO_RECEIVER = frozenset({ReferralState.SENT, ReferralState.ACCEPTED, ReferralState.IN_PROCESS, ReferralState.ANSWERED})


class Channel(StrEnum):
    FIELD = "lapangan"
    COUNTER = "kantor"
    PUSKESOS = "puskesos"
    PHONE = "telepon"
    WHATSAPP = "wa"
    LETTER = "surat"
    LAPOR = "lapor"


class CaseKind(StrEnum):
    QUESTION = "pertanyaan"
    SUGGESTION = "saran"
    COMPLAINT = "pengaduan"
    REQUEST = "permohonan"


class Priority(StrEnum):
    EMERGENCY = "darurat"
    FAST = "cepat"
    NORMAL = "biasa"


class Vulnerable(StrEnum):
    PREGNANT = "hamil"
    ELDERLY = "lansia"
    DISABLED = "disabilitas"
    VICTIM = "korban_kekerasan"
    CHILD = "anak"


class Outcome(StrEnum):
    FULFILLED = "terpenuhi"
    PARTLY = "sebagian"
    NOT = "tidak"
    INFORMATION = "informasi"


class VisitState(StrEnum):
    PLANNED = "DIRENCANAKAN"
    REPORTED = "DILAPORKAN"
    RETURNED = "DIKEMBALIKAN"
    CONFIRMED = "DISAHKAN"
    CANCELLED = "DIBATALKAN"

    @property
    def label(self) -> str:
        """The state as a page shows it."""
        return self.value.capitalize()


class VisitResult(StrEnum):
    AS_REPORTED = "sesuai"
    OTHERWISE = "tidak_sesuai"
    NOT_MET = "tidak_bertemu"
    MOVED = "pindah"
    DIED = "meninggal"


class PaperState(StrEnum):
    WAITING = "menunggu"
    VALID = "sah"
    REPLACE = "perlu_ganti"
    # Of an emergency only: it goes on at once, and what is missing is brought before it is finished.
    PROMISED = "menyusul"
