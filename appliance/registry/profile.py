"""Socio-economic profiles: filled blanks of a family or a person. The newest counts, the older ones stay as they were filled.

The officer's view (sangat miskin … mampu) is her own; no desil is derived from it or from the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from appliance import audit
from appliance.access import HEALTH_ROLES, Actor
from appliance.database import db, transaction
from appliance.models.profile import Opinion, Profile
from appliance.registry import record_files
from appliance.registry.coordinates import place_problems
from appliance.registry.files import FileLine
from appliance.registry.holders import (
    Holder,
    Household,
    belongs_to,
    face_of,
    held_row,
    holder_for,
    may_record,
    office_day,
    require_recorder,
    stored_once,
    subject_of,
    too_long,
)
from appliance.registry.instruments import Instrument, check_answers, instrument, read_out
from appliance.registry.people import person_in_scope
from appliance.registry.programmes import refuse

OPINIONS = {
    Opinion.VERY_POOR.value: "Sangat miskin",
    Opinion.POOR.value: "Miskin",
    Opinion.VULNERABLE.value: "Rentan",
    Opinion.ABLE.value: "Mampu",
}
EARLIEST = date(2010, 1, 1)
MOST_SHOWN = 40
# Where the problem of an answer is told on the form.
ANSWER = "q-"


@dataclass(frozen=True)
class NewProfile:
    """What is typed: answers by the code of the question, several for a question of several; the place in degrees."""

    instrument: str
    version: int
    surveyed_on: date | None
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    opinion: str = ""
    note: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class ProfileLine:
    """One filled blank in a list. `withdrawn` says why it does not count any more; "" while it does."""

    id: str
    name: str
    about: str
    surveyed_on: date
    surveyed_by: str
    opinion: str
    withdrawn: str


@dataclass(frozen=True)
class ProfileDetail:
    """One filled blank: for each section the questions that were answered, with the answers as words.

    `place` is the latitude and longitude as they are shown; "" when they were not told.
    """

    line: ProfileLine
    person_id: str | None
    person_name: str
    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    note: str
    place: str
    files: tuple[FileLine, ...]
    may_add: bool


def blank_for(person_id: str, code: str, version: int | None, *, by: Actor) -> Instrument:
    """The blank as this officer may fill it about this person; without a version the newest. Raises NotFound."""
    return _seen_by(by, person_in_scope(person_id, by).village_code, instrument(code, version))


def store_profile(person_id: str, new: NewProfile, *, request_id: str, by: Actor, at: datetime) -> str:
    """Append a filled blank about the person, or about her family when the blank is about families; the identifier.

    The same `request_id` again gives the same one. Raises InvalidInput with all problems, NotFound, NotAllowed.
    """

    def store() -> str:
        blank = blank_for(person_id, new.instrument, new.version, by=by)
        holder = holder_for(person_id, family=blank.about == "keluarga", by=by)
        require_recorder(by, holder)
        answers, wrong = check_answers(blank, new.answers)
        refuse(_problems(new, bool(answers or wrong), at) | {f"{ANSWER}{code}": text for code, text in wrong.items()})
        row = Profile(
            request_id=request_id,
            person_id=holder.person_id,
            family_id=holder.family_id,
            instrument=blank.code,
            version=blank.version,
            surveyed_on=new.surveyed_on,
            surveyed_by=by.name,
            opinion=new.opinion,
            answers=answers,
            note=new.note.strip(),
            latitude=new.latitude,
            longitude=new.longitude,
            stored_at=at,
            stored_by=by.account_id,
        )
        db.session.add(row)
        db.session.flush()
        audit.record("profil", subject_of(holder), by=by, at=at, detail={"formulir": f"{blank.code}/{blank.version}"})
        return row.id

    return stored_once(Profile, request_id, by, store)


def look_at_profile(profile_id: str, *, by: Actor, at: datetime) -> ProfileDetail:
    """One filled blank. The look is written to the journal. Raises NotFound."""
    with transaction():
        row, holder = held_row(Profile, profile_id, by)
        face = face_of(row, by)
        audit.record("lihat_profil", subject_of(holder), by=by, at=at)
        return ProfileDetail(
            line=line_of(row),
            person_id=face.id if face else None,
            person_name=face.name if face else "",
            sections=tuple(_read(row, holder, by)),
            note=row.note,
            place="" if row.latitude is None else f"{row.latitude:.6f}, {row.longitude:.6f}",
            files=record_files.of_profile(row, holder, by=by),
            may_add=row.withdrawn_at is None and may_record(by, holder.village_code),
        )


def profiles_of(household: Household) -> list[Profile]:
    """The filled blanks of the family and its members, the newest first; what was withdrawn since comes last."""
    statement = sa.select(Profile).where(belongs_to(Profile, household))
    order = (Profile.withdrawn_at.is_not(None), Profile.surveyed_on.desc(), Profile.id.desc())
    return list(db.session.scalars(statement.order_by(*order).limit(MOST_SHOWN)))


def line_of(row: Profile) -> ProfileLine:
    """A row as a line of a list."""
    blank = instrument(row.instrument, row.version)
    return ProfileLine(row.id, blank.name, blank.about, row.surveyed_on, row.surveyed_by, row.opinion, row.withdrawn_reason)


def _seen_by(by: Actor, village_code: str, blank: Instrument) -> Instrument:
    """Without the questions about health for whoever has no right to them in this village."""
    return blank if by.has_in(village_code, *HEALTH_ROLES) else blank.without_health()


def _read(row: Profile, holder: Holder, by: Actor) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    sections = []
    for section in _seen_by(by, holder.village_code, instrument(row.instrument, row.version)).sections:
        answered = [one for one in section.questions if one.code in row.answers]
        if answered:
            lines = tuple((f"{one.code}. {one.label}", read_out(one, row.answers[one.code])) for one in answered)
            sections.append((section.title, lines))
    return sections


def _problems(new: NewProfile, answered: bool, at: datetime) -> dict[str, str]:
    problems = too_long(new, {"note": 2000}) | place_problems(new.latitude, new.longitude)
    if new.surveyed_on is None or not EARLIEST <= new.surveyed_on <= office_day(at):
        problems["surveyed_on"] = "Isi tanggal pendataan, paling lambat hari ini."
    if new.opinion and new.opinion not in set(Opinion):
        problems["opinion"] = "Pilih pandangan petugas dari daftar."
    if not answered:
        problems["note"] = "Belum ada pertanyaan yang dijawab."
    return problems
