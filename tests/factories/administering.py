"""An admin interface over a small world of two tenants, with a principal of every role for all and for each tenant."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from starlette.testclient import TestClient

from tripoint.apps.admin.process import AdminOptions, built, open_stores
from tripoint.apps.admin.serve import Door
from tripoint.apps.admin.stores import Stores
from tripoint.apps.admin.wire.guard import LogLine
from tripoint.domain.tenancy import Role
from tripoint.engines.governance.access.keys import ID_BYTES, SECRET_BYTES
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.usecases.accounts import keys, principals, tenants
from tripoint.usecases.accounts.login import local_actor
from tripoint.usecases.accounts.turn import Turn

_END_S = 60
TENANTS = ("acme", "globex")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back."""

    status: int
    """HTTP status."""
    headers: Mapping[str, str]
    """Headers, names in lower case."""
    text: str
    """Body."""
    content: Any
    """Body as JSON; `None` when there is none."""

    @property
    def tag(self) -> str:
        """Its version."""
        return self.headers.get("etag", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminWorld:
    """A running application, and the keys of everybody in it."""

    client: TestClient
    """Speaks to it."""
    stores: Stores
    """The same stores, opened by the test."""
    credentials: dict[str, str]
    """Admin keys by principal id: `admin`, `acme.operator`, …"""
    lines: list[LogLine]
    """What the interface logged."""
    counter: list[int] = field(default_factory=lambda: [0])
    """Counts what the test makes, for fresh names."""

    def call(self, who: str | None, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """One request as a principal (by id), or as nobody; header names are written with `_`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["authorization"] = f"Bearer {self.credentials.get(who, who)}"
        found = self.client.request(method, path, json=body, headers=sent)
        is_json = "json" in found.headers.get("content-type", "")
        return Answered(
            status=found.status_code,
            headers={name.lower(): value for name, value in found.headers.items()},
            text=found.text,
            content=found.json() if is_json and found.content else None,
        )

    def turn(self) -> Turn:
        """An act on the machine itself, now."""
        return Turn(local_actor("test"), time.time())

    def fresh(self, prefix: str) -> str:
        """A name nothing has yet."""
        self.counter[0] += 1
        return f"{prefix}-{self.counter[0]}"

    def secrets(self) -> keys.Secrets:
        """What a new key is made with."""
        return new_secrets(self.stores)


def new_secrets(stores: Stores) -> keys.Secrets:
    """What a new key is made with."""
    return keys.Secrets(stores.pepper, os.urandom(ID_BYTES + SECRET_BYTES))


def store_at(folder: Path) -> str:
    """URL of a store in a folder."""
    return f"sqlite:///{folder / 'store.db'}"


def populate(stores: Stores) -> dict[str, str]:
    """Two tenants and a principal of every role for all tenants and for each; their admin keys by principal id."""
    turn = Turn(local_actor("test"), time.time())
    for each in TENANTS:
        tenants.create_tenant(stores.accounts, turn, each)
    made: dict[str, str] = {}
    bound: tuple[str | None, ...] = (None, *TENANTS)
    for role in Role:
        for tenant in bound:
            name = principals.add_principal(stores.accounts, turn, str(role), roles=(role,), tenant=tenant).id
            shown = keys.create_key(stores.accounts, turn, Wanted(name=name, principal=name), new_secrets(stores))
            made[name] = shown.text
    return made


class _Seed(NamedTuple):
    """A populated store, to be copied: making one takes thirty durable transactions."""

    folder: Path
    credentials: dict[str, str]


@functools.cache
def _seed() -> _Seed:
    folder = Path(tempfile.mkdtemp(prefix="tripoint-admin-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    stores = open_stores(store_at(folder))
    made = populate(stores)
    stores.close()
    return _Seed(folder, made)


@contextmanager
def admin_world(folder: Path, **options: Any) -> Iterator[AdminWorld]:
    """The interface, without a socket, over a copy of a populated store or the `store` named; `options` go to it."""
    kept = options.pop("store", None)
    url = kept or store_at(folder)
    if kept is None:
        shutil.copytree(_seed().folder, folder, dirs_exist_ok=True)
    stores = open_stores(url)
    made = _seed().credentials if kept is None else populate(stores)
    lines: list[LogLine] = []
    try:
        app = built(AdminOptions(store=url, door=Door("127.0.0.1", 0), **options), lines.append)
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            yield AdminWorld(client=client, stores=stores, credentials=dict(made), lines=lines)
    finally:
        stores.close()


@dataclass
class AdminProcess:
    """`tripoint admin serve` as a process of its own."""

    address: str
    """Where it is."""
    process: subprocess.Popen[str]
    """The process."""

    def kill(self) -> None:
        """Ends it without a word, as a crash would."""
        self.process.kill()
        self.process.communicate(timeout=_END_S)


@contextmanager
def admin_process(url: str, *flags: str) -> Iterator[AdminProcess]:
    """The interface over a store, on a port of its own, until the block ends; its flags beside `--store`."""
    command = [sys.executable, "-m", "tripoint.apps.cli", "admin", "serve", "--store", url, "--port", "0", "--json"]
    process = subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        told = ""
        while not told.rstrip().endswith("}") and (line := process.stdout.readline()):
            told += line
        assert told, process.communicate(timeout=_END_S)[1]
        yield AdminProcess(json.loads(told)["address"], process)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=_END_S)
