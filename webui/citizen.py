"""The citizen's side: how far her case is, and what is done with her data. Nobody signs in here, and nothing internal is shown."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from appliance.casework import citizen_status
from appliance.casework.cases import NOTICE_VERSION
from appliance.errors import InvalidInput, TryLater
from webui.session import now, public

blueprint = Blueprint("citizen", __name__)
# The answer leaves the screen by itself, for the next person in the row.
ANSWER_SECONDS = 60


@blueprint.get("/cek-status")
@public
def ask() -> ResponseReturnValue:
    """The form of the kiosk."""
    return _page()


@blueprint.post("/cek-status")
@public
def answer() -> ResponseReturnValue:
    """The answer, or why there is none."""
    number, digits = request.form.get("number", ""), request.form.get("digits", "")
    try:
        found = citizen_status.ask_status(number, digits, device=request.remote_addr or "", at=now())
    except InvalidInput as error:
        return _page(number=number, trouble=error.problems["number"]), 422
    except TryLater as error:
        return _page(trouble=f"{error.message} {error.hint}"), 429
    return render_template("citizen/answer.html", found=found, seconds=ANSWER_SECONDS)


@blueprint.get("/pemberitahuan-data")
@public
def notice() -> ResponseReturnValue:
    """What is done with a citizen's data, to read, to print and to hang up."""
    return render_template("citizen/notice.html", version=NOTICE_VERSION)


def _page(number: str = "", trouble: str = "") -> str:
    return render_template("citizen/ask.html", number=number, trouble=trouble)
