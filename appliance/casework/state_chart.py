"""Draws `docs/case-states.md` from the transition table: python -m appliance.casework.state_chart > docs/case-states.md."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from appliance.casework.transitions import CONDITIONS, TRANSITIONS, Transition
from appliance.models.roles import Role
from appliance.models.states import CLOCK_STOPPED, ENDED, CaseState

_INTRODUCTION = """# The states of a case

Drawn from the table in `appliance/casework/transitions.py`; a test fails when it is stale. Do not edit:

    python -m appliance.casework.state_chart > docs/case-states.md

The clock stands still in the states marked so; there the citizen or somebody outside is to act. Ways marked
"by itself" need nobody. Steps that are possible from nearly everywhere are left out of the picture and stand in the table only.
"""
# From so many states that the picture would show nothing else.
_CROWDED = 4


def chart() -> str:
    """The whole file: a picture, a table of the steps, and what the conditions ask."""
    return "\n".join([_INTRODUCTION, *_picture(), "", "## Steps", "", *_steps(), "", "## Conditions", "", *_conditions(), ""])


def _picture() -> Iterable[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state in CaseState:
        clock = " (clock stands still)" if state in CLOCK_STOPPED else ""
        yield f"    {state.value}: {state.label}{clock}"
    yield f"    [*] --> {CaseState.DRAFT.value}"
    drawn = set()
    for line in TRANSITIONS:
        if line.target is None or len(line.sources) > _CROWDED:
            continue
        for source in _ordered(line.sources):
            way = f"    {source.value} --> {line.target.value}: {line.label}{'' if line.by else ' (by itself)'}"
            if way not in drawn:
                drawn.add(way)
                yield way
    for state in CaseState:
        if state in ENDED:
            yield f"    {state.value} --> [*]"
    yield "```"


def _steps() -> Iterable[str]:
    yield "| step | word | from | to | who | only if | asks for |"
    yield "|---|---|---|---|---|---|---|"
    for line in TRANSITIONS:
        cells = (
            line.label,
            f"`{line.action.value}`",
            _sources(line.sources),
            line.target.value if line.target else "stays",
            ", ".join(role.value for role in Role if role in line.by) or "the node",
            ", ".join(line.conditions) or "–",
            _asks(line),
        )
        yield f"| {' | '.join(cells)} |"


def _sources(sources: frozenset[CaseState]) -> str:
    if len(sources) <= _CROWDED:
        return ", ".join(state.value for state in _ordered(sources))
    missing = ", ".join(state.value for state in CaseState if state not in sources and state not in ENDED)
    every = "every open state" if sources.isdisjoint(ENDED) else "every state"
    return f"{every} but {missing}"


def _asks(line: Transition) -> str:
    return "; ".join(f"{field.label}{'' if field.required else ' (may be empty)'}" for field in line.fields) or "–"


def _conditions() -> Iterable[str]:
    yield "| condition | what is told when it does not hold |"
    yield "|---|---|"
    for name, (_, sentence) in CONDITIONS.items():
        yield f"| {name} | {sentence} |"


def _ordered(states: Iterable[CaseState]) -> list[CaseState]:
    return [state for state in CaseState if state in set(states)]


if __name__ == "__main__":
    sys.stdout.write(chart())
