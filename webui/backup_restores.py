"""Bringing data back, step by step: what, from which night, check it, read what will happen, confirm; and what everybody should know afterwards.

The pages touch neither the repository nor the data: they leave an order, and read how far it is. The progress page outlives the
restart of the pages, for the front shows its own page meanwhile, which asks again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from appliance import accounts, restore_orders
from appliance.database import db
from appliance.errors import InvalidInput, NotFound
from appliance.models.roles import Role
from appliance.restoration import lost_papers, replaced
from appliance.restoration.epoch import Epoch, Newest, list_restorations, newest, work_since
from appliance.restore_orders import MOMENT, MOST_PAPERS, Order, Progress, Wish, confirmation_of
from backups import book
from backups.book import Line
from webui.backups import size_words
from webui.forms.backups import RemovalForm, RestoreForm
from webui.navigation import Entry
from webui.session import actor, now, required, settings, signed_in
from webui.words import FILE_KINDS, span_words

blueprint = Blueprint("backup_restores", __name__)
NAVIGATION = (Entry("Pulihkan data", "backup_restores.show", icon="archive", roles=(Role.ADMIN,), order=87),)
MOST_SHOWN = 40
KEPT = "slrt-restored"
MOST_FAULTS = 200
SORTS = {
    "kasus": "Berkas kasus",
    "warga": "Berkas warga",
    "surat": "Surat",
    "usulan": "Berita acara atau SPTJM",
    "kop": "Logo kop surat",
}
# How a wish stands in the address.
PARTS = {"semua": Wish.RESTORE, "basis-data": Wish.DATABASE}


@blueprint.get("/cadangan/pulihkan")
@signed_in(Role.ADMIN)
def show() -> ResponseReturnValue:
    """What can be brought back; for all or the database the backups that are still there, or one of them with what it means; for all
    also a moment between two of them."""
    part = request.args.get("apa", "")
    if request.args.get("day") is not None and PARTS.get(part) is Wish.RESTORE:
        return _asked_moment(RestoreForm(request.args))
    if wanted := request.args.get("nomor", ""):
        return _chosen(_line(wanted), PARTS.get(part, Wish.RESTORE), RestoreForm())
    return _nights(PARTS[part]) if part in PARTS else _all(RestoreForm())


@blueprint.post("/cadangan/pulihkan")
@signed_in(Role.ADMIN)
def order() -> ResponseReturnValue:
    """Leave an order; it begins within seconds."""
    form = RestoreForm(request.form)
    wish = Wish(form.wish.data) if form.wish.data in {*PARTS.values(), Wish.CHECK, Wish.REVERT} else None
    if wish is None or not form.validate():
        raise InvalidInput({"wish": "Pilih apa yang akan dilakukan."})
    moment = form.moment(settings().zone) if wish is Wish.RESTORE else None
    line = None if wish is Wish.REVERT or moment else _line(form.run.data or "")
    when = moment.strftime(MOMENT) if moment else ""
    wanted = Order(wish, line.number or 0 if line else 0, actor().username, form.reason.data or "", moment=when)
    try:
        restore_orders.give(settings(), wanted, form.typed.data or "", by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        if moment:
            return _moment(moment, form), 422
        return (_chosen(line, wish, form) if line else _all(form)), 422
    return redirect(url_for("backup_restores.progress"), 303)


@blueprint.get("/cadangan/pulihkan/berkas")
@signed_in(Role.ADMIN)
def papers() -> ResponseReturnValue:
    """The papers that the last search did not find whole, and which backup can give each back."""
    return _papers({})


@blueprint.post("/cadangan/pulihkan/berkas")
@signed_in(Role.ADMIN)
def order_papers() -> ResponseReturnValue:
    """Order a search, or to bring the ticked papers back; nobody's work stops for it."""
    if request.form.get("wish") == Wish.SEARCH:
        wanted = Order(Wish.SEARCH, 0, actor().username)
    else:
        wanted = Order(Wish.PAPERS, 0, actor().username, papers=tuple(request.form.getlist("papers")))
    try:
        restore_orders.give(settings(), wanted, "", by=actor(), at=now())
    except InvalidInput as error:
        return _papers(error.problems), 422
    return redirect(url_for("backup_restores.progress"), 303)


@blueprint.post("/cadangan/pulihkan/hapus")
@signed_in(Role.ADMIN)
def remove() -> ResponseReturnValue:
    """Erase what a restore had put aside. It cannot be taken back, so the password is asked for once more."""
    form = RemovalForm(request.form)
    typed = form.number.data or ""
    number = int(typed) if typed.isdecimal() and len(typed) < 10 else 0
    try:
        accounts.prove_again(required(), form.password.data or "", at=now())
        replaced.remove(settings(), number, form.removal.data or "", by=actor(), at=now())
    except InvalidInput as error:
        form.refuse(error)
        return _all(RestoreForm(), form), 422
    flash(f"Keadaan lama nomor {number} sudah dihapus.", "good")
    return redirect(url_for("backup_restores.show"), 303)


@blueprint.get("/cadangan/pulihkan/jalan")
@signed_in(Role.ADMIN)
def progress() -> ResponseReturnValue:
    """How far the order is; the page loads itself anew until it has ended."""
    return render_template("backups/restore_progress.html", progress=_last(), wishes=Wish, grave=restore_orders.GRAVE)


@blueprint.get("/cadangan/pemulihan")
@signed_in()
def told() -> ResponseReturnValue:
    """Which restores there were, and what each reader should look at again."""
    return render_template("backups/restored.html", restorations=list_restorations(by=actor()))


def _last() -> Progress | None:
    return restore_orders.read_progress(settings(), restored().restored_at)


def _all(form: RestoreForm, removal: RemovalForm | None = None) -> str:
    kept, last = replaced.list_replaced(settings()), _last()
    return render_template(
        "backups/restore.html",
        replaced=kept,
        removal=removal or RemovalForm(),
        removal_word=replaced.confirmation_of(kept[0].number) if kept else "",
        # what became of a look is for the one who asked
        last=None if last and last.wish is Wish.LOOK and last.ok is not None else last,
        revert=confirmation_of(Order(Wish.REVERT, 0, "")),
        form=form,
        age=lambda at: span_words(now() - at),
        size=size_words,
    )


def _asked_moment(form: RestoreForm) -> ResponseReturnValue:
    """What a moment between two backups means, once one is named that can be reached."""
    if not form.validate():
        return _nights(Wish.RESTORE, form), 422
    moment = form.moment(settings().zone)
    wrong = restore_orders.problem_of_moment(settings(), moment)
    if moment is None or wrong:
        form.refuse(InvalidInput({"day": wrong}))
        return _nights(Wish.RESTORE, form), 422
    return _moment(moment, form)


def _moment(moment: datetime, form: RestoreForm) -> str:
    return render_template(
        "backups/restore_moment.html",
        at=moment,
        since=work_since(moment),
        confirmation=confirmation_of(Order(Wish.RESTORE, 0, "", moment=moment.strftime(MOMENT))),
        form=form,
    )


def _nights(wish: Wish, form: RestoreForm | None = None) -> str:
    return render_template(
        "backups/restore_nights.html",
        form=form or RestoreForm(),
        span=restore_orders.reachable(settings()) if wish is Wish.RESTORE else None,
        lines=kept_backups(),
        proven=book.proven(book.lines(_state())),
        part=_part_of(wish),
        size=size_words,
    )


def _papers(problems: Mapping[str, str]) -> str:
    search = lost_papers.read(settings())
    faults = lost_papers.named_faults(search, MOST_FAULTS) if search else []
    return render_template(
        "backups/restore_papers.html",
        search=search,
        faults=faults,
        able=any(named and fault.run is not None for fault, named in faults),
        most=MOST_PAPERS,
        waiting=restore_orders.is_under_way(settings()),
        problems=problems,
        sorts=SORTS,
        kinds=FILE_KINDS,
    )


def _part_of(wish: Wish) -> str:
    return next((name for name, meant in PARTS.items() if meant is wish), "semua")


def _chosen(line: Line, wish: Wish, form: RestoreForm) -> str:
    last = _last()
    return render_template(
        "backups/restore_one.html",
        line=line,
        proven=line.number in book.proven(book.lines(_state())),
        since=work_since(line.moment.at),
        checked=last if last and last.wish is Wish.CHECK and last.run == line.number else None,
        wish=wish,
        part=_part_of(wish),
        confirmation=confirmation_of(Order(wish, line.number or 0, "")),
        form=form,
        size=size_words,
    )


def kept_backups() -> list[Line]:
    """The backups that are still in the repository, the newest first."""
    made = [line for line in book.lines(_state()) if line.kind == book.BACKUP and line.ok]
    kept = set(made[-1].kept) if made else set()
    return [line for line in reversed(made) if line.number in kept][:MOST_SHOWN]


def _line(number: str) -> Line:
    for line in kept_backups():
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
