"""Who may run where, with how much capacity: a fit or a refusal for every (workload, pool or API) pair.

Refusals come in a fixed order and the first one is told: rules of the estate and of regimes (for the whole
site, in one refusal of node type `*`), then the hall (cooling, rack density, power), then the model on the
node (context, memory, throughput, time per token, latency), then the gang, the pool's size and its price.

All numbers of a fit are totals over the `count` identical sites a site entry stands for: the demand given to
the entry is split evenly over them, and each keeps its own minimum and spare replicas. Gangs stand in one site.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import DemandGrid
from tripoint.domain.estate import Estate
from tripoint.domain.fit import Fit, Refusal, RefusalReason
from tripoint.domain.provenance import Figure
from tripoint.domain.purchase import Offer
from tripoint.domain.site import Site
from tripoint.domain.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK, SiteId
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.sizing.fit.apis import api_fit
from tripoint.engines.sizing.fit.desk import Desk, Errand, keyed
from tripoint.engines.sizing.fit.facility import housed
from tripoint.engines.sizing.fit.hosting import Hosted, Seat, best_hosting
from tripoint.engines.sizing.fit.training import training_fit
from tripoint.engines.sizing.policy import Place, Rulebook, Subject, judge, place_of, rulebook, subject_of
from tripoint.engines.sizing.replicas.queueing import QueueTarget
from tripoint.engines.sizing.replicas.stairs import Fleet
from tripoint.engines.sizing.verdict import Verdict

WHOLE_SITE = "*"
SPARE_FROM_AVAILABILITY = 0.999
TRAINING = (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING)

Answer = Fit | Verdict
Judged = tuple[Answer, tuple[Figure, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What there is to run on."""

    pools: Mapping[SiteId, tuple[PoolSpec, ...]]
    """Pools by site."""
    apis: Mapping[SiteId, tuple[Offer, ...]]
    """Token-priced offers by site."""
    book: Rulebook
    """Rules."""
    places: Mapping[SiteId, Place]
    """What the rules see of each site."""


def fit_all(
    estate: Estate,
    catalog: Catalog,
    grid: DemandGrid,
    pools: tuple[PoolSpec, ...],
    apis: Mapping[SiteId, tuple[Offer, ...]],
    waived: frozenset[tuple[str, str]] = frozenset(),
) -> tuple[tuple[Fit, ...], tuple[Refusal, ...], tuple[Figure, ...]]:
    """Fits, refusals, and the figures the fits rest on; workloads and sites in declared order.

    `waived` (workload, country) asks what would be without the estate's own residency rules there.
    """
    desk = Desk(estate=estate, catalog=catalog)
    by_site = {site.id: tuple(pool for pool in pools if pool.site.id == site.id) for site in estate.sites}
    places = {site.id: place_of(site, catalog) for site in estate.sites}
    supply = Supply(pools=by_site, apis=apis, book=rulebook(estate, catalog, waived), places=places)
    fits: list[Fit] = []
    refusals: list[Refusal] = []
    figures: list[Figure] = []
    for workload, demand in zip(estate.workloads, grid.workloads, strict=True):
        errand = desk.errand(workload, demand)
        subject = subject_of(workload, estate, catalog)
        for site in estate.sites:
            for node_type, (answer, used) in _answers(desk, errand, subject, site, supply):
                if isinstance(answer, Fit):
                    fits.append(answer)
                    figures.extend(used)
                else:
                    refusals.append(answer.refusal(workload.id, site.id, node_type))
    return tuple(fits), tuple(refusals), keyed(figures)


def _answers(desk: Desk, errand: Errand, subject: Subject, site: Site, supply: Supply) -> Iterator[tuple[str, Judged]]:
    """(node type or API, answer) of everything at one site; a rule against the site is one answer for all of it."""
    verdict = judge(supply.places[site.id], subject, supply.book)
    if verdict is not None:
        yield WHOLE_SITE, (verdict, ())
        return
    for pool in supply.pools.get(site.id, ()):
        yield pool.node.id, fit_pool(desk, errand, pool)
    accepted = errand.spec.api_models if errand.spec is not None else ()
    for api in site.apis:
        if api in accepted and errand.workload.kind not in TRAINING:
            yield api, api_fit(desk, errand, site, api, supply.apis.get(site.id, ()))


def fit_pool(desk: Desk, errand: Errand, pool: PoolSpec) -> Judged:
    """One workload on one pool, policy already asked."""
    hall = housed(pool, desk.catalog, desk.estate.assumptions)
    if hall.verdict is not None:
        return hall.verdict, ()
    answer, figures = _sized(desk, errand, pool)
    if isinstance(answer, Fit) and not pool.options:
        text = f"no purchase option of `{pool.id}` may be used; declare `options` or a price"
        return Verdict(reason=RefusalReason.NO_PRICE, text=text), ()
    return answer, (*figures, *hall.figures)


def _sized(desk: Desk, errand: Errand, pool: PoolSpec) -> Judged:
    chip = desk.accelerator(pool.node.accelerator)
    if chip is None or pool.node.gpus <= 0:
        text = f"`{pool.node.id}` carries no accelerator the catalogue knows (`{pool.node.accelerator}`)"
        return Verdict(reason=RefusalReason.NO_THROUGHPUT, text=text), ()
    if errand.workload.kind in TRAINING:
        return training_fit(desk, errand, pool, chip)
    rtt = desk.worst_rtt(errand.workload, pool.site.id)
    hosted = best_hosting(desk, Seat(errand=errand, node=pool.node, chip=chip, rtt=rtt))
    if isinstance(hosted, Verdict):
        return hosted, ()
    if errand.workload.kind.is_interactive:
        return _interactive(desk, errand, pool, hosted)
    return _batch(desk, errand, pool, hosted)


def _interactive(desk: Desk, errand: Errand, pool: PoolSpec, hosted: Hosted) -> Judged:
    workload = errand.workload
    rtt = desk.worst_rtt(workload, pool.site.id)
    fleet = fleet_of(desk, errand, hosted, rtt)
    least = fleet.nodes_of(1)
    if pool.max_nodes is not None and least > pool.max_nodes:
        return _too_small(pool, least, "the least replicas"), ()
    need = desk.need(fleet, errand.demand, pool.site.count)
    figures = keyed(
        (
            *hosted.figures,
            rtt,
            desk.default("sizing.utilisation_cap"),
            desk.default("sizing.wait_quantile") if fleet.target.wait_budget_s is not None else None,
        )
    )
    fit = Fit(
        workload=workload.id,
        site=pool.site.id,
        pool=pool.id,
        node_type=pool.node.id,
        precision=hosted.speed.precision,
        gpus_per_replica=hosted.width,
        nodes=need.nodes,
        fixed_nodes=need.line.fixed,
        nodes_per_unit=need.line.slope,
        busy_nodes_per_unit=1 / hosted.node_rate,
        ttft_ms=_promised_ttft(hosted, rtt),
        tpot_ms=hosted.tpot_ms,
        rtt_ms=rtt.value if rtt is not None else None,
        basis=tuple(figure.key for figure in figures),
    )
    return fit, figures


def fleet_of(desk: Desk, errand: Errand, hosted: Hosted, rtt: Figure | None) -> Fleet:
    """Replicas and their queue at one site."""
    workload = errand.workload
    spare = 1 if (workload.slo.availability or 0.0) >= SPARE_FROM_AVAILABILITY else 0
    budget = None
    if workload.slo.ttft_ms is not None:
        budget = max(0.0, workload.slo.ttft_ms - (_promised_ttft(hosted, rtt) or 0.0)) / 1000
    target = QueueTarget(
        service_rate=hosted.service_rate,
        wait_budget_s=budget,
        quantile=desk.default("sizing.wait_quantile").value,
        arrival_cv=errand.demand.burstiness_cv,
        utilisation_cap=desk.default("sizing.utilisation_cap").value,
    )
    return Fleet(
        target=target,
        replicas_per_node=hosted.replicas_per_node,
        min_replicas=workload.min_replicas or 1 + spare,
        spare_replicas=spare,
    )


def _promised_ttft(hosted: Hosted, rtt: Figure | None) -> float | None:
    if hosted.ttft_ms is None:
        return None
    return hosted.ttft_ms + (rtt.value if rtt is not None else 0.0)


def _batch(desk: Desk, errand: Errand, pool: PoolSpec, hosted: Hosted) -> Judged:
    """Node-hours per Mtok (input and output together), overhead included."""
    overhead = desk.default("sizing.batch_overhead")
    tokens = errand.demand.input_tokens + errand.demand.output_tokens
    mtok_per_hour = hosted.node_rate * SECONDS_PER_HOUR * tokens / TOKENS_PER_MTOK
    if pool.max_nodes is not None and pool.max_nodes < 1:
        return _too_small(pool, 1.0, "one replica"), ()
    figures = keyed((*hosted.figures, overhead))
    fit = Fit(
        workload=errand.workload.id,
        site=pool.site.id,
        pool=pool.id,
        node_type=pool.node.id,
        precision=hosted.speed.precision,
        gpus_per_replica=hosted.width,
        nodes_per_unit=(1 + overhead.value) / mtok_per_hour,
        busy_nodes_per_unit=(1 + overhead.value) / mtok_per_hour,
        basis=tuple(figure.key for figure in figures),
    )
    return fit, figures


def _too_small(pool: PoolSpec, nodes: float, what: str) -> Verdict:
    text = f"{what} take {nodes:g} nodes; `{pool.id}` may have {pool.max_nodes}; raise `max_nodes`"
    limit = float(pool.max_nodes or 0)
    return Verdict(reason=RefusalReason.CAPACITY, text=text, actual=nodes, limit=limit, unit="nodes")
