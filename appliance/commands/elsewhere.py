"""A group of commands that are loaded when they are asked for: what one needs shall not make the others wait."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Mapping
from typing import Any

import click


class Elsewhere(click.Group):
    """The commands that were added, and those of `elsewhere`: command → its module in `appliance.commands`, and its name there."""

    def __init__(self, *given: Any, elsewhere: Mapping[str, tuple[str, str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted((*super().list_commands(ctx), *self.elsewhere))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.elsewhere:
            return super().get_command(ctx, cmd_name)
        return load(*self.elsewhere[cmd_name])


def load(module: str, name: str) -> click.Command:
    """The command `name` of a module in `appliance.commands`.

    What a program is made of stays: to look for garbage among it would take a tenth of the time in which it is loaded.
    """
    gc.disable()
    try:
        found: click.Command = getattr(importlib.import_module(f"appliance.commands.{module}"), name)
    finally:
        gc.enable()
    gc.freeze()
    return found
