"""The life of a referral as one table, and at which states of its case it is prepared and sent. Pure."""

from __future__ import annotations

from datetime import datetime
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
    DECLINE = "decline"
    WITHDRAW = "withdraw"


class Reminder(StrEnum):
    """What the node does about a referral without an answer; the value is the word in the history."""

    REMIND = "ingatkan_rujukan"
    ESCALATE = "eskalasi_rujukan"


RS = ReferralState
# step → from which states, to which, and the word in the history
REFERRAL_STEPS: dict[ReferralStep, tuple[frozenset[ReferralState], ReferralState, str]] = {
    ReferralStep.SEND: (frozenset({RS.DRAFT}), RS.SENT, "kirim_rujukan"),
    ReferralStep.CANCEL: (frozenset({RS.DRAFT}), RS.CANCELLED, "batalkan_rujukan"),
    ReferralStep.RECEIVE: (frozenset({RS.SENT}), RS.ACCEPTED, "terima_rujukan"),
    ReferralStep.PROCESS: (frozenset({RS.ACCEPTED}), RS.IN_PROCESS, "proses_rujukan"),
    ReferralStep.ANSWER: (frozenset({RS.ACCEPTED, RS.IN_PROCESS}), RS.ANSWERED, "jawab_rujukan"),
    ReferralStep.RETURN: (frozenset({RS.SENT, RS.ACCEPTED, RS.IN_PROCESS}), RS.RETURNED, "kembalikan_rujukan"),
    ReferralStep.DECLINE: (frozenset({RS.SENT, RS.ACCEPTED, RS.IN_PROCESS}), RS.DECLINED, "tolak_rujukan"),
    ReferralStep.WITHDRAW: (frozenset({RS.SENT, RS.ACCEPTED, RS.IN_PROCESS}), RS.WITHDRAWN, "tarik_rujukan"),
}
AWAITING_REPLY = frozenset({RS.SENT, RS.ACCEPTED, RS.IN_PROCESS})
REFERRAL_OPEN = AWAITING_REPLY | {RS.DRAFT}
NOT_OURS, PAPERS_MISSING = "bukan_wewenang", "berkas_kurang"
RETURN_REASONS = {NOT_OURS: "Bukan wewenang kami", PAPERS_MISSING: "Berkas atau data kurang"}
MAY_PREPARE_REFERRAL = frozenset({S.REVIEW, S.AWAITING_DECISION, S.REFERRED})
_SENDER_STEPS = frozenset({ReferralStep.SEND, ReferralStep.CANCEL, ReferralStep.WITHDRAW})


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


def reminder_due(
    reply_due: datetime, escalate_due: datetime, *, reminded: bool, escalated: bool, at: datetime
) -> Reminder | None:
    """What to do at `at` about a referral that awaits its reply: one reminder, and one escalation after it. All times aware."""
    if escalated or at <= reply_due:
        return None
    if not reminded:
        return Reminder.REMIND
    return Reminder.ESCALATE if at > escalate_due else None
