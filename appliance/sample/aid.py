"""The invented aid of the invented families: who gets what, what was paid, what is missing, what the lists say, who was visited.

Each row has a request of its own, so that a filling that was cut off goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from appliance.access import Actor
from appliance.database import db
from appliance.models.programme import Programme
from appliance.registry import list_status, needs, participation, profile
from appliance.registry.holders import office_day
from appliance.registry.national_lists import national_lists
from appliance.sample.residents import MARK

FIELD_OFFICER, COUNTER, BACK_OFFICE = "fasilitator.nur", "fo.sari", "bo.andi"


@dataclass(frozen=True)
class Aided:
    """What one family gets: programme, status, days ago it began, Rupiah of each quarter (0 for none), reason."""

    programme: str
    status: str = "aktif"
    days: int = 400
    amount: int = 0
    reason: str = ""


# One line a family, in turn; the last ones make the rules warn.
AIDED: tuple[tuple[Aided, ...], ...] = (
    (Aided("pkh", amount=750_000), Aided("sembako", amount=600_000), Aided("pbi-jk")),
    (Aided("sembako", amount=600_000), Aided("pbi-jk"), Aided("subsidi-listrik")),
    (Aided("blt-desa", amount=900_000), Aided("pbi-jk", "nonaktif", 900, reason="Desil 6; keluar dari sasaran")),
    (Aided("pkh", "graduasi", 2000, reason="Graduasi sejahtera mandiri"), Aided("kur", days=200)),
    (),
    (Aided("rtlh", "diusulkan", 40), Aided("pbi-jk"), Aided("lpg-3kg")),
    (Aided("pkh", amount=900_000), Aided("blt-desa", amount=900_000)),
    (Aided("jamkesda"), Aided("pbi-jk"), Aided("pupuk", days=700)),
)
NEEDS = (
    ("rtlh", "mendesak", "Atap bocor dan dinding bambu lapuk; dua anak balita."),
    ("alat-bantu", "tinggi", "Membutuhkan kursi roda untuk berobat."),
    ("pip", "biasa", "Anak akan masuk SMP dan belum punya KIP."),
)
# Answers to the form of 18 fields: income, house, light, toilet, and the officer's view.
VISITS = (
    ("800000", "1", "1", "2", "sangat_miskin"),
    ("1500000", "5", "2", "1", "miskin"),
    ("2500000", "1", "1", "1", "rentan"),
)


def help_families(residents: list[tuple[str, str]], actors: Mapping[str, Actor], at: datetime) -> int:
    """Store it all; how many families have something. `residents` are two of each family, one after the other."""
    heads = [person for person, _ in residents[::2]]
    programmes = {programme.code: programme.id for programme in db.session.scalars(sa.select(Programme))}
    dtsen = next(found.id for found in national_lists() if found.code == "dtsen")
    for number, person in enumerate(heads):
        by = actors[FIELD_OFFICER if number < 14 else COUNTER]
        for order, aided in enumerate(AIDED[number % len(AIDED)]):
            _take_part(person, aided, programmes[aided.programme], f"{number:03d}-{order}", by, at)
        if number % 3 != 2:
            _look_up(person, number, dtsen, actors[BACK_OFFICE] if number >= 14 else by, at)
        if number % 4 == 1:
            _need(person, number, programmes, by, at)
        if number < 12:
            _visit(person, number, by, at)
    return len(heads)


def _take_part(person: str, aided: Aided, programme_id: str, mark: str, by: Actor, at: datetime) -> None:
    began = at - timedelta(days=aided.days)
    new = participation.NewParticipation(
        programme_id=programme_id,
        status=aided.status,
        source="siks_ng" if aided.status == "nonaktif" else "kartu",
        known_on=office_day(at - timedelta(days=20)),
        starts=None if aided.status == "diusulkan" else office_day(began),
        ends=office_day(at - timedelta(days=60)) if aided.reason else None,
        reason=aided.reason,
    )
    row = participation.record_participation(person, new, request_id=f"{MARK}ikut-{mark}", by=by, at=at - timedelta(days=19))
    for quarter, paid_at in enumerate(_quarters(at) if aided.amount else ()):
        paid = participation.NewPayment(
            office_day(paid_at), "rekening", aided.amount, period=f"Triwulan {(paid_at.month - 1) // 3 + 1} {paid_at.year}"
        )
        participation.record_payment(row, paid, request_id=f"{MARK}salur-{mark}-{quarter}", by=by, at=at - timedelta(days=19))


def _quarters(at: datetime) -> Iterator[datetime]:
    for quarter in range(3):
        yield at - timedelta(days=40 + 91 * quarter)


def _look_up(person: str, number: int, list_id: str, by: Actor, at: datetime) -> None:
    """The newest look, and for some a former one with another desil."""
    looks = ((200, (number * 3) % 7 + 1), (25, number % 6 + 1)) if number % 2 else ((30, number % 5 + 1),)
    for order, (days, decile) in enumerate(looks):
        day = at - timedelta(days=days)
        new = list_status.NewStatus(
            list_id, "ya", office_day(day), decile=decile, period=f"Triwulan {(day.month - 1) // 3 + 1} {day.year}",
            evidence="Dilihat di SIKS-NG bersama operator desa",
        )  # fmt: skip
        list_status.note_status(person, new, request_id=f"{MARK}cek-{number:03d}-{order}", by=by, at=day)


def _need(person: str, number: int, programmes: Mapping[str, str], by: Actor, at: datetime) -> None:
    code, priority, reason = NEEDS[number // 4 % len(NEEDS)]
    noted = at - timedelta(days=15 + number % 10)
    new = needs.NewNeed(reason, priority, office_day(noted), programme_id=programmes[code], family=code == "rtlh")
    needs.note_need(person, new, request_id=f"{MARK}butuh-{number:03d}", by=by, at=noted)


def _visit(person: str, number: int, by: Actor, at: datetime) -> None:
    income, house, light, toilet, opinion = VISITS[number % len(VISITS)]
    visited = at - timedelta(days=12 + number)
    answers = {"6": ["Buruh tani"], "10": ["ktp", "kk"], "13": [house], "14": [light], "15": [toilet], "16": [income]}
    new = profile.NewProfile("slrt-18", 1, office_day(visited), answers, opinion)
    profile.store_profile(person, new, request_id=f"{MARK}profil-{number:03d}", by=by, at=visited)
