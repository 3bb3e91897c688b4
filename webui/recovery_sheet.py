"""The page on which somebody tries the recovery sheet. What stands on it, the pages do not know."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import InvalidInput
from appliance.models.roles import Role
from appliance.recovery import proving, record, rules
from webui.forms.backups import SheetForm
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("recovery_sheet", __name__)


@blueprint.get("/cadangan/lembar")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """Since when it is in use, when it was tried, and the field to try it."""
    return _page({})


@blueprint.post("/cadangan/lembar")
@signed_in(Role.ADMIN)
def prove() -> ResponseReturnValue:
    """Try what was typed."""
    form = SheetForm(request.form)
    try:
        if record.read(settings()) is not None and not form.validate():
            raise InvalidInput(form.problems)
        proving.prove(settings(), form.paper.data or "", form.groups.data or "", by=actor(), at=now())
    except InvalidInput as error:
        return _page(error.problems, form.paper.data or ""), 422
    flash("Benar. Lembar itu tercatat sudah diuji hari ini.", "good")
    return redirect(url_for("recovery_sheet.show"), 303)


def _page(problems: dict[str, str], paper: str = "") -> str:
    sheet = record.read(settings())
    return render_template(
        "backups/sheet.html",
        sheet=sheet,
        verdict=rules.judge(sheet, now()),
        problems=problems,
        paper=paper,
        holders={one.value: rules.HOLDERS[one][:1].upper() + rules.HOLDERS[one][1:] for one in (sheet.papers if sheet else ())},
    )
