"""Who is asking: the signed-in person of a request, and the marks that say who may open a view.

A view without a mark is closed to everybody who is not signed in. The rules of sessions live in `appliance.accounts`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from flask import current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from appliance import accounts
from appliance.access import Actor
from appliance.accounts.sessions import SessionLimits, SignedIn
from appliance.config import Settings
from appliance.errors import ApplianceError, NotAllowed
from appliance.models.roles import Role

View = TypeVar("View", bound=Callable[..., Any])

ACCESS = "slrt_access"
EVERYBODY = "everybody"
# Somebody with a one-time password may do nothing before she has chosen her own.
BEFORE_OWN_PASSWORD = frozenset({"sign_in.change_password", "sign_in.leave"})
DEVICE_DAYS = 400  # browsers keep no cookie longer


def public(view: View) -> View:
    """Mark a view that needs no sign-in."""
    setattr(view, ACCESS, EVERYBODY)
    return view


def signed_in(*roles: Role) -> Callable[[View], View]:
    """Mark a view for people who are signed in and, if roles are named, hold one of them."""

    def mark(view: View) -> View:
        setattr(view, ACCESS, frozenset(roles))
        return view

    return mark


def now() -> datetime:
    """The moment of this request (aware, UTC), read once."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    moment: datetime = g.now
    return moment


def person() -> SignedIn | None:
    """Who is signed in, or nobody."""
    found: SignedIn | None = g.get("signed_in")
    return found


def actor() -> Actor:
    """The person of this request with her rights of today. Only in views that need a sign-in."""
    return required().actor


def required() -> SignedIn:
    """The signed-in person; raises NotAllowed when there is none."""
    found = person()
    if found is None:
        raise NotAllowed("Anda belum masuk.", "Masuk dahulu dengan nama pengguna dan kata sandi Anda.")
    return found


def settings() -> Settings:
    """The settings of this node."""
    found: Settings = current_app.config["SLRT_SETTINGS"]
    return found


def limits() -> SessionLimits:
    """How long a session may live."""
    return SessionLimits.of(settings().web)


def cookie_name(what: str) -> str:
    """The cookie's name; over TLS the prefix lets no other host or path set it."""
    return f"__Host-slrt-{what}" if settings().web.https else f"slrt-{what}"


def set_cookie(response: Response, what: str, value: str, seconds: int | None = None) -> None:
    """Give the browser a cookie that no script reads and no other site sends."""
    secure = settings().web.https
    response.set_cookie(cookie_name(what), value, max_age=seconds, secure=secure, httponly=True, samesite="Lax", path="/")


def clear_cookie(response: Response, what: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(cookie_name(what), path="/", secure=settings().web.https, httponly=True, samesite="Lax")


def access_of(endpoint: str | None) -> object:
    """The mark of the view: EVERYBODY, a set of roles, or None when it has none."""
    if endpoint == "static":
        return EVERYBODY
    return getattr(current_app.view_functions.get(endpoint or ""), ACCESS, None)


def may_open(endpoint: str, who: SignedIn) -> bool:
    """Whether this person may open the view; False when there is no such view."""
    access = access_of(endpoint)
    if isinstance(access, frozenset):
        return not access or bool(access & who.actor.roles)
    return access == EVERYBODY


def identify() -> None:
    """Find out who is asking, from the session cookie."""
    token = request.cookies.get(cookie_name("session"))
    if not token or request.endpoint in {"static", "power_banner.state", "health.show", "queue.screen"}:
        return
    found = accounts.find_session(token, now(), limits(), settings().zone)
    if found is None:
        return
    g.signed_in = found
    try:
        with current_app.extensions["slrt-gate"].work(held_too=True):
            accounts.touch_session(found, now(), request.remote_addr or "")
    except ApplianceError:
        pass  # no work is taken now, the writer's turn did not come, the disk is full: reading must go on all the same


def require_access() -> Response | None:
    """Let pass who may open this view; send everybody else where they must go first. Raises NotAllowed."""
    access = access_of(request.endpoint)
    if access == EVERYBODY or request.endpoint is None:
        return None
    if person() is None:
        return _ask_to_sign_in()
    if required().must_change_password and request.endpoint not in BEFORE_OWN_PASSWORD:
        return redirect(url_for("sign_in.change_password"), 303)
    if access is None or not may_open(request.endpoint, required()):
        raise NotAllowed("Halaman ini bukan untuk peran Anda.", "Bila Anda memerlukannya, mintalah kepada admin.")
    return None


def _ask_to_sign_in() -> Response | None:
    from webui.errors import session_ended

    if request.method == "POST" and request.form:
        return session_ended()
    target = request.full_path.rstrip("?") if request.method == "GET" and request.path != "/" else None
    return redirect(url_for("sign_in.enter", next=target), 303)
