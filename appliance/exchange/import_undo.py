"""Takes an import back, row by row from its end: what is as the import left it, and on which nobody built, goes.

Whoever was new is withdrawn, not deleted: her record stays as the history needs it, without number, family and findable words. Where
somebody worked with a record since, it stays, and the report says why. What the file said of people in lists and blanks is withdrawn
first, whether they stay or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from appliance import audit, background
from appliance.access import Actor
from appliance.background import Taken
from appliance.database import Model, db, one_of, table_of, transaction
from appliance.exchange.export_run import Hands
from appliance.exchange.import_health import forget_health, health_since, restore_health
from appliance.exchange.joining import leave
from appliance.exchange.withdrawing import withdraw
from appliance.models.columns import new_id
from appliance.models.imports import Import, ImportRow, ImportState, Verdict
from appliance.models.person import NOT_VALID, Family, LifeEvent, LifeKind, NikStatus, Person, PersonPhone
from appliance.registry.bulk import FAMILY_FIELDS, Change, change_rows
from appliance.registry.life_events import CHANGES
from appliance.registry.names import searchable
from appliance.registry.search_index import Findable, forget_people, index_people

PART = 500
EMPTIED = "ditarik"
# Tables that name people and that an import itself fills, or that go with the person.
OWN_TABLES = frozenset({"person_word", "person_phone", "person_health", "life_event", "import_row", "duplicate_candidate"})
WORDS = {
    "case": "sudah ada kasus", "participation": "sudah tercatat ikut program", "need": "sudah ada kebutuhan yang dicatat",
    "profile": "sudah ada profil sosial-ekonomi", "list_status": "sudah ada hasil cek daftar nasional", "person_file": "sudah ada berkas warga",
    "person_health": "sudah ada catatan kesehatan", "person": "data lain digabung ke sini",
}  # fmt: skip
CHANGED_SINCE = "sudah diubah petugas sesudah impor"
HEALTH_CHANGED_SINCE = "data kesehatannya sudah diubah petugas sesudah impor"


def take_back(task: Taken, work: Hands, actor: Actor) -> str:
    """Take back all that is still to be taken back; a sentence for who asked."""
    done, total = task.done, _count(task.subject)
    withdraw(task.subject, work, actor)
    while True:
        work.check()
        with transaction():
            rows = _next_rows(task.subject)
            if not rows:
                return _finish(task, actor, work.now())
            _take_back_part(rows, task.subject, actor, work.now())
            done += len(rows)
            background.move(task.id, done, max(total, done), at=work.now())
            detail = {"baris": f"{rows[-1].number}-{rows[0].number}"}
            audit.record("impor-tarik", f"import:{task.subject}", by=actor, at=work.now(), detail=detail)


def _stored(import_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return ImportRow.import_id == import_id, ImportRow.stored.is_(True)


def _count(import_id: str) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(ImportRow).where(*_stored(import_id))) or 0


def _next_rows(import_id: str) -> Sequence[ImportRow]:
    waiting = sa.select(ImportRow).where(*_stored(import_id), ImportRow.taken_back == "")
    return db.session.scalars(waiting.order_by(ImportRow.number.desc()).limit(PART)).all()


def _finish(task: Taken, actor: Actor, at: datetime) -> str:
    row = db.session.get_one(Import, task.subject)
    kept = sa.select(sa.func.count()).select_from(ImportRow).where(*_stored(row.id), ImportRow.taken_back != "ya")
    stays = db.session.scalar(kept) or 0
    row.state, row.problem = ImportState.UNDONE, ""
    row.stamp(actor.account_id, at)
    audit.record("impor-dibatalkan", f"import:{row.id}", by=actor, at=at, detail={"bertahan": stays})
    text = f"{_count(row.id) - stays} baris dibatalkan."
    return f"{text} {stays} baris tidak dapat dibatalkan; alasannya ada di laporan." if stays else text


def _take_back_part(rows: Sequence[ImportRow], import_id: str, actor: Actor, at: datetime) -> None:
    people = _held([row.person_id for row in rows if row.person_id])
    new = [row.person_id for row in rows if row.verdict == Verdict.NEW and row.person_id]
    built_on = _built_on(new) | dict.fromkeys(health_since(_undos(rows), new), WORDS["person_health"])
    homes = _homes([one.family_id for one in people.values() if one.family_id])
    withdrawn: list[Person] = []
    changed: list[tuple[ImportRow, Person]] = []
    for row in rows:
        person = people.get(row.person_id or "")
        if row.undo and "participation" in row.undo:
            row.taken_back = leave(row.undo["participation"], by=actor.account_id, at=at)
            continue
        if row.undo and "profile" in row.undo:  # it was withdrawn before the rows
            row.taken_back = "ya"
            continue
        if person is None or person.row_version != row.version or person.merged_into_id:
            row.taken_back = CHANGED_SINCE
        elif row.verdict == Verdict.NEW and person.id in built_on:
            row.taken_back = built_on[person.id]
        elif row.undo and _home_changed_since(row.undo, homes.get(person.family_id or "", {})):
            row.taken_back = CHANGED_SINCE
        else:
            row.taken_back = "ya"
            if row.verdict == Verdict.NEW:
                withdrawn.append(person)
            else:
                changed.append((row, person))
    _withdraw(withdrawn, actor, at)
    _restore([(row.undo, person) for row, person in changed if row.undo and row.undo.keys() & {"person", "family"}], actor, at)
    for row, person in changed:
        if not restore_health(row.undo, person.id, actor, at):
            row.taken_back = HEALTH_CHANGED_SINCE
    _empty_families([row.family_id for row in rows if row.family_id and row.taken_back == "ya"], actor, at)


def _home_changed_since(undo: dict[str, Any], home: dict[str, Any]) -> bool:
    """Whether the family is not as the import left it. If it is, `home` becomes what it was before this row."""
    if any(home.get(name) != given for name, given in undo.get("family_given", {}).items()):
        return True
    home |= undo.get("family", {})
    return False


def _undos(rows: Sequence[ImportRow]) -> dict[str, dict[str, Any]]:
    return {row.person_id: row.undo or {} for row in rows if row.person_id}


def _held(people: list[str]) -> dict[str, Person]:
    """The people by their identifiers. Until the end of the transaction nobody else changes them or records something of them."""
    wanted = sa.select(Person).where(one_of(Person.id, people)).order_by(Person.id).with_for_update(of=Person)
    return {person.id: person for person in db.session.scalars(wanted.execution_options(populate_existing=True))}


def _built_on(people: list[str]) -> dict[str, str]:
    """Why these people cannot be withdrawn: every table that names them is asked."""
    found: dict[str, str] = {}
    for table in Model.metadata.sorted_tables:
        for column in table.columns:
            names_people = any(key.column.table.name == "person" for key in column.foreign_keys)
            if names_people and table.name not in OWN_TABLES and people:
                reason = WORDS.get(table.name, f"sudah dipakai di catatan lain ({table.name})")
                counting = (table.c.withdrawn_at.is_(None),) if "withdrawn_at" in table.columns else ()
                named = sa.select(column).where(column.in_(people), *counting)
                found |= dict.fromkeys(db.session.scalars(named.distinct()), reason)
    lived = sa.select(LifeEvent.person_id).where(LifeEvent.person_id.in_(people), LifeEvent.kind != LifeKind.IMPORTED)
    found |= dict.fromkeys(db.session.scalars(_called_since(people)), "sudah ada nomor telepon yang dicatat petugas")
    return found | {person: "sudah ada peristiwa yang dicatat" for person in db.session.scalars(lived.distinct()) if person}


def _called_since(people: list[str]) -> sa.Select[str]:
    """Who of them has a telephone number that did not come with her."""
    hers = sa.select(PersonPhone.person_id).join(Person, Person.id == PersonPhone.person_id).where(Person.id.in_(people))
    return hers.where(sa.or_(PersonPhone.number != Person.phone, PersonPhone.row_version > 1)).distinct()


def _withdraw(people: list[Person], actor: Actor, at: datetime) -> None:
    if not people:
        return
    day = at.strftime("%d-%m-%Y")
    gone = {"nik": None, "nik_status": NikStatus.NONE, "nik_reason": f"Ditarik: impornya dibatalkan {day}."}
    gone |= {"family_id": None, "status": NOT_VALID}
    ids = [person.id for person in people]
    forget_people(map(Findable.of, people))
    change_rows([(Person, one, gone) for one in ids], by=actor.account_id, at=at)
    phones = sa.delete(PersonPhone).where(one_of(PersonPhone.person_id, ids))
    heads = sa.update(Family).where(one_of(Family.head_id, ids)).values(head_id=None)
    session = db.session()
    forget_health(ids)
    for statement in (phones, heads):
        session.execute(statement.execution_options(synchronize_session=False))
    session.execute(sa.insert(table_of(LifeEvent)), [_event(one, {"impor": "dibatalkan"}, actor, at) for one in ids])


def _restore(changed: list[tuple[dict[str, Any], Person]], actor: Actor, at: datetime) -> None:
    """What the import changed of people and of their families becomes what `undo` tells of each."""
    if not changed:
        return
    homes = _homes([person.family_id for undo, person in changed if "family" in undo and person.family_id])
    changes: list[Change] = []
    events = []
    for undo, person in changed:
        before, told = _before(undo.get("person", {})), {}
        if before:
            told = {name: [_plain(getattr(person, name)), _plain(before[name])] for name in undo["person"] if name != "family_id"}
            changes.append((Person, person.id, before))
        home = homes.get(person.family_id or "")
        if home and "family" in undo:
            told |= {name: [home[name], value] for name, value in undo["family"].items()}
            home |= undo["family"]
            changes.append((Family, home["id"], undo["family"]))
        events.append(_event(person.id, {"impor": "dibatalkan", CHANGES: told}, actor, at))
    _forget_phones([person for undo, person in changed if undo.get("person", {}).get("phone") == ""])
    forget_people(Findable.of(person) for _, person in changed)
    change_rows(changes, by=actor.account_id, at=at)
    db.session.execute(sa.insert(table_of(LifeEvent)), events)
    index_people(map(Findable.of, _held([person.id for _, person in changed]).values()))


def _before(stored: dict[str, Any]) -> dict[str, Any]:
    """The fields of a person as they are written back; the searched name follows from the name."""
    before = dict(stored)
    if before.get("birth_date"):
        before["birth_date"] = date.fromisoformat(before["birth_date"])
    return before | {"name_search": searchable(before["name"])} if "name" in before else before


def _homes(families: list[str]) -> dict[str, dict[str, Any]]:
    """The families by their identifiers, held like the people."""
    columns = (Family.id, *(getattr(Family, name) for name in FAMILY_FIELDS))
    wanted = sa.select(*columns).where(one_of(Family.id, families)).order_by(Family.id).with_for_update()
    return {row["id"]: dict(row) for row in db.session.execute(wanted).mappings()}


def _forget_phones(people: Sequence[Person]) -> None:
    """Numbers that the import brought leave the lists of their people."""
    own = sa.delete(table_of(PersonPhone)).where(
        PersonPhone.person_id == sa.bindparam("of"), PersonPhone.number == sa.bindparam("given")
    )
    if people:
        db.session.connection().execute(own, [{"of": person.id, "given": person.phone} for person in people])


def _empty_families(families: list[str], actor: Actor, at: datetime) -> None:
    """Families that the import made and nobody belongs to any more give their card number back."""
    if not families:
        return
    lived_in = set(db.session.scalars(sa.select(Person.family_id).where(one_of(Person.family_id, families)).distinct()))
    left = sorted(set(families) - lived_in)
    change_rows([(Family, one, {"kk": None, "status": EMPTIED}) for one in left], by=actor.account_id, at=at)


def _event(person_id: str, detail: dict[str, Any], actor: Actor, at: datetime) -> dict[str, Any]:
    told = {"id": new_id(), "kind": LifeKind.CORRECTED.value, "person_id": person_id, "family_id": None, "happened_on": None}
    return told | {"recorded_at": at, "recorded_by": actor.account_id, "evidence": "", "detail": detail}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
