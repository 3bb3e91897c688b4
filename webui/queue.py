"""The queue at the counter: cards, calling, the screen on the wall, and how long people waited."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from appliance.casework import calling_order, tickets, waiting_times
from appliance.casework.tickets import COUNTER_ROLES, Step, Ticket
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from webui import navigation
from webui.navigation import Entry
from webui.session import actor, now, public, settings, signed_in

blueprint = Blueprint("queue", __name__)
COUNTER = tuple(sorted(COUNTER_ROLES))
NAVIGATION = (Entry("Antrean", "queue.desk", icon="clock", roles=COUNTER, order=15, group=navigation.COUNTER),)
DESK = "loket"
# A reload without script keeps the wall fresh; it costs the node next to nothing.
SCREEN_SECONDS = 4
SAID = {
    Step.CALL: "Kartu {} dipanggil.",
    Step.RECALL: "Kartu {} dipanggil ulang.",
    Step.SERVE: "Kartu {} mulai dilayani.",
    Step.SKIP: "Kartu {} kembali ke akhir antrean.",
    Step.ABSENT: "Kartu {} dicatat tidak hadir. Bila tamunya datang, panggil dari daftar tidak hadir.",
    Step.FINISH: "Kartu {} selesai.",
}


@blueprint.get("/antrean")
@signed_in(*COUNTER)
def desk() -> ResponseReturnValue:
    """Giving cards, calling the next, and the card in hand."""
    return _desk_page({})


@blueprint.post("/antrean/kartu")
@signed_in(*COUNTER)
def give() -> ResponseReturnValue:
    """Give a card and show it for printing."""
    token = request.form.get("request_id", "")[:64] or new_id()
    try:
        card = tickets.give_card(
            request.form.get("card", ""), request.form.getlist("groups"), request_id=token, by=actor(), at=now()
        )
    except InvalidInput as error:
        return _desk_page(error.problems), 422
    return redirect(url_for("queue.card", ticket_id=card.id), 303)


@blueprint.get("/antrean/kartu/<ticket_id>")
@signed_in(*COUNTER)
def card(ticket_id: str) -> ResponseReturnValue:
    """The card on a small paper."""
    return render_template("queue/card.html", ticket=tickets.ticket_of(ticket_id, by=actor()))


@blueprint.post("/antrean/panggil")
@signed_in(*COUNTER)
def call_next() -> ResponseReturnValue:
    """Call whose turn it is."""
    try:
        called = tickets.call_next(_desk(), by=actor(), at=now())
    except InvalidInput as error:
        return _desk_page(error.problems), 422
    except Conflict as error:
        return _conflict(error)
    if called is None:
        flash("Tidak ada yang menunggu.", "info")
    return redirect(url_for("queue.desk"), 303)


@blueprint.post("/antrean/kartu/<ticket_id>/<step>")
@signed_in(*COUNTER)
def take_step(ticket_id: str, step: str) -> ResponseReturnValue:
    """One thing with one card."""
    version = request.form.get("row_version", 0, type=int)
    try:
        ticket = tickets.take_step(ticket_id, step, desk=_desk(), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        return _desk_page(error.problems), 422
    except Conflict as error:
        return _conflict(error)
    flash(SAID[Step(step)].format(ticket.code), "good")
    return redirect(url_for("queue.desk"), 303)


@blueprint.get("/layar-antrean")
@public
def screen() -> ResponseReturnValue:
    """The wall: which number goes to which desk. Without a sign-in, for it shows nobody; `tempat` is a Puskesos' village."""
    place = request.args.get("tempat", "") or settings().node.district
    return render_template("queue/screen.html", screen=tickets.screen(place, now()), place=place, seconds=SCREEN_SECONDS)


@blueprint.get("/antrean/waktu")
@signed_in(*sorted(waiting_times.READERS))
def waits() -> ResponseReturnValue:
    """Waiting and serving, day by day."""
    return render_template("queue/waits.html", days=waiting_times.waiting_times(by=actor(), at=now()))


def card_in_hand() -> Ticket | None:
    """The card this officer is serving now, for the pages on which that service happens."""
    return tickets.ticket_in_hand(by=actor(), at=now())


def _desk() -> str:
    """The number of this officer's desk: as typed, else as she typed it last on this browser."""
    typed = request.form.get(DESK, "").strip()
    if typed:
        session[DESK] = typed[:4]
    return str(session.get(DESK, ""))


def _conflict(error: Conflict) -> ResponseReturnValue:
    return _desk_page({}, error), 409


def _desk_page(problems: dict[str, str], conflict: Conflict | None = None) -> str:
    return render_template(
        "queue/desk.html",
        line=tickets.the_line(by=actor(), at=now()),
        place=tickets.counter_of(actor()),
        desk=session.get(DESK, ""),
        token=new_id(),
        rule=calling_order.RULE,
        chosen=request.form.getlist("groups"),
        problems=problems,
        conflict=conflict,
    )
