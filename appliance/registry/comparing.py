"""Two people side by side, field by field, for eyes that must decide. Numbers are masked but for the few digits that differ.

It reads nothing but the rows it is given (and names of villages); whoever calls has looked them up in scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from appliance.models.person import Person, Sex
from appliance.registry import areas, codes, nik, phones
from appliance.registry.merge_rules import CHOICES
from appliance.registry.people import NewPerson

# So many different digits are shown: a slip of the pen. The digits of two other numbers stay hidden.
MOST_DIGITS = 2
NOT_TYPED = frozenset({"status", "photo", "insurance"})
SEXES = {Sex.MALE.value: "Laki-laki", Sex.FEMALE.value: "Perempuan"}


@dataclass(frozen=True)
class Row:
    """One field of both; `differs` when both say something and not the same."""

    name: str
    label: str
    one: str
    other: str
    differs: bool

    @property
    def empty(self) -> bool:
        """Whether neither says anything."""
        return not self.one and not self.other


def side_by_side(one: Person, other: Person) -> tuple[Row, ...]:
    """All fields of two records."""
    return _rows(_of_person(one), _of_person(other))


def beside_new(new: NewPerson, known: Person) -> tuple[Row, ...]:
    """What was typed, beside a record; what nobody types is left out, and what neither says anything about."""
    return tuple(row for row in _rows(_of_new(new), _of_person(known)) if not row.empty and row.name not in NOT_TYPED)


def _rows(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[Row, ...]:
    rows = []
    for choice in CHOICES:
        left, right = one.get(choice.name, ""), other.get(choice.name, "")
        differs = bool(left and right) and left != right
        if choice.name == "nik":
            left, right = masked_apart(left, right)
        rows.append(Row(choice.name, choice.label, left, right, differs))
    return tuple(rows)


def masked_apart(one: str, other: str) -> tuple[str, str]:
    """Two numbers masked; where they differ in a digit or two, those digits are shown."""
    apart = [at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right]
    if len(one) != len(other) or len(apart) > MOST_DIGITS:
        return nik.mask(one), nik.mask(other)
    return _masked(one, apart), _masked(other, apart)


def _masked(number: str, but: list[int]) -> str:
    hidden = nik.mask(number)
    return "".join(number[at] if at in but else hidden[at] for at in range(len(number)))


def _of_person(person: Person) -> dict[str, str]:
    family = person.family
    return {
        "nik": person.nik or "",
        "name": person.name,
        "nickname": person.nickname,
        "sex": SEXES.get(person.sex, person.sex),
        "birth_place": person.birth_place,
        "birth_date": _day(person.birth_date, person.birth_date_estimated),
        "home": _home(person.relation, family.kk if family else "", family.address if family else "", person.village_code),
        "domicile": person.domicile,
        "mother_name": person.mother_name,
        "father_name": person.father_name,
        "phone": phones.shown(person.phone),
        "insurance": " ".join(filter(None, (codes.label("insurance", person.insurance), person.insurance_number))),
        "photo": "Ada foto" if person.photo_id else "",
        "status": person.status.replace("_", " "),
        **{name: codes.label(name, getattr(person, name)) for name in _LISTED},
    }


def _of_new(new: NewPerson) -> dict[str, str]:
    return {
        "nik": nik.clean(new.nik),
        "name": new.name,
        "nickname": new.nickname,
        "sex": SEXES.get(new.sex, new.sex),
        "birth_place": new.birth_place,
        "birth_date": _day(new.birth_date, new.birth_date_estimated),
        "home": _home(new.relation, nik.clean(new.kk), new.address, new.village_code),
        "domicile": new.domicile,
        "mother_name": new.mother_name,
        "father_name": new.father_name,
        "phone": new.phone,
        **{name: codes.label(name, getattr(new, name)) for name in _LISTED},
    }


_LISTED = ("religion", "education", "occupation", "marital_status", "nationality")


def _day(day: date | None, estimated: bool) -> str:
    if day is None:
        return ""
    return day.strftime("%d-%m-%Y") + (" (perkiraan)" if estimated else "")


def _home(relation: str, card: str | None, address: str, village_code: str) -> str:
    parts = (codes.label("relation", relation), f"KK {nik.mask(card)}" if card else "", address, areas.area_name(village_code))
    return ", ".join(part for part in parts if part)
