"""Each fault of the backups names what proves it, and what it names is there."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "backup-faults.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE)


@functools.cache
def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_no_fault_is_forgotten() -> None:
    assert {int(number) for number, *_ in ROWS} >= set(range(1, 49))


@pytest.mark.parametrize(("number", "proof"), [(int(number), proof) for number, _fault, _happens, proof in ROWS])
def test_a_fault_is_proven(number: int, proof: str) -> None:
    named = re.findall(r"`(tests/\S+?\.py)::(test_\w+)`", proof)
    assert named, f"fault {number} without a test"
    for path, name in named:
        assert name in functions_in(path), f"{path} has no {name}"
