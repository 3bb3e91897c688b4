"""Search words as an opaque token: a page of results has an address of its own, and no address shows a NIK or a name.

So Back, reload and the pager work, while the browser's history and the server's logs learn nothing.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from flask import current_app


def seal(text: str) -> str:
    """The token for `text`; empty for empty text."""
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(token: str) -> str:
    """The text of a token; empty when it is not one of ours, as after the node's key was renewed."""
    try:
        return _box().decrypt(token.encode()).decode() if token else ""
    except (InvalidToken, ValueError):
        return ""


def _box() -> Fernet:
    secret = current_app.config["SECRET_KEY"]
    key = hashlib.sha256(b"search words\0" + (secret if isinstance(secret, bytes) else str(secret).encode())).digest()
    return Fernet(base64.urlsafe_b64encode(key))
