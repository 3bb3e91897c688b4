"""What became of entered proposals, read from a sheet: who was accepted, refused or held. All of it is stored, or nothing.

Rows are found by the number of the proposal, or by a NIK that leads to one entered proposal only. Who is not ours is counted and left.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from appliance.access import Actor, require, scope
from appliance.database import db, settings_in_use
from appliance.errors import InvalidInput
from appliance.exchange.sheets import open_book
from appliance.exchange.xlsx import Cell
from appliance.models.person import Person
from appliance.models.proposal import Proposal
from appliance.models.proposal_words import AWAITING_RESULT
from appliance.proposals.proposals import MOST_AT_ONCE, Act, take_steps
from appliance.proposals.steps import ENTERERS, ProposalStep
from appliance.registry import nik
from appliance.registry.file_store import size_problem
from appliance.registry.holders import office_day

MOST_ROWS = 20_000
MOST_TOLD = 20
# A heading without blanks and capitals → what it is.
HEADINGS: Mapping[str, str] = {
    **dict.fromkeys(("nik", "nomornik", "noktp"), "nik"),
    **dict.fromkeys(("nomorusulan", "nousulan"), "number"),
    **dict.fromkeys(("hasil", "status", "statususulan", "hasilusulan"), "result"),
    **dict.fromkeys(("alasan", "keterangan", "catatan"), "note"),
    **dict.fromkeys(("desil", "desilnasional"), "decile"),
    **dict.fromkeys(("periode", "periodedata"), "list_period"),
}
RESULTS: Mapping[str, ProposalStep] = {
    **dict.fromkeys(("diterima", "disetujui", "berhasil", "terdaftar"), ProposalStep.ACCEPT),
    **dict.fromkeys(("ditolak", "tidakdisetujui", "gagal"), ProposalStep.REJECT),
    **dict.fromkeys(("ditahan", "tertunda", "pending"), ProposalStep.HOLD),
}


@dataclass
class Told:
    """What a file told: the steps to take by proposal, what is wrong by row, and how many rows are about nobody of ours."""

    acts: dict[str, Act] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    foreign: int = 0


def store_results(content: bytes, result_on: date | None, *, by: Actor, at: datetime) -> tuple[int, int]:
    """Store the results in a handed-over sheet; how many, and how many rows are not about an entered proposal of ours.

    Raises InvalidInput with what is wrong in each row, and Unreadable.
    """
    require(by, *sorted(ENTERERS))
    problems = {"result_on": "Isi tanggal hasil, paling lambat hari ini."} if not result_on or result_on > office_day(at) else {}
    if problem := size_problem(content):
        problems["file"] = problem
    if problems or result_on is None:
        raise InvalidInput(problems)
    told = _read(_rows_of(content), result_on, by)
    if len(told.acts) > MOST_AT_ONCE:
        told.problems["file"] = f"Paling banyak {MOST_AT_ONCE} usulan dalam satu berkas; bagi menjadi beberapa berkas."
    if told.problems:
        raise InvalidInput(dict(list(told.problems.items())[:MOST_TOLD]), "Belum ada yang disimpan.")
    return (take_steps(told.acts, by=by, at=at) if told.acts else 0), told.foreign


def _rows_of(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The rows of the first sheet with their numbers, each by what its columns are."""
    folder = settings_in_use().export_files
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Below the exports: what a killed process leaves there is swept away.
    with tempfile.TemporaryDirectory(dir=folder) as here:
        file = Path(here) / "hasil"
        file.write_bytes(content)
        with open_book(file) as book:
            sample = book.first_rows(book.sheets[0], MOST_ROWS)
            rows = [(number, [_text(cell) for cell in cells]) for number, cells in sample]
    names = [HEADINGS.get(_plain(heading), "") for heading in rows[0][1]] if rows else []
    if "result" not in names or not {"nik", "number"} & set(names):
        raise InvalidInput({"file": "Baris pertama harus berisi judul kolom: NIK atau Nomor Usulan, dan Hasil."})
    return [(number, {name: cell for name, cell in zip(names, cells, strict=False) if name}) for number, cells in rows[1:]]


def _text(cell: Cell) -> str:
    """A cell as it was typed: a whole number without its ".0"."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str("" if cell is None else cell).strip()


def _plain(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.casefold())


def _read(rows: Iterable[tuple[int, dict[str, str]]], result_on: date, by: Actor) -> Told:
    told = Told()
    by_number, by_nik = _entered(by)
    for number, row in rows:
        known = [by_number[row["number"]]] if row.get("number") in by_number else by_nik.get(nik.clean(row.get("nik", "")), [])
        if not known:
            told.foreign += 1
        elif problem := _problem(row, known, told.acts):
            told.problems[f"row-{number}"] = f"Baris {number}: {problem}"
        else:
            typed = {name: row.get(name, "") for name in ("note", "decile", "list_period")}
            told.acts[known[0]] = Act(RESULTS[_plain(row["result"])], {"result_on": result_on.isoformat(), **typed})
    return told


def _problem(row: Mapping[str, str], known: list[str], acts: Mapping[str, Act]) -> str:
    if len(known) > 1:
        return "warga ini punya beberapa usulan; tambahkan kolom Nomor Usulan."
    if known[0] in acts:
        return "usulan ini tertulis dua kali."
    return "" if _plain(row["result"]) in RESULTS else "hasil tidak dikenal; tulis diterima, ditolak, atau ditahan."


def _entered(by: Actor) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The entered proposals of the reader by number, and by NIK."""
    waiting = sa.select(Proposal.id, Proposal.number, Person.nik).join(Person, Person.id == Proposal.person_id)
    by_number: dict[str, str] = {}
    by_nik: dict[str, list[str]] = {}
    for row in db.session.execute(scope(waiting.where(Proposal.state.in_(sorted(AWAITING_RESULT))), Proposal, by)):
        by_number[row.number] = row.id
        if row.nik:
            by_nik.setdefault(row.nik, []).append(row.id)
    return by_number, by_nik
