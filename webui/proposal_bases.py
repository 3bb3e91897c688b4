"""Meetings and statements that proposals rest on: prepare, agenda, attendance, what was said, print, the signed scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.errors import Conflict, InvalidInput
from appliance.letters import basis_papers
from appliance.letters.life import READERS as LETTER_READERS
from appliance.models.columns import new_id
from appliance.models.proposal_words import BasisKind, BasisState
from appliance.proposals import bases, book
from appliance.proposals.bases import Said, Signed
from appliance.proposals.book import BasisDetail
from appliance.proposals.steps import CONVENERS
from appliance.registry import areas
from webui.forms.fields import read_day
from webui.forms.proposals import BasisForm
from webui.letters import pdf_response
from webui.person_files import sent_file
from webui.session import actor, now, signed_in

blueprint = Blueprint("proposal_bases", __name__)
READERS = tuple(sorted(AREA_ROLES))
CONVENING = tuple(sorted(CONVENERS))
KINDS = {BasisKind.MEETING.value: "Musyawarah desa/kelurahan", BasisKind.STATEMENT.value: "SPTJM kepala desa/lurah"}
DECISIONS = [("setuju", "Disepakati"), ("tolak", "Tidak disepakati"), ("tunda", "Ditunda")]
TONES = {BasisState.SIGNED: "good", BasisState.PREPARED: "warn", BasisState.CANCELLED: "bad"}


@blueprint.get("/usulan/musyawarah")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """The meetings and statements, the newest first."""
    found, following = book.list_bases(by=actor(), after=request.args.get("sesudah", ""))
    may_write = actor().has(*CONVENING)
    return render_template(
        "proposals/bases.html", found=found, following=following, kinds=KINDS, tones=TONES, may_write=may_write
    )


@blueprint.get("/usulan/musyawarah/baru")
@signed_in(*CONVENING)
def new() -> ResponseReturnValue:
    """An empty form."""
    return _new_page(BasisForm(data={"request_id": new_id(), "village_code": request.args.get("desa", "")}))


@blueprint.post("/usulan/musyawarah/baru")
@signed_in(*CONVENING)
def create() -> ResponseReturnValue:
    """Prepare it; what is waiting in the village is put on it on its own page."""
    form = BasisForm(request.form)
    if not form.validate():
        return _new_page(form), 422
    try:
        made = bases.begin_basis(
            form.village_code.data or "", form.kind.data or "", form.meeting(), request_id=form.request_id.data or new_id(),
            by=actor(), at=now(),
        )  # fmt: skip
    except InvalidInput as error:
        form.refuse(error)
        return _new_page(form), 422
    flash("Tersimpan. Pilih usulan yang dibahas.", "good")
    return redirect(url_for("proposal_bases.show", basis_id=made), 303)


def _new_page(form: BasisForm) -> str:
    villages = areas.villages(by=actor(), roles=CONVENERS)
    if len(villages) == 1 and not form.village_code.data:
        form.village_code.data = villages[0].code
    return render_template(
        "proposals/basis_new.html", form=form, problems=form.problems, villages=villages, kinds=list(KINDS.items())
    )


@blueprint.get("/usulan/musyawarah/<basis_id>")
@signed_in(*READERS)
def show(basis_id: str) -> ResponseReturnValue:
    """One meeting or statement with its proposals, and what is to be done next."""
    return _page(basis_id)


@blueprint.post("/usulan/musyawarah/<basis_id>/ubah")
@signed_in(*CONVENING)
def change(basis_id: str) -> ResponseReturnValue:
    """Day, place, leader and who was present."""
    form = BasisForm(request.form)
    if not form.validate():
        return _page(basis_id, form=form, problems=form.problems), 422
    return _done(basis_id, lambda: bases.change_basis(basis_id, form.meeting(), **_stamp()), "Keterangan tersimpan.", form)


@blueprint.post("/usulan/musyawarah/<basis_id>/agenda")
@signed_in(*CONVENING)
def put_on(basis_id: str) -> ResponseReturnValue:
    """Put the ticked proposals on it."""
    chosen = request.form.getlist("chosen")
    return _done(basis_id, lambda: bases.put_on_agenda(basis_id, chosen, **_stamp()), f"{len(chosen)} usulan masuk.")


@blueprint.post("/usulan/musyawarah/<basis_id>/keluar")
@signed_in(*CONVENING)
def take_off(basis_id: str) -> ResponseReturnValue:
    """Take one proposal off it."""
    one = request.form.get("proposal", "")
    return _done(
        basis_id, lambda: bases.take_off_agenda(basis_id, one, **_stamp()), "Usulan dikeluarkan; menunggu musyawarah berikutnya."
    )


@blueprint.post("/usulan/musyawarah/<basis_id>/keputusan")
@signed_in(*CONVENING)
def decide(basis_id: str) -> ResponseReturnValue:
    """What was said of each; with the one button for all that have no answer yet, they are agreed to."""
    typed = request.form
    said = {}
    for proposal_id in typed.getlist("proposal"):
        decision = typed.get(f"decision-{proposal_id}", "") or ("setuju" if "all" in typed else "")
        if decision:
            said[proposal_id] = Said(decision, typed.get(f"reason-{proposal_id}", ""))
    return _done(basis_id, lambda: bases.decide_proposals(basis_id, said, **_stamp()), "Keputusan musyawarah tersimpan.")


@blueprint.post("/usulan/musyawarah/<basis_id>/tanda-tangan")
@signed_in(*CONVENING)
def sign(basis_id: str) -> ResponseReturnValue:
    """Keep the scan of the signed paper; what was agreed to goes on to the Dinas."""
    sent = request.files.get("file")
    try:
        signed_on = read_day(request.form.get("signed_on", "").strip())
    except ValueError:
        signed_on = None
    signed = Signed(sent.read() if sent else b"", signed_on, request.form.get("number", ""))
    return _done(
        basis_id,
        lambda: bases.sign_basis(basis_id, signed, **_stamp()),
        "Pindaian tersimpan; usulan yang disepakati diteruskan ke Dinas.",
    )


@blueprint.post("/usulan/musyawarah/<basis_id>/batal")
@signed_in(*CONVENING)
def cancel(basis_id: str) -> ResponseReturnValue:
    """Call it off."""
    reason = request.form.get("reason", "")
    return _done(
        basis_id,
        lambda: bases.cancel_basis(basis_id, reason, **_stamp()),
        "Dibatalkan; usulannya menunggu musyawarah berikutnya.",
    )


@blueprint.get("/usulan/musyawarah/<basis_id>/cetak")
@signed_in(*sorted(LETTER_READERS))
def paper(basis_id: str) -> ResponseReturnValue:
    """The berita acara with its attendance, or the SPTJM, to be signed."""
    return pdf_response(basis_papers.print_basis(basis_id, by=actor(), at=now()), "berita-acara-usulan.pdf")


@blueprint.get("/usulan/musyawarah/<basis_id>/pindaian")
@signed_in(*CONVENING)
def scan(basis_id: str) -> ResponseReturnValue:
    """The scan of the signed paper."""
    return sent_file(bases.open_scan(basis_id, by=actor(), at=now()))


def _stamp() -> dict[str, Any]:
    return {"row_version": request.form.get("row_version", 0, type=int), "by": actor(), "at": now()}


def _done(basis_id: str, act: Any, said: str, form: BasisForm | None = None) -> ResponseReturnValue:
    """Do it and say so; what is wrong, or came too late, is shown on the page as it is now, with what was typed."""
    try:
        act()
    except InvalidInput as error:
        return _page(basis_id, form=form, problems=error.problems), 422
    except Conflict as error:
        return _page(basis_id, form=form, conflict=error), 409
    flash(said, "good")
    return redirect(url_for("proposal_bases.show", basis_id=basis_id), 303)


def _page(basis_id: str, form: BasisForm | None = None, problems: Mapping[str, str] | None = None, **more: Any) -> str:
    found = book.basis_detail(bases.basis_in_scope(basis_id, actor()), by=actor(), at=now())
    if form is None:
        form = BasisForm(data=_known(found))
    form.go_on_from(found.row.row_version)
    return render_template(
        "proposals/basis.html",
        basis=found,
        row=found.row,
        form=form,
        typed=request.form,
        problems=problems or {},
        kinds=KINDS,
        tones=TONES,
        decisions=DECISIONS,
        may_write=found.may_write and found.row.state == BasisState.PREPARED,
        may_scan=found.may_write,
        may_print=actor().has_in(found.row.village_code, *LETTER_READERS),
        undecided=sum(line.state == "DIBAHAS" for line in found.proposals),
        **more,
    )


def _known(found: BasisDetail) -> dict[str, Any]:
    row = found.row
    present = "\n".join(f"{one['name']}, {one['role']}" if one["role"] else one["name"] for one in row.attendance)
    return {"held_on": row.held_on, "place": row.place, "leader": row.leader, "attendance": present, "note": row.note}
