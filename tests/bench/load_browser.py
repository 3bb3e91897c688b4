"""A browser that costs next to nothing: one connection over TLS, cookies, forms as they stand on the page; every answer is timed.

Pages are taken apart only when a form on them is filled.
"""

from __future__ import annotations

import http.client
import re
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from tests.bench.load_node import RunningNode
from tests.support.office_page import Button, Form, Page, read_page

IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
# The front closes a connection that is idle for 30 seconds.
MOST_IDLE = 20.0
SECONDS = 60.0
OVERTAKEN = 409


class Refused(Exception):
    """The answer was not the one that this person expects; it is noted already."""


@dataclass
class Tally:
    """What all browsers together were answered. Times in milliseconds by method and path, without identifiers."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    overtaken: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    # What was acknowledged: the addresses that the answers led to, by the form that was sent.
    kept: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, action: str, milliseconds: float) -> None:
        with self.lock:
            self.times[action].append(milliseconds)

    def note_error(self, action: str, text: str) -> None:
        with self.lock:
            self.errors[action].append(text)

    def note_overtaken(self, action: str) -> None:
        with self.lock:
            self.overtaken[action] += 1

    def note_kept(self, action: str, address: str) -> None:
        with self.lock:
            self.kept[action].append(address)


class Browser:
    """One person's browser. `page` is what she sees, `path` where she is."""

    def __init__(self, node: RunningNode, trust: ssl.SSLContext, tally: Tally) -> None:
        self.base = f"https://127.0.0.1:{node.port}"
        self.tally = tally
        self.cookies: dict[str, str] = {}
        self.connection = http.client.HTTPSConnection("127.0.0.1", node.port, timeout=SECONDS, context=trust)
        self.used_at = 0.0
        self.path, self.html = "/", ""
        self._read: Page | None = None

    @property
    def page(self) -> Page:
        if self._read is None:
            self._read = read_page(self.path, 200, self.html)
        return self._read

    def visit(self, path: str) -> None:
        """Open an address and what it leads to."""
        status, location = self._ask("GET", path)
        if status == 303:
            self.visit(location)
        elif status != 200:
            self._refuse("GET", path, status)

    def links(self, pattern: str) -> list[str]:
        """The addresses of the page's links that the pattern matches wholly."""
        return sorted(set(re.findall(f'href="({pattern})(?:[?#][^"]*)?"', self.html)))

    def follow(self, words: str) -> None:
        """Click the link that contains `words`."""
        self.visit(self.page.link(words))

    def buttons(self) -> Iterator[str]:
        """What the buttons of the page's forms say."""
        return (button.text for form in self.page.forms for button in form.buttons)

    def press(self, words: str, *, twice: bool = False, refusable: bool = False, **answers: str) -> bool:
        """Fill the form with the button `words` and send it; whether it was kept.

        False when a colleague was faster (409), or when it is `refusable` and was refused. `twice` is an impatient finger:
        both answers must lead to the same place.
        """
        form, button = self.page.form_with(words)
        path, body = _address(form, button, self.path), urlencode(form.filled(answers, button))
        status, location = self._ask("POST", path, body)
        if twice and status == 303:
            again, elsewhere = self._ask("POST", path, body)
            if (again, elsewhere) != (status, location):
                self.tally.note_error(_action("POST", path), f"pressed twice: {again}, {elsewhere or self._complaint()}")
        if status == OVERTAKEN:
            self.tally.note_overtaken(_action("POST", path))
        elif status == 303:
            self.tally.note_kept(_action("POST", path), location)
            self.visit(location)
        elif not (refusable and status == 422):
            self._refuse("POST", path, status)
        return status == 303

    def close(self) -> None:
        self.connection.close()

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        """Status and where it leads. What came is the page from now on, unless it leads elsewhere."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": self.base,
                "Referer": self.base + self.path,
            }
        if time.monotonic() - self.used_at > MOST_IDLE:
            self.connection.close()
        begin = time.perf_counter()
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.tally.note_error(_action(method, path), repr(error))
            raise Refused from error
        self.tally.note(_action(method, path), (time.perf_counter() - begin) * 1000)
        self.used_at = time.monotonic()
        self._keep_cookies(answer)
        if answer.status != 303:
            self.path, self._read = path, None
            self.html = content.decode() if "html" in answer.headers.get("Content-Type", "") else ""
        return answer.status, urljoin(path, answer.headers.get("Location", ""))

    def _keep_cookies(self, answer: http.client.HTTPResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value

    def _refuse(self, method: str, path: str, status: int) -> None:
        self.tally.note_error(_action(method, path), f"{status} {self._complaint()}")
        raise Refused

    def _complaint(self) -> str:
        """What the page says is wrong, in a line."""
        found = re.search(r'class="(?:notice bad|problems?|lead)[^>]*>(.*?)</(?:div|p|section)>', self.html, re.DOTALL)
        text = re.sub(r"<[^>]+>", " ", found[1] if found else self.html)
        return " ".join(text.split())[:300]


def _action(method: str, path: str) -> str:
    return f"{method} {IDENTIFIER.sub('…', urlsplit(path).path)}"


def _address(form: Form, button: Button, path: str) -> str:
    return urljoin(path, button.action or form.action)
