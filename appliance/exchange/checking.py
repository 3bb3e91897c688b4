"""Reads one row into what can be stored, and says cell by cell what is odd about it.

Pure. What is odd is told and the row is kept; a row is wrong only when nobody could be sure whom it means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from appliance.exchange.formats import Field, Kind, Layout, plain
from appliance.exchange.xlsx import Cell, column_letters
from appliance.registry import nik
from appliance.registry.names import searchable
from appliance.registry.phones import to_stored

NO_NIK = "Belum ada NIK di berkas impor."
BAD_NIK = "NIK di berkas impor tidak sah; tanyakan kepada orangnya."
MONTHS = {
    "jan": 1,
    "feb": 2,
    "peb": 2,
    "mar": 3,
    "apr": 4,
    "mei": 5,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "agu": 8,
    "ags": 8,
    "agt": 8,
    "aug": 8,
    "sep": 9,
    "okt": 10,
    "oct": 10,
    "nop": 11,
    "nov": 11,
    "des": 12,
    "dec": 12,
}
_UNSEEN = dict.fromkeys([*range(0x200B, 0x2010), 0x2060, 0xFEFF, 0x00AD, *range(32), 127], None) | {
    0xA0: " ",
    9: " ",
    10: " ",
    13: " ",
}
_BY_DAY = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?: [\d:.]+)?")
_BY_YEAR = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][\d:.]+)?")
_BY_NAME = re.compile(r"(?:\w+, ?)?(\d{1,2})[- ]([a-z]{3,9})\.?[- ](\d{4})", re.IGNORECASE)
_BY_EXCEL = re.compile(r"\d[\d.,]*[eE]\+?\d+")
_EXCEL_ZERO = date(1899, 12, 30)
EMPTY = frozenset({"", "-", "--", "0", "n/a", "null", "none", "#n/a"})


@dataclass(frozen=True)
class Finding:
    """What is odd about a cell: where, what stands there (numbers of people masked), why, and what to do."""

    cell: str
    value: str
    reason: str
    advice: str = ""

    def stored(self) -> list[str]:
        """As it is kept with the row."""
        return [self.cell, self.value, self.reason, self.advice]


@dataclass
class Line:
    """A row that was read. `values` is by the keys of the layout's fields; `wrong` rows are not stored."""

    number: int
    values: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    wrong: bool = False
    # As they stand in the file, for what is read only once it is known whom the row means.
    cells: Sequence[Cell] = ()

    @property
    def name(self) -> str:
        """For the report."""
        return str(self.values.get("name", ""))[:60]


class Odd(Exception):
    """A cell that cannot be taken as it is. `wrong`: nor can its row."""

    def __init__(self, reason: str, advice: str = "", *, wrong: bool = False, instead: Any = None) -> None:
        super().__init__(reason)
        self.reason, self.advice, self.wrong, self.instead = reason, advice, wrong, instead


class Checker:
    """Reads the rows of one file. `knows_area` is asked for the codes of provinces, districts and subdistricts."""

    def __init__(self, layout: Layout, mapping: Mapping[str, int], today: date, knows_area: Callable[[str], bool]) -> None:
        self._today, self._knows_area, self._layout = today, knows_area, layout
        self._columns = {key: column_letters(index) for key, index in mapping.items()}
        fields = [one for one in layout.fields if one.key in mapping and one.kind is not Kind.ANSWER]
        self._plan = [(mapping[one.key], one.key, one, self._reader(one)) for one in fields if one.key != "nik"]
        self._nik = mapping.get("nik")

    def read(self, number: int, cells: Sequence[Cell]) -> Line:
        """One row. Its NIK comes last, for it is compared with the sex and the day of birth."""
        line = Line(number)
        values, width = line.values, len(cells)
        for index, key, what, reader in self._plan:
            cell = cells[index] if index < width else None
            if cell is None:
                continue
            try:
                value = reader(cell, what)
            except Odd as odd:
                self._note(line, key, cell, odd)
                value = odd.instead
            if value is not None and value != "":
                values[key] = value
        self._read_nik(line, cells[self._nik] if self._nik is not None and self._nik < width else None)
        self._look_over(line)
        return line

    def _look_over(self, line: Line) -> None:
        """What the row needs as a whole."""
        values = line.values
        if self._layout.households:
            if not {"kk", "outside_id"} & values.keys() and not line.wrong:
                by_card = "kk" in self._columns
                lacks = "Nomor KK kosong." if by_card else "Nomor survei (IDBDT) kosong."
                self._note(
                    line, "kk" if by_card else "outside_id", None, Odd(lacks, "Isi di berkasnya, lalu unggah lagi.", wrong=True)
                )
            return
        if self._layout.only_known:
            self._must_be_known(line)
            return
        if not searchable(values.get("name", "")):
            self._note(line, "name", values.get("name"), Odd("Nama kosong.", "Isi nama lengkap, lalu unggah lagi.", wrong=True))
        if "sex" not in values:
            guessed = _sex_of(values.get("nik"))
            advice = "" if guessed else "Isi L atau P, lalu unggah lagi."
            reason = "Jenis kelamin kosong; diambil dari NIK." if guessed else "Jenis kelamin tidak diketahui."
            self._note(line, "sex", None, Odd(reason, advice, wrong=not guessed))
            values["sex"] = guessed
        age = values.pop("age", None)
        if age is not None and "birth_date" not in values:
            values["birth_date"], values["birth_date_estimated"] = date(self._today.year - age, 7, 1), True

    def _must_be_known(self, line: Line) -> None:
        """For lists of people who are registered: something to find her by."""
        values = line.values
        values.setdefault("name", "")
        if "nik" not in values and not (values["name"] and "birth_date" in values):
            advice = "Isi NIK, atau nama dengan tempat dan tanggal lahir."
            self._note(line, "nik", None, Odd("Orang ini tidak dapat dikenali.", advice, wrong=True))

    def _read_nik(self, line: Line, cell: Cell) -> None:
        values = line.values
        try:
            digits = _digits(cell, "NIK") if cell is not None else ""
        except Odd as odd:
            self._note(line, "nik", cell, odd)
            digits = ""
        if not digits.strip("0"):
            values["nik_reason"] = NO_NIK
            return
        check = nik.check_nik(digits, sex=values.get("sex", ""), birth_date=values.get("birth_date"), knows_area=self._knows_area)
        if check.wrong:
            reason = check.wrong[0].replace("yang diketik", "di berkas")
            self._note(line, "nik", cell, Odd(reason, "Diimpor tanpa NIK; lengkapi setelah melihat KTP-nya."))
            values["nik_reason"] = BAD_NIK
            return
        values["nik"], values["nik_doubts"] = check.digits, check.doubts
        for doubt in check.doubts:
            line.findings.append(
                Finding(self._place(line, "nik"), nik.mask(check.digits), doubt, "Cocokkan dengan KTP bila orangnya datang.")
            )

    def _note(self, line: Line, key: str, cell: Cell, odd: Odd) -> None:
        shown = "" if cell is None else masked(shown_text(cell))
        line.findings.append(Finding(self._place(line, key), shown, odd.reason, odd.advice))
        line.wrong = line.wrong or odd.wrong

    def _place(self, line: Line, key: str) -> str:
        return f"{self._columns[key]}{line.number}" if key in self._columns else f"baris {line.number}"

    def _reader(self, what: Field) -> Callable[[Cell, Field], Any]:
        return {
            Kind.NAME: _read_name,
            Kind.TEXT: _read_text,
            Kind.VILLAGE: _read_text,
            Kind.KK: _read_card,
            Kind.HOME: _read_home_card,
            Kind.DATE: self._read_date,
            Kind.SEX: _read_choice,
            Kind.CODE: _read_choice,
            Kind.UNIT: _read_unit,
            Kind.NUMBER: _read_number,
            Kind.AGE: _read_age,
            Kind.DECILE: _read_decile,
            Kind.PHONE: _read_phone,
        }[what.kind]

    def _read_date(self, cell: Cell, what: Field) -> date | None:
        found = read_day(cell)
        if found and not date(1900, 1, 1) <= found <= self._today:
            raise Odd("Tanggal lahir tidak mungkin.", "Diimpor tanpa tanggal lahir; perbaiki di berkas atau di data warganya.")
        return found


def clean(cell: Cell) -> str:
    """The text of a cell without what cannot be seen, without the apostrophe that keeps numbers as text."""
    text = shown_text(cell)
    if text.isascii() and text.isprintable():
        if text.isalnum():
            return text
        return (" ".join(text.split()) if "  " in text else text.strip()).lstrip("'`").strip()
    return " ".join(text.translate(_UNSEEN).split()).lstrip("'`’").strip()


def shown_text(cell: Cell) -> str:
    """A cell as text, as a person would read it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, datetime):
        return cell.strftime("%d-%m-%Y")
    return "" if cell is None else str(cell)


def read_day(cell: Cell) -> date | None:
    """The day a cell means: a date, its serial number, or text such as 12-06-1980, 12/06/1980, 12 Juni 1980. Raises Odd."""
    if isinstance(cell, datetime):
        return cell.date()
    text = clean(cell)
    if text.lower() in EMPTY or text in {"00-00-0000", "0000-00-00"}:
        return None
    if text.isdigit() and 366 <= int(text) <= 60_000:
        return _EXCEL_ZERO + timedelta(days=int(text))
    if found := _BY_DAY.fullmatch(text):
        return _day(int(found[3]), int(found[2]), int(found[1]), text)
    if found := _BY_YEAR.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]), text)
    if (found := _BY_NAME.fullmatch(text)) and found[2][:3].lower() in MONTHS:
        return _day(int(found[3]), MONTHS[found[2][:3].lower()], int(found[1]), text)
    raise Odd(f"Tanggal “{text[:30]}” tidak terbaca.", "Tulis sebagai tanggal Excel atau hari-bulan-tahun, contoh 12-06-1980.")


def _day(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        swapped = month > 12 >= day
        reason = f"Tanggal “{text}” tidak ada di kalender" + ("; hari dan bulannya tertukar?" if swapped else ".")
        raise Odd(reason, "Perbaiki tanggalnya: hari dahulu, lalu bulan.") from None


def _digits(cell: Cell, what: str) -> str:
    """A long number out of a cell, unless a spreadsheet has spoilt it."""
    text = (f"{cell:.0f}" if cell.is_integer() else str(cell)) if isinstance(cell, float) else clean(cell)
    if _BY_EXCEL.fullmatch(text) or (isinstance(cell, int | float) and len(text) == nik.LENGTH and text.endswith("0")):
        lost = "angka terakhirnya hilang" if "e" not in text.lower() else "hanya tersisa beberapa angka depannya"
        raise Odd(
            f"{what} rusak oleh Excel: {lost}.", "Jadikan kolomnya Teks, ketik ulang dari kartunya, lalu unggah lagi.", wrong=True
        )
    return "" if text.lower() in EMPTY else re.sub(r"[\s.\-'’`]", "", text)


def _read_card(cell: Cell, what: Field) -> str | None:
    try:
        digits = _digits(cell, what.label)
    except Odd as odd:
        raise Odd(odd.reason, "Diimpor tanpa keluarga; perbaiki kolomnya bila keluarganya penting.") from None
    if not digits.strip("0"):
        return None
    check = nik.check_kk(digits)
    if check.wrong:
        raise Odd(check.wrong[0].replace("yang diketik", "di berkas"), "Diimpor tanpa keluarga; lengkapi setelah melihat KK-nya.")
    return check.digits


def _read_home_card(cell: Cell, what: Field) -> str | None:
    try:
        return _read_card(cell, what)
    except Odd as odd:
        raise Odd(odd.reason, "Perbaiki nomor KK di berkasnya, lalu unggah lagi.", wrong=True) from None


def _read_name(cell: Cell, what: Field) -> str:
    text = clean(cell)
    if len(text) > what.longest:
        raise Odd(f"Nama lebih dari {what.longest} huruf.", "Periksa apakah kolomnya benar.", wrong=True)
    return text


def _read_text(cell: Cell, what: Field) -> str:
    text = clean(cell)
    if what.longest and len(text) > what.longest:
        raise Odd(
            f"{what.label} lebih dari {what.longest} huruf; dipotong.", "Singkatkan di berkasnya.", instead=text[: what.longest]
        )
    return "" if text in {"-", "--"} else text


def _read_choice(cell: Cell, what: Field) -> str | None:
    text = clean(cell)
    found = what.choices.get(text) or what.choices.get(plain(text))
    if found is None and text.lower() not in EMPTY:
        raise Odd(f"{what.label} “{text[:30]}” tidak dikenal.", "Dibiarkan kosong; pakai kode atau kata dari lembar kode.")
    return found


def _read_unit(cell: Cell, what: Field) -> str:
    text = clean(cell)
    if text in {"-", ""}:
        return ""
    if not text.isdigit():
        raise Odd(f"{what.label} “{text[:10]}” bukan angka.", "Dipakai tiga huruf pertamanya.", instead=text[:3])
    return text.lstrip("0").zfill(3)[:3]


def _read_number(cell: Cell, what: Field) -> float | None:
    text = clean(cell).replace(",", ".")
    if text in EMPTY:
        return None
    try:
        found = float(text)
    except ValueError:
        found = 999.0
    if not -180 <= found <= 180:
        raise Odd(f"{what.label} “{text[:20]}” bukan koordinat.", "Dibiarkan kosong.")
    return found


def _read_age(cell: Cell, what: Field) -> int | None:
    text = clean(cell)
    return int(text) if text.isdigit() and int(text) < 120 else None


def _read_decile(cell: Cell, what: Field) -> int | None:
    text = clean(cell).lower().removeprefix("desil").strip()
    if text in EMPTY:
        return None
    if not text.isdigit() or not 1 <= int(text) <= 10:
        raise Odd(f"Desil “{text[:20]}” bukan 1 sampai 10.", "Periksa kolomnya; desil tidak pernah dihitung di sini.")
    return int(text)


def _read_phone(cell: Cell, what: Field) -> str:
    text = clean(cell)
    if text.lower() in EMPTY:
        return ""
    # A number cell has lost the zero it began with.
    found = to_stored(text) or (to_stored(f"0{text}") if text.startswith("8") else None)
    if found is None:
        raise Odd(f"Nomor telepon “{text[:20]}” tidak terbaca.", "Dibiarkan kosong; tulis satu nomor, contoh 0812-3456-7890.")
    return found


def _sex_of(digits: str | None) -> str:
    return "" if not digits else "P" if int(digits[6:8]) > 40 else "L"


def masked(text: str) -> str:
    """What may stand in a report: no whole number of a person."""
    text = text[:60]
    return re.sub(r"\d{10,}", lambda found: nik.mask(found[0]), text)
