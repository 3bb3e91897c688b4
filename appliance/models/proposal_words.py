"""The fixed words of a DTSEN proposal: its kinds and states, what it rests on, and what was said of it there."""

from __future__ import annotations

from enum import StrEnum


class ProposalKind(StrEnum):
    """What shall change in the national list."""

    NEW = "usul_baru"
    CORRECTION = "perbaikan"
    DECILE = "pembaruan_desil"
    AID = "usul_bansos"
    OBJECTION = "sanggah"
    MOVED = "pindah"
    DIED = "hapus_meninggal"
    ABLE = "hapus_mampu"


class ProposalState(StrEnum):
    DRAFT = "DRAF"
    SUBMITTED = "DIAJUKAN"
    DISCUSSED = "DIBAHAS"
    AGREED = "DISEPAKATI"
    NOT_AGREED = "TIDAK_DISEPAKATI"
    SIGNED = "BERTANDA_TANGAN"
    CHECKED = "DIPERIKSA"
    READY = "SIAP_ENTRI"
    ENTERED = "DIENTRI"
    ON_HOLD = "DITAHAN"
    ACCEPTED = "DITERIMA"
    REJECTED = "DITOLAK"
    NEEDS_REPAIR = "PERLU_PERBAIKAN"
    WITHDRAWN = "DITARIK"

    @property
    def label(self) -> str:
        """The state as a page shows it."""
        return _LABELS.get(self, self.value.replace("_", " ").capitalize())


_LABELS = {
    ProposalState.SUBMITTED: "Menunggu musyawarah",
    ProposalState.DISCUSSED: "Di agenda musyawarah",
    ProposalState.CHECKED: "Sudah diperiksa Dinas",
    ProposalState.ENTERED: "Dientri di SIKS-NG",
    ProposalState.ON_HOLD: "Ditahan pusat",
    ProposalState.ACCEPTED: "Diterima pusat",
    ProposalState.REJECTED: "Ditolak pusat",
}
PROPOSAL_ENDS = frozenset({ProposalState.NOT_AGREED, ProposalState.ACCEPTED, ProposalState.REJECTED, ProposalState.WITHDRAWN})
PROPOSAL_OPEN = frozenset(ProposalState) - PROPOSAL_ENDS
# With the outside; until then the monthly window counts.
AWAITING_RESULT = frozenset({ProposalState.ENTERED, ProposalState.ON_HOLD})
BEFORE_ENTRY = PROPOSAL_OPEN - AWAITING_RESULT


class BasisKind(StrEnum):
    """What a proposal rests on: the village's meeting, or the statement of its head."""

    MEETING = "musyawarah"
    STATEMENT = "sptjm"


class BasisState(StrEnum):
    PREPARED = "DISIAPKAN"
    SIGNED = "BERTANDA_TANGAN"
    CANCELLED = "DIBATALKAN"

    @property
    def label(self) -> str:
        """The state as a page shows it."""
        return self.value.replace("_", " ").capitalize()


class Decision(StrEnum):
    """What the meeting said of a proposal."""

    AGREED = "setuju"
    REFUSED = "tolak"
    POSTPONED = "tunda"
