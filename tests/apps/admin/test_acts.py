"""Between looking and acting others may act: what then happens is the same as if they had come before."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import cast

import pytest
from tests.factories.administering import AdminWorld

from tripoint.apps.admin.contract import Call, Given
from tripoint.apps.admin.routes.accounts.views import NewTenant, TenantView, tenant_view
from tripoint.apps.admin.routes.acts import checked, created
from tripoint.apps.admin.stores import Stores, StoreThread
from tripoint.apps.admin.wire.problems import RefusedError
from tripoint.domain.errors import ConflictError
from tripoint.domain.tenancy import Actor, Role
from tripoint.usecases.accounts import tenants
from tripoint.usecases.accounts.turn import Turn

ADMIN = Actor("admin", frozenset({Role.ADMIN}))


def call_of(world: AdminWorld, repeat: str = "") -> Call:
    """A request of the admin to create `new`."""
    body = NewTenant(id="new")
    return Call(ADMIN, world.stores, {}, None, body, Given("", repeat), time.time())


def test_an_act_is_tried_again_when_somebody_was_quicker(world: AdminWorld) -> None:
    """The comparison is made anew as well, and the act is done once."""
    looks: list[int] = []

    def check() -> None:
        looks.append(world.stores.accounts.revision())
        if len(looks) == 1:
            tenants.create_tenant(world.stores.accounts, world.turn(), "quicker")

    row = checked(
        call_of(world),
        check,
        lambda turn: tenants.rename_tenant(world.stores.accounts, turn, "acme", name="Once"),
    )
    assert row.name == "Once"
    assert looks[1] == looks[0] + 1
    with world.stores.accounts.read() as book:
        assert [each.action for each in book.entries(after=looks[1])] == ["tenant.change"]


def test_an_act_is_not_tried_for_ever(world: AdminWorld) -> None:
    """Where somebody is always quicker, the caller is told to come again."""
    with pytest.raises(RefusedError) as caught:
        checked(
            call_of(world),
            lambda: tenants.create_tenant(world.stores.accounts, world.turn(), world.fresh("q")),
            lambda turn: tenants.rename_tenant(world.stores.accounts, turn, "acme", name="Never"),
        )
    assert caught.value.status == 503
    assert tenants.show_tenant(world.stores.accounts, ADMIN, "acme").name == "acme"


def test_a_conflict_of_the_act_itself_is_told_at_once(world: AdminWorld) -> None:
    """It is not mistaken for somebody who was quicker."""
    tries: list[Turn] = []

    def act(turn: Turn) -> object:
        tries.append(turn)
        return tenants.create_tenant(world.stores.accounts, turn, "acme")

    with pytest.raises(ConflictError):
        checked(call_of(world), lambda: None, act)
    assert len(tries) == 1


def test_a_repetition_that_overtakes_makes_nothing_twice(world: AdminWorld) -> None:
    """The same request came by another process between the look and the act: its answer is ours."""
    request = "a" * 64

    def make(turn: Turn) -> TenantView:
        other = turn._replace(actor=ADMIN)
        tenants.create_tenant(world.stores.accounts, other, "new")
        return tenant_view(tenants.create_tenant(world.stores.accounts, turn, "new"))

    def again(made: str) -> TenantView:
        return tenant_view(tenants.show_tenant(world.stores.accounts, ADMIN, made))

    reply = created(call_of(world, request), "/v1/tenants", make, again)
    assert (reply.is_repeat, reply.location) == (True, "/v1/tenants/new")


def test_too_many_that_wait_are_told_to_come_again() -> None:
    """A store that hangs does not pile up requests without end."""
    gate = threading.Event()

    async def run() -> int:
        thread = StoreThread("test", lambda: cast(Stores, None))
        tasks = [asyncio.create_task(thread.run(lambda stores: gate.wait(30))) for _ in range(300)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gate.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        thread.close()
        refused = [each for each in done if isinstance(each, RefusedError)]
        assert {each.status for each in refused} == {503}
        return len(refused)

    assert asyncio.run(run()) == 300 - 256
