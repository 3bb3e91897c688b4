"""The citizen's own look at her case: what fits, what is never shown, and how guessing is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from appliance import audit, database
from appliance.casework import casebook, citizen_status
from appliance.config import Settings
from appliance.database import db
from appliance.errors import InvalidInput, TryLater
from appliance.letters import slips
from appliance.models.audit import AuditEntry
from appliance.models.roles import Role
from tests.service.test_concurrency import together
from tests.support.desk import move, open_case, resident, verify
from tests.support.staff import AT, Staff, hire
from tests.support.web_client import Web, officer, web_app

NIK = "7303014101801234"
HOUR = timedelta(hours=1)


def slip(staff: Staff, **changes: object) -> tuple[str, str]:
    """A case of somebody with NIK and telephone: its identifier and its number."""
    person = resident(staff.fo, nik=NIK, phone="081255667788")
    case = open_case(staff.fo, person, **changes)
    return case, casebook.look_at_case(case, by=staff.bo, at=AT).line.number


def ask(number: str, digits: str, device: str = "10.0.0.9", at: object = AT) -> citizen_status.CitizenStatus:
    return citizen_status.ask_status(number, digits, device=device, at=at)  # type: ignore[arg-type]


@pytest.mark.parametrize("digits", ["1234", " 12 34", "7788", "4321"])
def test_the_last_digits_of_nik_or_a_telephone(staff: Staff, digits: str) -> None:
    case, number = slip(staff, reporter_name="Baso", reporter_phone="085200004321")
    move(
        case, staff.bo, "kembalikan", return_reasons="berkas_kurang", missing_papers="0", note="RAHASIA", citizen_note="Bawa KTP"
    )
    found = ask(number.partition("-7303-")[2], digits)
    assert (found.number, found.told) == (number, "Bawa KTP")
    assert "RAHASIA" not in str(found)
    assert "dilengkapi" in found.stage.now


@pytest.mark.parametrize("digits", ["", "123", "0000", "12345"])
def test_what_does_not_fit_tells_nothing(staff: Staff, digits: str) -> None:
    _, number = slip(staff)
    with pytest.raises(InvalidInput, match=r"."):
        ask(number, digits)
    with pytest.raises(InvalidInput):
        ask("RJK-7303-202611-00001", "1234")


def test_what_is_confidential_is_not_there(staff: Staff) -> None:
    _, number = slip(staff, confidential=True)
    with pytest.raises(InvalidInput):
        ask(number, "1234")


def test_a_number_closes_after_five_misses_whoever_asks(staff: Staff) -> None:
    _, number = slip(staff)
    for guess in range(citizen_status.NUMBER_MISSES):
        with pytest.raises(InvalidInput):
            ask(number, f"000{guess}", device=f"10.0.0.{guess}")
    with pytest.raises(TryLater):
        ask(number, "1234", device="10.0.1.1")
    assert ask(number, "1234", at=AT + 25 * HOUR).number == number


def test_a_device_waits_after_twenty_misses_whatever_it_asks_for(staff: Staff) -> None:
    _, number = slip(staff)
    for guess in range(citizen_status.DEVICE_MISSES):
        with pytest.raises(InvalidInput):
            ask(f"202611-{500 + guess:05d}", "0000")
    with pytest.raises(TryLater):
        ask(number, "1234")
    assert ask(number, "1234", device="10.0.0.10").number == number
    assert ask(number, "1234", at=AT + HOUR).number == number


def test_guesses_at_once_are_all_counted(app: Flask, staff: Staff) -> None:
    _, number = slip(staff)

    def guess() -> str:
        try:
            ask(number, "0000")
        except (InvalidInput, TryLater) as error:
            return type(error).__name__
        return "found"

    answers = together(app, *[guess] * 8)
    assert answers.count("InvalidInput") == citizen_status.NUMBER_MISSES


def test_asking_is_in_the_journal(staff: Staff) -> None:
    case, number = slip(staff)
    ask(number, "1234")
    with pytest.raises(InvalidInput):
        ask(number, "0000")
    last = db.session.query(AuditEntry).order_by(AuditEntry.position.desc()).limit(2).all()
    assert [(row.action, row.subject, row.account_id) for row in last] == [
        ("cek_status_gagal", "case:unknown", "warga"),
        ("cek_status", f"case:{case}", "warga"),
    ]
    assert audit.verify().ok


def test_the_slip_of_a_refusal_says_what_was_written_for_her_and_nothing_else(staff: Staff) -> None:
    case, _ = slip(staff)
    begun = slips.print_slip(case, by=staff.fo, at=AT)
    assert (begun.told, bool(begun.due)) == ("", True)
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Tolak saja")
    move(case, staff.manager, "tolak", note="Catatan dalam", citizen_note="Datang lagi bulan depan")
    printed = slips.print_slip(case, by=staff.fo, at=AT)
    assert (printed.told, printed.due) == ("Datang lagi bulan depan", "")
    assert "Catatan dalam" not in str(printed)


def test_the_slip_of_a_confidential_refusal_keeps_what_was_written_for_the_counter(staff: Staff) -> None:
    """Others find the slip at home; the officer tells her."""
    case = open_case(staff.fo, confidential=True)
    verify(case, staff.bo)
    move(case, staff.bo, "ajukan", recommendation="Tolak saja")
    move(case, staff.manager, "tolak", note="Catatan dalam", citizen_note="Tentang suami Ibu")
    assert "suami" not in str(slips.print_slip(case, by=staff.fo, at=AT))


def test_that_the_notice_was_read_out_stands_in_the_history(staff: Staff) -> None:
    case, _ = slip(staff)
    first = casebook.look_at_case(case, by=staff.bo, at=AT).events[0]
    assert first.details["Pemberitahuan data pribadi"] == "dibacakan, naskah 1"


@pytest.fixture
def pages(settings: Settings) -> Iterator[Flask]:
    pages = web_app(settings)
    yield pages
    with pages.app_context():
        database.db.engine.dispose()


def test_the_kiosk_and_the_message_on_the_page_of_the_case(pages: Flask) -> None:
    with pages.app_context():
        officer("fo.satu", Role.FO)
        case, number = slip(hire())
        database.db.session.remove()
    kiosk = Web(pages)
    kiosk.get("/cek-status")
    assert kiosk.post("/cek-status", {"number": number, "digits": "9999"}).status_code == 422
    answer = kiosk.post("/cek-status", {"number": number, "digits": "1234"})
    assert "sudah kami terima" in answer.text
    assert "Aminah" not in answer.text
    assert "url=/cek-status" in answer.text
    fo = Web(pages)
    fo.sign_in("fo.satu")
    page = fo.get(f"/kasus/{case}").text
    assert f"Yth. Bapak/Ibu Sitti Aminah,\n\nLaporan Anda nomor {number}" in page
