"""The worker's part of an import: reads the whole file once to report on it, and once more to store it, part by part.

A part is stored in one transaction together with its rows of the report and how far the work is, so a kill at any moment loses
at most what was not stored, and nothing is stored twice: the next worker reads the file again and passes over what was done.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from appliance import audit, background
from appliance.access import IMPORT_ROLES, Actor
from appliance.accounts.sessions import actor_of
from appliance.background import Taken
from appliance.database import db, table_of, transaction
from appliance.errors import ApplianceError, NotFound
from appliance.exchange import import_files
from appliance.exchange.checking import Checker, Finding, Line
from appliance.exchange.export_run import Hands
from appliance.exchange.formats import LAYOUTS, Layout, plain
from appliance.exchange.import_health import HealthNotes
from appliance.exchange.import_households import Households, Judged
from appliance.exchange.import_profiles import Profiles
from appliance.exchange.import_undo import take_back
from appliance.exchange.imports import CHECK, UNDO, remove_unneeded
from appliance.exchange.joining import join, judge_joining
from appliance.exchange.listing import NOTED, note_listed, noted_before
from appliance.exchange.sheets import Book, Unreadable, open_book
from appliance.exchange.village_names import Villages
from appliance.exchange.xlsx import column_index
from appliance.models.account import Account
from appliance.models.area import Area, Level
from appliance.models.imports import Existing, Import, ImportRow, ImportState, Verdict
from appliance.registry.bulk import Candidate, Decision, Stored, judge, write

PART = 500
MOST_ROWS = 250_000
LABELS = {
    "name": "nama",
    "kk": "nomor KK",
    "village_code": "desa",
    "sex": "jenis kelamin",
    "relation": "hubungan",
    "status": "status",
}


class ImportStopped(ApplianceError):
    """The import cannot go on: the file is not as it was, or who asked may not do it any more."""


def run(task: Taken, work: Hands) -> str:
    """Check, store or take back, as the task says; a sentence for who asked. Raises ImportStopped and Unreadable with a reason."""
    try:
        actor = _actor(task, work)
        remove_unneeded(work.settings, at=work.now())
        if task.kind == UNDO:
            return take_back(task, work, actor)
        job = Job(task, work, actor)
        return job.check() if task.kind == CHECK else job.store()
    except (ImportStopped, Unreadable) as error:
        _note_problem(task, error, work.now())
        raise


def _actor(task: Taken, work: Hands) -> Actor:
    """Who asked, with her rights of this moment: they may have been taken away while the task waited."""
    account = db.session.get(Account, task.asked_by)
    if account is None or not account.active:
        raise ImportStopped(
            "Akun yang meminta impor ini sudah tidak aktif; impor dihentikan.", "Minta supervisor melanjutkannya."
        )
    actor = actor_of(account, work.now(), "pekerjaan latar", work.settings.zone)
    if not actor.has(*IMPORT_ROLES):
        raise ImportStopped("Anda tidak lagi berhak mengimpor; impor dihentikan.", "Minta petugas yang berwenang melanjutkannya.")
    return actor


def _note_problem(task: Taken, error: ApplianceError, at: datetime) -> None:
    with transaction() as session:
        row = session.get_one(Import, task.subject)
        row.problem = f"{error.message} {error.hint}".strip()
        row.stamp(task.asked_by, at)


class Job:
    """One reading of one file."""

    def __init__(self, task: Taken, work: Hands, actor: Actor) -> None:
        row = db.session.get(Import, task.subject)
        if row is None or row.layout not in LAYOUTS:
            raise NotFound("Impor itu tidak ada.", "Muat ulang halaman.")
        self._task, self._work, self._actor = task, work, actor
        self._id, self._layout, self._mapping = row.id, LAYOUTS[row.layout], dict(row.mapping)
        self._sheet, self._header, self._total = row.sheet, row.header_row, row.rows
        self._existing, self._options = Existing(row.existing), dict(row.options)
        self._source = f"impor {row.id[-6:]}"
        today = work.now().astimezone(work.settings.zone).date()
        self._checker = Checker(self._layout, self._mapping, today, _known_areas().__contains__)
        self._villages = Villages(row.village_code)
        brought = (row.id, self._layout, self._mapping, self._options, actor)
        self._profiles = Profiles(*brought)
        self._households = Households(*brought) if self._layout.households else None
        self._health = HealthNotes(self._mapping, self._existing, actor)
        # The rows in which a NIK, or without one a person, stood first.
        self._numbers: dict[int, int] = {}
        self._people: dict[int, int] = {}
        self._empty = 0

    def check(self) -> str:
        """Read everything and report, without storing anybody."""
        with open_book(import_files.upload_of(self._work.settings, self._id)) as book:
            self._refuse_merged(book)
            done = self._task.done
            for lines in self._parts(book, self._task.done):
                self._work.check()
                rows = self._checked(lines)
                done += len(lines)
                with transaction() as session:
                    session.execute(sa.insert(table_of(ImportRow)), rows)
                    background.move(self._task.id, done, None, at=self._work.now())
        if not done:
            raise Unreadable("Tidak ada baris data di bawah judul kolom.", "Periksa lembar dan baris judul yang dipilih.")
        return self._finish(ImportState.CHECKED, done)

    def _checked(self, lines: list[Line]) -> list[dict[str, Any]]:
        if self._households:
            return [_told(self._id, one) for one in self._households.judge_rows(lines)]
        decisions, wrong = self._judge(lines)
        return [_report(self._id, decision) for decision in decisions] + [self._wrong(line) for line in wrong]

    def store(self) -> str:
        """Store everybody whom the file brings, judged once more by what the registry knows by now."""
        with open_book(import_files.upload_of(self._work.settings, self._id)) as book:
            done = self._task.done
            for lines in self._parts(book, self._task.done):
                self._work.check()
                done += len(lines)
                self._store_part(lines, done)
        return self._finish(ImportState.STORED, done)

    def _store_part(self, lines: list[Line], done: int) -> None:
        at = self._work.now()
        numbers = [line.number for line in lines]
        with transaction() as session:
            if self._households:
                rows, profiles = _store_households(self._households, lines, self._id, at)
            else:
                rows, profiles = self._store_people(lines, at)
            between = (ImportRow.import_id == self._id, ImportRow.number.between(min(numbers), max(numbers)))
            session.execute(sa.delete(ImportRow).where(*between).execution_options(synchronize_session=False))
            session.execute(sa.insert(table_of(ImportRow)), rows)
            background.move(self._task.id, done, self._total, at=at)
            counts = {verdict.value: sum(row["verdict"] == verdict for row in rows) for verdict in (Verdict.NEW, Verdict.CHANGED)}
            detail = {"baris": f"{min(numbers)}-{max(numbers)}"} | counts | ({"profil": profiles} if profiles else {})
            audit.record("impor-bagian", f"import:{self._id}", by=self._actor, at=at, detail=detail)

    def _store_people(self, lines: list[Line], at: datetime) -> tuple[list[dict[str, Any]], int]:
        """Whom these rows bring; the rows of the report, and how many profiles were written."""
        decisions, wrong = self._judge(lines)
        stored = {one.number: one for one in self._write(decisions, self._actor.account_id, at)}
        if self._layout.asks_list:
            note_listed(decisions, stored, self._id, self._options, by=self._actor, at=at)
        self._health.store(decisions, stored, at=at)
        profiles = self._profiles.store(decisions, stored, at=at)
        rows = [_report(self._id, one, stored.get(one.candidate.number)) for one in decisions]
        return rows + [self._wrong(line) for line in wrong], profiles

    def _write(self, decisions: list[Decision], by: str, at: datetime) -> list[Stored]:
        if self._layout.only_known:
            return join(decisions, self._id, self._options, by=by, at=at)
        return write([one for one in decisions if one.candidate.number not in self._health.alone], self._source, by=by, at=at)

    def _parts(self, book: Book, done: int) -> Iterator[list[Line]]:
        """The rows of data in parts; of those that were done already only who they were is remembered."""
        part: list[Line] = []
        for count, line in enumerate(self._lines(book), start=1):
            if count > MOST_ROWS:
                raise Unreadable(
                    f"Berkas ini lebih dari {MOST_ROWS} baris.", "Bagi per desa atau kecamatan, lalu unggah satu per satu."
                )
            if count <= done:
                self._pass_over(line)
                continue
            part.append(line)
            if len(part) == PART:
                yield part
                part = []
        if part:
            yield part

    def _pass_over(self, line: Line) -> None:
        if self._households:
            self._households.pass_over(line)
            return
        self._is_repeated(line, self._candidate(line))
        self._profiles.pass_over(line)

    def _lines(self, book: Book) -> Iterator[Line]:
        wanted = self._mapping.values()
        for number, cells in book.rows(self._sheet):
            if number <= self._header:
                continue
            if self._layout.ends_at and len(cells) > 1 and cells[1] == self._layout.ends_at:
                return
            if any(index < len(cells) and cells[index] is not None and str(cells[index]).strip() for index in wanted):
                line = self._checker.read(number, cells)
                line.cells = cells if self._profiles.wanted else ()
                yield line
            else:
                self._empty += 1

    def _judge(self, lines: list[Line]) -> tuple[list[Decision], list[Line]]:
        """The decisions about the good rows, each with what is odd about it, and the rows that are wrong."""
        candidates: list[Candidate] = []
        wrong: list[Line] = []
        by_number = {line.number: line for line in lines}
        for line in lines:
            candidate = self._candidate(line)
            if candidate is None or self._is_repeated(line, candidate):
                wrong.append(line)
            else:
                candidates.append(candidate)
        existing = Existing.SKIP if self._layout.only_known else self._existing
        decisions = judge(candidates, existing, IMPORT_ROLES, by=self._actor)
        if self._layout.only_known:
            judge_joining(decisions, self._options)
        if self._layout.asks_list:
            for number in noted_before(decisions, self._options):
                by_number[number].findings.append(Finding(f"baris {number}", "", NOTED))
        self._health.judge(decisions, by_number)
        self._profiles.judge(decisions, by_number)
        for decision in decisions:
            decision.findings = [finding.stored() for finding in by_number[decision.candidate.number].findings] + _said(decision)
        return decisions, wrong

    def _candidate(self, line: Line) -> Candidate | None:
        """Whom a row means; None, with a finding, when it is wrong or its village cannot be told."""
        if line.wrong:
            return None
        village = self._villages.village_of(line.values)
        if village is None:
            told = str(line.values.get("village", ""))[:40]
            advice = (
                "Tulis nama desanya seperti di daftar wilayah, atau kodenya; sebutkan kecamatannya bila namanya dipakai dua desa."
            )
            line.findings.append(Finding(f"baris {line.number}", told, "Desa/kelurahan tidak dikenal atau tidak pasti.", advice))
            line.wrong = True
            return None
        values = line.values
        return Candidate(line.number, values, village, values.get("nik"), values.get("nik_reason", ""), values.get("kk"))

    def _is_repeated(self, line: Line, candidate: Candidate | None) -> bool:
        """Whether the same person stood in a row before; the first one counts."""
        if candidate is None:
            return False
        # Numbers, not texts: a row costs a third of the memory, and there are a hundred thousand.
        own = hash((candidate.village_code, candidate.identity)) if candidate.identity else None
        number = int(candidate.nik) if candidate.nik else None
        first = self._numbers.get(number) if number is not None else self._people.get(own) if own is not None else None
        if number is not None:
            self._numbers.setdefault(number, line.number)
        if own is not None:
            self._people.setdefault(own, line.number)
        if first is None:
            return False
        advice = "Baris pertama yang dipakai; hapus salah satunya."
        line.findings.append(Finding(f"baris {line.number}", "", f"Orang yang sama sudah ada di baris {first}.", advice))
        return True

    def _wrong(self, line: Line) -> dict[str, Any]:
        verdict = Verdict.WRONG if line.wrong else Verdict.SKIPPED
        return _row(self._id, line.number, verdict, line.name, [finding.stored() for finding in line.findings])

    def _refuse_merged(self, book: Book) -> None:
        """Only the first cell of a merged range holds anything: the other rows would lose their card number unseen."""
        wanted = set(self._mapping.values())
        bad = []
        for area in book.merged(self._sheet):
            first, _, last = area.partition(":")
            columns = range(column_index(first.rstrip("0123456789")), column_index(last.rstrip("0123456789")) + 1)
            if int(last.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) > self._header and wanted.intersection(columns):
                bad.append(area)
        if bad:
            more = f" dan {len(bad) - 3} lainnya" if len(bad) > 3 else ""
            raise Unreadable(
                f"Ada sel gabungan di baris data: {', '.join(bad[:3])}{more}.",
                "Di Excel: blok semua, Merge & Center → Unmerge, isi setiap barisnya, lalu unggah lagi.",
            )

    def _finish(self, state: ImportState, done: int) -> str:
        at = self._work.now()
        with transaction() as session:
            row = session.get_one(Import, self._id)
            found = session.execute(
                sa.select(ImportRow.verdict, sa.func.count()).where(ImportRow.import_id == self._id).group_by(ImportRow.verdict)
            )
            row.counts = {verdict: count for verdict, count in found}  # noqa: C416 - rows are no pairs to mypy
            row.state, row.rows, row.problem = state, done, ""
            if state is ImportState.CHECKED:
                row.remarks = [*(one for one in row.remarks if "baris kosong" not in one), *self._remarks()]
            else:
                row.stored_at = at
            row.stamp(self._actor.account_id, at)
            audit.record(f"impor-{state}", f"import:{self._id}", by=self._actor, at=at, detail=row.counts)
            counts = dict(row.counts)
        if state is ImportState.STORED:
            import_files.forget(self._work.settings, self._id)
        new, changed = counts.get(Verdict.NEW, 0), counts.get(Verdict.CHANGED, 0)
        return f"{done} baris: {new} baru, {changed} berubah, {counts.get(Verdict.WRONG, 0)} salah."

    def _remarks(self) -> list[str]:
        return [f"{self._empty} baris kosong dilewati."] if self._empty else []


def _known_areas() -> set[str]:
    """The codes of all provinces, districts and subdistricts, also old ones."""
    return set(db.session.scalars(sa.select(Area.code).where(Area.level != Level.VILLAGE)))


def _said(decision: Decision) -> list[list[str]]:
    """What the decision itself has to say, as findings."""
    place = f"baris {decision.candidate.number}"
    said = [Finding(place, "", remark, "Periksa keluarganya di data warga.").stored() for remark in decision.remarks]
    if decision.reason:
        said.append(Finding(place, "", decision.reason, decision.advice).stored())
    if decision.differs:
        fields = ", ".join(_label(name) for name in decision.differs)
        advice = "Pilih “perbarui” bila isi berkas yang benar."
        said.append(Finding(place, "", f"Berbeda dengan yang terdaftar dan tidak diubah: {fields}.", advice).stored())
    if decision.verdict is Verdict.CHANGED and not decision.reason:
        changed = [*decision.changes, *decision.family_changes, *(["kk"] if decision.joins else [])]
        if not changed:
            return said
        said.append(Finding(place, "", f"Diubah: {', '.join(map(_label, changed))}.").stored())
    return said


def _label(name: str) -> str:
    if name in LABELS:
        return LABELS[name]
    layout: Layout = LAYOUTS["warga"]
    return next((field.label.lower() for field in layout.fields if field.key == name), plain(name))


def _report(import_id: str, decision: Decision, stored: Stored | None = None) -> dict[str, Any]:
    candidate = decision.candidate
    row = _row(import_id, candidate.number, decision.verdict, str(candidate.values["name"])[:60], decision.findings)
    person = decision.person["id"] if decision.person and decision.verdict is not Verdict.WRONG else None
    if stored is None:
        return row | {"person_id": person}
    made = stored.family_id if stored.made_family else None
    return row | {
        "stored": True, "person_id": stored.person_id, "family_id": made, "version": stored.version, "undo": stored.undo,
    }  # fmt: skip


def _store_households(
    households: Households, lines: list[Line], import_id: str, at: datetime
) -> tuple[list[dict[str, Any]], int]:
    judged = households.judge_rows(lines)
    return [_told(import_id, one, stored=True) for one in judged], households.store_rows(judged, at=at)


def _told(import_id: str, judged: Judged, *, stored: bool = False) -> dict[str, Any]:
    row = _row(import_id, judged.line.number, judged.verdict, judged.name, [one.stored() for one in judged.line.findings])
    return row | {"stored": True, "undo": {"profile": True}} if stored and judged.filled else row


def _row(import_id: str, number: int, verdict: Verdict, name: str, findings: list[list[str]]) -> dict[str, Any]:
    return {
        "import_id": import_id, "number": number, "verdict": verdict.value, "name": name, "findings": findings or sa.null(),
        "stored": False, "person_id": None, "family_id": None, "version": None, "undo": sa.null(), "taken_back": "",
    }  # fmt: skip
