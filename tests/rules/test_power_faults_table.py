"""Each of the 47 faults of the power names what proves it, and what it names is there."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs" / "power-faults.md").read_text(), re.MULTILINE)


@functools.cache
def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_all_faults_are_in_the_table_in_their_order() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 48))


@pytest.mark.parametrize(("number", "proof"), [(int(number), proof) for number, _fault, _happens, proof in ROWS])
def test_a_fault_is_proven(number: int, proof: str) -> None:
    named = re.findall(r"`(tests/\S+?\.py)::(test_\w+)`", proof)
    for path, name in named:
        assert name in functions_in(path), f"{path} has no {name}"
    on_sheet = re.findall(r"sheet: (R\d)", proof)
    sheet = (ROOT / "docs" / "power-drill.md").read_text()
    assert all(f"| {mark}a |" in sheet for mark in on_sheet)
    assert named or on_sheet, "a fault without a test"
