"""The form of an upgrade."""

from __future__ import annotations

from webui.forms.fields import Line, PageForm


class UpgradeForm(PageForm):
    """An order to look for a bundle, or to upgrade to the one that was found."""

    wish = Line(default="")
    release = Line(default="")
    reason = Line(default="")
    typed = Line(default="")
