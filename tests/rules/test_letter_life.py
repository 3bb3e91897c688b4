"""The life of a letter and the way its number is written: every state, step and role from one table written by hand."""

from __future__ import annotations

from datetime import date

import pytest

from appliance.letters import numbering
from appliance.letters.life import Hands, LetterState, LetterStep, Line, Refused, allowed, may, state_on
from appliance.models.roles import Role

# state, step → who may (short names below), and the state after it; what is not here nobody may.
EXPECTED = """
DRAF        ubah       bo bop sup          DRAF
DRAF        paraf      sup man             PARAF
DRAF        batalkan   bo bop sup man      BATAL
PARAF       setujui    ttd                 DISETUJUI
PARAF       kembalikan sup man ttd         DRAF
PARAF       batalkan   bo bop sup man      BATAL
DISETUJUI   kembalikan sup man ttd         DRAF
DISETUJUI   terbitkan  bo bop sup          TERBIT
DISETUJUI   batalkan   bo bop sup man      BATAL
TERBIT      batalkan   sup man ttd         BATAL
TERBIT      lampirkan  bo bop sup fo       -
KEDALUWARSA batalkan   sup man ttd         BATAL
KEDALUWARSA lampirkan  bo bop sup fo       -
"""
SHORT = {
    "bo": Role.BO,
    "bop": Role.BO_PUSKESOS,
    "sup": Role.SUPERVISOR,
    "man": Role.MANAJER,
    "ttd": Role.PENANDATANGAN,
    "fo": Role.FO,
}
NOBODY = Hands(frozenset({"drafter"}), "initialler")


def _expected() -> dict[tuple[str, str], tuple[set[Role], str]]:
    rows = [line.split() for line in EXPECTED.strip().splitlines()]
    return {(row[0], row[1]): ({SHORT[name] for name in row[2:-1]}, row[-1]) for row in rows}


def test_every_state_step_and_role() -> None:
    expected, wrong = _expected(), []
    for state in LetterState:
        for step in LetterStep:
            who, target = expected.get((state.value, step.value), (set(), ""))
            for role in Role:
                answer = may(step, state, frozenset({role}), NOBODY, "somebody else")
                found = (answer.target or "-") if isinstance(answer, Line) else ""
                if found != (target if role in who else ""):
                    wrong.append((state.value, step.value, role.value, found))
                if isinstance(answer, Refused) and answer.impossible != (not who):
                    wrong.append((state.value, step.value, role.value, answer.text))
    assert wrong == []


@pytest.mark.parametrize(
    ("step", "state", "role", "who", "right"),
    [
        (LetterStep.INITIAL, LetterState.DRAFT, Role.SUPERVISOR, "drafter", False),
        (LetterStep.INITIAL, LetterState.DRAFT, Role.SUPERVISOR, "other", True),
        (LetterStep.APPROVE, LetterState.INITIALLED, Role.PENANDATANGAN, "drafter", False),
        (LetterStep.APPROVE, LetterState.INITIALLED, Role.PENANDATANGAN, "initialler", False),
        (LetterStep.APPROVE, LetterState.INITIALLED, Role.PENANDATANGAN, "other", True),
        (LetterStep.ISSUE, LetterState.APPROVED, Role.BO, "drafter", True),
    ],
)
def test_four_eyes(step: LetterStep, state: LetterState, role: Role, who: str, right: bool) -> None:
    answer = may(step, state, frozenset({role}), NOBODY, who)
    assert isinstance(answer, Line) is right
    assert (step in {line.step for line in allowed(state, frozenset({role}), NOBODY, who)}) is right


@pytest.mark.parametrize(
    ("stored", "until", "state"),
    [
        (LetterState.ISSUED, date(2026, 11, 20), LetterState.ISSUED),
        (LetterState.ISSUED, date(2026, 11, 19), LetterState.EXPIRED),
        (LetterState.ISSUED, None, LetterState.ISSUED),
        (LetterState.CANCELLED, date(2026, 11, 19), LetterState.CANCELLED),
    ],
)
def test_the_last_day(stored: LetterState, until: date | None, state: LetterState) -> None:
    assert state_on(stored, until, date(2026, 11, 20)) == state


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        ("400.9/{n}/409.XX/{tahun}", "400.9/7/409.XX/2026"),
        ("{kode}/{n:3}/DINSOS/{bulan}/{tahun}", "460/007/DINSOS/XI/2026"),
        ("{n:6}-{tahun}", "000007-2026"),
    ],
)
def test_numbers(pattern: str, number: str) -> None:
    assert numbering.problem_of(pattern) is None
    assert numbering.written(pattern, 7, "460", date(2026, 11, 21)) == number


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("", "Tulis pola"),
        ("x" * 61, "Tulis pola"),
        ("{kode}/{tahun}", "tepat satu kali"),
        ("{n}/{n:2}/{tahun}", "tepat satu kali"),
        ("{n}/{bulan}", "{tahun}"),
        ("{n}/{hari}/{tahun}", "“hari”"),
        ("{n:9}/{tahun}", "“n:9”"),
        ("{n}/{tahun", "kurung"),
    ],
)
def test_patterns_that_are_refused(pattern: str, why: str) -> None:
    assert why in (numbering.problem_of(pattern) or "")
