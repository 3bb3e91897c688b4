"""How the pages read what is typed, and how they say dates, lengths of time and codes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from werkzeug.datastructures import MultiDict

from appliance.casework.transitions import CONDITIONS, LABELS
from appliance.errors import InvalidInput
from appliance.models.states import ENDED, CaseKind, CaseState, Channel, Outcome, Priority, Vulnerable
from webui import words
from webui.cases import ASIDE, GRAVE
from webui.forms.cases import CaseForm
from webui.forms.fields import read_day
from webui.forms.people import PersonForm

WITA = ZoneInfo("Asia/Makassar")
LATE = datetime(2026, 11, 21, 17, 5, tzinfo=UTC)  # already the 22nd in Bantaeng


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("21-11-1980", date(1980, 11, 21)),
        ("1/2/1980", date(1980, 2, 1)),
        ("01.02.1980", date(1980, 2, 1)),
        ("1980-02-01", date(1980, 2, 1)),
        ("12 Juni 1980", date(1980, 6, 12)),
        ("12 juni 1980", date(1980, 6, 12)),
        ("7 Agu 1980", date(1980, 8, 7)),
    ],
)
def test_a_date_is_read_as_people_write_it(typed: str, meant: date) -> None:
    assert read_day(typed) == meant


@pytest.mark.parametrize(
    "typed", ["31-02-1980", "0-1-1980", "1980", "12 Juno 1980", "12 Ju 1980", "1-1-80", "besok", "99-99-9999"]
)
def test_what_is_no_date_is_refused_with_what_was_typed(typed: str) -> None:
    with pytest.raises(ValueError, match=typed):
        read_day(typed)


def test_dates_and_times_are_those_of_the_office() -> None:
    assert words.date_words(LATE, WITA) == "22 November 2026"
    assert words.short_date_words(LATE, WITA) == "22-11-2026"
    assert words.moment_words(LATE, WITA) == "Minggu, 22 November 2026 pukul 01.05 WITA"
    assert words.short_moment_words(LATE, WITA) == "22-11-2026 01.05"
    assert words.date_words(date(1980, 1, 2), WITA) == "2 Januari 1980"
    assert words.date_words(None, WITA) == "–"
    assert words.number_words(1234567) == "1.234.567"


@pytest.mark.parametrize(
    ("span", "said"),
    [(timedelta(seconds=5), "1 menit"), (timedelta(minutes=59), "59 menit"), (timedelta(hours=23, minutes=59), "23 jam"),
     (timedelta(days=12, hours=5), "12 hari"), (-timedelta(hours=2), "2 jam")],
)  # fmt: skip
def test_a_length_of_time_is_said_in_its_biggest_unit(span: timedelta, said: str) -> None:
    assert words.span_words(span) == said


def test_every_code_has_a_word() -> None:
    for kinds, said in (
        (CaseKind, words.KINDS),
        (Channel, words.CHANNELS),
        (Priority, words.PRIORITIES),
        (Vulnerable, words.VULNERABLE_GROUPS),
        (Outcome, words.OUTCOMES),
    ):
        assert set(kinds) == set(said), kinds
    open_states = set(CaseState) - ENDED - {CaseState.DRAFT}
    assert open_states <= set(words.WAITS_FOR)
    assert set(words.EVENTS) | GRAVE | ASIDE <= set(LABELS)
    assert CONDITIONS


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    assert words.text_of(words.KINDS, "baru_sama_sekali") == "baru_sama_sekali"
    assert words.text_of(words.KINDS, "") == "–"


def test_a_form_tells_all_problems_at_once_and_keeps_what_was_typed() -> None:
    form = PersonForm(MultiDict({"nik": "7303 01", "birth_date": "31-02-1980", "name": "  Sitti   Rabiah ", "kk": "1"}))
    assert not form.validate()
    assert set(form.problems) == {"nik", "sex", "birth_date", "village_code", "kk"}
    assert form.shown("birth_date") == "31-02-1980"
    assert form.shown("nik") == "7303 01"
    assert form.name.data == "Sitti Rabiah"


def test_problems_of_the_service_stand_beside_those_of_the_form() -> None:
    form = CaseForm(MultiDict({"kind": "pengaduan", "channel": "merpati"}))
    assert not form.validate()
    form.refuse(InvalidInput({"channel": "Pilih dari mana.", "description": "Lain."}))
    assert form.problems["channel"] == "Pilih dari mana."
    assert form.problems["description"] == "Tulis apa yang terjadi, dengan kata-kata warga."


def test_an_emergency_says_why() -> None:
    form = CaseForm(MultiDict({"priority": "darurat"}))
    assert not form.validate()
    assert "darurat" in form.problems["priority_reason"]
