"""One case as it was on some night or at some moment: asking for it, reading it beside the case of today, printing and closing it.

For whoever leads (`restore_orders.LOOKERS`): she may read the case, an administrator may not. What is shown lies with the service for
half an hour and is named by a random word, so that no address tells whose case it was.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance import restore_orders
from appliance.casework import casebook
from appliance.errors import InvalidInput
from appliance.restoration import looks
from appliance.restoration.looking import as_words
from appliance.restore_orders import LOOKERS, MOMENT, Order, Progress, Wish
from webui.backup_restores import kept_backups
from webui.forms.backups import LookForm
from webui.old_case_words import compare
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("old_cases", __name__)
READERS = tuple(sorted(LOOKERS))


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """For templates: whether this person may look at a case as it was."""
    return {"may_look_back": lambda: actor().has(*LOOKERS)}


@blueprint.get("/keadaan-dahulu")
@signed_in(*READERS)
def ask() -> ResponseReturnValue:
    """Which case, from when and why; and how far what she asked for is."""
    form = LookForm()
    if case_id := request.args.get("kasus", ""):
        form.case.data = next((line.number for line in casebook.list_these([case_id], by=actor(), at=now())), "")
    return _ask(form)


@blueprint.post("/keadaan-dahulu")
@signed_in(*READERS)
def order() -> ResponseReturnValue:
    """Leave the order; it begins within seconds."""
    form = LookForm(request.form)
    if not form.validate():
        return _ask(form), 422
    chosen = form.run.data or ""
    number = int(chosen) if chosen in {str(line.number) for line in kept_backups()} else 0
    moment = form.moment(settings().zone)
    when, case = moment.strftime(MOMENT) if moment else "", (form.case.data or "").upper()
    wanted = Order(Wish.LOOK, number, actor().username, form.reason.data or "", case=case, moment=when)
    try:
        restore_orders.give(settings(), wanted, "", by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _ask(form), 422
    return redirect(url_for("old_cases.ask"), 303)


@blueprint.get("/keadaan-dahulu/<look_id>")
@signed_in(*READERS)
def show(look_id: str) -> ResponseReturnValue:
    """The case as it was, beside the case of today."""
    return _page("old_cases/show.html", look_id, "membaca")


@blueprint.get("/keadaan-dahulu/<look_id>/cetak")
@signed_in(*READERS)
def sheet(look_id: str) -> ResponseReturnValue:
    """The same on paper."""
    return _page("old_cases/sheet.html", look_id, "mencetak")


@blueprint.post("/keadaan-dahulu/<look_id>/tutup")
@signed_in(*READERS)
def close(look_id: str) -> ResponseReturnValue:
    """Erase it."""
    looks.close(settings(), look_id, by=actor(), at=now())
    flash("Salinan keadaan dahulu sudah dihapus.", "good")
    return redirect(url_for("old_cases.ask"), 303)


def _page(template: str, look_id: str, what: str) -> str:
    look, today = looks.open_look(settings(), look_id, what=what, by=actor(), at=now())
    compared = compare(look.case, as_words(today) if today else None, settings().zone)
    return render_template(template, look=look, line=look.case["line"], compared=compared, printed_for=actor().name, at=now())


def _ask(form: LookForm) -> str:
    return render_template(
        "old_cases/ask.html",
        form=form,
        problems=form.problems,
        nights=kept_backups(),
        # the log of SQLite is carried over between two nights, that of a server is not
        between="" if settings().database.url else LookForm.BETWEEN,
        progress=_own_progress(),
        waiting=restore_orders.is_under_way(settings()),
    )


def _own_progress() -> Progress | None:
    """How far her own order is; nobody else learns of it. What she could read and cannot any more is over."""
    told = restore_orders.read_progress(settings())
    if told is None or told.wish is not Wish.LOOK or told.by != actor().username:
        return None
    return told if not told.result or looks.is_there(settings(), told.result, by=actor(), at=now()) else None
