"""The queue at the counter: giving a card, calling the next, and what becomes of her who was called. Cards carry no name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa

from appliance import audit
from appliance.access import Actor, require
from appliance.casework.calling_order import next_card, run_after
from appliance.database import Duplicate, changed_meanwhile, db, settings_in_use, transaction
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.models.case import Case
from appliance.models.counter import Card, QueueDay, QueueTicket, TicketCase, TicketState
from appliance.models.roles import Role
from appliance.models.states import Vulnerable

COUNTER_ROLES = frozenset({Role.FO, Role.FO_PUSKESOS})
IN_HAND = (TicketState.CALLED, TicketState.SERVED)
LETTERS = {Card.RED: "M", Card.GREEN: "H"}
LAST_CALLS = 5
MOST_LISTED = 60


class Step(StrEnum):
    """What is done with one card. The words stand in addresses."""

    CALL = "panggil"
    RECALL = "panggil-ulang"
    SERVE = "layani"
    SKIP = "lewati"
    ABSENT = "tidak-hadir"
    FINISH = "selesai"


_FROM: dict[Step, tuple[TicketState, ...]] = {
    Step.CALL: (TicketState.WAITING, TicketState.ABSENT),
    Step.RECALL: (TicketState.CALLED,),
    Step.SERVE: (TicketState.CALLED,),
    Step.SKIP: (TicketState.CALLED,),
    Step.ABSENT: (TicketState.CALLED,),
    Step.FINISH: (TicketState.SERVED,),
}


@dataclass(frozen=True)
class Ticket:
    """One card as a page shows it. `code` is what is printed and called, for example "M-004"."""

    id: str
    code: str
    card: Card
    state: TicketState
    groups: tuple[str, ...]
    taken_at: datetime
    called_at: datetime | None
    calls: int
    desk: str
    officer_id: str | None
    cases: tuple[tuple[str, str], ...]
    row_version: int


@dataclass(frozen=True)
class Line:
    """The queue now: the card this officer has in hand, who waits in the order of the line, who was absent, who is with others."""

    mine: Ticket | None
    waiting: tuple[Ticket, ...]
    waiting_red: int
    waiting_green: int
    absent: tuple[Ticket, ...]
    others: tuple[Ticket, ...]


@dataclass(frozen=True)
class Screen:
    """What hangs on the wall: the latest calls, the newest first, and how many wait of each colour."""

    calls: tuple[Ticket, ...]
    waiting_red: int
    waiting_green: int


def counter_of(by: Actor) -> str:
    """The area whose queue she serves: the district's at the secretariat, her village's at a Puskesos. Raises NotAllowed."""
    require(by, *COUNTER_ROLES)
    return settings_in_use().node.district if by.has(Role.FO) else by.areas_of({Role.FO_PUSKESOS})[0]


def give_card(card: str, groups: Sequence[str], *, request_id: str, by: Actor, at: datetime) -> Ticket:
    """Give the next card of a colour; the same `request_id` again gives the same card. Red says why: `groups`.

    Raises InvalidInput, NotAllowed.
    """
    place = counter_of(by)
    problems = _card_problems(card, groups)
    if problems:
        raise InvalidInput(problems)
    try:
        with transaction():
            return _given(request_id, by) or _give(place, Card(card), groups, request_id, by, at)
    except Duplicate:
        # Another process was faster with the same request or began the day: the second look sees it.
        with transaction():
            return _given(request_id, by) or _give(place, Card(card), groups, request_id, by, at)


def call_next(desk: str, *, by: Actor, at: datetime) -> Ticket | None:
    """Call whose turn it is to `desk`; None when nobody waits. Raises Conflict while she has another card in hand."""
    place = counter_of(by)
    _require_desk(desk)
    with transaction():
        day = _locked_day(place, _day(at))
        _require_free(place, by, at)
        if day is None:
            return None
        first = {card: _first_waiting(place, day.day, card) for card in Card}
        waits = first[Card.GREEN] is not None
        card = next_card(red_waits=first[Card.RED] is not None, green_waits=waits, red_run=day.red_run)
        ticket = first[card] if card else None
        if card is None or ticket is None:
            return None
        day.red_run = run_after(card, green_waits=waits, red_run=day.red_run)
        _call(ticket, desk, by, at)
        _record(ticket, Step.CALL, by, at)
        return _shown([ticket])[0]


def take_step(ticket_id: str, step: str, *, desk: str, row_version: int, by: Actor, at: datetime) -> Ticket:
    """Do one thing with a card of today. Raises NotFound, Conflict when another officer was faster, InvalidInput."""
    place = counter_of(by)
    if step not in set(Step):
        raise InvalidInput({"step": "Langkah ini tidak dikenal."})
    wanted = Step(step)
    if wanted in (Step.CALL, Step.RECALL):
        _require_desk(desk)
    with transaction():
        _locked_day(place, _day(at))
        ticket = _own(ticket_id, place)
        if ticket.row_version != row_version or ticket.state not in _FROM[wanted] or ticket.day != _day(at):
            raise changed_meanwhile()
        if wanted is Step.CALL:
            _require_free(place, by, at)
        elif ticket.officer_id != by.account_id:
            raise Conflict("Kartu ini sedang dilayani petugas lain.", "Muat ulang halaman antrean.")
        _do(ticket, wanted, desk, by, at)
        _record(ticket, wanted, by, at)
        return _shown([ticket])[0]


def the_line(*, by: Actor, at: datetime) -> Line:
    """The queue of her counter today. Raises NotAllowed."""
    place, day = counter_of(by), _day(at)
    rows = [
        row
        for state, order in (
            (TicketState.WAITING, QueueTicket.waits_since),
            (TicketState.ABSENT, QueueTicket.called_at.desc()),
            (TicketState.CALLED, QueueTicket.called_at),
            (TicketState.SERVED, QueueTicket.called_at),
        )
        for row in db.session.scalars(_of(place, day, state).order_by(order, QueueTicket.id).limit(MOST_LISTED))
    ]
    shown = _shown(rows)
    waiting = _count_waiting(place, day)
    in_hand = [ticket for ticket in shown if ticket.state in IN_HAND]
    return Line(
        mine=next((ticket for ticket in in_hand if ticket.officer_id == by.account_id), None),
        waiting=tuple(ticket for ticket in shown if ticket.state is TicketState.WAITING),
        waiting_red=waiting.get(Card.RED, 0),
        waiting_green=waiting.get(Card.GREEN, 0),
        absent=tuple(ticket for ticket in shown if ticket.state is TicketState.ABSENT),
        others=tuple(ticket for ticket in in_hand if ticket.officer_id != by.account_id),
    )


def ticket_of(ticket_id: str, *, by: Actor) -> Ticket:
    """A card of her counter. Raises NotFound, NotAllowed."""
    return _shown([_own(ticket_id, counter_of(by))])[0]


def ticket_in_hand(*, by: Actor, at: datetime) -> Ticket | None:
    """The card this officer called and has not finished; None also for who serves no counter."""
    if not by.has(*COUNTER_ROLES):
        return None
    found = _in_hand(counter_of(by), by, at)
    return _shown([found])[0] if found else None


def screen(place: str, at: datetime) -> Screen:
    """The wall of one counter today; no name and no reason of a red card leaves through here."""
    day = _day(at)
    called = (
        sa.select(QueueTicket)
        .where(QueueTicket.place == place, QueueTicket.day == day, QueueTicket.called_at.is_not(None))
        .where(QueueTicket.state.in_([*IN_HAND, TicketState.DONE]))
        .order_by(QueueTicket.called_at.desc(), QueueTicket.id.desc())
        .limit(LAST_CALLS)
    )
    waiting = _count_waiting(place, day)
    calls = tuple(_ticket(row, ()) for row in db.session.scalars(called))
    return Screen(calls, waiting.get(Card.RED, 0), waiting.get(Card.GREEN, 0))


def attach_case(case: Case, ticket_id: str, *, by: Actor) -> None:
    """Note, inside the transaction that opens the case, for which card it is. Raises InvalidInput for a card not in her hand."""
    ticket = db.session.get(QueueTicket, ticket_id)
    if ticket is None or ticket.officer_id != by.account_id or ticket.state not in (*IN_HAND, TicketState.DONE):
        raise InvalidInput({"ticket_id": "Kartu antrean ini tidak sedang Anda layani. Buka lagi dari halaman antrean."})
    db.session.add(TicketCase(case_id=case.id, ticket_id=ticket.id))


def finish_within(ticket_id: str, *, by: Actor, at: datetime) -> None:
    """End the service of the card in her hand, inside the transaction of what ended it. Raises InvalidInput."""
    ticket = db.session.get(QueueTicket, ticket_id, with_for_update=True)
    if ticket is None or ticket.officer_id != by.account_id or ticket.state not in IN_HAND:
        raise InvalidInput({"ticket_id": "Kartu antrean ini tidak sedang Anda layani. Buka lagi dari halaman antrean."})
    ticket.served_at = ticket.served_at or ticket.called_at
    _do(ticket, Step.FINISH, ticket.desk, by, at)


def _card_problems(card: str, groups: Sequence[str]) -> dict[str, str]:
    if card not in set(Card):
        return {"card": "Pilih kartu merah atau hijau."}
    if not set(groups) <= set(Vulnerable):
        return {"groups": "Pilih kelompok rentan dari daftar."}
    if card == Card.RED and not groups:
        return {"groups": "Pilih mengapa tamu ini mendapat kartu merah."}
    return {"groups": "Kartu hijau tidak memakai kelompok rentan; pilih kartu merah."} if card == Card.GREEN and groups else {}


def _given(request_id: str, by: Actor) -> Ticket | None:
    known = sa.select(QueueTicket).where(QueueTicket.request_id == request_id, QueueTicket.created_by == by.account_id)
    found = db.session.scalar(known)
    return _shown([found])[0] if found else None


def _give(place: str, card: Card, groups: Sequence[str], request_id: str, by: Actor, at: datetime) -> Ticket:
    day = _locked_day(place, _day(at)) or _begin_day(place, _day(at))
    if card is Card.RED:
        day.last_red += 1
    else:
        day.last_green += 1
    ticket = QueueTicket(
        request_id=request_id,
        place=place,
        day=day.day,
        card=card,
        number=day.last_red if card is Card.RED else day.last_green,
        vulnerable_groups=sorted(groups),
        state=TicketState.WAITING,
        taken_at=at,
        waits_since=at,
    )
    ticket.stamp(by.account_id, at)
    db.session.add(ticket)
    db.session.flush()
    audit.record("antrean", f"ticket:{ticket.id}", by=by, at=at, detail={"aksi": "beri", "nomor": _code(ticket)})
    return _shown([ticket])[0]


def _begin_day(place: str, day: date) -> QueueDay:
    row = QueueDay(place=place, day=day, last_red=0, last_green=0, red_run=0)
    db.session.add(row)
    db.session.flush()
    return row


def _locked_day(place: str, day: date) -> QueueDay | None:
    statement = sa.select(QueueDay).where(QueueDay.place == place, QueueDay.day == day).with_for_update()
    return db.session.scalar(statement)


def _of(place: str, day: date, *states: TicketState) -> sa.Select[QueueTicket]:
    return sa.select(QueueTicket).where(QueueTicket.place == place, QueueTicket.day == day, QueueTicket.state.in_(states))


def _first_waiting(place: str, day: date, card: Card) -> QueueTicket | None:
    waiting = _of(place, day, TicketState.WAITING).where(QueueTicket.card == card)
    return db.session.scalar(waiting.order_by(QueueTicket.waits_since, QueueTicket.number).limit(1))


def _in_hand(place: str, by: Actor, at: datetime) -> QueueTicket | None:
    return db.session.scalar(_of(place, _day(at), *IN_HAND).where(QueueTicket.officer_id == by.account_id).limit(1))


def _require_free(place: str, by: Actor, at: datetime) -> None:
    held = _in_hand(place, by, at)
    if held is not None:
        raise Conflict(f"Anda masih melayani kartu {_code(held)}.", "Selesaikan kartu itu dahulu, lalu panggil berikutnya.")


def _require_desk(desk: str) -> None:
    if not (desk.isascii() and desk.isdigit() and 1 <= len(desk) <= 2 and int(desk)):
        raise InvalidInput({"desk": "Isi nomor loket Anda, 1 sampai 99."})


def _own(ticket_id: str, place: str) -> QueueTicket:
    ticket = db.session.scalar(sa.select(QueueTicket).where(QueueTicket.id == ticket_id, QueueTicket.place == place))
    if ticket is None:
        raise NotFound("Kartu antrean tidak ditemukan.", "Buka halaman antrean, lalu pilih dari daftar.")
    return ticket


def _call(ticket: QueueTicket, desk: str, by: Actor, at: datetime) -> None:
    ticket.state, ticket.called_at, ticket.calls = TicketState.CALLED, at, ticket.calls + 1
    ticket.desk, ticket.officer_id = desk, by.account_id
    ticket.stamp(by.account_id, at)


def _do(ticket: QueueTicket, step: Step, desk: str, by: Actor, at: datetime) -> None:
    if step in (Step.CALL, Step.RECALL):
        _call(ticket, desk, by, at)
    elif step is Step.SERVE:
        ticket.state, ticket.served_at = TicketState.SERVED, at
    elif step is Step.SKIP:
        ticket.state, ticket.waits_since, ticket.officer_id, ticket.called_at = TicketState.WAITING, at, None, None
    elif step is Step.ABSENT:
        ticket.state, ticket.officer_id = TicketState.ABSENT, None
    else:
        ticket.state, ticket.finished_at = TicketState.DONE, at
    ticket.stamp(by.account_id, at)


def _record(ticket: QueueTicket, step: Step, by: Actor, at: datetime) -> None:
    db.session.flush()
    audit.record("antrean", f"ticket:{ticket.id}", by=by, at=at, detail={"aksi": step.value, "nomor": _code(ticket)})


def _count_waiting(place: str, day: date) -> dict[str, int]:
    counted = (
        sa.select(QueueTicket.card, sa.func.count())
        .where(QueueTicket.place == place, QueueTicket.day == day, QueueTicket.state == TicketState.WAITING)
        .group_by(QueueTicket.card)
    )
    return {row[0]: row[1] for row in db.session.execute(counted)}


def _shown(rows: Sequence[QueueTicket]) -> list[Ticket]:
    links = (
        sa.select(TicketCase.ticket_id, Case.id, Case.number)
        .join(Case, Case.id == TicketCase.case_id)
        .where(TicketCase.ticket_id.in_([row.id for row in rows]))
        .order_by(Case.number)
    )
    cases: dict[str, list[tuple[str, str]]] = {}
    for ticket_id, case_id, number in db.session.execute(links):
        cases.setdefault(ticket_id, []).append((case_id, number))
    return [_ticket(row, tuple(cases.get(row.id, ()))) for row in rows]


def _ticket(row: QueueTicket, cases: tuple[tuple[str, str], ...]) -> Ticket:
    return Ticket(
        id=row.id,
        code=_code(row),
        card=Card(row.card),
        state=TicketState(row.state),
        groups=tuple(row.vulnerable_groups),
        taken_at=row.taken_at,
        called_at=row.called_at,
        calls=row.calls,
        desk=row.desk,
        officer_id=row.officer_id,
        cases=cases,
        row_version=row.row_version,
    )


def _code(ticket: QueueTicket) -> str:
    return f"{LETTERS[Card(ticket.card)]}-{ticket.number:03d}"


def _day(at: datetime) -> date:
    return at.astimezone(settings_in_use().zone).date()
