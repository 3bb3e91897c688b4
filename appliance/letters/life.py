"""The life of a letter as one pure table: from which state a step leads where, who may take it, and what stands against it.

Four eyes: who drafted a letter does not initial it, and who drafted or initialled it does not approve it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from appliance.models.roles import Role


class LetterState(StrEnum):
    DRAFT = "DRAF"
    INITIALLED = "PARAF"
    APPROVED = "DISETUJUI"
    ISSUED = "TERBIT"
    CANCELLED = "BATAL"
    # Never stored: an issued letter whose last day is over.
    EXPIRED = "KEDALUWARSA"

    @property
    def label(self) -> str:
        """The state as a page shows it."""
        return self.value.capitalize()


class LetterStep(StrEnum):
    CHANGE = "ubah"
    INITIAL = "paraf"
    APPROVE = "setujui"
    RETURN = "kembalikan"
    ISSUE = "terbitkan"
    CANCEL = "batalkan"
    ATTACH = "lampirkan"


R, S, T = Role, LetterState, LetterStep
DRAFTERS = frozenset({R.BO, R.BO_PUSKESOS, R.SUPERVISOR})
INITIALLERS = frozenset({R.SUPERVISOR, R.MANAJER})
APPROVERS = frozenset({R.PENANDATANGAN})
# Everybody who handles papers, and who signs them; whoever only watches sees the register but no whole letter.
READERS = frozenset({R.FASILITATOR, R.FO, R.FO_PUSKESOS, R.TKSK, R.KOORDINATOR_PUSKESOS}) | DRAFTERS | INITIALLERS | APPROVERS
# Who keeps the whole register also where a letter is not hers: there it shows number, day and kind.
REGISTER_KEEPERS = frozenset({R.PIMPINAN, R.PENANDATANGAN})
KEEPERS = frozenset({R.ADMIN, R.MANAJER})


@dataclass(frozen=True)
class Line:
    """One line of the table. `asks_reason`: the step must say why."""

    step: LetterStep
    sources: frozenset[LetterState]
    target: LetterState | None
    by: frozenset[Role]
    label: str
    asks_reason: bool = False


TABLE = (
    Line(T.CHANGE, frozenset({S.DRAFT}), S.DRAFT, DRAFTERS, "Ubah draf"),
    Line(T.INITIAL, frozenset({S.DRAFT}), S.INITIALLED, INITIALLERS, "Bubuhkan paraf"),
    Line(T.APPROVE, frozenset({S.INITIALLED}), S.APPROVED, APPROVERS, "Setujui untuk diterbitkan"),
    Line(T.RETURN, frozenset({S.INITIALLED, S.APPROVED}), S.DRAFT, INITIALLERS | APPROVERS, "Kembalikan ke draf", True),
    Line(T.ISSUE, frozenset({S.APPROVED}), S.ISSUED, DRAFTERS, "Terbitkan dan beri nomor"),
    Line(T.CANCEL, frozenset({S.DRAFT, S.INITIALLED, S.APPROVED}), S.CANCELLED, DRAFTERS | INITIALLERS, "Batalkan", True),
    Line(T.CANCEL, frozenset({S.ISSUED, S.EXPIRED}), S.CANCELLED, INITIALLERS | APPROVERS, "Batalkan surat", True),
    Line(T.ATTACH, frozenset({S.ISSUED, S.EXPIRED}), None, DRAFTERS | {R.FO}, "Lampirkan pindaian bertanda tangan"),
)


@dataclass(frozen=True)
class Hands:
    """Who had the letter in her hands before: account identifiers."""

    drafters: frozenset[str]
    initialled_by: str | None = None


@dataclass(frozen=True)
class Refused:
    """Why not. `impossible`: for nobody, in this state."""

    text: str
    impossible: bool = False


def may(step: LetterStep, state: LetterState, roles: frozenset[Role], hands: Hands, account_id: str) -> Line | Refused:
    """The line of the table by which somebody with `roles` may take the step now, or why she may not."""
    possible = [line for line in TABLE if line.step is step and state in line.sources]
    if not possible:
        return Refused(f"Surat berstatus {state.label}; langkah ini tidak dapat dilakukan.", impossible=True)
    line = next((line for line in possible if line.by & roles), None)
    if line is None:
        return Refused("Peran Anda tidak boleh melakukan langkah ini pada surat.")
    return _four_eyes(step, hands, account_id) or line


def allowed(state: LetterState, roles: frozenset[Role], hands: Hands, account_id: str) -> tuple[Line, ...]:
    """The steps that somebody may take now, in the order of the table."""
    answers = (may(step, state, roles, hands, account_id) for step in LetterStep)
    return tuple(answer for answer in answers if isinstance(answer, Line))


def state_on(stored: LetterState, valid_until: date | None, today: date) -> LetterState:
    """The state as it counts today: an issued letter ends after its last day."""
    if stored is S.ISSUED and valid_until is not None and valid_until < today:
        return S.EXPIRED
    return stored


def _four_eyes(step: LetterStep, hands: Hands, account_id: str) -> Refused | None:
    if step is T.INITIAL and account_id in hands.drafters:
        return Refused("Konsep ini Anda tulis sendiri; paraf harus oleh petugas lain.")
    if step is T.APPROVE and account_id in {*hands.drafters, hands.initialled_by}:
        return Refused("Anda sudah menulis atau memaraf surat ini; persetujuan harus oleh petugas lain.")
    return None
