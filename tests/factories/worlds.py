"""Small worlds to try: places with steady times, workloads with a rate, and the table between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.factories.serving import candidate, route, table, target

from tripoint.domain.table import RoutingTable
from tripoint.engines.stress.world import Callers, Demanded, Line, Place, SteadyTiming, World


def place(upstream: str = "a", **fields: Any) -> Place:
    """A place that answers a request of 100 tokens out in a second, eight at once, at the site of its own name."""
    made = Place(
        upstream=upstream, site=f"site-{upstream}", pool=f"site-{upstream}/node", provider="own", region="",
        kind="colo", option="owned", nodes=1.0, slots=8,
        timings={"llama": SteadyTiming(first_s=0.1, in_s=0.0, out_s=0.009)}, rates={"chat": 8.0}, most_nodes=1.0,
        ready_after_s=float("inf"), is_cold=False, usd_per_node_hour=1.0,
    )  # fmt: skip
    return replace(made, **fields)


def demanded(workload: str = "chat", **fields: Any) -> Demanded:
    """A workload that is asked twice a second, flat, streamed, with objectives it keeps when all is well."""
    made = Demanded(
        workload=workload, kind="inference", model="llama", requests_per_s=2.0, hour_of_week=(1.0,) * 168,
        burstiness_cv=1.0, tokens_in=200.0, tokens_out=100.0, tokens_in_cv=1.0, tokens_out_cv=1.0,
        growth_per_year=0.0, priority=3, is_interactive=True,
        ttft_ms=2000.0, tpot_ms=None, availability=0.99, least_share=0.9, deadline_hours=None,
        permitted=("site-a", "site-b"),
        callers=(Callers(place="", share=1.0, rtt_ms={}, links={}),),
    )  # fmt: skip
    return replace(made, **fields)


def world(
    places: Sequence[Place] = (),
    asked: Sequence[Demanded] = (),
    *,
    routing: RoutingTable | None = None,
    lines: Sequence[Line] = (),
) -> World:
    """Two places and one workload unless told otherwise; the first half of the traffic planned at each."""
    stands = tuple(places) or (place("a"), place("b"))
    asks = tuple(asked) or (demanded(),)
    if routing is None:
        targets = [
            target(each.upstream, slot=slot, site=each.site, max_concurrency=each.slots)
            for slot, each in enumerate(stands)
        ]
        shared = [candidate(index, share=1.0 / len(stands)) for index in range(len(stands))]
        routes = [
            route(*shared, workload=each.workload, ttft_ms=each.ttft_ms, tpot_ms=each.tpot_ms, priority=each.priority)
            for each in asks
        ]
        routing = table(targets, routes)
    return World(name="test", table=routing, places=stands, demanded=asks, lines=tuple(lines))
