"""The pages of the power drills: begin one that needs nobody at the server, follow it, and print its record on A4."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.drills import asked, records
from appliance.drills.records import RESULTS, TITLES, Level, Record, Result
from appliance.drills.rules import refusals
from appliance.drills.run import DrillRefused, situation
from appliance.errors import InvalidInput
from appliance.models.roles import Role
from appliance.power.sentences import duration
from webui.session import actor, now, settings, signed_in
from webui.words import Word

blueprint = Blueprint("drills", __name__)
TONES = {Result.RUNNING: "info", Result.PASSED: "good", Result.FAILED: "bad", Result.ABORTED: "warn", Result.CUT: "warn"}
WORDS = {result: Word(RESULTS[result], tone) for result, tone in TONES.items()}
# What each level does to whoever works meanwhile.
EFFECTS = {
    Level.TABLE_TOP: "Sekitar satu menit. Pengawas kedua memainkan empat pemadaman dengan UPS tiruan; pekerjaan tidak terganggu.",
    Level.DRAIN: "Beberapa detik. Simpanan baru ditolak sebentar, semua data ditulis ke disk, lalu dibuka kembali.",
    Level.PLUG: "Sekitar dua menit. Seseorang mencabut steker UPS selama 90 detik; perlindungan yang sebenarnya tetap aktif.",
}


@blueprint.get("/listrik/latihan")
@signed_in(Role.ADMIN)
def listing() -> ResponseReturnValue:
    """What may be begun now, and every drill that was."""
    return _listing()


@blueprint.post("/listrik/latihan")
@signed_in(Role.ADMIN)
def begin() -> ResponseReturnValue:
    """Ask for a drill; it begins within seconds."""
    try:
        level = Level(request.form.get("level", ""))
    except ValueError as error:
        raise InvalidInput({"level": "Pilih latihan yang akan dimulai."}) from error
    try:
        asked.ask(level, settings(), by=actor(), at=now())
    except DrillRefused as error:
        return _listing(error), 409
    flash("Latihan dimulai. Halaman catatannya muncul di daftar dalam beberapa detik.", "good")
    return redirect(url_for("drills.listing"), 303)


@blueprint.get("/listrik/latihan/<drill_id>")
@signed_in(Role.ADMIN)
def show(drill_id: str) -> ResponseReturnValue:
    """One record; a running one loads itself anew."""
    record = records.find(_folder(), drill_id)
    return render_template(
        "power/drill.html", drill=record, words=WORDS, lasted=_lasted(record), whole=records.seal_holds(record)
    )


@blueprint.get("/listrik/latihan/<drill_id>/lembar")
@signed_in(Role.ADMIN)
def sheet(drill_id: str) -> ResponseReturnValue:
    """The record on A4, with lines to sign."""
    record = records.find(_folder(), drill_id)
    return render_template(
        "power/drill_sheet.html",
        drill=record,
        results=RESULTS,
        lasted=_lasted(record),
        whole=records.seal_holds(record),
        at=now(),
    )


def _listing(refused: DrillRefused | None = None) -> str:
    state = situation(settings(), now())
    offers = [(level, TITLES[level], EFFECTS[level], refusals(level, state)) for level in asked.FROM_PAGES]
    found = records.list_records(_folder())
    return render_template(
        "power/drills.html",
        drills=found,
        words=WORDS,
        offers=offers,
        refused=refused,
        running=any(record.result is Result.RUNNING for record in found)
        or (Path(settings().paths.runtime) / asked.REQUEST).exists(),
    )


def _folder() -> Path:
    return records.folder_of(Path(settings().paths.data))


def _lasted(record: Record) -> str:
    return "" if record.ended_at is None else duration(record.ended_at - record.begun_at)
