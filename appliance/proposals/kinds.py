"""What each kind of proposal is about, and whom it fits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.models.profile import Listed
from appliance.models.proposal_words import ProposalKind

K = ProposalKind
ALIVE, DEAD = "hidup", "mati"


@dataclass(frozen=True)
class KindRule:
    """One kind. `statuses` are those a resident may have; `enters` whether she is typed into SIKS-NG with her NIK as somebody to be listed.

    `listed` is what the national list shows once it is accepted; "" when that says nothing of it.
    """

    label: str
    note: str
    statuses: frozenset[str]
    enters: bool = True
    wants_programme: bool = False
    listed: str = Listed.YES


_LIVING = frozenset({ALIVE})
KINDS: Mapping[ProposalKind, KindRule] = {
    K.NEW: KindRule("Usul baru masuk DTSEN", "Keluarga atau warga yang belum terdaftar.", _LIVING),
    K.CORRECTION: KindRule("Perbaikan data", "NIK, nama, KK, alamat, atau anggota keluarga yang keliru.", _LIVING),
    K.DECILE: KindRule("Pembaruan desil", "Keadaan keluarga berubah; desil dihitung ulang oleh BPS.", _LIVING),
    K.AID: KindRule("Usul penerima bansos", "Terdaftar, layak, tetapi belum menerima program.", _LIVING, wants_programme=True, listed=""),
    K.OBJECTION: KindRule("Sanggah (tidak layak)", "Penerima yang menurut musyawarah tidak layak.", _LIVING, enters=False, listed=""),
    K.MOVED: KindRule("Pindah", "Warga pindah desa atau keluar daerah.", frozenset({ALIVE, "pindah"}), enters=False),
    K.DIED: KindRule("Keluar: meninggal", "Warga meninggal; peristiwanya sudah dicatat.", frozenset({DEAD}), enters=False, listed=Listed.NO),
    K.ABLE: KindRule("Keluar: mampu", "Keluarga sudah mampu dan keluar dari daftar.", _LIVING, enters=False, listed=Listed.NO),
}  # fmt: skip


def fits(kind: ProposalKind, status: str) -> str:
    """Why a resident of this status cannot be proposed like that, as a sentence; "" when she can."""
    rule = KINDS[kind]
    if status in rule.statuses:
        return ""
    if kind is K.DIED:
        return "Warga belum tercatat meninggal; catat dahulu peristiwanya di halaman warga."
    if status == DEAD:
        return f"Warga sudah tercatat meninggal; tarik usulan ini, lalu buat usulan “{KINDS[K.DIED].label}”."
    return "Warga tercatat pindah, hilang, atau data ganda; tarik usulan ini, atau perbaiki data warganya."
