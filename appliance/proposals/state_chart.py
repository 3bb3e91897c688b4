"""Draws `docs/proposal-states.md` from the table of a proposal's life: python -m appliance.proposals.state_chart."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from appliance.models.proposal_words import PROPOSAL_ENDS, ProposalState
from appliance.proposals.steps import TABLE, Line

_HEAD = """# The states of a proposal

Drawn from the table in `appliance/proposals/steps.py`; a test fails when it is stale. Do not edit:

    python -m appliance.proposals.state_chart > docs/proposal-states.md

Ways marked "paper" follow from an act on the meeting (musyawarah) or the statement (SPTJM) that the proposal rests on. Withdrawing
and carrying over to the running month are possible in every state before the entry and stand in the table only.
"""
_CROWDED = 5


def chart() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *_picture(), "", *_steps(), ""])


def _picture() -> Iterable[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state in ProposalState:
        yield f"    {state.value}: {state.label}"
    yield f"    [*] --> {ProposalState.DRAFT.value}"
    drawn: set[str] = set()
    for line in TABLE:
        if len(line.sources) > _CROWDED or line.target is None:
            continue
        for source in _ordered(line.sources):
            way = f"    {source.value} --> {line.target.value}: {line.label}{'' if line.by else ' (paper)'}"
            if source is not line.target and way not in drawn:
                drawn.add(way)
                yield way
    for state in _ordered(PROPOSAL_ENDS):
        yield f"    {state.value} --> [*]"
    yield "```"


def _steps() -> Iterable[str]:
    yield "| step | word | from | to | who | only if | asks for |"
    yield "|---|---|---|---|---|---|---|"
    for line in TABLE:
        cells = (
            line.label,
            f"`{line.step.value}`",
            _sources(line),
            line.target.value if line.target else "stays",
            ", ".join(sorted(line.by)) or "the paper",
            ", ".join(line.conditions) or "–",
            "; ".join(f"{field.label}{'' if field.required else ' (may be empty)'}" for field in line.fields) or "–",
        )
        yield f"| {' | '.join(cells)} |"


def _sources(line: Line) -> str:
    if len(line.sources) > _CROWDED:
        return "every state before the entry"
    return ", ".join(state.value for state in _ordered(line.sources))


def _ordered(states: Iterable[ProposalState]) -> list[ProposalState]:
    return [state for state in ProposalState if state in set(states)]


if __name__ == "__main__":
    sys.stdout.write(chart())
