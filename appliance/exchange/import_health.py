"""Disability and pregnancy as a village's sheet tells of them: kept apart from the person, for those with the right to it.

`judge` reads and tells, `store` writes what was judged. The report says that something was noted, never what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from appliance.access import HEALTH_ROLES, Actor
from appliance.database import db
from appliance.exchange.checking import Finding, Line
from appliance.models.imports import Existing, Verdict
from appliance.models.person import PersonHealth, Sex
from appliance.registry.bulk import Decision, Stored
from appliance.registry.corrections import differences, note_changes

KEYS = ("disability", "pregnant")
NONE, PREGNANT = "7", "1"
NO_RIGHT = "Data kesehatan (disabilitas, hamil) tidak disimpan: peran Anda tidak berhak mencatatnya di desa ini."
NOTED = "Data kesehatan dicatat."
DIFFERS = "Data kesehatan berbeda dengan yang terdaftar dan tidak diubah."
NOT_PREGNANT = "Laki-laki tercatat hamil; isian itu tidak disimpan."
UNDONE = "Impornya dibatalkan"
ADVICE = {
    NO_RIGHT: "Minta BO atau supervisor mengimpornya.",
    DIFFERS: "Pilih “perbarui” bila isi berkas yang benar, atau ubah di halaman kesehatan warganya.",
}


@dataclass(frozen=True)
class State:
    """What is known of somebody's health, as far as a sheet can tell."""

    disabilities: tuple[str, ...] = ()
    pregnant: bool = False


class HealthNotes:
    """What one file says of people's health. `how` is what happens to those who are registered."""

    def __init__(self, mapping: Mapping[str, int], how: Existing, by: Actor) -> None:
        self._told, self._how, self._by = any(key in mapping for key in KEYS), how, by
        self._after: dict[int, State] = {}
        # Rows that change nothing but health: the registry has nothing to store of them.
        self.alone: set[int] = set()

    def judge(self, decisions: Sequence[Decision], lines: Mapping[int, Line]) -> None:
        """Say of each row what it does to the health that is registered, before the registry is written."""
        self._after, self.alone = {}, set()
        wanted = [one for one in decisions if self._told and one.verdict is not Verdict.WRONG and _tells(one)]
        rows = _rows([one.person["id"] for one in wanted if one.person])
        for decision in wanted:
            line = lines[decision.candidate.number]
            known = rows.get(decision.person["id"]) if decision.person else None
            values = decision.candidate.values
            if values.get("pregnant") == PREGNANT and values.get("sex") == Sex.MALE:
                line.findings.append(Finding(f"baris {line.number}", "", NOT_PREGNANT, "Perbaiki di berkasnya."))
                values = {key: value for key, value in values.items() if key != "pregnant"}
            said = self._judge(decision, known, values)
            if said:
                line.findings.append(Finding(f"baris {line.number}", "", said, ADVICE.get(said, "")))

    def _judge(self, decision: Decision, known: PersonHealth | None, values: Mapping[str, Any]) -> str:
        village = decision.person["village_code"] if decision.person else decision.candidate.village_code
        if not self._by.has_in(village, *HEALTH_ROLES):
            return NO_RIGHT
        before, number = _state(known), decision.candidate.number
        after = _told(before, values)
        if decision.verdict is Verdict.SKIPPED or after == before:
            return ""
        if known is not None and self._how is Existing.FILL:
            return DIFFERS
        self._after[number] = after
        if decision.verdict is Verdict.SAME:
            decision.verdict = Verdict.CHANGED
            self.alone.add(number)
        return NOTED

    def store(self, decisions: Sequence[Decision], stored: dict[int, Stored], *, at: datetime) -> None:
        """Write what was judged, inside the running transaction, and add to `stored` how to take it back."""
        wanted = [one for one in decisions if one.candidate.number in self._after]
        rows = _rows([one.person["id"] for one in wanted if one.person])
        for decision in wanted:
            number, person = decision.candidate.number, decision.person
            if number in self.alone and person:
                stored[number] = Stored(number, person["id"], person["row_version"], undo={})
            person_id = stored[number].person_id
            before = _state(rows.get(person_id))
            row = _write(rows.get(person_id), person_id, self._after[number], self._by, at)
            if person:
                changes = differences(asdict(before), asdict(self._after[number]))
                note_changes(changes, "Impor data kesehatan", person_id=person_id, by=self._by, at=at)
            undo = {"before": [list(before.disabilities), before.pregnant], "version": row.row_version}
            stored[number] = replace(stored[number], undo=(stored[number].undo or {}) | {"health": undo})


def health_since(undos: Mapping[str, Mapping[str, Any]], people: Sequence[str]) -> set[str]:
    """Of these people those whose health was noted by somebody else than the import. `undos` is by person."""
    noted = {one.person_id: one.row_version for one in _rows(people).values()}
    return {person for person, version in noted.items() if _version(undos.get(person)) != version}


def restore_health(undo: Mapping[str, Any] | None, person_id: str, actor: Actor, at: datetime) -> bool:
    """Bring back what was known before the import, unless somebody changed it since; whether nothing stays of the import."""
    if not undo or "health" not in undo:
        return True
    row = _rows([person_id]).get(person_id)
    if row is None or row.row_version != _version(undo):
        return False
    disabilities, pregnant = undo["health"]["before"]
    before = _state(row)
    _write(row, person_id, State(tuple(disabilities), pregnant), actor, at)
    note_changes(differences(asdict(before), asdict(_state(row))), UNDONE, person_id=person_id, by=actor, at=at)
    return True


def forget_health(people: Sequence[str]) -> None:
    """Remove what is noted of people who are withdrawn."""
    mine = sa.delete(PersonHealth).where(PersonHealth.person_id.in_(people))
    db.session.execute(mine.execution_options(synchronize_session=False))


def _version(undo: Mapping[str, Any] | None) -> int:
    return int(((undo or {}).get("health") or {}).get("version", 0))


def _tells(decision: Decision) -> bool:
    return any(key in decision.candidate.values for key in KEYS)


def _rows(people: Sequence[str]) -> dict[str, PersonHealth]:
    if not people:
        return {}
    return {one.person_id: one for one in db.session.scalars(sa.select(PersonHealth).where(PersonHealth.person_id.in_(people)))}


def _state(row: PersonHealth | None) -> State:
    return State(tuple(row.disabilities), row.pregnant) if row else State()


def _told(before: State, values: Mapping[str, Any]) -> State:
    """What is known once the sheet is believed. It knows of one disability; a registered one among several stays with the others."""
    code = values.get("disability")
    disabilities = before.disabilities
    if code == NONE:
        disabilities = ()
    elif code and code not in disabilities:
        disabilities = (code,)
    pregnant = before.pregnant if "pregnant" not in values else values["pregnant"] == PREGNANT
    return State(disabilities, pregnant)


def _write(row: PersonHealth | None, person_id: str, state: State, by: Actor, at: datetime) -> PersonHealth:
    row = row or PersonHealth(person_id=person_id, chronic_illnesses=[])
    row.disabilities, row.pregnant = list(state.disabilities), state.pregnant
    row.stamp(by.account_id, at)
    db.session.add(row)
    db.session.flush()
    return row
