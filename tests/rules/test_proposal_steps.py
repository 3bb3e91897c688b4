"""The table of a proposal's life: nobody gets further than it says, nothing unsigned goes on, and every state has a way on or is an end."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from appliance.models.proposal_words import BEFORE_ENTRY, PROPOSAL_ENDS, BasisKind, ProposalKind, ProposalState
from appliance.models.roles import Role
from appliance.proposals.kinds import KINDS, fits
from appliance.proposals.state_chart import chart
from appliance.proposals.steps import (
    CONDITIONS,
    TABLE,
    Facts,
    Line,
    ProposalStep,
    Refusal,
    allowed,
    blocked,
    follows,
    held_because,
    may,
)

S, T, R, K = ProposalState, ProposalStep, Role, ProposalKind
WRITING = "fasilitator fo fo_puskesos bo_puskesos koordinator_puskesos bo"
OPEN_BEFORE = "DRAF DIAJUKAN DIBAHAS DISEPAKATI BERTANDA_TANGAN DIPERIKSA SIAP_ENTRI PERLU_PERBAIKAN"
# From which states | step | to ("=" stays) | who ("paper": what happens to the meeting or statement) | what must hold.
EXPECTED = f"""
DRAF                              | tulis           | DRAF             | paper
DRAF PERLU_PERBAIKAN              | ubah            | =                | {WRITING}
DRAF PERLU_PERBAIKAN              | ajukan          | DIAJUKAN         | {WRITING}       | fits unsigned
PERLU_PERBAIKAN                   | kirim_ulang     | BERTANDA_TANGAN  | {WRITING}       | fits signed
DIAJUKAN                          | masuk_agenda    | DIBAHAS          | paper
DIBAHAS DISEPAKATI TIDAK_DISEPAKATI | keluar_agenda | DIAJUKAN         | paper           | unsigned
DIBAHAS DISEPAKATI TIDAK_DISEPAKATI | sepakati      | DISEPAKATI       | paper           | unsigned
DIBAHAS DISEPAKATI TIDAK_DISEPAKATI | tidak_sepakati | TIDAK_DISEPAKATI | paper          | unsigned
DIBAHAS DISEPAKATI TIDAK_DISEPAKATI | tunda         | DIAJUKAN         | paper           | unsigned
DISEPAKATI                        | ditandatangani  | BERTANDA_TANGAN  | paper           | signed
DISEPAKATI BERTANDA_TANGAN        | periksa         | DIPERIKSA        | bo supervisor   | signed not-writer fits number
DIPERIKSA                         | tetapkan        | SIAP_ENTRI       | manajer         | signed not-writer not-checker fits
SIAP_ENTRI                        | entri           | DIENTRI          | bo              | signed fits number
DIENTRI                           | batalkan_entri  | SIAP_ENTRI       | bo
DIENTRI DITAHAN                   | cek_lapangan    | =                | bo
DIENTRI DITAHAN                   | diterima        | DITERIMA         | bo
DIENTRI DITAHAN                   | ditolak         | DITOLAK          | bo
DIENTRI                           | ditahan         | DITAHAN          | bo
DIAJUKAN BERTANDA_TANGAN DIPERIKSA SIAP_ENTRI | kembalikan | PERLU_PERBAIKAN | bo supervisor
DIPERIKSA SIAP_ENTRI              | kembalikan      | PERLU_PERBAIKAN  | manajer
{OPEN_BEFORE}                     | alihkan_periode | =                | bo manajer      | late
{OPEN_BEFORE}                     | tarik           | DITARIK          | {WRITING} supervisor
"""
NEEDS: dict[str, dict[str, Any]] = {
    "fits": {"status": "hidup"},
    "number": {"has_nik": True},
    "signed": {"signed": True},
    "unsigned": {"signed": False},
    "not-writer": {"by_writer": False},
    "not-checker": {"by_checker": False},
    "late": {"late": True},
}
WORST = Facts(K.NEW, status="mati", has_nik=False, signed=False, by_writer=True, by_checker=True, late=False)


def _expected() -> list[tuple[frozenset[str], str, str, frozenset[str], frozenset[str]]]:
    lines = []
    for text in EXPECTED.strip().splitlines():
        sources, step, target, by, *needs = (part.strip() for part in text.split("|"))
        wanted = frozenset(" ".join(needs).split())
        lines.append((frozenset(sources.split()), step, target, frozenset(by.split()), wanted))
    return lines


def _facts(needs: frozenset[str], besides: str = "") -> Facts:
    """Facts with which all of `needs` hold but the one left out, and nothing else."""
    known = {name: getattr(WORST, name) for name in WORST.__dataclass_fields__}
    known["signed"] = "unsigned" in needs  # the worse of the two for each
    for need in needs:
        known |= NEEDS[need]
    if besides:
        (name,) = NEEDS[besides]
        known[name] = not known[name] if isinstance(known[name], bool) else "mati"
    return Facts(**known)


def _answer(
    line: tuple[frozenset[str], str, str, frozenset[str], frozenset[str]], state: ProposalState, facts: Facts
) -> Line | Refusal:
    _, step, _, by, _ = line
    if by == {"paper"}:
        return follows(T(step), state, facts)
    return may(T(step), state, frozenset(map(Role, by)), facts)


def test_the_table_says_what_is_expected() -> None:
    found = {
        (
            frozenset(source.value for source in line.sources),
            line.step.value,
            line.target.value if line.target else "=",
            frozenset(role.value for role in line.by) or frozenset({"paper"}),
        )
        for line in TABLE
    }
    assert found == {line[:4] for line in _expected()}


def test_each_line_asks_for_its_conditions_and_for_nothing_else() -> None:
    for line in _expected():
        for state in map(ProposalState, line[0]):
            assert isinstance(_answer(line, state, _facts(line[4])), Line), line
            for need in line[4]:
                answer = _answer(line, state, _facts(line[4], besides=need))
                assert isinstance(answer, Refusal), (line, need)
                assert answer.text
                assert not answer.impossible


def test_nobody_takes_a_step_that_no_line_gives_her() -> None:
    best = {"status": "hidup", "late": True}
    given = {
        (state, T(step), Role(role))
        for sources, step, _, by, _ in _expected()
        if by != {"paper"}
        for state in sources
        for role in by
    }
    for state, step, role in itertools.product(S, T, R):
        answers = [may(step, state, frozenset({role}), Facts(K.NEW, signed=signed, **best)) for signed in (True, False)]
        assert any(isinstance(answer, Line) for answer in answers) is ((state.value, step, role) in given), (state, step, role)


@pytest.mark.parametrize(("basis", "word"), [(BasisKind.MEETING, "Berita acara"), (BasisKind.STATEMENT, "SPTJM")])
def test_what_is_not_signed_is_held_with_the_reason(basis: BasisKind, word: str) -> None:
    facts = Facts(K.NEW, basis=basis)
    assert held_because(S.AGREED, facts).startswith(f"{word} belum bertanda tangan")
    assert [sentence for _, sentence in blocked(S.AGREED, frozenset({R.BO}), facts)] == [held_because(S.AGREED, facts)]
    for state in (S.AGREED, S.SIGNED, S.CHECKED, S.READY):
        onward = {line.step for line in allowed(state, frozenset(Role), facts)} & {T.CHECK, T.RELEASE, T.ENTER}
        assert onward == set(), state


def test_who_is_dead_or_has_no_number_is_held() -> None:
    signed = {"basis": BasisKind.MEETING, "signed": True}
    assert "meninggal" in held_because(S.SIGNED, Facts(K.NEW, status="mati", **signed))
    assert "NIK" in held_because(S.SIGNED, Facts(K.NEW, has_nik=False, **signed))
    assert held_because(S.SIGNED, Facts(K.DIED, status="mati", has_nik=False, **signed)) == ""
    assert "belum tercatat meninggal" in held_because(S.SIGNED, Facts(K.DIED, status="hidup", **signed))


def test_each_kind_fits_somebody() -> None:
    assert set(KINDS) == set(ProposalKind)
    assert all(any(not fits(kind, status) for status in ("hidup", "mati", "pindah")) for kind in ProposalKind)


def test_every_state_is_reached_and_has_a_way_on_or_is_an_end() -> None:
    reached = {line.target for line in TABLE if line.target} | {S.DRAFT}
    assert reached == set(S)
    left = {source for line in TABLE for source in line.sources if line.target not in (None, source)}
    assert set(S) - left == PROPOSAL_ENDS - {S.NOT_AGREED}
    assert {line.step for line in TABLE if S.READY in line.sources} >= {T.ENTER, T.CARRY}
    assert BEFORE_ENTRY.isdisjoint({S.ENTERED, S.ON_HOLD} | PROPOSAL_ENDS)


def test_every_condition_is_used_and_known() -> None:
    assert {name for line in TABLE for name in line.conditions} == set(CONDITIONS)


def test_the_drawing_is_that_of_the_table() -> None:
    assert (Path(__file__).parents[2] / "docs" / "proposal-states.md").read_text() == chart()
