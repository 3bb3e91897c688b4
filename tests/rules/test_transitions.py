"""The table of a case's life: nobody gets further than it says, and every state has a way on or is an end."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.casework.referral_steps import REFERRAL_STEPS, ReferralStep, Reminder, referral_steps, reminder_due
from appliance.casework.state_chart import chart
from appliance.casework.transitions import (
    CONDITIONS,
    LABELS,
    TRANSITIONS,
    Action,
    Facts,
    Refusal,
    Transition,
    allowed,
    blocked,
    effect,
    may,
    missing_condition,
    queue_of,
)
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, OPEN, CaseState, Channel, ReferralState, VisitState

S, A, R = CaseState, Action, Role
OPEN_STATES = (
    "BARU PERLU_PERBAIKAN VERIFIKASI TERVERIFIKASI TELAAH MENUNGGU_PENETAPAN DITANGANI DIRUJUK MENUNGGU_LUAR TINDAK_LANJUT"
)
ALL_BUT_DRAFT = f"{OPEN_STATES} SELESAI DITUTUP DITOLAK DUPLIKAT TIDAK_VALID DIBATALKAN"
CLOCK_STATES = OPEN_STATES.replace(" PERLU_PERBAIKAN", "").replace(" MENUNGGU_LUAR", "")
NOT_REFERRED = OPEN_STATES.replace(" DIRUJUK", "")

# From which states | action | to ("=" stays) | who ("node": the node by itself) | what must hold, in the words of NEEDS.
EXPECTED = f"""
DRAF                      | kirim                | BARU               | fasilitator fo fo_puskesos
BARU                      | selesaikan_langsung  | SELESAI            | fasilitator fo fo_puskesos         | simple
BARU                      | ambil                | VERIFIKASI         | supervisor koordinator_puskesos    | not-creator
BARU                      | ambil                | VERIFIKASI         | bo                                 | not-creator counter
BARU VERIFIKASI TELAAH    | kembalikan           | PERLU_PERBAIKAN    | supervisor koordinator_puskesos bo
PERLU_PERBAIKAN           | kirim_ulang          | BARU               | fasilitator fo fo_puskesos         | creator-or-successor
VERIFIKASI                | jadwalkan_kunjungan  | =                  | supervisor koordinator_puskesos    | no-visit
VERIFIKASI                | isi_kunjungan        | =                  | fasilitator tksk                   | not-reported
VERIFIKASI                | sahkan_kunjungan     | =                  | supervisor koordinator_puskesos    | reported not-visitor
VERIFIKASI                | kembalikan_kunjungan | =                  | supervisor koordinator_puskesos    | reported not-visitor
VERIFIKASI                | batalkan_kunjungan   | =                  | supervisor koordinator_puskesos    | planned
VERIFIKASI                | sahkan               | TERVERIFIKASI      | supervisor koordinator_puskesos    | not-creator papers visited not-reported
VERIFIKASI                | sahkan               | TERVERIFIKASI      | bo                                 | not-creator papers visited not-reported counter
VERIFIKASI                | tandai_tidak_valid   | TIDAK_VALID        | supervisor bo                      | not-creator
VERIFIKASI                | tandai_duplikat      | DUPLIKAT           | supervisor bo                      | not-creator
TIDAK_VALID DUPLIKAT      | batalkan_tanda       | VERIFIKASI         | manajer
TERVERIFIKASI             | tangani_di_desa      | DITANGANI          | koordinator_puskesos bo_puskesos   | village
TERVERIFIKASI             | teruskan             | TELAAH             | supervisor koordinator_puskesos bo
TERVERIFIKASI             | teruskan_otomatis    | TELAAH             | node                               | field not-village
TELAAH                    | ajukan               | MENUNGGU_PENETAPAN | bo                                 | looked-up
MENUNGGU_PENETAPAN        | tetapkan_dirujuk     | DIRUJUK            | manajer                            | not-recommender not-creator not-verifier
MENUNGGU_PENETAPAN        | tetapkan_dirujuk     | DIRUJUK            | supervisor penandatangan           | not-recommender not-creator not-verifier delegated
MENUNGGU_PENETAPAN        | tetapkan_ditangani   | DITANGANI          | manajer                            | not-recommender not-creator not-verifier
MENUNGGU_PENETAPAN        | tetapkan_ditangani   | DITANGANI          | supervisor penandatangan           | not-recommender not-creator not-verifier delegated
MENUNGGU_PENETAPAN        | tolak                | DITOLAK            | manajer                            | not-recommender not-creator not-verifier
MENUNGGU_PENETAPAN        | tolak                | DITOLAK            | supervisor penandatangan           | not-recommender not-creator not-verifier delegated
MENUNGGU_PENETAPAN        | kembalikan_ke_bo     | TELAAH             | manajer
MENUNGGU_PENETAPAN        | kembalikan_ke_bo     | TELAAH             | supervisor penandatangan           | delegated
{NOT_REFERRED}            | rujuk_darurat        | DIRUJUK            | fo bo supervisor                   | emergency
{ALL_BUT_DRAFT}           | sahkan_darurat       | =                  | manajer                            | to-ratify not-referrer not-creator not-verifier
{ALL_BUT_DRAFT}           | sahkan_darurat       | =                  | supervisor penandatangan           | to-ratify not-referrer not-creator not-verifier delegated
DIRUJUK                   | tolak_darurat        | TELAAH             | manajer                            | to-ratify not-referrer not-creator not-verifier
DIRUJUK                   | tolak_darurat        | TELAAH             | supervisor penandatangan           | to-ratify not-referrer not-creator not-verifier delegated
DITANGANI                 | catat_tindakan       | TINDAK_LANJUT      | bo bo_puskesos koordinator_puskesos
DITANGANI DIRUJUK         | usulkan_keluar       | MENUNGGU_LUAR      | bo
MENUNGGU_LUAR             | catat_keputusan_luar | TINDAK_LANJUT      | bo
DIRUJUK                   | rujukan_dijawab      | TINDAK_LANJUT      | node                               | answered
DIRUJUK                   | rujukan_dikembalikan | TELAAH             | node
TINDAK_LANJUT             | catat_hasil          | SELESAI            | bo fasilitator                     | answered nothing-promised
TINDAK_LANJUT             | belum_tuntas         | TELAAH             | bo supervisor
SELESAI                   | konfirmasi           | DITUTUP            | fasilitator fo fo_puskesos
SELESAI                   | tutup_otomatis       | DITUTUP            | node
SELESAI DITUTUP           | buka_kembali         | TELAAH             | supervisor manajer                 | ninety-days
{CLOCK_STATES}            | naikkan              | =                  | fo fo_puskesos fasilitator bo      | late
{OPEN_STATES}             | alihkan              | =                  | supervisor manajer
{OPEN_STATES}             | ubah_prioritas       | =                  | supervisor manajer
{CLOCK_STATES}            | ubah_batas           | =                  | manajer
{OPEN_STATES}             | ubah_kerahasiaan     | =                  | supervisor manajer
{OPEN_STATES}             | batalkan             | DIBATALKAN         | fo fasilitator bo
"""
# What must hold → the facts with which it does. WORST holds none of them.
NEEDS: dict[str, dict[str, Any]] = {
    "simple": {"simple": True},
    "not-creator": {"by_creator": False},
    "creator-or-successor": {"stands_in": True},
    "counter": {"channel": Channel.COUNTER},
    "field": {"channel": Channel.FIELD},
    "no-visit": {"visit": ""},
    "reported": {"visit": VisitState.REPORTED},
    "planned": {"visit": VisitState.PLANNED},
    "not-reported": {"visit": VisitState.RETURNED},
    "not-visitor": {"by_visitor": False},
    "papers": {"papers_open": 0},
    "visited": {"visit_wanted": False},
    "nothing-promised": {"papers_promised": 0},
    "late": {"to_raise": True},
    "village": {"village_may": True},
    "not-village": {"village_may": False},
    "looked-up": {"list_check_wanted": False},
    "not-verifier": {"by_verifier": False},
    "not-recommender": {"by_recommender": False},
    "delegated": {"delegated": True},
    "emergency": {"emergency": True},
    "to-ratify": {"to_ratify": True},
    "not-referrer": {"by_referrer": False},
    "answered": {"referrals_open": 0},
    "ninety-days": {"days_since_end": 90},
}
WORST: dict[str, Any] = {
    "channel": Channel.PUSKESOS, "by_creator": True, "by_visitor": True, "by_verifier": True, "by_recommender": True, "by_referrer": True,
    "papers_open": 1, "papers_promised": 1, "visit_wanted": True, "list_check_wanted": True, "referrals_open": 1, "days_since_end": 91,
}  # fmt: skip
# Where a need is not met by the worst facts already, the facts that break it.
BROKEN: dict[str, dict[str, Any]] = {
    "creator-or-successor": {"stands_in": False, "by_creator": False},
    "no-visit": {"visit": VisitState.PLANNED},
    "not-reported": {"visit": VisitState.REPORTED},
    "not-village": {"village_may": True},
}
EASY = [
    Facts(channel, stands_in=True, simple=True, village_may=may_here, emergency=True, to_ratify=True, delegated=True, visit=visit)
    for channel in (Channel.COUNTER, Channel.FIELD)
    for may_here in (True, False)
    for visit in ("", VisitState.PLANNED, VisitState.REPORTED, VisitState.RETURNED)
]


@dataclass(frozen=True)
class Row:
    """One line of EXPECTED for one state."""

    action: Action
    state: CaseState
    target: CaseState
    who: tuple[str, ...]
    needs: tuple[str, ...]

    def facts(self, broken: str = "") -> Facts:
        """The worst facts with which the step is possible; with `broken`, one need of it does not hold."""
        given = dict(WORST)
        for need in self.needs:
            given |= NEEDS[need]
        for need in {broken} & set(self.needs):
            given |= BROKEN.get(need) or {name: WORST.get(name, getattr(Facts(Channel.FIELD), name)) for name in NEEDS[need]}
        return Facts(**given)


def _rows() -> list[Row]:
    rows = []
    for text in EXPECTED.strip().splitlines():
        states, action, target, who, needs = ([*text.split("|"), ""])[:5]
        for state in map(CaseState, states.split()):
            to = state if target.strip() == "=" else CaseState(target.strip())
            rows.append(Row(Action(action.strip()), state, to, tuple(who.split()), tuple(needs.split())))
    return rows


ROWS = _rows()


def roles(*held: Role) -> frozenset[Role]:
    return frozenset(held)


def test_every_step_of_every_state_by_every_role() -> None:
    """Allowed with the worst facts that its line names, refused as soon as one of them does not hold, and nothing else at all."""
    expected = {(row.state, row.action, role): row for row in ROWS for role in row.who}
    for state, action, role in itertools.product(CaseState, Action, Role):
        row = expected.get((state, action, role.value))
        told = (state, action, role)
        if row is None:
            assert all(isinstance(may(action, state, roles(role), facts), Refusal) for facts in EASY), told
            continue
        answer = may(action, state, roles(role), row.facts())
        assert isinstance(answer, Transition), (told, answer)
        assert answer.leads_to(state) is row.target, told
        for need in row.needs:
            refused = may(action, state, roles(role), row.facts(broken=need))
            assert isinstance(refused, Refusal), (told, need)
            assert refused.text, (told, need)
            assert not refused.impossible, (told, need)


def test_what_the_node_does_by_itself() -> None:
    by_node = [row for row in ROWS if row.who == ("node",)]
    assert {row.action for row in by_node} == {line.action for line in TRANSITIONS if not line.by}
    for row in by_node:
        line = effect(row.action)
        assert line.sources == {row.state}
        assert line.target is row.target
        assert missing_condition(line, row.facts()) == ""
        assert all(missing_condition(line, row.facts(broken=need)) for need in row.needs)


def test_a_step_from_a_wrong_state_is_impossible_whoever_asks() -> None:
    possible = {(row.state, row.action) for row in ROWS}
    for state, action in itertools.product(CaseState, Action):
        answer = may(action, state, frozenset(Role), EASY[0])
        assert (isinstance(answer, Refusal) and answer.impossible) is ((state, action) not in possible), (state, action)


def test_a_page_is_offered_what_may_be_done_and_told_what_is_missing() -> None:
    facts = Facts(Channel.COUNTER, papers_open=2, visit_wanted=True)
    offered = {line.action for line in allowed(S.VERIFYING, roles(R.SUPERVISOR), facts)}
    assert A.CONFIRM_TRUE not in offered
    assert {A.PLAN_VISIT, A.RETURN, A.MARK_INVALID, A.MARK_DUPLICATE, A.CHANGE_OWNER} <= offered
    assert [(line.action, sentence) for line, sentence in blocked(S.VERIFYING, roles(R.SUPERVISOR), facts)] == [
        (A.CONFIRM_TRUE, CONDITIONS["berkas_sah"][1])
    ]
    assert blocked(S.AWAITING_DECISION, roles(R.SUPERVISOR), Facts(Channel.COUNTER)) == (), "the decision is not hers to wait for"
    told = {line.action for line, _ in blocked(S.REFERRED, roles(R.MANAJER), Facts(Channel.COUNTER))}
    assert Action.RATIFY not in told, "there is no emergency to ratify"


def test_the_clock_stands_still_only_while_others_are_to_act() -> None:
    assert {S.NEEDS_REPAIR, S.WAITING_OUTSIDE} == CLOCK_STOPPED


def test_from_every_open_state_every_end_that_matters_can_be_reached() -> None:
    ways = {state: {line.leads_to(state) for line in TRANSITIONS if state in line.sources} for state in CaseState}
    for start in OPEN:
        reached, before = {start}, set[CaseState]()
        while reached != before:
            before, reached = reached, reached | set(itertools.chain.from_iterable(ways[state] for state in reached))
        assert reached >= {S.CLOSED, S.CANCELLED}, start


def test_the_table_is_whole() -> None:
    assert {line.action for line in TRANSITIONS} == set(Action)
    assert {name for line in TRANSITIONS for name in line.conditions} == set(CONDITIONS)
    assert all(line.action.value in LABELS for line in TRANSITIONS)
    assert all(len(line.action.value) <= 32 for line in TRANSITIONS)
    assert all(word in LABELS for _, _, word in REFERRAL_STEPS.values())
    assert {field.kind for line in TRANSITIONS for field in line.fields} == {
        "text", "long", "choice", "date", "multi", "check", "files",
    }  # fmt: skip


def test_one_role_gets_one_answer() -> None:
    """Two lines for one action and state are for different roles; otherwise the first would hide the second."""
    for one, other in itertools.combinations(TRANSITIONS, 2):
        if one.action is other.action and one.sources & other.sources:
            assert not one.by & other.by


def test_refusals_and_returns_demand_a_reason() -> None:
    demanding = {
        A.DECIDE_REFUSE: {"note", "citizen_note"}, A.RETURN: {"return_reasons", "note"}, A.CANCEL: {"cancel_reason", "note"},
        A.RETURN_VISIT: {"visit_reasons"}, A.REOPEN: {"note"}, A.NOT_SETTLED: {"note"}, A.MARK_INVALID: {"note"},
        A.REFER_AT_ONCE: {"note"}, A.BACK_TO_REVIEW: {"note"}, A.REVERT_MARK: {"note"}, A.REFUSE_TO_RATIFY: {"note"},
        A.CANCEL_VISIT: {"note"}, A.CHANGE_OWNER: {"note", "new_owner"}, A.CHANGE_PRIORITY: {"note", "priority"},
        A.SET_DUE: {"note", "due_date"}, A.RAISE: {"note", "citizen_note"},
        A.CHANGE_CONFIDENTIALITY: {"note", "confidential"}, A.RECORD_RESULT: {"outcome", "citizen_note", "told_way"},
    }  # fmt: skip
    for line in TRANSITIONS:
        assert demanding.get(line.action, set()) <= {field.name for field in line.fields if field.required}, line.action


def test_the_chart_in_the_docs_is_that_of_the_table() -> None:
    drawn = Path(__file__).parents[2] / "docs" / "case-states.md"
    assert drawn.read_text() == chart(), "python -m appliance.casework.state_chart > docs/case-states.md"


def test_everybody_finds_her_work_in_her_queue() -> None:
    assert S.AWAITING_DECISION in queue_of(roles(R.MANAJER))
    assert queue_of(roles(R.FO)) == {S.NEEDS_REPAIR, S.DONE}, "not what she wrote a moment ago"
    assert {S.NEW, S.VERIFYING, S.REVIEW, S.REFERRED, S.FOLLOW_UP} <= queue_of(roles(R.BO))
    assert S.CLOSED not in queue_of(roles(R.SUPERVISOR))
    assert queue_of(roles(R.PIMPINAN)) == frozenset()


RS, STEP = ReferralState, ReferralStep


@pytest.mark.parametrize(
    ("state", "case", "sender", "receiver"),
    [
        (RS.DRAFT, S.REFERRED, (STEP.SEND, STEP.CANCEL), ()),
        (RS.DRAFT, S.REVIEW, (STEP.CANCEL,), ()),  # sent only when the manager has decided
        (RS.SENT, S.REFERRED, (STEP.WITHDRAW,), (STEP.RECEIVE, STEP.RETURN, STEP.DECLINE)),
        (RS.ACCEPTED, S.REFERRED, (STEP.WITHDRAW,), (STEP.PROCESS, STEP.ANSWER, STEP.RETURN, STEP.DECLINE)),
        (
            RS.IN_PROCESS,
            S.REVIEW,
            (STEP.WITHDRAW,),
            (STEP.ANSWER, STEP.RETURN, STEP.DECLINE),
        ),  # a sister referral came back meanwhile
        (RS.ANSWERED, S.FOLLOW_UP, (), ()),
        (RS.DECLINED, S.REVIEW, (), ()),
        (RS.WITHDRAWN, S.REVIEW, (), ()),
        (RS.SENT, S.CANCELLED, (), ()),
    ],
)
def test_steps_of_a_referral(
    state: ReferralState, case: CaseState, sender: tuple[ReferralStep, ...], receiver: tuple[ReferralStep, ...]
) -> None:
    assert referral_steps(state, case, sender=True, receiver=False) == sender
    assert referral_steps(state, case, sender=False, receiver=True) == receiver
    assert referral_steps(state, case, sender=False, receiver=False) == ()


DUE, LATER = datetime(2026, 11, 20, 8, tzinfo=UTC), datetime(2026, 11, 25, 8, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("at", "reminded", "escalated", "step"),
    [
        (DUE, False, False, None),
        (DUE + MOMENT, False, False, Reminder.REMIND),
        (DUE + MOMENT, True, False, None),
        (LATER, True, False, None),
        (LATER + MOMENT, True, False, Reminder.ESCALATE),
        (LATER + MOMENT, False, False, Reminder.REMIND),  # nobody is told over before she was reminded
        (LATER + MOMENT, True, True, None),
    ],
)
def test_who_is_late_is_reminded_once_and_told_over_once(
    at: datetime, reminded: bool, escalated: bool, step: Reminder | None
) -> None:
    assert reminder_due(DUE, LATER, reminded=reminded, escalated=escalated, at=at) is step
