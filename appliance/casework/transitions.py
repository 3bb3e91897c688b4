"""The life of a case as one table: from which state, by what action, by whom, under which conditions.

Pure: knows no clock, no database. Services ask `may()` before they write; pages ask `allowed()` for what to offer.
`docs/case-states.md` is drawn from this table (`casework.state_chart`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from appliance.casework import step_fields as ask
from appliance.casework.step_fields import Field
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState, Channel, VisitState

S, R = CaseState, Role
REOPEN_DAYS = 90
DELEGATED = "delegasi_tertulis"


class Action(StrEnum):
    """What is done with a case; the value is stored in the history."""

    OPEN = "kirim"
    FINISH_AT_ONCE = "selesaikan_langsung"
    TAKE = "ambil"
    RETURN = "kembalikan"
    RESUBMIT = "kirim_ulang"
    PLAN_VISIT = "jadwalkan_kunjungan"
    VISIT = "isi_kunjungan"
    CONFIRM_VISIT = "sahkan_kunjungan"
    RETURN_VISIT = "kembalikan_kunjungan"
    CANCEL_VISIT = "batalkan_kunjungan"
    CONFIRM_TRUE = "sahkan"
    MARK_INVALID = "tandai_tidak_valid"
    MARK_DUPLICATE = "tandai_duplikat"
    REVERT_MARK = "batalkan_tanda"
    HANDLE_IN_VILLAGE = "tangani_di_desa"
    FORWARD = "teruskan"
    FORWARD_FROM_FIELD = "teruskan_otomatis"
    RECOMMEND = "ajukan"
    DECIDE_HANDLE = "tetapkan_ditangani"
    DECIDE_REFER = "tetapkan_dirujuk"
    DECIDE_REFUSE = "tolak"
    BACK_TO_REVIEW = "kembalikan_ke_bo"
    REFER_AT_ONCE = "rujuk_darurat"
    RATIFY = "sahkan_darurat"
    REFUSE_TO_RATIFY = "tolak_darurat"
    PROPOSE_OUTSIDE = "usulkan_keluar"
    OUTSIDE_DECIDED = "catat_keputusan_luar"
    HANDLED = "catat_tindakan"
    REFERRALS_ANSWERED = "rujukan_dijawab"
    REFERRAL_RETURNED = "rujukan_dikembalikan"
    RECORD_RESULT = "catat_hasil"
    NOT_SETTLED = "belum_tuntas"
    CONFIRM_CLOSED = "konfirmasi"
    CLOSE_BY_TIME = "tutup_otomatis"
    REOPEN = "buka_kembali"
    CANCEL = "batalkan"
    CHANGE_OWNER = "alihkan"
    CHANGE_PRIORITY = "ubah_prioritas"
    SET_DUE = "ubah_batas"
    CHANGE_CONFIDENTIALITY = "ubah_kerahasiaan"
    RAISE = "naikkan"


@dataclass(frozen=True)
class Facts:
    """What the conditions ask about: the case, and how the person who acts stands to it.

    `stands_in`: she takes the place of who recorded it. `visit` is the state of the visit that is not settled, "" without one.
    `delegated`: the manager handed her the decision in writing, for today. What is not known of a state's case stays as here.
    """

    channel: Channel
    by_creator: bool = False
    stands_in: bool = False
    by_visitor: bool = False
    by_verifier: bool = False
    by_recommender: bool = False
    by_referrer: bool = False
    delegated: bool = False
    simple: bool = False
    village_may: bool = False
    emergency: bool = False
    to_ratify: bool = False
    papers_open: int = 0
    papers_promised: int = 0
    visit: str = ""
    visit_wanted: bool = False
    to_raise: bool = False
    list_check_wanted: bool = False
    referrals_open: int = 0
    days_since_end: int = 0


@dataclass(frozen=True)
class Transition:
    """One line of the table. `by` empty: only the node itself does it, as the effect of something else.

    `target` None: the case stays in its state.
    """

    action: Action
    sources: frozenset[CaseState]
    target: CaseState | None
    label: str
    by: frozenset[Role]
    conditions: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()

    def leads_to(self, state: CaseState) -> CaseState:
        """The state after the step, taken in `state`."""
        return state if self.target is None else self.target


COUNTER = (Channel.COUNTER, Channel.PHONE, Channel.WHATSAPP, Channel.LETTER, Channel.LAPOR)

CONDITIONS: dict[str, tuple[Callable[[Facts], bool], str]] = {
    "bukan_pencatat": (lambda facts: not facts.by_creator, "Langkah ini dilakukan oleh petugas lain, bukan oleh pencatat kasus."),
    "pencatat_atau_pengganti": (
        lambda facts: facts.by_creator or facts.stands_in,
        "Kasus dikirim ulang oleh pencatatnya atau penggantinya; supervisor dapat mengalihkannya kepada Anda.",
    ),
    "layanan_sederhana": (lambda facts: facts.simple, "Jenis layanan ini tidak boleh selesai langsung; teruskan ke Back Office."),
    "lewat_loket": (lambda facts: facts.channel in COUNTER, "Kasus dari lapangan dan Puskesos diverifikasi oleh supervisor."),
    "dari_lapangan": (lambda facts: facts.channel is Channel.FIELD, "Hanya kasus dari lapangan yang diteruskan otomatis."),
    "kewenangan_desa": (
        lambda facts: facts.village_may,
        "Layanan ini, atau kasus yang rahasia, di luar kewenangan Puskesos; teruskan ke telaah.",
    ),
    "bukan_kewenangan_desa": (lambda facts: not facts.village_may, "Layanan ini mungkin dapat ditangani di desa."),
    "berkas_sah": (lambda facts: facts.papers_open == 0, "Masih ada berkas persyaratan yang belum sah; periksa daftar berkas."),
    "berkas_menyusul_diterima": (
        lambda facts: facts.papers_promised == 0,
        "Masih ada berkas yang menyusul; periksa setelah diserahkan, atau pilih perlu ganti bila tidak akan datang.",
    ),
    "sudah_dikunjungi": (
        lambda facts: not facts.visit_wanted,
        "Layanan ini memerlukan kunjungan rumah yang hasilnya sudah disahkan supervisor.",
    ),
    "kunjungan_dinilai": (
        lambda facts: facts.visit != VisitState.REPORTED,
        "Ada hasil kunjungan yang belum diperiksa; sahkan atau kembalikan dahulu.",
    ),
    "tanpa_kunjungan": (
        lambda facts: not facts.visit,
        "Masih ada kunjungan yang belum selesai; selesaikan atau batalkan dahulu.",
    ),
    "kunjungan_dilaporkan": (lambda facts: facts.visit == VisitState.REPORTED, "Belum ada hasil kunjungan yang dapat diperiksa."),
    "kunjungan_belum_diisi": (
        lambda facts: facts.visit in (VisitState.PLANNED, VisitState.RETURNED),
        "Tidak ada rencana kunjungan yang dapat dibatalkan.",
    ),
    "bukan_pengunjung": (
        lambda facts: not facts.by_visitor,
        "Hasil kunjungan diperiksa oleh petugas lain, bukan yang berkunjung.",
    ),
    "data_dicek": (
        lambda facts: not facts.list_check_wanted,
        "Hasil cek SIKS-NG/DTSEN belum dicatat; catat dahulu di halaman bantuan warga.",
    ),
    "bukan_pemverifikasi": (
        lambda facts: not facts.by_verifier,
        "Penetapan dilakukan oleh orang lain, bukan yang mengesahkan kebenaran kasus ini.",
    ),
    "bukan_pengusul": (
        lambda facts: not facts.by_recommender,
        "Penetapan dilakukan oleh orang lain, bukan yang merekomendasikan.",
    ),
    DELEGATED: (
        lambda facts: facts.delegated,
        "Penetapan adalah wewenang manajer; Anda perlu pendelegasian tertulis yang berlaku hari ini.",
    ),
    "darurat": (lambda facts: facts.emergency, "Rujukan langsung hanya untuk kasus darurat."),
    "menunggu_pengesahan": (lambda facts: facts.to_ratify, "Tidak ada rujukan darurat yang menunggu pengesahan."),
    "bukan_perujuk": (lambda facts: not facts.by_referrer, "Rujukan darurat disahkan oleh orang lain, bukan yang merujuk."),
    "terlambat_di_bawah_manajer": (
        lambda facts: facts.to_raise,
        "Hanya kasus yang lewat batas dan belum disampaikan kepada manajer yang dapat dinaikkan.",
    ),
    "rujukan_selesai": (lambda facts: facts.referrals_open == 0, "Masih ada rujukan yang belum dijawab."),
    "belum_90_hari": (
        lambda facts: facts.days_since_end <= REOPEN_DAYS,
        f"Kasus sudah selesai lebih dari {REOPEN_DAYS} hari; buka kasus baru yang terkait.",
    ),
}


def _line(
    action: Action,
    sources: CaseState | set[CaseState] | frozenset[CaseState],
    target: CaseState | None,
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
_VISITORS = {R.FASILITATOR, R.TKSK}
_LEADERS = {R.SUPERVISOR, R.KOORDINATOR_PUSKESOS}
_DELEGATES = {R.SUPERVISOR, R.PENANDATANGAN}
_VERIFIED = ("bukan_pencatat", "berkas_sah", "sudah_dikunjungi", "kunjungan_dinilai")
# Who had a part in the case before does not decide about it, whatever her other roles are and whoever handed her the decision.
_OTHER_EYES = ("bukan_pencatat", "bukan_pemverifikasi")
_TO_DECIDE = ("bukan_pengusul", *_OTHER_EYES)
_TO_RATIFY = ("menunggu_pengesahan", "bukan_perujuk", *_OTHER_EYES)
_TO_REFUSE = (ask.REASON, Field("citizen_note", "Yang dapat dilakukan warga selanjutnya"))
_A, _NOTE, _REASON = Action, ask.NOTE, ask.REASON


def _decisions(by: set[Role], *conditions: str) -> tuple[Transition, ...]:
    """What the manager decides; her delegate does the same on one condition more."""
    return (
        _line(_A.DECIDE_REFER, S.AWAITING_DECISION, S.REFERRED, "Tetapkan: dirujuk", by, *conditions, *_TO_DECIDE, _NOTE),
        _line(_A.DECIDE_HANDLE, S.AWAITING_DECISION, S.IN_HANDLING, "Tetapkan: ditangani sendiri", by, *conditions,
              *_TO_DECIDE, _NOTE),
        _line(_A.DECIDE_REFUSE, S.AWAITING_DECISION, S.REFUSED, "Tolak", by, *conditions, *_TO_DECIDE, *_TO_REFUSE),
        _line(_A.BACK_TO_REVIEW, S.AWAITING_DECISION, S.REVIEW, "Kembalikan ke Back Office", by, *conditions,
              Field("note", "Catatan")),
        _line(_A.RATIFY, frozenset(S) - {S.DRAFT}, None, "Sahkan rujukan darurat", by, *conditions, *_TO_RATIFY, _NOTE),
        _line(_A.REFUSE_TO_RATIFY, S.REFERRED, S.REVIEW, "Tidak sahkan rujukan darurat", by, *conditions, *_TO_RATIFY, _REASON),
    )  # fmt: skip


TRANSITIONS: tuple[Transition, ...] = (
    _line(_A.OPEN, S.DRAFT, S.NEW, "Kirim", _WRITERS),
    _line(_A.TAKE, S.NEW, S.VERIFYING, "Ambil untuk diverifikasi", _LEADERS, "bukan_pencatat", _NOTE),
    # The counter has no supervisor in the house: there the back office checks what another person wrote.
    _line(_A.TAKE, S.NEW, S.VERIFYING, "Ambil untuk diverifikasi", {R.BO}, "lewat_loket", "bukan_pencatat", _NOTE),
    _line(_A.FINISH_AT_ONCE, S.NEW, S.DONE, "Selesaikan langsung", _WRITERS, "layanan_sederhana", ask.OUTCOME, ask.RESULT, ask.TOLD),
    _line(_A.RESUBMIT, S.NEEDS_REPAIR, S.NEW, "Kirim ulang", _WRITERS, "pencatat_atau_pengganti", Field("note", "Yang diperbaiki")),
    _line(_A.CONFIRM_VISIT, S.VERIFYING, None, "Sahkan hasil kunjungan", _LEADERS, "kunjungan_dilaporkan", "bukan_pengunjung", _NOTE),
    _line(_A.RETURN_VISIT, S.VERIFYING, None, "Kembalikan hasil kunjungan", _LEADERS, "kunjungan_dilaporkan", "bukan_pengunjung",
          *ask.VISIT_RETURN_FIELDS),
    _line(_A.VISIT, S.VERIFYING, None, "Isi hasil kunjungan", _VISITORS, "kunjungan_dinilai", *ask.VISIT_FIELDS),
    _line(_A.CONFIRM_TRUE, S.VERIFYING, S.VERIFIED, "Sahkan", _LEADERS, *_VERIFIED, ask.DUPLICATES_SEEN, _NOTE),
    _line(_A.CONFIRM_TRUE, S.VERIFYING, S.VERIFIED, "Sahkan", {R.BO}, "lewat_loket", *_VERIFIED, ask.DUPLICATES_SEEN, _NOTE),
    _line(_A.PLAN_VISIT, S.VERIFYING, None, "Jadwalkan kunjungan", _LEADERS, "tanpa_kunjungan", *ask.PLAN_FIELDS),
    _line(_A.CANCEL_VISIT, S.VERIFYING, None, "Batalkan kunjungan", _LEADERS, "kunjungan_belum_diisi", _REASON),
    _line(_A.FORWARD, S.VERIFIED, S.REVIEW, "Teruskan ke telaah", {*_LEADERS, R.BO}, _NOTE),
    _line(_A.FORWARD_FROM_FIELD, S.VERIFIED, S.REVIEW, "Diteruskan ke telaah", set(), "dari_lapangan", "bukan_kewenangan_desa"),
    _line(_A.HANDLE_IN_VILLAGE, S.VERIFIED, S.IN_HANDLING, "Tangani di desa", {R.KOORDINATOR_PUSKESOS, R.BO_PUSKESOS},
          "kewenangan_desa", _NOTE),
    _line(_A.RECOMMEND, S.REVIEW, S.AWAITING_DECISION, "Ajukan untuk ditetapkan", {R.BO}, "data_dicek",
          Field("recommendation", "Rekomendasi"), _NOTE),
    *_decisions({R.MANAJER}),
    *_decisions(_DELEGATES, DELEGATED),
    _line(_A.HANDLED, S.IN_HANDLING, S.FOLLOW_UP, "Catat tindakan", {R.BO, R.BO_PUSKESOS, R.KOORDINATOR_PUSKESOS},
          Field("note", "Tindakan yang dilakukan")),
    _line(_A.PROPOSE_OUTSIDE, {S.REFERRED, S.IN_HANDLING}, S.WAITING_OUTSIDE, "Usulkan ke luar (Kemensos/BPJS/provinsi)", {R.BO},
          *ask.PROPOSE_FIELDS),
    _line(_A.OUTSIDE_DECIDED, S.WAITING_OUTSIDE, S.FOLLOW_UP, "Catat keputusan dari luar", {R.BO}, *ask.OUTSIDE_FIELDS),
    _line(_A.REFERRALS_ANSWERED, S.REFERRED, S.FOLLOW_UP, "Rujukan dijawab", set(), "rujukan_selesai"),
    _line(_A.REFERRAL_RETURNED, S.REFERRED, S.REVIEW, "Rujukan dikembalikan", set()),
    _line(_A.RECORD_RESULT, S.FOLLOW_UP, S.DONE, "Catat hasil", {R.BO, R.FASILITATOR}, "rujukan_selesai",
          "berkas_menyusul_diterima", ask.OUTCOME, ask.RESULT, ask.TOLD, ask.TOLD_WAY, ask.TOLD_DATE),
    _line(_A.NOT_SETTLED, S.FOLLOW_UP, S.REVIEW, "Belum tuntas", {R.BO, R.SUPERVISOR}, _REASON),
    _line(_A.CONFIRM_CLOSED, S.DONE, S.CLOSED, "Tutup: warga sudah diberi tahu", {R.FASILITATOR, R.FO, R.FO_PUSKESOS},
          Field("satisfaction", "Kepuasan warga", "choice", required=False, choices=ask.SATISFACTION), _NOTE),
    _line(_A.CLOSE_BY_TIME, S.DONE, S.CLOSED, "Ditutup otomatis", set()),
    _line(_A.REOPEN, {S.DONE, S.CLOSED}, S.REVIEW, "Buka kembali", {R.SUPERVISOR, R.MANAJER}, "belum_90_hari", _REASON),
    _line(_A.RETURN, {S.NEW, S.VERIFYING, S.REVIEW}, S.NEEDS_REPAIR, "Kembalikan untuk diperbaiki", {*_LEADERS, R.BO},
          *ask.RETURN_FIELDS),
    _line(_A.MARK_DUPLICATE, S.VERIFYING, S.DUPLICATE, "Tandai duplikat", {R.SUPERVISOR, R.BO}, "bukan_pencatat",
          Field("duplicate_of", "Nomor kasus yang asli", "text"), _NOTE),
    _line(_A.MARK_INVALID, S.VERIFYING, S.INVALID, "Tandai tidak valid", {R.SUPERVISOR, R.BO}, "bukan_pencatat", _REASON),
    _line(_A.REVERT_MARK, {S.INVALID, S.DUPLICATE}, S.VERIFYING, "Batalkan tanda", {R.MANAJER}, _REASON),
    _line(_A.REFER_AT_ONCE, OPEN - {S.DRAFT, S.REFERRED}, S.REFERRED, "Rujuk darurat", {R.FO, R.BO, R.SUPERVISOR}, "darurat", _REASON),
    _line(_A.RAISE, OPEN - CLOCK_STOPPED - {S.DRAFT}, None, "Naikkan kepada manajer", {*_WRITERS, R.BO}, "terlambat_di_bawah_manajer",
          _REASON, ask.TOLD),
    _line(_A.CHANGE_OWNER, OPEN - {S.DRAFT}, None, "Alihkan ke petugas lain", {R.SUPERVISOR, R.MANAJER}, ask.NEW_OWNER, _REASON),
    _line(_A.CHANGE_PRIORITY, OPEN - {S.DRAFT}, None, "Ubah prioritas", {R.SUPERVISOR, R.MANAJER}, ask.NEW_PRIORITY, _REASON),
    _line(_A.SET_DUE, OPEN - CLOCK_STOPPED - {S.DRAFT}, None, "Ubah batas waktu", {R.MANAJER}, ask.NEW_DUE, _REASON),
    _line(_A.CHANGE_CONFIDENTIALITY, OPEN - {S.DRAFT}, None, "Ubah kerahasiaan", {R.SUPERVISOR, R.MANAJER}, ask.CONFIDENTIALITY,
          _REASON),
    _line(_A.CANCEL, OPEN - {S.DRAFT}, S.CANCELLED, "Batalkan", {R.FO, R.FASILITATOR, R.BO}, ask.CANCEL_REASON, _REASON),
)  # fmt: skip

LABELS: dict[str, str] = {line.action.value: line.label for line in TRANSITIONS} | {
    "buat_rujukan": "Rujukan disiapkan",
    "kirim_rujukan": "Rujukan dikirim",
    "batalkan_rujukan": "Rujukan dibatalkan",
    "terima_rujukan": "Rujukan diterima",
    "proses_rujukan": "Rujukan diproses",
    "jawab_rujukan": "Rujukan dijawab OPD",
    "kembalikan_rujukan": "Rujukan dikembalikan OPD",
    "tolak_rujukan": "Rujukan ditolak OPD",
    "tarik_rujukan": "Rujukan ditarik kembali",
    "ingatkan_rujukan": "OPD diingatkan: rujukan lewat batas jawaban",
    "eskalasi_rujukan": "Rujukan tanpa jawaban dinaikkan kepada manajer",
    "serah_terima": "Diserahkan kepada fasilitator pengganti",
    "ganti_kode": "Kode wilayah berganti",
    "tambah_berkas": "Berkas ditambahkan",
    "periksa_berkas": "Berkas diperiksa",
    "hapus_berkas": "Berkas dihapus",
    "terbitkan_surat": "Surat diterbitkan",
    "batalkan_surat": "Surat dibatalkan",
    "eskalasi": "Keterlambatan disampaikan",
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


def blocked(state: CaseState, roles: frozenset[Role], facts: Facts) -> tuple[tuple[Transition, str], ...]:
    """The steps that would be next for somebody with `roles`, each with the sentence of what is missing."""
    open_now = {line.action for line in allowed(state, roles, facts)}
    found: dict[Action, tuple[Transition, str]] = {}
    for line in TRANSITIONS:
        waited = line.action in WORTH_TELLING and state in line.sources and not line.by.isdisjoint(roles)
        if line.action is Action.RATIFY and not facts.to_ratify:
            continue  # nobody waits for it
        if waited and line.action not in open_now and DELEGATED not in line.conditions:
            found.setdefault(line.action, (line, missing_condition(line, facts)))
    return tuple(found.values())


def effect(action: Action) -> Transition:
    """The line of an action that the node does by itself."""
    return next(line for line in TRANSITIONS if line.action is action and not line.by)


# Steps that a case waits for: when one is missing on a page, it says why.
WORTH_TELLING = frozenset(
    {Action.TAKE, Action.RESUBMIT, Action.CONFIRM_TRUE, Action.HANDLE_IN_VILLAGE, Action.RECOMMEND, Action.RECORD_RESULT}
    | {Action.DECIDE_REFER, Action.RATIFY, Action.REOPEN}
)
# These are possible almost always: they are no reason to stand in somebody's queue.
_NOT_WAITED_FOR = frozenset(
    {Action.CANCEL, Action.FINISH_AT_ONCE, Action.REFER_AT_ONCE, Action.REOPEN, Action.OPEN, Action.REVERT_MARK, Action.RATIFY}
    | {
        Action.REFUSE_TO_RATIFY,
        Action.RAISE,
        Action.CHANGE_OWNER,
        Action.CHANGE_PRIORITY,
        Action.SET_DUE,
        Action.CHANGE_CONFIDENTIALITY,
    }
)


def queue_of(roles: frozenset[Role]) -> frozenset[CaseState]:
    """The states in which a case waits for one of `roles`; what is handed over in writing is not in it."""
    waiting = {
        state
        for line in TRANSITIONS
        if line.action not in _NOT_WAITED_FOR and not line.by.isdisjoint(roles) and DELEGATED not in line.conditions
        for state in line.sources
    }
    return frozenset(waiting | ({S.REFERRED} if R.BO in roles else set()))
