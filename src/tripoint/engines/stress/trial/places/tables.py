"""The routing table as a trial changes it: a key where there are budgets, and without sites that must be left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tripoint.domain.table import KeyEntry, RoutingTable
from tripoint.domain.tenancy import Budget
from tripoint.engines.stress.world import World


def with_key(table: RoutingTable, budgets: Sequence[Budget]) -> RoutingTable:
    """The table, with one key for all callers where there are budgets: they are a tenant's."""
    if not budgets:
        return table
    key = KeyEntry(id="caller", tenant=budgets[0].scope.tenant, secret="caller", workloads=(), sites=None)
    return replace(table, keys=(key,))


def without(table: RoutingTable, banned: Sequence[str]) -> RoutingTable:
    """The table as it is compiled once policy has closed some sites: nothing there is a candidate any more."""
    gone = {index for index, target in enumerate(table.targets) if target.site in banned}
    routes = []
    for route in table.routes:
        left = [number for number, each in enumerate(route.candidates) if each.target not in gone]
        place = {number: after for after, number in enumerate(left)}
        allowed = {
            label: tuple(place[number] for number in numbers if number in place)
            for label, numbers in route.allowed.items()
        }
        candidates = tuple(route.candidates[number] for number in left)
        routes.append(replace(route, candidates=candidates, allowed=allowed))
    return replace(table, routes=tuple(routes))


def servers_of(world: World, workload: str) -> tuple[int, ...]:
    """Places a workload's requests may go to by the table."""
    routes = [route for route in world.table.routes if route.workload == workload]
    return tuple(dict.fromkeys(candidate.target for route in routes for candidate in route.candidates))
