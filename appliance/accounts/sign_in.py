"""Signing in: is this the right password, and may it be tried at all?

An attempt is counted before the password is looked at and forgiven when it was right, so that many at once gain nothing. The
answer is the same, and takes as long, for a wrong password and for a name that does not exist.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

import sqlalchemy as sa

from appliance import audit
from appliance.accounts import passwords, sessions, throttle
from appliance.accounts.sessions import SignedIn
from appliance.database import Duplicate, db, transaction
from appliance.errors import InvalidInput, TryLater
from appliance.models.account import Account, KnownDevice, SignInAttempt, WebSession

UNKNOWN_DEVICE = "unknown"
# Names that do not exist share this many counters: a guesser of names cannot fill the disk.
STRANGER_COUNTERS = 1024
KEEP_ATTEMPTS = timedelta(days=30)
KEEP_SESSIONS = timedelta(days=90)


class TooManyAttempts(TryLater):
    """Nothing was tried; `wait` is how long to pause, None when waiting does not help."""

    def __init__(self, wait: timedelta | None, what: str = "Terlalu banyak percobaan masuk.") -> None:
        if wait is None:
            text, hint = (
                "Terlalu banyak percobaan masuk dari perangkat yang belum dikenal.",
                "Mintalah kata sandi baru kepada admin.",
            )
        else:
            seconds = max(1, -(-wait // timedelta(seconds=1)))
            text, hint = what, f"Tunggu {seconds} detik, lalu coba lagi."
        super().__init__(text, hint)
        self.wait = wait


@dataclass(frozen=True)
class Entered:
    """The cookies of a browser that is now signed in."""

    session_token: str
    device_token: str
    must_change_password: bool


@dataclass(frozen=True)
class _Attempt:
    """What was counted: enough to try the password and to forgive the count."""

    subject: str
    bucket: str
    account_id: str | None
    stored: str


def sign_in(
    username: str, password: str, *, at: datetime, device_token: str | None, device: str, replaces: str | None = None
) -> Entered:
    """Sign in from a browser. `device_token` is its lasting cookie, `device` its name, `replaces` its present session token.

    Raises InvalidInput for a wrong name or password, TooManyAttempts while it must wait.
    """
    device_id = sessions.digest(device_token) if device_token else None
    name = username.strip().casefold()
    try:
        attempt = _count(name, device_id, at)
    except Duplicate:
        attempt = _count(name, device_id, at)  # two first attempts at the same moment both made the counter; now it is there
    try:
        right = passwords.verify(password, attempt.stored)
    except TryLater:
        _forgive_one(attempt)  # it was never looked at
        raise
    if not right or attempt.account_id is None:
        _refuse(attempt, at, device, "wrong", "Nama pengguna atau kata sandi salah.")
    rehashed = passwords.hash_password(password) if passwords.needs_rehash(attempt.stored) else None
    return _enter(attempt, at, device_token or sessions.new_token(), device, rehashed, replaces)


def prove_again(found: SignedIn, password: str, *, at: datetime) -> None:
    """Ask somebody who is signed in for her password once more, before something that reaches far. Counted as a sign-in is.

    Raises InvalidInput with the field `password`, TooManyAttempts while she must wait.
    """
    device_id = db.session.scalar(sa.select(WebSession.device_id).where(WebSession.id == found.session_id))
    db.session.rollback()
    attempt = _count(found.actor.username, device_id, at)
    try:
        right = passwords.verify(password, attempt.stored)
    except TryLater:
        _forgive_one(attempt)  # it was never looked at
        raise
    if not right:
        _refuse(attempt, at, found.actor.device, "wrong", "Kata sandi Anda tidak cocok.")
    _forgive_one(attempt)


def _count(username: str, device_id: str | None, at: datetime) -> _Attempt:
    """Count the attempt before it is made. Raises TooManyAttempts."""
    with transaction() as session:
        account = session.scalar(sa.select(Account).where(Account.username == username))
        known = account is not None and device_id is not None and session.get(KnownDevice, (account.id, device_id)) is not None
        subject = account.id if account else _stranger(username)
        bucket = device_id if known and device_id else UNKNOWN_DEVICE
        row = session.get(SignInAttempt, (subject, bucket), with_for_update=True)
        if row is None:
            row = SignInAttempt(subject=subject, device_id=bucket, misses=0, last_at=at)
            session.add(row)
        verdict = throttle.judge(row.misses, row.last_at if row.misses else None, at, known_device=known)
        if not verdict.may_try:
            raise TooManyAttempts(None if verdict.closed else verdict.wait)
        row.misses, row.last_at = row.misses + 1, at
        return _Attempt(
            subject, bucket, account.id if account else None, account.password_hash if account else passwords.nobody()
        )


def _stranger(username: str) -> str:
    number = int.from_bytes(hashlib.sha256(username.encode()).digest()[:8], "big") % STRANGER_COUNTERS
    return f"stranger:{number}"


def _forgive_one(attempt: _Attempt) -> None:
    mine = sa.and_(SignInAttempt.subject == attempt.subject, SignInAttempt.device_id == attempt.bucket)
    with transaction() as session:
        session.execute(sa.update(SignInAttempt).where(mine, SignInAttempt.misses > 0).values(misses=SignInAttempt.misses - 1))


def _refuse(attempt: _Attempt, at: datetime, device: str, cause: str, sentence: str) -> NoReturn:
    subject = f"account:{attempt.account_id}" if attempt.account_id else "account:unknown"
    with transaction():
        audit.record("sign-in-refused", subject, by=None, account_id="nobody", device=device, at=at, detail={"cause": cause})
    raise InvalidInput({"password": sentence}, "Belum dapat masuk.", "Periksa nama pengguna dan kata sandi, lalu coba lagi.")


def _enter(
    attempt: _Attempt, at: datetime, device_token: str, device: str, rehashed: str | None, replaces: str | None
) -> Entered:
    device_id = sessions.digest(device_token)
    with transaction() as session:
        account = session.get_one(Account, attempt.account_id)
        refused = _why_not(account, attempt, at)
        if refused is None:
            if rehashed:
                account.password_hash = rehashed
            session.execute(
                sa.delete(SignInAttempt).where(
                    SignInAttempt.subject == attempt.subject, SignInAttempt.device_id == attempt.bucket
                )
            )
            session.merge(KnownDevice(account_id=account.id, device_id=device_id, last_used_at=at))
            if replaces:
                sessions.end_where(WebSession.id == sessions.digest(replaces), reason="diganti", at=at)
            _forget_old(at)
            token = sessions.begin(account, device_id=device_id, device=device, at=at)
            audit.record("sign-in", f"account:{account.id}", by=None, account_id=account.id, device=device, at=at)
            return Entered(token, device_token, account.must_change_password)
    cause, sentence = refused
    _refuse(attempt, at, device, cause, sentence)


def _why_not(account: Account, attempt: _Attempt, at: datetime) -> tuple[str, str] | None:
    """Told only to somebody who knows the password."""
    if account.password_hash != attempt.stored:
        return "wrong", "Nama pengguna atau kata sandi salah."  # changed between the look and now
    if not account.active:
        return "inactive", "Akun ini dinonaktifkan. Hubungi admin."
    if account.password_expired(at):
        return "expired", "Kata sandi sekali pakai ini sudah kedaluwarsa. Mintalah yang baru kepada admin."
    return None


def _forget_old(at: datetime) -> None:
    db.session.execute(sa.delete(WebSession).where(WebSession.last_seen_at < at - KEEP_SESSIONS))
    db.session.execute(sa.delete(SignInAttempt).where(SignInAttempt.last_at < at - KEEP_ATTEMPTS))
