"""The page of the node's clock: what it shows, what is thought of it, and setting it."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance import clock, clock_orders
from appliance.clock import Reading
from appliance.errors import InvalidInput
from appliance.models.roles import Role
from webui.forms.network import ClockForm
from webui.navigation import Entry
from webui.security import works_while_held
from webui.session import now, required, settings, signed_in

blueprint = Blueprint("node_clock", __name__)
NAVIGATION = (Entry("Jam", "node_clock.show", icon="clock", roles=(Role.ADMIN,), order=89),)


@blueprint.get("/jam")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """The node's time beside that of the reader's device, which a script fills in."""
    local = now().astimezone(settings().zone)
    return _page(ClockForm(data={"date": local.date(), "time": f"{local:%H.%M}"}))


def _page(form: ClockForm) -> str:
    found = settings()
    mark = clock.read_mark(clock.mark_file(found))
    reading = clock.judge(now(), mark)
    return render_template(
        "network/clock.html",
        at=now(),
        local=now().astimezone(found.zone),
        ahead=reading is Reading.AHEAD,
        wrong=clock.sentence(reading, now(), mark, found.zone),
        waiting=clock_orders.is_waiting(found),
        timezone=found.node.timezone,
        form=form,
    )


@blueprint.post("/jam")
@signed_in(Role.ADMIN)
@works_while_held
def change() -> ResponseReturnValue:
    """Have the clock set, or call it right."""
    form = ClockForm(request.form)
    typed, password = form.typed.data or "", form.password.data or ""
    try:
        if form.wish.data == "right":
            clock_orders.call_it_right(settings(), typed, password, by=required(), at=now())
            flash("Jam simpul dinyatakan benar; simpanan diterima lagi.", "good")
        else:
            wanted = _wanted(form)
            clock_orders.set_clock(settings(), wanted, typed, password, by=required(), at=now())
            flash("Jam sedang diatur. Sesudahnya Anda mungkin harus masuk lagi.", "info")
    except InvalidInput as error:
        form.refuse(error)
        return _page(form), 422
    return redirect(url_for("node_clock.show"), 303)


def _wanted(form: ClockForm) -> datetime:
    """The moment that was typed, in the office's zone. Raises InvalidInput."""
    form.validate()
    moment = form.moment(settings().zone)
    if moment is None:
        raise InvalidInput(form.problems or {"date": "Isi tanggal dan jamnya."})
    return moment.astimezone(UTC)
