"""What a good password is."""

from __future__ import annotations

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from appliance.accounts import passwords


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("pendek", "paling sedikit 10"),
        ("x" * 129, "paling banyak 128"),
        ("aaaaaaaaaaab", "berulang"),
        ("1234567890", "mudah ditebak"),
        ("Password123", "mudah ditebak"),
        ("DinasSosial2026", "mudah ditebak"),
        ("Bantaeng2026!", "mudah ditebak"),
        ("kata sandi 12345", "mudah ditebak"),
        ("slrt 20262027", "mudah ditebak"),
        ("siti.aminah1", "nama Anda"),
        ("SitiAminah99", "nama Anda"),
        ("sandi lama saya", "berbeda"),
    ],
)
def test_what_is_easily_guessed_is_refused_with_the_reason(password: str, words: str) -> None:
    problem = passwords.problem_with(password, username="siti.aminah", name="Siti Aminah", current="sandi lama saya")
    assert problem is not None
    assert words in problem


@pytest.mark.parametrize(
    "password", ["pohon besar di bukit", "kelapa-muda-tiga", "x7Kq-93mTw", "ﷺ بسم الله الرحمن", "p" + "anjang sekali " * 9]
)
def test_no_rule_of_composition_refuses_a_good_one(password: str) -> None:
    assert passwords.problem_with(password[:128], username="siti.aminah", name="Siti Aminah") is None


def test_a_one_time_password_is_readable_good_and_never_the_same() -> None:
    made = {passwords.one_time_password() for _ in range(200)}
    assert len(made) == 200
    assert all(passwords.problem_with(one, username="siti.aminah", name="Siti Aminah") is None for one in made)
    assert all(one.replace("-", "").isalnum() and one == one.lower() for one in made)


def test_hashes_are_argon2id_above_the_minimum_and_salted() -> None:
    one, two = passwords.hash_password("pohon besar di bukit"), passwords.hash_password("pohon besar di bukit")
    found = extract_parameters(one)
    assert (found.type, found.memory_cost >= 19 * 1024, found.time_cost >= 2) == (Type.ID, True, True)
    assert one != two
    assert passwords.verify("pohon besar di bukit", one)
    assert not passwords.verify("pohon besar di bukiT", one)
    assert not passwords.verify("", one)
    assert not passwords.verify("pohon besar di bukit", "not a hash")
    assert not passwords.needs_rehash(one)
