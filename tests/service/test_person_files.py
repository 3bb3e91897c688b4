"""Photos and papers: judged by content, stored anew, given out to those who may see them."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from appliance.config import Settings
from appliance.database import db
from appliance.errors import InvalidInput, NotAllowed, NotFound
from appliance.models.audit import AuditEntry
from appliance.models.person import Person, PersonFile
from appliance.registry import files, people
from appliance.registry.file_store import LARGEST
from appliance.scheduling import office_jobs
from appliance.scheduling.workplace import Workplace
from tests.support.desk import resident
from tests.support.killing import killed
from tests.support.staff import AT, Staff
from tests.support.web_client import Web, web_app
from webui.session import public

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"


def picture(kind: str = "JPEG", size: tuple[int, int] = (2400, 1200), *, with_place: bool = False) -> bytes:
    """A photo as a camera writes it; `with_place` puts a position and a turn into it."""
    exif = Image.Exif()
    if with_place:
        exif[0x0112] = 6  # turned by a quarter
        exif[0x010F] = "KAMERA-RAHASIA"
        exif.get_ifd(0x8825)[1] = "S"
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, kind, exif=exif)
    return written.getvalue()


@pytest.fixture
def person(app: Flask, staff: Staff) -> str:
    return resident(staff.fo, kk="7303010101100001")


def add(staff: Staff, person: str, content: bytes, kind: str = "foto", title: str = "") -> str:
    return files.add_person_file(person, content, kind=kind, title=title, by=staff.fo, at=AT)


def test_a_photo_is_made_small_and_tells_nothing_of_its_place(staff: Staff, person: str) -> None:
    taken = picture(with_place=True)
    assert b"KAMERA-RAHASIA" in taken
    sent = files.open_file(add(staff, person, taken), by=staff.fo, at=AT)
    stored = sent.path.read_bytes()
    with Image.open(io.BytesIO(stored)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (800, 1600))
        assert not opened.getexif()
    assert b"KAMERA-RAHASIA" not in stored


def test_a_file_lies_at_the_place_of_its_hash_and_nothing_else_is_left(staff: Staff, person: str, settings: Settings) -> None:
    add(staff, person, picture("PNG"))
    lying = [path for path in settings.attachments.rglob("*") if path.is_file()]
    assert len(lying) == 2
    for path in lying:
        assert path.name == hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.parent.name == path.name[:2]
    assert list(Path(settings.paths.data).glob(".upload-*")) == []


def test_the_newest_photo_is_shown_and_the_same_one_is_kept_once(staff: Staff, person: str) -> None:
    first = add(staff, person, picture())
    assert add(staff, person, picture()) == first
    second = add(staff, person, picture(size=(300, 200)))
    assert people.look_at_person(person, by=staff.fo, at=AT).photo_id == second
    assert len(files.of_person(person, by=staff.fo)) == 2
    files.remove_file(second, by=staff.fo, at=AT)
    assert db.session.get_one(Person, person).photo_id is None
    assert [line.id for line in files.of_person(person, by=staff.fo)] == [first]
    with pytest.raises(NotFound):
        files.open_file(second, by=staff.fo, at=AT)


def test_transparency_becomes_white(staff: Staff, person: str) -> None:
    written = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(written, "PNG")
    sent = files.open_file(add(staff, person, written.getvalue()), by=staff.fo, at=AT)
    with Image.open(sent.path) as opened:
        assert opened.getpixel((10, 10)) == (255, 255, 255)


def _bomb(side: int) -> bytes:
    """A PNG of few bytes and many pixels."""
    written = io.BytesIO()
    Image.new("1", (side, side)).save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "word"),
    [
        (b"", "foto", "Pilih berkas"),
        (b"MZ\x90\x00", "lain", "bukan foto"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "rumah", "bukan foto"),
        (b"GIF89a" + bytes(20), "foto", "bukan foto"),
        (b"\xff\xd8\xff" + bytes(40), "foto", "rusak"),
        (picture()[:900], "foto", "rusak"),
        (PDF, "foto", "bukan foto"),
        (_bomb(8_000), "rumah", "megapiksel"),
        (_bomb(4_001), "rumah", "megapiksel"),
        (b"%PDF-" + bytes(LARGEST), "lain", "7 MB"),
    ],
    ids=["empty", "program", "svg", "gif", "damaged", "cut", "pdf-as-photo", "bomb", "big-png", "big"],
)
def test_what_is_refused_says_why(staff: Staff, person: str, content: bytes, kind: str, word: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        add(staff, person, content, kind)
    assert word in caught.value.problems["file"]
    assert db.session.scalar(sa.select(sa.func.count(PersonFile.id))) == 0


def test_kind_and_title_are_checked(staff: Staff, person: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        add(staff, person, picture(), kind="virus", title="x" * 121)
    assert set(caught.value.problems) == {"kind", "title"}


def test_papers_are_for_those_who_may_see_numbers(staff: Staff, person: str) -> None:
    paper, house = add(staff, person, PDF, "ktp"), add(staff, person, picture(), "rumah")
    assert {line.id for line in files.of_person(person, by=staff.bo)} == {paper, house}
    assert {line.id for line in files.of_person(person, by=staff.leader)} == {house}
    assert files.open_file(paper, by=staff.bo, at=AT).path.read_bytes() == PDF
    with pytest.raises(NotAllowed):
        files.open_file(paper, by=staff.leader, at=AT)
    with pytest.raises(NotFound):
        files.open_thumbnail(paper, by=staff.bo)


def test_files_follow_the_scope_and_each_look_is_noted(staff: Staff, person: str) -> None:
    house = add(staff, person, picture(), "rumah")
    for look in (lambda by: files.open_file(house, by=by, at=AT), lambda by: files.open_thumbnail(house, by=by)):
        for by in (staff.neighbour, staff.stranger, staff.dinkes):
            with pytest.raises(NotFound):
                look(by)
    assert files.of_person(person, by=staff.neighbour) == ()
    files.open_file(house, by=staff.leader, at=AT)
    last = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.position.desc()).limit(1)).one()
    assert (last.action, last.subject) == ("lihat_berkas", f"file:{house}")


def test_a_family_has_files_of_its_own(staff: Staff, person: str) -> None:
    family = people.look_at_person(person, by=staff.fo, at=AT).family_id or ""
    with pytest.raises(NotFound):
        files.add_family_file(family, picture(), kind="rumah", title="", by=staff.neighbour, at=AT)
    file = files.add_family_file(family, picture(), kind="rumah", title="Tampak depan", by=staff.fo, at=AT)
    (line,) = files.of_family(family, by=staff.leader)
    assert (line.id, line.title, line.has_thumbnail) == (file, "Tampak depan", True)
    assert files.of_person(person, by=staff.fo) == ()
    with pytest.raises(NotAllowed):
        files.remove_file(file, by=staff.leader, at=AT)


def test_a_disk_that_is_full_leaves_nothing_behind(
    staff: Staff, person: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            add(staff, person, picture())
    assert not list(settings.attachments.parent.rglob(".upload-*"))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PersonFile)) == 0
    assert add(staff, person, picture())


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_what_a_killed_upload_left_is_swept_by_the_scheduler(
    staff: Staff, person: str, settings: Settings, tmp_path: Path
) -> None:
    """A process that is killed while it stores a paper leaves half of it; what arrives now and what is not ours stays."""
    store = f"files.add_person_file('nobody', {PDF!r}, kind='ktp', title='', by=None, at=None)"
    killed(settings, tmp_path, "at_fsync()", f"from appliance.registry import files; {store}")
    data = Path(settings.paths.data)
    (left,) = data.glob(".upload-*")
    assert left.read_bytes() == PDF
    arriving, other, folder = data / ".upload-now", data / "upload-old", data / ".upload-folder"
    folder.mkdir()
    for path in (arriving, other):
        path.write_bytes(PDF)
    half = data / "imports" / "cut-off"
    half.mkdir(parents=True)
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    for path in (left, other, folder, half):
        os.utime(path, (long_ago, long_ago))
    add(staff, person, PDF, "ktp")
    workplace = Workplace(settings, Path("appliance.toml"), threading.Event())
    office_jobs.do(workplace, office_jobs.clear_uploads)
    assert {path.name for path in data.glob("*upload-*")} == {".upload-now", "upload-old", ".upload-folder"}
    assert not half.exists()
    assert len([path for path in settings.attachments.rglob("*") if path.is_file()]) == 1


def test_the_page_tells_a_full_disk(settings: Settings) -> None:
    app = web_app(settings)

    @app.get("/penuh")
    @public
    def full() -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    page = Web(app).get("/penuh")
    assert page.status_code == 500
    assert "Penyimpanan server penuh" in page.text
    assert "kosongkan disk server" in page.text
