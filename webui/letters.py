"""Letters: the register, writing one about a case, and its steps to the paper.

Which steps there are is said by the service for this person now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.casework import casebook
from appliance.errors import Conflict, InvalidInput
from appliance.letters import book, letters, office, papers, register_file, wordings
from appliance.letters.book import LetterDetail, LetterFilter
from appliance.letters.letters import NewLetter
from appliance.letters.life import DRAFTERS, KEEPERS, LetterState, LetterStep
from appliance.letters.life import READERS as LETTER_READERS
from appliance.letters.papers import PaperFile
from appliance.letters.sheet import spaced_code
from appliance.letters.wording import Wording
from appliance.models.columns import new_id
from appliance.models.roles import Role
from appliance.registry.file_store import PDF
from webui import navigation, words
from webui.exports import XLSX_TYPE
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.person_files import ALONE
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("letters", __name__)
READERS = tuple(sorted({*AREA_ROLES, Role.OPD}))
OFFICE = tuple(sorted(AREA_ROLES))
WRITERS = tuple(sorted(DRAFTERS))
BUSY_WITH_LETTERS = (Role.BO, Role.BO_PUSKESOS, Role.SUPERVISOR, Role.MANAJER, Role.PENANDATANGAN, Role.PIMPINAN, Role.OPD)
NAVIGATION = (Entry("Surat", "letters.listing", icon="letter", roles=BUSY_WITH_LETTERS, order=45, group=navigation.LETTERS),)
VIEWS = {book.MINE: "Giliran saya", book.ON_THE_WAY: "Sedang diproses", book.ISSUED: "Register surat keluar"}
TONES = {
    LetterState.INITIALLED: "info",
    LetterState.APPROVED: "warn",
    LetterState.ISSUED: "good",
    LetterState.CANCELLED: "bad",
}
# Where a part of the register begins.
FROM = "sesudah"
# Our own paper in the browser's viewer: it may show itself and nothing more.
PAPER_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


@blueprint.app_context_processor
def speak() -> dict[str, Any]:
    """What the pages of letters and the panel of a case draw with."""
    return {"may_keep_wordings": _may_keep_wordings, "letter_tones": TONES, "letter_panel": _panel, "spaced_code": spaced_code}


def _may_keep_wordings() -> bool:
    return actor().has(*KEEPERS)


def _panel(case_id: str, village_code: str) -> dict[str, Any]:
    """The letters and forms of one case, for its page."""
    roles = actor().roles_in(village_code)
    return {
        "letters": book.letters_of_case(case_id, by=actor(), at=now()),
        "forms": [(form.code, form.name) for form in papers.forms()] if roles & LETTER_READERS else [],
        "may_write": bool(roles & DRAFTERS),
    }


@blueprint.get("/surat")
@signed_in(*READERS)
def listing() -> ResponseReturnValue:
    """One of the lists, narrowed; everything stands readable in the address."""
    wanted, problems = _filter()
    found = book.list_letters(wanted, by=actor(), at=now(), before=request.args.get("sebelum", ""))
    views = {key: label for key, label in VIEWS.items() if actor().has(*OFFICE) or key == book.ISSUED}
    return render_template(
        "letters/listing.html", found=found, wanted=wanted, views=views, problems=problems, args=_args(), **_choices()
    )


@blueprint.get("/surat/register.xlsx")
@signed_in(*OFFICE)
def workbook() -> ResponseReturnValue:
    """The register as a spreadsheet."""
    part = book.register_part(_filter()[0], by=actor(), at=now(), after=request.args.get(FROM, ""))
    today = words.moment_words(now(), settings().zone)
    notes = [("Diambil oleh", actor().name), ("Waktu", today), ("Baris", str(len(part.letters)))]
    if part.following:
        notes.append(
            ("Belum lengkap", "Masih ada surat berikutnya: pilih Cetak register, Bagian berikutnya, lalu Excel bagian ini.")
        )
    response = Response(register_file.to_workbook(part.letters, notes), mimetype=XLSX_TYPE)
    response.headers["Content-Disposition"] = (
        f"attachment; filename=register-surat-keluar{'-bagian' if part.following else ''}.xlsx"
    )
    return response


@blueprint.get("/surat/register/cetak")
@signed_in(*OFFICE)
def register_sheet() -> ResponseReturnValue:
    """A part of the register on paper; the first one holds the oldest."""
    wanted, _ = _filter()
    begin, first = request.args.get(FROM, ""), max(1, request.args.get("nomor_urut", 1, type=int))
    part = book.register_part(wanted, by=actor(), at=now(), after=begin)
    return render_template(
        "letters/register_sheet.html",
        rows=[register_file.cells_of(line) for line in part.letters],
        first=first,
        headings=[column.heading for column in register_file.HEADINGS],
        wanted=wanted,
        head=office.letterhead(),
        args=_args(),
        begin=begin,
        following=part.following,
    )


@blueprint.get("/kasus/<case_id>/surat-baru")
@signed_in(*WRITERS)
def new(case_id: str) -> ResponseReturnValue:
    """Which letter; then its form."""
    code = request.args.get("naskah", "")
    if not code:
        case = casebook.look_at_case(case_id, by=actor(), at=now())
        return render_template(
            "letters/choose.html", case=case, wordings=[one for one in wordings.list_wordings() if one.numbered and one.active]
        )
    wording = wordings.wording_of(code)
    return _draft_page(case_id, wording, {"request_id": new_id(), "addressee": wording.addressee}, {})


@blueprint.post("/kasus/<case_id>/surat-baru")
@signed_in(*WRITERS)
def create(case_id: str) -> ResponseReturnValue:
    """Keep the draft. The form's token makes a second press of the button find the first one."""
    typed = request.form
    wording = wordings.wording_of(typed.get("wording", ""))
    try:
        made = letters.draft_letter(
            case_id, read_letter(wording), request_id=typed.get("request_id") or new_id(), by=actor(), at=now()
        )
    except InvalidInput as error:
        return _draft_page(case_id, wording, typed, error.problems), 422
    flash("Konsep tersimpan. Periksa pratinjaunya, lalu minta paraf.", "good")
    return redirect(url_for("letters.show", letter_id=made), 303)


@blueprint.get("/surat/<letter_id>")
@signed_in(*READERS)
def show(letter_id: str) -> ResponseReturnValue:
    """One letter with its trail and what may be done now."""
    return _page(book.look_at_letter(letter_id, by=actor(), at=now()))


@blueprint.get("/surat/<letter_id>/ubah")
@signed_in(*WRITERS)
def edit(letter_id: str) -> ResponseReturnValue:
    """The draft as it was typed."""
    draft = book.look_at_draft(letter_id, by=actor(), at=now())
    typed = {f"typed-{code}": answer for code, answer in draft.typed.items()}
    typed |= {"purpose": draft.purpose, "signatory_id": draft.signatory_id, "addressee": draft.addressee}
    typed |= {"referral_id": draft.referral_id, "row_version": str(draft.row_version)}
    return _draft_page(draft.case_id, wordings.wording_of(draft.wording), typed, {}, letter_id)


@blueprint.post("/surat/<letter_id>/ubah")
@signed_in(*WRITERS)
def change(letter_id: str) -> ResponseReturnValue:
    """Keep the changed draft."""
    draft = book.look_at_draft(letter_id, by=actor(), at=now())
    wording = wordings.wording_of(draft.wording)
    try:
        letters.change_letter(letter_id, read_letter(wording), row_version=_version(), by=actor(), at=now())
    except InvalidInput as error:
        return _draft_page(draft.case_id, wording, request.form, error.problems, letter_id), 422
    flash("Konsep tersimpan.", "good")
    return redirect(url_for("letters.show", letter_id=letter_id), 303)


@blueprint.post("/surat/<letter_id>/langkah/<letter_step>")
@signed_in(*OFFICE)
def move(letter_id: str, letter_step: str) -> ResponseReturnValue:
    """Take one step of the letter's life."""
    if letter_step not in set(LetterStep) - {LetterStep.CHANGE, LetterStep.ATTACH}:
        abort(404)
    try:
        _steps()[LetterStep(letter_step)](letter_id, row_version=_version(), by=actor(), at=now())
    except InvalidInput as error:
        return _page(book.look_at_letter(letter_id, by=actor(), at=now()), letter_step, error.problems), 422
    except Conflict as error:
        return _page(book.look_at_letter(letter_id, by=actor(), at=now()), letter_step, {}, error), 409
    flash("Langkah tersimpan.", "good")
    return redirect(url_for("letters.show", letter_id=letter_id), 303)


def _steps() -> dict[LetterStep, Callable[..., object]]:
    reason = request.form.get("reason", "")
    return {
        LetterStep.INITIAL: letters.initial_letter,
        LetterStep.APPROVE: letters.approve_letter,
        LetterStep.RETURN: partial(letters.return_letter, reason=reason),
        LetterStep.ISSUE: letters.issue_letter,
        LetterStep.CANCEL: partial(letters.cancel_letter, reason=reason),
    }


@blueprint.get("/surat/<letter_id>/pratinjau.pdf")
@signed_in(*OFFICE)
def preview(letter_id: str) -> ResponseReturnValue:
    """The paper as it would become."""
    return pdf_response(papers.preview_letter(letter_id, by=actor(), at=now()), "pratinjau.pdf")


@blueprint.get("/surat/<letter_id>/surat.pdf")
@signed_in(*READERS)
def paper(letter_id: str) -> ResponseReturnValue:
    """The one paper of an issued letter, as often as it is needed; the journal notes each time."""
    found = papers.print_letter(letter_id, by=actor(), at=now())
    return pdf_response(found.path.read_bytes(), found.name)


@blueprint.post("/surat/<letter_id>/pindaian")
@signed_in(*WRITERS, Role.FO)
def attach(letter_id: str) -> ResponseReturnValue:
    """Keep the scan of the signed paper."""
    sent = request.files.get("file")
    given = {"outside_number": request.form.get("outside_number", ""), "row_version": _version()}
    try:
        letters.attach_scan(letter_id, sent.read() if sent else b"", **given, by=actor(), at=now())  # type: ignore[arg-type]
    except InvalidInput as error:
        return _page(book.look_at_letter(letter_id, by=actor(), at=now()), LetterStep.ATTACH, error.problems), 422
    flash("Pindaian tersimpan.", "good")
    return redirect(url_for("letters.show", letter_id=letter_id), 303)


@blueprint.get("/surat/<letter_id>/pindaian")
@signed_in(*READERS)
def scan(letter_id: str) -> ResponseReturnValue:
    """The scan; a PDF from outside is only ever saved, never opened within these pages."""
    return _from_outside(papers.open_scan(letter_id, by=actor(), at=now()))


@blueprint.get("/kasus/<case_id>/formulir/<wording_code>.pdf")
@signed_in(*OFFICE)
def form(case_id: str, wording_code: str) -> ResponseReturnValue:
    """A form about a case, filled with what is known."""
    return pdf_response(papers.print_form(case_id, wording_code, by=actor(), at=now()), f"{wording_code}.pdf")


def pdf_response(content: bytes, name: str) -> Response:
    """A paper of our own for the browser's viewer."""
    response = Response(content, mimetype=PDF)
    response.headers["Content-Disposition"] = f"inline; filename={name}"
    response.headers["Content-Security-Policy"] = PAPER_POLICY
    return response


def _from_outside(found: PaperFile) -> Response:
    response = send_file(found.path, mimetype=found.media, as_attachment=found.media == PDF, download_name=found.name)
    response.headers["Content-Security-Policy"] = ALONE
    return response


def read_letter(wording: Wording) -> NewLetter:
    """What was typed into the form of a draft."""
    given = request.form
    return NewLetter(
        wording=wording.code,
        purpose=given.get("purpose", ""),
        signatory_id=given.get("signatory_id", ""),
        addressee=given.get("addressee", "").replace("\r\n", "\n"),
        typed={one.code: given.get(f"typed-{one.code}", "").replace("\r\n", "\n") for one in wording.questions},
        referral_id=given.get("referral_id", ""),
        again=bool(given.get("again")),
    )


def _version() -> int:
    return request.form.get("row_version", 0, type=int)


def _filter() -> tuple[LetterFilter, dict[str, str]]:
    """The filter in the address, and what could not be read of it."""
    args, problems = request.args, dict[str, str]()
    view = args.get("tampil", "")
    usual = book.MINE if actor().has(*WRITERS, Role.MANAJER, Role.PENANDATANGAN) else book.ISSUED
    wanted = LetterFilter(
        view=view if view in VIEWS else usual,
        wording=args.get("naskah", ""),
        state=args.get("status", ""),
        number=" ".join(args.get("nomor", "").split()),
    )
    days: dict[str, date | None] = {}
    for name, key in (("since", "sejak"), ("until", "sampai")):
        try:
            days[name] = read_day(args[key].strip()) if args.get(key, "").strip() else None
        except ValueError as error:
            problems[key] = str(error)
    return replace(wanted, **days), problems  # type: ignore[arg-type]


def _args() -> dict[str, str]:
    """The filter as the address has it, for the links of the page."""
    kept = ("naskah", "status", "nomor", "sejak", "sampai")
    return {name: request.args[name] for name in kept if request.args.get(name)}


def _choices() -> dict[str, Any]:
    kinds = [(one.code, one.name) for one in wordings.list_wordings() if one.numbered]
    return {"kinds": kinds, "states": [(state.value, state.label) for state in LetterState]}


def _draft_page(
    case_id: str, wording: Wording, typed: Mapping[str, str], problems: Mapping[str, str], letter_id: str = ""
) -> str:
    case = casebook.look_at_case(case_id, by=actor(), at=now())
    return render_template(
        "letters/edit.html",
        case=case,
        wording=wording,
        typed=typed,
        problems=problems,
        letter_id=letter_id,
        signatories=[(one.id, f"{one.name}, {one.position}") for one in office.signatories()],
        purposes=[(one.name, f"{one.name} ({one.days} hari)" if one.days else one.name) for one in wording.purposes],
        referrals=[(one.id, f"{one.number}, {one.unit_name}") for one in case.referrals],
    )


def _page(
    letter: LetterDetail, chosen: str = "", problems: Mapping[str, str] | None = None, conflict: Conflict | None = None
) -> str:
    return render_template("letters/show.html", letter=letter, chosen=chosen, problems=problems or {}, conflict=conflict)
