"""Who is let in: by a key, by an identity provider's subject, by the token that makes the first admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.factories.accounts import NOON, PEPPER, ROOT, actor, entropy, file_store, key_of, turn

from tripoint.adapters.accounts_sql.store import SqlAccounts
from tripoint.domain.errors import AccessError, ConflictError, FileError, IdentityError, OptionError
from tripoint.domain.tenancy import Actor, Role
from tripoint.engines.governance.access.keys import KeyKind, make_key
from tripoint.engines.governance.access.wanted import Wanted
from tripoint.usecases.accounts import bootstrap, keys, principals, tenants
from tripoint.usecases.accounts.keys import Secrets, Shown
from tripoint.usecases.accounts.login import actor_of_key, actor_of_subject
from tripoint.usecases.pepper import settle_pepper

SUBJECT = "https://id.example#42"
RANDOM = entropy()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlAccounts]:
    """A store with one tenant and two principals."""
    opened = file_store(tmp_path)
    tenants.create_tenant(opened, turn(), "acme")
    principals.add_principal(opened, turn(), "ann", roles=[Role.ADMIN])
    principals.add_principal(opened, turn(), "bob", roles=[Role.FINANCE], tenant="acme", subject=SUBJECT)
    yield opened
    opened.close()


def secrets() -> Secrets:
    """What a key is made with."""
    return Secrets(PEPPER, RANDOM())


def made_for(store: SqlAccounts, principal: str, **fields: float) -> Shown:
    """A key of a principal."""
    wanted = Wanted(name="k", principal=principal, **fields)  # type: ignore[arg-type]  # only times are given here
    return keys.create_key(store, turn(), wanted, secrets())


def test_a_principals_key_lets_it_in_with_its_roles(store: SqlAccounts) -> None:
    """Bound as it is bound."""
    assert actor_of_key(store, made_for(store, "ann").text, PEPPER, NOON) == Actor("ann", frozenset({Role.ADMIN}))
    bob = Actor("acme.bob", frozenset({Role.FINANCE}), "acme")
    assert actor_of_key(store, made_for(store, "acme.bob").text, PEPPER, NOON) == bob
    assert actor_of_subject(store, SUBJECT) == bob
    assert actor_of_subject(store, SUBJECT, [Role.AUDITOR]).roles == {Role.FINANCE, Role.AUDITOR}


def test_every_stranger_is_told_the_same(store: SqlAccounts) -> None:
    """Whatever is wrong: nobody learns which keys there are."""
    good = made_for(store, "acme.bob").text
    brief = made_for(store, "acme.bob", expires_at=NOON + 1).text
    revoked = made_for(store, "acme.bob")
    keys.revoke_key(store, turn(), revoked.key.id)
    strangers = [
        ("", PEPPER),
        (good[:-1], PEPPER),
        (good, bytes(32)),
        (brief, PEPPER),
        (revoked.text, PEPPER),
        (key_of(store, "acme", RANDOM()).text, PEPPER),
        (make_key(KeyKind.ADMIN, RANDOM()).text, PEPPER),
    ]
    told = set()
    for text, pepper in strangers:
        with pytest.raises(IdentityError) as refused:
            actor_of_key(store, text, pepper, NOON + 2)
        told.add((str(refused.value), refused.value.hint))
    with pytest.raises(IdentityError) as refused:
        actor_of_subject(store, "https://id.example#4")
    told.add((str(refused.value), refused.value.hint))
    assert len(told) == 1


def test_who_is_suspended_is_not_let_in(store: SqlAccounts) -> None:
    """Neither a principal nor those of a suspended tenant; back again, they are."""
    text = made_for(store, "acme.bob").text
    for suspend in (
        lambda is_suspended: principals.suspend_principal(store, turn(), "acme.bob", is_suspended=is_suspended),
        lambda is_suspended: tenants.suspend_tenant(store, turn(), "acme", is_suspended=is_suspended),
    ):
        suspend(is_suspended=True)
        with pytest.raises(IdentityError):
            actor_of_key(store, text, PEPPER, NOON)
        with pytest.raises(IdentityError):
            actor_of_subject(store, SUBJECT)
        suspend(is_suspended=False)
        assert actor_of_key(store, text, PEPPER, NOON).id == "acme.bob"


def test_the_token_makes_the_first_admin_once(tmp_path: Path) -> None:
    """With a key that opens the interface; then it is used up."""
    store = file_store(tmp_path)
    token, text = bootstrap.issue_token(store, turn(), secrets())
    assert text.startswith("tpi_")
    assert token.expires_at == NOON + bootstrap.LIFE_S
    row, shown = bootstrap.redeem_token(store, text, "ann", secrets(), now=NOON + 1)
    assert row.roles == (Role.ADMIN,)
    assert actor_of_key(store, shown.text, PEPPER, NOON + 1) == Actor("ann", frozenset({Role.ADMIN}))
    with pytest.raises(IdentityError, match="this token is not valid"):
        bootstrap.redeem_token(store, text, "eve", secrets(), now=NOON + 2)
    with pytest.raises(ConflictError, match="there is an admin already: `ann`"):
        bootstrap.issue_token(store, turn(), secrets())
    store.close()


def test_a_token_ends_by_time_and_by_the_next_one(tmp_path: Path) -> None:
    """Only the newest is good, for a short time, with the right pepper, for an id that can be."""
    store = file_store(tmp_path)
    _, first = bootstrap.issue_token(store, turn(), secrets())
    _, second = bootstrap.issue_token(store, turn(), secrets())
    unknown = make_key(KeyKind.ONE_TIME, RANDOM()).text
    for text, pepper, now in (
        (first, PEPPER, NOON),
        (second, bytes(32), NOON),
        (second, PEPPER, NOON + bootstrap.LIFE_S),
        (second[:-1], PEPPER, NOON),
        (unknown, PEPPER, NOON),
        (make_key(KeyKind.ADMIN, RANDOM()).text, PEPPER, NOON),
    ):
        with pytest.raises(IdentityError, match="this token is not valid"):
            bootstrap.redeem_token(store, text, "ann", Secrets(pepper, RANDOM()), now=now)
    with pytest.raises(OptionError, match="cannot be the id of a principal"):
        bootstrap.redeem_token(store, second, "Ann!", secrets(), now=NOON)
    bootstrap.redeem_token(store, second, "ann", secrets(), now=NOON + bootstrap.LIFE_S - 1)
    store.close()


def test_a_token_is_made_at_the_machine_only(tmp_path: Path) -> None:
    """Not by an admin from afar."""
    store = file_store(tmp_path)
    with pytest.raises(AccessError, match="on the machine itself"):
        bootstrap.issue_token(store, turn(actor(Role.ADMIN)), secrets())
    store.close()


def test_two_who_redeem_at_once_make_one_admin(tmp_path: Path) -> None:
    """An admin who came meanwhile ends the token."""
    store = file_store(tmp_path)
    _, text = bootstrap.issue_token(store, turn(), secrets())
    principals.add_principal(store, turn(ROOT), "ann", roles=[Role.ADMIN])
    with pytest.raises(ConflictError, match="there is an admin already"):
        bootstrap.redeem_token(store, text, "eve", secrets(), now=NOON)
    store.close()


def test_a_pepper_belongs_to_its_store(tmp_path: Path) -> None:
    """Made once, read from then on; another one, or none, is refused with its place."""
    store = file_store(tmp_path)

    def nothing() -> bytes:
        raise FileError("not there")

    assert settle_pepper(store, "p", nothing, lambda: PEPPER) == PEPPER
    assert settle_pepper(store, "p", lambda: PEPPER, nothing) == PEPPER
    with pytest.raises(FileError, match="`p` is not the one"):
        settle_pepper(store, "p", lambda: bytes(32), nothing)
    with pytest.raises(FileError, match="not there"):
        settle_pepper(store, "p", nothing, lambda: PEPPER)
    store.close()
