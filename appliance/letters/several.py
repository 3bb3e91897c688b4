"""Drafts for several cases at once: a letter for each, or one that lists them all. Every one of them, or none.

Whoever cannot get one is named with the reason before anything is stored, as the problem `case-<identifier>`; who has such a letter
already as `again-<identifier>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from appliance.access import Actor, require, scope
from appliance.care.reserve import require_room
from appliance.casework.moving import case_not_found
from appliance.database import Duplicate, db, one_of, settings_in_use, transaction
from appliance.errors import ApplianceError, InvalidInput, NotAllowed, NotFound
from appliance.letters.letters import NewLetter, add_draft, again_problem, drafted_before, standing_letters
from appliance.letters.life import DRAFTERS
from appliance.letters.wording import CASE_LIST, Wording
from appliance.letters.wordings import wording_of
from appliance.models.case import Case

MOST = 50
NOT_ALLOWED = "Wilayah kasus ini bukan wilayah kerja Anda untuk surat. Hapus centangnya, atau minta rekan di wilayah itu."
TWICE = "Warga ini sudah dicentang pada kasus {number}. Hapus salah satu centangnya."
CONFIDENTIAL = "Kasus rahasia tidak ditulis dalam daftar bersama; buat suratnya sendiri dari halaman kasus."


def draft_letters(case_ids: Sequence[str], new: NewLetter, *, request_id: str, by: Actor, at: datetime) -> tuple[str, ...]:
    """Begin the letters; their identifiers, one for all cases when the wording lists them. The same `request_id` again gives the
    same ones.

    Raises InvalidInput with all problems of the form and of each case, NotFound, NotAllowed, DiskTight.
    """
    require(by, *sorted(DRAFTERS))
    wanted = tuple(dict.fromkeys(case_ids))
    if not 1 <= len(wanted) <= MOST:
        raise InvalidInput({"cases": f"Centang paling sedikit satu dan paling banyak {MOST} kasus."})
    if len(wanted) > 1:
        require_room(settings_in_use())
    wording = wording_of(new.wording)
    token = _token(request_id, new, *(sorted(wanted) if wording.collective else ()))

    def draft() -> tuple[str, ...]:
        with transaction():
            return (
                _draft_list(wanted, new, wording, token, by, at)
                if wording.collective
                else _draft_each(wanted, new, token, by, at)
            )

    try:
        return draft()
    except Duplicate:  # the button was pressed twice
        return draft()


def _token(request_id: str, *asked: object) -> str:
    """What the same request for the same thing is known by: whoever goes back and changes the form asks for something else."""
    return hashlib.sha256(repr((request_id, *asked)).encode()).hexdigest()


def _twice(cases: Iterable[Case]) -> dict[str, str]:
    """The problems of cases whose resident was ticked with another one already."""
    first, problems = dict[str, str](), dict[str, str]()
    for case in sorted(cases, key=lambda one: one.number):
        number = first.setdefault(case.applicant_id, case.number)
        if number != case.number:
            problems[f"case-{case.id}"] = TWICE.format(number=number)
    return problems


def _seen(wanted: Sequence[str], by: Actor) -> dict[str, Case]:
    return {case.id: case for case in db.session.scalars(scope(sa.select(Case).where(one_of(Case.id, list(wanted))), Case, by))}


def _draft_each(wanted: tuple[str, ...], new: NewLetter, request_id: str, by: Actor, at: datetime) -> tuple[str, ...]:
    made, problems = dict[str, str](), _twice(_seen(wanted, by).values())
    for case_id in sorted(wanted):  # the order in which all lock cases
        token = _token(request_id, case_id)
        try:
            made[case_id] = drafted_before(token, by) or add_draft(case_id, new, token, by, at)
        except InvalidInput as error:
            own = error.problems.pop("again", "")
            problems |= error.problems | ({f"again-{case_id}": own} if own else {})
        except (NotFound, NotAllowed) as error:
            problems[f"case-{case_id}"] = _reason(error)
    if problems:
        raise InvalidInput(problems)
    return tuple(made[case_id] for case_id in wanted)


def _draft_list(
    wanted: tuple[str, ...], new: NewLetter, wording: Wording, request_id: str, by: Actor, at: datetime
) -> tuple[str, ...]:
    if before := drafted_before(request_id, by):
        return (before,)
    found = _seen(wanted, by)
    problems = _twice(found.values())
    for case_id in wanted:
        problems |= _unlistable(case_id, found.get(case_id), new, wording, by, at)
    listable = [case_id for case_id in wanted if not {f"case-{case_id}", f"again-{case_id}"} & problems.keys()]
    numbers = [found[case_id].number for case_id in listable]
    listed = replace(new, typed={**new.typed, CASE_LIST: "\n".join(numbers)}, again=True)
    first = next(iter(listable), "")
    try:
        made = add_draft(first, listed, request_id, by, at) if first else ""
    except InvalidInput as error:
        problems |= error.problems
    if problems:
        raise InvalidInput(problems)
    return (made,)


def _unlistable(case_id: str, case: Case | None, new: NewLetter, wording: Wording, by: Actor, at: datetime) -> dict[str, str]:
    """Why a case cannot stand on the list, as a problem; none when it can."""
    if case is None:
        return {f"case-{case_id}": _reason(case_not_found())}
    if not by.has_in(case.village_code, *sorted(DRAFTERS)):
        return {f"case-{case_id}": NOT_ALLOWED}
    if case.confidential:
        return {f"case-{case_id}": CONFIDENTIAL}
    standing = () if new.again else standing_letters(case, wording, new, by=by, at=at)
    problem = again_problem(list(standing))
    return {f"again-{case_id}": problem["again"]} if problem else {}


def _reason(error: ApplianceError) -> str:
    return NOT_ALLOWED if isinstance(error, NotAllowed) else f"{error.message} {error.hint}".strip()
