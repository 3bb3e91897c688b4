"""The one adapter of Apprise: an address of any of its services, a notice, and whether it went out. Never raises."""

from __future__ import annotations

import logging

import apprise

from appliance.notices.messages import Message

# Its lines hold addresses, and those hold passwords.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


def is_address(address: str) -> bool:
    """Whether some service understands this address."""
    return bool(apprise.Apprise().add(address))


def send(address: str, message: Message, sender: str) -> bool:
    """Send one notice to one address. Whether the service took it. Bounded by Apprise's own few seconds of patience."""
    post = apprise.Apprise()
    if not post.add(address):
        return False
    try:
        return bool(post.notify(title=f"{sender}: {message.title}", body=message.text))
    except Exception:  # noqa: BLE001 - its services raise what they like, and a notice is never needed
        return False
