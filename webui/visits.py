"""Visits: what is to be visited or judged, and the sheet that the facilitator takes along."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.casework import visits
from appliance.casework.visits import JUDGES, VISITORS
from webui import navigation
from webui.navigation import Entry
from webui.session import actor, now, signed_in

blueprint = Blueprint("visits", __name__)
CONCERNED = tuple(sorted(JUDGES | VISITORS))
NAVIGATION = (Entry("Kunjungan", "visits.listing", icon="map", roles=CONCERNED, order=35, group=navigation.CASES),)


@blueprint.get("/kunjungan")
@signed_in(*CONCERNED)
def listing() -> ResponseReturnValue:
    """The visits that wait for her, the most urgent first."""
    by = actor()
    return render_template("visits/listing.html", found=visits.list_visits(by=by, at=now()), me=by.account_id)


@blueprint.get("/kunjungan/<visit_id>/lembar")
@signed_in(*sorted(AREA_ROLES))
def sheet(visit_id: str) -> ResponseReturnValue:
    """The sheet on A4, to fill by hand and to be signed; once reported, with what was reported."""
    return render_template("visits/sheet.html", sheet=visits.sheet_of(visit_id, by=actor(), at=now()))
