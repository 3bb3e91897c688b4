"""Signing in and out, the own password, and where one is signed in."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flask import Blueprint, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from appliance import accounts
from appliance.accounts import TooManyAttempts
from appliance.accounts.passwords import SHORTEST
from appliance.errors import InvalidInput
from appliance.registry import areas
from webui.security import works_while_held
from webui.session import (
    DEVICE_DAYS,
    clear_cookie,
    cookie_name,
    limits,
    now,
    person,
    public,
    required,
    set_cookie,
    signed_in,
)

blueprint = Blueprint("sign_in", __name__)

# The more particular browsers first: most of them also call themselves Chrome and Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@blueprint.get("/masuk")
@public
def enter() -> ResponseReturnValue:
    """The form; who is signed in already goes on to where she wanted."""
    target = inner_path(request.args.get("next"))
    if person():
        return redirect(target, 303)
    return render_template("sign_in.html", target=target, username="", problems={}, trouble=None)


@blueprint.post("/masuk")
@public
@works_while_held
def enter_now() -> ResponseReturnValue:
    """Try the password and, when it is right, give the browser its cookies."""
    target = inner_path(request.form.get("next"))
    username = request.form.get("username", "")
    try:
        entered = accounts.sign_in(
            username,
            request.form.get("password", ""),
            at=now(),
            device_token=request.cookies.get(cookie_name("device")),
            device=device_name(request.headers.get("User-Agent", "")),
            replaces=request.cookies.get(cookie_name("session")),
        )
    except InvalidInput as error:
        return render_template("sign_in.html", target=target, username=username, problems=error.problems, trouble=None), 422
    except TooManyAttempts as error:
        shown = render_template("sign_in.html", target=target, username=username, problems={}, trouble=error)
        wait = 60 if error.wait is None else max(1, round(error.wait.total_seconds() + 0.5))
        return shown, 429, {"Retry-After": str(wait)}
    session.clear()  # nothing of before the sign-in is carried over
    response = redirect(url_for("sign_in.change_password") if entered.must_change_password else target, 303)
    set_cookie(response, "session", entered.session_token)
    set_cookie(response, "device", entered.device_token, DEVICE_DAYS * 24 * 3600)
    return response


@blueprint.post("/keluar")
@signed_in()
@works_while_held
def leave() -> ResponseReturnValue:
    """Sign out here; the browser stays a known device."""
    accounts.end_session(required(), now())
    session.clear()
    flash("Anda sudah keluar.", "good")
    response = redirect(url_for("sign_in.enter"), 303)
    clear_cookie(response, "session")
    return response


@blueprint.get("/akun-saya")
@signed_in()
def mine() -> ResponseReturnValue:
    """The own account: rights of today, password, sessions."""
    found = required()
    names = areas.area_names(set(found.actor.areas))
    places = sorted((grant.role.label, "; ".join(names.get(code, code) for code in grant.areas)) for grant in found.actor.grants)
    sessions = accounts.list_sessions(found, now(), limits())
    return render_template("sign_in_mine.html", me=found.actor, places=places, sessions=sessions)


@blueprint.route("/akun-saya/kata-sandi", methods=["GET", "POST"])
@signed_in()
def change_password() -> ResponseReturnValue:
    """Choose a new password: by will, or forced at the first sign-in."""
    found = required()
    if request.method == "GET":
        return _password_form({})
    typed = request.form
    try:
        token = accounts.change_password(found, typed.get("current", ""), typed.get("new", ""), typed.get("again", ""), now())
    except InvalidInput as error:
        return _password_form(error.problems), 422
    session.clear()
    flash("Kata sandi Anda sudah diganti. Semua perangkat lain sudah dikeluarkan.", "good")
    response = redirect("/", 303)
    set_cookie(response, "session", token)
    return response


@blueprint.post("/akun-saya/keluarkan")
@signed_in()
def leave_elsewhere() -> ResponseReturnValue:
    """Sign out on every other browser."""
    ended = accounts.end_other_sessions(required(), now())
    flash(f"{ended} sesi lain sudah dikeluarkan." if ended else "Tidak ada sesi lain.", "good")
    return redirect(url_for("sign_in.mine"), 303)


def _password_form(problems: dict[str, str]) -> Response:
    found = required()
    forced = found.must_change_password
    page = render_template("password.html", problems=problems, forced=forced, username=found.actor.username, shortest=SHORTEST)
    return make_response(page)


def inner_path(target: str | None) -> str:
    """A path of this site that one may be sent to after signing in; "/" for anything else."""
    if not target or not re.fullmatch(r"/(?![/\\])[^\x00-\x20\\]*", target) or urlsplit(target).netloc:
        return "/"
    return target


def device_name(agent: str) -> str:
    """What the owner recognises her browser by: "Chrome di Windows"."""
    browser = next((name for mark, name in BROWSERS if f"{mark}/" in agent), "Peramban lain")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} di {system}" if system else browser
