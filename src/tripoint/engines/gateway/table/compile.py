"""Compiles the routing table: a pure function of estate, catalogue, plan, day and the table before it.

What is not allowed is not in the table, so nothing on the data path can choose it. Same input, same table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import msgspec

from tripoint.domain.catalog import Catalog
from tripoint.domain.decision import Placement, PoolState
from tripoint.domain.demand import Block
from tripoint.domain.errors import Finding
from tripoint.domain.findings import finding
from tripoint.domain.plan import Plan, PlanStatus
from tripoint.domain.serving import ClientKey
from tripoint.domain.source import LoadedEstate
from tripoint.domain.table import KeyEntry, Route, RoutingTable
from tripoint.engines.gateway.table.candidates import Prior, route_of
from tripoint.engines.gateway.table.ground import Ground, ground_of
from tripoint.engines.gateway.table.labels import known_labels
from tripoint.engines.gateway.table.shares import Pool, period_at, planned_options, planned_shares
from tripoint.engines.gateway.table.targets import capacities_of, held_at, targets_of
from tripoint.engines.gateway.table.tariffs.rows import price_version

_SHOWN_DIGITS = 12
USED_ALL_THE_SAME = "; its shares are used all the same"
"""How the doubt about a plan of another estate ends."""
_Blocks = tuple[Block, ...]
_Placements = tuple[Placement, ...]
_States = tuple[PoolState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A table, and what its author should know about it."""

    table: RoutingTable
    """What workers read; it may not be served while there is an error among the findings."""
    findings: tuple[Finding, ...]
    """Warnings and errors of compiling, located in the estate's files."""


def compile_table(
    loaded: LoadedEstate,
    catalog: Catalog,
    plan: Plan | None,
    *,
    today: date,
    previous: RoutingTable | None,
) -> Compiled:
    """The routing table of an estate that passed its checks."""
    ground = ground_of(loaded, catalog, today)
    serving = ground.estate.serving
    usable, findings = _usable(plan, loaded)
    prior = _prior(ground, usable, today)
    targets = held_at(ground, targets_of(ground, capacities_of(ground), previous), prior.options)
    labels = known_labels(ground.estate)
    routes: list[Route] = []
    for asked in ground.asked:
        route, said = route_of(ground, asked, targets, labels, prior)
        findings += said
        if route is not None:
            routes.append(route)
    if not routes:
        findings.append(_nothing(ground))
    table = RoutingTable(
        name=ground.estate.name,
        estate_digest=loaded.digest,
        plan_digest="" if usable is None else plan_digest(usable),
        prices=price_version(targets, routes),
        targets=targets,
        routes=tuple(routes),
        keys=tuple(_key(ground, key) for key in serving.keys),
        labels=labels,
        retry_share=serving.retry_share,
        deadline_s=serving.deadline_s,
        first_byte_s=serving.first_byte_s,
        stall_s=serving.stall_s,
        shifting=serving.shifting,
        hedging=serving.hedging,
        prefix_affinity=serving.prefix_affinity,
    )
    return Compiled(table=table, findings=tuple(loaded.positions.locate(said) for said in findings))


def plan_digest(plan: Plan) -> str:
    """`sha256:` over what serving reads of a plan: the same for the plan in memory and the one read from its file."""
    rows = (plan.blocks, plan.placements, plan.pools)
    exact = msgspec.json.decode(msgspec.json.encode(rows), type=tuple[_Blocks, _Placements, _States])
    about = (plan.name, plan.estate_digest, plan.catalog_digest, plan.start, plan.period_months, plan.periods)
    return f"sha256:{hashlib.sha256(msgspec.json.encode((about, exact), order='deterministic')).hexdigest()}"


def _usable(plan: Plan | None, loaded: LoadedEstate) -> tuple[Plan | None, list[Finding]]:
    """The plan if it decides anything, and what is doubtful about it."""
    if plan is None:
        return None, []
    if plan.status is PlanStatus.INFEASIBLE or not plan.periods:
        message = "the plan is infeasible: it places nothing, so there are no shares to serve by"
        return None, [finding("TP1704", "", message, "make the estate feasible and plan it again, or serve without")]
    if plan.is_of(loaded.digest):
        return plan, []
    found, wanted = _shown(plan.estate_digest), _shown(loaded.digest)
    message = f"the plan was made for an estate of digest {found}, this one has {wanted}{USED_ALL_THE_SAME}"
    return plan, [finding("TP1703", "", message, "plan again with `tripoint plan`")]


def _shown(digest: str) -> str:
    return digest.removeprefix("sha256:")[:_SHOWN_DIGITS]


def _prior(ground: Ground, plan: Plan | None, today: date) -> Prior:
    if plan is None:
        return Prior(shares={}, options={})
    period = period_at(plan, today)
    shares: dict[str, dict[tuple[Pool, bool], float]] = {
        asked.workload.id: planned_shares(plan, asked.workload, period) for asked in ground.asked
    }
    return Prior(shares=shares, options=planned_options(plan, period))


def _key(ground: Ground, key: ClientKey) -> KeyEntry:
    confined = frozenset(key.only_at)
    sites = tuple(
        site.id for site in ground.estate.sites if confined & {site.id, site.kind.value, site.kind.layer.value}
    )
    return KeyEntry(
        id=key.id,
        tenant=key.tenant,
        secret=key.secret,
        workloads=tuple(key.workloads),
        sites=sites if confined else None,
    )


def _nothing(ground: Ground) -> Finding:
    upstreams, asked = len(ground.estate.serving.upstreams), len(ground.asked)
    message = f"no upstream may serve any workload; workloads that answer requests: {asked}, upstreams: {upstreams}"
    return finding("TP1705", "serving", message, "declare `serving.upstreams` with the models they serve")
