"""The pages of areas: what lies where, how many live there, who serves it, and what an address may be called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance import background
from appliance.access import AREA_ROLES
from appliance.accounts import posts
from appliance.casework import area_moves, handover, handover_records
from appliance.errors import InvalidInput
from appliance.models.area import Level
from appliance.models.roles import Role
from appliance.registry import area_codes, area_counts, area_pages, hamlets
from appliance.registry.area_codes import AreaCodes
from appliance.registry.areas import active_villages
from webui import navigation
from webui.accounts import today
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.session import actor, now, signed_in

blueprint = Blueprint("areas", __name__)
READERS = tuple(sorted({*AREA_ROLES, Role.ADMIN}))
NAVIGATION = (Entry("Wilayah", "areas.listing", icon="map", roles=READERS, order=60, group=navigation.DATA),)


@blueprint.get("/wilayah")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The subdistricts in reach with their figures, and the villages that nobody serves."""
    lines, by = area_pages.overview(by=actor()), actor()
    return render_template(
        "areas/list.html",
        lines=lines,
        total=area_pages.total(lines),
        gaps=posts.gaps(by=by, today=today()),
        old_codes=area_pages.old_codes() if by.has(Role.ADMIN) else (),
        may_count=by.has(*area_counts.COUNTING_ROLES),
        counting=background.is_asked(area_counts.KIND, area_counts.SUBJECT),
        may_hand_over=by.has(Role.ADMIN, *handover.HANDING_ROLES),
    )


@blueprint.post("/wilayah/hitung")
@signed_in(*area_counts.COUNTING_ROLES)
def count() -> ResponseReturnValue:
    """Ask for the figures to be counted now."""
    asked = area_counts.ask_now(by=actor(), at=now())
    flash("Penghitungan dimulai; muat ulang halaman ini sebentar lagi." if asked else "Penghitungan sedang berjalan.", "info")
    return redirect(url_for("areas.listing"), 303)


@blueprint.get("/wilayah/<code>")
@signed_in(*READERS)
def show(code: str) -> ResponseReturnValue:
    """One subdistrict with its villages, or one village."""
    return _page(code)


@blueprint.post("/wilayah/<code>/kode")
@signed_in(Role.ADMIN)
def save_codes(code: str) -> ResponseReturnValue:
    """The admin's codes of an area."""
    typed = request.form
    try:
        since = typed.get("valid_since", "").strip()
        codes = AreaCodes(typed.get("bps_code", ""), typed.get("successor_code", ""), _day(since) if since else None)
        area_codes.save_codes(code, codes, by=actor(), at=now())
    except InvalidInput as error:
        return _page(code, typed=typed, problems=error.problems), 422
    flash("Kode wilayah tersimpan.", "good")
    return redirect(url_for("areas.show", code=code), 303)


@blueprint.post("/wilayah/<code>/pindahkan")
@signed_in(Role.ADMIN)
def move(code: str) -> ResponseReturnValue:
    """What still has an old code goes to the codes of today; of a village that was split, hamlet by hamlet."""
    typed = request.form
    try:
        chosen = {field.removeprefix("dusun-"): to for field, to in typed.items() if field.startswith("dusun-") and to}
        hamlets_to = {typed.get(f"nama-dusun-{number}", ""): to for number, to in chosen.items()}
        area_moves.ask_move(code, typed.get("rest_code", ""), hamlets_to, by=actor(), at=now())
    except InvalidInput as error:
        return _page(code, typed=typed, problems=error.problems), 422
    flash("Pemindahan dimulai; muat ulang halaman ini sebentar lagi.", "info")
    return redirect(url_for("areas.show", code=code), 303)


@blueprint.post("/wilayah/<code>/dusun")
@signed_in(Role.ADMIN, *sorted(hamlets.KEEPER_ROLES))
def add_hamlet(code: str) -> ResponseReturnValue:
    """One more line, or several RT at once."""
    typed = request.form
    try:
        area_pages.look_at_area(code, by=actor())
        added = hamlets.add_hamlet(code, typed.get("name", ""), typed.get("rw", ""), typed.get("rt", ""), by=actor(), at=now())
    except InvalidInput as error:
        return _page(code, typed=typed, problems=error.problems), 422
    flash(f"{added} baris ditambahkan." if added else "Baris itu sudah ada.", "good" if added else "info")
    return redirect(url_for("areas.show", code=code, _anchor="dusun"), 303)


@blueprint.post("/wilayah/<code>/dusun/<hamlet_id>/hapus")
@signed_in(Role.ADMIN, *sorted(hamlets.KEEPER_ROLES))
def remove_hamlet(code: str, hamlet_id: str) -> ResponseReturnValue:
    """Take one line off the list."""
    area_pages.look_at_area(code, by=actor())
    hamlets.remove_hamlet(code, hamlet_id, by=actor(), at=now())
    flash("Baris dihapus dari daftar. Alamat warga tidak berubah.", "good")
    return redirect(url_for("areas.show", code=code, _anchor="dusun"), 303)


@blueprint.get("/wilayah/<code>/dusun.json")
@signed_in(*READERS)
def suggest(code: str) -> ResponseReturnValue:
    """What a form suggests for an address in a village, for the script that follows the choice of the village."""
    area_pages.look_at_area(code, by=actor())
    found = hamlets.suggestions([code])
    return jsonify(hamlet=found.hamlets, rw=found.rws, rt=found.rts)


def _page(code: str, typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None) -> str:
    by = actor()
    area = area_pages.look_at_area(code, by=by)
    more: dict[str, Any] = {}
    if area.level is Level.SUBDISTRICT:
        serving = posts.facilitators_on(today())
        more = {"serving": {part.code: posts.serving_in(part.code, serving) for part in area.parts}}
    elif area.active:
        more = {
            "posts": posts.posts_in(code, by=by, today=today()),
            "hamlets": hamlets.hamlets_of(code),
            "may_keep": hamlets.may_keep(code, by),
            "may_hand_over": handover.may_hand_over(code, by),
            "handovers": handover_records.list_handovers(by=by, village_code=code).handovers,
        }
    elif area.level is Level.VILLAGE and by.has(Role.ADMIN):
        more = {"standing": area_moves.standing_of(code, by=by), "villages": active_villages()}
    shown: Mapping[str, str] = typed or {
        "rest_code": area.successor_code,
        "bps_code": area.bps_code,
        "successor_code": area.successor_code,
        "valid_since": area.valid_since.strftime("%d-%m-%Y") if area.valid_since else "",
    }
    return render_template(
        "areas/show.html", area=area, typed=shown, problems=problems or {}, is_admin=by.has(Role.ADMIN), **more
    )


def _day(typed: str) -> Any:
    try:
        return read_day(typed)
    except ValueError as error:
        raise InvalidInput({"valid_since": str(error)}) from error
