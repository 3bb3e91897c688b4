"""What a merge touches: the fields to choose between, and every table that points at a person or a family.

A new column of `person` belongs into CHOICES (or OWN), a new foreign key to `person` or `family` into MOVED (or STAYS), each in
one line; a test fails until it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from appliance.database import Model
from appliance.models.person import NikStatus, Person


@dataclass(frozen=True)
class Choice:
    """One question of the merge page: the columns that go together, and what they are called."""

    name: str
    label: str
    columns: tuple[str, ...]

    def differs(self, one: Person, other: Person) -> bool:
        """Whether there is anything to choose."""
        return any(getattr(one, column) != getattr(other, column) for column in self.columns)

    def filled(self, person: Person) -> bool:
        """Whether the record says anything here; the first column decides."""
        return getattr(person, self.columns[0]) not in (None, "")


# The state of a merged person, and of a family that nobody is left in after a merge.
GONE = "ganda"
CHOICES = (
    Choice("nik", "NIK", ("nik", "nik_status", "nik_reason")),
    Choice("name", "Nama lengkap", ("name", "name_search")),
    Choice("nickname", "Nama panggilan", ("nickname",)),
    Choice("sex", "Jenis kelamin", ("sex",)),
    Choice("birth_place", "Tempat lahir", ("birth_place",)),
    Choice("birth_date", "Tanggal lahir", ("birth_date", "birth_date_estimated")),
    Choice("home", "Keluarga dan tempat tinggal", ("family_id", "relation", "village_code")),
    Choice("domicile", "Alamat domisili", ("domicile",)),
    Choice("mother_name", "Nama ibu kandung", ("mother_name",)),
    Choice("father_name", "Nama ayah", ("father_name",)),
    Choice("religion", "Agama", ("religion",)),
    Choice("education", "Pendidikan", ("education",)),
    Choice("occupation", "Pekerjaan", ("occupation",)),
    Choice("marital_status", "Status perkawinan", ("marital_status",)),
    Choice("nationality", "Kewarganegaraan", ("nationality",)),
    Choice("phone", "Telepon", ("phone",)),
    Choice("insurance", "Jaminan kesehatan", ("insurance", "insurance_number")),
    Choice("photo", "Foto", ("photo_id",)),
    Choice("status", "Status warga", ("status", "status_since")),
)
CHOICE_NAMES = frozenset(choice.name for choice in CHOICES)
# A record keeps these, whatever becomes of it.
OWN = frozenset(
    {"id", "request_id", "merged_into_id", "created_at", "created_by", "updated_at", "updated_by", "row_version"}
)  # fmt: skip
# "table.column" of what moves to the survivor: rows of the merged person, and those of her family when nobody else is left in it.
MOVED = (
    "case.applicant_id",
    "letter.person_id",
    "old_identifier.person_id",
    "former_card.family_id",
    "person_file.person_id",
    "person_file.family_id",
    "person_phone.person_id",
    "participation.person_id",
    "participation.family_id",
    "need.person_id",
    "need.family_id",
    "list_status.person_id",
    "list_status.family_id",
    "profile.person_id",
    "profile.family_id",
    "proposal.person_id",
    "proposal.family_id",
)
# What points at a person or a family and does not move, and why.
STAYS: Mapping[str, str] = {
    "person.family_id": "chosen as a field",
    "person.merged_into_id": "who was merged into the merged one is found through her",
    "person_word.person_id": "the words of each record's own name; those of a merged record lead the search to the survivor",
    "person_health.person_id": "one row a person: the survivor's is completed, see `merging`",
    "life_event.person_id": "append-only; the history shows the events of the merged records too",
    "life_event.family_id": "append-only",
    "duplicate_candidate.first_id": "the pairs of a merged record lapse, and are found anew for the survivor",
    "duplicate_candidate.second_id": "as for the first",
    "person_merge.survivor_id": "what happened",
    "person_merge.merged_id": "what happened",
}
_TRUST = {NikStatus.VALID: 3, NikStatus.DOUBTFUL: 2, NikStatus.TEMPORARY: 1}


def links_to(table: str) -> list[sa.Column[Any]]:
    """The columns of MOVED that point at `table`."""
    columns = [Model.metadata.tables[name.partition(".")[0]].c[name.partition(".")[2]] for name in MOVED]
    return [column for column in columns if any(key.column.table.name == table for key in column.foreign_keys)]


def better(one: Person, other: Person) -> Person:
    """The record that should survive: the one whose NIK is surer, that says more, that was there first."""

    def worth(person: Person) -> tuple[int, int]:
        return _TRUST.get(NikStatus(person.nik_status), 0), sum(choice.filled(person) for choice in CHOICES)

    if worth(one) == worth(other):
        return one if one.id < other.id else other
    return one if worth(one) > worth(other) else other


def proposed(survivor: Person, merged: Person) -> frozenset[str]:
    """The choices that should come from the merged record: where it knows, or knows better."""
    return frozenset(choice.name for choice in CHOICES if _is_better(choice, merged, survivor))


def _is_better(choice: Choice, merged: Person, survivor: Person) -> bool:
    if not choice.filled(merged):
        return False
    if not choice.filled(survivor):
        return True
    if choice.name == "nik":
        return _TRUST.get(NikStatus(merged.nik_status), 0) > _TRUST.get(NikStatus(survivor.nik_status), 0)
    return choice.name == "birth_date" and survivor.birth_date_estimated and not merged.birth_date_estimated


def as_stored(value: Any) -> Any:
    """A column's value in the merge's own record; see `as_column`."""
    return value.isoformat() if isinstance(value, date) else value


def as_column(column: str, value: Any) -> Any:
    """The value again, as the column of `person` takes it."""
    is_date = isinstance(Person.__table__.c[column].type, sa.Date)
    return date.fromisoformat(value) if is_date and value else value
