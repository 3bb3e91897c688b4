"""The page of the backups: what every night brought, what was proven, what is going on, and the two orders.

It reads the book of runs and nothing else: the repository is hidden from the pages.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from pathlib import Path

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance import backup_news, backup_orders, custody
from appliance.backup_orders import MAY_ORDER, Wish
from appliance.errors import InvalidInput
from appliance.models.roles import Role
from appliance.power.sentences import duration
from appliance.recovery import record
from appliance.recovery import rules as recovery_rules
from appliance.status import backup_part
from backups import book, progress
from backups.book import Line
from backups.nights import Night, NightState, nights
from backups.schedule import Depth
from webui.months import chosen_month, neighbour
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in
from webui.words import Word, month_words, number_words

blueprint = Blueprint("backups", __name__)
READERS = (Role.ADMIN, Role.MANAJER, Role.PIMPINAN, Role.SUPERVISOR)
NAVIGATION = (Entry("Cadangan", "backups.show", icon="archive", roles=READERS, order=81),)
STATES = {
    NightState.RESTORED: Word("terbukti", "good"),
    NightState.READ_BACK: Word("baik", "good"),
    NightState.FAILED: Word("gagal", "bad"),
    NightState.NONE: Word("tidak ada", "warn"),
}
KINDS = {
    book.BACKUP: "Cadangan",
    Depth.REHEARSAL: "Dipulihkan di tempat uji dan dibandingkan",
    Depth.ALL_DATA: "Semua bita dibaca, lalu dipulihkan di tempat uji",
}
ASKED = {
    Wish.BACKUP: "Cadangan segera dimulai; kemajuannya tampil di halaman ini.",
    Wish.REHEARSAL: "Uji pemulihan segera dimulai; kemajuannya tampil di halaman ini.",
    Wish.ALL_DATA: "Pemeriksaan semua data segera dimulai; ini dapat lama.",
}


@blueprint.get("/cadangan")
@signed_in(*READERS)
def show() -> ResponseReturnValue:
    """A month of nights, one of them in full, and how the backups are."""
    lines, at, zone, today = book.lines(_state()), now(), settings().zone, _today()
    first = chosen_month(_today(), _chosen_day())
    last = min(first.replace(day=monthrange(first.year, first.month)[1]), today)
    found = nights(lines, first, last, zone)
    day = _chosen_day()
    running = progress.read(_state(), at)
    return render_template(
        "backups/show.html",
        part=backup_part(settings(), at),
        sheet=recovery_rules.judge(record.read(settings()), at),
        may_try_sheet=actor().has(Role.ADMIN),
        proven=book.last_good(lines, *Depth),
        loss=_most_lost(at),
        running=running,
        left=duration(timedelta(seconds=running.seconds_left)) if running and running.seconds_left else "",
        waiting=backup_orders.is_waiting(settings()),
        weeks=_weeks(first, found),
        month=f"{first:%Y-%m}",
        month_name=month_words(first),
        before=neighbour(first, -1),
        after=neighbour(first, 1) if (first.year, first.month) < (today.year, today.month) else None,
        chosen=next((night for night in found if night.day == day), found[-1] if found else None),
        attempts=_attempts(lines, day or last),
        states=STATES,
        kinds=KINDS,
        size=size_words,
        lasted=lambda line: duration(timedelta(seconds=line.seconds)),
        may_order=backup_orders.may_order(actor()),
    )


@blueprint.post("/cadangan")
@signed_in(*sorted(MAY_ORDER))
def order() -> ResponseReturnValue:
    """Ask the scheduler for a backup or a proof; it begins within seconds."""
    try:
        wish = Wish(request.form.get("wish", ""))
    except ValueError as error:
        raise InvalidInput({"wish": "Pilih apa yang akan dimulai."}) from error
    backup_orders.give(settings(), wish, by=actor(), at=now())
    flash(ASKED[wish], "good")
    return redirect(url_for("backups.show"), 303)


def size_words(count: int) -> str:
    """Bytes in the unit that fits: 12,3 MB."""
    if count < 1_000_000:
        return f"{number_words(max(count // 1000, 1 if count else 0))} kB"
    if count < 1_000_000_000:
        return f"{number_words(round(count / 1e6, 1))} MB"
    return f"{number_words(round(count / 1e9, 2))} GB"


def _most_lost(at: datetime) -> str:
    """How much would be lost if the disk of the data failed now, in words; empty where that is told by the newest backup alone."""
    news = backup_news.read(settings())
    return duration(max(at - news.reaches, timedelta(seconds=1))) if news and news.reaches else ""


def _state() -> Path:
    return custody.state_of(settings())


def _today() -> date:
    return now().astimezone(settings().zone).date()


def _chosen_day() -> date | None:
    """The day in the address; None for what is none."""
    try:
        return date.fromisoformat(request.args.get("hari", ""))
    except ValueError:
        return None


def _weeks(first: date, found: list[Night]) -> list[list[Night | None]]:
    """The nights in rows from Monday to Sunday; None where the month has no day or the day has not come."""
    cells: list[Night | None] = [*([None] * first.weekday()), *found]
    cells += [None] * (-len(cells) % 7)
    return [cells[place : place + 7] for place in range(0, len(cells), 7)]


def _attempts(lines: list[Line], day: date) -> list[Line]:
    """Everything that ended on a day, the newest first."""
    return [line for line in reversed(lines) if line.moment.at.astimezone(settings().zone).date() == day]
