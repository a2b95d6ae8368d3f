"""A real OpenID Connect provider (npm `oidc-provider`), installed once by its lock and started by the tests."""

from __future__ import annotations

import base64
import fcntl
import http.client
import json
import shutil
import socket
import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, missing_component

_SOURCE = ROOT / "tests" / "peers" / "oidc_provider"
_INSTALLED = ROOT / "out" / "tests" / "oidc_provider"
_LEAST_NODE = 20
_START_S = 60
_INSTALL_S = 90


@dataclass
class OidcProvider:
    """A provider, running or not."""

    port: int
    """Where it listens, on loopback."""
    process: subprocess.Popen[str] | None = None
    """Its process while it runs."""

    @property
    def issuer(self) -> str:
        """As its tokens name it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, with signing keys nobody has seen before."""
        self.process = subprocess.Popen(
            ["node", "provider.mjs", str(self.port)],
            cwd=_INSTALLED,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        told = self.process.stdout.readline().strip()
        assert told == self.issuer, f"the provider said `{told}`"

    def stop(self) -> None:
        """Ends it."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate(timeout=_START_S)
            self.process = None

    def token(self, client: str, audience: str) -> str:
        """An access token of one of its clients (`ada`, `bob`, `eve`, `mallory`) for an audience."""
        credentials = base64.b64encode(f"{client}:secret-of-{client}".encode()).decode()
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "resource": audience})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_START_S)
        try:
            headers = {"authorization": f"Basic {credentials}", "content-type": "application/x-www-form-urlencoded"}
            connection.request("POST", "/token", form, headers)
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return str(answer["access_token"])


@contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    """A running provider; skips where Node.js or the package cannot be had (fails in CI)."""
    _install()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider = OidcProvider(port)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def _install() -> None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        missing_component("Node.js and npm are not on the PATH")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").split(".")[0]) < _LEAST_NODE:
        missing_component(f"Node.js is {version}, the provider needs {_LEAST_NODE}")
    _INSTALLED.parent.mkdir(parents=True, exist_ok=True)
    with (_INSTALLED.parent / "oidc_provider.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side
        wanted = _files(_SOURCE)
        if _files(_INSTALLED) == wanted and (_INSTALLED / "node_modules" / ".ready").exists():
            return
        _INSTALLED.mkdir(parents=True, exist_ok=True)
        for name, content in wanted.items():
            (_INSTALLED / name).write_bytes(content)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=_INSTALLED, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
        if done.returncode != 0:
            missing_component(f"`npm ci` could not install the provider: {done.stderr.strip()[-300:]}")
        (_INSTALLED / "node_modules" / ".ready").touch()


def _files(folder: Path) -> dict[str, bytes]:
    """The provider's own files in a folder."""
    names = ("package.json", "package-lock.json", "provider.mjs")
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}
