"""The main menu: every subject says what it adds to it, and the shell shows a person only what she may open.

Who may open few subjects sees them all beside each other. For everybody else they stand in groups: the group of the open page shows
its subjects below, and another group leads to its first one. So the menu fits the tablet, and works without script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from flask import request, url_for

from appliance.models.roles import Role

# So many subjects fit beside each other on 1024 pixels.
FEW = 8
HOME, COUNTER, PEOPLE, CASES = "Beranda", "Loket", "Warga dan bantuan", "Kasus dan rujukan"
LETTERS, DATA, OFFICE = "Surat", "Wilayah dan data", "Kantor"
GROUPS = (HOME, COUNTER, PEOPLE, CASES, LETTERS, DATA, OFFICE)
# Pages that have no line of their own in a menu, and the subject they are part of.
PART_OF: Mapping[str, str] = {
    "contacts": "people", "corrections": "people", "families": "people", "happenings": "people", "person_files": "people",
    "aid": "people", "profiles": "people", "record_files": "people", "trail.of_person": "people", "trail": "cases", "papers": "cases",
    "handovers": "areas", "drills": "power", "support": "hardware", "commissioning": "hardware", "letter_office": "letters", "proposal_bases": "proposals",
    "old_cases": "cases", "recovery_sheet": "backup_sticks",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One line of the menu. `roles` empty means everybody who is signed in; `order` sorts within the `group`."""

    label: str
    endpoint: str
    icon: str
    roles: tuple[Role, ...] = ()
    order: int = 50
    group: str = OFFICE

    @property
    def subject(self) -> str:
        """The name that the endpoints of its pages begin with."""
        return self.endpoint.partition(".")[0]

    def open_to(self, roles: Iterable[Role]) -> bool:
        """Whether somebody with `roles` may open it."""
        return not self.roles or bool(set(self.roles) & set(roles))


@dataclass(frozen=True)
class Link:
    """An entry as the page shows it. `here` is the value of aria-current: "page" for the subject the page belongs to, "true" for
    the group around it."""

    label: str
    url: str
    icon: str
    here: str


@dataclass(frozen=True)
class Menu:
    """`top` is always seen; `inner` are the subjects of the group `title` that the page belongs to."""

    top: Sequence[Link] = ()
    title: str = ""
    inner: Sequence[Link] = field(default=())


def menu(entries: Iterable[Entry], roles: Iterable[Role]) -> Menu:
    """The menu of a person with `roles`, for the page of the request."""
    held = set(roles)
    found = sorted((entry for entry in entries if entry.open_to(held)), key=lambda entry: entry.order)
    return arrange(found, _subject(request.endpoint or "", {entry.subject for entry in found}))


def _subject(endpoint: str, offered: set[str]) -> str:
    own = endpoint.partition(".")[0]
    return own if own in offered else PART_OF.get(endpoint, PART_OF.get(own, own))


def arrange(found: Sequence[Entry], subject: str) -> Menu:
    """The menu of the entries `found`, in their order, on a page of `subject`."""
    if len(found) <= FEW:
        return Menu([_link(entry, subject) for entry in found])
    top: list[Link] = []
    title, inner = "", []
    for group, members in groupby(sorted(found, key=lambda entry: GROUPS.index(entry.group)), key=lambda entry: entry.group):
        links = [_link(entry, subject) for entry in members]
        if len(links) == 1:
            top += links
            continue
        here = any(link.here for link in links)
        top.append(Link(group, links[0].url, links[0].icon, "true" if here else ""))
        if here:
            title, inner = group, links
    return Menu(top, title, inner)


def _link(entry: Entry, subject: str) -> Link:
    return Link(entry.label, url_for(entry.endpoint), entry.icon, "page" if entry.subject == subject else "")
