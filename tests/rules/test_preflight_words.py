"""The numbers of the preflight: each is used, has its words in both languages, and is explained in both documents by the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL = ROOT / "provision" / "shell"
KINDS = {
    "id": {"refuse": "ditolak", "later": "coba lagi", "confirm": "disetujui"},
    "en": {"refuse": "refused", "later": "try later", "confirm": "confirmed"},
}
DOCUMENTS = {"id": "pemasangan.md", "en": "install.md"}


def used() -> dict[str, str]:
    """Number → kind, of every finding that the checks can come to."""
    text = "".join(path.read_text() for path in sorted(SHELL.glob("*.sh")))
    found = re.findall(r"finding (\S+) (P\d\d)", text)
    # what is refused on a bare machine is only told on a node
    return {number: "refuse" if kind == '"$kind"' else kind for kind, number in found}


def words(language: str) -> dict[str, list[str]]:
    """Number → what is wrong, cause, remedy."""
    text = (SHELL / "words.sh").read_text()
    found = re.findall(rf"\[(P\d\d)\.{language}\]='([^']*)'", text)
    assert len(found) == len(dict(found)), "a number twice"
    return {number: said.split("|") for number, said in found}


@pytest.mark.parametrize("language", KINDS)
def test_every_number_has_its_three_sentences(language: str) -> None:
    said = words(language)
    assert said.keys() == used().keys()
    for number, parts in said.items():
        assert len(parts) == 3, number
        assert all(part.strip() for part in parts), number


def test_both_languages_tell_the_same_values() -> None:
    in_english = words("en")
    for number, parts in words("id").items():
        values = [set(re.findall(r"\{\d\}", " ".join(one))) for one in (parts, in_english[number])]
        assert values[0] == values[1], number


def row(number: str, kind: str, parts: list[str]) -> str:
    """The line of a document; values seen are an ellipsis there."""
    return " | ".join([f"| SLRT-{number}", kind, *(re.sub(r"\{\d\}", "…", part) for part in parts)]) + " |"


@pytest.mark.parametrize("language", KINDS)
def test_the_document_explains_the_same_numbers_by_the_same_words(language: str) -> None:
    lines = (ROOT / "docs" / DOCUMENTS[language]).read_text().splitlines()
    kinds = used()
    wanted = [row(number, KINDS[language][kinds[number]], parts) for number, parts in words(language).items()]
    assert [line for line in lines if line.startswith("| SLRT-P")] == wanted
