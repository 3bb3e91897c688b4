"""The life of a proposal as one table: from which state, by what action, by whom, under which conditions, asking for what.

Pure: knows no clock, no database. `docs/proposal-states.md` is drawn from this table (`proposals.state_chart`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from appliance.casework.step_fields import Field
from appliance.casework.transitions import Refusal
from appliance.models.proposal_words import BEFORE_ENTRY, BasisKind, ProposalKind, ProposalState
from appliance.models.roles import Role
from appliance.proposals.kinds import KINDS, fits

S, R = ProposalState, Role


class ProposalStep(StrEnum):
    """What is done with a proposal; the value is stored in its history."""

    WRITE = "tulis"
    CHANGE = "ubah"
    SUBMIT = "ajukan"
    RESUBMIT = "kirim_ulang"
    PUT_ON = "masuk_agenda"
    TAKE_OFF = "keluar_agenda"
    AGREE = "sepakati"
    REFUSE = "tidak_sepakati"
    POSTPONE = "tunda"
    SIGN = "ditandatangani"
    CHECK = "periksa"
    RELEASE = "tetapkan"
    ENTER = "entri"
    UNDO_ENTRY = "batalkan_entri"
    FIELD_CHECK = "cek_lapangan"
    ACCEPT = "diterima"
    REJECT = "ditolak"
    HOLD = "ditahan"
    RETURN = "kembalikan"
    CARRY = "alihkan_periode"
    WITHDRAW = "tarik"


@dataclass(frozen=True)
class Facts:
    """What the conditions ask about: the proposal, its resident, and how the person who acts stands to it.

    `status` is that of the resident. `signed`: the paper it rests on is there. `basis` is the kind of that paper, "" without one.
    """

    kind: ProposalKind
    status: str = "hidup"
    has_nik: bool = True
    basis: str = ""
    signed: bool = False
    by_writer: bool = False
    by_checker: bool = False
    late: bool = False


@dataclass(frozen=True)
class Line:
    """One line of the table. `by` empty: it follows from an act on the meeting or the statement. `target` None: it stays."""

    step: ProposalStep
    sources: frozenset[ProposalState]
    target: ProposalState | None
    label: str
    by: frozenset[Role]
    conditions: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()

    def leads_to(self, state: ProposalState) -> ProposalState:
        """The state after the step, taken in `state`."""
        return state if self.target is None else self.target


def _unsigned(facts: Facts) -> str:
    if facts.signed:
        return ""
    paper = "SPTJM" if facts.basis == BasisKind.STATEMENT else "Berita acara"
    return f"{paper} belum bertanda tangan; usulan ditahan sampai pindaiannya dilampirkan."


def _no_number(facts: Facts) -> str:
    if facts.has_nik or not KINDS[facts.kind].enters:
        return ""
    return "Warga belum mempunyai NIK; SIKS-NG memerlukannya. Lengkapi di halaman warga, atau kembalikan usulan ini."


# Each gives the sentence of what is missing, "" when it holds.
CONDITIONS: dict[str, Callable[[Facts], str]] = {
    "warga_cocok": lambda facts: fits(facts.kind, facts.status),
    "nik_ada": _no_number,
    "bertanda_tangan": _unsigned,
    "belum_bertanda_tangan": lambda facts: "Berita acara usulan ini sudah ditandatangani; kirim ulang saja." if facts.signed else "",
    "bukan_penulis": lambda facts: "Usulan diperiksa oleh petugas lain, bukan penulisnya." if facts.by_writer else "",
    "bukan_pemeriksa": lambda facts: "Penetapan oleh orang lain, bukan yang memeriksa." if facts.by_checker else "",
    "lewat_jendela": lambda facts: "" if facts.late else "Usulan ini masih di dalam periodenya.",
}  # fmt: skip


def _line(
    step: ProposalStep,
    sources: set[ProposalState] | frozenset[ProposalState] | ProposalState,
    target: ProposalState | None,
    label: str,
    by: set[Role],
    *rest: str | Field,
) -> Line:
    """One line of the table below; `rest` are names of conditions and fields."""
    return Line(
        step,
        frozenset({sources}) if isinstance(sources, ProposalState) else frozenset(sources),
        target,
        label,
        frozenset(by),
        tuple(name for name in rest if isinstance(name, str)),
        tuple(field for field in rest if isinstance(field, Field)),
    )


WRITERS = frozenset({R.FASILITATOR, R.FO, R.FO_PUSKESOS, R.BO_PUSKESOS, R.KOORDINATOR_PUSKESOS, R.BO})
# Who prepares the meeting, notes what it said and attaches the signed paper.
CONVENERS = frozenset({*WRITERS, R.SUPERVISOR, R.TKSK})
CHECKERS = frozenset({R.BO, R.SUPERVISOR})
RELEASERS = frozenset({R.MANAJER})
ENTERERS = frozenset({R.BO})
_T = ProposalStep
_REASON, _NOTE = Field("note", "Alasan"), Field("note", "Catatan", required=False)
_DECIDABLE = {S.DISCUSSED, S.AGREED, S.NOT_AGREED}
_RESULT = (Field("result_on", "Tanggal hasil", "date"),)
FIELD_RESULTS = (("sesuai", "Sesuai dengan usulan"), ("tidak_sesuai", "Tidak sesuai"), ("tidak_bertemu", "Tidak bertemu"))
CAUTIONS_SEEN = "cautions_seen"

TABLE: tuple[Line, ...] = (
    _line(_T.WRITE, S.DRAFT, S.DRAFT, "Usulan ditulis", set()),
    _line(_T.CHANGE, {S.DRAFT, S.NEEDS_REPAIR}, None, "Ubah usulan", set(WRITERS)),
    _line(_T.SUBMIT, {S.DRAFT, S.NEEDS_REPAIR}, S.SUBMITTED, "Ajukan ke musyawarah atau SPTJM", set(WRITERS), "warga_cocok",
          "belum_bertanda_tangan", _NOTE),
    _line(_T.RESUBMIT, S.NEEDS_REPAIR, S.SIGNED, "Kirim ulang ke Dinas", set(WRITERS), "warga_cocok", "bertanda_tangan",
          Field("note", "Yang diperbaiki")),
    _line(_T.PUT_ON, S.SUBMITTED, S.DISCUSSED, "Masuk agenda", set()),
    _line(_T.TAKE_OFF, _DECIDABLE, S.SUBMITTED, "Keluar dari agenda", set(), "belum_bertanda_tangan"),
    _line(_T.AGREE, _DECIDABLE, S.AGREED, "Disepakati", set(), "belum_bertanda_tangan"),
    _line(_T.REFUSE, _DECIDABLE, S.NOT_AGREED, "Tidak disepakati", set(), "belum_bertanda_tangan", _REASON),
    _line(_T.POSTPONE, _DECIDABLE, S.SUBMITTED, "Ditunda ke musyawarah berikutnya", set(), "belum_bertanda_tangan", _REASON),
    _line(_T.SIGN, S.AGREED, S.SIGNED, "Berita acara atau SPTJM ditandatangani", set(), "bertanda_tangan"),
    _line(_T.CHECK, {S.AGREED, S.SIGNED}, S.CHECKED, "Sahkan hasil pemeriksaan", set(CHECKERS), "bertanda_tangan", "bukan_penulis",
          "warga_cocok", "nik_ada", _NOTE),
    _line(_T.RELEASE, S.CHECKED, S.READY, "Tetapkan siap entri", set(RELEASERS), "bertanda_tangan", "bukan_penulis", "bukan_pemeriksa",
          "warga_cocok", _NOTE),
    _line(_T.ENTER, S.READY, S.ENTERED, "Tandai sudah dientri", set(ENTERERS), "bertanda_tangan", "warga_cocok", "nik_ada",
          Field("entered_on", "Tanggal dientri di SIKS-NG", "date"), Field("outside_number", "Nomor di SIKS-NG", "text", required=False)),
    _line(_T.UNDO_ENTRY, S.ENTERED, S.READY, "Batalkan tanda entri", set(ENTERERS), _REASON),
    _line(_T.FIELD_CHECK, {S.ENTERED, S.ON_HOLD}, None, "Catat cek lapangan", set(ENTERERS),
          Field("field_result", "Hasil cek lapangan", "choice", choices=FIELD_RESULTS), Field("field_on", "Tanggal cek lapangan", "date"),
          Field("note", "Petugas dan keterangan")),
    _line(_T.ACCEPT, {S.ENTERED, S.ON_HOLD}, S.ACCEPTED, "Catat diterima", set(ENTERERS), *_RESULT,
          Field("decile", "Desil yang tampil", "text", required=False), Field("list_period", "Periode daftar", "text", required=False), _NOTE),
    _line(_T.REJECT, {S.ENTERED, S.ON_HOLD}, S.REJECTED, "Catat ditolak", set(ENTERERS), *_RESULT, Field("note", "Alasan penolakan")),
    _line(_T.HOLD, S.ENTERED, S.ON_HOLD, "Catat ditahan", set(ENTERERS), *_RESULT, Field("note", "Alasan ditahan")),
    _line(_T.RETURN, {S.SUBMITTED, S.SIGNED, S.CHECKED, S.READY}, S.NEEDS_REPAIR, "Kembalikan untuk diperbaiki", set(CHECKERS), _REASON),
    _line(_T.RETURN, {S.CHECKED, S.READY}, S.NEEDS_REPAIR, "Kembalikan untuk diperbaiki", set(RELEASERS), _REASON),
    _line(_T.CARRY, BEFORE_ENTRY, None, "Alihkan ke periode berjalan", {R.BO, R.MANAJER}, "lewat_jendela"),
    _line(_T.WITHDRAW, BEFORE_ENTRY, S.WITHDRAWN, "Tarik usulan", {*WRITERS, R.SUPERVISOR}, _REASON),
)  # fmt: skip
LABELS = {line.step.value: line.label for line in TABLE} | {"ubah": "Usulan diubah", "ganti_kode": "Kode wilayah berganti"}
# Steps that a proposal waits for: when one is missing on a page, it says why.
WORTH_TELLING = frozenset({_T.SUBMIT, _T.RESUBMIT, _T.CHECK, _T.RELEASE, _T.ENTER})


def may(step: ProposalStep, state: ProposalState, roles: frozenset[Role], facts: Facts) -> Line | Refusal:
    """The line that allows `step`, or why there is none."""
    lines = [line for line in TABLE if line.step is step and state in line.sources]
    if not lines:
        return Refusal(f"Usulan berstatus “{state.label}”; langkah ini tidak dapat dilakukan lagi.", impossible=True)
    lines = [line for line in lines if not line.by.isdisjoint(roles)]
    if not lines:
        return Refusal("Peran Anda tidak boleh melakukan langkah ini.")
    missing = missing_condition(lines[0], facts)
    return Refusal(missing) if missing else lines[0]


def follows(step: ProposalStep, state: ProposalState, facts: Facts) -> Line | Refusal:
    """The line of a step that an act on the meeting or the statement takes, or why it cannot be taken."""
    line = next((line for line in TABLE if line.step is step and not line.by), None)
    if line is None or state not in line.sources:
        return Refusal(f"Usulan berstatus “{state.label}”; langkah ini tidak dapat dilakukan.", impossible=True)
    missing = missing_condition(line, facts)
    return Refusal(missing) if missing else line


def missing_condition(line: Line, facts: Facts) -> str:
    """The sentence of the first condition that does not hold; "" when all hold."""
    return next((sentence for name in line.conditions if (sentence := CONDITIONS[name](facts))), "")


def allowed(state: ProposalState, roles: frozenset[Role], facts: Facts) -> tuple[Line, ...]:
    """What may be done next, in the order of the table."""
    answers = (may(step, state, roles, facts) for step in dict.fromkeys(line.step for line in TABLE))
    return tuple(answer for answer in answers if isinstance(answer, Line))


def blocked(state: ProposalState, roles: frozenset[Role], facts: Facts) -> tuple[tuple[Line, str], ...]:
    """The steps that would be next for somebody with `roles`, each with the sentence of what is missing."""
    return tuple(
        (line, missing)
        for line in TABLE
        if line.step in WORTH_TELLING and state in line.sources and not line.by.isdisjoint(roles)
        if (missing := missing_condition(line, facts)) and missing != _OTHER_WAY
    )


def held_because(state: ProposalState, facts: Facts) -> str:
    """Why the proposal cannot go on although nobody has to decide anything; "" when it can. The same for every reader."""
    wanted = {S.AGREED: _T.CHECK, S.SIGNED: _T.CHECK, S.CHECKED: _T.RELEASE, S.READY: _T.ENTER}.get(state)
    line = next((line for line in TABLE if line.step is wanted), None)
    if line is None:
        return ""
    general = (name for name in line.conditions if not name.startswith("bukan_"))
    return next((sentence for name in general if (sentence := CONDITIONS[name](facts))), "")


# A returned proposal goes one of two ways, by whether its paper is signed; the other way is no obstacle to tell of.
_OTHER_WAY = CONDITIONS["belum_bertanda_tangan"](Facts(ProposalKind.NEW, signed=True))
