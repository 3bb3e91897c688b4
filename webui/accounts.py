"""The admin's pages: who has an account, with which roles, in which areas."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance import accounts
from appliance.accounts import NewAccount, NewAssignment
from appliance.casework import catalogue
from appliance.errors import InvalidInput
from appliance.models.roles import Role
from appliance.registry import areas
from webui.forms.fields import read_day
from webui.navigation import Entry
from webui.session import actor, now, settings, signed_in

blueprint = Blueprint("accounts", __name__)
NAVIGATION = (Entry("Akun petugas", "accounts.listing", icon="account", roles=(Role.ADMIN,), order=90),)


@blueprint.get("/akun")
@signed_in(Role.ADMIN)
def listing() -> ResponseReturnValue:
    """All accounts, a page at a time."""
    text = request.args.get("q", "")
    found = accounts.list_accounts(by=actor(), today=today(), text=text, page=request.args.get("page", 1, int))
    return render_template("accounts/list.html", found=found, q=text)


@blueprint.get("/akun/baru")
@signed_in(Role.ADMIN)
def new() -> ResponseReturnValue:
    """The form for a new account."""
    return _new_form(MultiDict({"starts": today().strftime("%d-%m-%Y")}), {})


@blueprint.post("/akun/baru")
@signed_in(Role.ADMIN)
def create() -> ResponseReturnValue:
    """Make it, and show the one-time password once."""
    typed = request.form
    account = NewAccount(*(typed.get(name, "") for name in ("username", "name", "phone", "nip")))
    try:
        made = accounts.create_account(account, _assignment(typed), district=settings().node.district, by=actor(), at=now())
    except InvalidInput as error:
        return _new_form(typed, error.problems), 422
    return _secret("Akun dibuat", made.username, made.one_time_password, made.id)


@blueprint.get("/akun/<account_id>")
@signed_in(Role.ADMIN)
def show(account_id: str) -> ResponseReturnValue:
    """One account with its assignments."""
    return _show(account_id, MultiDict({"starts": today().strftime("%d-%m-%Y")}), {})


@blueprint.post("/akun/<account_id>/kata-sandi")
@signed_in(Role.ADMIN)
def reset(account_id: str) -> ResponseReturnValue:
    """A new one-time password, shown once."""
    password = accounts.reset_password(account_id, by=actor(), at=now())
    detail = accounts.look_at_account(account_id, by=actor(), today=today())
    return _secret("Kata sandi baru", detail.line.username, password, account_id)


@blueprint.post("/akun/<account_id>/nonaktif")
@signed_in(Role.ADMIN)
def deactivate(account_id: str) -> ResponseReturnValue:
    """Switch it off."""
    accounts.deactivate(account_id, by=actor(), at=now())
    flash("Akun dinonaktifkan dan dikeluarkan dari semua perangkat.", "good")
    return redirect(url_for("accounts.show", account_id=account_id), 303)


@blueprint.post("/akun/<account_id>/aktif")
@signed_in(Role.ADMIN)
def activate(account_id: str) -> ResponseReturnValue:
    """Switch it on again."""
    accounts.activate(account_id, by=actor(), at=now())
    flash("Akun diaktifkan lagi.", "good")
    return redirect(url_for("accounts.show", account_id=account_id), 303)


@blueprint.post("/akun/<account_id>/penugasan")
@signed_in(Role.ADMIN)
def assign(account_id: str) -> ResponseReturnValue:
    """Give it one more role."""
    try:
        accounts.assign_role(account_id, _assignment(request.form), district=settings().node.district, by=actor(), at=now())
    except InvalidInput as error:
        return _show(account_id, request.form, error.problems), 422
    flash("Penugasan tersimpan.", "good")
    return redirect(url_for("accounts.show", account_id=account_id), 303)


@blueprint.post("/akun/<account_id>/penugasan/<assignment_id>/akhiri")
@signed_in(Role.ADMIN)
def end(account_id: str, assignment_id: str) -> ResponseReturnValue:
    """Take a role away from tomorrow on."""
    accounts.end_assignment(account_id, assignment_id, last_day=today(), by=actor(), at=now())
    flash("Penugasan berakhir hari ini.", "good")
    return redirect(url_for("accounts.show", account_id=account_id), 303)


def today() -> date:
    """The office's day."""
    return now().astimezone(settings().zone).date()


def _assignment(typed: MultiDict[str, str]) -> NewAssignment:
    """What was typed. Raises InvalidInput for a date that cannot be read."""
    days: dict[str, date | None] = {}
    problems: dict[str, str] = {}
    for name in ("starts", "ends"):
        text = typed.get(name, "").strip()
        try:
            days[name] = read_day(text) if text else None
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise InvalidInput(problems)
    return NewAssignment(
        role=typed.get("role", ""),
        starts=days["starts"],
        area_codes=tuple(code for code in typed.getlist("area_codes") if code),
        unit_id=typed.get("unit_id", ""),
        ends=days["ends"],
        decree=typed.get("decree", ""),
    )


def _choices() -> dict[str, object]:
    """What an assignment can name."""
    return {
        "roles": [(role.value, role.label) for role in Role],
        "units": [(unit.id, unit.name) for unit in catalogue.units()],
        "area_groups": area_groups(),
    }


def area_groups() -> list[tuple[tuple[str, str], list[tuple[str, str]]]]:
    """Each subdistrict of this node with its villages, as (code, name)."""
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for village in areas.active_villages():
        groups.setdefault((village.subdistrict_code, village.subdistrict), []).append(
            (village.code, f"{village.kind.capitalize()} {village.name}")
        )
    return list(groups.items())


def _new_form(typed: MultiDict[str, str], problems: Mapping[str, str]) -> str:
    return render_template("accounts/new.html", typed=typed, problems=problems, **_choices())


def _show(account_id: str, typed: MultiDict[str, str], problems: Mapping[str, str]) -> str:
    detail = accounts.look_at_account(account_id, by=actor(), today=today())
    return render_template("accounts/show.html", account=detail, typed=typed, problems=problems, **_choices())


def _secret(title: str, username: str, password: str, account_id: str) -> Response:
    page = render_template("accounts/secret.html", title_text=title, username=username, password=password, account_id=account_id)
    return make_response(page)
