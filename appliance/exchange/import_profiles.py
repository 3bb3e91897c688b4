"""The answers in a survey's sheet become profiles: one of each person, and one of each family by the first of its rows that tells.

`judge` reads and tells, `store` writes what was judged. A profile that is there already with the same answers of the same day is not
written again. An undo withdraws them (`withdrawing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from appliance.access import HEALTH_ROLES, Actor
from appliance.database import db, one_of, table_of
from appliance.exchange.checking import Finding, Line
from appliance.exchange.formats import Layout
from appliance.exchange.listing import SEEN
from appliance.exchange.survey_reading import Filled, SurveyReader
from appliance.exchange.withdrawing import FAMILY_BLANK, PERSON_BLANK, request_of
from appliance.models.columns import new_id
from appliance.models.person import NAME_LENGTH
from appliance.models.profile import Profile
from appliance.models.programme import CODE_WORD
from appliance.registry.bulk import Candidate, Decision, Stored

FAMILY = "keluarga"
NO_FAMILY = "Keluarganya tidak diketahui; jawaban tentang rumah tangga tidak disimpan."
Holder = tuple[str | None, str | None]


class Profiles:
    """The profiles that one file brings. `options` hold the day of the survey ("checked_on")."""

    def __init__(self, import_id: str, layout: Layout, mapping: Mapping[str, int], options: Mapping[str, str], by: Actor) -> None:
        self._import_id, self._layout, self._options, self._by = import_id, layout, options, by
        self._reader = SurveyReader(layout, mapping)
        # The row in which a family was told of first, with its answers, by her card and by her identifier.
        self._homes: dict[str, tuple[int, int]] = {}
        self._filled: dict[int, list[Filled]] = {}

    @property
    def wanted(self) -> bool:
        """Whether the file answers any question."""
        return self._reader.asked > 0

    def pass_over(self, line: Line) -> None:
        """Remember what a row told of its family that an earlier run has stored."""
        card = line.values.get("kk")
        if card is None or line.wrong or not self.wanted:
            return
        for filled in self._reader.read(line.number, line.cells, health=True):
            if filled.blank.about == FAMILY and filled.answers:
                self._homes.setdefault(card, (line.number, _mark(filled)))

    def judge(self, decisions: Sequence[Decision], lines: Mapping[int, Line]) -> None:
        """Read the answers of these rows; what cannot be kept is added to what is said of the row."""
        self._filled = {}
        for decision in decisions:
            if not self.wanted or decision.verdict not in SEEN or (decision.person or {}).get("merged_into_id"):
                continue
            line = lines[decision.candidate.number]
            village = decision.person["village_code"] if decision.person else decision.candidate.village_code
            kept = []
            for filled in self._reader.read(line.number, line.cells, health=self._by.has_in(village, *HEALTH_ROLES)):
                line.findings += filled.findings
                if filled.answers and (filled.blank.about != FAMILY or self._is_first(filled, decision, line)):
                    kept.append(filled)
            self._filled[line.number] = kept

    def _is_first(self, filled: Filled, decision: Decision, line: Line) -> bool:
        """Whether nobody of the family told of it in a row before; who told something else is told."""
        homes = _homes_of(decision)
        if not homes:
            advice = "Isi nomor KK di berkasnya, atau catat keluarganya dahulu."
            line.findings.append(Finding(f"baris {line.number}", "", NO_FAMILY, advice))
            return False
        earlier = next((self._homes[home] for home in homes if home in self._homes), None)
        mine = earlier or (line.number, _mark(filled))
        self._homes |= dict.fromkeys(homes, mine)
        if earlier and earlier[1] != _mark(filled):
            said = f"Jawaban tentang rumah tangga berbeda dengan baris {earlier[0]} dari keluarga yang sama; tidak disimpan."
            line.findings.append(Finding(f"baris {line.number}", "", said, "Baris pertama yang dipakai; samakan di berkasnya."))
        return earlier is None

    def store(self, decisions: Sequence[Decision], stored: Mapping[int, Stored], *, at: datetime) -> int:
        """Write the profiles of the rows that were judged, inside the running transaction; how many."""
        wanted = [
            (decision.candidate, filled, holder)
            for decision in decisions
            for filled in self._filled.get(decision.candidate.number, ())
            if any(holder := _holder(filled, decision, stored.get(decision.candidate.number)))
        ]
        if not wanted:
            return 0
        known = self._known([holder for _, _, holder in wanted])
        rows = [
            self._row(candidate, filled, holder, at)
            for candidate, filled, holder in wanted
            if not any(self._is_same(one, filled) for one in known.get(holder, ()))
        ]
        if rows:
            db.session.execute(sa.insert(table_of(Profile)), rows)
        return len(rows)

    def _known(self, holders: Sequence[Holder]) -> dict[Holder, list[Any]]:
        """The profiles of that day which these people and families have already."""
        people, families = [one for one, _ in holders if one], [one for _, one in holders if one]
        columns = (Profile.person_id, Profile.family_id, Profile.request_id, Profile.instrument, Profile.answers)
        counting = (Profile.withdrawn_at.is_(None), Profile.surveyed_on == self._day())
        theirs = sa.or_(one_of(Profile.person_id, people), one_of(Profile.family_id, families))
        found: dict[Holder, list[Any]] = {}
        for row in db.session.execute(sa.select(*columns).where(theirs, *counting)):
            found.setdefault((row.person_id, row.family_id), []).append(row)
        return found

    def _is_same(self, known: Any, filled: Filled) -> bool:
        """A second profile of a family by this file is none, whatever it says: the first of its rows counts."""
        mine = str(known.request_id or "").startswith(f"{self._import_id}:")
        return known.instrument == filled.blank.code and (mine or known.answers == filled.answers)

    def _day(self) -> date:
        return date.fromisoformat(self._options["checked_on"])

    def _row(self, told: Candidate | Line, filled: Filled, holder: Holder, at: datetime) -> dict[str, Any]:
        kind = FAMILY_BLANK if filled.blank.about == FAMILY else PERSON_BLANK
        return {
            "id": new_id(),
            "request_id": request_of(self._import_id, told.number, kind),
            "person_id": holder[0],
            "family_id": holder[1],
            "instrument": filled.blank.code,
            "version": filled.blank.version,
            "surveyed_on": self._day(),
            "surveyed_by": f"{self._layout.name}, diimpor {self._by.name}"[:NAME_LENGTH],
            "opinion": "",
            "outside_id": str(told.values.get("outside_id", ""))[:CODE_WORD],
            "answers": filled.answers,
            "note": "",
            "stored_at": at,
            "stored_by": self._by.account_id,
            "withdrawn_at": None,
            "withdrawn_reason": "",
        }


def _mark(filled: Filled) -> int:
    """A number instead of the answers: there are a hundred thousand rows."""
    return hash(tuple(sorted((code, str(answer)) for code, answer in filled.answers.items())))


def _homes_of(decision: Decision) -> list[str]:
    """What the family of a row goes by: her card, and her identifier once she is registered. None for somebody without a family."""
    family = decision.family
    if family and (decision.joins or family["id"]):
        return [one for one in (family["id"], family["kk"]) if one]
    person = decision.person
    return [person["family_id"]] if person and person["family_id"] else []


def _holder(filled: Filled, decision: Decision, stored: Stored | None) -> Holder:
    """Whose profile it is: a person's or a family's; neither for a row of which nobody was stored."""
    person = decision.person or {}
    if filled.blank.about != FAMILY:
        return (stored.person_id if stored else person.get("id")), None
    return None, (stored.family_id if stored else person.get("family_id"))
