"""Callers of two tenants in any order: whatever is remembered of one never serves, pays for or tells of the other."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.factories.serving import candidate, route, table, target
from tests.factories.shell import Answer, Shell, chat, get, post, read_answer, shell

from tripoint.domain.table import KeyEntry
from tripoint.domain.tenancy import Accounts, Quota, Scope
from tripoint.engines.gateway.entry.keyring import Register
from tripoint.testing.model_server import ModelServer, serving

pytestmark = pytest.mark.enable_socket

TENANTS = ("acme", "globex")
SECRETS = {"env:acme": "sk-acme-0123456789", "env:globex": "sk-globex-012345678"}
"""Of one length: their heads differ in nothing else."""


def entry(tenant: str) -> KeyEntry:
    """A key for what both share and what the tenant has to itself."""
    return KeyEntry(
        id=f"key-of-{tenant}", tenant=tenant, secret=f"env:{tenant}", workloads=("chat", f"{tenant}-only"), sites=None
    )


@pytest.fixture
def running() -> Iterator[Shell]:
    """A gateway of both; each has a workload of its own."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(ModelServer(models=())))
        names = ("chat", *(f"{each}-only" for each in TENANTS))
        served = table(
            [target("a", port=server.port)],
            [route(candidate(0, share=1.0), workload=name) for name in names],
            keys=[entry(each) for each in TENANTS],
        )
        yield stack.enter_context(shell(served, secrets=SECRETS))


def asked(connection: socket.socket, tenant: str, model: str = "chat", *, stream: bool = False) -> Answer:
    """One chat of a tenant."""
    connection.sendall(post(chat(stream=stream, model=model), bearer(tenant)))
    return read_answer(connection)


def bearer(tenant: str) -> str:
    """The header of a tenant's key."""
    return f"Authorization: Bearer {SECRETS[f'env:{tenant}']}"


def test_each_request_is_its_callers_in_any_order_over_any_connection(running: Shell) -> None:
    """The same words, the same connections, whole and streamed: records name who asked, in the order of asking."""
    chance = random.Random(3)
    sent: list[str] = []
    with running.connect() as one, running.connect() as other:
        for _ in range(200):
            tenant = chance.choice(TENANTS)
            answer = asked(chance.choice((one, other)), tenant, stream=chance.random() < 0.3)
            assert answer.status == 200
            sent.append(tenant)
    running.wait(lambda: len(running.records) == len(sent))
    assert [(each.tenant, each.key) for each in running.records] == [(each, f"key-of-{each}") for each in sent]


def test_another_tenants_workload_looks_like_none(running: Shell) -> None:
    """Same status, same code, same words as a name that does not exist; the list of models has one's own."""
    with running.connect() as connection:
        for tenant, stranger in (TENANTS, TENANTS[::-1]):
            assert asked(connection, tenant, f"{tenant}-only").status == 200
            hidden = asked(connection, tenant, f"{stranger}-only")
            absent = asked(connection, tenant, f"{'x' * len(stranger)}-only")
            assert hidden.status == absent.status == 404
            assert hidden.body.replace(stranger.encode(), b"x" * len(stranger)) == absent.body
            connection.sendall(get("/v1/models", bearer(tenant)))
            listed = {each["id"] for each in json.loads(read_answer(connection).body)["data"]}
            assert listed == {"chat", f"{tenant}-only"}


def test_one_tenants_refusal_is_nobody_elses(running: Shell) -> None:
    """A quota of one refuses one, without a word of the other; a key that is gone opens nothing that was remembered."""
    quota = Quota(id="acme", scope=Scope(tenant="acme"), requests_per_min=1)
    with running.connect() as connection:
        for tenant in TENANTS:
            assert asked(connection, tenant).status == 200
        running.ask(lambda lobby: lobby.gateway.register(Register(Accounts(revision=2, quotas=(quota,)), b"p" * 32)))
        assert asked(connection, "acme").status == 200
        for _ in range(3):
            refused = asked(connection, "acme")
            assert refused.status == 429
            assert b"globex" not in refused.body
            assert asked(connection, "globex").status == 200
        only = table([target("a", port=1)], [route(candidate(0, share=1.0))], keys=[entry("acme")])
        running.ask(lambda lobby: lobby.gateway.reload(only, SECRETS, time.monotonic()))
        gone = asked(connection, "globex")
        assert gone.status == 401
        assert b"globex" not in gone.body
