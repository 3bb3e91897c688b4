"""Who opened the data of a person or a case."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from appliance.casework import trail
from webui.session import actor, now, signed_in

blueprint = Blueprint("trail", __name__)
ACTIONS: Mapping[str, str] = {
    "lihat": "Membuka data",
    "lihat_jejak": "Membuka jejak ini",
    "lihat-cadangan": "Melihat keadaan dahulu dari cadangan",
    "lihat_mirip": "Melihat data yang mirip",
    "lihat_berkas": "Membuka berkas",
    "ungkap": "Menampilkan NIK atau KK lengkap",
    "cari": "Mencari dengan NIK atau KK",
    "cetak": "Mencetak",
    "kasus": "Langkah kasus",
    "berkas": "Mengubah berkas kasus",
    "rujukan": "Langkah rujukan",
    "surat": "Langkah surat",
    "cetak_surat": "Mencetak atau membuka surat",
    "pratinjau_surat": "Membuka pratinjau surat",
    "lihat_pindaian": "Membuka pindaian surat",
    "cetak_formulir": "Mencetak formulir",
    "periksa_surat": "Surat diperiksa lewat kode QR",
    "cek_status": "Warga mengecek status",
    "telepon": "Mengubah nomor telepon",
    "gabung": "Menggabungkan data",
}
SUBJECTS: Mapping[str, str] = {
    "person": "Warga",
    "family": "Keluarga",
    "case": "Kasus",
    "referral": "Rujukan",
    "visit": "Kunjungan",
    "paper": "Berkas kasus",
    "file": "Berkas warga",
    "letter": "Surat",
}


# What only a program can read.
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@blueprint.app_context_processor
def offer_trail() -> dict[str, object]:
    """For templates: whether this person reads the journal about a subject."""
    return {"may_trail": lambda: actor().has(*trail.READERS)}


@blueprint.get("/warga/<person_id>/jejak")
@signed_in(*trail.READERS)
def of_person(person_id: str) -> ResponseReturnValue:
    """The journal about one resident; `sebelum` goes on below a position."""
    found = trail.trail_of_person(person_id, before=_before(), by=actor(), at=now())
    following = url_for("trail.of_person", person_id=person_id, sebelum=found.following)
    return _page(found, url_for("people.show", person_id=person_id), following)


@blueprint.get("/kasus/<case_id>/jejak")
@signed_in(*trail.READERS)
def of_case(case_id: str) -> ResponseReturnValue:
    """The journal about one case; `sebelum` goes on below a position."""
    found = trail.trail_of_case(case_id, before=_before(), by=actor(), at=now())
    following = url_for("trail.of_case", case_id=case_id, sebelum=found.following)
    return _page(found, url_for("cases.show", case_id=case_id), following)


def _before() -> int | None:
    return request.args.get("sebelum", type=int)


def detail_words(detail: Mapping[str, object]) -> str:
    """What a line of the journal says besides, for people."""
    told = ((name, str(value)) for name, value in detail.items() if isinstance(value, str | int | float))
    return "; ".join(
        f"{name.replace('_', ' ').capitalize()}: {text.replace('_', ' ')}"
        for name, text in told
        if not _IDENTIFIER.fullmatch(text)
    )


def _page(found: trail.Trail, back: str, following: str) -> str:
    return render_template(
        "trail/show.html",
        trail=found,
        back=back,
        following=following,
        actions=ACTIONS,
        subjects=SUBJECTS,
        detail_words=detail_words,
    )
