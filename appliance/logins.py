"""Who can log in to this machine without a secret, from the files of its accounts. Pure."""

from __future__ import annotations

import re

NO_SHELLS = ("/nologin", "/false", "/sync")
_KEY = re.compile(
    r"(^|\s)(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)\s+AAAA[A-Za-z0-9+/]+"
)


def open_logins(passwd: str, shadow: str) -> tuple[str, ...]:
    """The accounts with a shell and an empty password, from the texts of /etc/passwd and /etc/shadow."""
    empty = {words[0] for words in map(_words, shadow.splitlines()) if len(words) > 1 and not words[1]}
    accounts = [words for words in map(_words, passwd.splitlines()) if len(words) > 6]
    return tuple(
        words[0]
        for words in accounts
        if not words[6].endswith(NO_SHELLS) and (not words[1] or (words[1] == "x" and words[0] in empty))
    )


def has_key(text: str) -> bool:
    """Whether a list of authorized keys has one: lines that are comments do not count."""
    return any(_KEY.search(line) for line in text.splitlines() if not line.lstrip().startswith("#"))


def _words(line: str) -> list[str]:
    return line.split(":")
