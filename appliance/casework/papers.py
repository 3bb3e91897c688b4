"""The papers of a case, each for a requirement of its service or for a visit: brought in, checked, taken away, given out.

What is on the disk is `registry.file_store`'s. A paper is given out to whoever sees the case; where a number may stand on it,
only to who may see numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import REGISTRAR_ROLES, REVEAL_ROLES, Actor, require_area, scope
from appliance.casework.history import Fact, add_fact
from appliance.casework.moving import case_not_found, locked_case
from appliance.database import changed_meanwhile, db, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed, NotFound
from appliance.models.case import Case, Referral
from appliance.models.person import REASON_LENGTH
from appliance.models.roles import Role
from appliance.models.states import OPEN, CaseState, PaperState, Priority, VisitState
from appliance.models.visit import CasePaper, Visit
from appliance.registry.file_store import FileContent, Stored, small_of, store, whole_of

CHECKERS = frozenset({Role.SUPERVISOR, Role.BO, Role.KOORDINATOR_PUSKESOS})
BRINGERS = REGISTRAR_ROLES | CHECKERS | {Role.TKSK, Role.BO_PUSKESOS}
MOST_AT_ONCE = 8
MOST_PAPERS = 80
LONGEST_TITLE = 120
PROXY_LETTER = "Surat kuasa"


@dataclass(frozen=True)
class PaperLine:
    """One paper on a page. `shown_only`: the original was seen, no copy was kept."""

    id: str
    requirement: str
    title: str
    state: PaperState
    reason: str
    media: str
    size: int
    created_at: datetime
    has_thumbnail: bool
    shown_only: bool
    visit_id: str

    @property
    def of_visit(self) -> bool:
        """Whether it is a photo of a visit."""
        return bool(self.visit_id)


@dataclass(frozen=True)
class RequirementLine:
    """One requirement with what was brought for it; `state` None when nothing was.

    `own`: the reader brought the copy that is to be checked, or took hers away again, so another finds it right.
    """

    name: str
    state: PaperState | None
    reason: str
    papers: tuple[PaperLine, ...]
    required: bool = True
    own: bool = False


@dataclass(frozen=True)
class PaperList:
    """The checklist of a case, and every other paper; photos of visits among them."""

    requirements: tuple[RequirementLine, ...]
    others: tuple[PaperLine, ...]

    @property
    def open(self) -> int:
        """How many required ones have no paper that was found right."""
        return sum(line.required and line.state is not PaperState.VALID for line in self.requirements)


@dataclass(frozen=True)
class Judgement:
    """What a checker says of a requirement. `reason` is for what must be brought again, or who brings later what is promised."""

    state: str
    reason: str = ""


def requirements_of(case: Case) -> tuple[str, ...]:
    """What papers the case needs: those of its service, in the version it began with, and a proxy's letter."""
    return (*case.service_type.requirements, *((PROXY_LETTER,) if case.reporter_is_proxy else ()))


def _is_required(case: Case, name: str) -> bool:
    return bool(case.service_type.requirement_notes.get(name, {}).get("required", True))


def papers_of(case: Case, by: Actor) -> PaperList:
    """The checklist and the papers that `by` may open. For services; the case is in her scope."""
    rows, taken_back = _standing(case), _taken_back(case, by)
    may_open = by.has_in(case.village_code, *REVEAL_ROLES)
    lines = [_line(row) for row in rows]
    requirements = []
    for name in requirements_of(case):
        brought = tuple(line for line in lines if line.requirement == name)
        state, reason = _standing_state(brought)
        held = [row for row in rows if row.requirement == name]
        own = _is_own(held, by) or (name in taken_back and not _has_copy(held))
        requirements.append(RequirementLine(name, state, reason, brought if may_open else (), _is_required(case, name), own))
    others = tuple(line for line in lines if line.requirement not in requirements_of(case))
    return PaperList(tuple(requirements), tuple(line for line in others if may_open or line.of_visit))


def count_open(case: Case) -> int:
    """How many required papers of the case were not found right; an emergency does not wait for what is promised."""
    enough = {PaperState.VALID, PaperState.PROMISED} if case.priority == Priority.EMERGENCY else {PaperState.VALID}
    met = {row.requirement for row in _standing(case) if row.state in enough}
    return sum(name not in met and _is_required(case, name) for name in requirements_of(case))


def count_promised(case: Case) -> int:
    """How many papers were promised and have not come, or were not found right yet."""
    by_state = {state: {row.requirement for row in _standing(case) if row.state == state} for state in PaperState}
    return len(by_state[PaperState.PROMISED] - by_state[PaperState.VALID])


def add_papers(case_id: str, contents: Sequence[bytes], *, requirement: str, title: str, by: Actor, at: datetime) -> None:
    """Bring in papers for one requirement ("" for any other paper). The same content twice is one paper.

    Raises InvalidInput, NotAllowed, NotFound; Conflict when the case has ended.
    """
    stored = store_all(contents, field="file")
    if not stored:
        raise InvalidInput({"file": "Pilih berkas dahulu."})
    with transaction():
        case = _case_for(case_id, by, BRINGERS)
        problems = {}
        if requirement and requirement not in requirements_of(case):
            problems["requirement"] = "Pilih persyaratan dari daftar."
        if len(title) > LONGEST_TITLE:
            problems["title"] = f"Terlalu panjang; paling banyak {LONGEST_TITLE} huruf."
        if problems:
            raise InvalidInput(problems)
        added = keep_papers(case, stored, requirement=requirement, title=title, by=by, at=at)
        if added:
            details = {"Persyaratan": requirement or "Berkas lain", "Jumlah": str(added)}
            _add_fact(case, "tambah_berkas", BRINGERS, details, by, at)


def check_papers(case_id: str, judgements: Mapping[str, Judgement], *, row_version: int, by: Actor, at: datetime) -> None:
    """Say of each named requirement whether its paper is right. Right without a copy: the original was seen.

    Raises InvalidInput with a problem per requirement (also for a copy that she brought herself), Conflict, NotAllowed (also for
    whoever recorded the case), NotFound.
    """
    with transaction():
        case = _case_for(case_id, by, CHECKERS)
        if case.row_version != row_version:
            raise changed_meanwhile()
        if case.created_by == by.account_id:
            raise NotAllowed("Berkas diperiksa oleh petugas lain, bukan oleh pencatat kasus.", "Minta rekan memeriksanya.")
        brought: dict[str, list[CasePaper]] = {}
        for row in _standing(case):
            brought.setdefault(row.requirement, []).append(row)
        problems = {name: problem for name, told in judgements.items() if (problem := _problem(case, name, told, brought, by))}
        if problems or not judgements:
            raise InvalidInput(problems or {"papers": "Pilih keadaan sedikitnya satu berkas."})
        for name, told in judgements.items():
            _judge(_judged(case, name, told, brought.get(name, [])), told, by, at)
        words = {PaperState.VALID: "sah", PaperState.REPLACE: "perlu ganti", PaperState.PROMISED: "menyusul"}
        details = {
            name: f"{words[PaperState(told.state)]}{told.reason and ': ' + told.reason}" for name, told in judgements.items()
        }
        _add_fact(case, "periksa_berkas", CHECKERS, details, by, at)


def remove_paper(paper_id: str, *, by: Actor, at: datetime) -> str:
    """Take a wrong paper from the page; the identifier of its case. The content stays, for backups and journal name it."""
    with transaction():
        row = _in_scope(paper_id, by)
        case = _case_for(row.case_id, by, BRINGERS)
        if not by.has_in(case.village_code, *CHECKERS):
            if row.created_by != by.account_id:
                raise NotAllowed("Berkas ini dibawa oleh petugas lain.", "Minta petugas itu, Back Office, atau supervisor.")
            if row.state == PaperState.VALID:
                raise NotAllowed("Berkas ini sudah dinyatakan sah.", "Minta Back Office atau supervisor menghapusnya.")
        _require_no_evidence(row, by)
        row.removed_at = at
        row.stamp(by.account_id, at)
        _add_fact(case, "hapus_berkas", BRINGERS, {"Persyaratan": row.requirement or "Berkas lain"}, by, at)
        return case.id


def open_paper(paper_id: str, *, by: Actor, at: datetime) -> FileContent:
    """The whole paper. The look is in the journal. Raises NotFound, NotAllowed."""
    with transaction():
        row = _readable(paper_id, by)
        audit.record("lihat_berkas", f"paper:{row.id}", by=by, at=at, detail={"kasus": row.case_id})
        return whole_of(row.sha256, row.media, row.id)


def open_small_paper(paper_id: str, *, by: Actor) -> FileContent:
    """The small picture, part of a page whose look is in the journal already. Raises NotFound, NotAllowed."""
    row = _readable(paper_id, by)
    if not row.thumbnail:
        raise _missing()
    return small_of(row.thumbnail, row.id)


def store_all(contents: Sequence[bytes], *, field: str, pdf: bool = True) -> list[Stored]:
    """Put the contents on the disk before any row names them. Raises InvalidInput for `field`."""
    if len(contents) > MOST_AT_ONCE:
        raise InvalidInput({field: f"Paling banyak {MOST_AT_ONCE} berkas sekali kirim."})
    try:
        return [store(content, pdf=pdf) for content in contents]
    except InvalidInput as error:
        raise InvalidInput({field: error.problems["file"]}) from error


def keep_papers(  # noqa: PLR0913  what a paper is for, and who brought it
    case: Case,
    stored: Iterable[Stored],
    *,
    requirement: str = "",
    title: str = "",
    visit_id: str | None = None,
    by: Actor,
    at: datetime,
) -> int:
    """Rows for contents that are new to the case; how many. For services that hold the case."""
    known = {(row.sha256, row.requirement) for row in _standing(case)}
    added = 0
    for one in stored:
        if (one.sha256, requirement) in known:
            continue
        row = CasePaper(
            case_id=case.id, visit_id=visit_id, requirement=requirement, title=title.strip(), state=PaperState.WAITING,
            media=one.media, size=one.size, width=one.width, height=one.height, sha256=one.sha256, thumbnail=one.thumbnail,
        )  # fmt: skip
        row.stamp(by.account_id, at)
        db.session.add(row)
        known.add((one.sha256, requirement))
        added += 1
    if len(known) > MOST_PAPERS:
        raise InvalidInput({"file": f"Satu kasus memuat paling banyak {MOST_PAPERS} berkas; hapus yang tidak perlu."})
    db.session.flush()
    return added


def _standing(case: Case) -> list[CasePaper]:
    """What was not taken away, the oldest first."""
    statement = sa.select(CasePaper).where(CasePaper.case_id == case.id, CasePaper.removed_at.is_(None))
    return list(db.session.scalars(statement.order_by(CasePaper.id)))


def _standing_state(brought: Sequence[PaperLine]) -> tuple[PaperState | None, str]:
    """A requirement is met by one right paper; else the newest paper says how it stands."""
    if not brought:
        return None, ""
    valid = next((line for line in brought if line.state is PaperState.VALID), None)
    line = valid or brought[-1]
    return line.state, line.reason


def _line(row: CasePaper) -> PaperLine:
    return PaperLine(
        id=row.id,
        requirement=row.requirement,
        title=row.title,
        state=PaperState(row.state),
        reason=row.reason,
        media=row.media,
        size=row.size,
        created_at=row.created_at,
        has_thumbnail=bool(row.thumbnail),
        shown_only=not row.sha256,
        visit_id=row.visit_id or "",
    )


def _case_for(case_id: str, by: Actor, roles: Iterable[Role]) -> Case:
    case = locked_case(case_id, by)
    require_area(by, case.village_code, *roles)
    if CaseState(case.state) not in OPEN:
        raise Conflict("Kasus sudah berakhir; berkasnya tidak berubah lagi.", "Muat ulang halaman kasus ini.")
    return case


def _is_own(rows: Sequence[CasePaper], by: Actor) -> bool:
    """Whether she brought the copy that would be judged; an original that she saw is no copy."""
    return bool(rows) and bool(rows[-1].sha256) and rows[-1].created_by == by.account_id


def _has_copy(rows: Sequence[CasePaper]) -> bool:
    """Whether anything was brought for a requirement; what is only promised has no file."""
    return any(row.sha256 for row in rows)


def _taken_back(case: Case, by: Actor) -> set[str]:
    """The requirements for which she brought a copy and took it away herself: with it gone, her word would stand alone."""
    hers = (CasePaper.created_by == by.account_id, CasePaper.updated_by == by.account_id, CasePaper.sha256 != "")
    gone = sa.select(CasePaper.requirement).where(CasePaper.case_id == case.id, CasePaper.removed_at.is_not(None), *hers)
    return set(db.session.scalars(gone))


def _problem(case: Case, name: str, told: Judgement, brought: Mapping[str, Sequence[CasePaper]], by: Actor) -> str:
    if name not in requirements_of(case):
        return "Persyaratan ini tidak ada pada layanan ini."
    rows = brought.get(name, ())
    problem = ""
    if told.state == PaperState.PROMISED:
        problem = _promise_problem(case, name, told, rows)
    elif told.state == PaperState.REPLACE:
        problem = _replace_problem(name, told, rows)
    elif told.state != PaperState.VALID:
        problem = "Pilih sah atau perlu ganti."
    elif name in _taken_back(case, by) and not _has_copy(rows):
        problem = f"{name}: salinan yang Anda bawa sudah Anda hapus sendiri; minta rekan memeriksa aslinya."
    elif _is_own(rows, by):
        problem = f"{name}: salinannya Anda sendiri yang membawa; minta rekan memeriksanya."
    too_long = f"Terlalu panjang; paling banyak {REASON_LENGTH} huruf." if len(told.reason) > REASON_LENGTH else ""
    return problem or too_long


def _replace_problem(name: str, told: Judgement, brought: Sequence[CasePaper]) -> str:
    if not told.reason.strip():
        return f"{name}: tulis mengapa perlu diganti."
    return "" if brought else f"{name}: belum ada berkasnya; kembalikan kasus untuk melengkapinya."


def _promise_problem(case: Case, name: str, told: Judgement, brought: Sequence[CasePaper]) -> str:
    if case.priority != Priority.EMERGENCY:
        return f"{name}: hanya kasus darurat yang boleh berjalan dengan berkas menyusul."
    if not told.reason.strip():
        return f"{name}: tulis siapa yang menyerahkan dan kapan."
    if any(row.state in (PaperState.WAITING, PaperState.VALID) for row in brought):
        return f"{name}: berkasnya sudah ada; pilih sah atau perlu ganti."
    return ""


def _judged(case: Case, name: str, told: Judgement, brought: Sequence[CasePaper]) -> Sequence[CasePaper]:
    """The rows that the judgement is about; one without a file when there is none: the original was shown, or it is promised."""
    if brought and (told.state != PaperState.PROMISED or brought[-1].state == PaperState.PROMISED):
        return brought
    row = CasePaper(case_id=case.id, requirement=name, title="Asli diperlihatkan")
    db.session.add(row)
    return [row]


def _judge(rows: Sequence[CasePaper], told: Judgement, by: Actor, at: datetime) -> None:
    """The newest is what was looked at; when it must be brought again, nothing older stands for it."""
    for row in rows if told.state == PaperState.REPLACE else rows[-1:]:
        row.state = told.state
        row.reason = "" if told.state == PaperState.VALID else told.reason.strip()
        row.stamp(by.account_id, at)


def _require_no_evidence(row: CasePaper, by: Actor) -> None:
    """What another has judged by, or what proves an answer, is not taken away by who brought it."""
    visit = db.session.get(Visit, row.visit_id) if row.visit_id else None
    if visit is not None and visit.state == VisitState.CONFIRMED and row.created_by == by.account_id:
        raise NotAllowed("Foto ini bagian dari kunjungan yang sudah disahkan.", "Minta supervisor menghapusnya bila keliru.")
    if db.session.scalar(sa.select(Referral.id).where(Referral.case_id == row.case_id, Referral.reply_paper_id == row.id)):
        raise NotAllowed("Berkas ini surat balasan sebuah rujukan.", "Surat balasan tetap tersimpan bersama rujukannya.")


def _add_fact(case: Case, action: str, roles: Iterable[Role], details: Mapping[str, str], by: Actor, at: datetime) -> None:
    role = next(iter(sorted(by.roles_in(case.village_code) & set(roles))), None)
    add_fact(case, Fact(action, role, details=details), state_from=case.state, by=by, at=at)
    audit.record("berkas", f"case:{case.id}", by=by, at=at, detail={"aksi": action})


def _in_scope(paper_id: str, by: Actor) -> CasePaper:
    row = db.session.get(CasePaper, paper_id)
    if row is None or row.removed_at is not None or not row_is_seen(row.case_id, by):
        raise _missing()
    return row


def row_is_seen(case_id: str, by: Actor) -> bool:
    """Whether the case of a row is in the reader's scope."""
    return db.session.scalar(scope(sa.select(Case.id).where(Case.id == case_id), Case, by)) is not None


def _readable(paper_id: str, by: Actor) -> CasePaper:
    row = _in_scope(paper_id, by)
    if not row.sha256:
        raise _missing()
    if row.visit_id is None:
        village = db.session.get_one(Case, row.case_id).village_code
        require_area(by, village, *REVEAL_ROLES)
    return row


def _missing() -> NotFound:
    return NotFound("Berkas tidak ditemukan.", "Kembali ke halaman kasus, lalu pilih berkasnya.")


def choose_case(case_id: str, *, by: Actor) -> tuple[str, tuple[str, ...]]:
    """The number of a case to bring papers for, and its requirements. Raises NotFound, NotAllowed."""
    case = db.session.scalar(scope(sa.select(Case).where(Case.id == case_id), Case, by))
    if case is None:
        raise case_not_found()
    require_area(by, case.village_code, *BRINGERS)
    return case.number, requirements_of(case)
