"""The pick-lists: codes as villages' sheets use them, and the words they mean."""

from __future__ import annotations

import pytest

from appliance.registry import codes


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("religion", "1", "1"),
        ("religion", "01", "1"),
        ("religion", "ISLAM", "1"),
        ("religion", "Katholik", "3"),
        ("religion", "Budha", "5"),
        ("education", "SLTP / SEDERAJAT", "4"),
        ("education", "AKADEMI/ DIPLOMA III/SARJANA MUDA", "7"),
        ("occupation", "USTADZ/MUBALIGH", "45"),
        ("occupation", "Lainnya", "89"),
        ("occupation", "Petani", "9"),
        ("occupation", "k", None),  # an alias of another list
        ("occupation", "90", None),
        ("occupation", "", None),
        ("marital_status", "CM", "4"),
        ("marital_status", "BK", "1"),
        ("relation", "FAMILI LAIN", "9"),
        ("nationality", "wni", "1"),
        ("insurance", "PBI", "PBI"),
    ],
)
def test_codes_and_words_are_found(field: str, text: str, code: str | None) -> None:
    assert codes.find(field, text) == code


def test_every_label_finds_its_code() -> None:
    for field, listed in codes.LISTS.items():
        assert {code: codes.find(field, label) for code, label in listed.items()} == {code: code for code in listed}, field


def test_the_lists_have_the_published_lengths() -> None:
    lengths = {field: len(listed) for field, listed in codes.LISTS.items()}
    assert lengths == {
        "relation": 11,
        "religion": 7,
        "education": 10,
        "occupation": 89,
        "marital_status": 4,
        "nationality": 3,
        "insurance": 6,
    }


def test_older_entries_in_words_stay_readable() -> None:
    assert codes.label("occupation", "9") == "Petani/pekebun"
    assert codes.label("occupation", "Pembuat perahu") == "Pembuat perahu"
