"""PDF: the one adapter to WeasyPrint. Pages may name nothing outside of themselves, neither a file nor an address.

It runs in the process that asks: the library takes about 30 MB, a letter some tens of milliseconds of processor time. One at
a time in each process, for its fonts are not made for several threads.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any

from appliance.errors import TryLater

_ONE_AT_A_TIME = Lock()
_FIRST_PAGE = """<style>p { font-family: "Liberation Serif", "DejaVu Serif", serif }</style>
<p>Surat <b>pertama</b> <i>hari</i> ini</p><table><tr><td>Nomor</td><td>1</td></tr></table>"""
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


def warm_up() -> None:
    """Draw a first page for nobody: the library and the fonts take six times as long as a letter. Nothing where Pango is missing."""
    with suppress(TryLater):
        to_pdf(_FIRST_PAGE)


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
