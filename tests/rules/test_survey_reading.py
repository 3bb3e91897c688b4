"""Which answers the cells of a survey's sheet mean, and what is told of those that mean none."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.exchange.formats import LAYOUTS, plain
from appliance.exchange.mapping import propose
from appliance.exchange.survey_reading import HEALTH_NOT_KEPT, SurveyReader
from appliance.registry.instruments import instrument

BDT, REGSOSEK = LAYOUTS["bdt"], LAYOUTS["regsosek"]


def read(layout: Any, row: dict[str, Any], *, health: bool = True) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The answers to both blanks, and the findings: cell and the beginning of the reason."""
    mapping = propose([plain(heading) for heading in row], layout)
    filled = SurveyReader(layout, mapping).read(7, list(row.values()), health=health)
    answers = {code: answer for one in filled for code, answer in one.answers.items()}
    return answers, [(finding.cell, finding.reason) for one in filled for finding in one.findings]


@pytest.mark.parametrize(
    ("row", "answers"),
    [
        ({"Sta_bangunan": 1}, {"301a": "1"}),
        ({"Sta_bangunan": "05"}, {"301a": "5"}),
        ({"Sta_bangunan": "Milik  Sendiri"}, {"301a": "1"}),
        ({"Sta_bangunan": "1. Milik sendiri"}, {"301a": "1"}),
        ({"Sta_bangunan": "0", "Lantai": "", "Atap": None, "Dinding": "-"}, {}),
        ({"Lantai": 10, "Luas_lantai": 36}, {"302": 36, "303": "10"}),
        ({"Luas_lantai": "1.200"}, {"302": 1200}),
        # every second asset is printed with 3 for yes and 4 for no
        ({"Ada_tabung_gas": 1, "Ada_lemari_es": 3, "Ada_ac": 2, "Ada_pemanas": 4}, {"501a": "1", "501b": "1", "501c": "2", "501d": "2"}),
        ({"Sumber_penerangan": 3, "Daya": 0}, {"309a": "3"}),
        ({"Aset_tak_bergerak": 2, "Luas_atb": 0}, {"503a": "2"}),
        ({"Aset_tak_bergerak": 1, "Luas_atb": 0}, {"503a": "1", "503a2": 0}),
        ({"Jumlah_sapi": 0}, {"504a": 0}),
        ({"Ada_kartu_identitas": 5}, {"412": ["1", "4"]}),
        ({"Ada_kartu_identitas": 0}, {"412": ["0"]}),
        ({"Ada_kartu_identitas": "Akta kelahiran; KTP"}, {"412": ["1", "4"]}),
        ({"301a. Status penguasaan bangunan tempat tinggal": 2}, {"301a": "2"}),
        ({"r414": 3}, {"414": "3"}),
    ],
)  # fmt: skip
def test_what_cells_of_bdt_mean(row: dict[str, Any], answers: dict[str, Any]) -> None:
    assert read(BDT, row) == (answers, [])


@pytest.mark.parametrize(
    ("row", "answers", "cell", "said"),
    [
        ({"Sta_bangunan": 9, "Lantai": 1}, {"303": "1"}, "A7", "Pertanyaan 301a: Pilih satu jawaban"),
        ({"Luas_lantai": 36.5}, {}, "A7", "Pertanyaan 302: Tulis angka bulat"),
        ({"Luas_lantai": "36.5"}, {}, "A7", "Pertanyaan 302: Tulis angka bulat"),
        ({"Luas_lantai": "36 m2"}, {}, "A7", "Pertanyaan 302: Tulis angka bulat"),
        ({"Lantai": 1, "Jumlah_sapi": -2}, {"303": "1"}, "B7", "Pertanyaan 504a: Tulis angka bulat"),
        ({"Ada_kartu_identitas": 16}, {}, "A7", "Pertanyaan 412: Pilih jawaban dari daftar"),
        ({"Ada_kartu_identitas": "0, 4"}, {}, "A7", "Pertanyaan 412: “Tidak memiliki” tidak dapat dipilih bersama"),
        ({"Sumber_penerangan": 3, "Daya": 1}, {"309a": "3"}, "B7", "Pertanyaan 309b: Hanya diisi bila 309a"),
        ({"Sta_bangunan": 3, "Ada_tabung_gas": 5}, {"301a": "3"}, "B7", "Pertanyaan 501a: Pilih satu jawaban"),
    ],
)
def test_what_is_not_understood_is_told_by_cell_and_the_rest_kept(
    row: dict[str, Any], answers: dict[str, Any], cell: str, said: str
) -> None:
    found, findings = read(BDT, row)
    assert found == answers
    assert [(place, reason.startswith(said)) for place, reason in findings] == [(cell, True)]


def test_health_is_for_those_with_the_right() -> None:
    row = {"Jenis_cacat": 2, "Sta_bekerja": 1}
    assert read(BDT, row) == ({"414": "2", "420": "1"}, [])
    assert read(BDT, row, health=False) == ({"420": "1"}, [("baris 7", HEALTH_NOT_KEPT)])
    mapping = propose(["jeniscacat"], BDT)
    (wrong,) = SurveyReader(BDT, mapping).read(7, [99], health=True)
    assert (wrong.findings[0].cell, wrong.findings[0].value) == ("A7", ""), "what is wrong about health is not repeated"
    assert read(BDT, row | {"Jenis_cacat": ""}, health=False) == ({"420": "1"}, [])


def test_regsosek_goes_by_the_numbers_and_words_of_its_blank() -> None:
    row = {
        "NIK": "1", "Hubungan dengan Kepala Keluarga": 3, "412. Partisipasi sekolah": 2, "413": 8, "431a": 9, "301a": 1,
        "Jenis dinding terluas": "Tembok", "424": "1;10",
    }  # fmt: skip
    answers, findings = read(REGSOSEK, row)
    assert answers == {"409": "3", "412": "2", "413": "8", "431a": ["1", "8"], "301a": "1", "304": "1"}
    assert [reason[:35] for _, reason in findings] == ["Pertanyaan 424: Hanya diisi bila 42"]


def test_every_question_of_a_layout_is_one_of_its_blanks() -> None:
    for layout in (BDT, REGSOSEK):
        asked = {f"{code}.{one.code}" for code, version in layout.blanks for one in instrument(code, version).questions()}
        assert layout.questions == asked
        headings = [plain(name) for field in layout.fields if field.key in asked for name in field.names[:1]]
        found = {key: index for key, index in propose(headings, layout).items() if key in asked}
        assert len(found) == len(set(headings)), "no question takes the column of another"
