"""`python -m appliance.lan.keeper`: what root's unit does for the network: take an order of the pages, end what is over, look.

systemd starts it at every boot, when an order is left, when the time of a trial is over, and now and then.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from appliance.config import Settings, config_path, load
from appliance.errors import ApplianceError, Conflict, InvalidInput
from appliance.lan import orders, trial
from appliance.lan.orders import Order, Wish
from appliance.lan.rules import read_wanted


def attend(settings: Settings) -> None:
    """Do what is due once. What an order could not do is told on the page. Raises ApplianceError, OSError."""
    with trial.only_one(settings):
        told = trial.settle(settings)
        if told:
            print(told.text, file=sys.stderr)
        order = orders.take(settings)
        if order:
            _carry_out(settings, order)
        trial.write_seen(settings)


def _carry_out(settings: Settings, order: Order) -> None:
    try:
        if order.wish is Wish.SET:
            wanted, problems = read_wanted(order.typed)
            if wanted is None:
                raise InvalidInput(problems)
            trial.begin(settings, wanted, order.by)
        elif order.wish is Wish.CONFIRM:
            trial.confirm(settings, _on_trial(settings, order.token))
        elif order.wish is Wish.UNDO:
            trial.undo(settings, _on_trial(settings), "Dibatalkan dari halaman Jaringan.")
    except ApplianceError as error:
        trial.tell(settings, trial.Told(datetime.now(UTC), False, error.message, error.hint))


def _on_trial(settings: Settings, token: str | None = None) -> trial.Trial:
    found = trial.read_trial(settings)
    if found is None or (token is not None and not found.fits(token)):
        raise Conflict("Tidak ada alamat yang sedang dicoba.", trial.AGAIN)
    return found


def main() -> None:
    """Attend once; an error ends with its exit code and the journal has its words."""
    try:
        attend(load(config_path()))
    except ApplianceError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
