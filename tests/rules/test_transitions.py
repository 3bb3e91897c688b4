"""The table of a case's life: nobody gets further than it says, and every state has a way on or is an end."""

from __future__ import annotations

import itertools

import pytest

from appliance.casework.transitions import (
    CONDITIONS,
    LABELS,
    REFERRAL_STEPS,
    TRANSITIONS,
    Action,
    Facts,
    ReferralStep,
    Refusal,
    Transition,
    allowed,
    may,
    queue_of,
    referral_steps,
)
from appliance.models.roles import Role
from appliance.models.states import ENDED, OPEN, CaseState, Channel, ReferralState

S, A, R = CaseState, Action, Role
COUNTER = Facts(Channel.COUNTER)
FIELD = Facts(Channel.FIELD)


def roles(*held: Role) -> frozenset[Role]:
    return frozenset(held)


@pytest.mark.parametrize(
    ("action", "state", "role", "facts", "target"),
    [
        (A.OPEN, S.DRAFT, R.FO, COUNTER, S.NEW),
        (A.TAKE, S.NEW, R.BO, COUNTER, S.VERIFYING),
        (A.CONFIRM_TRUE, S.VERIFYING, R.BO, COUNTER, S.VERIFIED),
        (A.CONFIRM_TRUE, S.VERIFYING, R.SUPERVISOR, FIELD, S.VERIFIED),
        (A.FORWARD, S.VERIFIED, R.BO, COUNTER, S.REVIEW),
        (A.RECOMMEND, S.REVIEW, R.BO, COUNTER, S.AWAITING_DECISION),
        (A.DECIDE_REFER, S.AWAITING_DECISION, R.MANAJER, COUNTER, S.REFERRED),
        (A.DECIDE_HANDLE, S.AWAITING_DECISION, R.MANAJER, COUNTER, S.IN_HANDLING),
        (A.DECIDE_REFUSE, S.AWAITING_DECISION, R.MANAJER, COUNTER, S.REFUSED),
        (A.HANDLED, S.IN_HANDLING, R.BO, COUNTER, S.FOLLOW_UP),
        (A.RECORD_RESULT, S.FOLLOW_UP, R.BO, COUNTER, S.DONE),
        (A.CONFIRM_CLOSED, S.DONE, R.FO, COUNTER, S.CLOSED),
        (A.REOPEN, S.CLOSED, R.SUPERVISOR, Facts(Channel.COUNTER, days_since_end=90), S.REVIEW),
        (A.FINISH_AT_ONCE, S.NEW, R.FO, Facts(Channel.COUNTER, simple=True), S.DONE),
        (A.REFER_AT_ONCE, S.NEW, R.FO, Facts(Channel.COUNTER, emergency=True), S.REFERRED),
    ],
)
def test_what_is_allowed(action: Action, state: CaseState, role: Role, facts: Facts, target: CaseState) -> None:
    answer = may(action, state, roles(role), facts)
    assert isinstance(answer, Transition)
    assert answer.target is target


@pytest.mark.parametrize(
    ("action", "state", "role", "facts", "impossible"),
    [
        (A.TAKE, S.NEW, R.FO, COUNTER, False),  # not her role
        (A.TAKE, S.NEW, R.BO, Facts(Channel.COUNTER, by_creator=True), False),  # four eyes
        (A.CONFIRM_TRUE, S.VERIFYING, R.BO, FIELD, False),  # the field has its supervisor
        (A.DECIDE_REFER, S.AWAITING_DECISION, R.BO, COUNTER, False),
        (A.DECIDE_REFER, S.REVIEW, R.MANAJER, COUNTER, True),  # too early
        (A.TAKE, S.CLOSED, R.BO, COUNTER, True),
        (A.FINISH_AT_ONCE, S.NEW, R.FO, COUNTER, False),  # not a simple kind
        (A.REFER_AT_ONCE, S.NEW, R.FO, COUNTER, False),  # not an emergency
        (A.RECORD_RESULT, S.FOLLOW_UP, R.BO, Facts(Channel.COUNTER, referrals_open=1), False),
        (A.REOPEN, S.CLOSED, R.MANAJER, Facts(Channel.COUNTER, days_since_end=91), False),
        (A.REFERRALS_ANSWERED, S.REFERRED, R.MANAJER, COUNTER, False),  # the node's own
    ],
)
def test_what_is_refused(action: Action, state: CaseState, role: Role, facts: Facts, impossible: bool) -> None:
    answer = may(action, state, roles(role), facts)
    assert isinstance(answer, Refusal)
    assert answer.text
    assert answer.impossible is impossible


@pytest.mark.parametrize("role", [R.OPD, R.PIMPINAN, R.ADMIN, R.PELATIH])
def test_some_roles_never_move_a_case(role: Role) -> None:
    facts = Facts(Channel.COUNTER, simple=True, emergency=True)
    assert all(allowed(state, roles(role), facts) == () for state in CaseState)


def test_from_every_open_state_every_end_that_matters_can_be_reached() -> None:
    ways = {state: {line.target for line in TRANSITIONS if state in line.sources} for state in CaseState}
    for start in OPEN:
        reached, before = {start}, set[CaseState]()
        while reached != before:
            before, reached = reached, reached | set(itertools.chain.from_iterable(ways[state] for state in reached))
        assert reached >= {S.CLOSED, S.CANCELLED}, start


def test_an_end_is_an_end() -> None:
    out = {state for line in TRANSITIONS for state in line.sources if state in ENDED}
    assert out == {S.DONE, S.CLOSED}, "only what was done is closed or taken up again"


def test_the_table_is_whole() -> None:
    assert {line.action for line in TRANSITIONS} == set(Action)
    assert {name for line in TRANSITIONS for name in line.conditions} == set(CONDITIONS)
    assert all(line.action.value in LABELS for line in TRANSITIONS)
    assert all(len(line.action.value) <= 32 for line in TRANSITIONS)
    assert all(word in LABELS for _, _, word in REFERRAL_STEPS.values())


def test_one_role_gets_one_answer() -> None:
    """Two lines for one action and state are for different roles; otherwise the first would hide the second."""
    for one, other in itertools.combinations(TRANSITIONS, 2):
        if one.action is other.action and one.sources & other.sources:
            assert not one.by & other.by


def test_refusals_and_returns_demand_a_reason() -> None:
    demanding = {A.RETURN, A.DECIDE_REFUSE, A.CANCEL, A.REOPEN, A.NOT_SETTLED, A.MARK_INVALID, A.REFER_AT_ONCE, A.BACK_TO_REVIEW}
    for line in TRANSITIONS:
        if line.action in demanding:
            assert any(field.name == "note" and field.required for field in line.fields), line.action


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
        (RS.SENT, S.REFERRED, (), (STEP.RECEIVE, STEP.RETURN)),
        (RS.ACCEPTED, S.REFERRED, (), (STEP.PROCESS, STEP.ANSWER, STEP.RETURN)),
        (RS.IN_PROCESS, S.REVIEW, (), (STEP.ANSWER, STEP.RETURN)),  # a sister referral came back meanwhile
        (RS.ANSWERED, S.FOLLOW_UP, (), ()),
        (RS.SENT, S.CANCELLED, (), ()),
    ],
)
def test_steps_of_a_referral(
    state: ReferralState, case: CaseState, sender: tuple[ReferralStep, ...], receiver: tuple[ReferralStep, ...]
) -> None:
    assert referral_steps(state, case, sender=True, receiver=False) == sender
    assert referral_steps(state, case, sender=False, receiver=True) == receiver
    assert referral_steps(state, case, sender=False, receiver=False) == ()
