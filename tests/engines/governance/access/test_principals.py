"""What a principal may be, judged without a store: ids within their tenant, roles, subjects, and who speaks for it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.errors import AccessError, ConflictError, OptionError
from tripoint.domain.tenancy import Actor, Principal, Role
from tripoint.engines.governance.access.principals import (
    good_roles,
    good_subject,
    keep_an_admin,
    principal_id,
    require_its_roles,
)
from tripoint.engines.governance.access.roles import may_grant

ROLES = st.lists(st.sampled_from(Role), min_size=1)


def row(name: str, *roles: Role, tenant: str | None = None, is_suspended: bool = False) -> Principal:
    """A principal with these roles."""
    return Principal(id=name, roles=roles, tenant=tenant, created_at=0.0, is_suspended=is_suspended)


def test_a_tenants_principal_is_called_by_it_once() -> None:
    """With or without the tenant in front; what is after it keeps to the rules of names."""
    assert principal_id("ana", "acme") == principal_id("acme.ana", "acme") == "acme.ana"
    assert principal_id("ana", None) == "ana"
    with pytest.raises(OptionError):
        principal_id("ana ana", "acme")


@given(ROLES, ROLES)
def test_nobody_gives_or_speaks_for_more_than_its_own_roles(own: Sequence[Role], wanted: Sequence[Role]) -> None:
    """Both refuse just where the table of rights does; what is given is each role once, in order."""
    actor = Actor(id="ana", roles=frozenset(own), tenant=None)
    if may_grant(actor, frozenset(wanted)):
        assert good_roles(actor, wanted) == tuple(role for role in Role if role in wanted)
        require_its_roles(actor, row("bob", *wanted))
        return
    with pytest.raises(AccessError, match="more than its own roles"):
        good_roles(actor, wanted)
    with pytest.raises(AccessError, match="`bob` has roles that `ana` does not have"):
        require_its_roles(actor, row("bob", *wanted))


@pytest.mark.parametrize("subject", ["", "#ana", "https://id.example", "https://id.example#", "ftp://id.example#ana"])
def test_a_subject_has_an_issuer_and_a_name(subject: str) -> None:
    """What lacks either is refused; none at all is no mistake."""
    with pytest.raises(OptionError, match="is not a subject"):
        good_subject(subject)
    assert good_subject(None) is None
    assert good_subject("https://id.example#ana") == "https://id.example#ana"


@pytest.mark.parametrize(
    "after",
    [row("ana", Role.AUDITOR), row("ana", Role.ADMIN, is_suspended=True), row("ana", Role.ADMIN, tenant="acme")],
)
def test_the_last_admin_of_all_tenants_stays(after: Principal) -> None:
    """Unless there is another that is neither bound to a tenant nor suspended."""
    before = row("ana", Role.ADMIN)
    useless = [before, row("bob", Role.ADMIN, tenant="acme"), row("cy", Role.ADMIN, is_suspended=True)]
    with pytest.raises(ConflictError, match="the last admin"):
        keep_an_admin(before, after, useless)
    keep_an_admin(before, after, [*useless, row("dan", Role.ADMIN)])
    keep_an_admin(row("ana", Role.AUDITOR), after, useless)
