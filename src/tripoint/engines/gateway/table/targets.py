"""Upstreams as the data path sees them: address taken apart, defaults filled in, a place in the shared board.

How many requests one may hold, where nobody declared it, comes from the planner's own sizing: requests/s its nodes
sustain x seconds a request stays (Little's law), and no more mean requests than KV cache fits beside the weights. A
request stays time to first token + output tokens x time per token; where those times are not known (batch, embedding),
as long as its accelerator-seconds on one replica. Several workloads share the nodes in proportion to the work they ask.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.serving import Api, Dialect, Upstream
from tripoint.domain.table import RoutingTable, Target
from tripoint.domain.units import MS_PER_S
from tripoint.engines.facts.places import country_of
from tripoint.engines.gateway.table.ground import Asked, Ground, Work
from tripoint.engines.gateway.table.prices import option_of, work_of
from tripoint.engines.gateway.table.tariffs.hours import node_hour
from tripoint.engines.gateway.table.tariffs.rows import nano_per_hour
from tripoint.engines.sizing.speed.memory import bytes_key, memory_need

UNKNOWN_CONCURRENCY = 64
"""For token APIs, whose limits are the vendor's, and for nodes the catalogue knows no speed of."""
_HTTPS = 443
_HTTP = 80
_OPENAI_APIS = (Api.CHAT, Api.COMPLETIONS, Api.EMBEDDINGS, Api.RESPONSES)
_ANTHROPIC_APIS = (Api.MESSAGES,)

Address = tuple[bool, str, int, str]
"""TLS, host, port, path without a trailing slash."""


def address_of(url: str) -> Address:
    """An address that passed its checks, taken apart; raises `ValueError` for one that did not."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    port = parts.port if parts.port is not None else _HTTPS if is_tls else _HTTP
    return is_tls, parts.hostname or "", port, parts.path.rstrip("/")


def apis_of(upstream: Upstream) -> tuple[Api, ...]:
    """Interfaces it offers: declared, else those of its dialect."""
    if upstream.apis is not None:
        return upstream.apis
    return _ANTHROPIC_APIS if upstream.dialect is Dialect.ANTHROPIC else _OPENAI_APIS


def targets_of(ground: Ground, capacity: Mapping[str, int], previous: RoutingTable | None) -> tuple[Target, ...]:
    """All upstreams in declared order; `capacity` by upstream id where none is declared."""
    upstreams = ground.estate.serving.upstreams
    slots = _slots(upstreams, previous)
    return tuple(_target(ground, upstream, slots[upstream.id], capacity) for upstream in upstreams)


def _target(ground: Ground, upstream: Upstream, slot: int, capacity: Mapping[str, int]) -> Target:
    site = ground.sites[upstream.site]
    is_tls, host, port, path = address_of(upstream.url)
    declared = upstream.max_concurrency
    return Target(
        id=upstream.id,
        slot=slot,
        site=site.id,
        layer=site.kind.layer.value,
        kind=site.kind.value,
        provider=site.provider,
        country=country_of(site, ground.catalog) or "",
        dialect=upstream.dialect,
        is_tls=is_tls,
        host=host,
        port=port,
        base_path=path,
        apis=apis_of(upstream),
        max_concurrency=declared if declared is not None else capacity[upstream.id],
        secret=upstream.secret,
        ca_file=upstream.ca_file,
        api_version=upstream.api_version,
        is_reproducible=upstream.is_reproducible,
        metrics_path=upstream.metrics,
        probe=upstream.probe,
    )


def _slots(upstreams: tuple[Upstream, ...], previous: RoutingTable | None) -> dict[str, int]:
    """The place each had before while id and address are the same; else one nobody had, so no count is inherited."""
    old = () if previous is None else previous.targets
    before = {(each.id, each.is_tls, each.host, each.port, each.base_path): each.slot for each in old}
    taken = {each.slot for each in old}
    slots: dict[str, int] = {}
    for upstream in upstreams:
        slot = before.get((upstream.id, *address_of(upstream.url)))
        if slot is None:
            slot = next(number for number in range(len(taken) + 1) if number not in taken)
            taken.add(slot)
        slots[upstream.id] = slot
    return slots


def held_at(
    ground: Ground, targets: tuple[Target, ...], options: Mapping[tuple[str, str], PurchaseOption]
) -> tuple[Target, ...]:
    """Targets with what their nodes cost an hour whether they work or not; `options` are how the plan buys a pool."""
    found = []
    for target, upstream in zip(targets, ground.estate.serving.upstreams, strict=True):
        key = (upstream.site, ground.node_type_of(upstream) or "")
        pool = ground.pools.get(key)
        hour = None if pool is None else node_hour(ground, pool, option_of(upstream, pool, options.get(key)))
        nano = 0 if hour is None else nano_per_hour(hour.firm * upstream.nodes)
        found.append(replace(target, held_nano_per_hour=nano))
    return tuple(found)


def capacities_of(ground: Ground) -> dict[str, int]:
    """Requests each upstream may hold by the fits of the workloads it can serve, declared ones apart."""
    found: dict[str, int] = {}
    for upstream in ground.estate.serving.upstreams:
        if upstream.max_concurrency is not None:
            continue
        pool = ground.pools.get((upstream.site, ground.node_type_of(upstream) or ""))
        sized = [
            (asked, work)
            for asked in ground.asked
            if pool is not None and asked.workload.model in upstream.models
            if (work := work_of(ground, asked, pool, asked.workload.model)) is not None
        ]
        asks = [asked.load.requests_per_s * work.node_hours(asked) for asked, work in sized]
        held = [concurrency(ground, asked, work, upstream.nodes) for asked, work in sized]
        found[upstream.id] = _shared(held, asks) if sized else UNKNOWN_CONCURRENCY
    return found


def _shared(held: Sequence[float], asks: Sequence[float]) -> int:
    """Mean of what the nodes hold of each workload, by the work each asks."""
    total = sum(asks)
    mean = sum(h * a for h, a in zip(held, asks, strict=True)) / total if total > 0 else sum(held) / len(held)
    return max(1, math.ceil(mean))


def concurrency(ground: Ground, asked: Asked, work: Work, nodes: float) -> float:
    """Requests of one workload the nodes hold at their sized load."""
    hosted = work.hosted
    if hosted.ttft_ms is None or hosted.tpot_ms is None:
        stay_s = 1.0 / hosted.service_rate
    else:
        stay_s = (hosted.ttft_ms + asked.load.output_tokens * hosted.tpot_ms) / MS_PER_S
    busy = hosted.node_rate * nodes * stay_s
    return min(busy, _cached(ground, asked, work) * hosted.replicas_per_node * nodes)


def _cached(ground: Ground, asked: Asked, work: Work) -> float:
    """Mean requests whose KV cache one replica holds; infinite where none is kept."""
    size, chip = work.errand.size, ground.desk.accelerator(work.node.accelerator)
    if size is None or chip is None or not work.errand.keeps_cache or asked.load.tokens <= 0:
        return math.inf
    weight = ground.desk.default(bytes_key(work.hosted.speed.precision)).value
    full = memory_need(size, weight, 1.0, ground.desk.default("sizing.kv_memory_share").value)
    mean_gb = full.kv_gb * asked.load.tokens / size.context_tokens
    left_gb = work.hosted.width * chip.memory_gb - full.weights_gb
    return left_gb / mean_gb if mean_gb > 0 else math.inf
