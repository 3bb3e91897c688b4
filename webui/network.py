"""The page of the node's address: how it is, trying another one, and the page at the new address that keeps it.

The pages may change nothing of the network: they leave an order for root's keeper and read what it wrote.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Interface

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import InvalidInput
from appliance.lan import card, orders, trial
from appliance.lan.rules import Present, Typed
from appliance.letters.pdf import to_pdf
from appliance.models.roles import Role
from webui.forms.network import AddressForm
from webui.letters import pdf_response
from webui.navigation import Entry
from webui.security import works_while_held
from webui.session import actor, now, public, settings, signed_in

blueprint = Blueprint("network", __name__)
NAVIGATION = (Entry("Jaringan", "network.show", icon="map", roles=(Role.ADMIN,), order=88),)


@blueprint.get("/jaringan")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """The address of now, the one on trial, how the last change went, and the form for another one."""
    return _page(AddressForm(data=_as_typed(trial.read_seen(settings()))))


def _page(form: AddressForm) -> str:
    found = settings()
    return render_template(
        "network/show.html",
        seen=trial.read_seen(found),
        trial=trial.read_trial(found),
        told=trial.read_told(found),
        waiting=orders.is_waiting(found),
        hostname=found.node.hostname,
        network=found.network,
        form=form,
    )


def _as_typed(seen: Present | None) -> dict[str, str]:
    """The present address, to begin from."""
    if seen is None or not seen.addresses:
        return {}
    return {"address": seen.addresses[0], "gateway": seen.gateway, "dns": ", ".join(seen.dns)}


@blueprint.get("/jaringan/kartu.pdf")
@signed_in(Role.ADMIN)
def address_card() -> ResponseReturnValue:
    """The card with the addresses, to print and hang up."""
    return pdf_response(to_pdf(card.draw(settings(), trial.read_seen(settings()), now())), "kartu-alamat.pdf")


@blueprint.post("/jaringan/coba")
@signed_in(Role.ADMIN)
@works_while_held
def try_address() -> ResponseReturnValue:
    """Order an address to be tried."""
    form = AddressForm(request.form)
    try:
        form.validate()
        typed = Typed(form.address.data or "", form.gateway.data or "", form.dns.data or "")
        orders.ask_for(settings(), typed, by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _page(form), 422
    return redirect(url_for("network.show"), 303)


@blueprint.post("/jaringan/batal")
@signed_in(Role.ADMIN)
@works_while_held
def undo() -> ResponseReturnValue:
    """Take the address on trial back now."""
    orders.ask_back(settings(), by=actor(), at=now())
    flash("Alamat yang dicoba sedang dicabut.", "info")
    return redirect(url_for("network.show"), 303)


@blueprint.post("/jaringan/lihat")
@signed_in(Role.ADMIN)
@works_while_held
def look() -> ResponseReturnValue:
    """Ask for a fresh look."""
    orders.ask_to_look(settings(), by=actor())
    return redirect(url_for("network.show"), 303)


@blueprint.get("/jaringan/konfirmasi/<token>")
@public
def ask_to_confirm(token: str) -> ResponseReturnValue:
    """The page at the new address. Without a sign-in: the minute is short, and the link is known to the administrator only."""
    found = orders.find_trial(settings(), token)
    here = _host() == found.wanted.host
    return render_template("network/confirm.html", trial=found, token=token, here=here)


@blueprint.post("/jaringan/konfirmasi/<token>")
@public
@works_while_held
def confirm(token: str) -> ResponseReturnValue:
    """Keep the address."""
    orders.confirm(settings(), token, _host(), at=now())
    return render_template("network/kept.html", host=_host())


def _host() -> str:
    """The address under which this page was reached."""
    text = request.host.rpartition(":")[0] or request.host
    try:
        return str(IPv4Interface(text).ip)
    except (AddressValueError, ValueError):
        return text
