"""A real OpenID Connect provider (npm `oidc-provider`), installed once by its lock and started by the tests."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import http.client
import json
import secrets
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

    def sign_in(self, person: str) -> str:
        """The id token of a person who signs in through the browser (authorization code with PKCE)."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        back = "http://127.0.0.1/signed-in"
        asked = {
            "client_id": "web", "response_type": "code", "scope": "openid", "redirect_uri": back,
            "code_challenge": challenge, "code_challenge_method": "S256", "state": "s", "nonce": "n",
        }  # fmt: skip
        browser = _Browser(self.port)
        form, _ = browser.go(f"/auth?{urllib.parse.urlencode(asked)}")
        consent, _ = browser.go(form, {"prompt": "login", "login": person, "password": "any"})
        where, _ = browser.go(consent, {"prompt": "consent"})
        assert where.startswith(back), where
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(where).query)["code"][0]
        _, content = _Browser(self.port).go(
            "/token",
            {"grant_type": "authorization_code", "client_id": "web", "code": code, "redirect_uri": back,
             "code_verifier": verifier},
        )  # fmt: skip
        return str(json.loads(content)["id_token"])


class _Browser:
    """Follows redirects and keeps cookies, as far as signing in needs it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def go(self, path: str, form: dict[str, str] | None = None) -> tuple[str, bytes]:
        """Where it ends up, and what is there; stops at an address of somebody else."""
        for _ in range(20):
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_START_S)
            try:
                headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
                if form is not None:
                    headers["content-type"] = "application/x-www-form-urlencoded"
                sent = None if form is None else urllib.parse.urlencode(form)
                connection.request("GET" if form is None else "POST", path, sent, headers)
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            for line in answer.headers.get_all("set-cookie") or ():
                name, _, value = line.partition(";")[0].partition("=")
                self._cookies[name] = value
            where = answer.headers.get("location")
            if where is None:
                return path, content
            parts = urllib.parse.urlsplit(where)
            if parts.netloc not in ("", f"127.0.0.1:{self._port}"):
                return where, b""
            path, form = urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")), None
        raise AssertionError("the provider redirects for ever")


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
