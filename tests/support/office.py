"""An officer at her laptop without a browser: follows links, fills forms by what stands on the page, trusts only the node's CA."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.parse
import urllib.request
import warnings
from http.cookiejar import CookieJar
from typing import Any

from tests.support.office_page import Page, read_page

SECONDS = 60.0
# when nobody is there any more; what http.client says of it is a reset as well
CLOSED = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, ssl.SSLEOFError)


class Office:
    """One laptop with one signed-in person. `ca` is the node's CA certificate (PEM); no other certificate is trusted."""

    def __init__(self, base: str, ca: str) -> None:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.verify_flags |= ssl.VERIFY_X509_STRICT
        trust.load_verify_locations(cadata=ca)
        self.base = base
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=trust),
            urllib.request.HTTPCookieProcessor(self.cookies),
        )
        self.page = Page(base, 0, "")

    def visit(self, path: str) -> Page:
        """Type an address, or follow the address of a link."""
        return self._send(urllib.parse.urljoin(self.page.address or self.base, path))

    def follow(self, words: str) -> Page:
        """Click the link that contains `words`."""
        return self.visit(self.page.link(words))

    def press(self, words: str, **answers: str) -> Page:
        """Fill the form that has the button `words` and press it."""
        form, button = self.page.form_with(words)
        sent = urllib.parse.urlencode(form.filled(answers, button))
        address = urllib.parse.urljoin(self.page.address, button.action or form.action)
        if form.method == "get":
            return self._send(f"{address}?{sent}")
        return self._send(address, sent.encode())

    def _send(self, address: str, sent: bytes | None = None) -> Page:
        assert address.startswith(self.base), f"{address} leads away from {self.base}"
        headers = {"Origin": self.base.rstrip("/"), "Referer": self.page.address} if sent is not None else {}
        request = urllib.request.Request(address, sent, headers)  # noqa: S310 - begins with the base, which is https
        try:
            answer = self._ask(request)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            body = answer.read().decode(errors="replace")
            self.page = read_page(answer.geturl() or address, answer.status or 0, body)
        return self.page

    def _ask(self, request: urllib.request.Request) -> Any:
        """Once more, as a browser does, when a page was asked for and the connection was closed before a byte of it came.

        The front closes it so when it is started anew. Whether it was is told in the summary of the tests; a form is never sent twice.
        """
        try:
            return self.opener.open(request, timeout=SECONDS)
        except (urllib.error.URLError, ConnectionError) as error:
            if request.data is not None or not isinstance(getattr(error, "reason", error), CLOSED):
                raise
            warnings.warn(f"{request.full_url} was asked for twice, for the connection was closed: {error}", stacklevel=2)
            return self.opener.open(request, timeout=SECONDS)
