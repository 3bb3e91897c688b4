"""The queue at the counter and the guest book, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from appliance import audit, database
from appliance.access import Actor
from appliance.casework import cases, guests, tickets, waiting_times
from appliance.casework.tickets import Ticket
from appliance.config import Settings
from appliance.database import db
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.counter import Guest, QueueTicket, TicketCase, TicketState
from appliance.models.roles import Role
from tests.support.desk import new_case, request, resident
from tests.support.staff import AT, HOME, Staff
from tests.support.web_client import Web, officer, web_app

MINUTE = timedelta(minutes=1)


def card(by: Actor, colour: str = "hijau", at: Any = AT) -> Ticket:
    return tickets.give_card(colour, ("lansia",) if colour == "merah" else (), request_id=request(), by=by, at=at)


def step(ticket: Ticket, word: str, by: Actor, at: Any = AT, desk: str = "1") -> Ticket:
    return tickets.take_step(ticket.id, word, desk=desk, row_version=ticket.row_version, by=by, at=at)


def colleague(staff: Staff, by: Actor | None = None) -> Actor:
    """The manager's account at the second desk of the counter."""
    return Actor(staff.manager.account_id, "Dua", "fo.dua", frozenset({Role.FO}), ("73.03",), device="test")


def call(by: Actor, at: Any = AT) -> Ticket:
    called = tickets.call_next("1", by=by, at=at)
    assert called
    return called


def serve(by: Actor, at: Any = AT) -> str:
    """Call the next, serve her, and end it; the number of her card."""
    called = call(by, at)
    served = step(called, "layani", by, at + 2 * MINUTE)
    step(served, "selesai", by, at + 9 * MINUTE)
    return called.code


def test_numbers_run_by_day_and_colour_and_a_second_press_gives_the_same_card(staff: Staff) -> None:
    codes = [card(staff.fo, colour).code for colour in ("hijau", "merah", "hijau")]
    again = [tickets.give_card("hijau", (), request_id="one press", by=staff.fo, at=AT).code for _ in range(2)]
    assert codes == ["H-001", "M-001", "H-002"]
    assert again == ["H-003", "H-003"]
    assert card(staff.fo, at=AT + timedelta(days=1)).code == "H-001"


@pytest.mark.parametrize(
    ("colour", "groups", "field"),
    [("biru", (), "card"), ("merah", (), "groups"), ("hijau", ("lansia",), "groups"), ("merah", ("kaya",), "groups")],
)
def test_a_card_that_says_the_wrong_thing_is_not_given(staff: Staff, colour: str, groups: tuple[str, ...], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        tickets.give_card(colour, groups, request_id=request(), by=staff.fo, at=AT)
    assert set(raised.value.problems) == {field}
    assert db.session.query(QueueTicket).count() == 0


def test_red_first_and_a_green_one_after_three_red(staff: Staff) -> None:
    for number, colour in enumerate(("hijau", "hijau", "merah", "merah", "merah", "merah")):
        card(staff.fo, colour, AT + number * MINUTE)
    assert [serve(staff.fo, AT + 10 * MINUTE) for _ in range(6)] == ["M-001", "M-002", "M-003", "H-001", "M-004", "H-002"]
    assert tickets.call_next("1", by=staff.fo, at=AT) is None


def test_several_officers_at_once_never_call_the_same_card(app: Flask, staff: Staff) -> None:
    people = [staff.fo, *(Actor(account, "FO", "fo", frozenset({Role.FO}), ("73.03",)) for account in _others(staff))]
    given = {card(staff.fo, colour).id for colour in ("hijau", "merah") * 3}
    start, called, failed = threading.Barrier(len(people)), [], []

    def work(by: Actor) -> None:
        with app.app_context():
            start.wait(120)
            try:
                called.append(call(by).id)
            except Exception as error:  # noqa: BLE001  the thread's own failure is the test's
                failed.append(error)

    threads = [threading.Thread(target=work, args=(by,)) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(called) == len(people)
    assert set(called) == given


def test_several_first_cards_of_a_day_at_once(app: Flask, staff: Staff) -> None:
    start, codes = threading.Barrier(4), []

    def work() -> None:
        with app.app_context():
            start.wait(120)
            codes.append(card(staff.fo).code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["H-001", "H-002", "H-003", "H-004"]


def _others(staff: Staff) -> list[str]:
    return [by.account_id for by in (staff.bo, staff.supervisor, staff.manager, staff.admin, staff.leader)]


def test_one_officer_has_one_card_in_hand(staff: Staff) -> None:
    card(staff.fo), card(staff.fo)
    call(staff.fo)
    with pytest.raises(Conflict, match="H-001"):
        tickets.call_next("1", by=staff.fo, at=AT)


def test_a_card_passed_over_goes_to_the_end_and_one_who_was_away_is_called_later(staff: Staff) -> None:
    first, _ = card(staff.fo), card(staff.fo, at=AT + MINUTE)
    step(call(staff.fo), "lewati", staff.fo, AT + 2 * MINUTE)
    second = call(staff.fo)
    assert second.code == "H-002"
    step(second, "tidak-hadir", staff.fo)
    assert step(call(staff.fo), "panggil-ulang", staff.fo).calls == 3
    line = tickets.the_line(by=staff.fo, at=AT)
    assert line.mine
    assert line.mine.id == first.id
    step(step(line.mine, "layani", staff.fo), "selesai", staff.fo)
    (absent,) = line.absent
    assert step(absent, "panggil", staff.fo).state is TicketState.CALLED


@pytest.mark.parametrize("word", ["selesai", "panggil", "panggil-ulang-lagi"])
def test_a_step_that_does_not_fit_changes_nothing(staff: Staff, word: str) -> None:
    card(staff.fo)
    called = call(staff.fo)
    with pytest.raises((Conflict, InvalidInput)):
        step(called, word, staff.fo)
    assert tickets.ticket_of(called.id, by=staff.fo) == called


def test_nobody_ends_what_another_officer_serves(staff: Staff) -> None:
    card(staff.fo)
    called = call(staff.fo)
    with pytest.raises(Conflict):
        step(called, "tidak-hadir", colleague(staff))
    step(called, "layani", staff.fo)
    with pytest.raises(Conflict):  # from a page that is older than that
        step(called, "tidak-hadir", staff.fo)


def test_a_puskesos_has_a_queue_of_its_own(staff: Staff) -> None:
    puskesos = Actor(staff.facilitator.account_id, "P", "p", frozenset({Role.FO_PUSKESOS}), (HOME,))
    foreign = card(staff.fo)
    assert card(puskesos).code == "H-001"
    with pytest.raises(NotFound):
        tickets.ticket_of(foreign.id, by=puskesos)
    assert tickets.screen(HOME, AT).waiting_green == 1


def test_a_case_is_opened_for_the_card_in_hand(staff: Staff) -> None:
    card(staff.fo, "merah")
    ticket, person = call(staff.fo), resident(staff.fo)
    opened = cases.open_case(new_case(person, ticket_id=ticket.id), request_id=request(), by=staff.fo, at=AT)
    assert tickets.ticket_of(ticket.id, by=staff.fo).cases == ((opened.id, opened.number),)
    waiting = card(staff.fo)
    with pytest.raises(InvalidInput):
        cases.open_case(new_case(person, ticket_id=waiting.id), request_id=request(), by=staff.fo, at=AT)
    assert db.session.query(TicketCase).count() == 1
    assert db.session.scalar(sa.text('SELECT count(*) FROM "case"')) == 1


def test_a_visit_without_a_case_ends_the_card(staff: Staff) -> None:
    card(staff.fo)
    ticket = call(staff.fo)
    new = guests.NewGuest("Baso Amir", "Menanyakan jadwal penyaluran", "Lamalaka", "Dijelaskan", ticket.id)
    assert guests.write_guest(new, request_id="g", by=staff.fo, at=AT) == guests.write_guest(
        new, request_id="g", by=staff.fo, at=AT
    )
    assert tickets.the_line(by=staff.fo, at=AT).mine is None
    (line,) = guests.guests_of(AT.date(), by=staff.manager, at=AT)
    assert (line.name, line.purpose) == ("Baso Amir", "Menanyakan jadwal penyaluran")
    with pytest.raises(InvalidInput) as raised:
        guests.write_guest(guests.NewGuest(" ", ""), request_id="h", by=staff.fo, at=AT)
    assert set(raised.value.problems) == {"name", "purpose"}
    assert db.session.query(Guest).count() == 1


def test_waits_are_measured(staff: Staff) -> None:
    for number in range(3):
        card(staff.fo, "merah" if number == 2 else "hijau", AT + number * MINUTE)
    for number in range(3):
        serve(staff.fo, AT + (10 + 10 * number) * MINUTE)
    card(staff.fo)
    step(call(staff.fo), "tidak-hadir", staff.fo)
    (day,) = waiting_times.waiting_times(by=staff.leader, at=AT)
    assert (day.red, day.green, day.absent) == (1, 3, 1)
    assert (day.red_wait, day.green_wait, day.longest_wait, day.service) == (10, 26, 31, 7)


def test_everything_is_in_the_journal(staff: Staff) -> None:
    card(staff.fo)
    serve(staff.fo)
    assert audit.verify().entries == 4


@pytest.fixture
def web(settings: Settings) -> Iterator[Web]:
    pages = web_app(settings)
    with pages.app_context():
        officer("fo.dua", Role.FO)
        database.db.session.remove()
    yield Web(pages)
    with pages.app_context():
        database.db.engine.dispose()


def test_the_counter_in_a_browser(web: Web) -> None:
    web.sign_in("fo.dua")
    web.get("/antrean")
    printed = web.post("/antrean/kartu", {"request_id": "k", "card": "merah", "groups": "korban_kekerasan"})
    assert "M-001" in (paper := web.get(printed.headers["Location"]).text)
    assert "korban kekerasan" not in paper.lower()
    web.get("/antrean")
    web.post("/antrean/panggil", {"loket": "3"})
    wall = Web(web.client.application).get("/layar-antrean").text
    assert "M-001" in wall
    assert "Loket 3" in wall
    assert 'http-equiv="refresh"' in wall
    shown = web.get("/antrean").text
    assert "Mulai layani" in shown
    assert "Korban kekerasan" in shown
