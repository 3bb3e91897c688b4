"""Reading letters: the register of what went out, what is on its way, and one letter with its trail. All through the reader's scope."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from appliance import audit
from appliance.access import Actor, in_areas, scope
from appliance.database import by_index, db, one_of, settings_in_use, transaction
from appliance.errors import Conflict
from appliance.letters.life import INITIALLERS, READERS, REGISTER_KEEPERS, TABLE, LetterState, LetterStep, Line, allowed
from appliance.letters.lookup import current_state, hands_of, is_outsider, letter_in_scope
from appliance.models.account import Account
from appliance.models.audit import AuditEntry
from appliance.models.case import Case
from appliance.models.letter import Letter, LetterCase
from appliance.models.roles import Role
from appliance.registry.areas import area_names
from appliance.registry.holders import office_day

PAGE_SIZE = 25
MOST_PRINTED, MOST_COUNTED = 2000, 1000
MOST_TRAIL, MOST_CHECKS = 100, 10
CHECKED = "periksa_surat"
HIDDEN = "Rahasia"
ISSUED, ON_THE_WAY, MINE = "register", "proses", "giliran"
_ACTIONS = {line.step.value: line.label for line in TABLE} | {
    "konsep": "Konsep dibuat",
    LetterStep.CHANGE.value: "Konsep diubah",
    LetterStep.INITIAL.value: "Diparaf",
    LetterStep.APPROVE.value: "Disetujui",
    LetterStep.RETURN.value: "Dikembalikan ke draf",
    LetterStep.ISSUE.value: "Diterbitkan",
    LetterStep.CANCEL.value: "Dibatalkan",
    LetterStep.ATTACH.value: "Pindaian dilampirkan",
    "cetak_surat": "Dicetak atau dibuka",
    "pratinjau_surat": "Pratinjau dibuka",
    "lihat_pindaian": "Pindaian dibuka",
    CHECKED: "Diperiksa lewat kode QR",
}


@dataclass(frozen=True)
class LetterFilter:
    """What a list shows. `view`: the register, what is on its way, or what waits for the reader."""

    view: str = ISSUED
    wording: str = ""
    state: str = ""
    number: str = ""
    since: date | None = None
    until: date | None = None
    case_id: str = ""


@dataclass(frozen=True)
class LetterLine:
    """One letter in a list. `person` and `village` are "" for the organisation it went to: it sees what was shared, on the paper.

    `masked`: a row of the register for whoever may not see the letter; it has number, day, kind and state, and no identifier.
    """

    id: str
    title: str
    number: str
    state: LetterState
    day: date | None
    created_at: datetime
    valid_until: date | None
    person: str
    village: str
    purpose: str
    addressee: str
    case_number: str
    prints: int
    has_scan: bool
    masked: bool = False


@dataclass(frozen=True)
class LettersFound:
    """One page of letters; `older` names the next one, "" at the end."""

    letters: tuple[LetterLine, ...]
    older: str


@dataclass(frozen=True)
class RegisterPart:
    """A part of the register as it is printed; `following` names the next one, "" at the end."""

    letters: tuple[LetterLine, ...]
    following: str


@dataclass(frozen=True)
class Trace:
    """One fact of a letter's trail."""

    at: datetime
    who: str
    what: str
    note: str


@dataclass(frozen=True)
class LetterDetail:
    """One letter with the steps the reader may take."""

    line: LetterLine
    case_id: str | None
    referral_number: str
    signatory: str
    cancel_reason: str
    outside_number: str
    check_code: str
    steps: tuple[Line, ...]
    trail: tuple[Trace, ...]
    may_read: bool
    row_version: int


def list_letters(wanted: LetterFilter, *, by: Actor, at: datetime, before: str = "") -> LettersFound:
    """A page of letters, the newest first; `before` is the `older` of the page before."""
    statement, order = _filtered(wanted, by, at)
    place = _read_place(before)
    if place:
        statement = statement.where(order <= place[0], sa.or_(order < place[0], Letter.id < place[1]))
    rows = _rows(statement.order_by(order.desc(), Letter.id.desc()).limit(PAGE_SIZE + 1))
    shown = rows[:PAGE_SIZE]
    return LettersFound(_lines(shown, by, at), _place_of(shown[-1], wanted) if len(rows) > PAGE_SIZE else "")


def count_waiting(*, by: Actor) -> int:
    """How many letters in scope wait for a step of her roles; no more than MOST_COUNTED, for what is more helps nobody to decide."""
    waiting = scope(sa.select(Letter.id), Letter, by).where(
        Letter.issued_at.is_(None), Letter.state.in_(sorted(_waiting_for(by)))
    )
    found = by_index(waiting, Letter, "ix_letter_unissued").limit(MOST_COUNTED).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(found)) or 0


def register_part(wanted: LetterFilter, *, by: Actor, at: datetime, after: str = "") -> RegisterPart:
    """The register for paper or a spreadsheet, in the order of issue, so many at a time. Written to the journal.

    `after` is the `following` of the part before.
    """
    wanted = replace(wanted, view=ISSUED)
    with transaction():
        statement, order = _filtered(wanted, by, at)
        place = _read_place(after)
        if place:
            statement = statement.where(order >= place[0], sa.or_(order > place[0], Letter.id > place[1]))
        rows = _rows(statement.order_by(order, Letter.id).limit(MOST_PRINTED + 1))
        shown = rows[:MOST_PRINTED]
        detail = {"baris": len(shown), "mulai": shown[0].number if shown else ""}
        audit.record("cetak_register", "letters:register", by=by, at=at, detail=detail)
        return RegisterPart(_lines(shown, by, at), _place_of(shown[-1], wanted) if len(rows) > MOST_PRINTED else "")


def look_at_letter(letter_id: str, *, by: Actor, at: datetime) -> LetterDetail:
    """One letter with its trail and the next steps. Written to the journal. Raises NotFound."""
    with transaction():
        letter = letter_in_scope(letter_id, by)
        seen = db.session.scalar(scope(sa.select(Case.id).where(Case.id == letter.case_id), Case, by))
        roles = by.roles_in(letter.area_code)
        outside = is_outsider(letter, by)
        detail = LetterDetail(
            line=_lines([letter], by, at)[0],
            case_id=seen,
            referral_number=letter.referral.number if letter.referral else "",
            signatory=f"{letter.signatory.name}, {letter.signatory.position}" if letter.signatory else "",
            cancel_reason="" if outside else letter.cancel_reason,
            outside_number=letter.outside_number,
            check_code=letter.check_code or "",
            steps=allowed(current_state(letter, at), roles, hands_of(letter), by.account_id),
            trail=() if outside else _trail(letter.id),
            may_read=outside or bool(roles & READERS),
            row_version=letter.row_version,
        )
        audit.record("lihat", f"letter:{letter.id}", by=by, at=at, detail={"warga": letter.person_id})
        return detail


@dataclass(frozen=True)
class Draft:
    """What the form of a draft shows."""

    case_id: str
    wording: str
    purpose: str
    signatory_id: str
    addressee: str
    referral_id: str
    typed: dict[str, str]
    row_version: int


def look_at_draft(letter_id: str, *, by: Actor, at: datetime) -> Draft:
    """A letter as it was typed. Written to the journal. Raises NotFound, Conflict when it is no draft any more."""
    with transaction():
        letter = letter_in_scope(letter_id, by)
        if letter.state != LetterState.DRAFT:
            raise Conflict(
                f"Surat berstatus {current_state(letter, at).label}; konsepnya tidak dapat diubah.", "Buka halaman surat ini."
            )
        audit.record("lihat", f"letter:{letter.id}", by=by, at=at, detail={"warga": letter.person_id})
        return Draft(
            case_id=letter.case_id,
            wording=letter.wording,
            purpose=letter.purpose,
            signatory_id=letter.signatory_id or "",
            addressee=letter.addressee,
            referral_id=letter.referral_id or "",
            typed=dict(letter.typed),
            row_version=letter.row_version,
        )


def letters_of_case(case_id: str, *, by: Actor, at: datetime) -> tuple[LetterLine, ...]:
    """The letters about one case, or that name it, as far as `by` may see them; the newest first."""
    naming = sa.select(LetterCase.letter_id).where(LetterCase.case_id == case_id)
    about = sa.or_(Letter.case_id == case_id, Letter.id.in_(naming))
    statement = scope(sa.select(Letter).where(about), Letter, by)
    rows = db.session.scalars(_with_names(statement).order_by(Letter.id.desc()).limit(50)).all()
    return _lines(rows, by, at)


def _with_names(statement: sa.Select[Letter]) -> sa.Select[Letter]:
    return statement.options(joinedload(Letter.case).joinedload(Case.applicant))


def _rows(ordered: sa.Select[str]) -> list[Letter]:
    """The letters with these identifiers, in scope already, in their order: found from an index alone, and only then read."""
    ids = list(db.session.scalars(ordered))
    read = _with_names(sa.select(Letter).where(one_of(Letter.id, ids)))
    rows = {row.id: row for row in db.session.scalars(read)}
    return [rows[one] for one in ids if one in rows]


def _filtered(wanted: LetterFilter, by: Actor, at: datetime) -> tuple[sa.Select[str], Any]:
    """The identifiers, and the column that orders them."""
    order: Any = Letter.created_at
    if wanted.view == ISSUED:
        statement, order, index = _register(wanted, by), Letter.issued_at, "ix_letter_issued"
    else:
        statement = scope(sa.select(Letter.id), Letter, by)
        waiting = _waiting_for(by) if wanted.view == MINE else set(LetterState) - {LetterState.ISSUED, LetterState.CANCELLED}
        statement = statement.where(Letter.issued_at.is_(None), Letter.state.in_(sorted(waiting)))
        index = "ix_letter_unissued"
    statement = _in_state(_narrowed(statement, wanted, order), wanted.state, office_day(at))
    return statement if wanted.number or wanted.case_id else by_index(statement, Letter, index), order


def _narrowed(statement: sa.Select[str], wanted: LetterFilter, order: Any) -> sa.Select[str]:
    if wanted.wording:
        statement = statement.where(Letter.wording == wanted.wording)
    if wanted.number:
        statement = statement.where(Letter.number == wanted.number.strip())
    if wanted.case_id:
        statement = statement.where(Letter.case_id == wanted.case_id)
    if wanted.since:
        statement = statement.where(order >= _midnight(wanted.since))
    if wanted.until:
        statement = statement.where(order < _midnight(wanted.until + timedelta(days=1)))
    return statement


def _register(wanted: LetterFilter, by: Actor) -> sa.Select[str]:
    """Everything that has a number and is hers; for who keeps the register also the rest of her areas, so that none is missing."""
    numbered = sa.select(Letter.id).where(Letter.issued_at.is_not(None))
    hers, areas = scope(numbered, Letter, by), by.areas_of(REGISTER_KEEPERS)
    # Asked for one case, a masked row would tell that this case has a letter.
    if not areas or wanted.case_id or hers.whereclause is None:
        return hers
    return numbered.where(sa.or_(in_areas(Letter.area_code, areas), hers.whereclause))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), settings_in_use().zone)


def _in_state(statement: sa.Select[str], state: str, today: date) -> sa.Select[str]:
    over = sa.and_(Letter.valid_until.is_not(None), Letter.valid_until < today)
    if state == LetterState.EXPIRED:
        return statement.where(Letter.state == LetterState.ISSUED, over)
    if state == LetterState.ISSUED:
        return statement.where(Letter.state == LetterState.ISSUED, sa.not_(over) | Letter.valid_until.is_(None))
    return statement.where(Letter.state == state) if state in set(LetterState) else statement


def _waiting_for(by: Actor) -> set[LetterState]:
    """The states in which a letter waits for one of her roles."""
    states = set()
    if by.has(*INITIALLERS):
        states.add(LetterState.DRAFT)
    if by.has(Role.PENANDATANGAN):
        states.add(LetterState.INITIALLED)
    if by.has(Role.BO, Role.BO_PUSKESOS):
        states |= {LetterState.DRAFT, LetterState.APPROVED}
    return states


def _read_place(place: str) -> tuple[datetime, str] | None:
    """Moment and identifier of the letter after which a page begins; None for what is no place."""
    found = re.fullmatch(r"(\d{1,17})_([0-9a-f-]{36})", place)
    return (datetime.fromtimestamp(int(found[1]) / 1_000_000, UTC), found[2]) if found else None


def _place_of(letter: Letter, wanted: LetterFilter) -> str:
    moment = letter.issued_at if wanted.view == ISSUED else letter.created_at
    return f"{int((moment or letter.created_at).timestamp() * 1_000_000)}_{letter.id}"


def _lines(letters: Sequence[Letter], by: Actor, at: datetime) -> tuple[LetterLine, ...]:
    """The rows as lines, with the names of the villages read at once; what is not in the reader's scope is masked."""
    hers = set(db.session.scalars(scope(sa.select(Letter.id).where(one_of(Letter.id, [row.id for row in letters])), Letter, by)))
    villages = area_names({letter.case.village_code for letter in letters})
    return tuple(
        _line(letter, villages.get(letter.case.village_code, letter.case.village_code), by, at)
        if letter.id in hers
        else _masked(letter, at)
        for letter in letters
    )


def _masked(letter: Letter, at: datetime) -> LetterLine:
    return LetterLine(
        id="",
        title=letter.title,
        number=letter.number or "",
        state=current_state(letter, at),
        day=letter.day,
        created_at=letter.created_at,
        valid_until=None,
        person=HIDDEN,
        village="",
        purpose="",
        addressee="",
        case_number="",
        prints=letter.prints,
        has_scan=False,
        masked=True,
    )


def _line(letter: Letter, village: str, by: Actor, at: datetime) -> LetterLine:
    outside = is_outsider(letter, by)
    return LetterLine(
        id=letter.id,
        title=letter.title,
        number=letter.number or "",
        state=current_state(letter, at),
        day=letter.day,
        created_at=letter.created_at,
        valid_until=letter.valid_until,
        person="" if outside else letter.case.applicant.name,
        village="" if outside else village,
        purpose=letter.purpose,
        addressee=(letter.frozen or {}).get("addressee", "").partition("\n")[0],
        case_number=letter.case.number,
        prints=letter.prints,
        has_scan=bool(letter.scan),
    )


def _trail(letter_id: str) -> tuple[Trace, ...]:
    """What the journal says of the letter, but for mere looks at its page; the newest last.

    Anybody who holds the paper can check it as often as she likes: that never pushes out what was done.
    """
    done = _entries(letter_id, AuditEntry.action.not_in(("lihat", CHECKED)), MOST_TRAIL)
    checked = _entries(letter_id, AuditEntry.action == CHECKED, MOST_CHECKS)
    entries = sorted((*done, *checked), key=lambda row: row[0].position)
    return tuple(_trace(entry, name) for entry, name in entries)


def _entries(letter_id: str, wanted: sa.ColumnElement[bool], most: int) -> Sequence[sa.Row[AuditEntry, str]]:
    statement = (
        sa.select(AuditEntry, Account.name)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .where(AuditEntry.subject == f"letter:{letter_id}", wanted)
        .order_by(AuditEntry.position.desc())
        .limit(most)
    )
    return db.session.execute(statement).all()


def _trace(entry: AuditEntry, name: str | None) -> Trace:
    detail = json.loads(entry.detail)
    word = detail.get("aksi", entry.action)
    note = detail.get("alasan", "") or (f"{times} kali pada hari itu" if (times := detail.get("kali", 1)) > 1 else "")
    return Trace(entry.at, name or "Pemeriksa surat", _ACTIONS.get(word, word), note)
