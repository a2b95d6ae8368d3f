"""Who may serve a request at all: the one place where the router's choices are confined, before anything is scored."""

from __future__ import annotations

from math import inf
from typing import Final

from tripoint.domain.serving import Api
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.dialects.translation import served_as
from tripoint.engines.gateway.health.absence import Absences
from tripoint.engines.gateway.routing.flow import Flow, Way
from tripoint.engines.gateway.routing.query import Query, Shed

_NONE: Final = Shed(0, "", "", 0.0)


class Permitted:
    """The ways one kind of request may go; nothing outside is ever chosen, whatever is down."""

    __slots__ = ("api", "context_tokens", "flow", "label", "others", "refusal", "sites", "ways")

    def __init__(self, flow: Flow | None, ways: tuple[Way, ...], others: tuple[Way, ...], refusal: Shed) -> None:
        self.flow = flow
        """`None` when nothing is permitted."""
        self.ways = ways
        """Of the model asked for."""
        self.others = others
        """Of fallback models."""
        self.refusal = refusal
        """What to tell the caller when there is no flow."""
        sizes = [way.candidate.context_tokens for way in ways + others if way.candidate.context_tokens > 0]
        self.context_tokens: float = min(sizes, default=inf)
        """Requests of up to so many tokens fit everywhere."""
        self.api: Api | None = None
        """What kind of request it is about, where it is kept: interface, label, and sites of the caller."""
        self.label: str | None = None
        self.sites: frozenset[str] | None = None

    def is_of(self, query: Query) -> bool:
        """True where a query of the same workload is of this kind, told by the same objects."""
        return self.api is query.api and self.label is query.label and self.sites is query.sites


def permitted(table: RoutingTable, flow: Flow | None, query: Query) -> Permitted:
    """Filters by classification, by the caller's sites and by interface; what is not known is not allowed."""
    name = query.route.workload
    if flow is None:
        return _refused(404, "model_not_found", f"workload `{name}` is not served here")
    route, label = flow.route, query.label
    ways = flow.ways + flow.others
    if label is not None:
        if label not in table.labels and label not in route.allowed:
            return _refused(403, "unknown_classification", f"no classification is called `{label[:64]}`")
        allowed = {id(route.candidates[index]) for index in route.allowed.get(label, ())}
        ways = tuple(way for way in ways if id(way.candidate) in allowed)
    if query.sites is not None:
        ways = tuple(way for way in ways if way.station.target.site in query.sites)
    if not ways:
        return _refused(403, "no_permitted_site", f"policy permits no site for this request of workload `{name}`")
    ways = tuple(way for way in ways if served_as(query.api, way.station.target) is not None)
    if not ways:
        return _refused(404, "interface_not_offered", f"no permitted upstream of `{name}` offers `{query.api.value}`")
    return _split(flow, ways)


def narrowed(among: Permitted, query: Query) -> Permitted:
    """What is left for one request by its length, and by whether its text must come out the same."""
    if among.flow is None:
        return among
    name, need = among.flow.route.workload, query.tokens_in + query.tokens_out
    ways = among.ways if query.must_reproduce else among.ways + among.others
    fitting = tuple(way for way in ways if not 0 < way.candidate.context_tokens < need)
    if ways and not fitting:
        longest = max(way.candidate.context_tokens for way in ways)
        told = f"the request needs {need} tokens, permitted upstreams of `{name}` take {longest}"
        return _refused(400, "context_length_exceeded", told)
    if query.must_reproduce:
        fitting = tuple(way for way in fitting if way.station.target.is_reproducible)
        if not fitting:
            return _refused(503, "no_reproducible_upstream", f"no other permitted upstream of `{name}` is reproducible")
    return _split(among.flow, fitting)


def present(among: Permitted, absences: Absences, api: Api, now: float) -> Permitted:
    """What is left without the candidates whose upstream has just said that it does not have them."""
    flow, ways = among.flow, among.ways + among.others
    until = [absences.until((way.slot, way.candidate.model, api)) for way in ways]
    if flow is None or all(each <= now for each in until):
        return among
    there = tuple(way for way, each in zip(ways, until, strict=True) if each <= now)
    if there:
        return _split(flow, there)
    told = f"every permitted upstream of `{flow.route.workload}` says that it has no such model"
    return Permitted(None, (), (), Shed(503, "no_healthy_upstream", told, max(1.0, min(until) - now)))


def _split(flow: Flow, ways: tuple[Way, ...]) -> Permitted:
    same = tuple(way for way in ways if not way.candidate.is_fallback)
    others = tuple(way for way in ways if way.candidate.is_fallback)
    return Permitted(flow, same, others, _NONE)


def _refused(status: int, code: str, message: str) -> Permitted:
    return Permitted(None, (), (), Shed(status, code, message, 0.0))
