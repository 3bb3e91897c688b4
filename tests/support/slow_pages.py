"""The pages as a slow network brings them, in pieces: what a test asks of half a page then fails every time instead of now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import webui

PAUSE = 0.3  # seconds, before the first piece and between them
CUTS = (0.0, 0.35, 0.6, 0.9, 1.0)


def create_app() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """What gunicorn is given instead of the pages themselves."""
    pages = webui.create_app()

    def slow(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        is_page = False

        def begin(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal is_page
            is_page = any(name.lower() == "content-type" and "text/html" in value for name, value in headers)
            return start(status, headers, *error)

        answer: Any = pages(environ, begin)
        if not is_page:
            return answer
        whole = b"".join(answer)
        answer.close()
        return _pieces(whole)

    return slow


def _pieces(whole: bytes) -> Iterator[bytes]:
    ends = [int(len(whole) * cut) for cut in CUTS]
    for begin, end in pairwise(ends):
        time.sleep(PAUSE)
        yield whole[begin:end]
