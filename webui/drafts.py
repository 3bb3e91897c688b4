"""What is being typed, kept while it is typed: saved by a small script or a button, offered again, dropped once it is stored.

A form takes part by its endpoint in FORMS and the pieces of `draft_pieces.html`. Its draft is named by the path it is sent to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from appliance.casework import drafts
from appliance.errors import InvalidInput
from webui.sealed import seal, unseal
from webui.session import actor, may_open, now, required, signed_in

blueprint = Blueprint("drafts", __name__)
# Endpoint of the form → what a list calls it.
FORMS: Mapping[str, str] = {
    "cases.create": "Kasus baru",
    "cases.move": "Langkah kasus",
    "people.register": "Pendaftaran warga baru",
    "referrals.create": "Rujukan",
}
# What is never typed, or belongs to the page and not to the person. The row version is that of the page on which she goes on.
NOT_TYPED = frozenset({"csrf_token", "draft_form", "quiet", "row_version", "seen", "despite", "asked"})
WANTED = "draf"


@dataclass(frozen=True)
class Offer:
    """One draft on a page: what it is, where to go on with it, and which form to drop."""

    form: str
    title: str
    url: str
    saved_at: datetime


@blueprint.post("/draf")
@signed_in()
def save() -> ResponseReturnValue:
    """Keep what is typed. The script asks for no page; the button leads to the first one, where the draft is offered."""
    form, quiet = request.form.get("draft_form", ""), "quiet" in request.form
    if _offered(form) is None:
        raise InvalidInput({"draft": "Isian ini tidak dapat disimpan sementara."})
    _save(form)
    if quiet:
        return "", 204
    flash("Draf tersimpan. Lanjutkan kapan saja dari halaman ini; draf dihapus setelah tujuh hari.", "good")
    return redirect(url_for("home.show"), 303)


@blueprint.post("/draf/buang")
@signed_in()
def drop() -> ResponseReturnValue:
    """Give a draft up."""
    drafts.drop_draft(request.form.get("draft_form", ""), by=actor())
    flash("Draf dibuang.", "good")
    return redirect(url_for("home.show"), 303)


@blueprint.app_context_processor
def offer_drafts() -> dict[str, object]:
    """For templates: the draft of a form, and all drafts of this person."""
    return {"draft_for": offer_for, "all_drafts": all_offers}


def offer_for(form: str) -> Offer | None:
    """Her draft of the form sent to this path, unless the page was made from it."""
    kept = None if request.args.get(WANTED) or request.method == "POST" else drafts.draft_of(form, by=actor(), at=now())
    return _offer(kept) if kept else None


def all_offers() -> list[Offer]:
    """Her drafts that she may still go on with, the newest first."""
    return [offer for kept in drafts.drafts_of(by=actor(), at=now()) if (offer := _offer(kept))]


def typed_before(form: str) -> MultiDict[str, str] | None:
    """What the draft of this form holds, when the page was asked to go on with it."""
    kept = drafts.draft_of(form, by=actor(), at=now()) if request.args.get(WANTED) else None
    text = unseal(kept.sealed) if kept else ""
    return MultiDict(json.loads(text)) if text else None


def stored(form: str) -> None:
    """The form was stored for good: forget its draft."""
    drafts.drop_draft(form, by=actor())


def keep_typed() -> Offer | None:
    """Keep what was typed into the form of this request, which cannot be stored; None when the form takes no drafts."""
    if _offered(request.path) is None:
        return None
    try:
        _save(request.path)
    except InvalidInput:  # longer than a draft may be
        return None
    kept = drafts.draft_of(request.path, by=actor(), at=now())
    return _offer(kept) if kept else None


def _save(form: str) -> None:
    typed = {name: values for name, values in request.form.lists() if name not in NOT_TYPED}
    drafts.save_draft(form, seal(json.dumps(typed)), by=actor(), at=now())


def _offer(kept: drafts.Kept) -> Offer | None:
    found = _offered(kept.form)
    return Offer(kept.form, found[0], found[1], kept.saved_at) if found and unseal(kept.sealed) else None


def _offered(form: str) -> tuple[str, str] | None:
    """What the form at this path is called and where one goes on with it; None when it takes no drafts or is not hers."""
    try:
        endpoint, values = current_app.url_map.bind("").match(form, method="POST")
    except HTTPException:
        return None
    if endpoint not in FORMS or not may_open(endpoint, required()):
        return None
    if endpoint == "cases.move":
        go_on = url_for("cases.show", case_id=values["case_id"], langkah=values["action"], draf=1)
    else:
        go_on = f"{form}?{WANTED}=1"
    return FORMS[endpoint], go_on
