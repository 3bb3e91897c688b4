"""A real Chromium 81, the last browser of the tablets, fetched once with a pinned hash and driven over a pipe.

The program is the one in the npm package `chrome-aws-lambda` (MIT); it is kept outside the repository, in the user's cache.
Playwright no longer speaks to a browser this old, so the few words of its DevTools language we need stand here.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import playwright

PACKAGE = "chrome-aws-lambda@3.0.4"
PACKAGE_SHA256 = "fad8f5e0eb2b990a3a5b3b95343a077118e830c6bef156f16eac38dbde78a982"
CACHE = Path.home() / ".cache" / "slrt-tests"
_UNPACK = 'const z=require("zlib"),f=require("fs");f.writeFileSync(process.argv[2],z.brotliDecompressSync(f.readFileSync(process.argv[1])))'


def program(cache: Path = CACHE) -> Path:
    """The browser's file, fetched and unpacked when it is not there yet. A half-fetched file is never left under its name."""
    wanted = cache / "chromium-81"
    if wanted.exists():
        return wanted
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        # npm, because where packages come from is set up for it on each machine
        subprocess.run(["npm", "pack", PACKAGE, "--silent", "--pack-destination", folder], cwd=folder, check=True, timeout=240)
        [packed] = Path(folder).glob("*.tgz")
        found = hashlib.sha256(packed.read_bytes()).hexdigest()
        if found != PACKAGE_SHA256:
            raise RuntimeError(f"{PACKAGE} has the hash {found}, not {PACKAGE_SHA256}")
        squeezed, unpacked = Path(folder) / "chromium.br", Path(folder) / "chromium"
        with tarfile.open(packed) as archive, squeezed.open("wb") as file:
            member = archive.extractfile("package/bin/chromium.br")
            assert member is not None, "a package of this hash holds it"
            shutil.copyfileobj(member, file)
        # the JavaScript engine that comes with playwright can undo brotli; Python cannot
        node = Path(playwright.__file__).parent / "driver" / "node"
        subprocess.run([node, "-e", _UNPACK, squeezed, unpacked], check=True, timeout=120)
        unpacked.chmod(0o755)
        unpacked.rename(wanted)
    return wanted


class OldTablet:
    """One page of Chromium 81 in the size of the tablets. Use as a context manager."""

    def __init__(self, width: int = 1024, height: int = 600) -> None:
        self._profile = tempfile.mkdtemp(prefix="chromium81-")
        self._numbers = count(1)
        self._unread = b""
        self._happened: list[dict[str, Any]] = []
        self._session = ""
        self._start(width, height)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def _start(self, width: int, height: int) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # the browser expects its two ends as 3 and 4; keep ours out of the way of those numbers
        theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (to_read, to_write)]

        command = [
            "bash", "-c", f'exec "$@" 3<&{theirs[0]} 4>&{theirs[1]}', "--",
            str(program()), "--headless", "--no-sandbox", "--disable-gpu", "--no-zygote", "--disable-dev-shm-usage",
            "--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={self._profile}", f"--window-size={width},{height}",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, pass_fds=theirs, stderr=subprocess.DEVNULL, start_new_session=True)
        for end in (to_read, to_write, *theirs):
            os.close(end)

    def __enter__(self) -> OldTablet:
        return self

    def __exit__(self, *error: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask the browser one thing and wait for the answer."""
        number = next(self._numbers)
        question: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            question["sessionId"] = self._session
        os.write(self._to, json.dumps(question).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']}")
                return dict(told["result"])
            self._happened.append(told)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            part = os.read(self._from, 65536)
            if not part:
                raise RuntimeError("Chromium 81 ended; are libnss3 and libexpat1 installed?")
            self._unread += part
        one, self._unread = self._unread.split(b"\0", 1)
        return dict(json.loads(one))

    def _until(self, event: str) -> None:
        while event not in [told.get("method") for told in self._happened]:
            self._happened.append(self._next())

    def open(self, url: str) -> None:
        """Go to a page and wait until it is loaded."""
        self._happened.clear()
        self.call("Page.navigate", url=url)
        self._until("Page.loadEventFired")

    def press(self, script: str) -> None:
        """Run a script that leads to another page, and wait for that page."""
        self._happened.clear()
        self.call("Runtime.evaluate", expression=script)
        self._until("Page.loadEventFired")

    def value(self, script: str) -> Any:
        """What a script gives, as plain data."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def picture(self, path: Path) -> None:
        """Save what the screen shows as a PNG file."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
