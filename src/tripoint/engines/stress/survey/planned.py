"""Upstreams as the plan has them: one for each pool, model and way of buying it uses, with the nodes it puts there.

What the estate declares for such a pool keeps its name, its interfaces and its dialect; how many nodes stand behind it
is the plan's to say. Upstreams on pools the plan does not use stay as declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from tripoint.domain.decision import Placement, StandbyDecision
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.serving import Upstream
from tripoint.domain.units import ModelId, NodeTypeId, SiteId, UpstreamId
from tripoint.engines.gateway.table.shares import planned_options

_API = "api"
_SPOT = "spot"
_NOTHING = 1e-9
MADE_SLOTS = 1024
"""Requests a token API is asked at once where nobody declared a limit: its vendor's to know, and no limit of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Nodes behind one upstream."""

    upstream: Upstream
    """With the nodes its requests meet at once: those that serve, those it can have where it has none yet."""
    nodes: float
    """Nodes that serve; 0 for a token API and for a cold standby."""
    most: float
    """Nodes kept for it in all."""
    is_kept: bool = False
    """True where the plan keeps standby: more nodes of it are approved with the plan."""
    is_beyond: bool = False
    """True where the plan has nothing: somebody must order it first."""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes an upstream of a plan one: nodes of several ways of paying are several."""

    site: str
    """Site id."""
    node_type: str
    """Node type, or the API's model."""
    model: str
    """Model spec id."""
    lane: str
    """`api`, `spot`, or empty for nodes that are held or rented on demand."""


def standing(estate: Estate, plan: Plan | None, period: int) -> tuple[Standing, ...]:
    """What serves in a period of the plan; as declared without one."""
    declared = estate.serving.upstreams
    if plan is None:
        return tuple(Standing(upstream=each, nodes=each.nodes, most=each.nodes) for each in declared)
    models: dict[str, str] = {
        each.id: each.model for each in estate.workloads if each.model and each.kind.answers_requests
    }
    waited_for = {models[each.id] for each in estate.workloads if each.id in models and each.kind.is_interactive}
    weights = _weights(plan, period, models)
    options = planned_options(plan, period)
    kept = {
        _standby_key(row, models) for row in plan.standby if row.period == period and row.workload in models
    }  # fmt: skip
    found: list[Standing] = []
    used: set[UpstreamId] = set()
    for key, weight in weights.items():
        nodes = _nodes(plan, period, key, weight, weights)
        least = 0.0 if key.model in waited_for else min(1.0, _total(plan, period, key))
        cold = _cold(plan, period, key, models) if nodes <= 0.0 else 0.0
        mine = [each for each in declared if _is_of(each, key)]
        for each in mine or [made(key)]:
            used.add(each.id)
            part = 1.0 / max(1, len(mine))
            stands = _standing(each, key, (nodes * part, cold * part, least), options)
            found.append(replace(stands, is_kept=key in kept))
    others = [each for each in declared if each.id not in used and not _is_planned(each, weights)]
    found += [Standing(upstream=each, nodes=each.nodes, most=each.nodes) for each in others]
    return tuple(found)


def _weights(plan: Plan, period: int, models: Mapping[str, str]) -> dict[Key, float]:
    """Nodes by pool, model and lane in the block that takes most of them, standby included; shares for token APIs."""
    by_block: dict[Key, dict[int, float]] = {}
    for row in plan.placements:
        if row.period == period and row.workload in models and row.share > 0.0:
            blocks = by_block.setdefault(_key(row, models), {})
            blocks[row.block] = blocks.get(row.block, 0.0) + (row.share if row.lane == _API else row.nodes)
    found = {key: max(blocks.values()) for key, blocks in by_block.items()}
    for standby in plan.standby:
        if standby.period == period and standby.workload in models:
            key = _standby_key(standby, models)
            found[key] = found.get(key, 0.0) + standby.nodes
    return found


def _key(row: Placement, models: Mapping[str, str]) -> Key:
    lane = row.lane if row.lane in (_API, _SPOT) else ""
    return Key(row.site, row.node_type, models[row.workload], lane)


def _standby_key(row: StandbyDecision, models: Mapping[str, str]) -> Key:
    return Key(row.site, row.pool.partition("/")[2], models[row.workload], "")


def _nodes(plan: Plan, period: int, key: Key, weight: float, weights: Mapping[Key, float]) -> float:
    """The key's part of its pool's nodes, those without work included."""
    if key.lane == _API:
        return 0.0
    total = _total(plan, period, key)
    same = [each for each in weights if (each.site, each.node_type, each.lane) == (key.site, key.node_type, key.lane)]
    asked = sum(weights[each] for each in same)
    return max(weight, total * weight / asked) if asked > 0.0 else 0.0


def _total(plan: Plan, period: int, key: Key) -> float:
    """Nodes of the key's pool and lane in the block that has most; rented ones are whole.

    A plan counts rented nodes as a mean: 0.25 is a quarter of what one node does, or one that is there a quarter of the
    time. Nobody rents a quarter of a node, and trials ask what the plan was made for: so while any part of one is
    planned, one node serves, and one node is paid, usually and in the trial alike. It stands outside the blocks it is
    planned for as well, so a place that rests on such a part has more room at other hours than the plan pays for.
    """
    rows = [
        row for row in plan.pools if row.period == period and (row.site, row.node_type) == (key.site, key.node_type)
    ]
    firm = (row.owned + row.committed + ceil(row.on_demand - _NOTHING) for row in rows)
    return max((ceil(row.spot - _NOTHING) for row in rows) if key.lane == _SPOT else firm, default=0.0)


def _cold(plan: Plan, period: int, key: Key, models: Mapping[str, str]) -> float:
    """Nodes a cold standby would need: as many as its workloads have elsewhere, for the share it takes over."""
    found = 0.0
    for standby in plan.standby:
        if standby.period == period and standby.workload in models and _standby_key(standby, models) == key:
            rows = [row for row in plan.placements if row.period == period and row.workload == standby.workload]
            blocks = {row.block for row in rows}
            found += standby.share * max(
                (sum(row.nodes for row in rows if row.block == block) for block in sorted(blocks)), default=0.0
            )
    return found


def _standing(
    upstream: Upstream, key: Key, nodes: tuple[float, float, float], options: Mapping[tuple[str, str], PurchaseOption]
) -> Standing:
    serving, cold, least = nodes
    if key.lane == _API:
        limit = upstream.max_concurrency if upstream.max_concurrency is not None else MADE_SLOTS
        return Standing(upstream=replace(upstream, max_concurrency=limit), nodes=0.0, most=0.0)
    option = PurchaseOption.SPOT if key.lane == _SPOT else options.get((key.site, key.node_type), upstream.option)
    if option is PurchaseOption.SPOT and key.lane != _SPOT:
        option = PurchaseOption.ON_DEMAND
    # Work nobody waits for takes a sliver of a node on average, and all of one while it runs.
    sized = max(serving, cold, least, 1e-3)
    there = replace(upstream, node_type=NodeTypeId(key.node_type), option=option, nodes=sized, max_concurrency=None)
    return Standing(upstream=there, nodes=serving, most=max(serving, cold))


def made(key: Key) -> Upstream:
    """An upstream nobody declared, called by what it is."""
    name = "-".join(part for part in (key.site, key.node_type, key.model, key.lane) if part)
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
    return Upstream(
        id=UpstreamId(plain), site=SiteId(key.site), url=f"http://{plain}.invalid/v1",
        models={ModelId(key.model): key.model}, node_type=NodeTypeId(key.node_type),
    )  # fmt: skip


def _is_of(upstream: Upstream, key: Key) -> bool:
    is_there = upstream.site == key.site and upstream.node_type in (None, key.node_type)
    is_spot = upstream.option is PurchaseOption.SPOT
    return is_there and key.model in upstream.models and is_spot == (key.lane == _SPOT)


def _is_planned(upstream: Upstream, weights: Mapping[Key, float]) -> bool:
    return any(upstream.site == key.site and upstream.node_type in (None, key.node_type) for key in weights)
