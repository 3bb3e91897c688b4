"""Which troubles of the machine are told, and when they are over. Pure.

A value that goes to and fro at its limit is told once: a trouble must hold before it is told, unless it is grave, and it must have been
away for a while before its end is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from appliance.care import rules, space
from appliance.notices.messages import Message

HOLDS = timedelta(minutes=15)
CALM = timedelta(minutes=45)
CLOCK_SLACK = timedelta(minutes=5)
FULL = {
    space.Level.LOW: "mulai sempit",
    space.Level.TIGHT: "hampir penuh; impor, ekspor dan surat massal ditunda",
    space.Level.LAST: "penuh; ruang cadangannya sudah dilepas",
}


@dataclass(frozen=True)
class Trouble:
    """Something that needs somebody. `grave` is told at once."""

    title: str
    text: str
    grave: bool


@dataclass(frozen=True)
class Known:
    """What is known of a trouble: since when, whether it was told, and since when it seems to be over."""

    title: str
    since: datetime
    told: bool = False
    over_since: datetime | None = None


def troubles_of(
    findings: list[rules.Finding], room: space.Room | None, last: datetime | None, at: datetime
) -> dict[str, Trouble]:
    """Every trouble by what it is about; `last` is the moment of the newest line that was ever written."""
    found = {
        finding.key: Trouble(
            "Perangkat server perlu diurus", f"{finding.text} {finding.remedy}".strip(), finding.level is rules.Level.BAD
        )
        for finding in findings
        if finding.level in {rules.Level.UNKNOWN, rules.Level.WARN, rules.Level.BAD}
    }
    for place, level in room.places if room else ():
        if level is not space.Level.ROOMY:
            text = f"Disk {place.name} ({place.folder}) {FULL[level]}: tinggal {place.free_words}."
            grave = level >= space.Level.TIGHT
            found[f"room {place.folder}{' tight' if grave else ''}"] = Trouble("Disk server hampir penuh", text, grave)
    if last is not None and last > at + CLOCK_SLACK:
        text = "Jam server lebih lama daripada catatan terakhirnya; nomor dan tenggat menjadi salah. Betulkan jamnya."
        found["clock"] = Trouble("Jam server salah", text, grave=True)
    return found


def messages_of_care(
    troubles: Mapping[str, Trouble], known: Mapping[str, Known], at: datetime
) -> tuple[list[Message], dict[str, Known]]:
    """The notices of what began to need somebody and of what is over, and what is known from now on."""
    news: list[Message] = []
    after: dict[str, Known] = {}
    for key, trouble in troubles.items():
        seen = replace(known[key], over_since=None) if key in known else Known(trouble.title, at)
        if not seen.told and (trouble.grave or at - seen.since >= HOLDS):
            news.append(Message(at, trouble.title, trouble.text))
            seen = replace(seen, told=True)
        after[key] = seen
    for key, seen in known.items():
        if key in troubles or not seen.told:
            continue
        over = seen.over_since or at
        if at - over >= CALM:
            news.append(
                Message(
                    at, f"{seen.title}: sudah baik kembali", "Masalah yang diberitahukan sebelumnya sudah tidak terlihat lagi."
                )
            )
        else:
            after[key] = replace(seen, over_since=over)
    return news, after
