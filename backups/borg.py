"""The engine: the one place that starts borg and understands what it says.

Works with borg 1.2.4 and every later 1.x. Errors are told apart by the message id that borg writes with --log-json, which old and
new versions share; exit codes differ between them. The passphrase reaches borg through a pipe, never an argument or a file.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from backups.errors import (
    BackupError,
    Busy,
    EngineKilled,
    EngineMissing,
    NoSpace,
    NoSuchArchive,
    RepositoryDamaged,
    RepositoryMissing,
    RepositoryOlder,
    SourceMissing,
    WrongPassphrase,
)
from backups.process import Ended, Sink, Stop, never, run

MINIMUM = (1, 2, 4)
# Dumps shift: a small content-defined chunker. Pages of a database: `pages`. Else borg's own.
DUMP = ("--compression=zstd,3", "--chunker-params=buzhash,15,19,17,4095")
FILES = ("--compression=auto,zstd,3",)
# What one file may be cut into: borg keeps some 900 bytes of memory for each piece, 102 MB at 104,000.
MOST_PIECES = 110_000
SMALLEST_PIECE = 8192
HARMLESS = ("file changed while we backed it up", ": attrs: [Errno 1]")
# Borg tries out its own cipher and chunker at each start, a third of the time of a small one: enough before it writes.
WRITING = ("init", "create")
UNTESTED = {"BORG_SELFTEST": "disabled"}
WARNING_CODE = 1
WARNING_CODES_MODERN = range(100, 128)
READS_BESIDE_A_WRITER = 5
COMMIT_SECONDS = 10.0
SEGMENT = re.compile(r"\[segment (\d+), offset \d+\]")
SEGMENTS_IN_A_FOLDER = 1000
REPOSITORY_ID = re.compile(r"^id = ([0-9a-f]{64})$", re.MULTILINE)
DAMAGED = (
    "Jangan menghapus apa pun. Lihat cadangan mana yang masih utuh: sudo slrt backup prove --all-data; lalu ganti disk cadangan."
)
# What a repository is made of, without what is only being written.
PIECE = re.compile(r"config|README|data|(index|hints|integrity)\.\d+")


@dataclass(frozen=True)
class Stored:
    """One archive as the repository lists it. `comment` is what was given at its making."""

    name: str
    comment: str


@dataclass(frozen=True)
class Engine:
    """A borg repository in `folder`; `base` is borg's own folder for cache and security notes; `keep` is the run's lock.

    `told` is the folder to name to people, where that is another one; `cache` is borg's folder for that alone, where it is not below `base`.
    """

    folder: Path
    base: Path
    passphrase: str = field(repr=False)
    keep: tuple[int, ...] = ()
    stop: Stop = never
    told: Path | None = None
    cache: Path | None = None

    def exists(self) -> bool:
        """Whether there is a repository at all."""
        return (self.folder / "config").is_file()

    def init(self) -> None:
        """Make the repository in a folder that is not there yet or empty."""
        self._borg("init", "--encryption=repokey-blake2", "--make-parent-dirs", str(self.folder))

    def archives(self) -> list[Stored]:
        """All archives, oldest first. Does not disturb a run that writes."""
        answer = self._read("list", "--json", "--format={name}{comment}", at="")
        return [Stored(found["name"], found.get("comment", "")) for found in json.loads(answer.out)["archives"]]

    def store_paths(self, archive: str, folder: Path, names: Sequence[str], options: Sequence[str]) -> int:
        """Store `names` below `folder`; returns how many bytes the repository grew."""
        answer = self._borg(
            "create", "--json", "--numeric-ids", *options, self._at(archive), "--", *names, folder=folder, warnings=True
        )
        _refuse_unread(answer)
        return _growth(answer)

    def store_bytes(self, archive: str, name: str, content: bytes, comment: str) -> None:
        """Store one small text from memory."""
        self._borg("create", f"--stdin-name={name}", f"--comment={comment}", self._at(archive), "-", feed=content)

    def read(self, archive: str, name: str, sink: Sink) -> None:
        """Stream one stored file to `sink`."""
        self._read("extract", "--stdout", at=archive, names=(name,), sink=sink)

    def read_bytes(self, archive: str, name: str) -> bytes:
        """One small stored file."""
        parts: list[bytes] = []
        self.read(archive, name, parts.append)
        return b"".join(parts)

    def extract(self, archive: str, to: Path, names: Sequence[str] = ()) -> None:
        """Unpack all of an archive, or only `names`, into the folder `to`."""
        options = ("--numeric-ids", "--noxattrs", "--noacls")
        _refuse_unread(self._read("extract", *options, at=archive, names=("--", *names), folder=to, warnings=True))

    def prove_readable(self, archive: str) -> None:
        """Read and decrypt everything of an archive without writing it."""
        self._read("extract", "--dry-run", at=archive)

    def files(self, archive: str) -> list[tuple[str, int]]:
        """Path and size of each regular file of an archive."""
        answer = self._read("list", "--json-lines", "--format={type}{size}{path}", at=archive)
        found = [json.loads(line) for line in answer.out.splitlines()]
        return [(item["path"], item["size"]) for item in found if item["type"] == "-"]

    def check(self, seconds: int) -> None:
        """Check the whole repository's segments, going on next time where the seconds ended."""
        self._borg("check", "--repository-only", f"--max-duration={seconds}", str(self.folder))

    def check_all_data(self) -> None:
        """Check every segment, and read, decrypt and compare every piece of every archive. Takes as long as it takes."""
        self._borg("check", "--verify-data", str(self.folder))

    def check_archives(self, names: str) -> None:
        """Check that the archives matching the pattern `names` have all their pieces."""
        self._borg("check", "--archives-only", f"--glob-archives={names}", str(self.folder))

    def delete(self, archives: Sequence[str]) -> None:
        """Forget archives. The room comes back with `compact`."""
        if archives:
            self._borg("delete", str(self.folder), *archives)

    def compact(self) -> None:
        """Give back the room of what was forgotten."""
        self._borg("compact", str(self.folder))

    def export_key(self, to: Path) -> None:
        """Write the repository's key, still encrypted with the passphrase: it opens a repository whose `config` was lost."""
        self._borg("key", "export", str(self.folder), str(to))

    def change_passphrase(self, new: str) -> None:
        """Lock the repository's key with another passphrase; the data stay as they are. Raises WrongPassphrase.

        Both go in as if they were typed: borg would take the new one from the environment only, where others of this user see it.
        """
        command = ["borg", "--log-json", "--lock-wait=5", "key", "change-passphrase", str(self.folder)]
        words = {**self._environment(-1), "BORG_DISPLAY_PASSPHRASE": "no"}
        del words["BORG_PASSPHRASE_FD"]
        feed = f"{self.passphrase}\n{new}\n{new}\n".encode()
        ended = run(command, environment=words, feed=feed, keep=self.keep, stop=self.stop)
        if ended.code != 0:
            raise _translated(ended, self.told or self.folder)

    def export_second_key(self, second: str, to: Path) -> None:
        """Write the repository's key locked with a passphrase of its own, which opens it although the repository never knew it."""
        with self._view() as view:
            config = view.folder / "config"
            content = config.read_bytes()
            config.unlink()
            config.write_bytes(content)
            view.change_passphrase(second)
            view.export_key(to)

    def break_lock(self) -> None:
        """Clear what a killed run left. Only the holder of the run's lock may call it: then nobody can be working."""
        caches = self.base.glob(".cache/borg/*/lock.*")
        if any(self.folder.glob("lock.*")) or any(caches):
            self._borg("break-lock", str(self.folder))

    def _at(self, archive: str) -> str:
        return f"{self.folder}::{archive}" if archive else str(self.folder)

    def _read(
        self,
        *command: str,
        at: str,
        names: Sequence[str] = (),
        folder: Path | None = None,
        sink: Sink | None = None,
        warnings: bool = False,
    ) -> Ended:
        """A command that only reads, beside a run that may be writing.

        What borg read before a commit does not fit what it reads after one, nor what it reads in the middle of one: it then speaks
        of an attack or of missing pieces. So a read that failed while the repository changed is done again, unless the sink has had
        some of it.
        """
        handed: list[int] = []

        def noted(block: bytes) -> None:
            handed.append(len(block))
            if sink is not None:
                sink(block)

        for left in reversed(range(READS_BESIDE_A_WRITER)):
            before = self._state()
            try:
                with self._view() as view:
                    words = (*command, "--bypass-lock", view._at(at), *names)
                    return view._borg(*words, folder=folder, sink=noted if sink else None, warnings=warnings)
            except RepositoryDamaged:
                if not left or handed or not self._changes(before):
                    raise
        raise AssertionError("the last try returns or raises")

    def _changes(self, before: set[str]) -> bool:
        """Whether the repository is not, or within moments no longer, as it was before. Borg takes old segments away first and
        names the new index last, each forced onto the disk: whoever comes between finds neither state, for as long as a busy disk takes.
        """
        gives_up = time.monotonic() + COMMIT_SECONDS
        while self._state() == before:
            if not (self.folder / "lock.exclusive").exists() or time.monotonic() > gives_up:
                return False
            time.sleep(COMMIT_SECONDS / 100)
        return True

    def _state(self) -> set[str]:
        """The names of all its pieces and segments: each step of a commit changes them."""
        return {*self._names(), *(str(path) for path in self.folder.glob("data/*/*"))}

    @contextmanager
    def _view(self) -> Iterator[Engine]:
        """The repository as a folder of links, with a cache that is empty.

        A borg that finds the index one commit behind writes a new one, without asking for a lock: beside a run that is about to write
        the same file, that would break the run. And a run keeps its cache locked to its end; only where none is, nobody waits for it.
        """
        with tempfile.TemporaryDirectory(prefix="slrt-borg-") as place:
            links = Path(place) / "repository"
            links.mkdir()
            for name in self._names():
                (links / name).symlink_to(self.folder.absolute() / name)
            yield replace(self, folder=links, told=self.folder, cache=Path(place) / "cache")

    def _names(self) -> list[str]:
        """The names of its pieces. Raises RepositoryMissing when the folder cannot be read."""
        try:
            return [path.name for path in self.folder.iterdir() if PIECE.fullmatch(path.name)]
        except OSError as error:
            raise RepositoryMissing(
                f"Folder cadangan {self.folder} tidak dapat dibaca ({error.strerror}).", "Periksa apakah disk cadangan terpasang."
            ) from error

    def _borg(
        self,
        *command: str,
        folder: Path | None = None,
        feed: bytes | None = None,
        sink: Sink | None = None,
        warnings: bool = False,
    ) -> Ended:
        ended = self._run(command, folder, feed, sink)
        if _is_cache_broken(ended) and self._forget_cache():
            ended = self._run(command, folder, feed, sink)
        if ended.code < 0:
            raise _killed(ended)
        warned = ended.code == WARNING_CODE or ended.code in WARNING_CODES_MODERN
        if ended.code != 0 and not (warned and warnings):
            raise _translated(ended, self.told or self.folder)
        return ended

    def _run(self, command: Sequence[str], folder: Path | None, feed: bytes | None, sink: Sink | None) -> Ended:
        self.base.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _passphrase(self.passphrase) as handle:
            return run(
                ["borg", "--log-json", "--lock-wait=5", *command],
                environment={**self._environment(handle), **({} if command[0] in WRITING else UNTESTED)},
                folder=folder,
                feed=feed,
                sink=sink,
                keep=(handle, *self.keep),
                stop=self.stop,
            )

    def _forget_cache(self) -> bool:
        """Take borg's cache of this repository away, which it makes anew from it; whether there was one. That of another one may be in
        use, and what is kept against a repository that somebody put back is elsewhere. Whoever reads beside a run has nothing to forget.
        """
        found = REPOSITORY_ID.search((self.folder / "config").read_text()) if self.exists() else None
        kept = self.base / ".cache" / "borg" / found[1] if found else None
        if self.cache or kept is None or not kept.is_dir():
            return False
        shutil.rmtree(kept)
        return True

    def _environment(self, handle: int) -> dict[str, str]:
        return {
            "BORG_PASSPHRASE_FD": str(handle),
            "BORG_BASE_DIR": str(self.base),
            **({"BORG_CACHE_DIR": str(self.cache)} if self.cache else {}),
            # A new network card or host name must not turn our own old lock into a stranger's.
            "BORG_HOST_ID": "slrt",
            "BORG_EXIT_CODES": "modern",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
        }


def piece_bytes(size: int) -> int:
    """The bytes of the pieces that a database file of `size` bytes is cut into: small ones store little for a change, but each takes
    memory. When they double, one night stores the whole database anew; the file doubles before that happens again."""
    piece = SMALLEST_PIECE
    while size > piece * MOST_PIECES:
        piece *= 2
    return piece


def pages(size: int) -> tuple[str, ...]:
    """Options for a database file of `size` bytes: its pages change in place, and blocks of one size find them again."""
    return "--compression=zstd,3", f"--chunker-params=fixed,{piece_bytes(size)}", "--files-cache=disabled"


@contextmanager
def _passphrase(text: str) -> Iterator[int]:
    """A descriptor from which the passphrase can be read once."""
    reading, writing = os.pipe()
    try:
        os.write(writing, text.encode())
    finally:
        os.close(writing)
    try:
        yield reading
    finally:
        os.close(reading)


def require_borg() -> tuple[int, ...]:
    """The version of borg. Raises EngineMissing when there is none or it is too old or of another generation."""
    program = shutil.which("borg")
    if program is None:
        raise EngineMissing("Program borg tidak ada.", "Pasang paketnya: sudo apt install borgbackup")
    words = _version(program, Path(program).stat().st_mtime_ns)
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", words)
    version = tuple(int(part) for part in found.groups()) if found else (0,)
    if not MINIMUM <= version < (2,):
        raise EngineMissing(
            f"borg versi {words.strip()} tidak dapat dipakai; perlu 1.2.4 sampai 1.x.",
            "Pasang borgbackup dari Debian, lalu ulangi.",
        )
    return version


@functools.cache
def _version(program: str, _changed: int) -> str:
    """What the program says of itself. Asked once, and again when it was replaced: an answer takes a quarter of a second."""
    return run([program, "--version"]).out.decode()


def _is_cache_broken(ended: Ended) -> bool:
    """Whether borg stumbled over its cache: it does not force those files onto the disk, and a power cut leaves them empty."""
    speaks = "cache.py" in ended.err or ".cache/borg" in ended.err
    return ended.code > WARNING_CODE and speaks and type(_translated(ended, Path())) is RepositoryDamaged


def _growth(answer: Ended) -> int:
    return int(json.loads(answer.out)["archive"]["stats"]["deduplicated_size"])


def _messages(err: str) -> Iterator[dict[str, object]]:
    for line in err.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            message = {"message": line}
        if isinstance(message, dict):
            yield message


def _refuse_unread(answer: Ended) -> None:
    """A file that changed while it was read is a warning, and so is a right that may not be given where it is brought back (a
    unit may forbid a folder to hand on its group); one that could not be read is a backup with a hole."""
    for message in _messages(answer.err):
        text = str(message.get("message", ""))
        if message.get("levelname") == "WARNING" and "Errno" in text and not any(words in text for words in HARMLESS):
            raise SourceMissing(
                f"Ada berkas yang tidak dapat dibaca: {text[-200:]}", "Periksa disk data dan hak akses berkas itu."
            )


def _killed(ended: Ended) -> EngineKilled:
    return EngineKilled(
        f"Program cadangan dihentikan paksa (sinyal {-ended.code}), mungkin karena memori habis.",
        "Tidak perlu apa-apa: sistem mengulanginya sendiri. Bila berulang, periksa: sudo dmesg | grep -i memory",
    )


# what borg calls it → the kind, what happened, what to do; {0} is the repository's folder
_TOLD: tuple[tuple[frozenset[str], type[BackupError], str, str], ...] = (
    (
        frozenset({"PassphraseWrong", "NoPassphraseFailure"}),
        WrongPassphrase,
        "Kata sandi cadangan tidak cocok dengan repositori {0}.",
        "Periksa kata sandi pada lembar pemulihan.",
    ),
    (
        frozenset({"Repository.DoesNotExist", "Repository.InvalidRepository", "Repository.ParentPathDoesNotExist"}),
        RepositoryMissing,
        "Tidak ada repositori cadangan di {0}.",
        "Periksa apakah disk cadangan terpasang; untuk membuat yang baru: sudo slrt backup init",
    ),
    (
        frozenset({"Cache.RepositoryReplay", "Cache.RepositoryIDNotUnique"}),
        RepositoryOlder,
        "Isi repositori {0} lebih lama daripada yang pernah ditulis simpul ini.",
        "Pakai disk cadangan yang terbaru.",
    ),
    (
        frozenset({"Archive.DoesNotExist"}),
        NoSuchArchive,
        "Cadangan itu tidak ada di repositori.",
        "Lihat daftarnya: slrt backup list",
    ),
    (
        frozenset({"LockTimeout", "LockError", "LockFailed", "LockErrorT"}),
        Busy,
        "Repositori cadangan sedang dipakai.",
        "Tunggu sampai pencadangan selesai, lalu ulangi.",
    ),
)


def _translated(ended: Ended, folder: Path) -> BackupError:
    """The error in the officer's words. What borg itself said comes last: it may point at the wrong disk."""
    ids = {str(message.get("msgid", "")) for message in _messages(ended.err)}
    text = " ".join(str(message.get("message", "")) for message in _messages(ended.err) if message.get("levelname") != "INFO")
    for names, kind, what, then in _TOLD:
        if ids & names:
            return kind(what.format(folder), then)
    if "Repository.InsufficientFreeSpaceError" in ids or "No space left on device" in text or "Errno 28" in text:
        return NoSpace(f"Disk cadangan {folder} penuh.", "Kosongkan disk itu atau kurangi jumlah cadangan yang disimpan.")
    return _damage(ended, folder, text)


def _damage(ended: Ended, folder: Path, text: str) -> RepositoryDamaged:
    """What is not as it was written; the pieces are named where borg names them."""
    pieces = sorted({int(number) for number in SEGMENT.findall(text)})
    if pieces:
        named = ", ".join(f"data/{number // SEGMENTS_IN_A_FOLDER}/{number}" for number in pieces)
        return RepositoryDamaged(f"Bagian repositori cadangan rusak: {named} di {folder}.", DAMAGED)
    return RepositoryDamaged(
        f"Repositori cadangan {folder} tidak dapat dipakai (borg {ended.code}).",
        f"Periksa disk cadangan, lalu: slrt backup verify. Pesan borg: {text[-300:].strip() or '-'}",
    )
