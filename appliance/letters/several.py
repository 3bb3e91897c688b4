"""Drafts for several cases at once: a letter for each, or one that lists them all. Every one of them, or none.

Whoever cannot get one is named with the reason, as the problem `case-<identifier>`, before anything is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from appliance.access import Actor, require, scope
from appliance.casework.moving import case_not_found
from appliance.database import Duplicate, db, one_of, transaction
from appliance.errors import ApplianceError, InvalidInput, NotAllowed, NotFound
from appliance.letters.letters import NewLetter, add_draft, again_problem, drafted_before, standing_letters
from appliance.letters.life import DRAFTERS
from appliance.letters.wording import CASE_LIST, Wording
from appliance.letters.wordings import wording_of
from appliance.models.case import Case

MOST = 50
NOT_ALLOWED = "Wilayah kasus ini bukan wilayah kerja Anda untuk surat."
CONFIDENTIAL = "Kasus rahasia tidak ditulis dalam daftar bersama; buat suratnya sendiri dari halaman kasus."


def draft_letters(case_ids: Sequence[str], new: NewLetter, *, request_id: str, by: Actor, at: datetime) -> tuple[str, ...]:
    """Begin the letters; their identifiers, one for all cases when the wording lists them. The same `request_id` again gives the
    same ones.

    Raises InvalidInput with all problems of the form and of each case, NotFound, NotAllowed.
    """
    require(by, *sorted(DRAFTERS))
    wanted = tuple(dict.fromkeys(case_ids))
    if not 1 <= len(wanted) <= MOST:
        raise InvalidInput({"cases": f"Centang paling sedikit satu dan paling banyak {MOST} kasus."})
    wording = wording_of(new.wording)
    draft = _draft_list if wording.collective else _draft_each
    try:
        with transaction():
            return draft(wanted, new, wording, request_id, by, at)
    except Duplicate:  # the button was pressed twice
        with transaction():
            return draft(wanted, new, wording, request_id, by, at)


def _draft_each(
    wanted: tuple[str, ...], new: NewLetter, wording: Wording, request_id: str, by: Actor, at: datetime
) -> tuple[str, ...]:
    made, problems = dict[str, str](), dict[str, str]()
    for case_id in sorted(wanted):  # the order in which all lock cases
        token = hashlib.sha256(f"{request_id} {case_id}".encode()).hexdigest()
        try:
            made[case_id] = drafted_before(token, by) or add_draft(case_id, new, token, by, at)
        except InvalidInput as error:
            own = error.problems.pop("again", "")
            problems |= error.problems | ({f"case-{case_id}": own} if own else {})
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
    found = {case.id: case for case in db.session.scalars(scope(sa.select(Case).where(one_of(Case.id, list(wanted))), Case, by))}
    reasons = {case_id: _unlistable(found.get(case_id), new, wording, by, at) for case_id in wanted}
    problems = {f"case-{case_id}": reason for case_id, reason in reasons.items() if reason}
    numbers = [found[case_id].number for case_id in wanted if not reasons[case_id]]
    listed = replace(new, typed={**new.typed, CASE_LIST: "\n".join(numbers)}, again=True)
    first = next((case_id for case_id in wanted if not reasons[case_id]), "")
    try:
        made = add_draft(first, listed, request_id, by, at) if first else ""
    except InvalidInput as error:
        problems |= error.problems
    if problems:
        raise InvalidInput(problems)
    return (made,)


def _unlistable(case: Case | None, new: NewLetter, wording: Wording, by: Actor, at: datetime) -> str:
    """Why a case cannot stand on the list; "" when it can."""
    if case is None:
        return _reason(case_not_found())
    if not by.has_in(case.village_code, *sorted(DRAFTERS)):
        return NOT_ALLOWED
    if case.confidential:
        return CONFIDENTIAL
    standing = () if new.again else standing_letters(case, wording, new, by=by, at=at)
    return again_problem(list(standing)).get("again", "")


def _reason(error: ApplianceError) -> str:
    return NOT_ALLOWED if isinstance(error, NotAllowed) else str(error)
