"""The life of a referral as one table, and at which states of its case it is prepared and sent. Pure."""

from __future__ import annotations

from enum import StrEnum

from appliance.models.states import OPEN, CaseState, ReferralState

S = CaseState


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
