"""Many residents at once, under the same rules as one: who is known already, what would change, and storing it in few statements.

`judge` only reads and `write` only stores what was judged, so what a dry run promises is what an import does. Services call them
inside their own transaction, part by part. Nothing is overwritten silently: each change becomes a life event with before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db, one_of, table_of
from appliance.models.columns import new_id
from appliance.models.imports import Existing, Verdict
from appliance.models.person import NOT_VALID, Family, LifeEvent, LifeKind, NikStatus, Person, PersonPhone
from appliance.models.roles import Role
from appliance.registry.cards import families_by_card
from appliance.registry.life_events import CHANGES
from appliance.registry.names import searchable
from appliance.registry.search_index import Findable, forget_people, index_people

PERSON_FIELDS = (
    *(
        "birth_place",
        "birth_date",
        "religion",
        "education",
        "occupation",
        "marital_status",
        "mother_name",
        "father_name",
        "phone",
    ),
    *("insurance", "insurance_number", "nationality", "domicile"),
)
# These have a value always, so "only what is empty" never touches them.
FIRM_FIELDS = ("name", "sex", "relation", "status")
FAMILY_FIELDS = ("address", "hamlet", "rw", "rt", "latitude", "longitude")
_EMPTY = {**dict.fromkeys(PERSON_FIELDS, ""), "birth_date": None, "relation": "11", "status": "hidup"}
_LOADED = (
    *(
        Person.id,
        Person.nik,
        Person.name,
        Person.name_search,
        Person.nickname,
        Person.village_code,
        Person.family_id,
        Person.merged_into_id,
        Person.sex,
    ),
    *(Person.nik_status, Person.nik_reason),
    *(Person.relation, Person.status, Person.row_version, *(getattr(Person, name) for name in PERSON_FIELDS)),
)

# A table, the identifier of its row, and what some fields become.
Change: TypeAlias = tuple[type[Any], str, dict[str, Any]]


@dataclass
class Candidate:
    """A resident as a list tells of her. `values` is by the fields of Person and Family; without `nik` there is a `nik_reason`."""

    number: int
    values: dict[str, Any]
    village_code: str
    nik: str | None = None
    nik_reason: str = ""
    kk: str | None = None
    name_search: str = ""

    def __post_init__(self) -> None:
        self.name_search = searchable(self.values["name"])

    @property
    def identity(self) -> tuple[str, Any, str] | None:
        """What tells her without a NIK: name, day and place of birth. None when the day is not known."""
        day = self.values.get("birth_date")
        return (self.name_search, day, _plain(self.values.get("birth_place"))) if day else None


@dataclass
class Decision:
    """What becomes of one candidate. `changes` is by field of the person: before and after; `differs` are fields left as they are."""

    candidate: Candidate
    verdict: Verdict
    reason: str = ""
    advice: str = ""
    person: dict[str, Any] | None = None
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    differs: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    # The family she is to be in: an identifier that is there, or None with a card that is to be made.
    family: dict[str, Any] | None = None
    family_changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    joins: bool = False
    # For the report of whoever asked; the registry itself writes none.
    findings: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Stored:
    """What was stored of one candidate, and how to take it back."""

    number: int
    person_id: str
    version: int
    family_id: str | None = None
    made_family: bool = False
    undo: dict[str, Any] | None = None


def judge(candidates: Sequence[Candidate], how: Existing, roles: Iterable[Role], *, by: Actor) -> list[Decision]:
    """What each of them would do to the registry, in their order. Reads in a few statements, whatever their number.

    `by` must hold one of `roles` where they live and where they are registered; anybody else is Verdict.WRONG with a reason.
    """
    held, known = frozenset(roles), _Known(candidates)
    covered: dict[str, bool] = {}

    def covers(code: str) -> bool:
        if code not in covered:
            covered[code] = by.has_in(code, *held)
        return covered[code]

    decisions = []
    for candidate in candidates:
        person = known.person_of(candidate)
        if not covers(candidate.village_code):
            outside = "Desa/kelurahan baris ini di luar wilayah tugas Anda."
            decisions.append(Decision(candidate, Verdict.WRONG, outside, "Minta petugas wilayah itu yang mengimpor."))
        elif person is None:
            decisions.append(_newcomer(candidate, known))
        elif not covers(person["village_code"]):
            outside = "NIK ini sudah terdaftar di luar wilayah tugas Anda."
            decisions.append(Decision(candidate, Verdict.WRONG, outside, "Minta supervisor memeriksa data gandanya."))
        else:
            decisions.append(_acquaintance(candidate, person, known, how))
    return decisions


def write(decisions: Sequence[Decision], source: str, *, by: str, at: datetime) -> list[Stored]:
    """Store what was judged new or changed, inside the running transaction. `source` names the import in the life events."""
    batch = _Batch(by, at, source)
    for decision in decisions:
        if decision.verdict is Verdict.NEW:
            batch.add(decision)
        elif decision.verdict is Verdict.CHANGED:
            batch.change(decision)
    batch.flush()
    return batch.stored


def change_rows(changes: Iterable[Change], *, by: str, at: datetime) -> None:
    """Write changes into rows of people and families, inside the running transaction: one statement for all with the same fields.

    The caller holds the rows, so that nobody else changes them meanwhile. Of two changes of one field of a row the later counts.
    """
    merged: dict[tuple[type[Any], str], dict[str, Any]] = {}
    for model, row_id, values in changes:
        row = merged.setdefault((model, row_id), {"this_row": row_id, "times": 0, "updated_at": at, "updated_by": by})
        row |= values
        row["times"] += 1
    alike: dict[tuple[type[Any], frozenset[str]], list[dict[str, Any]]] = {}
    for (model, _), row in merged.items():
        alike.setdefault((model, frozenset(row)), []).append(row)
    for (model, fields), rows in alike.items():
        columns = table_of(model).c
        written: dict[str, Any] = {name: sa.bindparam(name) for name in sorted(fields - {"this_row", "times"})}
        written["row_version"] = columns.row_version + sa.bindparam("times")
        statement = sa.update(table_of(model)).where(columns.id == sa.bindparam("this_row")).values(written)
        db.session.connection().execute(statement, rows)


class _Known:
    """Who and what of the registry some candidates may mean."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        numbers = {one.nik for one in candidates if one.nik}
        self._by_nik = {row["nik"]: row for row in _people(one_of(Person.nik, list(numbers)))} if numbers else {}
        self._by_identity: dict[tuple[str, tuple[str, Any, str]], dict[str, Any]] = {}
        alike: dict[str, list[Candidate]] = {}
        for one in candidates:
            if one.identity and one.nik not in self._by_nik:
                alike.setdefault(one.village_code, []).append(one)
        for village, some in alike.items():
            # Names alone would bring everybody who is called Siti Aminah.
            days = one_of(Person.birth_date, list({one.values["birth_date"] for one in some}))
            named = one_of(Person.name_search, list({one.name_search for one in some}))
            for row in _people(Person.village_code == village, days, named, Person.status != NOT_VALID):
                identity = (row["name_search"], row["birth_date"], _plain(row["birth_place"]))
                self._by_identity.setdefault((village, identity), row)
        self._families = _families({one.kk for one in candidates if one.kk})

    def person_of(self, candidate: Candidate) -> dict[str, Any] | None:
        """By the NIK; else by name, day and place of birth, unless both have a NIK and differ in it."""
        if candidate.nik in self._by_nik:
            return self._by_nik[candidate.nik]
        found = self._by_identity.get((candidate.village_code, candidate.identity)) if candidate.identity else None
        return None if found and found["nik"] and candidate.nik else found

    def family_of(self, candidate: Candidate) -> dict[str, Any] | None:
        """The family with her card, or a new one that the candidates after her share."""
        if candidate.kk is None:
            return None
        if candidate.kk not in self._families:
            made = {"id": None, "kk": candidate.kk, "village_code": candidate.village_code, "head_id": None}
            self._families[candidate.kk] = made | {name: candidate.values.get(name) for name in FAMILY_FIELDS}
        return self._families[candidate.kk]


def _families(cards: set[str]) -> dict[str, dict[str, Any]]:
    """The families that these cards mean; two cards of one family after a merge are the same row."""
    meant = families_by_card(cards)
    columns = (Family.id, Family.kk, Family.village_code, Family.head_id, *(getattr(Family, name) for name in FAMILY_FIELDS))
    wanted = sa.select(*columns).where(one_of(Family.id, sorted(set(meant.values()))))
    rows = {row["id"]: dict(row) for row in db.session.execute(wanted).mappings()} if meant else {}
    return {card: rows[family_id] for card, family_id in meant.items()}


def _people(*wanted: sa.ColumnElement[bool]) -> list[dict[str, Any]]:
    return [dict(row) for row in db.session.execute(sa.select(*_LOADED).where(*wanted)).mappings()]


def _newcomer(candidate: Candidate, known: _Known) -> Decision:
    family = known.family_of(candidate)
    decision = Decision(candidate, Verdict.NEW, family=family, joins=family is not None)
    if family and family["village_code"] != candidate.village_code:
        decision.family, decision.joins = None, False
        decision.remarks = ("Nomor KK ini terdaftar di desa/kelurahan lain; diimpor tanpa keluarga.",)
    return decision


def _acquaintance(candidate: Candidate, person: dict[str, Any], known: _Known, how: Existing) -> Decision:
    if person["merged_into_id"]:
        return Decision(candidate, Verdict.SKIPPED, "Data warga ini sudah digabung ke data lain.", person=person)
    if how is Existing.SKIP:
        return Decision(candidate, Verdict.SKIPPED, "Sudah terdaftar; dilewati sesuai pilihan.", person=person)
    decision = Decision(candidate, Verdict.SAME, person=person)
    differs = []
    for name in (*PERSON_FIELDS, *FIRM_FIELDS):
        new, old = candidate.values.get(name), person[name]
        if new in (None, "") or new == old or _plain(new) == _plain(old):
            continue
        if how is Existing.UPDATE or (name in PERSON_FIELDS and old in (None, "")):
            decision.changes[name] = (old, new)
        else:
            differs.append(name)
    if candidate.nik and person["nik"] is None:
        decision.changes["nik"] = (None, candidate.nik)
    if person["village_code"] != candidate.village_code:
        if how is Existing.UPDATE:
            decision.changes["village_code"] = (person["village_code"], candidate.village_code)
        else:
            differs.append("village_code")
    decision.differs = tuple(differs)
    _look_at_family(decision, known, how)
    if decision.changes or decision.joins or decision.family_changes:
        decision.verdict = Verdict.CHANGED
    return decision


def _look_at_family(decision: Decision, known: _Known, how: Existing) -> None:
    candidate, person = decision.candidate, decision.person
    family = known.family_of(candidate)
    if family is None or person is None:
        return
    village = candidate.village_code if "village_code" in decision.changes else person["village_code"]
    if family["village_code"] != village:
        decision.remarks = ("Nomor KK ini terdaftar di desa/kelurahan lain; keluarganya tidak diubah.",)
        return
    if family["id"] is None or family["id"] != person["family_id"]:
        if person["family_id"] is None or how is Existing.UPDATE:
            decision.family, decision.joins = family, True
        else:
            decision.differs = (*decision.differs, "kk")
        return
    decision.family = family
    for name in FAMILY_FIELDS:
        new, old = candidate.values.get(name), family[name]
        if new in (None, "") or _plain(new) == _plain(old):
            continue
        if how is Existing.UPDATE or old in (None, ""):
            decision.family_changes[name] = (old, new)
            family[name] = new  # the next on the same card has nothing left to change


class _Batch:
    """The rows of one part, stored together at its end."""

    def __init__(self, by: str, at: datetime, source: str) -> None:
        self._by, self._at, self._source = by, at, source
        self._stamp = {"created_at": at, "created_by": by, "updated_at": at, "updated_by": by, "row_version": 1}
        self._people: list[dict[str, Any]] = []
        self._families: list[dict[str, Any]] = []
        self._findable: list[Findable] = []
        self._no_longer: list[Findable] = []
        self._phones: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._updates: list[Change] = []
        self.stored: list[Stored] = []

    def add(self, decision: Decision) -> None:
        """A person who is not registered."""
        candidate, person_id = decision.candidate, new_id()
        values = candidate.values
        made = bool(decision.family and decision.family["id"] is None)
        family_id = self._family(decision.family, person_id, values) if decision.family else None
        row = {name: values.get(name) or empty for name, empty in _EMPTY.items()}
        doubts = values.get("nik_doubts") or ()
        row |= {
            "id": person_id,
            "nik": candidate.nik,
            "nik_status": NikStatus.NONE if candidate.nik is None else NikStatus.DOUBTFUL if doubts else NikStatus.VALID,
            "nik_reason": candidate.nik_reason if candidate.nik is None else " ".join(doubts)[:300],
            "name": values["name"],
            "name_search": candidate.name_search,
            "nickname": "",
            "sex": values["sex"],
            "birth_date_estimated": bool(values.get("birth_date_estimated")),
            "family_id": family_id,
            "village_code": candidate.village_code,
        }
        self._people.append(row | self._stamp)
        if row["phone"]:
            self._phone(person_id, row["phone"])
        self._findable.append(Findable(person_id, candidate.village_code, candidate.name_search, "", str(row["phone"])))
        self._event(LifeKind.IMPORTED, person_id, family_id, {"sumber": self._source})
        self.stored.append(Stored(candidate.number, person_id, 1, family_id, made))

    def change(self, decision: Decision) -> None:
        """A person who is registered, or only her family."""
        candidate, person = decision.candidate, decision.person
        assert person is not None  # noqa: S101 - whoever changes is known
        undo: dict[str, Any] = {}
        values = {name: new for name, (_, new) in decision.changes.items()}
        undo["person"] = {name: _for_json(old) for name, (old, _) in decision.changes.items()}
        if "nik" in decision.changes:
            undo["person"] |= {name: person[name] for name in ("nik_status", "nik_reason")}
        made = bool(decision.joins and decision.family and decision.family["id"] is None)
        family_id = person["family_id"]
        if decision.joins and decision.family:
            undo["person"]["family_id"] = family_id
            family_id = values["family_id"] = self._family(decision.family, person["id"], candidate.values)
        if decision.family_changes and decision.family:
            undo["family"] = {name: old for name, (old, _) in decision.family_changes.items()}
            undo["family_given"] = {name: new for name, (_, new) in decision.family_changes.items()}
            self._updates.append((Family, family_id, undo["family_given"]))
        version = person["row_version"]
        if values:
            version += 1
            self._update(person, candidate, values)
        changes = {name: [_for_json(old), _for_json(new)] for name, (old, new) in decision.changes.items()}
        changes |= {name: [_for_json(old), _for_json(new)] for name, (old, new) in decision.family_changes.items()}
        detail = {"sumber": self._source, CHANGES: changes}
        if decision.joins:
            detail["kk"] = "masuk keluarga lain" if person["family_id"] else "masuk keluarga"
        self._event(LifeKind.CORRECTED, person["id"], family_id, detail)
        self.stored.append(Stored(candidate.number, person["id"], version, family_id, made, undo))

    def flush(self) -> None:
        """Store everything."""
        session = db.session()
        self._forget_known_phones()
        for table, rows in ((Family, self._families), (Person, self._people), (PersonPhone, self._phones)):
            if rows:
                session.execute(sa.insert(table_of(table)), rows)
        change_rows(self._updates, by=self._by, at=self._at)
        forget_people(self._no_longer)
        index_people(self._findable)
        if self._events:
            session.execute(sa.insert(table_of(LifeEvent)), self._events)

    def _forget_known_phones(self) -> None:
        """A number that stands in somebody's list already is not listed twice."""
        if self._phones:
            people = {row["person_id"] for row in self._phones}
            found = db.session.execute(
                sa.select(PersonPhone.person_id, PersonPhone.number).where(PersonPhone.person_id.in_(people))
            )
            known = {(person, number) for person, number in found}
            self._phones = [row for row in self._phones if (row["person_id"], row["number"]) not in known]

    def _update(self, person: dict[str, Any], candidate: Candidate, values: dict[str, Any]) -> None:
        if "nik" in values:
            doubts = candidate.values.get("nik_doubts") or ()
            values |= {"nik_status": NikStatus.DOUBTFUL if doubts else NikStatus.VALID, "nik_reason": " ".join(doubts)[:300]}
        if values.get("phone"):
            self._phone(person["id"], values["phone"])
        if "name" in values:
            values["name_search"] = candidate.name_search
        before = _findable(person)
        after = _findable(person | values)
        if after != before:
            self._no_longer.append(before)
            self._findable.append(after)
        self._updates.append((Person, person["id"], values))

    def _family(self, family: dict[str, Any], person_id: str, values: dict[str, Any]) -> str:
        """The identifier of the family; a new one is made by its first member, and headed by who is its head."""
        if family["id"] is None:
            family["id"] = new_id()
            row = {name: family[name] or "" for name in ("address", "hamlet", "rw", "rt")}
            row |= {"id": family["id"], "kk": family["kk"], "head_id": None, "village_code": family["village_code"]}
            row |= {"latitude": family["latitude"], "longitude": family["longitude"], "status": "aktif", "note": ""}
            family["row"] = row | self._stamp
            self._families.append(family["row"])
        if values.get("relation") == "1" and family["head_id"] is None:
            family["head_id"] = person_id
            if "row" in family:
                family["row"]["head_id"] = person_id
            else:
                self._updates.append((Family, family["id"], {"head_id": person_id}))
        found: str = family["id"]
        return found

    def _phone(self, person_id: str, number: str) -> None:
        """The number stands in the list of her numbers as well."""
        self._phones.append(
            {"id": new_id(), "person_id": person_id, "number": number, "owner": "", "whatsapp": False} | self._stamp
        )

    def _event(self, kind: LifeKind, person_id: str, family_id: str | None, detail: dict[str, Any]) -> None:
        told = {"id": new_id(), "kind": kind.value, "person_id": person_id, "family_id": family_id, "happened_on": None}
        self._events.append(told | {"recorded_at": self._at, "recorded_by": self._by, "evidence": "", "detail": detail})


def _findable(person: dict[str, Any]) -> Findable:
    return Findable(person["id"], person["village_code"], person["name_search"], person["nickname"], person["phone"])


def _plain(value: Any) -> str:
    """For comparing: what only differs in case or blanks is the same."""
    return "" if value is None else " ".join(str(value).split()).casefold()


def _for_json(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
