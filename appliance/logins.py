"""Who can log in to this machine, and with what, from the files of its accounts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

NO_SHELLS = ("/nologin", "/false", "/sync")
LOCKED = ("!", "*")
_KEY = re.compile(
    r"(^|\s)(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)\s+AAAA[A-Za-z0-9+/]+"
)


def open_logins(passwd: str, shadow: str) -> tuple[str, ...]:
    """The accounts with a shell and an empty password, from the texts of /etc/passwd and /etc/shadow."""
    empty = {words[0] for words in _lines_of(shadow, 2) if not words[1]}
    return tuple(words[0] for words in _with_shell(passwd) if not words[1] or (words[1] == "x" and words[0] in empty))


def by_password(passwd: str, shadow: str, group: str) -> tuple[str, ...]:
    """The accounts that have a password and look after the machine: those of sudo's group, or where nobody is in it (they become root by
    its password then) all with a shell; and root."""
    people = [words[0] for words in _with_shell(passwd)]
    able = {words[0] for words in _lines_of(shadow, 2) if words[1] and not words[1].startswith(LOCKED)}
    of_sudo = {name for words in _lines_of(group, 4) if words[0] == "sudo" for name in words[3].split(",")}
    chosen = of_sudo & set(people) or set(people)
    return tuple(name for name in people if name in able and (name in chosen or name == "root"))


def with_key(lists: str) -> frozenset[str]:
    """The accounts with a key, from the lines of their lists of authorized keys, each after the name of its account and a blank.
    Lines that are comments do not count."""
    lines = (line.partition(" ")[::2] for line in lists.splitlines())
    return frozenset(name for name, key in lines if _KEY.search(key) and not key.lstrip().startswith("#"))


def _with_shell(passwd: str) -> Iterator[list[str]]:
    return (words for words in _lines_of(passwd, 7) if not words[6].endswith(NO_SHELLS))


def _lines_of(text: str, fields: int) -> Iterator[list[str]]:
    """The lines that have as many fields at least."""
    lines = (line.split(":") for line in text.splitlines())
    return (words for words in lines if len(words) >= fields)
