"""A browser without scripts for the tests of the pages: it keeps cookies and sends the token that stood in the last form."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import CodeType
from typing import ClassVar

from argon2 import PasswordHasher
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from appliance import database
from appliance.accounts import passwords
from appliance.config import PowerSettings, Settings, WebSettings
from appliance.models.account import Account, Assignment
from appliance.models.columns import new_id
from appliance.models.roles import Role
from tests.support.databases import know_statements
from webui import create_app

PASSWORD = "pohon besar di bukit"
ORIGIN = "https://slrt"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


class ReadTemplates(BytecodeCache):
    """Templates that one app has read, for the next: every test has an app of its own, and reading took a third of its time."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._read.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._read[bucket.key, bucket.checksum] = bucket.code


TEMPLATES = ReadTemplates()


class KnownRule(Rule):
    """A route whose program for building addresses an earlier app has made: for all of them that took a quarter of a second."""

    _known: ClassVar[dict[Hashable, Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        # all that it depends on; it finds the converters in the rule that it is bound to
        key = (self.rule, tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._known:
            self._known[key] = super()._compile_builder(append_unknown)
        return self._known[key]


Flask.url_rule_class = KnownRule


def web_settings(settings: Settings, *, https: bool = True) -> Settings:
    """`settings` with the secret of the pages, and with the power's files in the test's own folder."""
    folder = Path(settings.paths.runtime)
    key = Path(settings.paths.secrets) / "web-session-key"
    key.write_text("7b" * 32)
    key.chmod(0o600)
    return replace(settings, web=WebSettings(https=https), power=PowerSettings(runtime=str(folder), state=str(folder)))


def web_app(settings: Settings, *, https: bool = True) -> Flask:
    """The pages over a prepared database."""
    app = know_statements(create_app(web_settings(settings, https=https)))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.jinja_env.bytecode_cache = TEMPLATES
    return app


@cache
def _hash(_hasher: PasswordHasher) -> str:
    """One hash for all officers of a test run: making it is slow on purpose."""
    return passwords.hash_password(PASSWORD)


def officer(
    username: str, role: Role, *, unit: str | None = None, areas: tuple[str, ...] = ("73.03",), own_password: bool = True
) -> str:
    """An account that can sign in with PASSWORD; its id. Inside an app context."""
    at = datetime.now(UTC)
    with database.transaction() as session:
        account = Account(
            id=new_id(), username=username, name=username.title(), password_hash=_hash(passwords._hasher), password_changed_at=at
        )
        account.must_change_password = not own_password
        assignment = Assignment(
            account_id=account.id, role=role.value, unit_id=unit, area_codes=list(areas), starts=date(2020, 1, 1)
        )
        for row in (account, assignment):
            row.stamp("system", at)
            session.add(row)
            session.flush()
        return account.id


class Web:
    """One browser. `token` is that of the last form it saw."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.base = ORIGIN if app.config["SESSION_COOKIE_SECURE"] else ORIGIN.replace("https", "http")
        self.token = ""

    def get(self, path: str, **more: object) -> TestResponse:
        """Open a page."""
        return self._seen(self.client.get(path, base_url=self.base, headers={"User-Agent": AGENT}, **more))  # type: ignore[arg-type]

    def post(
        self, path: str, typed: dict[str, object] | None = None, *, token: str | None = None, origin: str = ""
    ) -> TestResponse:
        """Send a form with the token of the last page, or another one."""
        data = {"csrf_token": self.token if token is None else token, **(typed or {})}
        headers = {"User-Agent": AGENT, "Origin": origin or self.base}
        return self._seen(self.client.post(path, base_url=self.base, data=data, headers=headers))

    def sign_in(self, username: str, password: str = PASSWORD) -> TestResponse:
        """Fill the form of the sign-in page; afterwards the token is that of the own account's page."""
        self.get("/masuk")
        response = self.post("/masuk", {"username": username, "password": password})
        if response.status_code == 303:
            self.get("/akun-saya", follow_redirects=True)
        return response

    def cookie(self, what: str) -> str | None:
        """The value of one of our cookies."""
        for name in (f"__Host-slrt-{what}", f"slrt-{what}"):
            found = self.client.get_cookie(name, domain="slrt")
            if found is not None:
                return found.value
        return None

    def _seen(self, response: TestResponse) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([^"]+)"', response.text) if response.mimetype == "text/html" else None
        if found:
            self.token = found[1]
        return response
