"""Is the web well? For the status command, the front and the installer; nothing about persons and nothing secret."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify

from appliance import __version__
from appliance.database import db, quick_check, transaction
from appliance.errors import ApplianceError
from webui.backup_restores import restored
from webui.session import public, settings

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def show() -> tuple[Response, int]:
    """200 when a change could be stored now, else 503; the same words in `database`. Another `epoch` than a device
    knows tells it that the server forgot something: what it still has is to be offered again."""
    word = database_word()
    accepts = bool(current_app.extensions["slrt-gate"].accepts_work())
    ok = word == "ok"
    told = {"database": word, "accepts_work": accepts, "version": __version__, "epoch": str(restored().epoch)}
    return jsonify(ok=ok, **told), 200 if ok else 503


def database_word() -> str:
    """ok, missing, outdated, broken, busy or read-only."""
    found = quick_check(settings())
    if not found.ok:
        return found.state
    try:
        with transaction():
            pass  # a writer's turn is asked for and given back: nothing is written, yet a read-only or stuck disk shows
    except ApplianceError:
        return "busy"
    except db_errors():
        return "read-only"
    return "ok"


def db_errors() -> type[Exception]:
    """What the database raises for anything else."""
    import sqlalchemy.exc

    db.session.rollback()
    return sqlalchemy.exc.SQLAlchemyError
