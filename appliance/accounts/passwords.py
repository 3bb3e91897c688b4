"""Passwords: what a good one is, how it is stored, and how one is made for somebody who must choose her own.

Argon2id with 32 MiB, 2 passes and 1 lane: 65 ms on a 2-core machine of today, well under 0.3 s on the slow server this is made
for, and above the OWASP minimum (19 MiB, 2 passes). No composition rules and no expiry (NIST SP 800-63B).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from appliance.errors import TryLater

SHORTEST = 10
LONGEST = 128
ONE_TIME_LIFE = timedelta(days=7)

# Two at once in each of the two web processes: at most 128 MiB, and two cores are all there is.
AT_ONCE = 2
QUEUE_SECONDS = 2.0

_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
_turns = threading.BoundedSemaphore(AT_ONCE)

# What people here really choose when ten characters are asked for; compared without case, blanks and digits at the end.
_COMMON = frozenset(
    """
    password passwords katasandi sandirahasia rahasia rahasiasaya rahasianegara qwertyuiop qwerty qwertyasdf asdfghjkl asdfghjkl;
    zxcvbnm 1q2w3e4r5t 1qaz2wsx3edc abcdefghij abcdefgh iloveyou indonesia indonesiaraya indonesiamerdeka merdeka bismillah
    bismillahirrahmanirrahim alhamdulillah assalamualaikum insyaallah allahuakbar sayangkamu sayangku akusayangkamu cintaku
    dinassosial dinsos dinsosbantaeng dinsosdenpasar sipakatau slrt slrtbantaeng slrtdenpasar slrtsipakatau puskesos kemensos
    kementeriansosial pemkab pemkabbantaeng bantaeng kabupatenbantaeng denpasar kotadenpasar bali sulawesi sulawesiselatan
    makassar fasilitator supervisor manajer administrator admin adminadmin operator petugas kecamatan kelurahan selamatpagi
    selamatdatang welcome letmein changeme gantisaya testtest percobaan komputer internet samsung lenovo monyet bajingan
    """.split()  # noqa: SIM905  read as a text
)

# Words that are read over a telephone without a mistake; 63 of them give about 6 bits each.
_WORDS = (  # noqa: SIM905  read as a text
    "angin awan bambu batu bayam bendera beras biru buku bulan bunga cabai cincin dahan daun domba embun garam gajah gelas gunung hijau"
    " hujan ikan jagung jalan jambu jendela kacang kain kapal kayu kelapa kertas kolam kopi kuda kuning laut lampu lebah madu mangga melati"
    " merah nanas nasi padi pagi pasir payung pelangi perahu petani pohon roti rumah salak sawah semut sungai telur ubi"
).split()


def problem_with(password: str, *, username: str, name: str = "", current: str | None = None) -> str | None:
    """Why `password` is refused, as a sentence; None when it is good. `current` is the one to be replaced."""
    plain = password.casefold().replace(" ", "")
    core = plain.strip("0123456789!@#$%&*?._-")
    if len(password) < SHORTEST:
        problem = f"Kata sandi paling sedikit {SHORTEST} karakter. Beberapa kata biasa yang digabung sudah cukup kuat."
    elif len(password) > LONGEST:
        problem = f"Kata sandi paling banyak {LONGEST} karakter."
    elif len(set(password)) < 4:
        problem = "Kata sandi ini terlalu mudah ditebak: karakternya berulang."
    elif not core or core in _COMMON or plain in _COMMON:
        problem = "Kata sandi ini terlalu sering dipakai dan mudah ditebak. Gabungkan beberapa kata yang tidak berhubungan."
    elif _is_own_name(plain, core, username.casefold(), name.casefold()):
        problem = "Kata sandi tidak boleh berisi nama Anda."
    elif current is not None and password == current:
        problem = "Kata sandi baru harus berbeda dari yang lama."
    else:
        problem = None
    return problem


def _is_own_name(plain: str, core: str, username: str, name: str) -> bool:
    words = [word for word in (username, *name.split(), name.replace(" ", "")) if len(word) >= 4]
    return core in words or username in plain


def one_time_password() -> str:
    """A password for one use: four words and three digits (34 bits), readable over a telephone, for example
    "padi-bulan-kuda-awan-407". With the throttle and its seven days that is out of reach of guessing."""
    words = [secrets.choice(_WORDS) for _ in range(4)]
    return "-".join([*words, f"{secrets.randbelow(1000):03d}"])


def hash_password(password: str) -> str:
    """The hash to store. Raises TryLater when too many are computed at once."""
    with _turn():
        return _hasher.hash(password)


def verify(password: str, stored: str) -> bool:
    """Whether `password` is the stored one. Raises TryLater when too many are computed at once."""
    with _turn():
        try:
            return _hasher.verify(stored, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


@cache
def nobody() -> str:
    """A hash that nothing matches, checked for a name that does not exist: the answer takes as long as for one that does."""
    return _hasher.hash(secrets.token_hex(16))


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=QUEUE_SECONDS):
        raise TryLater("Terlalu banyak orang masuk pada saat yang sama.", "Tunggu beberapa detik, lalu coba lagi.")
    try:
        yield
    finally:
        _turns.release()
