"""The line that the web server writes of a request: nothing by which somebody could be looked up."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]

from webui import gunicorn_conf


@pytest.mark.parametrize(
    ("path", "written"),
    [("/periksa/ABCD2345EFGH6789", "GET /periksa/… 200"), ("/periksa", "GET /periksa 200"), ("/kasus/1", "GET /kasus/1 200")],
)
def test_the_code_of_a_letter_is_not_in_it(path: str, written: str) -> None:
    asked: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "RAW_URI": path, "SERVER_PROTOCOL": "HTTP/1.1"}
    response = SimpleNamespace(status="200 OK", sent=5, headers=[])
    logger = gunicorn_conf.logger_class(Config())
    atoms = logger.atoms(response, SimpleNamespace(headers=[]), asked, timedelta(milliseconds=3))
    assert (gunicorn_conf.access_log_format % atoms).startswith(written)
    assert not any("ABCD2345" in str(value) for value in atoms.values())
    assert asked["PATH_INFO"] == path
