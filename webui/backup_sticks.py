"""The page of the backup sticks: which are there, how each is, and the button before one is pulled."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from appliance.models.roles import Role
from appliance.sticks import asked, book, order
from backups import outcome
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("backup_sticks", __name__)
NAVIGATION = (Entry("Stik cadangan", "backup_sticks.listing", icon="disk", roles=(Role.ADMIN,), order=86),)


@blueprint.get("/cadangan/stik")
@signed_in(Role.ADMIN)
def listing() -> ResponseReturnValue:
    """All sticks with what to do next; the page loads itself anew while one is being let go."""
    found = settings()
    sticks = [
        (stick, verdict, outcome.read(book.state_of(found, stick)).last_good)
        for stick, verdict in asked.list_sticks(found, now())
    ]
    return render_template(
        "backups/sticks.html",
        sticks=sticks,
        strangers=book.read_sight(book.folder_of(found)).strangers,
        waiting=order.is_waiting(Path(found.paths.runtime)),
    )


@blueprint.post("/cadangan/stik/<label>/lepas")
@signed_in(Role.ADMIN)
def eject(label: str) -> ResponseReturnValue:
    """Ask for a stick; the page says when it may be pulled."""
    asked.ask_back(settings(), label, by=actor(), at=now())
    flash("Stik sedang dilepas. Tunggu sampai tertulis boleh dicabut.", "info")
    return redirect(url_for("backup_sticks.listing"), 303)
