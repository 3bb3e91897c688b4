"""How well a name answers what was typed, which words count as spelled alike, and what finds a telephone number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.registry.names import words
from appliance.registry.phones import search_key
from appliance.registry.ranking import DROP, LEAST, kept, match
from appliance.registry.search_index import MOST_WORDS, keys_of
from appliance.registry.spelling import distance, slips, variants


@pytest.mark.parametrize(
    ("typed", "name", "nickname", "why"),
    [
        ("Sitti Aminah", "St. Aminah", "", "nama"),
        ("aminah siti", "Hj. Siti Aminah, S.Pd", "", "nama"),
        ("muh zul", "Muhammad Zulkarnaen", "", "nama"),
        ("Nurhayti", "Nurhayati", "", "nama mirip: nurhayati"),
        ("siti nurhayti", "Siti Nurhayati Ramli", "", "nama mirip: nurhayati"),
        ("aminah bau", "Siti Aminah", "Dg. Bau", "nama panggilan"),
        ("siti nur aisyah", "Siti Aisyah", "", "nama, tanpa nur"),
    ],
)
def test_a_match_says_why(typed: str, name: str, nickname: str, why: str) -> None:
    found = match(words(typed), words(name), words(nickname))
    assert (found.why, found.score > LEAST) == (why, True)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("muhammad yusuf", ["Muh. Yusuf", "Muhammad Yusuf Ramli", "Muhammad Yusup Ali Basri", "Muhammad Yunus"]),
        ("nurhayti", ["Nurhayti", "Nurhayti Ramli", "Nurhayati", "Nurhayani"]),
        ("zul", ["Zul", "Zulfikar", "Zulfikar Ramli"]),
    ],
)
def test_nearer_names_come_first(typed: str, names: list[str]) -> None:
    scores = [match(words(typed), words(name)).score for name in names]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) > 1


def test_what_has_nothing_to_do_with_it_has_no_score() -> None:
    assert match(["aminah"], ["yusuf"]).score <= 0
    assert kept([1.0, 0.7]) == 1.0 - DROP
    assert kept([0.5]) == kept([]) == LEAST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nurhayti", "nurhayati"),
        ("baharudin", "baharuddin"),
        ("amniah", "aminah"),
        ("hasna", "hasana"),
    ],
)
def test_words_spelled_alike_share_a_variant(one: str, other: str) -> None:
    most = slips(one)
    assert distance(one, other, most) <= most
    assert variants(one) & variants(other)


@given(st.text(alphabet="abehinrsu", min_size=8, max_size=8), st.integers(0, 7), st.sampled_from("aeio"))
def test_one_slip_is_always_forgiven(word: str, place: int, letter: str) -> None:
    for slipped in (
        word[:place] + word[place + 1 :],
        word[:place] + letter + word[place + 1 :],
        word[:place] + letter + word[place:],
    ):
        assert variants(word) & variants(slipped), slipped


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("0812-3456-7890", "081234567890"),
        ("+62 812 3456 7890", "081234567890"),
        ("62 (0) 81234567890", "081234567890"),
        ("WA: 0812.3456.7890", "081234567890"),
        ("81234567890", "081234567890"),
        ("0812 3456", "08123456"),
        ("0411-869123", "0411869123"),
        ("7303014101800001", ""),
        ("aminah", ""),
        ("0812", ""),
        ("", ""),
    ],
)
def test_a_telephone_number_has_one_key(typed: str, key: str) -> None:
    assert search_key(typed) == key
    assert search_key(key) == key


def test_a_person_is_found_by_words_pairs_and_telephone() -> None:
    found = keys_of("siti aminah", "Dg. Bau", "+62812345678")
    assert found.names == ["aminah", "bau", "siti"]
    assert found.keys == ["aminah", "bau", "siti", "aminah bau", "aminah siti", "bau siti", "0812345678"]
    assert len(keys_of("a b c d e f g h").keys) == MOST_WORDS * (MOST_WORDS + 1) // 2
