"""The papers of a case: bringing them in, checking them against what the service asks for, showing and removing one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.access import AREA_ROLES
from appliance.casework import casebook, papers
from appliance.casework.papers import BRINGERS, CHECKERS, Judgement
from appliance.errors import Conflict, InvalidInput
from webui.cases import case_page
from webui.person_files import sent_file
from webui.security import MOST_FILES_MEGABYTES, MOST_UPLOADED, takes_files
from webui.session import actor, now, signed_in

blueprint = Blueprint("papers", __name__)
READERS = tuple(sorted(AREA_ROLES))
BRINGING = tuple(sorted(BRINGERS))
CHECKING = tuple(sorted(CHECKERS))


@blueprint.get("/kasus/<case_id>/berkas")
@signed_in(*BRINGING)
def choose(case_id: str) -> ResponseReturnValue:
    """The form to bring in papers; `syarat` is the requirement they are for."""
    return _form_page(case_id, {}, request.args.get("syarat", ""))


@blueprint.post("/kasus/<case_id>/berkas")
@signed_in(*BRINGING)
@takes_files(MOST_UPLOADED)
def add(case_id: str) -> ResponseReturnValue:
    """Store papers of a case."""
    contents = [content for sent in request.files.getlist("file") if (content := sent.read())]
    requirement, title = request.form.get("requirement", ""), " ".join(request.form.get("title", "").split())
    try:
        papers.add_papers(case_id, contents, requirement=requirement, title=title, by=actor(), at=now())
    except InvalidInput as error:
        return _form_page(case_id, error.problems, requirement), 422
    flash("Berkas tersimpan.", "good")
    return redirect(url_for("cases.show", case_id=case_id, _anchor="berkas"), 303)


@blueprint.post("/kasus/<case_id>/berkas/periksa")
@signed_in(*CHECKING)
def check(case_id: str) -> ResponseReturnValue:
    """Store what was found of each requirement; those left at "belum diperiksa" stay as they are."""
    told = {}
    for position in range(request.form.get("count", 0, type=int)):
        name, state = (request.form.get(f"{part}-{position}", "") for part in ("requirement", "state"))
        if state:
            told[name] = Judgement(state, " ".join(request.form.get(f"reason-{position}", "").split()))
    version = request.form.get("row_version", 0, type=int)
    try:
        papers.check_papers(case_id, told, row_version=version, by=actor(), at=now())
    except InvalidInput as error:
        case = casebook.look_at_case(case_id, by=actor(), at=now())
        return case_page(case, paper_problems={"berkas": " ".join(error.problems.values())}, told=told), 422
    except Conflict as error:
        case = casebook.look_at_case(case_id, by=actor(), at=now())
        return case_page(
            case, paper_problems={"berkas": f"{error.message} Periksa pilihan Anda, lalu simpan lagi."}, told=told
        ), 409
    flash("Pemeriksaan berkas tersimpan.", "good")
    return redirect(url_for("cases.show", case_id=case_id), 303)


@blueprint.get("/berkas-kasus/<paper_id>")
@signed_in(*READERS)
def show(paper_id: str) -> ResponseReturnValue:
    """The paper itself; a PDF is only ever saved, never opened within these pages."""
    return sent_file(papers.open_paper(paper_id, by=actor(), at=now()))


@blueprint.get("/berkas-kasus/<paper_id>/kecil")
@signed_in(*READERS)
def thumbnail(paper_id: str) -> ResponseReturnValue:
    """The small picture of a paper."""
    return sent_file(papers.open_small_paper(paper_id, by=actor()))


@blueprint.post("/berkas-kasus/<paper_id>/hapus")
@signed_in(*BRINGING)
def remove(paper_id: str) -> ResponseReturnValue:
    """Take a wrong paper away."""
    case_id = papers.remove_paper(paper_id, by=actor(), at=now())
    flash("Berkas dihapus dari halaman.", "good")
    return redirect(url_for("cases.show", case_id=case_id, _anchor="berkas"), 303)


def _form_page(case_id: str, problems: dict[str, str], requirement: str) -> str:
    number, requirements = papers.choose_case(case_id, by=actor())
    return render_template(
        "cases/add_papers.html",
        case_id=case_id,
        number=number,
        requirements=[(name, name) for name in requirements],
        requirement=requirement,
        problems=problems,
        most=MOST_FILES_MEGABYTES,
        typed=request.form,
    )
