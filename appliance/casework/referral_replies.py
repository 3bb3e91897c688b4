"""What an organisation does with a referral: receives, processes, answers, returns or declines it. Each function is one transaction.

What comes on paper is entered by the back office, with the date that the paper bears and its scan among the papers of the case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from appliance.access import Actor
from appliance.casework.cases import follow
from appliance.casework.papers import keep_papers, store_all
from appliance.casework.referral_moving import step_done, take_step, text_problem
from appliance.casework.referral_steps import PAPERS_MISSING, RETURN_REASONS, ReferralStep
from appliance.casework.step_values import LONGEST_TEXT
from appliance.casework.transitions import Action
from appliance.database import db, settings_in_use, transaction
from appliance.errors import InvalidInput
from appliance.models.case import Referral
from appliance.models.states import Outcome
from appliance.models.visit import CasePaper
from appliance.registry.file_store import Stored

MOST_MISSING = 20
LONGEST_MISSING = 120


@dataclass(frozen=True)
class ReplyPaper:
    """A reply that came on paper: its scan (JPEG, PNG or PDF) and the date it bears."""

    scan: bytes = b""
    dated: date | None = None


@dataclass(frozen=True)
class Answer:
    """What the organisation did, and a code of Outcome."""

    text: str
    outcome: str


@dataclass(frozen=True)
class Return:
    """Why it comes back: a code of RETURN_REASONS, words to it, and for BERKAS KURANG what is missing, one thing an entry."""

    code: str
    note: str = ""
    missing: tuple[str, ...] = ()

    def words(self) -> str:
        """As the history and the pages tell it."""
        return ". ".join(part for part in (RETURN_REASONS[self.code], self.note.strip()) if part)


def receive_referral(referral_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """The organisation has it and will see to it."""
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.RECEIVE, row_version, by, at)
        referral.accepted_at = at
        step_done(referral, case, ReferralStep.RECEIVE, "", by=by, at=at)


def process_referral(referral_id: str, *, row_version: int, by: Actor, at: datetime) -> None:
    """The organisation has begun to work on it."""
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.PROCESS, row_version, by, at)
        step_done(referral, case, ReferralStep.PROCESS, "", by=by, at=at)


def answer_referral(
    referral_id: str, answer: Answer, *, paper: ReplyPaper | None = None, row_version: int, by: Actor, at: datetime
) -> None:
    """The organisation's answer. When no referral of the case is open any more, the case goes on to TINDAK_LANJUT.

    Raises InvalidInput with all problems, Conflict, NotAllowed, NotFound.
    """
    problems = text_problem("reply", answer.text, "Jawaban")
    if answer.outcome not in set(Outcome):
        problems["outcome"] = "Pilih hasilnya."
    scans = _scanned(paper, problems)
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.ANSWER, row_version, by, at)
        _file_paper(referral, paper, scans, problems, by, at)
        referral.reply, referral.outcome, referral.finished_at = answer.text.strip(), answer.outcome, at
        step_done(referral, case, ReferralStep.ANSWER, referral.reply, by=by, at=at)
        follow(case, Action.REFERRALS_ANSWERED, by, at)


def return_referral(
    referral_id: str, returned: Return, *, paper: ReplyPaper | None = None, row_version: int, by: Actor, at: datetime
) -> None:
    """The organisation sends it back: not its authority, or something is missing. The case goes back to TELAAH.

    Raises InvalidInput with all problems, Conflict, NotAllowed, NotFound.
    """
    problems = _return_problems(returned)
    scans = _scanned(paper, problems)
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.RETURN, row_version, by, at)
        _file_paper(referral, paper, scans, problems, by, at)
        referral.return_code, referral.return_reason, referral.finished_at = returned.code, returned.words(), at
        referral.missing = list(returned.missing) if returned.code == PAPERS_MISSING else []
        text = "\n".join([referral.return_reason, *(f"- {thing}" for thing in referral.missing)])
        step_done(referral, case, ReferralStep.RETURN, text, by=by, at=at)
        follow(case, Action.REFERRAL_RETURNED, by, at)


def decline_referral(
    referral_id: str, reason: str, *, paper: ReplyPaper | None = None, row_version: int, by: Actor, at: datetime
) -> None:
    """It is the organisation's affair, and the organisation will not do it. The case goes back to TELAAH.

    Raises InvalidInput with all problems, Conflict, NotAllowed, NotFound.
    """
    problems = text_problem("reason", reason, "Alasan")
    scans = _scanned(paper, problems)
    with transaction():
        referral, case = take_step(referral_id, ReferralStep.DECLINE, row_version, by, at)
        _file_paper(referral, paper, scans, problems, by, at)
        referral.return_reason, referral.finished_at = reason.strip(), at
        step_done(referral, case, ReferralStep.DECLINE, referral.return_reason, by=by, at=at)
        follow(case, Action.REFERRAL_RETURNED, by, at)


def _return_problems(returned: Return) -> dict[str, str]:
    problems: dict[str, str] = {}
    if returned.code not in RETURN_REASONS:
        problems["code"] = "Pilih mengapa rujukan dikembalikan."
    if returned.code == PAPERS_MISSING and not returned.missing:
        problems["missing"] = "Tulis berkas atau data apa yang kurang."
    if len(returned.missing) > MOST_MISSING or any(len(thing) > LONGEST_MISSING for thing in returned.missing):
        problems["missing"] = f"Paling banyak {MOST_MISSING} baris, masing-masing paling panjang {LONGEST_MISSING} huruf."
    if len(returned.note) > LONGEST_TEXT:
        problems["note"] = f"Terlalu panjang; paling banyak {LONGEST_TEXT} huruf."
    return problems


def _scanned(paper: ReplyPaper | None, problems: dict[str, str]) -> list[Stored]:
    """The scan on the disk, before a row names it; what is wrong with it is added to `problems`."""
    if paper is None or not paper.scan:
        return []
    try:
        return store_all([paper.scan], field="scan")
    except InvalidInput as error:
        problems |= error.problems
        return []


def _file_paper(
    referral: Referral,
    paper: ReplyPaper | None,
    scans: list[Stored],
    problems: dict[str, str],
    by: Actor,
    at: datetime,
) -> None:
    """Put the paper with the case if somebody else than the organisation enters the reply. Raises InvalidInput with all problems."""
    entered = not by.speaks_for(referral.unit_id)
    if entered:
        found = _paper_problems(referral, paper, scans, at)
        problems |= {name: sentence for name, sentence in found.items() if name not in problems}
    if problems:
        raise InvalidInput(problems)
    if not entered or paper is None:
        return
    keep_papers(referral.case, scans, title=f"Balasan {referral.number}", by=by, at=at)
    kept = sa.select(CasePaper.id).where(
        CasePaper.case_id == referral.case_id, CasePaper.sha256 == scans[0].sha256, CasePaper.removed_at.is_(None)
    )
    referral.reply_paper_id = db.session.scalar(kept.order_by(CasePaper.id.desc()).limit(1))
    referral.replied_on = paper.dated


def _paper_problems(referral: Referral, paper: ReplyPaper | None, scans: list[Stored], at: datetime) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not scans:
        problems["scan"] = "Lampirkan pindaian atau foto surat balasan."
    zone = settings_in_use().zone
    earliest = (referral.sent_at or referral.created_at).astimezone(zone).date()
    if paper is None or paper.dated is None or not earliest <= paper.dated <= at.astimezone(zone).date():
        problems["dated"] = "Isi tanggal surat balasan: tidak sebelum rujukan dikirim, paling lambat hari ini."
    return problems
