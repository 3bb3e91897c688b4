"""What the office makes its own about letters: wordings, the letterhead, who signs, and how far each series of numbers is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import Conflict, InvalidInput
from appliance.letters import office, papers, placeholders, series, wordings
from appliance.letters.life import KEEPERS
from appliance.letters.wording import LAYOUTS, PAPERS, Wording
from appliance.models.roles import Role
from webui import navigation
from webui.forms.letters import HeadForm, SignatoryForm, WordingForm, wording_form
from webui.letters import pdf_response
from webui.navigation import Entry
from webui.security import reads_only
from webui.session import actor, now, signed_in

blueprint = Blueprint("letter_office", __name__)
EDITORS = tuple(sorted(KEEPERS))
# The manager's menu is long already; she gets here from the register.
NAVIGATION = (
    Entry("Naskah surat", "letter_office.listing", icon="letter", roles=(Role.ADMIN,), order=85, group=navigation.LETTERS),
)
# In the place of a code, which begins with a letter.
NEW = "_baru"


@blueprint.get("/naskah")
@signed_in(*EDITORS)
def listing() -> ResponseReturnValue:
    """All documents, the letterhead, who signs, and the series."""
    return _listing({})


@blueprint.post("/naskah/seri")
@signed_in(*EDITORS)
def go_on() -> ResponseReturnValue:
    """A series goes on after the number that was given out on paper."""
    try:
        last = request.form.get("last", "").strip()
        if not last.isdecimal():
            raise InvalidInput({"last": "Tulis angka nomor terakhir yang sudah dipakai."})
        series.go_on_from(request.form.get("series", ""), int(last[:9]), by=actor(), at=now())
    except InvalidInput as error:
        return _listing(error.problems), 422
    flash("Nomor urut tersimpan.", "good")
    return redirect(url_for("letter_office.listing"), 303)


@blueprint.get("/naskah/kop")
@signed_in(*EDITORS)
def edit_head() -> ResponseReturnValue:
    """The letterhead."""
    head = office.letterhead()
    return _head_page(HeadForm(data=asdict(head)), {})


@blueprint.post("/naskah/kop")
@signed_in(*EDITORS)
def save_head() -> ResponseReturnValue:
    """Keep a new version of the letterhead."""
    form = HeadForm(request.form)
    if not form.validate():
        return _head_page(form, form.problems), 422
    removed = frozenset(side for side in ("logo_left", "logo_right") if request.form.get(f"remove_{side}"))
    try:
        office.save_letterhead(form.head(office.letterhead(), without=removed), _logos(), by=actor(), at=now())
    except InvalidInput as error:
        return _head_page(form, error.problems), 422
    flash("Kop surat tersimpan; berlaku untuk surat yang disetujui sesudah ini.", "good")
    return redirect(url_for("letter_office.listing"), 303)


@blueprint.get("/naskah/penanda-tangan")
@signed_in(*EDITORS)
def edit_signatory() -> ResponseReturnValue:
    """An official: a new one, or with `siapa` a known one."""
    known = request.args.get("siapa", "")
    return _signatory_page(known, _signatory_form(known), {})


@blueprint.post("/naskah/penanda-tangan")
@signed_in(*EDITORS)
def save_signatory() -> ResponseReturnValue:
    """Keep the official."""
    known, form = request.args.get("siapa", ""), SignatoryForm(request.form)
    if not form.validate():
        return _signatory_page(known, form, form.problems), 422
    try:
        office.save_signatory(known or None, form.fields(), row_version=form.row_version.data or 0, by=actor(), at=now())
    except InvalidInput as error:
        return _signatory_page(known, form, error.problems), 422
    flash("Penanda tangan tersimpan.", "good")
    return redirect(url_for("letter_office.listing"), 303)


@blueprint.get("/naskah/dokumen/<wording_code>")
@signed_in(*EDITORS)
def edit(wording_code: str) -> ResponseReturnValue:
    """One document as it is now; `asli` shows the one that came with the program."""
    if wording_code == NEW:
        return _page(wording_code, WordingForm(), {})
    wording = wordings.wording_of(wording_code)
    original = wordings.originals().get(wording_code)
    form = wording_form(original if request.args.get("asli") and original else wording)
    form.version.process_data(wording.version)
    return _page(wording_code, form, {})


@blueprint.post("/naskah/dokumen/<wording_code>")
@signed_in(*EDITORS)
def save(wording_code: str) -> ResponseReturnValue:
    """Keep a new version."""
    form = WordingForm(request.form)
    if not form.validate():
        return _page(wording_code, form, form.problems), 422
    try:
        store = wordings.add_wording if wording_code == NEW else wordings.save_wording
        store(_typed(wording_code, form), by=actor(), at=now())
    except InvalidInput as error:
        return _page(wording_code, form, error.problems), 422
    except Conflict as error:
        return _page(wording_code, form, {}, error), 409
    flash("Naskah tersimpan; berlaku untuk surat yang disetujui sesudah ini.", "good")
    return redirect(url_for("letter_office.listing"), 303)


@blueprint.post("/naskah/dokumen/<wording_code>/pratinjau")
@signed_in(*EDITORS)
@reads_only
def preview(wording_code: str) -> ResponseReturnValue:
    """What was typed, with invented data, before it is kept."""
    form = WordingForm(request.form)
    if not form.validate():
        return _page(wording_code, form, form.problems), 422
    try:
        return pdf_response(papers.preview_wording(_typed(wording_code, form)), "contoh.pdf")
    except InvalidInput as error:
        return _page(wording_code, form, error.problems), 422


def _typed(code: str, form: WordingForm) -> Wording:
    return form.wording("" if code == NEW else code)


def _logos() -> dict[str, bytes]:
    sent = {side: request.files.get(side) for side in ("logo_left", "logo_right")}
    return {side: file.read() for side, file in sent.items() if file}


def _signatory_form(known: str) -> SignatoryForm:
    if not known:
        return SignatoryForm()
    row = office.signatory(known)
    return SignatoryForm(data={name: getattr(row, name) for name in SignatoryForm().data})


def _listing(problems: Mapping[str, str]) -> str:
    return render_template(
        "letter_office/listing.html",
        wordings=wordings.list_wordings(),
        originals=wordings.originals(),
        kinds=placeholders.KINDS,
        head=office.letterhead(),
        signatories=office.signatories(all_of_them=True),
        series=series.series_this_year(at=now()),
        problems=problems,
        typed=request.form,
    )


def _head_page(form: HeadForm, problems: Mapping[str, str]) -> str:
    return render_template("letter_office/head.html", form=form, problems=problems, head=office.letterhead())


def _signatory_page(known: str, form: SignatoryForm, problems: Mapping[str, str]) -> str:
    return render_template("letter_office/signatory.html", known=known, form=form, problems=problems)


def _page(code: str, form: WordingForm, problems: Mapping[str, str], conflict: Conflict | None = None) -> str:
    kind = form.kind.data if form.kind.data in placeholders.KINDS else placeholders.LETTER
    more: dict[str, Any] = {"latest": wordings.wording_of(code).version} if conflict and code != NEW else {"latest": None}
    return render_template(
        "letter_office/edit.html",
        code=code,
        is_new=code == NEW,
        form=form,
        problems=problems,
        conflict=conflict,
        kinds=list(placeholders.KINDS.items()),
        layouts=list(LAYOUTS.items()),
        paper_sizes=list(PAPERS.items()),
        fields=placeholders.fields_of(kind),
        tables=placeholders.tables_of(kind),
        has_original=code in wordings.originals(),
        **more,
    )
