"""How alike two people are, and why: the rules by which somebody is asked "is this the same person?".

Pure. Something beside the name must agree, each time: a common name alone makes nobody a duplicate. What must hold:
"Muh. Yusuf" and "Moh. Yusup" born on the same day in one village are alike; two Siti Aminah of different years are not;
brothers with similar names on one card are not; a NIK with one wrong digit and the same name is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rapidfuzz import fuzz
from rapidfuzz.distance import Hamming

from appliance.registry.names import searchable

# From here on two names are written alike; names of more than one word differ by less when they are the same.
SIMILAR, CLOSE, SAME = 80, 92, 97
# One name is the other without a word: "Aminah" and "Sitti Aminah".
SHORTENED = 88
# Mothers' names below this are those of two mothers.
OTHER_MOTHER = 60
WORTH_ASKING = 55
HIGHEST = 99
# What is written when the day of birth is not known.
DEFAULT_DAYS = frozenset({(1, 1), (1, 7), (31, 12)})


class Reason(StrEnum):
    """Why a pair is asked about; `label` stands on the page, `against` marks what speaks against it."""

    SAME_NIK = "nik_sama"
    FORMER_NIK = "nik_lama"
    ONE_DIGIT = "nik_satu_angka"
    SWAPPED_DIGITS = "nik_tertukar"
    OTHER_NIK = "nik_beda"
    SAME_CARD = "kk_sama"
    SAME_PHONE = "telepon_sama"
    SAME_NAME = "nama_sama"
    SIMILAR_NAME = "nama_mirip"
    SAME_BIRTH = "lahir_sama"
    SWAPPED_BIRTH = "lahir_tertukar"
    SAME_YEAR = "tahun_sama"
    SAME_MOTHER = "ibu_sama"
    OTHER_MOTHER = "ibu_beda"
    SAME_VILLAGE = "desa_sama"
    SAME_SUBDISTRICT = "kecamatan_sama"

    @property
    def label(self) -> str:
        """The reason as a few words."""
        return _LABELS[self]

    @property
    def against(self) -> bool:
        """Whether it speaks for two people."""
        return self in {Reason.OTHER_NIK, Reason.OTHER_MOTHER}


_LABELS = {
    Reason.SAME_NIK: "NIK sama",
    Reason.FORMER_NIK: "NIK pernah tercatat pada data ini",
    Reason.ONE_DIGIT: "NIK berbeda satu angka",
    Reason.SWAPPED_DIGITS: "dua angka NIK tertukar",
    Reason.OTHER_NIK: "NIK berbeda",
    Reason.SAME_CARD: "nomor KK sama",
    Reason.SAME_PHONE: "nomor telepon sama",
    Reason.SAME_NAME: "nama sama",
    Reason.SIMILAR_NAME: "nama mirip",
    Reason.SAME_BIRTH: "tanggal lahir sama",
    Reason.SWAPPED_BIRTH: "hari dan bulan lahir tertukar",
    Reason.SAME_YEAR: "tahun lahir sama",
    Reason.SAME_MOTHER: "nama ibu sama",
    Reason.OTHER_MOTHER: "nama ibu berbeda",
    Reason.SAME_VILLAGE: "satu desa/kelurahan",
    Reason.SAME_SUBDISTRICT: "satu kecamatan",
}
_POINTS = {
    Reason.ONE_DIGIT: 30,
    Reason.SWAPPED_DIGITS: 30,
    Reason.OTHER_NIK: -20,
    Reason.SAME_CARD: 20,
    Reason.SAME_PHONE: 25,
    Reason.SAME_BIRTH: 30,
    Reason.SWAPPED_BIRTH: 24,
    Reason.SAME_YEAR: 14,
    Reason.SAME_MOTHER: 15,
    Reason.OTHER_MOTHER: -30,
    Reason.SAME_VILLAGE: 10,
    Reason.SAME_SUBDISTRICT: 4,
}
_NAME_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells one person from another. `name` and `mother` are normalised, see `identity`; numbers are bare digits."""

    name: str
    sex: str
    village_code: str
    birth_date: date | None = None
    estimated: bool = False
    nik: str = ""
    card: str = ""
    mother: str = ""


@dataclass(frozen=True)
class Likeness:
    """How sure it is, 0 to 100, and the reasons for and against it."""

    score: int
    reasons: tuple[Reason, ...]


def identity(  # noqa: PLR0913  the fields of one person
    name: str,
    *,
    sex: str,
    village_code: str,
    birth_date: date | None = None,
    estimated: bool = False,
    nik: str | None = "",
    card: str | None = "",
    mother: str = "",
) -> Identity:
    """From what is written on papers."""
    mother = searchable(mother) if mother else ""
    return Identity(searchable(name), sex, village_code, birth_date, estimated, nik or "", card or "", mother)


def compare(one: Identity, other: Identity) -> Likeness | None:
    """How alike the two are; None when nobody needs to be asked."""
    if one.nik and one.nik == other.nik:
        return Likeness(100, (Reason.SAME_NIK, *_reasons_of_name(name_likeness(one.name, other.name))))
    numbers, birth = _numbers(one, other), _birth(one, other)
    if Reason.SAME_BIRTH not in birth and (one.sex != other.sex or Reason.OTHER_NIK in numbers):
        return None  # what costs least is asked first: the night compares millions
    name = name_likeness(one.name, other.name)
    if name < SIMILAR:
        return None
    reasons = (*_reasons_of_name(name), *numbers, *birth, *_mothers(one, other), *_place(one, other))
    if not _may_be_one(one, other, name, frozenset(reasons)):
        return None
    score = _score(name, reasons) + (5 if one.sex == other.sex else 0)
    return Likeness(min(score, HIGHEST), reasons) if score >= WORTH_ASKING else None


def compare_elsewhere(one: Identity, other: Identity, *, same_phone: bool = False, former_nik: bool = False) -> Likeness | None:
    """How alike two people of two villages are, among all of a district; None when nobody needs to be asked.

    A name and a day of birth are not enough there: the mother, the telephone number or the card must agree too, or the subdistrict
    on a day that is surely hers. `former_nik`: the one has the NIK that stood on a record which was merged into the other.
    """
    name, birth = name_likeness(one.name, other.name), _birth(one, other)
    if former_nik:
        return Likeness(HIGHEST, (Reason.FORMER_NIK, *_reasons_of_name(name), *birth))
    if Reason.SAME_BIRTH not in birth or one.sex != other.sex:
        return None
    phone = (Reason.SAME_PHONE,) if same_phone else ()
    reasons = (*_reasons_of_name(name), *phone, *_numbers(one, other), *birth, *_mothers(one, other), *_place(one, other))
    if not (same_phone or (name >= SIMILAR and _surely_hers(one, other, name, frozenset(reasons)))):
        return None
    score = _score(name, reasons) + 5
    return Likeness(min(score, HIGHEST), reasons) if score >= WORTH_ASKING else None


def _surely_hers(one: Identity, other: Identity, name: int, reasons: frozenset[Reason]) -> bool:
    if reasons & {Reason.SAME_MOTHER, Reason.SAME_CARD}:
        return True
    default = one.birth_date is not None and (one.birth_date.day, one.birth_date.month) in DEFAULT_DAYS
    return not default and _may_be_one(one, other, name, reasons)


def _score(name: int, reasons: Iterable[Reason]) -> int:
    return round(name * _NAME_SHARE) + sum(_POINTS.get(reason, 0) for reason in reasons)


def name_likeness(one: str, other: str) -> int:
    """0 to 100 for two normalised names, whatever the order of their words and the blanks between them."""
    if not one or not other:
        return 0
    first, second = set(one.split()), set(other.split())
    together = fuzz.ratio(one.replace(" ", ""), other.replace(" ", ""))
    shortened = SHORTENED if first < second or second < first else 0
    return round(max(fuzz.token_sort_ratio(one, other), together, shortened))


def near_numbers(number: str) -> set[str]:
    """All numbers that one wrong digit or two swapped neighbours make of `number`."""
    near = {number[:at] + digit + number[at + 1 :] for at in range(len(number)) for digit in "0123456789"}
    near |= {number[:at] + number[at + 1] + number[at] + number[at + 2 :] for at in range(len(number) - 1)}
    return near - {number}


def swapped(day: date) -> date | None:
    """The date with day and month exchanged, where that is another date."""
    if day.day > 12 or day.day == day.month:
        return None
    return date(day.year, day.day, day.month)


def _may_be_one(one: Identity, other: Identity, name: int, reasons: frozenset[Reason]) -> bool:
    """Whether enough agrees beside the name."""
    near = bool(reasons & {Reason.ONE_DIGIT, Reason.SWAPPED_DIGITS})
    if one.sex != other.sex:  # a slip of the pen at most, and then the rest agrees
        return near and Reason.SAME_BIRTH in reasons
    if Reason.OTHER_NIK in reasons and not (Reason.SAME_BIRTH in reasons and reasons & {Reason.SAME_MOTHER, Reason.SAME_CARD}):
        return False
    return near or _birth_and_more(one, other, name, reasons)


def _birth_and_more(one: Identity, other: Identity, name: int, reasons: frozenset[Reason]) -> bool:
    """The less is sure of the birth, the nearer must the rest be."""
    here = Reason.SAME_VILLAGE in reasons
    if Reason.SAME_CARD in reasons:
        return bool(reasons & {Reason.SAME_BIRTH, Reason.SWAPPED_BIRTH, Reason.SAME_YEAR}) or _birth_unknown(one, other)
    if Reason.SAME_BIRTH in reasons:
        return here or bool(reasons & {Reason.SAME_SUBDISTRICT, Reason.SAME_MOTHER})
    if Reason.SWAPPED_BIRTH in reasons:
        return here
    if Reason.SAME_YEAR in reasons:
        return here and name >= CLOSE
    return here and _birth_unknown(one, other) and _tells_apart(one, other, name, reasons)


def _birth_unknown(one: Identity, other: Identity) -> bool:
    return one.birth_date is None or other.birth_date is None


def _tells_apart(one: Identity, other: Identity, name: int, reasons: frozenset[Reason]) -> bool:
    """Without a date of birth the name must be the same and not of one word only, or the mother known."""
    return name >= SAME and ((" " in one.name and " " in other.name) or Reason.SAME_MOTHER in reasons)


def _reasons_of_name(name: int) -> tuple[Reason, ...]:
    if name < SIMILAR:
        return ()
    return (Reason.SAME_NAME,) if name >= SAME else (Reason.SIMILAR_NAME,)


def _numbers(one: Identity, other: Identity) -> tuple[Reason, ...]:
    card = (Reason.SAME_CARD,) if one.card and one.card == other.card else ()
    if not one.nik or not other.nik or len(one.nik) != len(other.nik):
        return card
    wrong = Hamming.distance(one.nik, other.nik)
    if wrong == 1:
        return (Reason.ONE_DIGIT, *card)
    return (Reason.SWAPPED_DIGITS if wrong == 2 and _is_swap(one.nik, other.nik) else Reason.OTHER_NIK, *card)


def _is_swap(one: str, other: str) -> bool:
    at = next(position for position, digit in enumerate(one) if other[position] != digit)
    return one[at : at + 2] == other[at : at + 2][::-1]


def _birth(one: Identity, other: Identity) -> tuple[Reason, ...]:
    if one.birth_date is None or other.birth_date is None:
        return ()
    if one.birth_date == other.birth_date:
        return (Reason.SAME_YEAR if one.estimated and other.estimated else Reason.SAME_BIRTH,)
    if one.birth_date == swapped(other.birth_date):
        return (Reason.SWAPPED_BIRTH,)
    loose = any(
        who.estimated or (who.birth_date and (who.birth_date.day, who.birth_date.month) == (1, 1)) for who in (one, other)
    )
    return (Reason.SAME_YEAR,) if loose and one.birth_date.year == other.birth_date.year else ()


def _mothers(one: Identity, other: Identity) -> tuple[Reason, ...]:
    if not one.mother or not other.mother:
        return ()
    likeness = name_likeness(one.mother, other.mother)
    if likeness >= SIMILAR:
        return (Reason.SAME_MOTHER,)
    return (Reason.OTHER_MOTHER,) if likeness < OTHER_MOTHER else ()


def _place(one: Identity, other: Identity) -> tuple[Reason, ...]:
    if one.village_code == other.village_code:
        return (Reason.SAME_VILLAGE,)
    same = one.village_code.rpartition(".")[0] == other.village_code.rpartition(".")[0]
    return (Reason.SAME_SUBDISTRICT,) if same else ()
