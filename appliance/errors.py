"""The few kinds of error an operator can meet, each with what happened and what to do next.

A front door (page, command, daemon) turns a kind into a status page or an exit code; nothing below a front door does.
"""

from __future__ import annotations

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TRY_LATER = 75
EXIT_CONFIGURATION = 78
ON_A_FORM = "Perbaiki isian yang ditandai, lalu simpan lagi."


class ApplianceError(Exception):
    """Something the reader must know: `message` says what happened, `hint` the next thing to type or press.

    Both are plain Indonesian sentences, for they end on a page or a terminal as they are.
    """

    exit_code = EXIT_FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigurationError(ApplianceError):
    """The configuration file, a secret or the machine itself is not as the node needs it."""

    exit_code = EXIT_CONFIGURATION


class InvalidInput(ApplianceError):
    """What was typed cannot be stored. `problems` maps the field to the sentence shown beside it."""

    exit_code = EXIT_USAGE

    def __init__(self, problems: dict[str, str], message: str = "Isian belum benar.", hint: str = "") -> None:
        super().__init__(message, hint or ON_A_FORM)
        self.problems = problems


class NotFound(ApplianceError):
    """There is no such thing, or the reader may not know that there is."""


class NotAllowed(ApplianceError):
    """The reader may see this but not do what was asked."""


class Conflict(ApplianceError):
    """Somebody else was faster: the thing is no longer as the reader saw it."""


class TryLater(ApplianceError):
    """Nothing is wrong, but not now: on battery, locked by a running job, too many attempts."""

    exit_code = EXIT_TRY_LATER
