"""The form of the recovery sheet."""

from __future__ import annotations

from webui.forms.fields import Line, Needed, PageForm


class SheetForm(PageForm):
    """Which paper, and the last groups as they stand on it."""

    paper = Line(default="", validators=[Needed("Pilih lembar mana yang diuji.")])
    groups = Line(default="", validators=[Needed("Ketik dua kelompok terakhir dari lembar.")])


class RestoreForm(PageForm):
    """An order to check a backup, to bring it back or to take that back."""

    wish = Line(default="")
    part = Line(default="")
    run = Line(default="")
    reason = Line(default="")
    typed = Line(default="")
