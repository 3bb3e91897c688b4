"""The main menu: every subject says what it adds to it, and the shell shows a person only what she may open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import request, url_for

from appliance.models.roles import Role


@dataclass(frozen=True)
class Entry:
    """One line of the menu. `roles` empty means everybody who is signed in; `order` sorts."""

    label: str
    endpoint: str
    icon: str
    roles: tuple[Role, ...] = ()
    order: int = 50

    def open_to(self, roles: Iterable[Role]) -> bool:
        """Whether somebody with `roles` may open it."""
        return not self.roles or bool(set(self.roles) & set(roles))


@dataclass(frozen=True)
class Link:
    """An entry as the page shows it; `here` marks the subject the page belongs to."""

    label: str
    url: str
    icon: str
    here: bool


def links(entries: Iterable[Entry], roles: Iterable[Role]) -> list[Link]:
    """The menu of a person with `roles`."""
    held = set(roles)
    subject = (request.endpoint or "").partition(".")[0]
    return [
        Link(entry.label, url_for(entry.endpoint), entry.icon, entry.endpoint.partition(".")[0] == subject)
        for entry in sorted(entries, key=lambda entry: entry.order)
        if entry.open_to(held)
    ]
