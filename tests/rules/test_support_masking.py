"""No NIK of any writing, no name, no secret gets through the mask; and what says nothing about anybody stays readable."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.support.masking import MAIL, NAME, NUMBER, PLACE, SECRET, Mask, secrets_in, words_of

NAMES = words_of(["Sitti Aminah", "Muh. Yusuf Dg. Ngalle", "Baik Sekali", "I Made Ayu"])
MASK = Mask(("s3cr3t-s3cr3t", "7KQ2M-0000V"), NAMES, frozenset({"baik", "semua", "made"}))

digits = st.text("0123456789", min_size=16, max_size=16)
between = st.text(" \t\n.-/_:,;|()'\u00a0\u200b•", max_size=4)
around = st.text("abc XYZ.,:=\n\"'[]", max_size=12)


@given(number=digits, seams=st.lists(between, min_size=15, max_size=15), before=around, after=around)
def test_no_nik_of_any_writing_survives(number: str, seams: list[str], before: str, after: str) -> None:
    written = number[0] + "".join(seam + digit for seam, digit in zip(seams, number[1:], strict=True))
    masked = MASK.apply(f"{before}{written}{after}")
    assert NUMBER in masked
    assert not re.search(r"\d", masked), masked


@given(number=digits, script=st.sampled_from([0x0660, 0xFF10, 0x0966]))
def test_nor_in_other_digits(number: str, script: int) -> None:
    masked = MASK.apply("".join(chr(script + int(digit)) for digit in number))
    assert masked == NUMBER


@given(text=st.text(max_size=200))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = MASK.apply(text)
    assert MASK.apply(once) == once


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("nik 7303014101800001 tidak sah", f"nik {NUMBER} tidak sah"),
        ("73 03 01 410180 0001", NUMBER),
        ("7303.0141\n0180.0001", NUMBER),
        ("telepon 0812-3456-7890", f"telepon {NUMBER}"),
        ("+62 812 3456 7890", NUMBER),
        ("kirim ke budi.s@dinsos.go.id ya", f"kirim ke {MAIL} ya"),
        ("alamat Jl. Poros Bantaeng No. 3, desa", f"alamat {PLACE}, desa"),
        ("Warga SITTI AMINAH disimpan", f"Warga {NAME} disimpan"),
        ("yusuf: gagal", f"{NAME}: gagal"),
        ("Yusuf, Aminah dan", f"{NAME} dan"),
        ("Semua baik.", "Semua baik."),
        ("Baik Aminah", NAME),
        ("password = apasaja x", f"password = {SECRET} x"),
        ('"kata_sandi": "dua kata", 1', f'"kata_sandi": {SECRET}, 1'),
        ("postgresql+psycopg://slrt:rahasiaku@localhost/slrt", f"postgresql+psycopg://{SECRET}@localhost/slrt"),
        ("kunci s3cr3t-s3cr3t!", f"kunci {SECRET}!"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nsesudah", f"{SECRET}\nsesudah"),
        ("-----BEGIN PRIVATE KEY-----\nterpotong", SECRET),
    ],
)
def test_what_is_taken_out(text: str, masked: str) -> None:
    assert MASK.apply(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "192.168.100.101 menjawab",
        "wilayah 73.03.01.1001",
        "Cadangan terakhir 22-11-2026 09.00, sudah dibaca kembali.",
        '{"at": "2026-11-22T01:00:00+00:00", "ok": true}',
        "22d11m2026y 01h02m03s slrt-web.service: GET /kasus 200 1234B 12ms",
        "Ruang kosong 63.4 GB (62 %) pada disk data (/var/lib/slrt).",
        "slrt-care.service loaded active exited",
    ],
)
def test_what_helps_stays(text: str) -> None:
    assert MASK.apply(text) == text


def test_a_secret_is_found_in_each_of_its_writings() -> None:
    found = secrets_in(["7KQ2M-0000V-00001\n", "ab\n", "smtp://x:y@z\nmailto://q:r@s\n"])
    assert {"7KQ2M-0000V-00001", "7KQ2M0000V00001", "7KQ2M 0000V 00001", "smtp://x:y@z", "mailto://q:r@s"} <= set(found)
    assert "ab" not in found
    assert list(found) == sorted(found, key=lambda part: (-len(part), part)), "the longest first, so that none leaves a rest"
