"""Data ganda: the supervisor's list of people who may be registered twice, both side by side, merging them, and undoing it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import DECIDER_ROLES
from appliance.casework import casebook
from appliance.casework.case_filter import CaseFilter
from appliance.errors import InvalidInput
from appliance.models.columns import new_id
from appliance.registry import areas, duplicates, merging, unmerging
from appliance.registry.duplicates import PairDetail
from appliance.registry.merging import Wish
from webui import navigation
from webui.navigation import Entry
from webui.session import actor, now, signed_in

blueprint = Blueprint("duplicates", __name__)
DECIDERS = tuple(sorted(DECIDER_ROLES))
NAVIGATION = (Entry("Data ganda", "duplicates.listing", icon="people", roles=DECIDERS, order=25, group=navigation.PEOPLE),)


@blueprint.get("/data-ganda")
@signed_in(*DECIDERS)
def listing() -> ResponseReturnValue:
    """The pairs that wait, the likest first; of one village or subdistrict if asked."""
    area, after, half_after = (request.args.get(name, "") for name in ("wilayah", "sesudah", "separuh"))
    found = duplicates.list_pairs(by=actor(), at=now(), area_code=area, after=after)
    villages = areas.villages(by=actor(), roles=DECIDERS)
    subdistricts = {village.subdistrict_code: village.subdistrict for village in villages}
    return render_template(
        "duplicates/listing.html",
        found=found,
        halves=duplicates.list_half_pairs(by=actor(), at=now(), after=half_after) if not (area or after) else None,
        area=area,
        after=after,
        half_after=half_after,
        villages=villages,
        subdistricts=subdistricts,
    )


@blueprint.get("/data-ganda/<pair_id>")
@signed_in(*DECIDERS)
def show(pair_id: str) -> ResponseReturnValue:
    """Both side by side, with the two ways to decide."""
    return _pair_page(duplicates.look_at_pair(pair_id, by=actor(), at=now()))


def _pair_page(pair: PairDetail, problems: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None) -> str:
    cases = {
        line.id: casebook.list_cases(CaseFilter(applicant_id=line.id), by=actor(), at=now()).total
        for line in (pair.line.first, pair.line.second)
    }
    known = {f"pilih-{name}": person_id for name, person_id in pair.better.items()} | {"survivor": pair.survivor_id}
    return render_template(
        "duplicates/show.html",
        pair=pair,
        cases=cases,
        problems=problems or {},
        typed={**known, **(typed or {})},
        request_id=(typed or {}).get("request_id") or new_id(),
    )


@blueprint.post("/data-ganda/<pair_id>/bukan")
@signed_in(*DECIDERS)
def dismiss(pair_id: str) -> ResponseReturnValue:
    """They are two people; that is remembered."""
    try:
        version = request.form.get("row_version", 0, type=int)
        duplicates.dismiss(pair_id, request.form.get("other_reason", ""), row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        problems = {"other_reason": error.problems["reason"]}
        return _pair_page(duplicates.look_at_pair(pair_id, by=actor(), at=now()), problems, request.form.to_dict()), 422
    flash("Dicatat: ini dua orang. Pasangan ini tidak muncul lagi selama datanya tidak berubah.", "good")
    return redirect(url_for("duplicates.listing"), 303)


@blueprint.post("/data-ganda/<pair_id>/gabung")
@signed_in(*DECIDERS)
def merge(pair_id: str) -> ResponseReturnValue:
    """Make one of the two."""
    try:
        merge_id = merging.merge(pair_id, _wish(), request_id=request.form.get("request_id") or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        return _pair_page(duplicates.look_at_pair(pair_id, by=actor(), at=now()), error.problems, request.form.to_dict()), 422
    flash("Kedua data sudah digabungkan.", "good")
    return redirect(url_for("duplicates.show_merge", merge_id=merge_id), 303)


def _wish() -> Wish:
    survivor = request.form.get("survivor", "")
    chosen = {name.removeprefix("pilih-"): side for name, side in request.form.items() if name.startswith("pilih-")}
    versions = {
        person_id: request.form.get(f"{side}_version", 0, type=int)
        for side in ("first", "second")
        if (person_id := request.form.get(side, ""))
    }
    taken = frozenset(name for name, side in chosen.items() if side != survivor)
    return Wish(survivor, taken, request.form.get("reason", ""), versions)


@blueprint.get("/penggabungan/<merge_id>")
@signed_in(*DECIDERS)
def show_merge(merge_id: str) -> ResponseReturnValue:
    """What was merged, and how long it can be undone."""
    return _merge_page(merge_id)


def _merge_page(merge_id: str, problems: Mapping[str, str] | None = None) -> str:
    done = unmerging.look_at_merge(merge_id, by=actor(), at=now())
    return render_template("duplicates/merge.html", merge=done, undoable=done.is_undoable(now()), problems=problems or {})


@blueprint.post("/penggabungan/<merge_id>/batal")
@signed_in(*DECIDERS)
def undo(merge_id: str) -> ResponseReturnValue:
    """Make two of one again."""
    try:
        unmerging.undo(merge_id, request.form.get("reason", ""), by=actor(), at=now())
    except InvalidInput as error:
        return _merge_page(merge_id, error.problems), 422
    return redirect(url_for("duplicates.show_merge", merge_id=merge_id), 303)
