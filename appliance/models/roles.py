"""The roles a person can be assigned to, as the offices call them."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """The value is what is stored; `label` what is read."""

    FASILITATOR = "fasilitator"
    SUPERVISOR = "supervisor"
    MANAJER = "manajer"
    FO = "fo"
    BO = "bo"
    KOORDINATOR_PUSKESOS = "koordinator_puskesos"
    FO_PUSKESOS = "fo_puskesos"
    BO_PUSKESOS = "bo_puskesos"
    OPD = "opd"
    TKSK = "tksk"
    PENANDATANGAN = "penandatangan"
    PIMPINAN = "pimpinan"
    ADMIN = "admin"
    PELATIH = "pelatih"

    @property
    def label(self) -> str:
        """The name of the role on a page."""
        return _LABELS[self]


_LABELS = {
    Role.FASILITATOR: "Fasilitator",
    Role.SUPERVISOR: "Supervisor",
    Role.MANAJER: "Manajer SLRT",
    Role.FO: "Front Office",
    Role.BO: "Back Office",
    Role.KOORDINATOR_PUSKESOS: "Koordinator Puskesos",
    Role.FO_PUSKESOS: "Front Office Puskesos",
    Role.BO_PUSKESOS: "Back Office Puskesos",
    Role.OPD: "Petugas OPD",
    Role.TKSK: "TKSK",
    Role.PENANDATANGAN: "Penanda tangan",
    Role.PIMPINAN: "Pimpinan",
    Role.ADMIN: "Admin sistem",
    Role.PELATIH: "Pelatih",
}
