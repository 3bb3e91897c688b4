"""Tables and the rules of one row, a file a subject. Importing any of them makes all tables known."""

from appliance.models import (
    account,
    area,
    audit,
    case,
    counter,
    duplicate,
    export,
    handover,
    imports,
    person,
    profile,
    programme,
    search,
    task,
    unit,
    visit,
)

__all__ = [
    "account",
    "area",
    "audit",
    "case",
    "counter",
    "duplicate",
    "export",
    "handover",
    "imports",
    "person",
    "profile",
    "programme",
    "search",
    "task",
    "unit",
    "visit",
]
