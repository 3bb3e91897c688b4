"""Referrals: the back office writes and sends them, the organisation they are addressed to reads and answers them.

The page of a referral shows what was shared and nothing else of the case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.casework import casebook, catalogue, referral_replies, referrals
from appliance.casework.casebook import ReferralDetail
from appliance.casework.referral_list import list_referrals
from appliance.casework.referral_replies import Answer, ReplyPaper, Return
from appliance.casework.referral_steps import RETURN_REASONS
from appliance.errors import Conflict, InvalidInput
from appliance.models.columns import new_id
from appliance.models.roles import Role
from appliance.models.states import ReferralState
from webui import drafts, navigation
from webui.forms.cases import ReferralForm
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.security import MOST_UPLOADED, takes_files
from webui.session import actor, now, signed_in

blueprint = Blueprint("referrals", __name__)
READERS = tuple(sorted({*AREA_ROLES, Role.OPD}))
NAVIGATION = (
    Entry(
        "Rujukan",
        "referrals.listing",
        icon="referral",
        order=40,
        group=navigation.CASES,
        roles=(Role.OPD, Role.BO, Role.SUPERVISOR, Role.MANAJER),
    ),
)
LATE = "lewat"
# What an organisation is always likely to need; the officer takes away what this case does not.
USUALLY_SHARED = ["nama", "desa", "alamat", "uraian"]


@blueprint.get("/rujukan")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The inbox of an organisation; for the office, the referrals it may read."""
    wanted = request.args.get("status", "")
    late, state = wanted == LATE, wanted if wanted in set(ReferralState) else ""
    after = request.args.get("sesudah", "").replace("\0", "")
    found = list_referrals(by=actor(), at=now(), state=state, late=late, after=after)
    return render_template(
        "referrals/listing.html",
        found=found,
        state=LATE if late else state,
        states=list(ReferralState),
        late=LATE,
        after=after,
    )


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
    """One step of a referral: what is said afterwards, the texts that go with it, and what the service is handed of them."""

    take: Callable[..., None]
    done: str
    fields: tuple[str, ...] = ()
    given: Callable[[Mapping[str, str]], tuple[object, ...]] = lambda typed: tuple(typed.values())
    replies: bool = False


def _answer(typed: Mapping[str, str]) -> tuple[Answer]:
    return (Answer(typed["reply"], typed["outcome"]),)


def _return(typed: Mapping[str, str]) -> tuple[Return]:
    missing = tuple(thing for line in typed["missing"].splitlines() if (thing := " ".join(line.split())))
    return (Return(typed["code"], typed["note"], missing),)


STEPS: Mapping[str, Step] = {
    "send": Step(referrals.send_referral, "Rujukan terkirim."),
    "cancel": Step(referrals.cancel_referral, "Rujukan dibatalkan."),
    "withdraw": Step(referrals.withdraw_referral, "Rujukan ditarik kembali.", ("reason",)),
    "receive": Step(referral_replies.receive_referral, "Rujukan diterima."),
    "process": Step(referral_replies.process_referral, "Rujukan sedang diproses."),
    "answer": Step(
        referral_replies.answer_referral,
        "Jawaban tersimpan dan sampai ke Back Office.",
        ("outcome", "reply"),
        _answer,
        replies=True,
    ),
    "return": Step(
        referral_replies.return_referral,
        "Rujukan dikembalikan ke Back Office.",
        ("code", "missing", "note"),
        _return,
        replies=True,
    ),
    "decline": Step(
        referral_replies.decline_referral, "Penolakan tersimpan dan sampai ke Back Office.", ("reason",), replies=True
    ),
}


@blueprint.post("/rujukan/<referral_id>/<step>")
@signed_in(*READERS)
@takes_files(MOST_UPLOADED)
def move(referral_id: str, step: str) -> ResponseReturnValue:
    """Take one step of a referral; a reply carries texts, and its scan when it came on paper."""
    if step not in STEPS:
        abort(404)
    chosen = STEPS[step]
    typed = {name: request.form.get(name, "").strip() for name in chosen.fields}
    more: dict[str, object] = {"paper": _paper()} if chosen.replies else {}
    version = request.form.get("row_version", 0, type=int)
    try:
        chosen.take(referral_id, *chosen.given(typed), row_version=version, by=actor(), at=now(), **more)
    except InvalidInput as error:
        return _again(referral_id, step, problems=error.problems), 422
    except Conflict as error:
        return _again(referral_id, step, typed=typed, conflict=error), 409
    flash(chosen.done, "good")
    return redirect(url_for("referrals.show", referral_id=referral_id), 303)


def _paper() -> ReplyPaper | None:
    """The scan that came with the form and its date; None when neither was asked for."""
    sent = request.files.get("scan")
    if sent is None and "dated" not in request.form:
        return None
    try:
        dated = read_day(request.form.get("dated", "").strip())
    except ValueError:
        dated = None
    return ReplyPaper(sent.read() if sent else b"", dated)


def _again(referral_id: str, step: str, **more: object) -> str:
    return _referral_page(casebook.look_at_referral(referral_id, by=actor(), at=now()), step=step, **more)


def _referral_page(found: ReferralDetail, step: str = "", **more: object) -> str:
    return render_template(
        "referrals/show.html",
        referral=found,
        step=step or request.args.get("langkah", ""),
        written=request.form,
        return_reasons=list(RETURN_REASONS.items()),
        **more,
    )
