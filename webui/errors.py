"""One place where an error becomes a page: its kind gives the status, its message and hint are what is read.

What was typed is not lost: the page shows it again and can send it once more. Passwords are never shown.
"""

from __future__ import annotations

import errno
import secrets
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Flask, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from appliance.accounts import TooManyAttempts
from appliance.errors import ApplianceError, Conflict, InvalidInput, NotAllowed, NotFound, TryLater
from webui import drafts
from webui.security import SAFE_METHODS, comes_from_here

# The first kind that fits counts.
STATUS: tuple[tuple[type[ApplianceError], int], ...] = (
    (InvalidInput, 422),
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (TooManyAttempts, 429),
    (TryLater, 503),
)
RETRY_SECONDS = 30
SECRET_FIELDS = frozenset({"password", "current", "new", "again", "csrf_token"})

# What the framework itself refuses: status → title, what happened, what to do.
REFUSALS: dict[int, tuple[str, str, str]] = {
    400: (
        "Permintaan tidak dapat dibaca",
        "Peramban mengirim permintaan yang tidak lengkap.",
        "Muat ulang halaman, lalu coba lagi.",
    ),
    404: ("Halaman tidak ditemukan", "Alamat ini tidak ada, atau bukan untuk Anda.", "Mulailah lagi dari Beranda."),
    405: ("Cara ini tidak dilayani", "Halaman ini tidak dapat dibuka dengan cara itu.", "Mulailah lagi dari Beranda."),
    413: (
        "Kiriman terlalu besar",
        "Berkas atau isian melebihi batas ukuran.",
        "Perkecil fotonya atau kirim lebih sedikit sekaligus.",
    ),
}
TITLES: dict[int, str] = {
    403: "Tidak berwenang",
    404: "Tidak ditemukan",
    409: "Sudah berubah",
    422: "Isian belum benar",
    429: "Tunggu sebentar",
    503: "Belum dapat dilayani",
}


def install(app: Flask) -> None:
    """Let `app` answer errors with pages."""
    app.register_error_handler(ApplianceError, _known)
    app.register_error_handler(CSRFError, _foreign_form)
    app.register_error_handler(HTTPException, _refusal)
    app.register_error_handler(Exception, _unknown)


def _known(error: ApplianceError) -> Response:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    if status == 500:
        return _incident(error, error.message, error.hint)
    problems = error.problems if isinstance(error, InvalidInput) else {}
    response = page(status, TITLES[status], error.message, error.hint, problems=problems)
    if status in {429, 503}:
        wait = getattr(error, "wait", None) or timedelta(seconds=RETRY_SECONDS)
        response.headers["Retry-After"] = str(-(-wait // timedelta(seconds=1)))
    return response


def _foreign_form(error: CSRFError) -> Response:
    return page(
        403,
        "Formulir tidak berlaku lagi",
        "Formulir ini dibuka sebelum Anda masuk, atau berasal dari tempat lain, sehingga tidak disimpan.",
        "Periksa isian di bawah ini, lalu simpan lagi." if comes_from_here() else "Buka halamannya dari menu, lalu isi lagi.",
    )


def _refusal(error: HTTPException) -> Response:
    code = error.code or 500
    if error.response is not None or code < 400:
        return make_response(error.get_response())
    phrase = HTTPStatus(code).phrase if code in list(HTTPStatus) else str(code)
    if code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and getattr(request, "words_only", False):
        return _too_large()
    title, text, hint = REFUSALS.get(
        code, ("Permintaan ditolak", f"Server menolak permintaan ini ({phrase}).", "Mulailah lagi dari Beranda.")
    )
    response = page(code, title, text, hint)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _too_large() -> Response:
    """More files than the form takes: nothing is stored of them, but what was typed is kept as a draft where there is one."""
    title, text, hint = REFUSALS[413]
    kept = drafts.keep_typed()
    if kept is None:
        return page(413, title, text, hint)
    again = "Isian Anda tersimpan sebagai draf. Lanjutkan isian itu, lalu pilih lebih sedikit foto; sisanya dapat ditambahkan kemudian."
    return page(413, title, f"{text} Foto yang dikirim belum tersimpan.", again, kept=kept)


def _unknown(error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        full = "Penyimpanan server penuh; kiriman terakhir belum tersimpan, yang lain tidak berubah."
        return _incident(error, full, "Beri tahu admin: kosongkan disk server, lalu kirim lagi.")
    return _incident(
        error,
        "Terjadi kesalahan di dalam sistem. Data yang sudah tersimpan tidak berubah.",
        "Coba lagi sekali. Bila terulang, sampaikan nomor kejadian ini kepada admin.",
    )


def _incident(error: Exception, text: str, hint: str) -> Response:
    """A number that the officer can read over the telephone and the admin finds in the journal. The path is not logged
    with its question mark: it may hold what was searched for."""
    number = secrets.token_hex(3).upper()
    current_app.logger.error("incident %s: %s %s", number, request.method, request.path, exc_info=error)
    return page(500, "Kesalahan sistem", text, hint, incident=number)


def session_ended() -> Response:
    """For a form that was sent after the session ended: nothing is stored and nothing lost."""
    return page(
        401,
        "Sesi Anda sudah berakhir",
        "Isian belum disimpan karena Anda harus masuk lagi.",
        "Masuklah lagi di tab baru, kembali ke halaman ini, lalu tekan Simpan lagi." if comes_from_here() else "Masuklah lagi.",
        sign_in=True,
    )


def page(status: int, title: str, text: str, hint: str, **more: Any) -> Response:
    """An error page of our own look, with what was typed."""
    typed = [] if more.get("kept") else kept_fields()
    again = bool(typed) and status in {401, 403, 429, 500, 503} and comes_from_here()
    return make_response(
        render_template("error.html", title_text=title, text=text, hint=hint, typed=typed, again=again, **more), status
    )


def kept_fields() -> list[tuple[str, str]]:
    """What was typed into the form of this request, without secrets."""
    if request.method in SAFE_METHODS:
        return []
    try:
        form = request.form
    except HTTPException:  # too big to be read
        return []
    if SECRET_FIELDS - {"csrf_token"} & set(form):
        return []
    return [(name, value) for name in form if name not in SECRET_FIELDS for value in form.getlist(name)]
