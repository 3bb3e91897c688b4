"""Whom an account touched between two moments, read from the journal: every resident and case that it opened, printed or changed.

An entry names a person, a family, a case or something that belongs to one; each is followed to the people it is about. Lists that
leave or enter as a whole are counted, for their people stand in the lists themselves.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from appliance.database import db, one_of
from appliance.models.audit import AuditEntry
from appliance.models.case import Case, Referral
from appliance.models.counter import TicketCase
from appliance.models.letter import Letter, LetterCase
from appliance.models.person import Person, PersonFile
from appliance.models.programme import Need, Participation
from appliance.models.proposal import Proposal
from appliance.models.visit import CasePaper, Visit

# How the journal names an act that only reads.
READING = ("lihat", "cari", "cetak", "ungkap", "pratinjau", "periksa", "cek")
WHOLE_LISTS = {
    "export": "ekspor",
    "import": "impor",
    "letters": "register surat",
    "guests": "buku tamu",
    "handover": "serah terima",
}

# What an entry's subject leads to: its kind, the kind it leads to, and the columns of both. In the order in which they are followed.
LINKS: tuple[tuple[str, str, Any, Any], ...] = (
    ("referral", "case", Referral.id, Referral.case_id),
    ("visit", "case", Visit.id, Visit.case_id),
    ("paper", "case", CasePaper.id, CasePaper.case_id),
    ("ticket", "case", TicketCase.ticket_id, TicketCase.case_id),
    ("letter", "case", Letter.id, Letter.case_id),
    ("letter", "case", LetterCase.letter_id, LetterCase.case_id),
    ("letter", "person", Letter.id, Letter.person_id),
    ("proposal_basis", "proposal", Proposal.basis_id, Proposal.id),
    ("proposal", "person", Proposal.id, Proposal.person_id),
    ("proposal", "family", Proposal.id, Proposal.family_id),
    *((kind, to, table.id, column) for kind, table in (("participation", Participation), ("need", Need), ("file", PersonFile))
      for to, column in (("person", table.person_id), ("family", table.family_id))),
    ("case", "person", Case.id, Case.applicant_id),
    ("family", "person", Person.family_id, Person.id),
)  # fmt: skip
# What an entry says besides its subject.
NAMED_IN_DETAIL = {"warga": "person", "kasus": "case", "usulan": "proposal"}


@dataclass(frozen=True)
class Window:
    """The acts of one account from `since` until `until`, on one device as the journal names it or on all ("")."""

    account_id: str
    device: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Touch:
    """When something was touched first and last, whether it was changed, and whether whole numbers were shown."""

    first: datetime
    last: datetime
    changed: bool
    revealed: bool = False

    def with_(self, other: Touch | None) -> Touch:
        """Both together."""
        if other is None:
            return self
        return Touch(
            min(self.first, other.first),
            max(self.last, other.last),
            self.changed or other.changed,
            self.revealed or other.revealed,
        )


@dataclass(frozen=True)
class Touched:
    """People and cases by their identifiers, and how often whole lists were handled, by their name for people."""

    people: Mapping[str, Touch]
    cases: Mapping[str, Touch]
    lists: Mapping[str, int]


_Found = defaultdict[str, dict[str, Touch]]


def read_touched(window: Window) -> Touched:
    """Whom and what the account touched, whoever may see it: the caller narrows that to what its reader may see."""
    found: _Found = defaultdict(dict)
    lists: Counter[str] = Counter()
    for entry in db.session.scalars(_entries(window)):
        kind = entry.subject.partition(":")[0]
        if kind in WHOLE_LISTS:
            lists[WHOLE_LISTS[kind]] += 1
        touch = Touch(entry.at, entry.at, not entry.action.startswith(READING), entry.action == "ungkap")
        for named, key in _names(entry):
            _add(found, named, key, touch)
    for kind, leads_to, own, target in LINKS:
        # Whoever is found over a family or a case was not changed by what was done to that.
        for key, other in _pairs(own, target, found[kind]):
            passed = found[kind][key]
            _add(found, leads_to, other, passed if leads_to == "case" else replace(passed, changed=False))
    return Touched(found["person"], found["case"], lists)


def _entries(window: Window) -> sa.Select[AuditEntry]:
    wanted = sa.select(AuditEntry).where(
        AuditEntry.account_id == window.account_id, AuditEntry.at >= window.since, AuditEntry.at <= window.until
    )
    if window.device:
        wanted = wanted.where(AuditEntry.device == window.device)
    return wanted.order_by(AuditEntry.position).execution_options(yield_per=1000)


def _names(entry: AuditEntry) -> Iterator[tuple[str, str]]:
    kind, _, key = entry.subject.partition(":")
    yield kind, key
    detail = json.loads(entry.detail)
    for name, named in NAMED_IN_DETAIL.items():
        value = detail.get(name)
        for other in value if isinstance(value, list) else [value]:
            if isinstance(other, str):
                yield named, other


def _add(found: _Found, kind: str, key: str, touch: Touch) -> None:
    found[kind][key] = touch.with_(found[kind].get(key))


def _pairs(own: Any, target: Any, keys: Iterable[str]) -> list[tuple[str, str]]:
    wanted = list(keys)
    if not wanted:
        return []
    rows = db.session.execute(sa.select(own, target).where(one_of(own, wanted), target.is_not(None)))
    return [(key, other) for key, other in rows]
