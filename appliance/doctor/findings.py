"""What the doctor says of the facts: each finding with a number that stays, its cause, its remedy, and the repair that is safe. Pure.

The numbers stand in docs/care.md; a number is never given to another finding: D28 is spent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

# the parts of the status, each with its number
PARTS: Mapping[str, str] = {
    "web": "D01",
    "database": "D02",
    "backup": "D03",
    "sticks": "D04",
    "sheet": "D05",
    "power": "D06",
    "disk": "D07",
    "hardware": "D08",
    "certificate": "D09",
    "services": "D10",
    "clock": "D11",
}
OTHER_PART = "D19"
SETTINGS, STATUS, UNIT, RUNTIME, DRIFT = "D20", "D21", "D22", "D23", "D24"
INTEGRITY, REPOSITORY, ANSWERS, NAME, GATE = "D25", "D26", "D27", "D29", "D30"
LATER = "Jalankan sekali lagi sesudah masalah lain selesai: sudo slrt doctor"


class Gravity(StrEnum):
    """How grave a finding is."""

    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Repair:
    """What mends a finding without touching data: a sentence, and the command."""

    title: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that is not well."""

    number: str
    gravity: Gravity
    cause: str
    remedy: str
    repair: Repair | None = None


@dataclass(frozen=True)
class Answer:
    """How a program of ours answered: whether it went well, and its last line."""

    worked: bool
    text: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Facts:
    """What was found out. None: it was not asked, because something before it failed."""

    settings: Answer = field(default_factory=lambda: Answer(True))
    status: Mapping[str, Mapping[str, str]] | None = None
    failed_units: tuple[str, ...] = ()
    runtime_missing: tuple[str, ...] = ()
    drift: tuple[str, ...] | None = None
    integrity: Answer | None = None
    repository: Answer | None = None
    answers: Answer | None = None
    name: Answer | None = None
    gate: str = ""


def judge(facts: Facts, programs: str, tmpfiles: str) -> list[Finding]:
    """Everything that is not well, in the order in which it is to be mended.

    `programs` is the folder of our commands, `tmpfiles` the file of systemd-tmpfiles for what the node needs in /run.
    """
    if not facts.settings.worked:
        hint = facts.settings.hint or "Perbaiki berkas itu, lalu jalankan: slrt config check"
        return [Finding(SETTINGS, Gravity.FAIL, facts.settings.text, hint)]
    return [
        *_of_runtime(facts, tmpfiles),
        *_of_drift(facts, programs),
        *_of_units(facts),
        *_of_gate(facts),
        *_of_answers(facts),
        *_of_status(facts),
    ]


def repairs(findings: Sequence[Finding]) -> list[Repair]:
    """What can be mended, each command once and in order."""
    return list(dict.fromkeys(finding.repair for finding in findings if finding.repair is not None))


def _of_runtime(facts: Facts, tmpfiles: str) -> Iterator[Finding]:
    if facts.runtime_missing:
        cause = f"Yang diperlukan di /run tidak ada atau salah pemilik: {', '.join(facts.runtime_missing)}."
        mend = Repair("buat lagi folder sementara di /run", ("systemd-tmpfiles", "--create", tmpfiles))
        yield Finding(RUNTIME, Gravity.FAIL, cause, f"Jalankan: sudo systemd-tmpfiles --create {tmpfiles}", mend)


def _of_drift(facts: Facts, programs: str) -> Iterator[Finding]:
    for change in facts.drift or ():
        mend = Repair(
            "samakan mesin dengan pengaturannya (slrt-provision apply)", (f"{programs}/slrt-provision", "apply", "--local")
        )
        yield Finding(
            DRIFT,
            Gravity.WARN,
            f"Mesin tidak lagi seperti dipasang: perlu {change}.",
            "Jalankan: sudo slrt-provision apply",
            mend,
        )
    if facts.drift is None:
        cause = "Tidak dapat diperiksa apakah mesin masih seperti dipasang."
        yield Finding(DRIFT, Gravity.WARN, cause, "Jalankan: sudo slrt-provision plan")


def _of_units(facts: Facts) -> Iterator[Finding]:
    for unit in facts.failed_units:
        mend = Repair(f"nyalakan lagi {unit}", ("systemctl", "restart", unit))
        yield Finding(UNIT, Gravity.FAIL, f"{unit} gagal.", f"Lihat sebabnya: sudo journalctl -u {unit}", mend)


def _of_gate(facts: Facts) -> Iterator[Finding]:
    if facts.gate:
        yield Finding(GATE, Gravity.WARN, facts.gate, "Lihat keadaan listrik: slrt power status")


def _of_answers(facts: Facts) -> Iterator[Finding]:
    asked = (
        (INTEGRITY, facts.integrity, "Pulihkan dari cadangan: docs/restore.md"),
        (REPOSITORY, facts.repository, "Periksa disk cadangan, lalu jalankan: sudo slrt backup list"),
        (ANSWERS, facts.answers, "Lihat: sudo journalctl -u slrt-front -u slrt-web"),
        (NAME, facts.name, "Jalankan: sudo slrt-provision apply"),
    )
    for number, answer, remedy in asked:
        if answer is not None and not answer.worked:
            yield Finding(number, Gravity.FAIL, answer.text or "Tidak ada jawaban.", answer.hint or remedy)


def _of_status(facts: Facts) -> Iterator[Finding]:
    if facts.status is None:
        yield Finding(STATUS, Gravity.FAIL, "slrt status tidak menjawab.", LATER)
    for name, part in (facts.status or {}).items():
        if part["state"] != "ok":
            gravity = Gravity.FAIL if part["state"] == "fail" else Gravity.WARN
            yield Finding(PARTS.get(name, OTHER_PART), gravity, part["text"], part["next_step"] or LATER)
