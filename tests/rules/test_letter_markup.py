"""The language of the office's papers: what it reads, what it refuses and where, and that nothing typed becomes HTML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.letters import placeholders, wordings
from appliance.letters.markup import Known, read
from appliance.letters.markup_html import Content, Grid, to_html
from appliance.letters.wording import from_data, problems_of, read_purposes, read_questions, to_data

KNOWN = Known({"warga.nama", "data.desil"}, {"riwayat"})


def html(text: str, **values: str) -> str:
    blocks, problems = read(text, KNOWN)
    assert problems == ()
    named = {name.replace("_", "."): value for name, value in values.items()}
    return to_html(blocks, Content(named, {"riwayat": Grid(("Waktu",), (("<hari ini>",),))}))


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Satu\ndua\n\ntiga", "<p>Satu<br>dua</p>\n<p>tiga</p>"),
        ("# JUDUL", "<h2>JUDUL</h2>"),
        ("a **b** c", "<p>a <b>b</b> c</p>"),
        ("Halo {warga.nama}.", "<p>Halo A &amp; &lt;b&gt;.</p>"),
        ("Halo { warga.nama }.", "<p>Halo A &amp; &lt;b&gt;.</p>"),
        ("<i>x</i>", "<p>&lt;i&gt;x&lt;/i&gt;</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("> kotak", '<p class="box">kotak</p>'),
        (
            "1. Nama :: {warga.nama}\nDesil :: {data.desil}",
            '<table class="rows"><tr><td>1. Nama</td><td>:</td><td>A &amp; &lt;b&gt;</td></tr>'
            "<tr><td>Desil</td><td>:</td><td>-</td></tr></table>",
        ),
        ("[jika warga.nama]\nya\n[lainnya]\ntidak\n[selesai]", "<p>ya</p>"),
        ("[jika data.desil]\nya\n[lainnya]\ntidak\n[selesai]", "<p>tidak</p>"),
        ("[jika warga.nama]\n[jika data.desil]\nx\n[selesai]\nya\n[selesai]", "\n<p>ya</p>"),
        ("[halaman baru]", '<div class="page-break"></div>'),
        ("[isian 2]", '<p class="blank"></p><p class="blank"></p>'),
    ],
)
def test_what_it_reads(text: str, made: str) -> None:
    assert html(text, warga_nama="A & <b>") == made


def test_a_table_is_escaped_too() -> None:
    assert "<td>&lt;hari ini&gt;</td>" in html("[tabel riwayat]")
    assert html("[tanda tangan A | B]").count("<td>(") == 2
    assert html("[daftar hadir 3]").count('class="tall"') == 3


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a\n{warga.nma}", 2, "{warga.nma} tidak dikenal"),
        ("a {warga.nama", 1, "tidak berpasangan"),
        ("a }", 1, "tidak berpasangan"),
        ("**a", 1, "tebal"),
        ("a\n\n[jika]", 3, "tidak dikenal"),
        ("[jika warga.nama]\na", 1, "tidak ditutup"),
        ("a\n[selesai]", 2, "tanpa [jika"),
        ("[lainnya]", 1, "tanpa [jika"),
        ("[jika warga.nama]\n[lainnya]\n[lainnya]\n[selesai]", 3, "satu kali"),
        ("[isian banyak]", 1, "angka"),
        ("[isian 1000]", 1, "angka"),
        ("[daftar hadir]", 1, "angka"),
        ("[tabel rahasia]", 1, "Tabel “rahasia”"),
        ("[tanda tangan]", 1, "satu sampai tiga"),
        ("[hapus semua]", 1, "tidak dikenal"),
        ("[jika warga.nama", 1, "tidak dikenal"),
        ("x" * 20_001, 1, "terlalu panjang"),
    ],
)
def test_what_it_refuses_and_where(text: str, line: int, why: str) -> None:
    _, problems = read(text, KNOWN)
    first, *_ = problems
    assert (first.line, why in first.text) == (line, True)


def test_all_problems_at_once_in_the_order_of_the_lines() -> None:
    _, problems = read("[jika nama]\n{x}\n**y", KNOWN)
    assert [problem.line for problem in problems] == [1, 1, 2, 3]


@given(st.text(alphabet="<>&\"'[]{}|*#:-.1 ab\n", max_size=80), st.text(alphabet="<>&{}*[]\n\"' ab", max_size=20))
def test_whatever_is_typed_opens_no_tag_of_its_own(text: str, name: str) -> None:
    blocks, problems = read(text, KNOWN)
    if problems:
        return
    made = to_html(blocks, Content({"warga.nama": name}, {}))
    for own in ("p", "b", "br", "h2", "table", "tr", "td", "th", "thead", "tbody", "ul", "ol", "li", "div", "span"):
        made = made.replace(f"<{own}>", "").replace(f"</{own}>", "")
    for own in ('<p class="box">', '<table class="rows">', '<div class="page-break">', '<p class="blank">', '<p class="cut">'):
        made = made.replace(own, "")
    for own in ('<table class="signatures">', '<tr class="room">', '<table class="grid attendance">', '<tr class="tall">'):
        made = made.replace(own, "")
    assert "<" not in made.replace('<td class="position">', "")


@pytest.mark.parametrize("code", sorted(wordings.originals()))
def test_the_documents_that_come_with_the_program(code: str) -> None:
    wording = wordings.originals()[code]
    assert problems_of(wording) == {}
    assert from_data(code, 0, to_data(wording)) == wording
    assert wording.purposes or not wording.numbered


def test_every_document_of_the_office_is_there() -> None:
    kinds = {wording.kind for wording in wordings.originals().values()}
    assert (len(wordings.originals()), kinds) == (23, set(placeholders.KINDS))


def test_a_letter_to_others_cannot_name_the_reporter_or_the_case() -> None:
    for kind in (placeholders.LETTER, placeholders.REFERRAL):
        assert not {name for name in placeholders.known_to(kind, ()).fields if name.startswith("pelapor.")}
    assert not {name for name in placeholders.known_to(placeholders.REFERRAL, ()).fields if name.startswith(("warga.", "kasus."))}


def test_lists_of_a_wording_as_they_are_typed() -> None:
    assert [(one.name, one.days) for one in read_purposes("KIP Kuliah = 90\n\nLain")] == [("KIP Kuliah", 90), ("Lain", 0)]
    assert [(one.code, one.required) for one in read_questions("alasan* = Alasan\nisi = Isi")] == [
        ("alasan", True),
        ("isi", False),
    ]


@pytest.mark.parametrize("typed", ["= 90", "KIP = lama", "KIP = 99999"])
def test_purposes_that_cannot_be_read(typed: str) -> None:
    with pytest.raises(ValueError, match="Baris 2"):
        read_purposes(f"Baik = 1\n{typed}")


@pytest.mark.parametrize("typed", ["Alasan = x", "a = x", "tanpa label =", "ada = lagi"])
def test_questions_that_cannot_be_read(typed: str) -> None:
    with pytest.raises(ValueError, match="Baris 3"):
        read_questions(f"a = A\nada = A\n{typed}")
