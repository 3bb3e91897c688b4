"""Which card is called next: red before green, yet after three red cards in a row one green card that waits.

So the n-th green card in the line is called after at most 4n calls, however many red cards keep coming.
"""

from __future__ import annotations

from appliance.models.counter import Card

MOST_RED_IN_A_ROW = 3
RULE = "Kartu merah didahulukan. Setelah tiga kartu merah berturut-turut, satu kartu hijau dipanggil."


def next_card(*, red_waits: bool, green_waits: bool, red_run: int) -> Card | None:
    """The colour to call; None when nobody waits. `red_run` counts the red cards that went before a waiting green one."""
    if green_waits and (not red_waits or red_run >= MOST_RED_IN_A_ROW):
        return Card.GREEN
    return Card.RED if red_waits else None


def run_after(called: Card, *, green_waits: bool, red_run: int) -> int:
    """The new `red_run` after a call of this colour, at which a green card was waiting or not."""
    return red_run + 1 if called is Card.RED and green_waits else 0
