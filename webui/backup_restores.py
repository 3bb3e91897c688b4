"""Bringing data back, step by step: choose a night, check it, read what will happen, confirm; and what everybody should know afterwards.

The pages touch neither the repository nor the data: they leave an order, and read how far it is. The progress page outlives the
restart of the pages, for the front shows its own page meanwhile, which asks again.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from appliance import restore_orders
from appliance.database import db
from appliance.errors import InvalidInput, NotFound
from appliance.models.roles import Role
from appliance.restoration.epoch import Epoch, Newest, list_restorations, newest, work_since
from appliance.restore_orders import Order, Wish, confirmation_of
from backups import book, exchange
from backups.book import Line
from webui.backups import size_words
from webui.forms.backups import RestoreForm
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("backup_restores", __name__)
NAVIGATION = (Entry("Pulihkan data", "backup_restores.show", icon="archive", roles=(Role.ADMIN,), order=87),)
MOST_SHOWN = 40
KEPT = "slrt-restored"


@blueprint.get("/cadangan/pulihkan")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """The backups that are still there, or one of them with what bringing it back means."""
    if wanted := request.args.get("nomor", ""):
        return _chosen(_line(wanted), RestoreForm())
    return _all(RestoreForm())


@blueprint.post("/cadangan/pulihkan")
@signed_in(Role.ADMIN)
def order() -> ResponseReturnValue:
    """Leave an order; it begins within seconds."""
    form = RestoreForm(request.form)
    wish = form.wish.data if form.wish.data in set(Wish) else None
    if wish is None or not form.validate():
        raise InvalidInput({"wish": "Pilih apa yang akan dilakukan."})
    line = None if wish == Wish.REVERT else _line(form.run.data or "")
    wanted = Order(Wish(wish), line.number or 0 if line else 0, actor().username, form.reason.data or "")
    try:
        restore_orders.give(settings(), wanted, form.typed.data or "", by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return (_chosen(line, form) if line else _all(form)), 422
    return redirect(url_for("backup_restores.progress"), 303)


@blueprint.get("/cadangan/pulihkan/jalan")
@signed_in(Role.ADMIN)
def progress() -> ResponseReturnValue:
    """How far the order is; the page loads itself anew until it has ended."""
    return render_template("backups/restore_progress.html", progress=restore_orders.read_progress(settings()), wishes=Wish)


@blueprint.get("/cadangan/pemulihan")
@signed_in()
def told() -> ResponseReturnValue:
    """Which restores there were, and what each reader should look at again."""
    return render_template("backups/restored.html", restorations=list_restorations(by=actor()))


def _all(form: RestoreForm) -> str:
    return render_template(
        "backups/restore.html",
        lines=_lines(),
        proven=book.proven(book.lines(_state())),
        replaced=bool(exchange.replaced(Path(settings().paths.data))),
        last=restore_orders.read_progress(settings()),
        revert=confirmation_of(Order(Wish.REVERT, 0, "")),
        form=form,
        size=size_words,
    )


def _chosen(line: Line, form: RestoreForm) -> str:
    last = restore_orders.read_progress(settings())
    return render_template(
        "backups/restore_one.html",
        line=line,
        proven=line.number in book.proven(book.lines(_state())),
        since=work_since(line.moment.at),
        checked=last if last and last.wish is Wish.CHECK and last.run == line.number else None,
        confirmation=confirmation_of(Order(Wish.RESTORE, line.number or 0, "")),
        form=form,
        size=size_words,
    )


def _lines() -> list[Line]:
    """The backups that are still in the repository, the newest first."""
    made = [line for line in book.lines(_state()) if line.kind == book.BACKUP and line.ok]
    kept = set(made[-1].kept) if made else set()
    return [line for line in reversed(made) if line.number in kept][:MOST_SHOWN]


def _line(number: str) -> Line:
    for line in _lines():
        if str(line.number) == number:
            return line
    raise NotFound("Cadangan itu tidak ada lagi.", "Pilih cadangan lain dari daftar.")


def _state() -> Path:
    return Path(settings().paths.data) / "backup"


def restored() -> Newest:
    """The newest restore. Asked once a process: a restore stops the pages, so it cannot change while they run."""
    if KEPT not in current_app.extensions:
        try:
            current_app.extensions[KEPT] = newest()
        except SQLAlchemyError:  # tables of an older program: the pages say so by themselves
            db.session.rollback()
            return Newest(Epoch(0, ""), None, None)
    found: Newest = current_app.extensions[KEPT]
    return found
