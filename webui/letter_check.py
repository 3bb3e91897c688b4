"""Is this letter real? For anybody in the office's network who holds the paper; no sign-in."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import NotFound
from appliance.letters import check
from appliance.letters.letters import CHECK_LETTERS
from webui.security import reads_only
from webui.session import now, public

blueprint = Blueprint("letter_check", __name__)


@blueprint.get("/periksa")
@public
def ask() -> ResponseReturnValue:
    """A field for the code."""
    return _page("")


@blueprint.post("/periksa")
@public
@reads_only
def search() -> ResponseReturnValue:
    """The code was typed: on to the address that the QR code holds."""
    code = "".join(letter for letter in request.form.get("code", "") if letter.isalnum()).upper()[: CHECK_LETTERS + 1]
    return redirect(url_for("letter_check.show", check_code=code), 303) if code else (_page("", "Tulis kode dari surat."), 422)


@blueprint.get("/periksa/<check_code>")
@public
def show(check_code: str) -> ResponseReturnValue:
    """What may be told of the letter."""
    try:
        found = check.check_letter(check_code, asker=request.remote_addr or "", at=now())
    except NotFound as error:
        return _page(check_code, f"{error.message} {error.hint}"), 404
    return render_template("letters/checked.html", letter=found)


def _page(code: str, problem: str = "") -> str:
    return render_template("letters/check.html", code=code, problem=problem)
