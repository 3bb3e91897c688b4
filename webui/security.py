"""The way every request goes before a view sees it, and the headers every answer carries.

The order is: who is it, may she open this view, does the form come from our own page, is work accepted now. One function holds
the order, so that no view can forget a step.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from appliance.clock import mark_file
from appliance.config import Settings
from appliance.gate import Gate
from webui.session import identify, person, require_access, settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

View = TypeVar("View", bound=Callable[..., Any])

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
READS_ONLY = "slrt_reads_only"
WHILE_HELD = "slrt_while_held"
TAKES_FILES = "slrt_takes_files"
MEGABYTE = 1024 * 1024
MAX_REQUEST_BYTES = 8 * MEGABYTE
# Eight photos of a tablet's camera, and the form around them.
MOST_FILES_MEGABYTES = 40
MOST_UPLOADED = (MOST_FILES_MEGABYTES + 2) * MEGABYTE
# As much as the front lets pass (provision/templates/web/nginx.conf): of more than a view takes, the words are still read.
FRONT_BYTES = 64 * MEGABYTE

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # same-origin and not no-referrer: the latter makes browsers send "Origin: null" with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), usb=()",
}
# A month, not years: a node rebuilt without its old CA must not stay unreachable for the browsers that knew the old one.
HSTS = "max-age=2592000"
STATIC_CACHE = "public, max-age=31536000, immutable"

csrf = CSRFProtect()


def reads_only(view: View) -> View:
    """Mark a POST view that stores nothing (a search): it is served while the node prepares to power off."""
    setattr(view, READS_ONLY, True)
    return view


def works_while_held(view: View) -> View:
    """Mark a view that must work on a node that has just started and is not open yet: signing in, and opening it."""
    setattr(view, WHILE_HELD, True)
    return view


def takes_files(most_bytes: int) -> Callable[[View], View]:
    """Mark a view to which more is sent than to others, at most FRONT_BYTES."""

    def mark(view: View) -> View:
        setattr(view, TAKES_FILES, most_bytes)
        return view

    return mark


class PageRequest(Request):
    """A request whose files may be dropped while its words are read: when it is larger than its view takes."""

    words_only = False

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if self.words_only:
            return Path(os.devnull).open("wb+")
        return super()._get_file_stream(total_content_length, content_type, filename, content_length)


class BehindFront:
    """Believe the forwarded address and scheme only from the front on the Unix socket; a TCP peer could write anything."""

    def __init__(self, inner: WSGIApplication) -> None:
        self.direct = inner
        self.forwarded = ProxyFix(inner, x_for=1, x_proto=1, x_host=0, x_port=0, x_prefix=0)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        app = self.direct if environ.get("REMOTE_ADDR") else self.forwarded
        return app(environ, start_response)


def secure(app: Flask, node: Settings, key: str) -> None:
    """Set the app's cookies, limits and hooks. `key` signs what the browser keeps between two pages."""
    prefix = "__Host-" if node.web.https else ""
    app.config.update(
        SECRET_KEY=key,
        SESSION_COOKIE_NAME=f"{prefix}slrt-page",
        SESSION_COOKIE_SECURE=node.web.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        WTF_CSRF_CHECK_DEFAULT=False,  # `admit` asks at its place in the order
        WTF_CSRF_TIME_LIMIT=None,  # a form that stood open over lunch is still good; the session has its own limit
        WTF_CSRF_SSL_STRICT=False,  # `_come_from_here` asks what the browser says, also without TLS
    )
    app.request_class = PageRequest
    app.extensions["slrt-gate"] = Gate(
        Path(node.paths.runtime) / "gate.lock", Path(node.power.runtime) / "state.json", mark_file(node)
    )
    csrf.init_app(app)
    app.before_request(admit)
    app.teardown_request(_let_go)
    app.after_request(_headers)
    app.wsgi_app = BehindFront(app.wsgi_app)  # type: ignore[method-assign]


def admit() -> Response | None:
    """Every request passes here once. Raises what keeps it out; a response sends it elsewhere."""
    identify()
    elsewhere = require_access()
    if elsewhere is not None:
        return elsewhere
    _bind_forms()
    if request.method in SAFE_METHODS or request.endpoint is None:
        return None
    # before anything reads the form, and after it is known that she may send one
    view = current_app.view_functions[request.endpoint]
    too_large = _limit_size(view)
    _come_from_here()
    csrf.protect()
    if not getattr(view, READS_ONLY, False):
        g.work = ExitStack()
        g.work.enter_context(current_app.extensions["slrt-gate"].work(held_too=getattr(view, WHILE_HELD, False)))
    if too_large:
        raise RequestEntityTooLarge
    return None


def _limit_size(view: Callable[..., Any]) -> bool:
    """Let in as much as the view takes. Whether more was sent: then the files are dropped and the words read, to be kept."""
    request.max_content_length = getattr(view, TAKES_FILES, MAX_REQUEST_BYTES)
    if not hasattr(view, TAKES_FILES) or (request.content_length or 0) <= request.max_content_length:
        return False
    request.max_content_length = FRONT_BYTES
    cast("PageRequest", request).words_only = True
    return True


def _let_go(error: BaseException | None) -> None:
    work: ExitStack | None = g.pop("work", None)
    if work is not None:
        work.close()


def _bind_forms() -> None:
    """Tie the form token to the session in the database: a token of another session, or of before the sign-in, is worth nothing."""
    found = person()
    if found is None or request.endpoint == "static":
        return
    key = str(current_app.config["SECRET_KEY"]).encode()
    token = hmac.new(key, f"forms:{found.session_id}".encode(), hashlib.sha256).hexdigest()
    if session.get("csrf_token") != token:
        session["csrf_token"] = token


def comes_from_here() -> bool:
    """Whether the browser does not say that another host sent this form. Ports are not compared: the front hides its own."""
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    return not origin or urlsplit(origin).hostname == urlsplit(f"//{request.host}").hostname


def _come_from_here() -> None:
    if not comes_from_here():
        raise CSRFError("foreign origin")


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if settings().web.https:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    hashed = request.endpoint == "static" and "v" in request.args and response.status_code == 200
    response.headers["Cache-Control"] = STATIC_CACHE if hashed else "no-store"
    return response


def static_url(name: str) -> str:
    """The address of a static file; it changes with the content, so that browsers may keep it for a year."""
    return url_for("static", filename=name, v=_fingerprint(Path(current_app.static_folder or ""), name))


@cache
def _fingerprint(folder: Path, name: str) -> str:
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()[:12]
