"""The power page: how the mains and the UPS are, the last day as a chart, and the book of outages, a sheet a month."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from appliance import custody
from appliance.models.roles import Role
from appliance.orders import MAY_ORDER, give_order, may_order
from appliance.power import journal, samples, stops
from appliance.power import state as published
from appliance.power.battery import measurements, outlook
from appliance.power.book import Cut, Month, cuts, month_of
from appliance.power.chain_check import read_light
from appliance.power.policy import Asked
from appliance.power.sentences import NOTICES, duration, untold, what_happened, what_users_saw
from webui.months import chosen_month, neighbour
from webui.navigation import Entry
from webui.power_banner import BELIEVED
from webui.power_chart import HEIGHT, WIDTH, chart
from webui.security import works_while_held
from webui.session import actor, now, settings, signed_in
from webui.words import month_words, short_moment_words

blueprint = Blueprint("power", __name__)
KEEPERS = (Role.ADMIN, Role.MANAJER, Role.PIMPINAN, Role.SUPERVISOR)
NAVIGATION = (Entry("Listrik", "power.show", icon="power", roles=KEEPERS, order=80),)
CHART = timedelta(days=1)
HEADINGS = (
    "Padam", "Menyala", "Lama", "Baterai sebelum (%)", "Baterai sesudah (%)", "Tegangan sebelum (V)", "Akibat", "Yang dihentikan",
    "Yang dilihat pengguna",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One outage as the book tells it."""

    cut: Cut
    lasted: str
    happened: str
    stopped: str
    seen: str


@blueprint.get("/listrik")
@signed_in()
def show() -> ResponseReturnValue:
    """Everybody who works here may know how the power is; the book is for whoever complains to the power company."""
    at, zone = now(), settings().zone
    found = published.read(Path(settings().power.runtime) / published.STATE_FILE)
    state, light = found if found and abs(at - found.at) <= BELIEVED else None, read_light(settings(), at)
    day = chart(samples.since(_folder(), at - CHART), at - CHART, at, zone)
    first = chosen_month(_today())
    return render_template(
        "power/show.html",
        state=state,
        light=light,
        untold=untold(state.notices, light.findings, state.sentence) if state else [],
        notices=NOTICES,
        chart=day,
        size=(WIDTH, HEIGHT),
        month=f"{first:%Y-%m}",
        month_name=month_words(first),
        sheet=_sheet(first),
        lines=_lines(_sheet(first)),
        battery=outlook(measurements(_cuts()), at),
        may_drill=actor().has(Role.ADMIN),
        before=neighbour(first, -1),
        after=neighbour(first, 1) if (first.year, first.month) < (_today().year, _today().month) else None,
        duration=duration,
        duration_of=lambda seconds: "" if seconds is None else duration(timedelta(seconds=seconds)),
        may_order=may_order(actor()),
    )


@blueprint.get("/listrik/buku")
@signed_in()
def book() -> ResponseReturnValue:
    """The sheet of a month on A4."""
    first = chosen_month(_today())
    found = _sheet(first)
    return render_template(
        "power/book_sheet.html",
        sheet=found,
        lines=_lines(found),
        month=f"{first:%Y-%m}",
        month_name=month_words(first),
        duration=duration,
        at=now(),
    )


@blueprint.post("/listrik/mulai")
@signed_in(*MAY_ORDER)
@works_while_held
def start_now() -> ResponseReturnValue:
    """Open a node that has just started, on the officer's word."""
    give_order(settings(), Asked.START, by=actor(), at=now())
    flash("Sistem dibuka sebentar lagi.", "good")
    return redirect(url_for("power.show"), 303)


@blueprint.post("/listrik/matikan")
@signed_in(*MAY_ORDER)
def shut_down() -> ResponseReturnValue:
    """Power off in order before the limits are reached: the battery is kept for the next outage."""
    give_order(settings(), Asked.STOP, by=actor(), at=now())
    flash("Sistem bersiap mati. Bila listrik menyala sebelum selesai, pematian dibatalkan.", "warn")
    return redirect(url_for("power.show"), 303)


@blueprint.get("/listrik/buku.csv")
@signed_in()
def sheet() -> Response:
    """The sheet of a month for a spreadsheet."""
    first, zone = chosen_month(_today()), settings().zone
    text = io.StringIO()
    table = csv.writer(text, delimiter=";")
    table.writerow(HEADINGS)
    for line in _lines(_sheet(first)):
        cut = line.cut
        lost, back = short_moment_words(cut.lost_at, zone), short_moment_words(cut.back_at, zone)
        lasted = "" if cut.lasted is None else line.lasted
        volts = "" if cut.volts_before is None else f"{cut.volts_before:g}".replace(".", ",")
        numbers = (cut.charge_before, cut.charge_after, volts)
        table.writerow([lost, back, lasted, *numbers, line.happened, line.stopped, line.seen])
    name = f"pemadaman-{first:%Y-%m}.csv"
    # the mark at the begin tells a spreadsheet that it is UTF-8
    answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _folder() -> Path:
    return Path(settings().power.state)


def _today() -> date:
    return now().astimezone(settings().zone).date()


def _cuts() -> list[Cut]:
    return cuts(journal.entries(_folder() / journal.JOURNAL_FILE))


def _sheet(first: date) -> Month:
    return month_of(_cuts(), first.year, first.month, settings().zone)


def _lines(sheet: Month) -> list[Line]:
    """The outages of a month in words, with what was stopped in each."""
    stopped = stops.stops(Path(settings().paths.data), custody.state_of(settings()))
    return [
        Line(
            cut,
            _lasted(cut),
            what_happened(cut),
            ", ".join(stops.stopped_between(stopped, cut.lost_at, cut.back_at or now())),
            what_users_saw(cut),
        )
        for cut in sheet.cuts
    ]


def _lasted(cut: Cut) -> str:
    if cut.lasted is not None:
        return duration(cut.lasted)
    return "masih padam" if cut.back_at is None else "tidak diketahui"
