"""Which workload does a caller mean? The workload decides policy, objective and priority, so doubt is refused.

A caller names a workload as the model, or a model that exactly one of the workloads it may call uses; the header
`x-tripoint-workload` settles the rest.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tripoint.domain.table import Route
from tripoint.engines.gateway.entry.keyring import Principal

_NAMED: Final = 5
_REMEMBERED: Final = 4096


class Unnamed(NamedTuple):
    """Why no workload could be told."""

    status: int
    """HTTP status."""
    code: str
    """Stable code."""
    message: str
    """What is wrong and what to do."""


class Names:
    """Routes by the names callers use."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.by_workload = {route.workload: route for route in routes}
        self._resolved: dict[tuple[str, Principal], Route] = {}
        self._by_model: dict[str, list[Route]] = {}
        for route in routes:
            self._by_model.setdefault(route.model, []).append(route)

    def resolve(self, model: str, workload: str | None, principal: Principal) -> Route | Unnamed:
        """The route meant by `model`, or by the workload named beside it."""
        if workload is not None:
            return self._named(workload, model, principal)
        known = self._resolved.get((model, principal))
        if known is not None:
            return known
        route = self.by_workload.get(model)
        if route is None:
            found = self._single(model, principal)
        else:
            found = route if principal.may_call(model) else _denied(model)
        if isinstance(found, Route):  # names that mean nothing are the caller's to invent, and not kept
            if len(self._resolved) >= _REMEMBERED:
                self._resolved.clear()
            self._resolved[(model, principal)] = found
        return found

    def offered(self, principal: Principal) -> list[Route]:
        """Routes the caller may use."""
        return [route for route in self.by_workload.values() if principal.may_call(route.workload)]

    def _named(self, workload: str, model: str, principal: Principal) -> Route | Unnamed:
        route = self.by_workload.get(workload)
        if route is None or not principal.may_call(workload):
            return _denied(workload)
        if model in (workload, route.model):
            return route
        return Unnamed(
            400, "wrong_model", f"workload `{workload}` uses `{route.model}`, and the request asks for `{model}`"
        )

    def _single(self, model: str, principal: Principal) -> Route | Unnamed:
        routes = [route for route in self._by_model.get(model, ()) if principal.may_call(route.workload)]
        if len(routes) == 1:
            return routes[0]
        if not routes:
            return _denied(model)
        names = ", ".join(f"`{route.workload}`" for route in routes[:_NAMED])
        return Unnamed(
            400,
            "ambiguous_model",
            f"{len(routes)} workloads use `{model}`: name one of them as the model ({names}), "
            "or in the header x-tripoint-workload",
        )


def _denied(name: str) -> Unnamed:
    # One answer for what does not exist and what is not yours: a key must not find out which names exist.
    return Unnamed(404, "model_not_found", f"no model or workload `{name}` that this key may call")
