"""The place and the photos of a filled profile, and what proves a look into a national list."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance.access import Actor
from appliance.database import db, transaction
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.person import PersonFile
from appliance.models.profile import Profile
from appliance.models.roles import Role
from appliance.registry import files, profile, record_files
from tests.support.aid import seen, survey
from tests.support.desk import resident
from tests.support.staff import AT, HOME, NEIGHBOUR, Staff

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"


@pytest.fixture
def person(app: Flask, staff: Staff) -> str:
    return resident(staff.fo, kk="7303010101100001")


def reader(role: Role, village: str = HOME) -> Actor:
    return Actor("reader", "Rahma", "rahma", frozenset({role}), (village,))


def test_a_profile_keeps_its_place_for_good(staff: Staff, person: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        survey(person, staff.fo, latitude=-5.5)
    assert set(caught.value.problems) == {"latitude"}
    filled = survey(person, staff.fo, latitude=-5.5417, longitude=119.9512)
    assert profile.look_at_profile(filled, by=staff.fo, at=AT).place == "-5.541700, 119.951200"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), transaction() as session:
        session.execute(sa.update(Profile).where(Profile.id == filled).values(latitude=0.0))


def test_evidence_is_a_paper_of_its_holder(staff: Staff, person: str) -> None:
    look = seen(person, staff.fo)
    kept = record_files.add_evidence(look, PDF, title="Cek Bansos", by=staff.fo, at=AT)
    assert record_files.add_evidence(look, PDF, title="", by=staff.fo, at=AT) == kept
    detail = record_files.look_at_status(look, by=staff.fo, at=AT)
    assert [(line.id, line.kind) for line in detail.files] == [(kept, "bukti")]
    assert files.open_file(kept, by=staff.fo, at=AT).path.read_bytes() == PDF
    row = db.session.get_one(PersonFile, kept)
    assert (row.person_id, row.list_status_id, row.profile_id) == (person, look, None)
    watcher = record_files.look_at_status(look, by=reader(Role.PIMPINAN), at=AT)
    assert (watcher.files, watcher.may_add) == ((), False)


def test_who_may_not_leaves_nothing_on_the_disk(staff: Staff, person: str, settings: object) -> None:
    look, filled = seen(person, staff.fo), survey(person, staff.fo)
    attachments: Path = settings.attachments  # type: ignore[attr-defined]
    with pytest.raises(NotAllowed):
        record_files.add_evidence(look, PDF, title="", by=reader(Role.PIMPINAN), at=AT)
    with pytest.raises(NotFound):
        record_files.add_profile_file(filled, PDF, kind="lain", title="", by=reader(Role.FO, NEIGHBOUR), at=AT)
    with pytest.raises(InvalidInput):
        record_files.add_profile_file(filled, PDF, kind="foto", title="", by=staff.fo, at=AT)
    with transaction() as session:
        session.execute(sa.update(Profile).where(Profile.id == filled).values(withdrawn_at=AT, withdrawn_reason="x"))
    db.session.expire_all()
    with pytest.raises(InvalidInput):
        record_files.add_profile_file(filled, PDF, kind="lain", title="", by=staff.fo, at=AT)
    assert [path for path in attachments.rglob("*") if path.is_file()] == []
