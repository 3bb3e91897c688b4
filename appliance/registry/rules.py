"""The rules that warn of aids which should not come together: data that the Dinas edits, applied by `combination`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import AREA_ROLES, Actor, require
from appliance.database import db, transaction
from appliance.errors import NotFound
from appliance.models.programme import CombinationRule, Programme, RuleKind, Sector, Within
from appliance.registry.combination import Rule
from appliance.registry.holders import require_version, too_long
from appliance.registry.programmes import EDITORS, refuse, store_entry


@dataclass(frozen=True)
class RuleFields:
    """What is typed about a rule; which fields count depends on `kind`."""

    kind: str
    within: str = Within.FAMILY.value
    first_id: str = ""
    second_id: str = ""
    sector: str = ""
    most: int | None = None
    advice: str = ""
    active: bool = True


@dataclass(frozen=True)
class RuleLine:
    """One rule with the names of its programmes."""

    id: str
    fields: RuleFields
    first: str
    second: str
    row_version: int


def list_rules(*, by: Actor) -> tuple[RuleLine, ...]:
    """All rules, the active ones first. Raises NotAllowed."""
    require(by, *AREA_ROLES)
    names = {programme.id: programme.name for programme in db.session.scalars(sa.select(Programme))}
    statement = sa.select(CombinationRule).order_by(CombinationRule.active.desc(), CombinationRule.kind, CombinationRule.code)
    return tuple(_rule_line(rule, names) for rule in db.session.scalars(statement))


def look_at_rule(rule_id: str, *, by: Actor) -> RuleLine:
    """One rule. Raises NotFound, NotAllowed."""
    found = next((line for line in list_rules(by=by) if line.id == rule_id), None)
    if found is None:
        raise NotFound("Aturan itu tidak ada.", "Pilih dari daftar aturan.")
    return found


def add_rule(fields: RuleFields, *, request_id: str, by: Actor, at: datetime) -> str:
    """A new rule; its identifier. The same request again gives the same rule. Raises InvalidInput, NotAllowed."""
    require(by, *EDITORS)
    refuse(_rule_problems(fields))
    code = f"aturan-{request_id}"[:40]
    known = db.session.scalar(sa.select(CombinationRule.id).where(CombinationRule.code == code))
    if known:
        return known
    rule = CombinationRule(code=code)
    _write_rule(rule, fields)
    return store_entry(rule, "aturan_baru", "rule", by, at)


def change_rule(rule_id: str, fields: RuleFields, *, row_version: int, by: Actor, at: datetime) -> None:
    """Store what was typed. Raises InvalidInput, NotFound, NotAllowed, Conflict."""
    require(by, *EDITORS)
    with transaction() as session:
        rule = session.get(CombinationRule, rule_id)
        if rule is None:
            raise NotFound("Aturan itu tidak ada.", "Pilih dari daftar aturan.")
        require_version(rule, row_version)
        refuse(_rule_problems(fields))
        _write_rule(rule, fields)
        rule.stamp(by.account_id, at)
        audit.record("aturan_ubah", f"rule:{rule.id}", by=by, at=at, detail={"jenis": rule.kind, "aktif": rule.active})


def active_rules() -> tuple[Rule, ...]:
    """What is applied now, in a fixed order."""
    statement = sa.select(CombinationRule).where(CombinationRule.active).order_by(CombinationRule.kind, CombinationRule.code)
    return tuple(
        Rule(rule.kind, rule.within, rule.first_id or "", rule.second_id or "", rule.sector, rule.most or 1, rule.advice)
        for rule in db.session.scalars(statement)
    )


def _rule_problems(fields: RuleFields) -> dict[str, str]:
    problems = too_long(fields, {"advice": 300})
    for name, known in (("kind", RuleKind), ("within", Within)):
        if getattr(fields, name) not in set(known):
            problems[name] = "Pilih salah satu."
    for name in ("first_id", "second_id"):
        chosen = getattr(fields, name)
        if chosen and db.session.get(Programme, chosen) is None:
            problems[name] = "Pilih program dari daftar."
    if fields.sector and fields.sector not in set(Sector):
        problems["sector"] = "Pilih sektor dari daftar."
    if fields.kind == RuleKind.TOGETHER:
        if not fields.first_id or not fields.second_id:
            problems.setdefault("first_id", "Pilih kedua program.")
        elif fields.first_id == fields.second_id:
            problems["second_id"] = "Pilih dua program yang berbeda; untuk program yang sama pilih jenis “tercatat dua kali”."
    if fields.kind == RuleKind.TOO_MANY and not 1 <= (fields.most or 0) <= 20:
        problems["most"] = "Tulis batasnya, 1 sampai 20."
    return problems


def _write_rule(rule: CombinationRule, fields: RuleFields) -> None:
    """Only what counts for the kind is kept."""
    counts = fields.kind == RuleKind.TOO_MANY
    rule.kind, rule.within, rule.advice, rule.active = fields.kind, fields.within, fields.advice.strip(), fields.active
    rule.first_id = None if counts else fields.first_id or None
    rule.second_id = fields.second_id or None if fields.kind == RuleKind.TOGETHER else None
    rule.sector, rule.most = (fields.sector, fields.most) if counts else ("", None)


def _rule_line(rule: CombinationRule, names: dict[str, str]) -> RuleLine:
    first, second = rule.first_id or "", rule.second_id or ""
    fields = RuleFields(rule.kind, rule.within, first, second, rule.sector, rule.most, rule.advice, rule.active)
    return RuleLine(rule.id, fields, names.get(first, ""), names.get(second, ""), rule.row_version)
