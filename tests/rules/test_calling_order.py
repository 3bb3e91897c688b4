"""Red before green, and no green card that waits for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework.calling_order import MOST_RED_IN_A_ROW, next_card, run_after
from appliance.models.counter import Card


@pytest.mark.parametrize(
    ("red_waits", "green_waits", "red_run", "right"),
    [
        (False, False, 0, None),
        (False, False, 9, None),
        (True, False, 0, Card.RED),
        (True, False, 9, Card.RED),
        (False, True, 0, Card.GREEN),
        (True, True, 0, Card.RED),
        (True, True, 2, Card.RED),
        (True, True, 3, Card.GREEN),
    ],
)
def test_who_is_next(red_waits: bool, green_waits: bool, red_run: int, right: Card | None) -> None:
    assert next_card(red_waits=red_waits, green_waits=green_waits, red_run=red_run) is right


def test_red_cards_that_pass_nobody_do_not_count() -> None:
    assert run_after(Card.RED, green_waits=False, red_run=2) == 0


@given(greens=st.integers(1, 8), red_run=st.integers(0, MOST_RED_IN_A_ROW), arrivals=st.lists(st.booleans(), min_size=40))
def test_every_green_card_is_called_in_time(greens: int, red_run: int, arrivals: list[bool]) -> None:
    """However the red cards come, the n-th green card is among the first 4n calls."""
    reds, called = 0, 0
    for number in range(1, 4 * greens + 1):
        reds += arrivals[number % len(arrivals)] + 1
        card = next_card(red_waits=reds > 0, green_waits=called < greens, red_run=red_run)
        red_run = run_after(card, green_waits=called < greens, red_run=red_run) if card else red_run
        called, reds = called + (card is Card.GREEN), reds - (card is Card.RED)
        assert called >= number // (MOST_RED_IN_A_ROW + 1)
