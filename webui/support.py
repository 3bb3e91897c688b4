"""The page of the support file: ask for one, read all of it, and take it away."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from appliance.errors import NotFound
from appliance.models.roles import Role
from appliance.support import order, packing
from webui.backups import size_words
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("support", __name__)
NOTHING = ("Belum ada berkas dukungan.", "Tekan Buat berkas dukungan, lalu tunggu satu menit.")


@blueprint.get("/mesin/dukungan")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """The newest file, section by section; the page loads itself anew while one is being made."""
    file, waiting = packing.newest(packing.shelf_of(settings())), order.is_under_way(settings())
    try:
        texts = packing.unpack(file) if file else {}
    except OSError:
        file, texts = None, {}
    wanted = request.args.get("bagian", packing.README)
    return render_template(
        "hardware/support.html",
        name=file.name if file else "",
        size=size_words(file.stat().st_size) if file else "",
        texts=texts,
        wanted=wanted if wanted in texts else packing.README,
        waiting=waiting,
        unfinished=order.read_unfinished(settings()),
    )


@blueprint.post("/mesin/dukungan")
@signed_in(Role.ADMIN)
def ask() -> ResponseReturnValue:
    """Ask root's unit for a new one."""
    order.ask(settings(), by=actor(), at=now())
    flash("Berkas dukungan sedang dibuat; kira-kira satu menit. Halaman ini memuat ulang sendiri.", "info")
    return redirect(url_for("support.show"), 303)


@blueprint.post("/mesin/dukungan/unduh")
@signed_in(Role.ADMIN)
def download() -> ResponseReturnValue:
    """Give the newest one away; who took it stands in the journal first."""
    file = packing.newest(packing.shelf_of(settings()))
    if file is None:
        raise NotFound(*NOTHING)
    order.note_download(file.name, by=actor(), at=now())
    return send_file(file, mimetype="application/gzip", as_attachment=True, download_name=file.name)
