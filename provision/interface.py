"""The network card of a machine that faces the office, as its kernel has it now."""

from __future__ import annotations

from appliance.errors import ConfigurationError
from appliance.lan.cards import ADDRESSES, ROUTES, Card, choose_card
from provision.host import Host


def office_card(host: Host, wished: str = "") -> Card:
    """The card that was wished, else the one with the way out, else one with an address, else any. Raises ConfigurationError."""
    found = choose_card(host.run(ROUTES).output, host.run(ADDRESSES).output, wished)
    if found is None:
        raise ConfigurationError(
            "Mesin ini tidak mempunyai kartu jaringan.", "Periksa kartu dan kabelnya, atau sebutkan di [network] interface."
        )
    return found
