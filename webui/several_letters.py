"""Letters for several cases that were ticked in a list: a draft for each, or one draft that lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.casework import casebook
from appliance.errors import InvalidInput
from appliance.letters import book, office, several, wordings
from appliance.letters.placeholders import REFERRAL
from appliance.letters.wording import CASE_LIST, Wording
from appliance.models.columns import new_id
from webui.letters import WRITERS, read_letter
from webui.session import actor, now, signed_in

blueprint = Blueprint("several_letters", __name__)


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """Whether a list of cases offers to tick them."""
    return {"may_write_letters": lambda: actor().has(*WRITERS)}


@blueprint.get("/surat/beberapa")
@signed_in(*WRITERS)
def new() -> ResponseReturnValue:
    """Which letter; then its form, with the ticked cases."""
    ticked = request.args.getlist("kasus")[: several.MOST]
    code = request.args.get("naskah", "")
    if code and ticked:
        wording = wordings.wording_of(code)
        return _page(wording, ticked, {"request_id": new_id(), "addressee": wording.addressee}, {})
    offered = [one for one in wordings.list_wordings() if one.numbered and one.active and one.kind != REFERRAL]
    cases = casebook.list_these(ticked, by=actor(), at=now())
    return render_template("letters/choose_several.html", cases=cases, wordings=offered)


@blueprint.post("/surat/beberapa")
@signed_in(*WRITERS)
def create() -> ResponseReturnValue:
    """Keep the drafts. Whoever cannot get one is named first, and nothing is stored."""
    wording, ticked = wordings.wording_of(request.form.get("wording", "")), request.form.getlist("kasus")
    token = request.form.get("request_id") or new_id()
    try:
        made = several.draft_letters(ticked, read_letter(wording), request_id=token, by=actor(), at=now())
    except InvalidInput as error:
        return _page(wording, ticked, request.form, error.problems), 422
    if len(made) == 1:
        flash("Konsep tersimpan. Periksa pratinjaunya, lalu minta paraf.", "good")
        return redirect(url_for("letters.show", letter_id=made[0]), 303)
    flash(f"{len(made)} konsep tersimpan. Periksa satu per satu, lalu minta paraf.", "good")
    return redirect(url_for("letters.listing", tampil=book.ON_THE_WAY, naskah=wording.code), 303)


def _page(wording: Wording, ticked: Sequence[str], typed: Mapping[str, str], problems: Mapping[str, str]) -> str:
    """The form. After a refusal the cases that cannot get the letter are not ticked any more, but those that have one already are:
    that is asked below. All that were asked for stay listed."""
    asked = list(dict.fromkeys([*request.form.getlist("shown"), *ticked]))[: several.MOST]
    cases = casebook.list_these(asked, by=actor(), at=now())
    names = {f"{kind}-{line.id}": line.applicant_name for line in cases for kind in ("case", "again")}
    return render_template(
        "letters/several.html",
        wording=wording,
        questions=[question for question in wording.questions if question.code != CASE_LIST],
        cases=cases,
        ticked={case_id for case_id in ticked if f"case-{case_id}" not in problems},
        gone=len(set(asked) - {line.id for line in cases}),
        typed=typed,
        problems=problems,
        told={name: f"{names[name]}: {text}" if name in names else text for name, text in problems.items()},
        asks_again=any(name.startswith("again-") for name in problems),
        signatories=[(one.id, f"{one.name}, {one.position}") for one in office.signatories()],
        purposes=[(one.name, f"{one.name} ({one.days} hari)" if one.days else one.name) for one in wording.purposes],
    )
