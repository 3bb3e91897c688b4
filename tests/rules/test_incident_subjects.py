"""Whom an incident touched is read from the journal: a kind of entry that nobody thought of would leave people out without a word."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from appliance.incidents.touched import LINKS, WHOLE_LISTS

ROOT = Path(__file__).resolve().parents[2]
# What is about no resident. A pair of look-alikes names both residents in its detail; a plan of a handover moves whole villages.
ABOUT_NOBODY = frozenset(
    [
        "acceptance",
        "account",
        "area",
        "calendar",
        "delegation",
        "drill",
        "guest",
        "incident",
        "jendela_usulan",
        "layout",
        "letterhead",
        "list",
        "node",
        "pair",
        "plan",
        "programme",
        "rule",
        "series",
        "service",
        "sheet",
        "signatory",
        "stick",
        "unit",
        "wording",
    ]
)


def recorded_kinds() -> Iterator[str]:
    """The kinds that stand in the calls of `audit.record`, up to the colon."""
    for file in (file for folder in ("appliance", "webui") for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                subject = node.args[1]
                first = subject.values[0] if isinstance(subject, ast.JoinedStr) else subject
                if isinstance(first, ast.Constant):
                    yield str(first.value).partition(":")[0]


def test_every_kind_of_entry_is_followed_to_residents_or_known_to_be_about_none() -> None:
    followed = {kind for kind, *_ in LINKS} | {"person"} | set(WHOLE_LISTS)
    kinds = set(recorded_kinds())
    assert len(kinds) > 30, "the calls are read"
    assert kinds - followed - ABOUT_NOBODY == set()
    assert not followed & ABOUT_NOBODY
