"""The sheet of a survey with a row for each family: her card tells whom it means, and the answers become a profile of her.

A row without a card means the family that has the survey's number (IDBDT): by a look into a national list, or by a sheet of its
members that was imported before.

Nobody is made or changed here. `judge_rows` reads and tells, `store_rows` writes what was judged. An undo withdraws the profiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from appliance.access import HEALTH_ROLES, IMPORT_ROLES, Actor
from appliance.database import db, one_of, table_of
from appliance.exchange.checking import Finding, Line
from appliance.exchange.formats import Layout
from appliance.exchange.import_profiles import Profiles
from appliance.exchange.survey_reading import Filled
from appliance.models.duplicate import OldIdentifier
from appliance.models.imports import Verdict
from appliance.models.person import Family, FormerCard, Person
from appliance.models.profile import ListStatus, Profile
from appliance.registry import nik
from appliance.registry.merge_rules import GONE

# What is said of a row, and what to do.
UNKNOWN = (
    "Keluarga ini belum terdaftar di wilayah tugas Anda; jawabannya tidak disimpan.",
    "Impor data penduduknya dahulu, atau daftarkan keluarganya, lalu unggah lagi berkas ini.",
)
SEVERAL = (
    "Nomor KK lama ini pernah dipakai lebih dari satu keluarga; jawabannya tidak disimpan.",
    "Isi nomor KK yang sekarang di berkasnya, lalu unggah lagi.",
)
UNKNOWN_NUMBER = (
    "Nomor survei (IDBDT) ini belum tercatat pada keluarga mana pun di wilayah tugas Anda; jawabannya tidak disimpan.",
    "Impor dahulu berkas anggota dari survei yang sama, yang memuat NIK, atau isi nomor KK di berkasnya; lalu unggah lagi.",
)
SEVERAL_NUMBER = (
    "Nomor survei (IDBDT) ini tercatat pada lebih dari satu keluarga; jawabannya tidak disimpan.",
    "Isi nomor KK di berkasnya, lalu unggah lagi.",
)
UNANSWERED = ("Tidak ada jawaban yang dapat disimpan di baris ini.", "Periksa apakah kolom jawabannya terpasang dengan benar.")
CARDS_AT_ONCE = 500
Home = tuple[str, str]
# By which a row names its family: "kk" or "outside_id", and the number.
Key = tuple[str, str]


@dataclass
class Judged:
    """What becomes of one row. `filled` is what is written about the family; None when nothing is."""

    line: Line
    verdict: Verdict
    name: str
    family_id: str = ""
    filled: Filled | None = None

    def note(self, reason: str, advice: str = "") -> None:
        """Say something of the row as a whole."""
        self.line.findings.append(Finding(f"baris {self.line.number}", "", reason, advice))


class Households(Profiles):
    """The profiles of families that one file brings, a row each."""

    def __init__(self, import_id: str, layout: Layout, mapping: Mapping[str, int], options: Mapping[str, str], by: Actor) -> None:
        super().__init__(import_id, layout, mapping, options, by)
        # The row in which a family was told of first, by her identifier; of what an earlier run has done, by what the row names.
        self._first: dict[str, int] = {}
        self._passed: dict[Key, int] = {}

    def pass_over(self, line: Line) -> None:
        """Remember of which family a row told that an earlier run has done."""
        if line.wrong:
            return
        if any(filled.answers for filled in self._reader.read(line.number, line.cells, health=True)):
            self._passed.setdefault(_key(line), line.number)

    def judge_rows(self, lines: Sequence[Line]) -> list[Judged]:
        """What each of these rows brings; reads only. What is odd is added to what is said of the row."""
        self._remember_passed()
        homes = _homes({_key(line) for line in lines if not line.wrong}, self._by)
        judged = [self._judge_row(line, homes) for line in lines]
        known = self._known([(None, one.family_id) for one in judged if one.filled])
        for one in judged:
            if one.filled and any(self._is_same(row, one.filled) for row in known.get((None, one.family_id), ())):
                one.verdict, one.filled = Verdict.SAME, None
        return judged

    def _remember_passed(self) -> None:
        passed, self._passed = list(self._passed.items()), {}
        for start in range(0, len(passed), CARDS_AT_ONCE):
            part = passed[start : start + CARDS_AT_ONCE]
            homes = _homes({key for key, _ in part}, self._by)
            for key, number in part:
                found = homes.get(key, set())
                if len(found) == 1:
                    self._first.setdefault(next(iter(found))[0], number)

    def _judge_row(self, line: Line, homes: Mapping[Key, set[Home]]) -> Judged:
        judged = Judged(line, Verdict.WRONG, _named(line))
        if line.wrong:
            return judged
        found = homes.get(_key(line), set())
        if len(found) != 1:
            judged.note(*_UNFOUND[_key(line)[0]][bool(found)])
            return judged
        family_id, village = next(iter(found))
        judged.verdict, judged.family_id = Verdict.SKIPPED, family_id
        read = self._reader.read(line.number, line.cells, health=self._by.has_in(village, *HEALTH_ROLES))
        line.findings += [finding for filled in read for finding in filled.findings]
        answered = next((filled for filled in read if filled.answers), None)
        if answered is None:
            judged.note(*UNANSWERED)
        elif (first := self._first.setdefault(family_id, line.number)) != line.number:
            judged.note(f"Keluarga yang sama sudah ada di baris {first}.", "Baris pertama yang dipakai; hapus salah satunya.")
        else:
            judged.verdict, judged.filled = Verdict.CHANGED, answered
        return judged

    def store_rows(self, judged: Sequence[Judged], *, at: datetime) -> int:
        """Write the profiles that were judged, inside the running transaction; how many."""
        rows = [self._row(one.line, one.filled, (None, one.family_id), at) for one in judged if one.filled]
        if rows:
            db.session.execute(sa.insert(table_of(Profile)), rows)
        return len(rows)


# By what a row names its family: what is said when none has it, and when several have.
_UNFOUND = {"kk": (UNKNOWN, SEVERAL), "outside_id": (UNKNOWN_NUMBER, SEVERAL_NUMBER)}


def _key(line: Line) -> Key:
    """The card, else the survey's number."""
    values = line.values
    return ("kk", values["kk"]) if "kk" in values else ("outside_id", str(values["outside_id"]))


def _named(line: Line) -> str:
    """For the report; a number of people is masked."""
    if card := line.values.get("kk"):
        return f"KK {nik.mask(card)}"
    return f"IDBDT {number}"[:60] if (number := line.values.get("outside_id")) else ""


def _homes(keys: set[Key], by: Actor) -> dict[Key, set[Home]]:
    """The families that these mean, with their villages, where `by` may import."""
    by_card = _by_card({number for kind, number in keys if kind == "kk"})
    by_number = _by_number({number for kind, number in keys if kind != "kk"})
    found = {("kk", one): homes for one, homes in by_card.items()} | {
        ("outside_id", one): homes for one, homes in by_number.items()
    }
    covered = {village: by.has_in(village, *IMPORT_ROLES) for homes in found.values() for _, village in homes}
    return {key: {home for home in homes if covered[home[1]]} for key, homes in found.items()}


def _by_number(numbers: set[str]) -> dict[str, set[Home]]:
    """Whom a look into a national list or a profile shows by this number: the family itself, or that of a member."""
    if not numbers:
        return {}
    statements = []
    for table in (ListStatus, Profile):
        told = sa.select(table.outside_id, Family.id, Family.village_code).where(
            one_of(table.outside_id, sorted(numbers)), table.outside_id != "", table.withdrawn_at.is_(None), Family.status != GONE
        )
        statements.append(told.join(Family, Family.id == table.family_id))
        statements.append(told.join(Person, Person.id == table.person_id).join(Family, Family.id == Person.family_id))
    return _read(*statements)


def _by_card(cards: set[str]) -> dict[str, set[Home]]:
    """Who holds the card now, else who held it before.

    Everybody's are read first: a card that a family elsewhere holds now does not mean one here that held it once.
    """
    columns = (Family.id, Family.village_code)
    # A family that a merge ended may still bear its card.
    found = _read(sa.select(Family.kk, *columns).where(one_of(Family.kk, sorted(cards)), Family.status != GONE))
    before = sorted(cards - found.keys())
    former = sa.select(FormerCard.kk, *columns).join(Family, Family.id == FormerCard.family_id)
    merged = sa.select(OldIdentifier.number, *columns).join(Person, Person.id == OldIdentifier.person_id)
    merged = merged.join(Family, Family.id == Person.family_id).where(OldIdentifier.kind == "kk")
    if before:
        found |= _read(former.where(one_of(FormerCard.kk, before)), merged.where(one_of(OldIdentifier.number, before)))
    return found


def _read(*statements: sa.Select[Any, str, str]) -> dict[str, set[Home]]:
    found: dict[str, set[Home]] = {}
    for statement in statements:
        for card, family_id, village in db.session.execute(statement):
            found.setdefault(card, set()).add((family_id, village))
    return found
