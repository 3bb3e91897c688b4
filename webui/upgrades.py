"""The program's own page: which version runs, what is on the stick, an upgrade, and how the last one ended.

The pages touch neither the stick nor the program: they leave an order and read what root's unit wrote. The page outlives the restart of the
pages, for the front shows its own meanwhile, which asks again.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance import __version__, upgrade_orders
from appliance.errors import InvalidInput
from appliance.models.roles import Role
from appliance.upgrade_orders import Order, Wish, confirmation_of
from webui.forms.upgrades import UpgradeForm
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("upgrades", __name__)
NAVIGATION = (Entry("Pembaruan", "upgrades.show", icon="archive", roles=(Role.ADMIN,), order=88),)


@blueprint.get("/pembaruan")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """Version, stick, progress and outcome; it loads itself anew while an order is under way."""
    return _page(UpgradeForm())


@blueprint.post("/pembaruan")
@signed_in(Role.ADMIN)
def order() -> ResponseReturnValue:
    """Leave an order; it begins within seconds."""
    form = UpgradeForm(request.form)
    wish = form.wish.data if form.wish.data in set(Wish) else None
    if wish is None or not form.validate():
        raise InvalidInput({"wish": "Pilih apa yang akan dilakukan."})
    wanted = Order(Wish(wish), actor().username, form.release.data or "", form.reason.data or "")
    try:
        upgrade_orders.give(settings(), wanted, form.typed.data or "", by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _page(form), 422
    return redirect(url_for("upgrades.show"), 303)


def _page(form: UpgradeForm) -> str:
    found = upgrade_orders.read_found(settings())
    return render_template(
        "upgrades/upgrade.html",
        version=__version__,
        found=found,
        confirmation=confirmation_of(found.version) if found else "",
        working=upgrade_orders.is_under_way(settings()),
        progress=upgrade_orders.read_progress(settings()),
        ended=upgrade_orders.read_ended(settings()),
        form=form,
    )
