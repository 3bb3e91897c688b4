"""Letters for several cases at once: one each or one list, all or none, and whoever cannot get one is named with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import database
from appliance.access import Actor, Grant
from appliance.config import Settings
from appliance.database import db
from appliance.errors import InvalidInput, NotAllowed
from appliance.letters import letters, several
from appliance.models.case import Case
from appliance.models.letter import Letter
from appliance.models.roles import Role
from tests.support.desk import open_case, request, resident
from tests.support.letters import PURPOSE, Signers, issue, issued, new_letter, row, signers, version
from tests.support.staff import AT, FAR, HOME, Staff, hire, hire_one
from tests.support.web_client import Web, officer, web_app

LIST = {"wording": "pengantar-kolektif", "purpose": "Usulan SIKS-NG", "typed": {"tujuan": "BPJS", "maksud": "diaktifkan"}}


@pytest.fixture
def signer(staff: Staff) -> Signers:
    return signers(staff)


def _named(staff: Staff, *names: str, **changes: object) -> list[str]:
    return [open_case(staff.fo, resident(staff.fo, name), **changes) for name in names]


def _draft(cases: list[str], signer: Signers, by: Actor, token: str = "", **changes: object) -> tuple[str, ...]:
    return several.draft_letters(cases, new_letter(signer, **changes), request_id=token or request(), by=by, at=AT)


def _count() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Letter)) or 0


def test_each_case_gets_a_draft_of_its_own(staff: Staff, signer: Signers) -> None:
    cases = _named(staff, "Aminah", "Baharuddin", "Cahyani")
    made = _draft(cases, signer, staff.bo, "once")
    assert [(row(letter).case_id, row(letter).state, row(letter).named) for letter in made] == [
        (case, "DRAF", []) for case in cases
    ]
    assert _draft(cases, signer, staff.bo, "once") == made
    assert _count() == 3


def test_one_letter_lists_all(staff: Staff, signer: Signers) -> None:
    cases = [*_named(staff, "Aminah", "Baharuddin"), open_case(staff.fo, resident(staff.fo, "Cahyani", FAR))]
    (letter,) = _draft(cases, signer, staff.bo, "once", **LIST)
    assert _draft(cases, signer, staff.bo, "once", **LIST) == (letter,)
    assert {case.id for case in row(letter).named} == set(cases)
    assert row(letter).area_code == "73.03"
    letters.initial_letter(letter, row_version=version(letter), by=signer.head, at=AT)
    letters.approve_letter(letter, row_version=version(letter), by=signer.agency, at=AT)
    rows = (row(letter).frozen or {})["tables"]["daftar kasus"]["rows"]
    assert [name for name, *_ in rows] == ["Aminah", "Baharuddin", "Cahyani"]
    assert issue(letter, staff.bo).startswith("400.9/001/")


def test_an_invitation_lists_names_and_no_numbers(staff: Staff, signer: Signers) -> None:
    case = open_case(staff.fo, resident(staff.fo, "Aminah", nik="7303014101800001"))
    typed = {"hari": "Senin, 30 November 2026, 09.00", "tempat": "Aula", "acara": "Penyuluhan"}
    (letter,) = _draft([case], signer, staff.bo, wording="undangan-warga", purpose="Undangan", typed=typed)
    letters.initial_letter(letter, row_version=version(letter), by=signer.head, at=AT)
    letters.approve_letter(letter, row_version=version(letter), by=signer.agency, at=AT)
    (listed,) = (row(letter).frozen or {})["tables"]["daftar nama"]["rows"]
    assert listed[0] == "Aminah"
    assert not re.search(r"\d", "".join(listed))


@pytest.mark.parametrize("wording", ["each", "list"])
def test_who_cannot_get_one_is_named_and_nobody_gets_one(staff: Staff, signer: Signers, wording: str) -> None:
    here = hire_one("bo.desa", Role.BO_PUSKESOS, (HOME,))
    (good, served), foreign = _named(staff, "Aminah", "Baharuddin"), open_case(staff.fo, resident(staff.fo, "Jauh", FAR))
    wanted = LIST if wording == "list" else {}
    other = _named(staff, "Dahlan")[0]
    *_, before = _draft([other, served], signer, staff.bo, **wanted)  # a list is about its first case and names the others
    letters.initial_letter(before, row_version=version(before), by=signer.head, at=AT)
    with pytest.raises(InvalidInput) as refused:
        _draft([good, served, foreign], signer, here, **wanted)
    problems = refused.value.problems
    assert set(problems) == {f"again-{served}", f"case-{foreign}"}
    assert "masih punya surat yang sama" in problems[f"again-{served}"]
    assert problems[f"case-{foreign}"].startswith("Kasus tidak ditemukan.")
    assert _count() == (1 if wording == "list" else 2)
    assert len(_draft([good, served], signer, here, again=True, **wanted)) == (1 if wording == "list" else 2)


def test_a_confidential_case_gets_its_own_letter_but_stands_on_no_list(staff: Staff, signer: Signers) -> None:
    (plain,), (secret,) = _named(staff, "Aminah"), _named(staff, "Rahasia", confidential=True)
    with pytest.raises(InvalidInput) as refused:
        _draft([plain, secret], signer, staff.bo, **LIST)
    assert refused.value.problems == {f"case-{secret}": several.CONFIDENTIAL}
    assert len(_draft([plain, secret], signer, staff.bo)) == 2


def test_who_sees_a_case_but_writes_no_letters_there_is_refused_with_the_reason(staff: Staff, signer: Signers) -> None:
    grants = (Grant(Role.FO, (HOME,)), Grant(Role.BO, (FAR,)))
    both = Actor.holding(staff.bo.account_id, "Andi", staff.bo.username, grants)
    case = _named(staff, "Aminah")[0]
    for wanted in ({}, LIST):
        with pytest.raises(InvalidInput) as refused:
            _draft([case], signer, both, **wanted)
        assert refused.value.problems == {f"case-{case}": several.NOT_ALLOWED}
    with pytest.raises(NotAllowed):
        _draft([case], signer, staff.fo)


def test_a_wrong_form_is_told_with_the_cases_at_once(staff: Staff, signer: Signers) -> None:
    case = _named(staff, "Aminah")[0]
    issued(staff, signer, case)
    with pytest.raises(InvalidInput) as refused:
        _draft([case], signer, staff.bo, signatory_id="nobody")
    assert set(refused.value.problems) == {"signatory_id", f"again-{case}"}
    with pytest.raises(InvalidInput, match="Isian"):
        _draft([], signer, staff.bo)
    with pytest.raises(InvalidInput):
        _draft([str(number) for number in range(several.MOST + 1)], signer, staff.bo)


@pytest.mark.parametrize("wording", ["each", "list"])
def test_a_resident_is_ticked_once_and_a_changed_form_asks_for_something_else(
    staff: Staff, signer: Signers, wording: str
) -> None:
    wanted = LIST if wording == "list" else {}
    one, two = _named(staff, "Aminah", "Baharuddin")
    again = open_case(staff.fo, db.session.get_one(Case, one).applicant_id)
    with pytest.raises(InvalidInput) as refused:
        _draft([one, two, again], signer, staff.bo, **wanted)
    assert set(refused.value.problems) == {f"case-{again}"}
    assert "sudah dicentang" in refused.value.problems[f"case-{again}"]
    first = _draft([one], signer, staff.bo, token="kembali", **wanted)
    assert _draft([one], signer, staff.bo, token="kembali", **wanted) == first, "pressed twice"
    assert set(_draft([one, two], signer, staff.bo, token="kembali", again=True, **wanted)) - set(first), "gone back and changed"


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    app = web_app(settings)
    yield app
    with app.app_context():
        database.db.engine.dispose()


def test_from_the_ticks_in_a_list_to_the_drafts(pages: Flask) -> None:
    with pages.app_context():
        staff = hire()
        signer = signers(staff)
        cases = _named(staff, "Aminah", "Baharuddin")
        (secret,) = _named(staff, "Rahasia", confidential=True)
        officer("bo", Role.BO)
        officer("fo", Role.FO)
        db.session.remove()
    fo, bo = Web(pages), Web(pages)
    fo.sign_in("fo")
    bo.sign_in("bo")
    assert 'name="kasus"' not in fo.get("/kasus?tampil=terbuka").text
    listed = bo.get("/kasus?tampil=terbuka").text
    assert set(re.findall(r'name="kasus" value="([^"]+)" form="several"', listed)) == {*cases, secret}
    ticked = "&".join(f"kasus={case}" for case in (*cases, secret))
    chosen = bo.get(f"/surat/beberapa?{ticked}").text
    assert "naskah=pengantar-kolektif" in chosen
    assert "naskah=surat-rujukan" not in chosen
    form = bo.get(f"/surat/beberapa?naskah=sktm&{ticked}").text
    token = re.search(r'name="request_id" value="([^"]+)"', form)
    typed = {"wording": "pengantar-kolektif", "request_id": token[1] if token else "", "signatory_id": signer.signatory_id}
    typed |= {"purpose": "Usulan SIKS-NG", "typed-tujuan": "BPJS", "typed-maksud": "diaktifkan"}
    refused = bo.post("/surat/beberapa", {**typed, "kasus": [*cases, secret], "shown": [*cases, secret]})
    assert refused.status_code == 422
    assert f"Rahasia: {several.CONFIDENTIAL}" in refused.text
    still = re.findall(r'name="kasus" value="([^"]+)" checked', refused.text)
    assert set(still) == set(cases), "whoever was refused is not ticked any more, and everybody else still is"
    made = bo.post("/surat/beberapa", {**typed, "kasus": still})
    assert made.status_code == 303
    each = bo.post(
        "/surat/beberapa", {"wording": "sktm", "purpose": PURPOSE, "signatory_id": signer.signatory_id, "kasus": cases}
    )
    assert "2 konsep tersimpan" in bo.get(each.headers["Location"]).text
    with pages.app_context():
        (collective,) = [one for one in db.session.scalars(sa.select(Letter)) if one.wording == "pengantar-kolektif"]
        assert {case.id for case in collective.named} == set(cases)
        db.session.remove()
