"""What is worth a notice, told from the power journal and the light of the protection. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.power.chain import Color, Light
from appliance.power.journal import End, Entry, Event
from appliance.power.sentences import CAUSES, duration
from appliance.sticks.rules import Tone, Verdict


@dataclass(frozen=True)
class Message:
    """One notice: a subject and a text, both without any name or number of a resident."""

    at: datetime
    title: str
    text: str


def messages_of(entries: Sequence[Entry], zone: ZoneInfo) -> list[Message]:
    """The notices of these lines of the journal, oldest first. A cut that is over already is one notice, not two."""
    found: list[Message] = []
    lost: Entry | None = None
    for entry in entries:
        if entry.event is Event.MAINS_LOST:
            if lost is not None:
                found.append(_lost(lost, zone))
            lost = entry
        elif entry.event is Event.MAINS_BACK:
            found.append(_back(lost, entry, zone))
            lost = None
        elif (told := _told(entry, zone)) is not None:
            found += [_lost(lost, zone), told] if lost is not None else [told]
            lost = None
    return [*found, _lost(lost, zone)] if lost is not None else found


def message_of(light: Light, was_armed: bool, at: datetime) -> Message | None:
    """The notice of a light that changed; None while it has not, or is only being checked."""
    if light.color is Color.NOT_ARMED and was_armed:
        return Message(at, "Perlindungan listrik TIDAK aktif", f"{light.sentence} {light.remedy}".strip())
    if light.color is Color.ARMED and not was_armed:
        return Message(at, "Perlindungan listrik aktif kembali", light.sentence)
    return None


def messages_of_sticks(
    verdicts: Mapping[str, Verdict], told: Sequence[str], at: datetime
) -> tuple[list[Message], tuple[str, ...]]:
    """The notices of sticks (label → what is to be said of it) that began to need somebody, and the labels of all that do."""
    troubled = {label: verdict for label, verdict in verdicts.items() if verdict.tone in {Tone.WARN, Tone.BAD}}
    news = [
        Message(at, f"Stik cadangan {label} perlu diurus", f"{verdict.text} {verdict.next_step}".strip())
        for label, verdict in troubled.items()
        if label not in told
    ]
    return news, tuple(sorted(troubled))


def _told(entry: Entry, zone: ZoneInfo) -> Message | None:
    match entry.event:
        case Event.REPLACE_BATTERY:
            text = "UPS meminta baterainya diganti. Sampai diganti, sistem mungkin tidak sempat mati dengan tertib."
            return Message(entry.at, "Baterai UPS perlu diganti", text)
        case Event.STILL_SILENT:
            text = (
                f"UPS sudah {_silent(entry)} tidak terbaca, jadi sistem tidak terlindung dari pemadaman. Periksa kabel USB UPS."
            )
            return Message(entry.at, "UPS tidak terbaca", text)
        case Event.HANDED_OVER:
            return Message(entry.at, "Sistem mati", f"Sistem mati pada {_clock(entry.at, zone)}: {_why(entry)}.")
        case Event.BACK if entry.facts.get("cause") != End.OPERATOR:
            order = "dengan tertib" if entry.facts.get("clean") is True else "mendadak"
            text = f"Sistem mati {order} ({_why(entry)}) dan hidup kembali pada {_clock(entry.at, zone)}."
            return Message(entry.at, "Sistem hidup kembali", text)
    return None


def _lost(entry: Entry, zone: ZoneInfo) -> Message:
    return Message(entry.at, "Listrik padam", f"Listrik padam sejak {_clock(entry.at, zone)}. Sistem memakai baterai UPS.")


def _back(lost: Entry | None, entry: Entry, zone: ZoneInfo) -> Message:
    if lost is None:
        return Message(entry.at, "Listrik menyala kembali", f"Listrik menyala kembali pada {_clock(entry.at, zone)}.")
    text = f"Listrik padam {duration(entry.at - lost.at)}, menyala kembali pada {_clock(entry.at, zone)}."
    return Message(entry.at, "Listrik sempat padam", text)


def _why(entry: Entry) -> str:
    return CAUSES.get(str(entry.facts.get("cause", "")), "alasan tidak tercatat")


def _silent(entry: Entry) -> str:
    seconds = entry.facts.get("silent")
    return duration(timedelta(seconds=seconds)) if isinstance(seconds, int) else "lama"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%d-%m-%Y pukul %H.%M %Z")
