from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripoint.domain.tenancy import Actor, Role
from tripoint.engines.governance.access.roles import RIGHTS, Action, Verdict, allows, judge, may_grant, roles_allowed

actors = st.builds(
    Actor,
    st.just("ann"),
    st.frozensets(st.sampled_from(Role)),
    st.one_of(st.none(), st.sampled_from(["acme", "other"])),
)
actions = st.sampled_from(Action)
tenants = st.one_of(st.none(), st.sampled_from(["acme", "other"]))


def test_the_table_is_total_and_the_admin_may_all() -> None:
    """Every action has a row with a meaning; nothing is beyond everybody."""
    assert set(RIGHTS) == set(Action)
    for action, right in RIGHTS.items():
        assert Role.ADMIN in right.roles, action
        assert right.means


@pytest.mark.parametrize(("action", "role"), list(itertools.product(Action, Role)))
def test_one_role_decides_by_the_table(action: Action, role: Role) -> None:
    """For a principal of no tenant: allowed where the table says so, forbidden elsewhere."""
    wanted = Verdict.ALLOWED if role in RIGHTS[action].roles else Verdict.FORBIDDEN
    assert judge(Actor("ann", frozenset({role})), action, "acme") is wanted


def test_auditors_change_nothing_and_developers_see_no_principal() -> None:
    """The two roles that are given away most freely."""
    reads = {action for action in Action if action.value.endswith((".read", ".verify", ".checkpoint"))}
    assert {action for action, right in RIGHTS.items() if Role.AUDITOR in right.roles} <= reads
    assert Role.DEVELOPER not in RIGHTS[Action.PRINCIPAL_READ].roles
    assert Role.DEVELOPER not in RIGHTS[Action.BUDGET_SET].roles
    assert Role.FINANCE not in RIGHTS[Action.KEY_CREATE].roles


@given(actors, actions, tenants)
def test_another_tenants_things_are_never_open(actor: Actor, action: Action, tenant: str | None) -> None:
    """Bound principals: allowed within their tenant only, and never what concerns all."""
    verdict = judge(actor, action, tenant)
    if actor.tenant is not None and (tenant != actor.tenant or RIGHTS[action].is_global):
        assert verdict is not Verdict.ALLOWED
    if verdict is Verdict.ALLOWED:
        assert actor.roles & RIGHTS[action].roles
        assert allows(actor, action)


@given(actors, actions, tenants, tenants)
def test_forbidden_does_not_tell_whose_a_thing_is(
    actor: Actor, action: Action, one: str | None, other: str | None
) -> None:
    """It depends on the actor and the action only."""
    verdicts = {judge(actor, action, one), judge(actor, action, other)}
    assert verdicts == {Verdict.FORBIDDEN} or Verdict.FORBIDDEN not in verdicts


@given(actors, actions, tenants, st.sampled_from(Role))
def test_a_further_role_takes_nothing_away(actor: Actor, action: Action, tenant: str | None, role: Role) -> None:
    """Rights only add up."""
    if judge(actor, action, tenant) is Verdict.ALLOWED:
        assert judge(actor._replace(roles=actor.roles | {role}), action, tenant) is Verdict.ALLOWED


@given(actors, st.frozensets(st.sampled_from(Role)))
def test_nobody_grants_more_than_he_may(actor: Actor, roles: frozenset[Role]) -> None:
    """Whatever the granted roles may, the granter may too."""
    if may_grant(actor, roles):
        granted = Actor("new", roles, actor.tenant)
        assert all(allows(actor, action) for action in Action if allows(granted, action))
    assert may_grant(actor, actor.roles)
    assert may_grant(actor, roles) or Role.ADMIN not in actor.roles


def test_roles_are_listed_for_people() -> None:
    """One, or several."""
    assert roles_allowed(Action.TENANT_CREATE) == "`admin`"
    assert roles_allowed(Action.KEY_CREATE) == "`admin`, `operator` or `developer`"
