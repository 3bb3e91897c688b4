"""The pages of the acceptance: what to try, what the node saw of it, who confirms it, and the sheet that is signed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.casework.day_words import day_in_words
from appliance.commissioning import record, subject
from appliance.commissioning.rules import BY_CODE, LONGEST_NOTE, Result, is_complete
from appliance.errors import InvalidInput, NotFound
from appliance.models.roles import Role
from webui.session import actor, now, settings, signed_in
from webui.words import Word

blueprint = Blueprint("commissioning", __name__)
WORDS = {
    Result.PASSED: Word(Result.PASSED.label, "good"),
    Result.FAILED: Word(Result.FAILED.label, "bad"),
    Result.NOT_HERE: Word(Result.NOT_HERE.label, "info"),
}


@blueprint.get("/mesin/serah-terima")
@signed_in(Role.ADMIN)
def listing() -> ResponseReturnValue:
    """All checks with their evidence and the newest word on each."""
    lines = record.look(settings(), now())
    open_ones = sum(line.last is None or line.last.result is Result.FAILED for line in lines)
    return render_template("hardware/acceptance.html", lines=lines, words=WORDS, open_ones=open_ones, complete=is_complete(lines))


@blueprint.get("/mesin/serah-terima/<check>")
@signed_in(Role.ADMIN)
def ask(check: str) -> ResponseReturnValue:
    """One check: what to do, and the form for its outcome."""
    return _form(check, {}, "", "")


@blueprint.post("/mesin/serah-terima/<check>")
@signed_in(Role.ADMIN)
def confirm(check: str) -> ResponseReturnValue:
    """Write the outcome down."""
    result, note = request.form.get("result", ""), request.form.get("note", "")
    try:
        record.confirm(settings(), check, result, note, by=actor(), at=now())
    except InvalidInput as error:
        return _form(check, error.problems, result, note), 422
    flash(f"{BY_CODE[check].title}: dicatat.", "good")
    return redirect(url_for("commissioning.listing"), 303)


@blueprint.get("/mesin/serah-terima/cetak")
@signed_in(Role.ADMIN)
def sheet() -> ResponseReturnValue:
    """The record on A4: of which node, on which day, with room for the place and the signatures."""
    lines, at = record.look(settings(), now()), now()
    shown = {"lines": lines, "complete": is_complete(lines), "node": subject.describe(settings())}
    return render_template(
        "hardware/acceptance_sheet.html", **shown, at=at, day=day_in_words(at.astimezone(settings().zone).date())
    )


def _form(code: str, problems: dict[str, str], result: str, note: str) -> str:
    line = next((line for line in record.look(settings(), now()) if line.check.code == code), None)
    if line is None:
        raise NotFound("Pemeriksaan itu tidak ada dalam daftar.", "Kembali ke halaman Serah terima.")
    history = [one for one in reversed(record.confirmations()) if one.code == code]
    results = [(one.value, one.label) for one in Result]
    shown = {"line": line, "history": history, "results": results, "words": WORDS}
    typed = {"problems": problems, "result": result, "note": note, "longest": LONGEST_NOTE}
    return render_template("hardware/acceptance_check.html", **shown, **typed)
