"""Every operation x every role x every tenant: who gets a yes, who a no, and for whom there is nothing there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.apps.admin.requests import SAMPLES
from tests.factories.administering import TENANTS, AdminWorld, Answered, store_at

from tripoint.apps.admin.contract import Operation
from tripoint.apps.admin.process import AdminOptions, built
from tripoint.apps.admin.routes.table import OPERATIONS
from tripoint.apps.admin.serve import Door
from tripoint.domain.tenancy import Role
from tripoint.engines.governance.access.roles import RIGHTS, Action

CALLERS = [f"{tenant}{'.' if tenant else ''}{role}" for role in Role for tenant in ("", *TENANTS)]
# What is about one tenant without naming it, or about none: a caller bound to another gets its own, or nothing.
WORD = re.compile(r"[\w.-]+")
WITHOUT_TENANT = {"listTenants", "whoAmI", "showIdle"}


def asked(world: AdminWorld, operation: Operation, who: str | None) -> Answered:
    """The operation's good request, by somebody."""
    good = SAMPLES[operation.id](world)
    headers = {}
    if good.read:
        headers["if_match"] = world.call("admin", "GET", good.read).tag
    return world.call(who, operation.method, good.path, good.body, **headers)


def expected(operation: Operation, who: str) -> str:
    """`yes`, `403` or `404`, from the table of rights and the tenant the caller is bound to."""
    tenant, _, role = who.rpartition(".")
    if not operation.right:
        return "yes"
    right = RIGHTS[Action(operation.right)]
    if Role(role) not in right.roles or (tenant and right.is_global):
        return "403"
    if tenant == "globex" and operation.id not in WITHOUT_TENANT:
        return "404"
    return "yes"


def test_every_operation_has_a_request() -> None:
    """A new address without one is found here, and so is a request without an address."""
    assert set(SAMPLES) == {operation.id for operation in OPERATIONS}


def test_no_two_operations_are_the_same() -> None:
    """Ids and addresses are unique."""
    assert len({each.id for each in OPERATIONS}) == len(OPERATIONS)
    assert len({(each.method, each.path) for each in OPERATIONS}) == len(OPERATIONS)


def test_every_right_exists_and_every_action_has_an_operation() -> None:
    """No operation needs a right nobody knows, and nothing is left to the command line alone."""
    used = {each.right for each in OPERATIONS if each.right}
    assert used == {str(action) for action in Action}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_each_operation_answers_each_caller_as_the_table_says(world: AdminWorld, operation: Operation) -> None:
    """Callers of every role, for all tenants, for the one concerned and for another one."""
    wrong = []
    for who in CALLERS:
        found = asked(world, operation, who)
        wanted = expected(operation, who)
        is_right = found.status < 300 if wanted == "yes" else found.status == int(wanted)
        if operation.id == "makeFirstAdmin":
            is_right = found.status in (401, 429)
        if not is_right:
            wrong.append((who, wanted, found.status, found.text))
    assert wrong == []


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.right is not None], ids=lambda each: each.id)
def test_each_operation_refuses_strangers(world: AdminWorld, operation: Operation) -> None:
    """No credential, a mistyped key, a key of the gateway, a revoked key: 401 with the way to do it right."""
    for who in (None, "nonsense", world.credentials["admin"][:-1] + "x", "tp_" + world.credentials["admin"][4:]):
        found = asked(world, operation, who)
        assert found.status == 401
        assert found.headers["www-authenticate"].startswith("Bearer")
        assert found.content["code"] == "TP3001"


def test_the_table_of_rights_over_addresses(golden: Callable[[str, str], None]) -> None:
    """Who may do what is reviewed as a whole whenever it changes."""
    roles = [str(role) for role in Role]
    lines = [" | ".join(("operation", "address", *roles, "bound to a tenant"))]
    for operation in OPERATIONS:
        right = RIGHTS.get(Action(operation.right)) if operation.right else None
        cells = ["yes" if right is None or Role(role) in right.roles else "-" for role in roles]
        bound = "anybody" if operation.right is None else "no" if right and right.is_global else "its own"
        lines.append(" | ".join((operation.id, f"{operation.method} {operation.path}", *cells, bound)))
    golden("admin/rights.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.right], ids=lambda each: each.id)
def test_nothing_of_another_tenant_is_in_any_answer(world: AdminWorld, operation: Operation) -> None:
    """What callers bound to `globex` read, errors included, tells nothing of `acme` that they had not said first."""
    for role in Role:
        good = SAMPLES[operation.id](world)
        tag = world.call("admin", "GET", good.read).tag if good.read else '"0"'
        found = world.call(f"globex.{role}", operation.method, good.path, good.body, if_match=tag)
        said = f"{good.path} {good.body}".lower()
        told = {word for word in WORD.findall(found.text.lower()) if "acme" in word}
        assert {word for word in told if word not in said} == set()


def test_no_address_is_answered_beside_the_table(tmp_path: Path) -> None:
    """What the application routes is the table, the document that describes it, and the sign of life."""
    url = store_at(tmp_path)
    app: Any = built(AdminOptions(store=url, door=Door("127.0.0.1", 0)), lambda line: None)
    paths = {route.path for route in app._inside.routes}
    assert paths == {each.path for each in OPERATIONS} | {"/openapi.json", "/healthz"}
