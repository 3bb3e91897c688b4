"""What was typed for a step: the choices of this case filled in, the values checked, and how the history keeps them. For services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime

from appliance.access import AREA_ROLES, CONFIDENTIAL_ROLES, Actor
from appliance.casework import officers
from appliance.casework.flow_rules import EMERGENCY_FIELDS, FLOW_FIELDS
from appliance.casework.history import Fact
from appliance.casework.papers import requirements_of
from appliance.casework.similar import similar_to
from appliance.casework.step_fields import Field
from appliance.casework.transitions import Action, Transition
from appliance.casework.visits import VISITORS
from appliance.database import settings_in_use
from appliance.errors import InvalidInput
from appliance.models.case import Case
from appliance.models.roles import Role

LONGEST_TEXT = 5000
_NOTES = ("note", "citizen_note")
_ASKED_BY_FLOW = {Action.RECOMMEND: FLOW_FIELDS, Action.REFER_AT_ONCE: EMERGENCY_FIELDS}
# Who can be given a case: not who only signs or looks.
OWNER_ROLES = AREA_ROLES - {Role.PENANDATANGAN, Role.PIMPINAN}


def with_choices(line: Transition, case: Case, by: Actor, at: datetime) -> Transition:
    """The line with the choices that depend on the case, and the fields of its service's flow."""
    if line.action in _ASKED_BY_FLOW:
        line = replace(line, fields=(*_ASKED_BY_FLOW[line.action].get(case.service_type.flow, ()), *line.fields))
    if not any(field.source for field in line.fields):
        return line
    fields = tuple(
        replace(field, choices=_choices(field.source, case, by, at)) if field.source else field for field in line.fields
    )
    return replace(line, fields=fields)


def checked_values(line: Transition, fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed for the fields of the line, cleaned; anything else that was sent is left out.

    A multi value is its codes joined by commas, a date ISO. Raises InvalidInput with all problems.
    """
    values = {field.name: fields.get(field.name, "").strip() for field in line.fields if field.kind != "files"}
    problems = field_problems(line.fields, values)
    reasons = values.get("return_reasons", "").split(",")
    if "berkas_kurang" in reasons and not values.get("missing_papers") and _has_choices(line, "missing_papers"):
        problems["missing_papers"] = "Pilih berkas mana yang kurang."
    if problems:
        raise InvalidInput(problems)
    return values


def field_problems(fields: Iterable[Field], values: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the values of these fields, by name."""
    return {field.name: problem for field in fields if (problem := _problem(field, values.get(field.name, "")))}


def fact_of(line: Transition, values: Mapping[str, str], roles: frozenset[Role]) -> Fact:
    """The values as the history keeps them: the two notes, and the rest under their labels."""
    details = {
        field.label: shown_value(field, values[field.name])
        for field in line.fields
        if field.name not in _NOTES and values.get(field.name)
    }
    role = next(iter(sorted(line.by & roles)), None)
    return Fact(line.action, role, values.get("note", ""), values.get("citizen_note", ""), details)


def _choices(source: str, case: Case, by: Actor, at: datetime) -> tuple[tuple[str, str], ...]:
    today = at.astimezone(settings_in_use().zone).date()
    match source:
        case "requirements":
            # A comma parts the values of a multi field, hence the positions.
            return tuple((str(position), name) for position, name in enumerate(requirements_of(case)))
        case "visitors":
            return officers.serving(case.village_code, VISITORS, today)
        case "officers":
            trusted = CONFIDENTIAL_ROLES if case.confidential else OWNER_ROLES
            return tuple(pair for pair in officers.serving(case.village_code, trusted, today) if pair[0] != case.owner_id)
        case "similar":
            similar = similar_to(case, by)
            return ((similar.mark, similar.seen),)
    raise ValueError(f"no list of choices {source!r}")


def _problem(field: Field, value: str) -> str:
    if not value:
        if field.kind == "check":
            return "Periksa kasus lain keluarga ini, lalu centang."
        return f"{field.label} wajib diisi." if field.required else ""
    if len(value) > LONGEST_TEXT:
        return f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."
    if field.choices or field.source:
        return _choice_problem(field, value)
    return _date_problem(value) if field.kind == "date" else ""


def _choice_problem(field: Field, value: str) -> str:
    if set(value.split(",") if field.kind == "multi" else [value]) <= set(dict(field.choices)):
        return ""
    if field.kind == "check":
        return "Daftar kasus lain berubah sementara itu; periksa lagi, lalu centang."
    return "Pilih dari daftar."


def _date_problem(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        return "Tanggal tidak ada di kalender; tulis seperti 21-11-2026."
    return ""


def _has_choices(line: Transition, name: str) -> bool:
    return any(field.name == name and field.choices for field in line.fields)


def shown_value(field: Field, value: str) -> str:
    """A checked value as the history tells it."""
    if field.kind == "date":
        return f"{date.fromisoformat(value):%d-%m-%Y}"
    words = dict(field.choices)
    return "; ".join(words.get(code, code) for code in (value.split(",") if field.kind == "multi" else [value]))
