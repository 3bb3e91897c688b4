"""Disability, chronic illness and pregnancy of a person: read and written by few roles, each look in the journal.

What was before and after a change stands in her life events, where only the same roles read it; the journal never holds it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import HEALTH_ROLES, Actor
from appliance.database import changed_meanwhile, db, transaction
from appliance.errors import InvalidInput
from appliance.models.person import Person, PersonHealth, Sex
from appliance.registry import codes
from appliance.registry.corrections import differences, note_changes
from appliance.registry.people import person_in_scope, require_there


@dataclass(frozen=True)
class Health:
    """Codes of `codes.DISABILITIES` and `codes.ILLNESSES`; empty for none."""

    disabilities: tuple[str, ...] = ()
    chronic_illnesses: tuple[str, ...] = ()
    pregnant: bool = False


def look_at_health(person_id: str, *, by: Actor, at: datetime) -> tuple[Health, int]:
    """What is known of her health, and its version (0: nothing yet). The look is in the journal. Raises NotFound, NotAllowed."""
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *HEALTH_ROLES)
        row = _row(person.id)
        audit.record("lihat_kesehatan", f"person:{person.id}", by=by, at=at)
        return _health(row), row.row_version if row else 0


def change_health(person_id: str, health: Health, *, row_version: int, by: Actor, at: datetime) -> bool:
    """Store what is known of her health now; whether it differs. Raises NotFound, NotAllowed, Conflict, InvalidInput."""
    with transaction():
        person = person_in_scope(person_id, by)
        require_there(by, person.village_code, *HEALTH_ROLES)
        row = _row(person.id)
        if (row.row_version if row else 0) != row_version:
            raise changed_meanwhile()
        problems = _problems(health, person)
        if problems:
            raise InvalidInput(problems)
        changes = differences(asdict(_health(row)), asdict(health))
        if not changes:
            return False
        row = row or PersonHealth(person_id=person.id)
        row.disabilities, row.chronic_illnesses = list(health.disabilities), list(health.chronic_illnesses)
        row.pregnant = health.pregnant
        row.stamp(by.account_id, at)
        db.session.add(row)
        note_changes(changes, "Pemutakhiran data kesehatan", person_id=person.id, by=by, at=at)
        audit.record("ubah_kesehatan", f"person:{person.id}", by=by, at=at)
        return True


def _row(person_id: str) -> PersonHealth | None:
    return db.session.scalar(sa.select(PersonHealth).where(PersonHealth.person_id == person_id))


def _health(row: PersonHealth | None) -> Health:
    if row is None:
        return Health()
    return Health(tuple(row.disabilities), tuple(row.chronic_illnesses), row.pregnant)


def _problems(health: Health, person: Person) -> dict[str, str]:
    problems = {}
    if not set(health.disabilities) <= codes.DISABILITIES.keys():
        problems["disabilities"] = "Pilih disabilitas dari daftar."
    if not set(health.chronic_illnesses) <= codes.ILLNESSES.keys():
        problems["chronic_illnesses"] = "Pilih penyakit dari daftar."
    if health.pregnant and person.sex == Sex.MALE:
        problems["pregnant"] = "Hanya untuk perempuan."
    return problems
