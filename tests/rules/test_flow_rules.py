"""What may be advised in the special flows, as a table."""

from __future__ import annotations

from datetime import date

import pytest

from appliance.casework.flow_rules import FLOW_FIELDS, Known, flow_problems
from appliance.config import CaseworkSettings, parse
from appliance.errors import ConfigurationError

KNOWN = {"today": date(2026, 11, 20), "decile": 3, "pbi_months": 3, "highest_decile": 5}
PBI = {"advice": "layak", "inactive_date": "2026-11-01", "inactive_reason": "desil", "reactivated": "belum", "need": "kronis"}
LETTER = {"advice": "layak", "purpose": "kuliah"}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, set()),
        ({"inactive_date": "2026-08-20"}, set()),
        ({"inactive_date": "2026-08-19"}, {"inactive_date"}),
        ({"inactive_date": "2026-11-21"}, {"inactive_date"}),
        ({"inactive_date": "2026-11-21", "advice": "tidak_layak"}, {"inactive_date"}),
        ({"reactivated": "pernah", "need": "tidak_ada"}, {"reactivated", "need"}),
        ({"reactivated": "pernah", "need": "tidak_ada", "inactive_date": "2020-01-01", "advice": "tidak_layak"}, set()),
    ],
)
def test_a_reactivation_is_advised_once_in_time_and_for_a_need(changes: dict[str, str], wrong: set[str]) -> None:
    assert set(flow_problems("reaktivasi_pbi", PBI | changes, Known(**KNOWN))) == wrong  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inactive", "today", "right"),
    [
        ("2026-11-30", date(2027, 3, 1), True),  # there is no 30 February
        ("2026-11-30", date(2027, 3, 2), False),
        ("2026-09-30", date(2026, 12, 30), True),
        ("2026-09-30", date(2026, 12, 31), False),
    ],
)
def test_months_of_different_lengths(inactive: str, today: date, right: bool) -> None:
    known = Known(**{**KNOWN, "today": today})  # type: ignore[arg-type]
    assert (not flow_problems("reaktivasi_pbi", PBI | {"inactive_date": inactive}, known)) is right


@pytest.mark.parametrize(("purpose", "limit"), [("kuliah", 4), ("berobat", 10), ("sekolah", 5), ("", 5)])
def test_a_purpose_may_have_a_limit_of_its_own(purpose: str, limit: int) -> None:
    assert CaseworkSettings(certificate_purposes="kuliah=4, berobat=10").certificate_limit(purpose) == limit


@pytest.mark.parametrize("purposes", ["kuliah", "kuliah=11", "kuliah=4,", "mandi=3"])
def test_a_limit_that_cannot_be_read_is_refused(purposes: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(f'[casework]\ncertificate_purposes = "{purposes}"\n')


@pytest.mark.parametrize(
    ("advice", "decile", "right"),
    [
        ("layak", 5, True),
        ("layak", 6, False),
        ("layak", None, False),
        ("tidak_terdaftar", None, True),
        ("tidak_terdaftar", 4, False),
        ("tidak_layak", 6, True),
        ("tidak_layak", None, True),
    ],
)
def test_a_certificate_says_what_is_on_record(advice: str, decile: int | None, right: bool) -> None:
    known = Known(**{**KNOWN, "decile": decile})  # type: ignore[arg-type]
    assert (not flow_problems("sk_dtsen", LETTER | {"advice": advice}, known)) is right


def test_other_services_ask_nothing_more() -> None:
    assert flow_problems("umum", {}, Known(**KNOWN)) == {}  # type: ignore[arg-type]
    assert "umum" not in FLOW_FIELDS
