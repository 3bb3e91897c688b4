"""Writing a letter and taking it through its life. Each function is one transaction and one fact in the journal.

The number is taken in the transaction of the issue. The paper is made after it, from what was frozen; a node that was killed in
between makes the same paper when it is first asked for.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require, require_area, scope
from appliance.casework.history import Fact, add_fact, next_count
from appliance.casework.moving import locked_case
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.letters import facts, numbering, sheet
from appliance.letters.life import DRAFTERS, LetterState, LetterStep, Line, may
from appliance.letters.lookup import current_state, hands_of, letter_in_scope, sheet_of
from appliance.letters.papers import ensure_paper
from appliance.letters.placeholders import REFERRAL
from appliance.letters.wording import CASE_LIST, Wording
from appliance.letters.wordings import wording_of
from appliance.models.case import Case, Referral
from appliance.models.letter import Letter, LetterCase, Signatory
from appliance.registry.file_store import store
from appliance.registry.holders import office_day

LONGEST_ANSWER = 2000
# Without letters that are read as others; 16 of these 32 are 80 bits.
CHECK_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CHECK_LETTERS = 16


@dataclass(frozen=True)
class NewLetter:
    """What is typed for a draft. `again`: she knows that a letter for the same purpose is still valid."""

    wording: str
    purpose: str = ""
    signatory_id: str = ""
    addressee: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    referral_id: str = ""
    again: bool = False


def draft_letter(case_id: str, new: NewLetter, *, request_id: str, by: Actor, at: datetime) -> str:
    """Begin a letter about a case; its identifier. The same `request_id` again gives the same one.

    Raises InvalidInput with all problems, NotFound, NotAllowed.
    """
    require(by, *sorted(DRAFTERS))
    try:
        with transaction():
            return drafted_before(request_id, by) or add_draft(case_id, new, request_id, by, at)
    except Duplicate:
        with transaction():
            return drafted_before(request_id, by) or add_draft(case_id, new, request_id, by, at)


def change_letter(letter_id: str, new: NewLetter, *, row_version: int, by: Actor, at: datetime) -> None:
    """Write a draft anew, as it stood at `row_version`."""
    with transaction():
        letter, _ = _take(letter_id, LetterStep.CHANGE, row_version, by, at)
        wording = wording_of(letter.wording)
        numbers = _checked(letter.case, wording, new, by, at, besides=letter.id)
        _write(letter, wording, new, numbers)
        letter.drafters = sorted({*letter.drafters, by.account_id})
        _done(letter, LetterStep.CHANGE, by, at)


def initial_letter(letter_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """The head of the division has read it."""
    with transaction():
        letter, line = _take(letter_id, LetterStep.INITIAL, row_version, by, at)
        _require_signatory(letter)
        _require_no_secret(letter)
        letter.initialled_by = by.account_id
        _done(letter, line.step, by, at, line)


def approve_letter(letter_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """The signatory agrees: from now on the paper shows what is known now, whatever changes later."""
    with transaction():
        letter, line = _take(letter_id, LetterStep.APPROVE, row_version, by, at)
        _require_signatory(letter)
        _require_no_secret(letter)
        letter.frozen = sheet.freeze(sheet_of(letter, by=by, at=at))
        letter.approved_by = by.account_id
        _done(letter, line.step, by, at, line)


def return_letter(letter_id: str, *, reason: str, row_version: int, by: Actor, at: datetime) -> None:
    """Back to the drafter, who reads why in the letter's trail."""
    given = _reason(reason)
    with transaction():
        letter, line = _take(letter_id, LetterStep.RETURN, row_version, by, at)
        letter.initialled_by = letter.approved_by = letter.frozen = None
        _done(letter, line.step, by, at, line, {"alasan": given})


def issue_letter(letter_id: str, *, row_version: int, by: Actor, at: datetime) -> str:
    """Give it its number, day and check code, and make the paper; the number.

    Raises Conflict when the number is taken by a letter of another series.
    """
    try:
        with transaction():
            number = _issue(letter_id, row_version, by, at)
    except Duplicate:
        # Somebody else began the series at the same moment: the second look sees it.
        try:
            with transaction():
                number = _issue(letter_id, row_version, by, at)
        except Duplicate as error:
            raise Conflict(
                "Nomor berikutnya dari seri ini sudah dipakai surat dari seri lain.",
                "Minta admin membedakan pola nomor kedua seri di halaman Naskah surat.",
            ) from error
    ensure_paper(letter_id)
    return number


def cancel_letter(letter_id: str, *, reason: str, row_version: int, by: Actor, at: datetime) -> None:
    """Take it back, with a reason. A number that was given stays with it and is never given again."""
    given = _reason(reason)
    with transaction():
        letter, line = _take(letter_id, LetterStep.CANCEL, row_version, by, at)
        letter.cancel_reason = given
        if letter.number:
            _tell_case(letter, "batalkan_surat", by, at, given)
        _done(letter, line.step, by, at, line, {"alasan": given})


def attach_scan(letter_id: str, content: bytes, *, outside_number: str = "", row_version: int, by: Actor, at: datetime) -> None:
    """Keep the signed and stamped paper, scanned: a PDF or a picture, by its content. Raises InvalidInput, Conflict."""
    if len(outside_number) > 80:
        raise InvalidInput({"outside_number": "Terlalu panjang; paling banyak 80 huruf."})
    stored = store(content)
    with transaction():
        letter, line = _take(letter_id, LetterStep.ATTACH, row_version, by, at)
        letter.scan, letter.scan_media = stored.sha256, stored.media
        letter.outside_number = outside_number.strip() or letter.outside_number
        _done(letter, line.step, by, at, detail={"berkas": stored.sha256[:12]})


def standing_letters(case: Case, wording: Wording, new: NewLetter, *, besides: str = "", by: Actor, at: datetime) -> list[Letter]:
    """Letters of this kind and purpose about the same person, or that name the case, and are still good or on their way.

    One that goes with a referral is the same only with the same referral: two organisations get two letters.
    """
    today = office_day(at)
    running = (LetterState.INITIALLED, LetterState.APPROVED, LetterState.ISSUED)
    about = sa.select(Letter.id).where(Letter.person_id == case.applicant_id)
    naming = sa.select(LetterCase.letter_id).where(LetterCase.case_id == case.id)
    statement = scope(sa.select(Letter), Letter, by).where(
        Letter.id.in_(about.union(naming)),
        Letter.wording == wording.code,
        Letter.purpose == new.purpose,
        Letter.id != besides,
        Letter.state.in_(running),
        sa.or_(Letter.valid_until.is_(None), Letter.valid_until >= today),
    )
    if wording.kind == REFERRAL:
        statement = statement.where(Letter.referral_id == new.referral_id)
    return list(db.session.scalars(statement.order_by(Letter.id)))


def drafted_before(request_id: str, by: Actor) -> str | None:
    """The letter that she began with this token, if there is one."""
    known = sa.select(Letter.id).where(Letter.request_id == request_id, Letter.created_by == by.account_id)
    return db.session.scalar(known)


def add_draft(case_id: str, new: NewLetter, request_id: str, by: Actor, at: datetime) -> str:
    """A draft in the caller's transaction; its identifier. Raises as `draft_letter`."""
    case = locked_case(case_id, by)
    require_area(by, case.village_code, *DRAFTERS)
    wording = wording_of(new.wording)
    named = _checked(case, wording, new, by, at)
    letter = Letter(
        request_id=request_id,
        wording=wording.code,
        case_id=case.id,
        person_id=case.applicant_id,
        referral_id=new.referral_id if wording.kind == REFERRAL else None,
        state=LetterState.DRAFT,
        drafters=[by.account_id],
    )
    letter.case = case
    _write(letter, wording, new, named)
    letter.stamp(by.account_id, at)
    db.session.add(letter)
    db.session.flush()
    detail = {"aksi": "konsep", "kasus": case.id, "naskah": wording.code}
    audit.record("surat", f"letter:{letter.id}", by=by, at=at, detail=detail)
    return letter.id


def _write(letter: Letter, wording: Wording, new: NewLetter, named: tuple[Case, ...]) -> None:
    letter.title = wording.name
    letter.purpose = new.purpose
    letter.signatory_id = new.signatory_id
    letter.addressee = new.addressee.strip() or wording.addressee
    letter.typed = {question.code: new.typed.get(question.code, "").strip() for question in wording.questions}
    letter.named = list(named)
    letter.area_code = _common_area([letter.case.village_code, *(case.village_code for case in named)])


def _common_area(codes: list[str]) -> str:
    """The smallest area in which all of these lie."""
    first, *others = [code.split(".") for code in codes]
    depth = next((at for at, part in enumerate(first) if any(other[at : at + 1] != [part] for other in others)), len(first))
    return ".".join(first[:depth]) or settings_in_use().node.district


def _checked(case: Case, wording: Wording, new: NewLetter, by: Actor, at: datetime, besides: str = "") -> tuple[Case, ...]:
    """The other cases that a collective letter names. Raises InvalidInput with everything that is wrong with the draft."""
    if not wording.numbered or not wording.active:
        raise InvalidInput({"wording": "Pilih jenis surat dari daftar."})
    problems = _answer_problems(wording, new)
    if new.purpose not in {purpose.name for purpose in wording.purposes}:
        problems["purpose"] = "Pilih keperluan surat."
    signatory = db.session.get(Signatory, new.signatory_id) if new.signatory_id else None
    if signatory is None or not signatory.active:
        problems["signatory_id"] = "Pilih penanda tangan. Bila belum ada, minta admin menambahkannya di Naskah surat."
    if wording.kind == REFERRAL and not _is_of_case(new.referral_id, case):
        problems["referral_id"] = "Surat ini menyertai rujukan; pilih rujukan dari kasus ini."
    named, unknown = facts.named_cases(new.typed.get(CASE_LIST, ""), by)
    if unknown:
        problems[f"typed-{CASE_LIST}"] = f"Tidak ditemukan atau rahasia: {', '.join(unknown[:10])}."
    if "purpose" not in problems and not new.again:
        problems |= again_problem(standing_letters(case, wording, new, besides=besides, by=by, at=at))
    if problems:
        raise InvalidInput(problems)
    return named


def _answer_problems(wording: Wording, new: NewLetter) -> dict[str, str]:
    problems = {}
    for question in wording.questions:
        answer = new.typed.get(question.code, "").strip()
        if question.required and not answer:
            problems[f"typed-{question.code}"] = f"{question.label} wajib diisi."
        elif len(answer) > LONGEST_ANSWER:
            problems[f"typed-{question.code}"] = f"Terlalu panjang; paling banyak {LONGEST_ANSWER} huruf."
    if len(new.addressee) > 500:
        problems["addressee"] = "Terlalu panjang; paling banyak 500 huruf."
    return problems


def again_problem(standing: list[Letter]) -> dict[str, str]:
    """What is told of letters that already serve the purpose; nothing when there are none."""
    if not standing:
        return {}
    first = standing[0]
    which = f"nomor {first.number}" if first.number else "yang sedang diproses"
    until = f", berlaku sampai {first.valid_until:%d-%m-%Y}" if first.valid_until else ""
    return {
        "again": f"Warga ini masih punya surat yang sama untuk keperluan ini ({which}{until}). Centang bila tetap perlu dibuat."
    }


def _is_of_case(referral_id: str, case: Case) -> bool:
    known = sa.select(Referral.id).where(Referral.id == referral_id, Referral.case_id == case.id)
    return db.session.scalar(known) is not None


def _require_no_secret(letter: Letter) -> None:
    """What became confidential after the draft is not put on a list that goes round."""
    if secret := [case.number for case in letter.named if case.confidential]:
        raise Conflict(
            f"Surat ini memuat kasus yang sekarang rahasia: {', '.join(secret)}.",
            "Kembalikan ke draf, keluarkan kasus itu dari daftar, lalu ajukan lagi.",
        )


def _require_signatory(letter: Letter) -> None:
    if letter.signatory is None or not letter.signatory.active:
        raise Conflict("Penanda tangan surat ini tidak aktif lagi.", "Kembalikan ke draf, lalu pilih penanda tangan lain.")


def _take(letter_id: str, step: LetterStep, row_version: int, by: Actor, at: datetime) -> tuple[Letter, Line]:
    """The letter, kept from other writers, if `by` may take the step now."""
    letter = letter_in_scope(letter_id, by)
    # The case before the letter: all writers lock in this order, and the history of the case may be written.
    db.session.execute(sa.select(Case.id).where(Case.id == letter.case_id).with_for_update())
    db.session.refresh(letter, with_for_update=True)
    if letter.row_version != row_version:
        raise changed_meanwhile()
    answer = may(step, current_state(letter, at), by.roles_in(letter.area_code), hands_of(letter), by.account_id)
    if isinstance(answer, Line):
        return letter, answer
    hint = "Muat ulang halaman untuk melihat langkah yang tersedia."
    raise Conflict(answer.text, hint) if answer.impossible else NotAllowed(answer.text, hint)


def _issue(letter_id: str, row_version: int, by: Actor, at: datetime) -> str:
    letter, line = _take(letter_id, LetterStep.ISSUE, row_version, by, at)
    _require_no_secret(letter)
    wording = sheet.thaw(letter.frozen or {}).wording
    today = office_day(at)
    letter.series, letter.year, letter.day, letter.issued_at = wording.series, today.year, today, at
    letter.count = next_count(series_key(wording.series, today.year))
    letter.number = numbering.written(wording.pattern, letter.count, wording.classification, today)
    days = wording.days_for(letter.purpose)
    letter.valid_until = today + timedelta(days=days) if days else None
    letter.check_code = "".join(secrets.choice(CHECK_ALPHABET) for _ in range(CHECK_LETTERS))
    _tell_case(letter, "terbitkan_surat", by, at)
    _done(letter, line.step, by, at, line, {"nomor": letter.number})
    return letter.number


def series_key(series: str, year: int) -> str:
    """The name of the running count of a series in a year."""
    return f"SURAT-{year}-{series}"


def _tell_case(letter: Letter, word: str, by: Actor, at: datetime, note: str = "") -> None:
    case = letter.case
    details = {"Surat": letter.title, "Nomor surat": letter.number or ""}
    role = next(iter(sorted(by.roles_in(case.village_code))), None)
    add_fact(case, Fact(word, role, note=note, details=details), state_from=case.state, by=by, at=at)


def _done(
    letter: Letter, step: LetterStep, by: Actor, at: datetime, line: Line | None = None, detail: dict[str, str] | None = None
) -> None:
    if line is not None and line.target is not None:
        letter.state = line.target
    letter.stamp(by.account_id, at)
    audit.record("surat", f"letter:{letter.id}", by=by, at=at, detail={"aksi": step.value, **(detail or {})})


def _reason(text: str) -> str:
    given = " ".join(text.split())
    if len(given) < 5:
        raise InvalidInput({"reason": "Tulis alasannya, paling sedikit satu kalimat pendek."})
    return given[:500]
