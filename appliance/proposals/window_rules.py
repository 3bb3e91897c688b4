"""The monthly window as the office set it: the usual days, and those of single months. Kept by the manager."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import AREA_ROLES, Actor, require
from appliance.casework.deadlines import Calendar
from appliance.casework.office_calendar import calendar_in_use
from appliance.database import Duplicate, changed_meanwhile, db, transaction
from appliance.errors import InvalidInput, NotFound
from appliance.models.proposal import ProposalWindow
from appliance.models.roles import Role
from appliance.proposals.windows import USUAL, Rule, Rules, Window, is_period, rule_for, window_of, window_on, working_days_left

KEEPERS = (Role.MANAJER,)
MOST_RESULT_DAYS = 250


@dataclass(frozen=True)
class Now:
    """Where in the month the office is: the window an entry counts for now, and how many working days are left after today.

    `open`: entries are taken today; `last_day`: today is the last of them.
    """

    window: Window
    today: date
    days_left: int

    @property
    def open(self) -> bool:
        """Whether the list takes entries today."""
        return self.window.opens <= self.today

    @property
    def last_day(self) -> bool:
        """Whether today is the last working day for it."""
        return self.open and self.days_left == 0


@dataclass(frozen=True)
class RuleLine:
    """One stored rule with the window it gives; `row_version` 0 while the usual one is still that of the program."""

    period: str
    rule: Rule
    window: Window
    row_version: int


def stored_rules() -> dict[str, Rule]:
    """The rules by month; the usual one under ""."""
    rows = db.session.scalars(sa.select(ProposalWindow))
    return {row.period: Rule(row.opens_day, row.closes_day, row.result_days) for row in rows}


def window_now(at: datetime) -> Now:
    """Where in the month the office is."""
    calendar = calendar_in_use()
    today = calendar.day_of(at)
    window = window_on(stored_rules(), today, calendar)
    return Now(window, today, working_days_left(calendar, today, window.closes))


def look_at_rules(*, by: Actor, at: datetime) -> tuple[RuleLine, ...]:
    """The usual rule and those of single months that are not over. Raises NotAllowed."""
    require(by, *AREA_ROLES)
    calendar, rules = calendar_in_use(), stored_rules()
    current = window_on(rules, calendar.day_of(at), calendar).period
    rows = {row.period: row.row_version for row in db.session.scalars(sa.select(ProposalWindow))}
    usual = _line(USUAL, current, rules, rows.get(USUAL, 0), calendar)
    special = sorted(period for period in rules if period >= current)
    return (usual, *(_line(period, period, rules, rows[period], calendar) for period in special))


def save_rule(period: str, rule: Rule, *, row_version: int, by: Actor, at: datetime) -> None:
    """Set the days of all months (`period` "") or of one. `row_version` is that of the rule that was seen, 0 for none.

    Raises InvalidInput with all problems, NotAllowed, Conflict.
    """
    require(by, *KEEPERS)
    problems = _problems(period, rule)
    if problems:
        raise InvalidInput(problems)
    try:
        with transaction() as session:
            row = session.scalar(sa.select(ProposalWindow).where(ProposalWindow.period == period).with_for_update())
            if (row.row_version if row else 0) != row_version:
                raise changed_meanwhile()
            row = row or ProposalWindow(period=period)
            row.opens_day, row.closes_day, row.result_days = rule.opens_day, rule.closes_day, rule.result_days
            row.stamp(by.account_id, at)
            session.add(row)
            detail = {"periode": period or "biasa", "mulai": rule.opens_day, "batas": rule.closes_day, "hasil": rule.result_days}
            audit.record("jendela_usulan", "jendela_usulan", by=by, at=at, detail=detail)
    except Duplicate as error:
        raise changed_meanwhile() from error


def remove_rule(period: str, *, by: Actor, at: datetime) -> None:
    """Let the usual days hold for a month again. Raises NotFound, NotAllowed."""
    require(by, *KEEPERS)
    with transaction() as session:
        row = session.scalar(sa.select(ProposalWindow).where(ProposalWindow.period == period, ProposalWindow.period != USUAL))
        if row is None:
            raise NotFound("Jendela bulan itu tidak ada.", "Muat ulang halaman.")
        session.delete(row)
        audit.record("jendela_usulan_hapus", "jendela_usulan", by=by, at=at, detail={"periode": period})


def _line(period: str, shown: str, rules: Rules, row_version: int, calendar: Calendar) -> RuleLine:
    return RuleLine(period, rule_for(rules, period), window_of(rules, shown, calendar), row_version)


def _problems(period: str, rule: Rule) -> dict[str, str]:
    problems = {}
    if period != USUAL and not is_period(period):
        problems["period"] = "Tulis bulan dan tahun, contoh 12-2026."
    for name, day in (("opens_day", rule.opens_day), ("closes_day", rule.closes_day)):
        if not 1 <= day <= 31:
            problems[name] = "Isi tanggal antara 1 dan 31."
    if not problems and rule.closes_day < rule.opens_day:
        problems["closes_day"] = "Batas akhir tidak sebelum tanggal mulai."
    if not 1 <= rule.result_days <= MOST_RESULT_DAYS:
        problems["result_days"] = f"Isi antara 1 dan {MOST_RESULT_DAYS} hari kerja."
    return problems
