"""Every error says what happened and what to do next, wherever it is raised."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from appliance import errors

PROJECT = Path(__file__).parents[2]
# InvalidInput brings a hint of its own, and says of each field what is wrong with it.
KINDS = frozenset(
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.ApplianceError) and kind is not errors.InvalidInput
)


# Says both in one text, which is stored elsewhere too.
WHOLE = frozenset({"background.GIVEN_UP"})


def _without_hint(source: str) -> Iterator[int]:
    """The lines on which an error is made with what happened only."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS and _says_half(node):
            yield node.lineno


def _says_half(call: ast.Call) -> bool:
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return False
    return len(call.args) == 1 and not call.keywords and ast.unparse(call.args[0]) not in WHOLE


def test_every_error_says_what_to_do_next() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{line}"
        for folder in ("appliance", "backups", "provision", "webui")
        for path in sorted((PROJECT / folder).rglob("*.py"))
        for line in _without_hint(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_check_sees_an_error_that_leaves_the_reader_alone() -> None:
    source = 'raise NotFound("Tidak ada.")\nraise Conflict("Berubah.", "Muat ulang.")\nraise TryLater(*words)\nraise NotAllowed("x", hint="y")'
    assert list(_without_hint(source)) == [1]
