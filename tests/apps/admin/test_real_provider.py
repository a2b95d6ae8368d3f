"""Tokens of a real identity provider open the admin interface, and nothing else that looks like one does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.factories.administering import AdminWorld, admin_world
from tests.factories.oidc_provider import OidcProvider, oidc_provider

from tripoint.apps.admin.identity.groups import read_rule
from tripoint.domain.tenancy import Role
from tripoint.usecases.accounts import principals, tenants

AUDIENCE = "https://admin.tripoint.example"
pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    """A provider for the tests that leave it as it is."""
    with oidc_provider() as running:
        yield running


@pytest.fixture
def opened(provider: OidcProvider, tmp_path: Path) -> Iterator[AdminWorld]:
    """The interface, which believes that provider."""
    with world_of(provider, tmp_path) as world:
        yield world


def world_of(provider: OidcProvider, folder: Path, audience: str = AUDIENCE) -> AbstractContextManager[AdminWorld]:
    """An interface that believes a provider, with roles for two groups."""
    rules = (read_rule("acme-finance=finance@acme"), read_rule("globex-finance=finance@globex"))
    return admin_world(folder, oidc_issuer=provider.issuer, oidc_audience=audience, rules=rules)


def add(world: AdminWorld, name: str, provider: OidcProvider, *roles: Role) -> str:
    """A principal that the provider's subject of that name means."""
    subject = f"{provider.issuer}#{name}"
    return principals.add_principal(world.stores.accounts, world.turn(), name, roles=roles, subject=subject).id


def test_a_subject_acts_as_its_principal(opened: AdminWorld, provider: OidcProvider) -> None:
    """The principal's own roles decide, whatever the provider says of groups."""
    add(opened, "ada", provider, Role.AUDITOR)
    token = provider.token("ada", AUDIENCE)
    me = opened.call(token, "GET", "/v1/me")
    assert (me.status, me.content["id"], me.content["roles"], me.content["tenant"]) == (200, "ada", ["auditor"], None)
    assert opened.call(token, "GET", "/v1/audit").status == 200
    assert opened.call(token, "POST", "/v1/tenants", {"id": "new"}).status == 403


def test_a_group_gives_a_role_within_its_tenant(opened: AdminWorld, provider: OidcProvider) -> None:
    """Who is no principal has what its groups are declared to give, and nothing of other tenants."""
    token = provider.token("bob", AUDIENCE)
    me = opened.call(token, "GET", "/v1/me").content
    assert me["id"] == f"oidc:{provider.issuer}#bob"
    assert (me["roles"], me["tenant"]) == (["finance"], "acme")
    assert [each["id"] for each in opened.call(token, "GET", "/v1/tenants").content["items"]] == ["acme"]
    assert opened.call(token, "GET", "/v1/tenants/globex").status == 404


def test_a_group_of_a_suspended_tenant_gives_nothing(opened: AdminWorld, provider: OidcProvider) -> None:
    """As its principals, the tenant's groups are refused too."""
    tenants.suspend_tenant(opened.stores.accounts, opened.turn(), "acme")
    assert opened.call(provider.token("bob", AUDIENCE), "GET", "/v1/me").status == 401


def test_groups_of_two_tenants_are_refused(opened: AdminWorld, provider: OidcProvider) -> None:
    """Nobody acts for two tenants at once."""
    found = opened.call(provider.token("mallory", AUDIENCE), "GET", "/v1/me")
    assert found.status == 403
    assert "`acme`, `globex`" in found.content["detail"]


def test_a_stranger_with_a_good_token_is_refused(opened: AdminWorld, provider: OidcProvider) -> None:
    """To be known to the provider is not to be known here."""
    found = opened.call(provider.token("eve", AUDIENCE), "GET", "/v1/me")
    assert found.status == 401
    assert "no principal has its subject" in found.content["detail"]


def test_a_suspended_principal_gets_nothing_by_its_groups(opened: AdminWorld, provider: OidcProvider) -> None:
    """Suspending somebody is not undone by a group."""
    name = add(opened, "bob", provider, Role.FINANCE)
    principals.suspend_principal(opened.stores.accounts, opened.turn(), name)
    assert opened.call(provider.token("bob", AUDIENCE), "GET", "/v1/me").status == 401


def test_a_token_for_another_audience_is_refused(opened: AdminWorld, provider: OidcProvider) -> None:
    """A token made for another program of the same provider does not open this one."""
    add(opened, "ada", provider, Role.ADMIN)
    found = opened.call(provider.token("ada", "https://wiki.example"), "GET", "/v1/me")
    assert found.status == 401
    assert f"not for the audience `{AUDIENCE}`" in found.content["detail"]


def test_elliptic_signatures_are_good_as_well(provider: OidcProvider, tmp_path: Path) -> None:
    """The provider signs with ES256 for this audience."""
    audience = "https://admin.tripoint.example/ec"
    with admin_world(tmp_path, oidc_issuer=provider.issuer, oidc_audience=audience) as world:
        add(world, "ada", provider, Role.ADMIN)
        assert world.call(provider.token("ada", audience), "GET", "/v1/me").status == 200


def test_a_person_who_signs_in_is_known_by_the_id_token(provider: OidcProvider, tmp_path: Path) -> None:
    """Authorization code with PKCE in a browser; the token is for the web application, and says which groups."""
    rules = (read_rule("acme-finance=finance@acme"),)
    with admin_world(tmp_path, oidc_issuer=provider.issuer, oidc_audience="web", rules=rules) as world:
        me = world.call(provider.sign_in("bob"), "GET", "/v1/me")
        assert (me.status, me.content["roles"], me.content["tenant"]) == (200, ["finance"], "acme")
        assert world.call(provider.sign_in("eve"), "GET", "/v1/me").status == 401


def test_keys_change_and_the_provider_may_be_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens go on being good while the provider is away; with its new keys, new tokens are good and old ones not."""
    monkeypatch.setattr("tripoint.adapters.oidc.issuer.COOL_S", 0.0)
    with (
        oidc_provider() as provider,
        admin_world(tmp_path, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE) as world,
    ):
        add(world, "ada", provider, Role.ADMIN)
        old = provider.token("ada", AUDIENCE)
        assert world.call(old, "GET", "/v1/me").status == 200
        provider.stop()
        assert world.call(old, "GET", "/v1/me").status == 200
        provider.start()
        new = provider.token("ada", AUDIENCE)
        assert world.call(new, "GET", "/v1/me").status == 200
        found = world.call(old, "GET", "/v1/me")
        assert found.status == 401
        assert "no signing key of its id" in found.content["detail"]


def test_without_the_provider_its_tokens_wait(tmp_path: Path) -> None:
    """503 with the time to ask again, not 401: the token may be good."""
    with oidc_provider() as provider:
        token = provider.token("ada", AUDIENCE)
        provider.stop()
        with admin_world(tmp_path, oidc_issuer=provider.issuer, oidc_audience=AUDIENCE) as world:
            found = world.call(token, "GET", "/v1/me")
            assert (found.status, found.headers["retry-after"]) == (503, "5")
            assert world.call("admin", "GET", "/v1/me").status == 200
