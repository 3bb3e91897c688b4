"""The life of a case and of a referral as one table: from which state, by what action, by whom, under which conditions.

Pure: knows no clock, no database. Services ask `may()` before they write; pages ask `allowed()` for what to offer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from appliance.models.roles import Role
from appliance.models.states import OPEN, CaseState, Channel, Outcome, ReferralState

S, R = CaseState, Role
REOPEN_DAYS = 90


class Action(StrEnum):
    """What is done with a case; the value is stored in the history."""

    OPEN = "kirim"
    FINISH_AT_ONCE = "selesaikan_langsung"
    TAKE = "ambil"
    RETURN = "kembalikan"
    RESUBMIT = "kirim_ulang"
    VISIT = "isi_kunjungan"
    CONFIRM_TRUE = "sahkan"
    MARK_INVALID = "tandai_tidak_valid"
    MARK_DUPLICATE = "tandai_duplikat"
    HANDLE_IN_VILLAGE = "tangani_di_desa"
    FORWARD = "teruskan"
    RECOMMEND = "ajukan"
    DECIDE_HANDLE = "tetapkan_ditangani"
    DECIDE_REFER = "tetapkan_dirujuk"
    DECIDE_REFUSE = "tolak"
    BACK_TO_REVIEW = "kembalikan_ke_bo"
    REFER_AT_ONCE = "rujuk_darurat"
    PROPOSE_OUTSIDE = "usulkan_keluar"
    OUTSIDE_DECIDED = "catat_keputusan_luar"
    HANDLED = "catat_tindakan"
    REFERRALS_ANSWERED = "rujukan_dijawab"
    REFERRAL_RETURNED = "rujukan_dikembalikan"
    RECORD_RESULT = "catat_hasil"
    NOT_SETTLED = "belum_tuntas"
    CONFIRM_CLOSED = "konfirmasi"
    REOPEN = "buka_kembali"
    CANCEL = "batalkan"


@dataclass(frozen=True)
class Facts:
    """What the conditions ask about: the case, and how the person who acts stands to it."""

    channel: Channel
    by_creator: bool = False
    simple: bool = False
    emergency: bool = False
    referrals_open: int = 0
    days_since_end: int = 0


@dataclass(frozen=True)
class Field:
    """One thing that an action asks for. `kind` is text, long, choice or date."""

    name: str
    label: str
    kind: str = "long"
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Transition:
    """One line of the table. `by` empty: only the node itself does it, as the effect of something else."""

    action: Action
    sources: frozenset[CaseState]
    target: CaseState
    label: str
    by: frozenset[Role]
    conditions: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()


OUTCOMES = (
    (Outcome.FULFILLED.value, "Terpenuhi"),
    (Outcome.PARTLY.value, "Terpenuhi sebagian"),
    (Outcome.NOT.value, "Tidak terpenuhi"),
    (Outcome.INFORMATION.value, "Informasi diberikan"),
)
NOTE = Field("note", "Catatan internal", required=False)
REASON = Field("note", "Alasan")
TOLD = Field("citizen_note", "Apa yang disampaikan kepada warga")
OUTCOME = Field("outcome", "Hasil", "choice", choices=OUTCOMES)
RESULT = Field("outcome_note", "Uraian hasil")

COUNTER = (Channel.COUNTER, Channel.PHONE, Channel.WHATSAPP, Channel.LETTER, Channel.LAPOR)

CONDITIONS: dict[str, tuple[Callable[[Facts], bool], str]] = {
    "bukan_pencatat": (lambda facts: not facts.by_creator, "Kasus diperiksa oleh petugas lain, bukan oleh pencatatnya."),
    "layanan_sederhana": (lambda facts: facts.simple, "Jenis layanan ini tidak boleh selesai langsung; teruskan ke Back Office."),
    "darurat": (lambda facts: facts.emergency, "Rujukan langsung hanya untuk kasus darurat."),
    "rujukan_selesai": (lambda facts: facts.referrals_open == 0, "Masih ada rujukan yang belum dijawab."),
    "belum_90_hari": (
        lambda facts: facts.days_since_end <= REOPEN_DAYS,
        f"Kasus sudah selesai lebih dari {REOPEN_DAYS} hari; buka kasus baru yang terkait.",
    ),
    "lewat_loket": (lambda facts: facts.channel in COUNTER, "Kasus dari lapangan disahkan oleh supervisor."),
}


def _line(
    action: Action,
    sources: CaseState | set[CaseState] | frozenset[CaseState],
    target: CaseState,
    label: str,
    by: set[Role],
    *rest: str | Field,
) -> Transition:
    """One line of the table below; `rest` are names of conditions and fields."""
    return Transition(
        action,
        frozenset({sources}) if isinstance(sources, CaseState) else frozenset(sources),
        target,
        label,
        frozenset(by),
        tuple(name for name in rest if isinstance(name, str)),
        tuple(field for field in rest if isinstance(field, Field)),
    )


_WRITERS = {R.FASILITATOR, R.FO, R.FO_PUSKESOS}
_CHECKERS = {R.SUPERVISOR, R.BO, R.KOORDINATOR_PUSKESOS}
_A = Action

TRANSITIONS: tuple[Transition, ...] = (
    _line(_A.OPEN, S.DRAFT, S.NEW, "Kirim", _WRITERS),
    _line(_A.TAKE, S.NEW, S.VERIFYING, "Ambil untuk diverifikasi", _CHECKERS, "bukan_pencatat", NOTE),
    _line(_A.FINISH_AT_ONCE, S.NEW, S.DONE, "Selesaikan langsung", _WRITERS, "layanan_sederhana", OUTCOME, RESULT, TOLD),
    _line(_A.RESUBMIT, S.NEEDS_REPAIR, S.NEW, "Kirim ulang", _WRITERS, Field("note", "Yang diperbaiki")),
    _line(_A.VISIT, S.VERIFYING, S.VERIFYING, "Catat hasil kunjungan", {R.FASILITATOR, R.TKSK, R.SUPERVISOR},
          Field("note", "Hasil kunjungan")),
    _line(_A.CONFIRM_TRUE, S.VERIFYING, S.VERIFIED, "Sahkan", {R.SUPERVISOR, R.KOORDINATOR_PUSKESOS}, NOTE),
    # The counter has no supervisor in the house: there the back office confirms what another person wrote.
    _line(_A.CONFIRM_TRUE, S.VERIFYING, S.VERIFIED, "Sahkan", {R.BO}, "lewat_loket", "bukan_pencatat", NOTE),
    _line(_A.FORWARD, S.VERIFIED, S.REVIEW, "Teruskan ke telaah", {R.SUPERVISOR, R.KOORDINATOR_PUSKESOS, R.BO}, NOTE),
    _line(_A.HANDLE_IN_VILLAGE, S.VERIFIED, S.IN_HANDLING, "Tangani di desa", {R.KOORDINATOR_PUSKESOS, R.BO_PUSKESOS}, NOTE),
    _line(_A.RECOMMEND, S.REVIEW, S.AWAITING_DECISION, "Ajukan untuk ditetapkan", {R.BO},
          Field("recommendation", "Rekomendasi"), NOTE),
    _line(_A.DECIDE_REFER, S.AWAITING_DECISION, S.REFERRED, "Tetapkan: dirujuk", {R.MANAJER}, NOTE),
    _line(_A.DECIDE_HANDLE, S.AWAITING_DECISION, S.IN_HANDLING, "Tetapkan: ditangani sendiri", {R.MANAJER}, NOTE),
    _line(_A.DECIDE_REFUSE, S.AWAITING_DECISION, S.REFUSED, "Tolak", {R.MANAJER}, REASON,
          Field("citizen_note", "Yang dapat dilakukan warga selanjutnya")),
    _line(_A.BACK_TO_REVIEW, S.AWAITING_DECISION, S.REVIEW, "Kembalikan ke Back Office", {R.MANAJER}, Field("note", "Catatan")),
    _line(_A.HANDLED, S.IN_HANDLING, S.FOLLOW_UP, "Catat tindakan", {R.BO, R.BO_PUSKESOS, R.KOORDINATOR_PUSKESOS},
          Field("note", "Tindakan yang dilakukan")),
    _line(_A.PROPOSE_OUTSIDE, {S.REFERRED, S.IN_HANDLING}, S.WAITING_OUTSIDE, "Usulkan ke luar (Kemensos/BPJS/provinsi)", {R.BO},
          Field("outside_date", "Tanggal diusulkan", "date"), Field("outside_number", "Nomor usulan", "text", required=False), NOTE),
    _line(_A.OUTSIDE_DECIDED, S.WAITING_OUTSIDE, S.FOLLOW_UP, "Catat keputusan dari luar", {R.BO},
          Field("outside_date", "Tanggal keputusan", "date"), Field("note", "Keputusan")),
    _line(_A.REFERRALS_ANSWERED, S.REFERRED, S.FOLLOW_UP, "Rujukan dijawab", set(), "rujukan_selesai"),
    _line(_A.REFERRAL_RETURNED, S.REFERRED, S.REVIEW, "Rujukan dikembalikan", set()),
    _line(_A.RECORD_RESULT, S.FOLLOW_UP, S.DONE, "Catat hasil", {R.BO, R.FASILITATOR}, "rujukan_selesai", OUTCOME, RESULT, TOLD),
    _line(_A.NOT_SETTLED, S.FOLLOW_UP, S.REVIEW, "Belum tuntas", {R.BO, R.SUPERVISOR}, REASON),
    _line(_A.CONFIRM_CLOSED, S.DONE, S.CLOSED, "Tutup: warga sudah diberi tahu", {R.FASILITATOR, R.FO, R.FO_PUSKESOS},
          Field("satisfaction", "Kepuasan warga", "choice", required=False,
                choices=(("4", "Sangat puas"), ("3", "Puas"), ("2", "Kurang puas"), ("1", "Tidak puas"))), NOTE),
    _line(_A.REOPEN, {S.DONE, S.CLOSED}, S.REVIEW, "Buka kembali", {R.SUPERVISOR, R.MANAJER}, "belum_90_hari", REASON),
    _line(_A.RETURN, {S.NEW, S.VERIFYING, S.REVIEW}, S.NEEDS_REPAIR, "Kembalikan untuk diperbaiki", _CHECKERS,
          Field("note", "Yang kurang atau salah")),
    _line(_A.MARK_DUPLICATE, S.VERIFYING, S.DUPLICATE, "Tandai duplikat", {R.SUPERVISOR, R.BO},
          Field("duplicate_of", "Nomor kasus yang asli", "text"), NOTE),
    _line(_A.MARK_INVALID, S.VERIFYING, S.INVALID, "Tandai tidak valid", {R.SUPERVISOR, R.BO}, REASON),
    _line(_A.REFER_AT_ONCE, OPEN - {S.DRAFT, S.REFERRED}, S.REFERRED, "Rujuk darurat", {R.FO, R.BO, R.SUPERVISOR}, "darurat", REASON),
    _line(_A.CANCEL, OPEN - {S.DRAFT}, S.CANCELLED, "Batalkan", {R.FO, R.FASILITATOR, R.BO}, REASON),
)  # fmt: skip

LABELS: dict[str, str] = {line.action.value: line.label for line in TRANSITIONS} | {
    "buat_rujukan": "Rujukan disiapkan",
    "kirim_rujukan": "Rujukan dikirim",
    "batalkan_rujukan": "Rujukan dibatalkan",
    "terima_rujukan": "Rujukan diterima",
    "proses_rujukan": "Rujukan diproses",
    "jawab_rujukan": "Rujukan dijawab OPD",
    "kembalikan_rujukan": "Rujukan dikembalikan OPD",
    "serah_terima": "Diserahkan kepada fasilitator pengganti",
    "terbitkan_surat": "Surat diterbitkan",
    "batalkan_surat": "Surat dibatalkan",
}


@dataclass(frozen=True)
class Refusal:
    """Why not. `impossible`: not from this state, whoever asks; otherwise not by this person or not now."""

    text: str
    impossible: bool = False


def may(action: Action, state: CaseState, roles: frozenset[Role], facts: Facts) -> Transition | Refusal:
    """The line that allows `action`, or why there is none."""
    lines = [line for line in TRANSITIONS if line.action is action and state in line.sources]
    if not lines:
        return Refusal(f"Kasus berstatus {state.label}; langkah ini tidak dapat dilakukan lagi.", impossible=True)
    lines = [line for line in lines if not line.by.isdisjoint(roles)]
    if not lines:
        return Refusal("Peran Anda tidak boleh melakukan langkah ini.")
    missing = [missing_condition(line, facts) for line in lines]
    return lines[missing.index("")] if "" in missing else Refusal(missing[0])


def missing_condition(line: Transition, facts: Facts) -> str:
    """The sentence of the first condition that does not hold; "" when all hold."""
    return next((sentence for test, sentence in map(CONDITIONS.__getitem__, line.conditions) if not test(facts)), "")


def allowed(state: CaseState, roles: frozenset[Role], facts: Facts) -> tuple[Transition, ...]:
    """What may be done next, in the order of the table, each action once."""
    found: dict[Action, Transition] = {}
    for action in dict.fromkeys(line.action for line in TRANSITIONS if state in line.sources):
        answer = may(action, state, roles, facts)
        if isinstance(answer, Transition) and action is not Action.OPEN:
            found[action] = answer
    return tuple(found.values())


def effect(action: Action) -> Transition:
    """The line of an action that the node does by itself."""
    return next(line for line in TRANSITIONS if line.action is action and not line.by)


# These are possible almost always: they are no reason to stand in somebody's queue.
_NOT_WAITED_FOR = frozenset({Action.CANCEL, Action.FINISH_AT_ONCE, Action.REFER_AT_ONCE, Action.REOPEN, Action.OPEN})


def queue_of(roles: frozenset[Role]) -> frozenset[CaseState]:
    """The states in which a case waits for one of `roles`."""
    waiting = {
        state
        for line in TRANSITIONS
        if line.action not in _NOT_WAITED_FOR and not line.by.isdisjoint(roles)
        for state in line.sources
    }
    return frozenset(waiting | ({S.REFERRED} if R.BO in roles else set()))


class ReferralStep(StrEnum):
    SEND = "send"
    CANCEL = "cancel"
    RECEIVE = "receive"
    PROCESS = "process"
    ANSWER = "answer"
    RETURN = "return"


RS = ReferralState
# step → from which states, to which, and the word in the history
REFERRAL_STEPS: dict[ReferralStep, tuple[frozenset[ReferralState], ReferralState, str]] = {
    ReferralStep.SEND: (frozenset({RS.DRAFT}), RS.SENT, "kirim_rujukan"),
    ReferralStep.CANCEL: (frozenset({RS.DRAFT}), RS.CANCELLED, "batalkan_rujukan"),
    ReferralStep.RECEIVE: (frozenset({RS.SENT}), RS.ACCEPTED, "terima_rujukan"),
    ReferralStep.PROCESS: (frozenset({RS.ACCEPTED}), RS.IN_PROCESS, "proses_rujukan"),
    ReferralStep.ANSWER: (frozenset({RS.ACCEPTED, RS.IN_PROCESS}), RS.ANSWERED, "jawab_rujukan"),
    ReferralStep.RETURN: (frozenset({RS.SENT, RS.ACCEPTED, RS.IN_PROCESS}), RS.RETURNED, "kembalikan_rujukan"),
}
REFERRAL_OPEN = frozenset({RS.DRAFT, RS.SENT, RS.ACCEPTED, RS.IN_PROCESS})
MAY_PREPARE_REFERRAL = frozenset({S.REVIEW, S.AWAITING_DECISION, S.REFERRED})
_SENDER_STEPS = frozenset({ReferralStep.SEND, ReferralStep.CANCEL})


def referral_steps(state: ReferralState, case: CaseState, *, sender: bool, receiver: bool) -> tuple[ReferralStep, ...]:
    """What the sender (back office) or the receiver (the organisation, or who acts for it) may do with a referral now.

    It is sent only once the case is decided. After that the receiver goes on even if the case is reviewed again meanwhile,
    because a second referral came back: an answer is never refused while the case is open.
    """
    steps = (step for step, (sources, _, _) in REFERRAL_STEPS.items() if state in sources)
    return tuple(
        step
        for step in steps
        if case in OPEN
        and (sender if step in _SENDER_STEPS else receiver)
        and (step is not ReferralStep.SEND or case is CaseState.REFERRED)
    )
