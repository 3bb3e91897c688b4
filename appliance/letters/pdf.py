"""PDF: the one adapter to WeasyPrint. Pages may name nothing outside of themselves, neither a file nor an address.

It runs in the process that asks: the library takes about 30 MB, a letter some tens of milliseconds of processor time. One at
a time in each process, for its fonts are not made for several threads.
"""

from __future__ import annotations

import logging
from functools import cache
from threading import Lock

from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

_ONE_AT_A_TIME = Lock()
# Its warnings quote the page, and a page names people.
logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
logging.getLogger("fontTools").setLevel(logging.CRITICAL)


def to_pdf(html: str) -> bytes:
    """The page as a PDF. The same page gives the same bytes on the same machine."""
    with _ONE_AT_A_TIME:
        page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols={"data"}, allow_redirects=False))
        return bytes(page.write_pdf(font_config=_fonts()))


@cache
def _fonts() -> FontConfiguration:
    return FontConfiguration()
