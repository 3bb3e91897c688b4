"""A family's page: its members, its card over time, what happened in it; and the histories of people and families."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES, EDITOR_ROLES, REVEAL_ROLES
from appliance.errors import InvalidInput
from appliance.registry import codes, families, files, life_events, people
from appliance.registry.families import FamilyDetail
from webui.forms.people import ReasonForm
from webui.session import actor, now, signed_in

blueprint = Blueprint("families", __name__)
READERS = tuple(sorted(AREA_ROLES))
RECENT_EVENTS = 5


@blueprint.get("/keluarga/<family_id>")
@signed_in(*READERS)
def show(family_id: str) -> ResponseReturnValue:
    """One family; numbers are masked."""
    return _family_page(families.look_at_family(family_id, by=actor(), at=now()))


@blueprint.post("/keluarga/<family_id>/kk")
@signed_in(*READERS)
def reveal(family_id: str) -> ResponseReturnValue:
    """The same with whole card numbers; who asked and why is noted."""
    try:
        family = families.reveal_family(family_id, reason=ReasonForm(request.form).why, by=actor(), at=now())
    except InvalidInput as error:
        return _family_page(families.look_at_family(family_id, by=actor(), at=now()), problems=error.problems), 422
    return _family_page(family, revealed=True)


@blueprint.get("/keluarga/<family_id>/riwayat")
@signed_in(*READERS)
def history(family_id: str) -> ResponseReturnValue:
    """All that happened to a family, newest first."""
    family = families.look_at_family(family_id, by=actor(), at=now())
    happened = life_events.of_family(family_id, by=actor(), after=request.args.get("sesudah", ""))
    return render_template("families/history.html", family=family, happened=happened)


@blueprint.get("/warga/<person_id>/riwayat")
@signed_in(*READERS)
def life(person_id: str) -> ResponseReturnValue:
    """All that happened to a person, newest first."""
    line = people.look_at_person(person_id, by=actor(), at=now()).line
    happened = life_events.of_person(person_id, by=actor(), after=request.args.get("sesudah", ""))
    return render_template("people/history.html", line=line, happened=happened)


def _family_page(family: FamilyDetail, *, revealed: bool = False, problems: Mapping[str, str] | None = None) -> str:
    return render_template(
        "families/show.html",
        family=family,
        happened=life_events.of_family(family.id, by=actor(), most=RECENT_EVENTS),
        files=files.of_family(family.id, by=actor()),
        revealed=revealed,
        problems=problems or {},
        codes=codes,
        reasons=[(reason, reason) for reason in people.REVEAL_REASONS],
        may_reveal=actor().has_in(family.village_code, *REVEAL_ROLES),
        may_edit=actor().has_in(family.village_code, *EDITOR_ROLES),
    )
