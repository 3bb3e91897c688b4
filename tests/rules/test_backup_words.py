"""Numbers in sentences about backups."""

from __future__ import annotations

import pytest

from backups.words import decimal, gigabytes, megabytes, whole


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (decimal(63.44), "63,4"),
        (decimal(1234.5, 2), "1.234,50"),
        (whole(1250340), "1.250.340"),
        (megabytes(459_700_000), "459,7 MB"),
        (megabytes(1_234_500_000), "1.234,5 MB"),
        (gigabytes(31_914_983_424), "31,9 GB"),
    ],
)
def test_a_comma_stands_before_the_tenths_and_a_point_at_the_thousands(told: str, words: str) -> None:
    assert told == words
