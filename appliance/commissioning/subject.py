"""What is handed over: by name, address and fingerprint, so that the signed paper speaks of this node and no other."""

from __future__ import annotations

from dataclasses import dataclass

from appliance import __version__
from appliance.config import Settings
from appliance.errors import Conflict
from appliance.lan import card, trial


@dataclass(frozen=True)
class Subject:
    """A node. `address` and `fingerprint` (of its certificate authority, line by line) are empty while it has none."""

    hostname: str
    version: str
    address: str
    fingerprint: tuple[str, ...]


def describe(settings: Settings) -> Subject:
    """This node as it is now."""
    seen = trial.read_seen(settings)
    address = seen.addresses[0].split("/")[0] if seen and seen.addresses else ""
    return Subject(settings.node.hostname, __version__, address, _fingerprint(settings))


def _fingerprint(settings: Settings) -> tuple[str, ...]:
    try:
        return tuple(card.fingerprint_lines(card.read_authority(settings)))
    except Conflict:  # the paper is printed all the same, with room to write
        return ()
