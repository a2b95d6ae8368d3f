"""Keys are recognised by their hash, and only those whose secret is known."""

from __future__ import annotations

import pytest

from tripoint.domain.table import KeyEntry
from tripoint.engines.gateway.entry.keyring import Keyring


def entry(id: str, secret: str) -> KeyEntry:
    """A key of a tenant of its own name."""
    return KeyEntry(id=id, tenant=f"tenant-{id}", secret=secret, workloads=(), sites=None)


def ring() -> Keyring:
    """Two keys, one of whose secrets is empty and one unknown."""
    entries = (entry("a", "env:A"), entry("empty", "env:E"), entry("unknown", "env:U"))
    return Keyring(entries, {"env:A": "sk-alpha", "env:E": ""})


@pytest.mark.parametrize(
    "headers",
    [
        {b"authorization": b"Bearer sk-alpha"},
        {b"authorization": b"bearer  sk-alpha "},
        {b"x-api-key": b"sk-alpha"},
        {b"api-key": b"sk-alpha"},
    ],
)
def test_a_key_is_found_however_it_is_shown(headers: dict[bytes, bytes]) -> None:
    """Bearer, x-api-key and api-key are the three ways of the official clients."""
    for _ in range(2):  # the second time it is remembered
        found = ring().find(headers)
        assert found is not None
        assert found.tenant == "tenant-a"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"authorization": b""},
        {b"authorization": b"Bearer "},
        {b"authorization": b"Bearer sk-alph"},
        {b"authorization": b"Bearer sk-alpha2"},
        {b"authorization": b"Basic sk-alpha"},
        {b"x-api-key": b""},
        {b"x-api-key": b"Bearer sk-alph"},
    ],
)
def test_nothing_else_is_a_key(headers: dict[bytes, bytes]) -> None:
    """An empty secret lets nobody in, and a prefix is not the key."""
    assert ring().find(headers) is None


def test_without_declared_keys_everybody_is_one_nameless_caller() -> None:
    """Such a gateway listens on this machine only."""
    found = Keyring((), {}).find({})
    assert found is not None
    assert (found.key, found.sites, found.may_call("anything")) == ("", None, True)


def test_what_is_remembered_is_bounded() -> None:
    """A caller who shows one key in many spellings does not fill the memory."""
    keyring = ring()
    for spaces in range(10_000):
        assert keyring.find({b"authorization": b"Bearer " + b" " * (spaces % 5000) + b"sk-alpha"}) is not None
    assert len(keyring._remembered) <= 4096
