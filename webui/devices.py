"""Who is signed in on which device, and cutting one off."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance import accounts
from appliance.accounts.devices import READERS
from appliance.incidents.rules import READERS as INCIDENT_READERS
from webui.navigation import Entry
from webui.session import actor, limits, now, required, settings, signed_in

blueprint = Blueprint("devices", __name__)
NAVIGATION = (Entry("Perangkat petugas", "devices.listing", icon="lock", roles=READERS, order=91),)


@blueprint.get("/perangkat")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The devices that she may cut off; `akun` narrows to one account, `q` to names."""
    account_id, text = request.args.get("akun", ""), request.args.get("q", "")
    found = accounts.list_devices(required(), at=now(), limits=limits(), zone=settings().zone, account_id=account_id, text=text)
    return render_template(
        "devices/list.html", devices=found, q=text, account_id=account_id, may_report=actor().has(*INCIDENT_READERS)
    )


@blueprint.post("/perangkat/putus")
@signed_in()
def cut() -> ResponseReturnValue:
    """Cut one off; who cuts off her own goes back to her own account."""
    account_id = accounts.cut_device(request.form.get("session_id", ""), by=actor(), at=now(), zone=settings().zone)
    flash("Perangkat sudah diputus. Untuk memakainya lagi, petugas harus masuk dengan kata sandinya.", "good")
    if account_id == actor().account_id:
        return redirect(url_for("sign_in.mine"), 303)
    return redirect(url_for("devices.listing", akun=account_id), 303)
