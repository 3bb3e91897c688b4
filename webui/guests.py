"""The guest book of the counter: visits that need no case."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.casework import guests
from appliance.casework.guests import NewGuest
from appliance.casework.tickets import COUNTER_ROLES
from appliance.errors import InvalidInput
from appliance.models.columns import new_id
from webui import navigation
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.queue import card_in_hand
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("guests", __name__)
READERS = tuple(sorted(guests.READERS))
NAVIGATION = (Entry("Buku tamu", "guests.listing", icon="people", roles=READERS, order=36, group=navigation.COUNTER),)


@blueprint.get("/buku-tamu")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The visits of one day (`hari`, else today), and for the counter the form for the next."""
    return _page({})


@blueprint.post("/buku-tamu")
@signed_in(*sorted(COUNTER_ROLES))
def add() -> ResponseReturnValue:
    """Write one visit into the book; it ends the card in hand."""
    typed = {name: " ".join(request.form.get(name, "").split()) for name in ("name", "origin", "purpose", "ticket_id")}
    new = NewGuest(**typed, answer=request.form.get("answer", "").replace("\r\n", "\n"))
    try:
        guests.write_guest(new, request_id=request.form.get("request_id", "")[:64] or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        return _page(error.problems), 422
    flash("Kunjungan tercatat di buku tamu.", "good")
    return redirect(url_for("queue.desk" if new.ticket_id else "guests.listing"), 303)


def _page(problems: dict[str, str]) -> str:
    day = _wanted_day()
    return render_template(
        "guests/listing.html",
        day=day,
        found=guests.guests_of(day, by=actor(), at=now()),
        most=guests.MOST_SHOWN,
        writes=actor().has(*COUNTER_ROLES),
        ticket=card_in_hand(),
        token=request.form.get("request_id") or new_id(),
        typed=request.form,
        problems=problems,
    )


def _wanted_day() -> date:
    try:
        return read_day(request.args.get("hari", ""))
    except ValueError:
        return now().astimezone(settings().zone).date()
