"""Papers as they come out of the printer, read back: their words and their size."""

from __future__ import annotations

import io
from dataclasses import dataclass

from playwright.sync_api import Page
from pypdf import PdfReader

MILLIMETRES = 25.4 / 72
A4, F4 = (210, 297), (215, 330)


@dataclass(frozen=True)
class Paper:
    """A printed PDF: its words with single blanks between them, and the size of its first page in millimetres."""

    text: str
    size: tuple[int, int]
    pages: int

    def misses(self, *words: str) -> list[str]:
        """Those of the words that do not stand on it."""
        return [each for each in words if " ".join(each.split()) not in self.text]


def read_paper(content: bytes) -> Paper:
    """Read a PDF."""
    pages = PdfReader(io.BytesIO(content)).pages
    box = pages[0].mediabox
    text = " ".join(" ".join(page.extract_text().split()) for page in pages)
    return Paper(text, (round(float(box.width) * MILLIMETRES), round(float(box.height) * MILLIMETRES)), len(pages))


def open_paper(page: Page, link: str) -> Paper:
    """What stands behind the link of this name on the page, which is a PDF."""
    address = page.get_by_role("link", name=link).get_attribute("href") or ""
    answer = page.request.get(address)
    assert answer.headers["content-type"] == "application/pdf", f"{answer.status} {address}: {answer.text()[:300]}"
    return read_paper(answer.body())


def print_page(page: Page) -> Paper:
    """The page as the browser prints it on the paper that its style asks for."""
    page.wait_for_load_state()  # the size stands in its style
    return read_paper(page.pdf(prefer_css_page_size=True, print_background=False))
