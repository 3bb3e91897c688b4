"""The same name is found however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.registry.names import searchable, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Moh. Yusuf", "Muhammad Yusuf"),
        ("H. MUHAMAD JUSUF", "muh yusup"),
        ("Hj. St. Aminah, S.Pd", "Sitti Amina"),
        ("Abd. Rahman", "ABDUL RAHMAN"),
        ("Syahrir", "Sahrir"),
        ("Andi Nurhayati", "A. Nurhayati"),
        ("Noer Hidajah", "Nur Hidaja"),
        ("Sa'diyah", "Sadiya"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    def bare(name: str) -> str:
        return searchable(name).removesuffix(" s pd")

    assert bare(one) == bare(other)


@pytest.mark.parametrize(("one", "other"), [("Aminah", "Amin"), ("Nurul", "Nur"), ("Rahma", "Rahman"), ("Basri", "Basir")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert searchable(one) != searchable(other)


def test_a_title_alone_is_still_a_name() -> None:
    assert words("H.") == ["h"]
    assert words("Daeng") == ["daeng"]


@given(st.text(max_size=40))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = searchable(text)
    assert searchable(once) == once


@given(st.text(alphabet="abcdehijklmnorstuy ", min_size=1, max_size=30))
def test_every_name_with_letters_has_words(text: str) -> None:
    assert bool(words(text)) == bool(text.strip())
