"""Writing in the register of incidents: opening one, changing what is noted, and taking a step of its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from appliance.access import Actor, require
from appliance.casework.history import next_number
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotAllowed
from appliance.incidents.moving import incident_of, record_step
from appliance.incidents.rules import (
    READERS,
    TABLE,
    IncidentKind,
    IncidentState,
    IncidentStep,
    Line,
    clock,
    field_problems,
    may,
)
from appliance.models.account import Account, WebSession
from appliance.models.incident import Incident

SERIES = "INS"
LONGEST = 4000
# Two clocks are never quite alike.
TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class IncidentText:
    """What is noted of an incident. Times are aware; `seen_from` None means from when it happened, `seen_until` None until now.

    `device` is one of `devices_of` the account, or "" for all of them.
    """

    kind: str
    happened_at: datetime | None
    noticed_at: datetime | None
    story: str
    data: str
    measures: str = ""
    account_id: str = ""
    device: str = ""
    seen_from: datetime | None = None
    seen_until: datetime | None = None


def open_incident(text: IncidentText, *, request_id: str, by: Actor, at: datetime) -> str:
    """Open an incident; its identifier. The same `request_id` again gives the same one. Raises InvalidInput, NotAllowed."""
    require(by, *READERS)
    try:
        with transaction():
            return _written(request_id, by) or _write(text, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request or began the month's series: the second look sees it.
        with transaction():
            return _written(request_id, by) or _write(text, request_id, by, at)


def change_incident(incident_id: str, text: IncidentText, *, row_version: int, by: Actor, at: datetime) -> None:
    """Note it anew, as long as nobody was told. Raises InvalidInput, NotFound, NotAllowed, Conflict."""
    with transaction():
        incident = _locked(incident_id, row_version, by)
        line = _line(incident, IncidentStep.CHANGE, by)
        _refuse(_problems(text, at))
        before = _told(incident)
        _fill(incident, text)
        # The history keeps what stood there before.
        changed = {name: value for name, value in before.items() if _told(incident)[name] != value}
        record_step(incident, line, by=by, at=at, details=changed)


def take_step(incident_id: str, step: str, typed: Mapping[str, str | date], *, row_version: int, by: Actor, at: datetime) -> None:
    """Take one step of the table; answers of kind date are days of the office.

    Raises InvalidInput with all problems, NotFound, NotAllowed, Conflict.
    """
    if step not in {line.step.value for line in TABLE if line.fields}:
        raise InvalidInput({"step": "Langkah itu tidak dikenal."})
    zone = settings_in_use().zone
    with transaction():
        incident = _locked(incident_id, row_version, by)
        line = _line(incident, step, by)
        values = {field.name: value for field in line.fields if (value := _answer(typed.get(field.name, "")))}
        noticed, deadline, today = (
            moment.astimezone(zone).date()
            for moment in (incident.noticed_at, clock(incident.noticed_at, IncidentState.OPEN, at).deadline, at)
        )
        _refuse(field_problems(line.fields, values, noticed=noticed, deadline=deadline, today=today))
        told = {field.label: _words(values[field.name]) for field in line.fields if field.name in values and field.name != "note"}
        record_step(incident, line, by=by, at=at, note=_words(values.get("note", "")), details=told)


def devices_of(account_id: str) -> tuple[str, ...]:
    """The devices on which the account was signed in of late, as the journal names them, the latest first."""
    rows = db.session.scalars(
        sa.select(WebSession).where(WebSession.account_id == account_id).order_by(WebSession.last_seen_at.desc())
    )
    return tuple(dict.fromkeys(row.device_name for row in rows))


def _locked(incident_id: str, row_version: int, by: Actor) -> Incident:
    incident = incident_of(incident_id, by, locked=True)
    if incident.row_version != row_version:
        raise changed_meanwhile()
    return incident


def _line(incident: Incident, step: str, by: Actor) -> Line:
    state = IncidentState(incident.state)
    line = may(step, state, by.roles)
    if line:
        return line
    if any(other.step == step and state in other.sources for other in TABLE):
        raise NotAllowed("Langkah ini diambil oleh manajer.", "Minta manajer membuka insiden ini.")
    raise Conflict(f"Insiden berstatus “{state.label}”; langkah ini tidak dapat dilakukan lagi.", "Muat ulang halaman insiden.")


def _written(request_id: str, by: Actor) -> str | None:
    known = sa.select(Incident.id).where(Incident.request_id == request_id, Incident.created_by == by.account_id)
    return db.session.scalar(known)


def _write(text: IncidentText, request_id: str, by: Actor, at: datetime) -> str:
    _refuse(_problems(text, at))
    incident = Incident(number=next_number(SERIES, at), request_id=request_id, state=IncidentState.OPEN)
    _fill(incident, text)
    incident.stamp(by.account_id, at)
    db.session.add(incident)
    db.session.flush()
    record_step(incident, TABLE[0], by=by, at=at)
    return incident.id


def _fill(incident: Incident, text: IncidentText) -> None:
    """Only with what has no problems."""
    if text.happened_at is None or text.noticed_at is None:
        raise ValueError("an incident happened and was noticed at some time")
    incident.kind, incident.happened_at, incident.noticed_at = text.kind, text.happened_at, text.noticed_at
    incident.account_id, incident.device = text.account_id or None, text.device
    incident.seen_from, incident.seen_until = text.seen_from or text.happened_at, text.seen_until
    incident.story, incident.data, incident.measures = text.story.strip(), text.data.strip(), text.measures.strip()


def _told(incident: Incident) -> dict[str, str]:
    """What stands there now, by its name for people."""
    zone = settings_in_use().zone

    def moment(value: datetime | None) -> str:
        return f"{value.astimezone(zone):%d-%m-%Y %H.%M}" if value else ""

    return {
        "Jenis semula": IncidentKind(incident.kind).label,
        "Terjadi semula": moment(incident.happened_at),
        "Diketahui semula": moment(incident.noticed_at),
        "Perangkat semula": incident.device,
        "Akses dihitung semula": f"{moment(incident.seen_from)} – {moment(incident.seen_until)}",
        "Kejadian semula": incident.story,
        "Data semula": incident.data,
        "Upaya semula": incident.measures,
    }


def _problems(text: IncidentText, at: datetime) -> dict[str, str]:
    problems = _time_problems(text, at)
    if text.kind not in set(IncidentKind):
        problems["kind"] = "Pilih jenis insiden."
    for name, sentence in (("story", "Tulis apa yang terjadi."), ("data", "Tulis data apa yang mungkin terungkap.")):
        if not getattr(text, name).strip():
            problems[name] = sentence
    for name in ("story", "data", "measures"):
        if len(getattr(text, name)) > LONGEST:
            problems[name] = f"Paling banyak {LONGEST} huruf."
    return problems | _account_problems(text)


def _account_problems(text: IncidentText) -> dict[str, str]:
    if not text.account_id:
        if text.kind == IncidentKind.LOST:
            return {"account_id": "Pilih petugas pemegang perangkat itu."}
        return {"device": "Pilih akunnya dahulu."} if text.device else {}
    if db.session.get(Account, text.account_id) is None:
        return {"account_id": "Akun itu tidak ada. Pilih dari daftar."}
    if text.device and text.device not in devices_of(text.account_id):
        return {"device": "Pilih perangkat dari daftar petugas itu."}
    return {}


def _time_problems(text: IncidentText, at: datetime) -> dict[str, str]:
    problems: dict[str, str] = {}
    if text.happened_at is None:
        problems["happened_at"] = "Isi kapan terjadi; bila tidak pasti, paling awal yang mungkin."
    if text.noticed_at is None:
        problems["noticed_at"] = "Isi kapan diketahui."
    elif text.noticed_at > at + TOLERANCE:
        problems["noticed_at"] = "Waktu itu belum tiba."
    elif text.happened_at and text.happened_at > text.noticed_at:
        problems["happened_at"] = "Terjadi tidak mungkin sesudah diketahui."
    since = text.seen_from or text.happened_at
    if since and text.seen_until and text.seen_until < since:
        problems["seen_until"] = "Akhir waktu akses sebelum awalnya."
    return problems


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(problems)


def _answer(value: str | date) -> str | date:
    return value.strip() if isinstance(value, str) else value


def _words(value: str | date) -> str:
    return value if isinstance(value, str) else f"{value:%d-%m-%Y}"
