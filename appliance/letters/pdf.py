"""PDF: the one adapter to WeasyPrint. Pages may name nothing outside of themselves, neither a file nor an address.

It runs in the process that asks: the library takes about 30 MB, a letter some tens of milliseconds of processor time. One at
a time in each process, for its fonts are not made for several threads.
"""

from __future__ import annotations

import logging
from functools import cache
from threading import Lock
from typing import Any

from appliance.errors import TryLater

_ONE_AT_A_TIME = Lock()
# Its warnings quote the page, and a page names people.
logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
logging.getLogger("fontTools").setLevel(logging.CRITICAL)


def to_pdf(html: str) -> bytes:
    """The page as a PDF. The same page gives the same bytes on the same machine. Raises TryLater where Debian's Pango is missing."""
    with _ONE_AT_A_TIME:
        fonts = _fonts()
        # not at the top: a demonstration runs where nobody may install Pango, and everything but the papers works there
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher

        page = HTML(string=html, url_fetcher=URLFetcher(allowed_protocols={"data"}, allow_redirects=False))
        return bytes(page.write_pdf(font_config=fonts))


@cache
def _fonts() -> Any:
    try:
        from weasyprint.text.fonts import FontConfiguration
    except OSError as error:
        raise TryLater(
            "Surat belum dapat dicetak: pustaka Pango tidak terpasang pada mesin ini.",
            "Pasang sebagai root: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0, lalu ulangi.",
        ) from error
    return FontConfiguration()
