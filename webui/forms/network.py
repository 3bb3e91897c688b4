"""The form of the node's address. What an address must be, the rules of the network say."""

from __future__ import annotations

from webui.forms.fields import Line, PageForm


class AddressForm(PageForm):
    """An address with its length, the way out and the name servers."""

    address = Line(default="")
    gateway = Line(default="")
    dns = Line(default="")


class ClockForm(PageForm):
    """A date, a time, the date once more, and the password."""

    wish = Line(default="set")
    date = Line(default="")
    time = Line(default="")
    typed = Line(default="")
    password = Line(default="")
