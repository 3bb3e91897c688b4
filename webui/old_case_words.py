"""A case as it was beside the case of today, row by row, in the words of the pages.

Both are read in the form of JSON (`restoration.looking.as_words`), so that what is the same looks the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from appliance.models.states import CaseState, ReferralState, VisitState
from webui import words

GONE, NOT_YET = "(tidak ada lagi)", "(belum ada)"
Case = Mapping[str, Any]
Rows = dict[str, str]


@dataclass(frozen=True)
class Row:
    """One thing of a case: what was, and what is."""

    label: str
    then: str
    now: str

    @property
    def differs(self) -> bool:
        """Whether it is another today."""
        return self.then != self.now


@dataclass(frozen=True)
class Step:
    """One step of the history as it was; `gone` when today's history has it no more."""

    text: str
    at: datetime
    by: str
    notes: tuple[str, ...]
    gone: bool


@dataclass(frozen=True)
class Compared:
    """The rows of each part of a case, its history as it was, and how many steps came later. `today` is False for a case that is gone."""

    parts: Mapping[str, Sequence[Row]]
    steps: Sequence[Step]
    later: int
    today: bool

    @property
    def differing(self) -> int:
        """How many rows are others today."""
        return sum(row.differs for rows in self.parts.values() for row in rows) if self.today else 0


def compare(then: Case, now: Case | None, zone: ZoneInfo) -> Compared:
    """The case of then beside the case of today."""
    before, after = _parts(then, zone), _parts(now if now is not None else then, zone)
    parts = {name: _rows(before[name], after[name]) for name in before}
    steps = _steps(then, now)
    later = len(now["events"]) - sum(not step.gone for step in steps) if now is not None else 0
    return Compared({name: rows for name, rows in parts.items() if rows}, steps, later, now is not None)


def _rows(then: Rows, now: Rows) -> list[Row]:
    labels = [*then, *(label for label in now if label not in then)]
    return [Row(label, then.get(label, NOT_YET), now.get(label, GONE)) for label in labels]


def _parts(case: Case, zone: ZoneInfo) -> dict[str, Rows]:
    return {
        "Keterangan": _told({**_about(case, zone), **_written(case)}),
        "Warga dan pelapor": _told(_people(case)),
        "Berkas": dict(_papers(case)),
        "Kunjungan": dict(_visits(case, zone)),
        "Rujukan": dict(_referrals(case, zone)),
    }


def _told(rows: Rows) -> Rows:
    return {label: value for label, value in rows.items() if value}


def _about(case: Case, zone: ZoneInfo) -> Rows:
    line = case["line"]
    return {
        "Status": CaseState(line["state"]).label,
        "Layanan": line["service"],
        "Kategori": case["category_text"],
        "Jenis": words.text_of(words.KINDS, case["kind"]),
        "Saluran": words.text_of(words.CHANNELS, case["channel"]),
        "Prioritas": words.text_of(words.PRIORITIES, line["priority"]),
        "Alasan prioritas": case["priority_reason"],
        "Kelompok rentan": ", ".join(words.text_of(words.VULNERABLE_GROUPS, one) for one in case["vulnerable_groups"]),
        "Kerahasiaan": "rahasia" if line["confidential"] else "biasa",
        "Diterima": _moment(line["received_at"], zone),
        "Batas waktu": _moment(line["deadline"], zone),
        "Ditangani oleh": line["owner_name"],
        "Dicatat oleh": case["created_by_name"],
        "Ditutup": _moment(case["closed_at"], zone),
    }


def _written(case: Case) -> Rows:
    return {
        "Uraian": case["description"],
        "Harapan warga": case["expectation"],
        "Rekomendasi": case["recommendation"],
        "Hasil": words.text_of(words.OUTCOMES, case["outcome"]) if case["outcome"] else "",
        "Keterangan hasil": case["outcome_note"],
        "Lanjutan dari": (case["origin"] or {}).get("number", ""),
        "Duplikat dari": (case["duplicate_of"] or {}).get("number", ""),
    }


def _people(case: Case) -> Rows:
    who = case["applicant"]
    reporter = ", ".join(text for text in (case["reporter_name"], case["reporter_relation"], case["reporter_phone"]) if text)
    return {
        "Warga": who["name"],
        "NIK": who["nik_masked"],
        "Jenis kelamin": words.text_of(words.SEXES, who["sex"]),
        "Alamat": ", ".join(text for text in (who["address"], who["village"]) if text),
        "Pelapor": reporter,
    }


def _papers(case: Case) -> Iterator[tuple[str, str]]:
    for line in case["papers"]["requirements"]:
        state = words.text_of(words.PAPER_STATES, line["state"]) if line["state"] else "belum ada"
        yield line["name"], _joined(state, f"{len(line['papers'])} berkas" if line["papers"] else "", line["reason"])
    for number, paper in enumerate(case["papers"]["others"], start=1):
        yield f"Berkas lain {number}", paper["title"] or "tanpa judul"


def _visits(case: Case, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for number, visit in enumerate(case["visits"], start=1):
        day = _day(visit["visited_on"] or visit["planned_on"], zone)
        state, report = VisitState(visit["state"]).label, visit["report"]
        yield f"Kunjungan {number}", _joined(state, day, visit["visitor_name"], visit["result"], report)


def _referrals(case: Case, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for line in case["referrals"]:
        sent = _moment(line["sent_at"], zone)
        told = (line["unit_name"], ReferralState(line["state"]).label, sent and f"dikirim {sent}", line["reply"], line["outcome"])
        yield line["number"], _joined(*told)


def _joined(*texts: str) -> str:
    return "; ".join(text for text in texts if text)


def _steps(then: Case, now: Case | None) -> list[Step]:
    kept = {_mark(event) for event in now["events"]} if now is not None else None
    return [
        Step(
            event["action_label"],
            datetime.fromisoformat(event["at"]),
            _joined(event["by_name"], event["role_label"]),
            tuple(text for text in (event["note"], event["citizen_note"]) if text)
            + tuple(f"{label}: {value}" for label, value in event["details"].items()),
            gone=kept is not None and _mark(event) not in kept,
        )
        for event in then["events"]
    ]


def _mark(event: Mapping[str, Any]) -> tuple[str, str]:
    return str(event["action"]), str(event["at"])


def _moment(text: str | None, zone: ZoneInfo) -> str:
    return words.short_moment_words(datetime.fromisoformat(text), zone) if text else ""


def _day(text: str | None, zone: ZoneInfo) -> str:
    return words.short_date_words(date.fromisoformat(text), zone) if text else ""
