"""Referrals: the back office writes and sends them, the organisation they are addressed to reads and answers them.

The page of a referral shows what was shared and nothing else of the case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.casework import casebook, catalogue, referrals
from appliance.casework.casebook import ReferralDetail
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from appliance.models.roles import Role
from appliance.models.states import ReferralState
from webui import drafts
from webui.forms.cases import ReferralForm
from webui.navigation import Entry
from webui.session import actor, now, signed_in

blueprint = Blueprint("referrals", __name__)
READERS = tuple(sorted({*AREA_ROLES, Role.OPD}))
NAVIGATION = (
    Entry("Rujukan", "referrals.listing", icon="referral", order=40, roles=(Role.OPD, Role.BO, Role.SUPERVISOR, Role.MANAJER)),
)
# What an organisation is always likely to need; the officer takes away what this case does not.
USUALLY_SHARED = ["nama", "desa", "alamat", "uraian"]


@blueprint.get("/rujukan")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The inbox of an organisation; for the office, the referrals it may read."""
    state = request.args.get("status", "")
    state = state if state in set(ReferralState) else ""
    found = casebook.list_referrals(by=actor(), at=now(), state=state, page=request.args.get("page", 1, type=int))
    return render_template("referrals/listing.html", found=found, state=state, states=list(ReferralState))


@blueprint.get("/kasus/<case_id>/rujukan-baru")
@signed_in(Role.BO)
def new(case_id: str) -> ResponseReturnValue:
    """An empty referral of this case."""
    before = drafts.typed_before(request.path)
    return _form_page(ReferralForm(before, data={"request_id": new_id(), "share": USUALLY_SHARED, "reply_days": 5}), case_id)


@blueprint.post("/kasus/<case_id>/rujukan-baru")
@signed_in(Role.BO)
def create(case_id: str) -> ResponseReturnValue:
    """Write the referral as a draft; sending it is a step of its own."""
    form = ReferralForm(request.form)
    if not form.validate():
        return _form_page(form, case_id), 422
    try:
        referrals.refer_case(case_id, form.referral(), request_id=form.request_id.data or new_id(), by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _form_page(form, case_id), 422
    drafts.stored(request.path)
    flash("Rujukan tersimpan sebagai draf. Rujukan dapat dikirim setelah layanan ditetapkan.", "good")
    return redirect(url_for("cases.show", case_id=case_id, _anchor="rujukan"), 303)


def _form_page(form: ReferralForm, case_id: str) -> str:
    return render_template(
        "referrals/new.html",
        form=form,
        problems=form.problems,
        case=casebook.look_at_case(case_id, by=actor(), at=now()),
        targets=catalogue.referral_targets(),
        shareable=list(referrals.SHAREABLE.items()),
        ways=list(referrals.WAYS.items()),
    )


@blueprint.get("/rujukan/<referral_id>")
@signed_in(*READERS)
def show(referral_id: str) -> ResponseReturnValue:
    """One referral: what was shared, what is asked, and the steps this person may take."""
    return _referral_page(casebook.look_at_referral(referral_id, by=actor(), at=now()))


@dataclass(frozen=True)
class Step:
    """One step of a referral: the service that takes it, the texts that go with it, and what is said afterwards."""

    take: Callable[..., None]
    done: str
    fields: tuple[str, ...] = ()


STEPS: Mapping[str, Step] = {
    "send": Step(referrals.send_referral, "Rujukan terkirim."),
    "cancel": Step(referrals.cancel_referral, "Rujukan dibatalkan."),
    "receive": Step(referrals.receive_referral, "Rujukan diterima."),
    "process": Step(referrals.process_referral, "Rujukan sedang diproses."),
    "answer": Step(referrals.answer_referral, "Jawaban tersimpan dan sampai ke Back Office.", ("reply", "outcome")),
    "return": Step(referrals.return_referral, "Rujukan dikembalikan ke Back Office.", ("reason",)),
}


@blueprint.post("/rujukan/<referral_id>/<step>")
@signed_in(*READERS)
def move(referral_id: str, step: str) -> ResponseReturnValue:
    """Take one step of a referral; the answer and the return carry a text."""
    if step not in STEPS:
        abort(404)
    typed = {name: request.form.get(name, "").strip() for name in STEPS[step].fields}
    version = request.form.get("row_version", 0, type=int)
    try:
        STEPS[step].take(referral_id, row_version=version, by=actor(), at=now(), **typed)
    except InvalidInput as error:
        return _again(referral_id, step, typed=typed, problems=error.problems), 422
    except Conflict as error:
        return _again(referral_id, step, typed=typed, conflict=error), 409
    flash(STEPS[step].done, "good")
    return redirect(url_for("referrals.show", referral_id=referral_id), 303)


def _again(referral_id: str, step: str, **more: object) -> str:
    return _referral_page(casebook.look_at_referral(referral_id, by=actor(), at=now()), step=step, **more)


def _referral_page(found: ReferralDetail, step: str = "", **more: object) -> str:
    return render_template("referrals/show.html", referral=found, step=step or request.args.get("langkah", ""), **more)
