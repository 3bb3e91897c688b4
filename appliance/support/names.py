"""The words of all names that are kept here, for the mask of a support file. To be asked as the service user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from appliance import database
from appliance.config import Settings
from appliance.models.account import Account
from appliance.models.case import Case
from appliance.models.person import Person
from appliance.models.unit import Unit
from appliance.support.masking import words_of

COLUMNS = (
    (Person.name, Person.nickname, Person.mother_name, Person.father_name),
    (Case.reporter_name,),
    (Account.name, Account.username),
    (Unit.official_name,),
)
ROWS = 5000


def names_in(settings: Settings) -> set[str]:
    """The words of the residents', their parents', the reporters', the officers' and the signing officials' names. Raises what the database raises."""
    found: set[str] = set()
    with database.reading(settings) as connection:
        for columns in COLUMNS:
            rows = connection.execution_options(yield_per=ROWS).execute(sa.select(*columns))
            for part in rows.partitions():
                found |= words_of(_values(part))
    return found


def _values(rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    return (value for row in rows for value in row if value)
