"""Keys are recognised by their hash, and only those whose secret is known."""

from __future__ import annotations

from typing import Any

import pytest

from tripoint.domain.table import KeyEntry
from tripoint.domain.tenancy import Accounts, ApiKey, Tenant
from tripoint.engines.gateway.entry.keyring import Keyring, Register
from tripoint.engines.governance.access.keys import KeyKind, key_digest, make_key


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


PEPPER = b"p" * 32
MADE = [make_key(KeyKind.GATEWAY, bytes([number]) * 38) for number in range(1, 4)]
PLACES = (("hall", "colo", "dense"), ("cage", "colo", "dense"), ("east", "cloud", "public"))


def stored(number: int = 0, **fields: Any) -> ApiKey:
    """A key of the store."""
    made = MADE[number]
    given: dict[str, Any] = {
        "id": made.id,
        "digest": key_digest(PEPPER, made.text),
        "tenant": "acme",
        "name": "",
        "created_at": 0.0,
    }
    return ApiKey(**given | fields)


def register(*keys: ApiKey, **fields: Any) -> Register:
    """The accounts' part of a ring."""
    return Register(Accounts(revision=1, keys=keys, **fields), PEPPER)


def shown(number: int = 0) -> dict[bytes, bytes]:
    """Headers that show a key."""
    return {b"authorization": b"Bearer " + MADE[number].text.encode()}


def test_keys_of_the_store_are_known_by_their_keyed_hash() -> None:
    """Beside those of the estate; another pepper knows none of them."""
    found = Keyring((entry("a", "env:A"),), {"env:A": "sk-alpha"}, register(stored(workloads=("chat",))))
    for _ in range(2):
        principal = found.find(shown())
        assert principal is not None
        assert (principal.tenant, principal.key) == ("acme", MADE[0].id)
        assert principal.may_call("chat")
        assert not principal.may_call("other")
    assert found.find(shown(1)) is None
    assert found.find({b"x-api-key": b"sk-alpha"}) is not None
    assert found.by_id(MADE[0].id) is principal
    other = register(stored())._replace(pepper=b"q" * 32)
    assert Keyring((), {}, other).find(shown()) is None


def test_a_mistyped_key_is_told_from_an_unknown_one() -> None:
    """By its checksum, which anybody can compute; of other texts, and where the store has no keys, nothing is said."""
    found = Keyring((), {}, register(stored()))
    text = MADE[0].text
    wrong = f"{text[:-9]}{'a' if text[-9] != 'a' else 'b'}{text[-8:]}"
    for name, prefix in ((b"authorization", "Bearer "), (b"x-api-key", ""), (b"api-key", "")):
        assert "checksum" in found.mistyped({name: f"{prefix}{wrong}".encode()})
        assert wrong not in found.mistyped({name: f"{prefix}{wrong}".encode()})
        assert "characters" in found.mistyped({name: f"{prefix}{text}x".encode()})
        assert found.mistyped({name: f"{prefix}{MADE[1].text}".encode()}) == ""
        assert found.mistyped({name: f"{prefix}anything".encode()}) == ""
    assert found.mistyped({}) == ""
    assert Keyring((), {}, register()).mistyped({b"x-api-key": wrong.encode()}) == ""


def test_a_digest_is_no_key() -> None:
    """Whoever reads the store cannot call."""
    ring = Keyring((), {}, register(stored()))
    assert ring.find({b"x-api-key": key_digest(PEPPER, MADE[0].text).encode()}) is None
    assert ring.find({b"x-api-key": "tp_\xe9".encode("latin-1")}) is None


def test_keys_are_confined_as_those_of_the_estate_are() -> None:
    """By site, kind or layer; a word that means nothing here permits nothing."""
    words: tuple[tuple[tuple[str, ...], list[str]], ...] = (
        (("hall",), ["hall"]),
        (("colo",), ["cage", "hall"]),
        (("public", "hall"), ["east", "hall"]),
        (("x",), []),
    )
    for only_at, sites in words:
        principal = Keyring((), {}, register(stored(only_at=only_at)), PLACES).find(shown())
        assert principal is not None
        assert principal.sites is not None
        assert sorted(principal.sites) == sites
    anywhere = Keyring((), {}, register(stored()), PLACES).find(shown())
    assert anywhere is not None
    assert anywhere.sites is None


def test_a_key_ends_when_it_expires_or_its_rotation_does() -> None:
    """Who shows it is told so; until then it is as good as any."""
    for expires_at, revoked_at in ((500.0, None), (None, 500.0), (900.0, 500.0)):
        key = stored(expires_at=expires_at, revoked_at=revoked_at)
        principal = Keyring((), {}, register(key)).find(shown())
        assert principal is not None
        assert principal.fault(499.9) is None
        fault = principal.fault(500.0)
        assert fault is not None
        assert fault.status == 401
        assert "ended at 1970-01-01 00:08:20 UTC" in fault.message


def test_a_suspended_tenants_keys_are_refused_whoever_declared_them() -> None:
    """Of the store and of the estate alike."""
    gone = Tenant(id="acme", name="", created_at=0.0, is_suspended=True)
    declared = KeyEntry(id="a", tenant="acme", secret="env:A", workloads=(), sites=None)
    ring = Keyring((declared,), {"env:A": "sk-alpha"}, register(stored(), tenants=(gone,)))
    for headers in (shown(), {b"x-api-key": b"sk-alpha"}):
        principal = ring.find(headers)
        assert principal is not None
        fault = principal.fault(1.0)
        assert fault is not None
        assert (fault.status, fault.code) == (403, "tenant_suspended")


def test_a_tenant_or_a_key_shuts_the_open_door() -> None:
    """Revoking the last key must not let everybody in."""
    tenant = Tenant(id="acme", name="", created_at=0.0)
    assert Keyring((), {}, register()).is_open
    assert not Keyring((), {}, register(tenants=(tenant,))).is_open
    assert not Keyring((), {}, register(stored(revoked_at=1.0))).is_open
    assert Keyring((), {}, register(tenants=(tenant,))).find({}) is None


def test_where_others_can_call_the_door_is_never_open() -> None:
    """Also when the last tenant and the last key are gone."""
    ring = Keyring((), {}, register(), is_public=True)
    assert not ring.is_open
    assert ring.find({}) is None
