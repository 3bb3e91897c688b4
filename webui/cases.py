"""Cases: the list, one case with its history, opening one, and every step of its life.

A step is drawn from what the service offers this person now; there is no list of steps here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES, REGISTRAR_ROLES
from appliance.casework import casebook, cases, catalogue, delegations
from appliance.casework.case_detail import ActionOffer, CaseDetail
from appliance.casework.casebook import CaseFilter
from appliance.casework.numbers import Numbered, find_numbered
from appliance.casework.transitions import TRANSITIONS
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from appliance.models.roles import Role
from appliance.models.states import CaseState
from appliance.registry import areas, people
from webui import words
from webui.forms.cases import CaseFilterForm, CaseForm
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.sealed import seal, unseal
from webui.security import reads_only, takes_files
from webui.session import actor, now, signed_in

blueprint = Blueprint("cases", __name__)
READERS = tuple(sorted(AREA_ROLES))
REGISTRARS = tuple(sorted(REGISTRAR_ROLES))
NAVIGATION = (Entry("Kasus", "cases.listing", icon="case", roles=READERS, order=30),)

VIEWS: Mapping[str, tuple[str, CaseFilter]] = {
    "antrean": ("Menunggu langkah saya", CaseFilter(queue=True)),
    "lewat": ("Lewat batas waktu", CaseFilter(overdue=True)),
    "terbuka": ("Semua yang terbuka", CaseFilter(open_only=True)),
    "darurat": ("Darurat belum disahkan", CaseFilter(to_ratify=True)),
    "luar": ("Lama di luar", CaseFilter(stuck=True)),
    "saya": ("Kasus saya", CaseFilter(mine=True)),
    "semua": ("Semua kasus", CaseFilter()),
}
# The wish of the page, not of the service: a step that ends the case in vain is drawn as a warning.
GRAVE = frozenset({"batalkan", "tolak", "tandai_tidak_valid", "tandai_duplikat", "tolak_darurat", "batalkan_kunjungan"})
# Possible almost always, hence never what a person came to the page for.
ASIDE = frozenset(
    {"batalkan", "rujuk_darurat", "buka_kembali", "batalkan_tanda", "batalkan_kunjungan"}
    | {"alihkan", "ubah_prioritas", "ubah_kerahasiaan", "kembalikan", "tandai_duplikat", "tandai_tidak_valid"}
)
MOST_UPLOADED = 12 * 1024 * 1024  # as much as the front lets pass everywhere
# What a person wrote herself, as against what she chose.
_WRITTEN = frozenset(field.name for line in TRANSITIONS for field in line.fields if field.kind == "long")


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """The words of codes, for every template."""
    return {"words": words, "case_views": VIEWS, "is_registrar": _is_registrar, "moment_now": now}


def ratifies() -> bool:
    """Whether emergencies that were referred at once concern her."""
    return actor().has(Role.MANAJER, *delegations.DELEGATE_ROLES)


def _is_registrar(village_code: str = "") -> bool:
    """Whether she registers people and opens cases, in this village or anywhere."""
    return actor().has_in(village_code, *REGISTRARS) if village_code else actor().has(*REGISTRARS)


@blueprint.get("/kasus")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The cases of one tab, narrowed by state, village and text. Everything but the text stands readable in the address."""
    view = request.args.get("tampil", "")
    view = view if view in VIEWS else "terbuka"
    state, village, text = request.args.get("status", ""), request.args.get("desa", ""), unseal(request.args.get("cari", ""))
    wanted = replace(VIEWS[view][1], state=state if state in set(CaseState) else "", village_code=village, text=text)
    found = casebook.list_cases(wanted, by=actor(), at=now(), page=request.args.get("page", 1, type=int))
    form = CaseFilterForm(data={"view": view, "state": wanted.state, "village_code": village, "text": text})
    return render_template(
        "cases/listing.html",
        form=form,
        found=found,
        view=view,
        counts=casebook.count_cases(by=actor()),
        tabs={key: label for key, (label, _) in VIEWS.items() if key != "darurat" or ratifies()},
        villages=areas.villages(by=actor()),
        states=list(CaseState),
    )


@blueprint.post("/kasus/cari")
@signed_in(*READERS)
@reads_only
def search() -> ResponseReturnValue:
    """Narrow the list: a POST, for the text may be a NIK."""
    form = CaseFilterForm(request.form)
    numbered = find_numbered(form.text.data or "", by=actor())
    if numbered:
        return redirect(url_of(numbered), 303)
    narrowed: dict[str, Any] = {
        "tampil": form.view.data,
        "status": form.state.data,
        "desa": form.village_code.data,
        "cari": seal(form.text.data or ""),
    }
    return redirect(url_for("cases.listing", **{name: value for name, value in narrowed.items() if value}), 303)


def url_of(numbered: Numbered) -> str:
    """The page of what carries a number."""
    if numbered.kind == "rujukan":
        return url_for("referrals.show", referral_id=numbered.id)
    return url_for("cases.show", case_id=numbered.id)


@blueprint.get("/warga/<person_id>/kasus-baru")
@signed_in(*REGISTRARS)
def new(person_id: str) -> ResponseReturnValue:
    """An empty form for a case of this resident; `asal` is the ended case that it goes on from."""
    return _form_page(CaseForm(data={"request_id": new_id(), "origin_id": request.args.get("asal", "")}), person_id)


@blueprint.post("/warga/<person_id>/kasus-baru")
@signed_in(*REGISTRARS)
def create(person_id: str) -> ResponseReturnValue:
    """Open the case. The form's token makes a second press of the button find the first case."""
    form = CaseForm(request.form)
    if not form.validate():
        return _form_page(form, person_id), 422
    try:
        opened = cases.open_case(form.case(person_id), request_id=form.request_id.data or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form, person_id), 422
    flash(f"Kasus {opened.number} terbuka. Sampaikan nomor ini kepada warga.", "good")
    return redirect(url_for("cases.show", case_id=opened.id), 303)


def _form_page(form: CaseForm, person_id: str) -> str:
    grouped: dict[str, list[tuple[str, str]]] = {}
    for kind in catalogue.service_types():
        grouped.setdefault(catalogue.category_group(kind.category), []).append((kind.id, kind.name))
    return render_template(
        "cases/open.html",
        form=form,
        problems=form.problems,
        resident=people.look_at_person(person_id, by=actor(), at=now()).line,
        services=grouped,
        categories=list(catalogue.CATEGORIES.items()),
    )


@blueprint.get("/kasus/<case_id>")
@signed_in(*READERS)
def show(case_id: str) -> ResponseReturnValue:
    """The whole case; `langkah` chooses the step whose form is open, else the first one offered."""
    return case_page(casebook.look_at_case(case_id, by=actor(), at=now()), request.args.get("langkah", ""))


@blueprint.post("/kasus/<case_id>/langkah/<action>")
@signed_in(*READERS)
@takes_files(MOST_UPLOADED)
def move(case_id: str, action: str) -> ResponseReturnValue:
    """Take one step. Whoever was slower gets the case as it is now, what changed, and what she typed."""
    fields = {
        name: ",".join(values) for name, values in request.form.lists() if name not in ("csrf_token", "row_version", "seen")
    }
    photos = [content for sent in request.files.getlist("photos") if (content := sent.read())]
    try:
        version = request.form.get("row_version", 0, type=int)
        typed = _with_iso_dates(fields)
        cases.move_case(case_id, action, typed, photos=photos, row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        case = casebook.look_at_case(case_id, by=actor(), at=now())
        return case_page(case, action, typed=fields, problems=error.problems), 422
    except Conflict as error:
        case = casebook.look_at_case(case_id, by=actor(), at=now())
        seen = request.form.get("seen", 0, type=int)
        return case_page(case, action, typed=fields, conflict=error, seen=seen), 409
    flash("Langkah tersimpan dan tercatat di riwayat.", "good")
    return redirect(url_for("cases.show", case_id=case_id), 303)


def _with_iso_dates(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields with dates as the service reads them; one that is no date stays as it was typed, for the service to refuse."""
    return {name: _iso(value) if name.endswith("_date") else value for name, value in fields.items()}


def _iso(typed: str) -> str:
    try:
        return read_day(typed.strip()).isoformat()
    except ValueError:
        return typed


def case_page(case: CaseDetail, wanted: str = "", **more: Any) -> str:
    """The page of a case with the form of the step `wanted`, else of the first one offered."""
    chosen: ActionOffer | None = next((offer for offer in case.actions if offer.action == wanted), None)
    if chosen is None and "conflict" not in more:
        chosen = next((offer for offer in case.actions if offer.action not in ASIDE), None)
    written = [text for name, text in more.get("typed", {}).items() if name in _WRITTEN and text]
    return render_template("cases/show.html", case=case, chosen=chosen, grave=GRAVE, written=written, **more)
