"""The form of the recovery sheet."""

from __future__ import annotations

from webui.forms.fields import Line, Needed, PageForm


class SheetForm(PageForm):
    """The last groups, as they stand on the paper."""

    groups = Line(default="", validators=[Needed("Ketik dua kelompok terakhir dari lembar.")])
