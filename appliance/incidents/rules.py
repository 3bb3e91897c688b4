"""The life of an incident as one table, and the clock of the law: from where, by what step, by whom, asking for what.

UU 27/2022, Pasal 46: the people concerned and the authority are told in writing within 3 x 24 hours. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from appliance.casework.step_fields import Field
from appliance.models.roles import Role

TIME_TO_TELL = timedelta(hours=72)
LATE_REASON = "late_reason"


class IncidentKind(StrEnum):
    """What happened."""

    LOST = "perangkat_hilang"
    MISSENT = "salah_kirim"
    INTRUSION = "akses_tidak_sah"
    OTHER = "lain"

    @property
    def label(self) -> str:
        """As the pages say it."""
        return _KINDS[self]


_KINDS = {
    IncidentKind.LOST: "Perangkat hilang atau dicuri",
    IncidentKind.MISSENT: "Data terkirim ke pihak yang salah",
    IncidentKind.INTRUSION: "Akses tidak sah",
    IncidentKind.OTHER: "Kejadian lain",
}


class IncidentState(StrEnum):
    """Where it stands."""

    OPEN = "DIBUKA"
    HANDLED = "DITANGANI"
    TOLD = "DIBERITAHUKAN"
    CLOSED = "DITUTUP"

    @property
    def label(self) -> str:
        """As the pages say it."""
        return self.value.capitalize()


class IncidentStep(StrEnum):
    """What is done; the value is stored in the history."""

    OPEN = "buka"
    CHANGE = "ubah"
    HANDLE = "tangani"
    TELL = "beritahukan"
    CLOSE = "tutup"
    DISMISS = "tutup_tanpa"
    REOPEN = "buka_lagi"


S, T = IncidentState, IncidentStep
# In these nobody has been told yet, and the clock runs.
UNTOLD = frozenset({S.OPEN, S.HANDLED})
READERS = (Role.MANAJER, Role.ADMIN)
# Who answers for the office; the admin looks after the machine.
DECIDERS = frozenset({Role.MANAJER})


@dataclass(frozen=True)
class Line:
    """One line of the table. `target` None: the state stays."""

    step: IncidentStep
    sources: frozenset[IncidentState]
    target: IncidentState | None
    label: str
    by: frozenset[Role]
    fields: tuple[Field, ...] = ()

    def leads_to(self, state: IncidentState) -> IncidentState:
        """The state after the step, taken in `state`."""
        return self.target or state


_BOTH = frozenset(READERS)
TABLE = (
    Line(T.OPEN, frozenset(), S.OPEN, "Insiden dibuka", _BOTH),
    Line(T.CHANGE, UNTOLD, None, "Ubah catatan", _BOTH),
    Line(T.HANDLE, frozenset({S.OPEN}), S.HANDLED, "Catat penanganan", _BOTH, (Field("note", "Yang sudah dilakukan"),)),
    Line(T.TELL, UNTOLD, S.TOLD, "Catat pemberitahuan", DECIDERS, (
        Field("subjects_on", "Tanggal warga diberi tahu tertulis", "date"),
        Field("authority_on", "Tanggal lembaga diberi tahu tertulis", "date"),
        Field("authority", "Lembaga dan nomor surat", "text"),
        Field("note", "Cara warga diberi tahu"),
        Field(LATE_REASON, "Alasan bila lewat 3 x 24 jam", required=False),
    )),
    Line(T.CLOSE, frozenset({S.TOLD}), S.CLOSED, "Tutup insiden", DECIDERS, (Field("note", "Kesimpulan dan pencegahan"),)),
    Line(T.DISMISS, UNTOLD, S.CLOSED, "Tutup tanpa pemberitahuan", DECIDERS, (Field("note", "Mengapa tidak ada data yang terungkap"),)),
    Line(T.REOPEN, frozenset({S.CLOSED}), S.HANDLED, "Buka lagi", DECIDERS, (Field("note", "Alasan"),)),
)  # fmt: skip
LABELS = {line.step.value: line.label for line in TABLE}


def may(step: str, state: IncidentState, roles: frozenset[Role]) -> Line | None:
    """The line by which somebody with `roles` takes the step in `state`; None when there is none."""
    fitting = (line for line in TABLE if line.step == step and state in line.sources and not line.by.isdisjoint(roles))
    return next(fitting, None)


def allowed(state: IncidentState, roles: frozenset[Role]) -> tuple[Line, ...]:
    """What she may do next, in the order of the table."""
    return tuple(line for line in TABLE if may(line.step, state, roles) is line)


@dataclass(frozen=True)
class Clock:
    """Until when people and authority must be told; `left` is negative when that is over. It stands once they were told."""

    deadline: datetime
    left: timedelta
    running: bool

    @property
    def late(self) -> bool:
        """Whether time is over and nobody was told."""
        return self.running and self.left < timedelta()


def clock(noticed_at: datetime, state: IncidentState, at: datetime) -> Clock:
    """How the clock stands at `at`; it began when the incident was noticed."""
    deadline = noticed_at + TIME_TO_TELL
    return Clock(deadline, deadline - at, state in UNTOLD)


def field_problems(
    fields: tuple[Field, ...], typed: Mapping[str, str | date], *, noticed: date, deadline: date, today: date
) -> dict[str, str]:
    """What is wrong with the answers to a step, by field. The days are the office's; an unanswered field is missing or empty."""
    problems = {field.name: f"Isi: {field.label}." for field in fields if field.required and not typed.get(field.name)}
    days = {field.name: day for field in fields if isinstance(day := typed.get(field.name), date)}
    for name, day in days.items():
        if day > today:
            problems[name] = "Tanggal itu belum tiba; catat sesudah pemberitahuan dikirim."
        elif day < noticed:
            problems[name] = "Tanggal itu sebelum insiden diketahui."
    if any(day > deadline for day in days.values()) and not typed.get(LATE_REASON):
        problems[LATE_REASON] = "Pemberitahuan lewat 3 x 24 jam; tulis alasannya."
    return problems
