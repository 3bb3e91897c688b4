"""Small papers of the front office: the slip of a case for 58 and 80 mm printers and A6, and the card of the queue."""

from __future__ import annotations

import re

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.letters import office, slips
from appliance.models.roles import Role
from webui.session import actor, now, signed_in

blueprint = Blueprint("slips", __name__)
READERS = tuple(sorted(AREA_ROLES))
COUNTER = (Role.FO, Role.FO_PUSKESOS, Role.BO, Role.BO_PUSKESOS)
SIZES = {"80": "Struk 80 mm", "58": "Struk 58 mm", "a6": "A6"}
CARDS = {"hijau": "Kartu hijau", "merah": "Kartu merah: didahulukan"}


@blueprint.get("/kasus/<case_id>/slip")
@signed_in(*READERS)
def slip(case_id: str) -> ResponseReturnValue:
    """What the citizen takes home."""
    found = slips.print_slip(case_id, by=actor(), at=now())
    return render_template("letters/slip.html", slip=found, case_id=case_id, size=_size(), sizes=SIZES)


@blueprint.get("/kartu-antrean")
@signed_in(*COUNTER)
def card() -> ResponseReturnValue:
    """A card of the queue with the number that was called out, for the counter's printer."""
    kind, number = request.args.get("kartu", "hijau"), request.args.get("nomor", "").strip().upper()
    return render_template(
        "letters/queue_card.html",
        kind=kind if kind in CARDS else "hijau",
        cards=CARDS,
        number=number if re.fullmatch(r"[A-Z0-9-]{1,6}", number) else "",
        head=office.letterhead(),
        size=_size(),
        sizes=SIZES,
    )


def _size() -> str:
    size = request.args.get("ukuran", "80")
    return size if size in SIZES else "80"
