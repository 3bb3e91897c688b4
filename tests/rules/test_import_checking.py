"""One row of a handed-over list: what is read out of its cells, and what is said about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from appliance.exchange.checking import Checker, Line, Odd, clean, read_day
from appliance.exchange.formats import LAYOUTS, plain
from appliance.exchange.formats.opensid import COLUMNS as KNOWN
from appliance.exchange.mapping import headings_of, problems_of, propose, recognise, signature_of
from tests.support.opensid import CHILD, COLUMNS, HEAD, WIFE

TODAY = date(2026, 11, 20)
OPENSID = LAYOUTS["opensid"]


def read(**changes: Any) -> Line:
    """A row of OpenSID's sheet with some cells changed; it is row 2."""
    row = HEAD | changes
    mapping = propose([plain(column) for column in COLUMNS], OPENSID)
    checker = Checker(OPENSID, mapping, TODAY, {"73", "73.03", "73.03.01"}.__contains__)
    return checker.read(2, [row.get(column) or None for column in COLUMNS])


def said(line: Line) -> list[tuple[str, str]]:
    return [(finding.cell, finding.reason) for finding in line.findings]


def test_the_published_columns_are_all_there_in_their_order() -> None:
    assert tuple(COLUMNS) == KNOWN
    assert len(KNOWN) == 43


def test_a_good_row_says_nothing() -> None:
    line = read()
    assert (line.wrong, line.findings) == (False, [])
    assert (line.values["rw"], line.values["education"], line.values["marital_status"]) == ("001", "5", "2")


@pytest.mark.parametrize(
    ("column", "cell", "key", "value"),
    [
        ("sex", "lk", "sex", "L"),
        ("sex", "Pr", "sex", "P"),
        ("sex", " laki-laki ", "sex", "L"),
        ("kk_level", "KEPALA  KELUARGA", "relation", "1"),
        ("kk_level", "Famili Lain", "relation", "9"),
        ("agama_id", "KATHOLIK", "religion", "3"),
        ("pendidikan_kk_id", "TIDAK / BLM SEKOLAH", "education", "1"),
        ("pendidikan_kk_id", "Strata-II", "education", "9"),
        ("pekerjaan_id", "PETANI / PEKEBUN", "occupation", "9"),
        ("pekerjaan_id", "APARATUR SIPIL NEGARA (ASN)", "occupation", "5"),
        ("status_kawin", "CM", "marital_status", "4"),
        ("status_dasar", "PINDAH DALAM NEGERI", "status", "pindah"),
        ("id_asuransi", 3, "insurance", "mandiri"),
        ("no_kk", "7303 0120 0508 0003", "kk", "7303012005080003"),
        ("nama", "\u200bSITTI\u00a0 AMINAH\ufeff", "name", "SITTI AMINAH"),
        ("dusun", "'Kampung  Beru", "hamlet", "Kampung Beru"),
        ("rt", 7, "rt", "007"),
        ("tanggallahir", datetime(1975, 6, 12), "birth_date", date(1975, 6, 12)),  # noqa: DTZ001 - as a cell holds it
        ("lat", "-5,54", "latitude", -5.54),
        ("nama_ayah", "-", "father_name", None),
    ],
)
def test_codes_and_words_are_read_as_villages_write_them(column: str, cell: Any, key: str, value: Any) -> None:
    line = read(**{column: cell})
    assert line.values.get(key) == value
    assert [place for place, _ in said(line) if place != "G2"] == [], "nothing but what her NIK tells of her"


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("12 Juni 2026", date(2026, 6, 12)),
        ("12/06/1980", date(1980, 6, 12)),
        ("'12-06-1980", date(1980, 6, 12)),
        ("1980-06-12", date(1980, 6, 12)),
        ("1980-06-12 00:00:00", date(1980, 6, 12)),
        ("Senin, 3 Agt 1981", date(1981, 8, 3)),
        ("3-Okt-1981", date(1981, 10, 3)),
        (29384, date(1980, 6, 12)),
        ("00-00-0000", None),
        ("-", None),
    ],
)
def test_days_are_read_in_every_usual_form(cell: Any, day: date | None) -> None:
    assert read_day(cell) == day


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("06/25/1980", "tertukar"),
        ("31-02-1980", "tidak ada di kalender"),
        ("besok", "tidak terbaca"),
        ("1-1-80", "tidak terbaca"),
    ],
)
def test_days_that_are_none_say_why(cell: str, reason: str) -> None:
    with pytest.raises(Odd, match=reason):
        read_day(cell)


@pytest.mark.parametrize(
    ("column", "cell", "place", "reason", "wrong"),
    [
        ("nik", "7.30301E+15", "G2", "rusak oleh Excel: hanya tersisa", True),
        ("nik", 7303011206750010, "G2", "angka terakhirnya hilang", True),
        ("nik", "730301120675000", "G2", "di berkas 15 angka", False),
        ("nik", "8788888888888456", "G2", "tidak dikenal", False),
        ("nik", "7303011206760001", "G2", "Tanggal lahir berbeda", False),
        ("no_kk", "7.303E+15", "F2", "Nomor KK rusak oleh Excel", False),
        ("no_kk", "123", "F2", "di berkas 3 angka", False),
        ("nama", "  ", "E2", "Nama kosong", True),
        ("sex", "", "H2", "diambil dari NIK", False),
        ("sex", "x", "H2", "tidak dikenal", False),
        ("agama_id", "Yedi", "K2", "Agama “Yedi” tidak dikenal", False),
        ("tanggallahir", "12-06-2075", "J2", "tidak mungkin", False),
        ("alamat", "A" * 301, "A2", "dipotong", False),
        ("rt", "tiga", "D2", "bukan angka", False),
    ],
)
def test_what_is_odd_is_told_with_its_cell(column: str, cell: Any, place: str, reason: str, wrong: bool) -> None:
    line = read(**{column: cell})
    assert line.wrong is wrong
    assert any(where == place and reason in why for where, why in said(line)), said(line)


def test_no_report_shows_a_whole_number_of_a_person() -> None:
    line = read(nik="7303011206760001", no_kk="73030120050800031")
    assert [finding.value for finding in line.findings] == ["730301•••••••••••", "730301••••••••••"]


@pytest.mark.parametrize("cell", ["0", 0, "", "-", None, "0000000000000000"])
def test_an_unknown_nik_is_none_with_a_reason(cell: Any) -> None:
    line = read(nik=cell)
    assert "nik" not in line.values
    assert line.values["nik_reason"]
    assert not line.wrong


def test_a_number_that_kept_its_last_digit_is_believed() -> None:
    assert read(nik=7303011206750001).values["nik"] == "7303011206750001"


def test_a_sheet_is_recognised_wherever_its_headings_are() -> None:
    titled: list[tuple[int, list[Any]]] = [(1, ["DATA PENDUDUK DESA"]), (3, list(COLUMNS)), (4, list(WIFE.values()))]
    found = recognise(titled)
    assert found is not None
    assert (found.layout, found.header_row, found.sure, found.mapping["nik"]) == ("opensid", 3, True, 6)
    assert recognise([(1, [1, 2, 3]), (2, ["a", None])]) is None


@pytest.mark.parametrize(
    ("headings", "layout", "mapped"),
    [
        (
            "No|NO KK|NIK|Nama Penerima|Alamat|Desa/Kelurahan|Desil",
            "daftar_nasional",
            {"kk": 1, "nik": 2, "name": 3, "village": 5, "decile": 6},
        ),
        (
            "idbdt|kdprop|kdkab|kdkec|kddesa|Nama|NIK|Hub_KRT|JnsKel|Umur",
            "bdt",
            {"village": 4, "relation": 7, "sex": 8, "age": 9},
        ),
        ("NIK|Nama|Hubungan dengan kepala keluarga|Tgl Lahir", "regsosek", {"relation": 2, "birth_date": 3}),
        ("Desil|No KK|Nama KRT|Sta_bangunan|Luas_lantai|Lantai", "bdt_keluarga", {"kk": 1, "bdt-2015.303": 5}),
        (
            "No KK|Kode kartu keluarga|301a|302|Jenis dinding terluas",
            "regsosek_keluarga",
            {"kk": 0, "regsosek-2022k-keluarga.304": 4},
        ),
        ("No KK|Nama|Sta_bangunan|Luas_lantai|Lantai", "warga", {"kk": 0, "name": 1}),
        ("No KK|301a|301b|302|303", "warga", {"kk": 0}),
        ("No KK|Sta_bangunan|Luas_lantai", "warga", {"kk": 0}),
        ("IDBDT|Sta_bangunan|Luas_lantai|Lantai", "bdt_keluarga", {"outside_id": 0, "bdt-2015.303": 3}),
        ("Sta_bangunan|Luas_lantai|Lantai", "warga", {}),
        ("nama lengkapp|N I K|tanggal  lahir", "warga", {"name": 0, "nik": 1, "birth_date": 2}),
    ],
)
def test_other_lists_are_recognised_by_their_headings(headings: str, layout: str, mapped: dict[str, int]) -> None:
    found = recognise([(1, list(headings.split("|")))])
    assert found is not None
    assert found.layout == layout
    assert mapped.items() <= found.mapping.items()


def test_survey_blanks_count_relations_in_their_own_way() -> None:
    layout = LAYOUTS["bdt"]
    checker = Checker(layout, {"name": 0, "relation": 1, "sex": 2, "age": 3}, TODAY, lambda _: True)
    values = checker.read(5, ["Baso", "3", "1", "40"]).values
    assert (values["relation"], values["birth_date"], values["birth_date_estimated"]) == ("4", date(1986, 7, 1), True)


def test_a_mapping_needs_somebody_to_be_known_by() -> None:
    assert set(problems_of({}, OPENSID)) == {"name", "nik"}
    assert set(problems_of({"name": 1, "nik": 1}, OPENSID)) == {"name", "nik"}
    assert problems_of({"name": 0, "birth_date": 1}, OPENSID) == {}


def test_the_mapping_screen_shows_no_whole_number() -> None:
    (column,) = headings_of([(1, ["NIK"]), (2, ["7303011206750001"])], 1)
    assert column.samples == ("730301••••••••••",)
    assert signature_of(["N.I.K", "Nama", ""]) == signature_of(["nik", "NAMA"])


def test_a_child_without_number_keeps_her_place() -> None:
    assert clean("\u2060'" + str(CHILD["nama"])) == "NURUL HIDAYAH"
