"""The style sheets and scripts keep to what the last browser of the tablets, Chromium 81, understands (measured on a real one)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "webui" / "static"
SHEETS = sorted(STATIC.rglob("*.css"))
SCRIPTS = sorted(STATIC.rglob("*.js"))

# One selector it does not know makes it drop the whole rule; flex has no gap, though @supports says so.
NO_CSS = (
    r"(?<![\w-])(?:row-|column-)?gap\s*:", r":is\(", r":where\(", r":has\(", r":focus-visible", r"::marker", r":not\([^)]*,", r"(?<![\w-])inset\s*:",
    r"aspect-ratio", r"accent-color", r"color-mix", r"\d[ds]vh", r"@layer", r"@container", r"(?<![\w-])(translate|rotate|scale)\s*:", r"text-wrap",
    r"margin-inline\s*:", r"padding-(block|inline)\s*:", r"\(width\s*[<>]", r"overflow\s*:\s*clip", r"content-visibility",
)  # fmt: skip
NO_JS = (
    r"\?\?=", r"\|\|=", r"&&=", r"\.replaceAll\(", r"\.at\(", r"\.findLast", r"Object\.hasOwn", r"structuredClone", r"randomUUID", r"replaceChildren",
    r"\.toSorted\(", r"Promise\.any", r"AbortSignal\.(timeout|any)", r"\bstatic\s*\{", r"\bthis\.#", r"WeakRef", r"showPicker", r"innerHTML", r"\beval\(",
)  # fmt: skip


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda file: file.name)
def test_style_sheets_use_only_what_chromium_81_knows(sheet: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)
    assert [word for word in NO_CSS if re.search(word, text)] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_scripts_use_only_what_chromium_81_knows(script: Path) -> None:
    text = script.read_text()
    assert [word for word in NO_JS if re.search(word, text)] == []


def test_all_that_a_page_loads_is_small() -> None:
    assert sum(file.stat().st_size for file in (*SHEETS, *SCRIPTS)) < 100_000
    assert SHEETS
    assert SCRIPTS


def test_the_patterns_find_what_they_forbid() -> None:
    bad = ".a { display: flex; gap: 1rem } .b:focus-visible, .c { inset: 0; min-height: 100dvh } @media (width >= 600px) {}"
    assert sum(bool(re.search(word, bad)) for word in NO_CSS) == 5
    assert not any(re.search(word, ".a { grid-gap: 1rem; display: grid }") for word in NO_CSS)
