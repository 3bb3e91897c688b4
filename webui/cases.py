"""Cases: the list, one case with its history, opening one, and every step of its life.

A step is drawn from what the service offers this person now; there is no list of steps here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES, REGISTRAR_ROLES
from appliance.casework import case_filter, casebook, cases, catalogue, delegations, looking, queues, service_types
from appliance.casework.case_detail import ActionOffer, CaseDetail
from appliance.casework.case_filter import CaseFilter
from appliance.casework.citizen_words import Message, whatsapp_text
from appliance.casework.numbers import Numbered, find_numbered
from appliance.casework.transitions import TRANSITIONS
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from appliance.models.roles import Role
from appliance.models.states import CaseState, Channel
from appliance.registry import areas, people
from webui import drafts, navigation, words
from webui.forms.cases import CaseFilterForm, CaseForm
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.queue import card_in_hand
from webui.sealed import seal, unseal
from webui.security import MOST_FILES_MEGABYTES, MOST_UPLOADED, reads_only, takes_files
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("cases", __name__)
READERS = tuple(sorted(AREA_ROLES))
REGISTRARS = tuple(sorted(REGISTRAR_ROLES))
NAVIGATION = (Entry("Kasus", "cases.listing", icon="case", roles=READERS, order=30, group=navigation.CASES),)

VIEWS: Mapping[str, tuple[str, CaseFilter]] = {
    "antrean": ("Menunggu langkah saya", CaseFilter(queue=True)),
    "lewat": ("Lewat batas waktu", CaseFilter(overdue=True)),
    "terbuka": ("Semua yang terbuka", CaseFilter(open_only=True)),
    "hari-ini": ("Jatuh tempo hari ini", CaseFilter(due_today=True)),
    "disampaikan": ("Disampaikan kepada saya", CaseFilter(told=True)),
    "darurat": ("Darurat belum disahkan", CaseFilter(to_ratify=True)),
    "luar": ("Lama di luar", CaseFilter(stuck=True)),
    "saya": ("Kasus saya", CaseFilter(mine=True)),
    "semua": ("Semua kasus", CaseFilter()),
}
# The filters of a list, by their names in the address; the text is sealed there instead.
MORE_FILTERS = {
    "area_code": "kecamatan",
    "service_code": "layanan",
    "priority": "prioritas",
    "age": "umur",
    "owner": "petugas",
}
FILTERS = {"state": "status", "village_code": "desa", **MORE_FILTERS}
AGE_WORDS = {
    "0-3": "0 sampai 3 hari kerja",
    "4-7": "4 sampai 7 hari kerja",
    "8-14": "8 sampai 14 hari kerja",
    "15-30": "15 sampai 30 hari kerja",
    "30-": "Lebih dari 30 hari kerja",
}
# The wish of the page, not of the service: a step that ends the case in vain is drawn as a warning.
GRAVE = frozenset({"batalkan", "tolak", "tandai_tidak_valid", "tandai_duplikat", "tolak_darurat", "batalkan_kunjungan"})
# Possible almost always, hence never what a person came to the page for.
ASIDE = frozenset(
    {"batalkan", "rujuk_darurat", "buka_kembali", "batalkan_tanda", "batalkan_kunjungan"}
    | {
        "naikkan",
        "alihkan",
        "ubah_prioritas",
        "ubah_batas",
        "ubah_kerahasiaan",
        "kembalikan",
        "tandai_duplikat",
        "tandai_tidak_valid",
    }
)
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
    """The cases of one tab, narrowed. Everything but the text stands readable in the address."""
    tabs = _tabs()
    view = request.args.get("tampil", "")
    view = view if view in tabs else "terbuka"
    narrowed = {name: _asked(argument) for name, argument in FILTERS.items()}
    narrowed["text"] = unseal(request.args.get("cari", ""))
    found = casebook.list_cases(_wanted(view, narrowed), by=actor(), at=now(), after=_asked("sesudah"))
    villages = areas.villages(by=actor())
    return render_template(
        "cases/listing.html",
        form=CaseFilterForm(data={"view": view, **narrowed}),
        narrowed=any(narrowed.values()),
        more=any(narrowed[name] for name in MORE_FILTERS),
        found=found,
        view=view,
        tabs=tabs,
        queue_keys=set(queues.BY_KEY),
        kept={argument: value for argument, value in request.args.items() if argument != "sesudah" and value},
        villages=villages,
        subdistricts=sorted({(village.code[:8], village.subdistrict) for village in villages}, key=lambda pair: pair[1]),
        services=[(choice.code, choice.name) for choice in catalogue.service_types()],
        ages=AGE_WORDS,
        states=list(CaseState),
    )


def _asked(argument: str) -> str:
    """A value of the address; a NUL is none that PostgreSQL could look for."""
    return request.args.get(argument, "").replace("\0", "")


def _tabs() -> dict[str, str]:
    """Her lists: the queues of her roles first, then the views that everybody has."""
    general = {key: label for key, (label, _) in VIEWS.items() if key != "darurat" or ratifies()}
    return {"antrean": general.pop("antrean"), **{queue.key: queue.label for queue in queues.queues_of(actor())}, **general}


def _wanted(view: str, narrowed: Mapping[str, str]) -> CaseFilter:
    base = CaseFilter(in_queue=view) if view in queues.BY_KEY else VIEWS[view][1]
    known: dict[str, Any] = dict(narrowed)
    known["state"] = known["state"] if known["state"] in set(CaseState) else ""
    owner = {"saya": actor().account_id, "belum": case_filter.NOBODY}.get(known["owner"], "")
    return replace(base, **{**known, "owner": owner})


@blueprint.post("/kasus/cari")
@signed_in(*READERS)
@reads_only
def search() -> ResponseReturnValue:
    """Narrow the list: a POST, for the text may be a NIK."""
    form = CaseFilterForm(request.form)
    numbered = find_numbered(form.text.data or "", by=actor())
    if numbered:
        return redirect(url_of(numbered), 303)
    narrowed: dict[str, Any] = {argument: form[name].data for name, argument in FILTERS.items()}
    narrowed |= {"tampil": form.view.data, "cari": seal(form.text.data or "")}
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
    known: dict[str, Any] = {"channel": _own_channel(), "request_id": new_id(), "origin_id": request.args.get("asal", "")}
    ticket = card_in_hand()
    if ticket:
        known |= {"ticket_id": ticket.id, "vulnerable_groups": ticket.groups}
    return _form_page(CaseForm(drafts.typed_before(request.path), data=known), person_id)


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
    drafts.stored(request.path)
    done = " dan langsung selesai" if form.outcome.data else ""
    flash(f"Kasus {opened.number} terbuka{done}. Sampaikan nomor ini kepada warga.", "good")
    return redirect(url_for("cases.show", case_id=opened.id), 303)


def _own_channel() -> str:
    """How complaints mostly reach this officer."""
    by = actor()
    if by.has(Role.FO):
        return Channel.COUNTER
    return Channel.PUSKESOS if by.has(Role.FO_PUSKESOS) else Channel.FIELD


def _form_page(form: CaseForm, person_id: str) -> str:
    grouped: dict[str, list[tuple[str, str]]] = {}
    offered = catalogue.service_types()
    for kind in offered:
        grouped.setdefault(catalogue.category_group(kind.category), []).append((kind.id, kind.name))
    return render_template(
        "cases/open.html",
        form=form,
        problems=form.problems,
        ticket=card_in_hand() if form.ticket_id.data else None,
        resident=people.look_at_person(person_id, by=actor(), at=now()).line,
        services=grouped,
        offered=offered,
        requirements=service_types.requirements_by_service(),
        categories=list(catalogue.CATEGORIES.items()),
    )


@blueprint.get("/kasus/<case_id>")
@signed_in(*READERS)
def show(case_id: str) -> ResponseReturnValue:
    """The whole case; `langkah` chooses the step whose form is open, else the first one offered."""
    wanted, more = request.args.get("langkah", ""), {}
    before = drafts.typed_before(url_for("cases.move", case_id=case_id, action=wanted)) if wanted else None
    if before:
        more["typed"] = {name: ",".join(values) for name, values in before.lists()}
    return case_page(casebook.look_at_case(case_id, by=actor(), at=now()), wanted, **more)


@blueprint.get("/kasus/<case_id>/pembuka.json")
@signed_in(*READERS)
def onlookers(case_id: str) -> Response:
    """Who else has the case open, for a page that stays open."""
    return jsonify(sentence=onlookers_words(looking.keep_looking(case_id, by=actor(), at=now())))


def onlookers_words(others: Sequence[looking.Onlooker]) -> str:
    """The sentence that tells it; "" when she is alone."""
    zone = settings().zone
    names = ", ".join(f"{other.name} (sejak {other.since.astimezone(zone):%H.%M})" for other in others)
    return f"Sedang dibuka juga oleh {names}. Sepakati dahulu siapa yang mengerjakan." if names else ""


@blueprint.post("/kasus/<case_id>/langkah/<action>")
@signed_in(*READERS)
@takes_files(MOST_UPLOADED)
def move(case_id: str, action: str) -> ResponseReturnValue:
    """Take one step. Whoever was slower gets the case as it is now, what changed, and what she typed."""
    fields = {
        name: ",".join(values)
        for name, values in request.form.lists()
        if name not in ("csrf_token", "row_version", "seen", "draft_form")
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
    drafts.stored(request.path)
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
    others, message = onlookers_words(case.others), _whatsapp(case)
    return render_template(
        "cases/show.html",
        case=case,
        most=MOST_FILES_MEGABYTES,
        others=others,
        chosen=chosen,
        grave=GRAVE,
        written=written,
        whatsapp=message,
        **more,
    )


def _whatsapp(case: CaseDetail) -> str:
    """What can be sent to the citizen now: from the state and what was written for her alone."""
    told = next((event.citizen_note for event in reversed(case.events) if event.citizen_note), "")
    service = "" if case.line.confidential else case.line.service
    name, number = case.line.applicant_name, case.line.number
    return whatsapp_text(Message(name, number, case.line.state, service, told, settings().node.office))
