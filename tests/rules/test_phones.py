"""Telephone numbers as people write them, as they are stored and as they are shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.registry.phones import phone_key, problem_of, shown, to_stored


@pytest.mark.parametrize(
    ("typed", "stored", "read"),
    [
        ("081234567890", "+6281234567890", "0812-3456-7890"),
        ("0812 3456 7890", "+6281234567890", "0812-3456-7890"),
        ("0812-3456-7890", "+6281234567890", "0812-3456-7890"),
        ("+62 812 3456 7890", "+6281234567890", "0812-3456-7890"),
        ("6281234567890", "+6281234567890", "0812-3456-7890"),
        ("+62081234567890", "+6281234567890", "0812-3456-7890"),
        ("81234567890", "+6281234567890", "0812-3456-7890"),  # the leading zero was lost in a sheet
        ("'081234567890", "+6281234567890", "0812-3456-7890"),
        ("WA 0812 3456 7890", "+6281234567890", "0812-3456-7890"),
        ("No. HP: 081234567890", "+6281234567890", "0812-3456-7890"),
        ("\u202a+62 812-3456-7890\u202c", "+6281234567890", "0812-3456-7890"),
        ("0413-21000", "+6241321000", "041321000"),
        ("(021) 5551234", "+62215551234", "(021) 5551234"),
    ],
)
def test_one_number_in_many_writings(typed: str, stored: str, read: str) -> None:
    assert (to_stored(typed), problem_of(typed)) == (stored, None)
    assert shown(stored) == read
    assert phone_key(typed) == phone_key(stored) == f"0{stored[3:]}"


@pytest.mark.parametrize("typed", ["08123", "abc", "0812345678901234", "081234567890/085299998888", "8.12346E+11", "112"])
def test_what_is_no_number_is_told(typed: str) -> None:
    assert to_stored(typed) is None
    assert "0812-3456-7890" in (problem_of(typed) or "")


def test_nothing_is_no_problem() -> None:
    assert (to_stored(" "), problem_of(""), shown("")) == (None, None, "")


def test_an_older_entry_is_shown_as_it_stands() -> None:
    assert shown("tetangga 12") == "tetangga 12"


@given(st.text())
def test_any_text_gets_an_answer_and_what_is_stored_stays(text: str) -> None:
    stored = to_stored(text)
    assert stored is None or (to_stored(stored) == stored and stored.startswith("+62"))
