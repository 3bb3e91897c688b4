"""A node for the browser tests: a fresh migrated database, gunicorn on a free port of the loopback, officers with passwords.

The pages are served over plain HTTP, as in the demonstration. Accounts are made with the services, so that a test begins where
an officer does: at the sign-in page.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Browser, Locator, Page, Playwright, Route

from appliance import accounts, database
from appliance.access import Actor
from appliance.accounts import passwords
from appliance.accounts.own import set_password
from appliance.accounts.register import NewAccount, NewAssignment
from appliance.casework import catalogue
from appliance.casework.office_calendar import seed_calendar
from appliance.config import (
    BackupSettings,
    NetworkSettings,
    NodeSettings,
    PathSettings,
    PowerSettings,
    Settings,
    WebSettings,
    render,
)
from appliance.database import db
from appliance.models.account import Account
from appliance.models.roles import Role
from appliance.registry import areas
from appliance.registry.programme_seed import seed_programmes
from tests.support.waiting import wait_for

PROJECT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium-headless-shell"
PASSWORD = "loket-pagi-bantaeng-7"
DISTRICT = "73.03"
# What a page may take in the browser, in milliseconds: generous, for the machine may have other work.
PATIENCE = 60_000
LISTENING = re.compile(r"Listening at: (http://127\.0\.0\.1:\d+)")


@dataclass(frozen=True)
class Officer:
    """Somebody who can sign in."""

    username: str
    name: str


class Node:
    """A node below `folder`. Between `start` and `stop` its pages are at `url`."""

    pages = "webui:create_app()"

    def __init__(self, folder: Path) -> None:
        for name in ("data", "run", "secrets", "tls", "power", "backup"):
            (folder / name).mkdir(parents=True)
        self.folder, self.url = folder, ""
        self.log = folder / "gunicorn.log"
        paths = PathSettings(str(folder / "data"), str(folder / "run"), str(folder / "secrets"), str(folder / "tls"))
        self.settings = Settings(
            node=NodeSettings(district=DISTRICT, office="Dinas Sosial Kabupaten Bantaeng"),
            paths=paths,
            web=WebSettings(https=False),
            backup=BackupSettings(repository=str(folder / "backup")),
            network=NetworkSettings(state=str(folder / "lan")),
            power=PowerSettings(ups="none", runtime=str(folder / "power"), state=str(folder / "power")),
        )
        self.file = folder / "appliance.toml"
        self.file.write_text(render(self.settings), encoding="utf-8")
        for name in ("web-session-key", "audit-key"):
            secret = folder / "secrets" / name
            secret.write_text(secrets.token_hex(32))
            secret.chmod(0o600)
        database.upgrade(self.settings)
        self._service = database.create_service(self.settings)
        with self._service.app_context():
            areas.load_areas(DISTRICT)
            catalogue.seed_catalogue(DISTRICT, at=datetime.now(UTC))
            seed_calendar(at=datetime.now(UTC))
            seed_programmes(at=datetime.now(UTC))

    def run(self, what: Callable[[], Any]) -> Any:
        """Something that services do, for what a test needs to be there already."""
        with self._service.app_context():
            return what()

    def officer(self, username: str, role: Role, name: str, unit: str = "", area_codes: tuple[str, ...] = ()) -> Officer:
        """A new account with one role. `unit` is the code of an organisation."""

        def make() -> None:
            at = datetime.now(UTC)
            assignment = NewAssignment(
                role=role, starts=date(2020, 1, 1), area_codes=area_codes, unit_id=catalogue.unit_id(unit) if unit else ""
            )
            made = accounts.create_account(NewAccount(username, name), assignment, district=DISTRICT, by=None, at=at)
            with database.transaction():
                set_password(db.session.get_one(Account, made.id), passwords.hash_password(PASSWORD), at)

        self.run(make)
        return Officer(username, name)

    def actor(self, officer: Officer) -> Actor:
        """The officer as services know her. Inside `run`."""
        account = db.session.scalars(sa.select(Account).where(Account.username == officer.username)).one()
        return accounts.actor_of(account, datetime.now(UTC), "test", self.settings.zone)

    def start(self) -> None:
        """Start gunicorn as the demonstration does: on a port that the system chooses, after that on the same again."""
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "--config",
            "webui/gunicorn_conf.py",
            "--bind",
            self.url.removeprefix("http://") or "127.0.0.1:0",
            self.pages,
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                env={"SLRT_CONFIG": str(self.file), "PATH": "/usr/bin:/bin"},
                start_new_session=True,
            )
        self.url = wait_for(self._address, 120, f"gunicorn listens; see {self.log}")
        # its workers may still be loading the pages, for longer than a browser waits
        wait_for(self._answers, 120, f"a worker answers; see {self.log}")

    def _address(self) -> str:
        if self._process.poll() is not None:
            raise RuntimeError(f"gunicorn ended:\n{self.log.read_text()}")
        found = LISTENING.search(self.log.read_text())
        return found[1] if found else ""

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=30) as answer:  # noqa: S310 - a port of ours
                return bool(answer.status == HTTPStatus.OK)
        except OSError:
            return False

    def kill(self) -> None:
        """As when the current is gone: all of its processes at once, whatever they were doing."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=120)

    def stop(self) -> None:
        """Let the running requests end, then it ends."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=120)


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium without a window. The tests may run as root, which its sandbox refuses.

    Not the one for desktops with its window hidden: the pages are drawn by the same engine, but that one draws its own tabs and
    menus as well, which costs as much processor time again as the pages.
    """
    if not Path(CHROMIUM).exists():
        raise RuntimeError(f"{CHROMIUM} is missing: apt-get install chromium-headless-shell")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


class Desks:
    """The browsers of several officers: each signs in once, and every test gets a window of its own."""

    def __init__(self, node: Node, browser: Browser) -> None:
        self.node, self.browser = node, browser
        self._signed_in: dict[tuple[str, bool], Any] = {}

    @contextmanager
    def window(self, officer: Officer, *, javascript: bool = True, **options: Any) -> Iterator[Page]:
        """A window of this officer, signed in, at the first page."""
        options.setdefault("viewport", {"width": 1366, "height": 768})
        state = self._signed_in.get((officer.username, javascript))
        context = self.browser.new_context(
            base_url=self.node.url, locale="id-ID", java_script_enabled=javascript, storage_state=state, **options
        )
        context.set_default_timeout(PATIENCE)
        try:
            page = context.new_page()
            page.goto("/")
            if page.get_by_label("Kata sandi").count():
                sign_in(page, officer)
                self._signed_in[(officer.username, javascript)] = context.storage_state()
            yield page
        except BaseException as error:
            self.tell(error, officer, page)
            raise
        finally:
            context.close()

    @contextmanager
    def strange_window(self, **options: Any) -> Iterator[Page]:
        """A window of somebody who has no account, at no page yet."""
        options.setdefault("viewport", {"width": 1366, "height": 768})
        context = self.browser.new_context(base_url=self.node.url, locale="id-ID", **options)
        context.set_default_timeout(PATIENCE)
        try:
            yield context.new_page()
        finally:
            context.close()

    def tell(self, error: BaseException, officer: Officer, page: Page) -> None:
        """Add to the error what the officer saw."""
        picture = self.node.folder / f"{officer.username}.png"
        page.screenshot(path=picture, full_page=True)
        error.add_note(f"{officer.name} was at {page.url}; what she saw: {picture}\n{page.inner_text('main')}")


def sign_in(page: Page, officer: Officer) -> None:
    """Sign in on the page that asks for it."""
    page.get_by_label("Nama pengguna").fill(officer.username)
    page.get_by_label("Kata sandi").fill(PASSWORD)
    go(page, page.get_by_role("button", name="Masuk"))
    page.get_by_role("heading", name="Beranda").wait_for()


def go(page: Page, control: Locator) -> None:
    """Press what leads to another page, and wait for all of that page.

    A click alone returns with its first bytes: whoever then asks whether something is there, or for the last of several, is answered
    by half a page.
    """
    with page.expect_navigation():
        control.click()


@contextmanager
def still(page: Page) -> Iterator[None]:
    """Some pages load themselves again every few seconds: the one that is open stays until it was looked at, which may take longer."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.is_navigation_request():
            held.append(route)
        else:
            route.continue_()

    page.route("**/*", hold)
    try:
        yield
    finally:
        page.unroute("**/*", hold)
        for route in held:
            route.continue_()
