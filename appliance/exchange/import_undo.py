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
from appliance.database import Model, db, table_of, transaction
from appliance.exchange.export_run import Hands
from appliance.exchange.import_health import forget_health, health_since, restore_health
from appliance.exchange.joining import leave
from appliance.exchange.withdrawing import withdraw
from appliance.models.columns import new_id
from appliance.models.imports import Import, ImportRow, ImportState, Verdict
from appliance.models.person import NOT_VALID, Family, LifeEvent, LifeKind, NikStatus, Person, PersonPhone
from appliance.registry.life_events import CHANGES
from appliance.registry.names import searchable
from appliance.registry.search_index import forget_person, index_person

PART = 300
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
    people = {one.id: one for one in db.session.scalars(sa.select(Person).where(Person.id.in_([row.person_id for row in rows])))}
    new = [row.person_id for row in rows if row.verdict == Verdict.NEW and row.person_id]
    built_on = _built_on(new) | dict.fromkeys(health_since(_undos(rows), new), WORDS["person_health"])
    withdrawn: list[tuple[ImportRow, Person]] = []
    changed: list[tuple[ImportRow, Person]] = []
    for row in rows:
        person = people.get(row.person_id or "")
        if row.undo and "participation" in row.undo:
            row.taken_back = leave(row.undo["participation"], by=actor.account_id, at=at)
            continue
        if person is None or person.row_version != row.version or person.merged_into_id:
            row.taken_back = CHANGED_SINCE
        elif row.verdict == Verdict.NEW and person.id in built_on:
            row.taken_back = built_on[person.id]
        else:
            row.taken_back = "ya"
            (withdrawn if row.verdict == Verdict.NEW else changed).append((row, person))
    _withdraw([person for _, person in withdrawn], actor, at)
    for row, person in changed:
        if "person" in (row.undo or {}):
            _restore(row, person, actor, at)
        if not restore_health(row.undo, person.id, actor, at):
            row.taken_back = HEALTH_CHANGED_SINCE
    db.session.flush()
    _empty_families([row.family_id for row in rows if row.family_id and row.taken_back == "ya"], actor, at)


def _undos(rows: Sequence[ImportRow]) -> dict[str, dict[str, Any]]:
    return {row.person_id: row.undo or {} for row in rows if row.person_id}


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
    for person in people:
        person.nik, person.nik_status, person.nik_reason = None, NikStatus.NONE, f"Ditarik: impornya dibatalkan {day}."
        forget_person(person)
        person.family_id, person.status = None, NOT_VALID
        person.stamp(actor.account_id, at)
    ids = [person.id for person in people]
    session = db.session()
    session.flush()
    forget_health(ids)
    phones = sa.delete(PersonPhone).where(PersonPhone.person_id.in_(ids))
    session.execute(phones.execution_options(synchronize_session=False))
    heads = sa.update(Family).where(Family.head_id.in_(ids)).values(head_id=None)
    session.execute(heads.execution_options(synchronize_session=False))
    session.execute(sa.insert(table_of(LifeEvent)), [_event(one, {"impor": "dibatalkan"}, actor, at) for one in ids])


def _restore(row: ImportRow, person: Person, actor: Actor, at: datetime) -> None:
    before: dict[str, Any] = (row.undo or {}).get("person", {})
    family: dict[str, Any] = (row.undo or {}).get("family", {})
    changes = {}
    for name, value in before.items():
        if name != "family_id":
            changes[name] = [_plain(getattr(person, name)), value]
    if family and person.family_id:
        home = db.session.get_one(Family, person.family_id)
        for name, value in family.items():
            changes[name] = [getattr(home, name), value]
            setattr(home, name, value)
        home.stamp(actor.account_id, at)
    if before.get("phone") == "":
        own = sa.delete(PersonPhone).where(PersonPhone.person_id == person.id, PersonPhone.number == person.phone)
        db.session.execute(own.execution_options(synchronize_session=False))
    forget_person(person)
    for name, value in before.items():
        setattr(person, name, date.fromisoformat(value) if name == "birth_date" and value else value)
    person.name_search = searchable(person.name)
    if before:
        person.stamp(actor.account_id, at)
    index_person(person)
    detail = {"impor": "dibatalkan", CHANGES: changes}
    db.session.execute(sa.insert(table_of(LifeEvent)), [_event(person.id, detail, actor, at)])


def _empty_families(families: list[str], actor: Actor, at: datetime) -> None:
    """Families that the import made and nobody belongs to any more give their card number back."""
    if not families:
        return
    lived_in = set(db.session.scalars(sa.select(Person.family_id).where(Person.family_id.in_(families)).distinct()))
    for family in db.session.scalars(sa.select(Family).where(Family.id.in_(set(families) - lived_in))):
        family.kk, family.status = None, EMPTIED
        family.stamp(actor.account_id, at)


def _event(person_id: str, detail: dict[str, Any], actor: Actor, at: datetime) -> dict[str, Any]:
    told = {"id": new_id(), "kind": LifeKind.CORRECTED.value, "person_id": person_id, "family_id": None, "happened_on": None}
    return told | {"recorded_at": at, "recorded_by": actor.account_id, "evidence": "", "detail": detail}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
