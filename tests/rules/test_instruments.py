"""The blanks of surveys: their pick-lists as printed, and what is wrong with answers to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import NotFound
from appliance.registry.instruments import Answers, Instrument, Kind, Question, check_answers, instrument, instruments, read_out

REGSOSEK, MEMBER, BDT, SLRT = "regsosek-2022k-keluarga", "regsosek-2022k-anggota", "bdt-2015", "slrt-18"


def question(blank: str, code: str) -> Question:
    return next(one for one in instrument(blank).questions() if one.code == code)


def test_the_blanks_are_there() -> None:
    assert {(blank.code, blank.version, blank.about) for blank in instruments()} == {
        (REGSOSEK, 1, "keluarga"),
        (MEMBER, 1, "orang"),
        (BDT, 1, "keluarga"),
        ("bdt-2015-anggota", 1, "orang"),
        (SLRT, 1, "keluarga"),
    }
    with pytest.raises(NotFound):
        instrument(REGSOSEK, 99)


@pytest.mark.parametrize("blank", [blank.code for blank in instruments()])
def test_a_blank_is_well_made(blank: str) -> None:
    """Each code once; choices have options, nothing else has; conditions name an earlier choice and options of it."""
    seen: dict[str, Question] = {}
    for one in instrument(blank).questions():
        assert one.code not in seen
        assert bool(one.options) == (one.kind in {Kind.ONE, Kind.SEVERAL}), one.code
        assert set(one.alone) <= set(one.options), one.code
        if one.when:
            assert set(one.when[1]) <= set(seen[one.when[0]].options), one.code
        seen[one.code] = one


# How many options the printed blank has, and some of them.
PRINTED: tuple[tuple[str, str, int, dict[str, str]], ...] = (
    (REGSOSEK, "301a", 5, {"1": "Milik sendiri", "5": "Lainnya"}),
    (REGSOSEK, "301b", 6, {"6": "Tidak punya"}),
    (REGSOSEK, "303", 9, {"1": "Marmer/granit", "8": "Tanah", "9": "Lainnya"}),
    (REGSOSEK, "304", 7, {"1": "Tembok", "7": "Lainnya"}),
    (REGSOSEK, "305", 8, {"1": "Beton", "3": "Seng"}),
    (REGSOSEK, "306a", 11, {"3": "Leding", "10": "Air hujan"}),
    (REGSOSEK, "307a", 4, {"4": "Bukan listrik"}),
    (REGSOSEK, "307b1", 5, {"1": "450 watt", "5": "> 2.200 watt"}),
    (REGSOSEK, "308", 12, {"4": "Gas elpiji 3 kg", "10": "Kayu bakar", "12": "Tidak memasak di rumah"}),
    (REGSOSEK, "309a", 6, {"6": "Tidak ada fasilitas"}),
    (REGSOSEK, "310", 6, {"1": "Tangki septik", "2": "IPAL"}),
    (MEMBER, "404", 6, {"2": "Meninggal", "5": "Anggota keluarga baru"}),
    (MEMBER, "409", 8, {"1": "Kepala keluarga", "8": "Lainnya"}),
    (MEMBER, "413", 22, {"3": "SD", "13": "SMA", "22": "S3"}),
    (MEMBER, "415", 23, {"23": "Tidak punya ijazah SD"}),
    (MEMBER, "417", 26, {"3": "Perkebunan", "11": "Konstruksi"}),
    (MEMBER, "418", 8, {"6": "Pekerja bebas pertanian"}),
    (MEMBER, "428a", 4, {"4": "Tidak mengalami kesulitan"}),
    (MEMBER, "430", 18, {"1": "Tidak ada", "8": "Strok", "18": "Lainnya"}),
    (MEMBER, "431a", 5, {"0": "Tidak memiliki", "1": "PBI JKN", "8": "Jaminan kesehatan lainnya"}),
    (BDT, "303", 10, {"8": "Kayu/papan kualitas rendah", "9": "Tanah"}),
    (BDT, "305a", 10, {"5": "Asbes", "6": "Seng"}),
    (BDT, "307", 12, {"4": "Leding eceran", "12": "Lainnya"}),
    (BDT, "309b", 6, {"6": "Tanpa meteran"}),
    (BDT, "310", 9, {"3": "Gas 3 kg", "9": "Tidak memasak di rumah"}),
    (BDT, "312", 6, {"2": "SPAL", "3": "Lubang tanah"}),
)


@pytest.mark.parametrize(("blank", "code", "count", "some"), PRINTED)
def test_the_pick_lists_are_those_of_the_print(blank: str, code: str, count: int, some: dict[str, str]) -> None:
    options = question(blank, code).options
    assert len(options) == count
    assert some.items() <= options.items()


CASES: dict[str, tuple[str, dict[str, list[str]], Answers, set[str]]] = {
    "nothing": (REGSOSEK, {}, {}, set()),
    "blanks are nothing": (REGSOSEK, {"303": [" "], "302": [""]}, {}, set()),
    "a choice and a number": (REGSOSEK, {"303": ["8"], "302": ["36"]}, {"303": "8", "302": 36}, set()),
    "no such option": (REGSOSEK, {"303": ["10"]}, {}, {"303"}),
    "two of one": (REGSOSEK, {"303": ["1", "2"]}, {}, {"303"}),
    "no number": (REGSOSEK, {"302": ["luas"]}, {}, {"302"}),
    "a number too high": (REGSOSEK, {"302": ["10.000"]}, {}, {"302"}),
    "a negative number": (REGSOSEK, {"302": ["-3"]}, {}, {"302"}),
    "digits of another script": (REGSOSEK, {"302": ["٣٦"]}, {}, {"302"}),
    "asked only of owners": (REGSOSEK, {"301a": ["2"], "301b": ["1"]}, {"301a": "2", "301b": "1"}, {"301b"}),
    "asked of an owner": (REGSOSEK, {"301a": ["1"], "301b": ["1"]}, {"301a": "1", "301b": "1"}, set()),
    "the other was not answered": (REGSOSEK, {"307b1": ["1"]}, {"307b1": "1"}, {"307b1"}),
    "a question of another blank": (REGSOSEK, {"428a": ["1"]}, {}, set()),
    "several, in the order of the blank": (MEMBER, {"411": ["4", "1"]}, {"411": ["1", "4"]}, set()),
    "none and something": (MEMBER, {"411": ["0", "4"]}, {}, {"411"}),
    "money as people write it": (SLRT, {"16": ["Rp 1.250.000"]}, {"16": 1_250_000}, set()),
    "a text too long": (SLRT, {"6": ["x" * 121], "17": ["x" * 300]}, {"17": "x" * 300}, {"6"}),
    "all problems at once": (
        REGSOSEK,
        {"303": ["x"], "302": ["x"], "308": ["99"], "305": ["3"]},
        {"305": "3"},
        {"303", "302", "308"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_answers(name: str) -> None:
    blank, typed, answers, wrong = CASES[name]
    found, problems = check_answers(instrument(blank), typed)
    assert (found, set(problems)) == (answers, wrong)


def test_health_is_left_out_whole() -> None:
    blank = instrument(MEMBER).without_health()
    codes = {one.code for one in blank.questions()}
    assert not codes & {"427", "428a", "430"}
    assert "431a" in codes
    assert "IV.E. Kesehatan" not in [section.title for section in blank.sections]
    assert check_answers(blank, {"430": ["12"]}) == ({}, {})


@pytest.mark.parametrize(
    ("blank", "code", "answer", "words"),
    [
        (REGSOSEK, "303", "8", "Tanah"),
        (REGSOSEK, "303", "77", "77"),
        (REGSOSEK, "302", 1200, "1.200 m²"),
        (SLRT, "16", 800000, "Rp800.000"),
        (MEMBER, "411", ["1", "4"], "Akta kelahiran, KTP"),
        (SLRT, "6", "Nelayan", "Nelayan"),
        (REGSOSEK, "303", None, ""),
    ],
)
def test_an_answer_is_read_out(blank: str, code: str, answer: Any, words: str) -> None:
    assert read_out(question(blank, code), answer) == words


@given(
    st.sampled_from(instruments()),
    st.dictionaries(st.sampled_from(["301a", "302", "411", "16", "430"]), st.lists(st.text(max_size=8))),
)
def test_whatever_is_typed_is_stored_or_told(blank: Instrument, typed: dict[str, list[str]]) -> None:
    answers, problems = check_answers(blank, typed)
    asked = {one.code for one in blank.questions()}
    filled = {code for code, given in typed.items() if code in asked and any(text.strip() for text in given)}
    assert filled == set(answers) | set(problems)
