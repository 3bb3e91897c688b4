"""The life of an incident and its clock: every state, step and role from one table written by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from appliance.incidents.rules import (
    LATE_REASON,
    TABLE,
    TIME_TO_TELL,
    UNTOLD,
    IncidentState,
    IncidentStep,
    allowed,
    clock,
    field_problems,
    may,
)
from appliance.models.roles import Role

# state, step, who, and the state after it; what is not here nobody may.
EXPECTED = """
DIBUKA         ubah         manajer admin   DIBUKA
DIBUKA         tangani      manajer admin   DITANGANI
DIBUKA         beritahukan  manajer         DIBERITAHUKAN
DIBUKA         tutup_tanpa  manajer         DITUTUP
DITANGANI      ubah         manajer admin   DITANGANI
DITANGANI      beritahukan  manajer         DIBERITAHUKAN
DITANGANI      tutup_tanpa  manajer         DITUTUP
DIBERITAHUKAN  tutup        manajer         DITUTUP
DITUTUP        buka_lagi    manajer         DITANGANI
"""
NOTICED = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TELL = next(line for line in TABLE if line.step is IncidentStep.TELL)


def expected() -> dict[tuple[str, str, str], str]:
    """The state after it, by state, step and role."""
    rows = [line.split() for line in EXPECTED.strip().splitlines()]
    return {(row[0], row[1], who): row[-1] for row in rows for who in row[2:-1]}


def test_nobody_gets_further_than_the_table_says() -> None:
    found = {
        (state.value, step.value, role.value): line.leads_to(state).value
        for state in IncidentState
        for step in IncidentStep
        for role in Role
        if (line := may(step, state, frozenset({role})))
    }
    assert found == expected()


def test_what_is_offered_is_what_may_be_taken() -> None:
    for state in IncidentState:
        offered = {line.step.value for line in allowed(state, frozenset({Role.MANAJER}))}
        assert offered == {step for before, step, who in expected() if before == state and who == "manajer"}
    assert allowed(IncidentState.OPEN, frozenset({Role.BO})) == ()


@pytest.mark.parametrize("state", list(IncidentState))
@pytest.mark.parametrize("past", [timedelta(), TIME_TO_TELL, TIME_TO_TELL + timedelta(seconds=1)])
def test_the_clock_runs_from_the_notice_until_somebody_was_told(state: IncidentState, past: timedelta) -> None:
    found = clock(NOTICED, state, NOTICED + past)
    assert found.deadline == datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert found.running is (state in UNTOLD)
    assert found.late is (state in UNTOLD and past > timedelta(days=3))


@pytest.mark.parametrize(
    ("subjects", "authority", "more", "wrong"),
    [
        (date(2026, 11, 20), date(2026, 11, 23), {}, set()),
        (None, date(2026, 11, 23), {}, {"subjects_on"}),
        (date(2026, 11, 19), date(2026, 11, 23), {}, {"subjects_on"}),
        (date(2026, 11, 20), date(2026, 11, 26), {}, {"authority_on", LATE_REASON}),
        (date(2026, 11, 20), date(2026, 11, 24), {}, {LATE_REASON}),
        (date(2026, 11, 24), date(2026, 11, 21), {LATE_REASON: "Kantor pos tutup."}, set()),
        (date(2026, 11, 21), date(2026, 11, 21), {"note": "", "authority": ""}, {"note", "authority"}),
    ],
)
def test_telling_is_noted_with_its_days(subjects: date | None, authority: date, more: dict[str, str], wrong: set[str]) -> None:
    typed: dict[str, str | date] = {"authority": "Komdigi, 400.9/1", "note": "Surat", "authority_on": authority, **more}
    if subjects:
        typed["subjects_on"] = subjects
    days = {"noticed": date(2026, 11, 20), "deadline": date(2026, 11, 23), "today": date(2026, 11, 25)}
    assert set(field_problems(TELL.fields, typed, **days)) == wrong
