"""A real PostgreSQL server, started for the tests and gone with them; each test gets a database of its own."""

from __future__ import annotations

import functools
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_USER = "tripoint"
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "max_connections=100",
    "shared_buffers=64MB",
    "log_min_messages=fatal",
)


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    folder: Path
    """Its files."""
    port: int
    """Where it listens, on loopback."""
    tools: Path
    """Folder of its programs."""

    @property
    def url(self) -> str:
        """Its first database."""
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        """One of its databases."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{name}"

    def make(self, name: str) -> str:
        """A fresh database of that name; its URL."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url_of(name)

    def stop(self, how: str = "immediate") -> None:
        """Ends it: `immediate` as a crash would, `fast` in order."""
        _control(self, "stop", "-m", how)

    def start(self) -> None:
        """Starts it again, at the same port."""
        options = " ".join(f"-c {each}" for each in (*_SETTINGS, f"unix_socket_directories={self.folder}"))
        _control(self, "-l", str(self.folder / "log"), "-o", f"-p {self.port} {options}", "start")


def server_tools() -> Path | None:
    """Folder with `initdb`; Debian keeps it off the PATH."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return folders[-1].parent if folders else None


@contextmanager
def postgres_server() -> Iterator[Server]:
    """A server until the block ends; skips where PostgreSQL is not installed (fails in CI)."""
    tools = server_tools()
    if tools is None:
        from tests.conftest import missing_component  # benchmarks start servers where pytest is not installed

        missing_component("PostgreSQL is not installed (no `initdb`)")
        raise AssertionError("not reached")
    folder = Path(tempfile.mkdtemp(prefix="tripoint-postgres-"))  # a short path: its socket lives there
    server = Server(folder, _free_port(), tools)
    try:
        folder.chmod(0o700)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        _run(tools / "initdb", "-D", folder / "store", "-A", "trust", "-U", _USER, "-E", "UTF8", "--locale=C", "-N")
        server.start()
        yield server
    finally:
        if (folder / "store" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _control(server: Server, *arguments: str) -> None:
    _run(server.tools / "pg_ctl", "-w", "-t", "60", "-D", server.folder / "store", *arguments)


def _run(program: Path, *arguments: str | Path) -> None:
    # The server refuses to run as root, and so does initdb.
    as_user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
    ran = subprocess.run(
        [*as_user, str(program), *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False, cwd="/", timeout=120, close_fds=True,
    )  # fmt: skip
    assert ran.returncode == 0, f"{program.name} as {_login()}: {ran.stdout}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@functools.cache
def _login() -> str:
    return getpass.getuser()
