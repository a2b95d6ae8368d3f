"""Which instances may a job run on, at which price, and what excludes the others? Rules are asked first.

A job takes whole instances for its hours. Rented ones cost their hour, spot ones also the work they lose; nodes that
are held or committed already cost what an hour of them costs whoever uses it. Nobody buys nodes for a job: where none
are held, owned nodes are no offer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tripoint.domain.demand import WorkloadDemand
from tripoint.domain.fit import Fit, RefusalReason
from tripoint.domain.job import Job, JobOffer, Need
from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.site import Site
from tripoint.domain.units import WorkloadId
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.answers.jobs.labels import workload_of
from tripoint.engines.facts.pools import PoolSpec
from tripoint.engines.facts.prices.offers import explain_no_price, pool_offers
from tripoint.engines.gateway.table.ground import Ground
from tripoint.engines.gateway.table.tariffs.hours import NodeHour, node_hour
from tripoint.engines.sizing.fit.fits import fit_pool
from tripoint.engines.sizing.policy import Place, Subject, allows_spot, judge
from tripoint.engines.sizing.speed.training import relative_speed
from tripoint.engines.sizing.verdict import Verdict

NOT_SOLD = "accelerator"
"""Kind of reason of a site without any of the accelerators asked for."""
_RENTED = (PurchaseOption.ON_DEMAND, PurchaseOption.SPOT)
_NO_DEMAND = WorkloadDemand(
    workload=WorkloadId(""), peak_rate=(), mean_rate=(), work=(), input_tokens=0.0, output_tokens=0.0,
    cached_share=0.0, burstiness_cv=1.0, mtok_in=(), mtok_out=(), gb_wire=(),
)  # fmt: skip
_NO_SPOT = "spot instances may be taken back and the job says `allows_spot: false`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """A site or an offer a job cannot have."""

    reason: str
    """Kind of reason."""
    text: str
    """With its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What offers are looked up in; the dictionary only remembers prices already worked out."""

    ground: Ground
    """Estate, catalogue, rules and rates."""
    pools: Mapping[str, tuple[PoolSpec, ...]]
    """Pools by site."""
    places: Mapping[str, Place]
    """Sites as rules see them."""
    prices: dict[tuple[str, PurchaseOption], NodeHour | None] = field(default_factory=dict)
    """(pool, option) -> an hour of a node; `None` without a price."""


def offers(desk: Desk, job: Job, subject: Subject, site: Site) -> Iterator[JobOffer | Out]:
    """Everything a site has for a job; a rule against the site is one answer for all of it."""
    verdict = judge(desk.places[site.id], subject, desk.ground.book)
    if verdict is not None:
        yield _out(verdict)
        return
    found = False
    for need in job.runs_on:
        for pool in desk.pools.get(site.id, ()):
            if pool.node.accelerator == need.accelerator:
                found = True
                yield from _of_pool(desk, job, need, pool)
    if not found:
        kinds = ", ".join(f"`{need.accelerator}`" for need in job.runs_on)
        yield Out(reason=NOT_SOLD, text=f"`{site.id}` has no {kinds}")


def hours_on(desk: Desk, job: Job, need: Need) -> tuple[float, bool] | None:
    """Hours a job runs one way and whether they rest on an estimate; `None` where no speed is known.

    Without own hours: accelerator-hours of the first way that has some, over the relative speed of training.
    """
    if need.hours is not None:
        return need.hours, False
    base = next((each for each in job.runs_on if each.hours is not None), None)
    if base is None or base.hours is None or job.kind is None:
        return None
    speed = relative_speed(desk.ground.catalog, WorkloadKind(job.kind), need.accelerator, base.accelerator, base.gpus)
    if speed is None or speed.value <= 0:
        return None
    is_weak = speed.provenance is not None and speed.provenance.confidence.is_weak
    return base.hours * base.gpus / speed.value / need.gpus, is_weak


def _of_pool(desk: Desk, job: Job, need: Need, pool: PoolSpec) -> Iterator[JobOffer | Out]:
    hours = hours_on(desk, job, need)
    if hours is None:
        text = f"no training speed of {need.accelerator} relative to the way with hours is known; declare its `hours`"
        yield Out(reason=RefusalReason.NO_THROUGHPUT, text=text)
        return
    nodes = _nodes(desk, job, need, pool)
    if isinstance(nodes, Verdict):
        yield _out(nodes)
        return
    is_priced, is_refused = False, False
    for option in PurchaseOption:
        refused = _unobtainable(desk, job, pool, option, nodes)
        price = _price(desk, pool, option) if refused is None else None
        is_refused |= bool(refused)
        yield from refused or ()
        if price is not None:
            is_priced = True
            yield _offer(pool, (need, nodes, hours), option, price)
    if not is_priced and not is_refused:
        yield Out(reason=RefusalReason.NO_PRICE, text=explain_no_price(pool, desk.ground.catalog))


def _offer(
    pool: PoolSpec,
    asked: tuple[Need, int, tuple[float, bool]],
    option: PurchaseOption,
    hour: NodeHour,
) -> JobOffer:
    need, nodes, (hours, is_derived) = asked
    return JobOffer(
        site=pool.site.id,
        node_type=pool.node.id,
        option=option,
        accelerator=need.accelerator,
        nodes=nodes,
        hours=hours * hour.rework,
        usd_per_hour=hour.firm + hour.busy / hour.rework,
        is_weak=is_derived,
    )


def graded(desk: Desk, offer: JobOffer) -> JobOffer:
    """The same, weak also where its rent rests on an estimate or on what somebody recalls."""
    pool = next(pool for pool in desk.pools[offer.site] if pool.node.id == offer.node_type)
    return replace(offer, is_weak=offer.is_weak or _is_weak(desk, pool, offer.option))


def _nodes(desk: Desk, job: Job, need: Need, pool: PoolSpec) -> int | Verdict:
    """Whole nodes a job takes at once, or why the pool cannot have it, as for any run that is a gang."""
    workload = workload_of(job)
    workload = replace(workload, demand=replace(workload.demand, reference_accelerator=need.accelerator))
    errand = desk.ground.desk.errand(workload, replace(_NO_DEMAND, gang_gpus=need.gpus))
    if job.kind is None:  # what it does with its model is not known, so neither is the memory it takes
        errand = replace(errand, size=None)
    answer, _ = fit_pool(desk.ground.desk, errand, pool)
    if isinstance(answer, Fit):
        return max(1, round(answer.fixed_nodes))
    if answer.reason is RefusalReason.GANG and pool.max_nodes is None:
        text = f"it takes {need.gpus} accelerators at once; `{pool.node.id}` has {pool.node.gpus} and no fabric to more"
        return replace(answer, text=text)
    return answer


def _unobtainable(desk: Desk, job: Job, pool: PoolSpec, option: PurchaseOption, nodes: int) -> tuple[Out, ...] | None:
    """Why nodes cannot be had so; nothing to tell where nobody offers it, `None` where they can."""
    if option in _RENTED:
        if option not in pool.options:
            return ()
        if option is PurchaseOption.SPOT and not allows_spot(workload_of(job)):
            return (Out(reason=RefusalReason.SPOT_NOT_ALLOWED, text=_NO_SPOT),)
        return None
    there = _there(desk, pool, option)
    if there >= nodes:
        return None
    is_rentable = any(each in pool.options for each in _RENTED)
    if not there and (option is PurchaseOption.PER_TOKEN or is_rentable or option not in pool.options):
        return ()
    words = "held" if option is PurchaseOption.OWNED else "committed"
    text = f"it takes {nodes} of `{pool.node.id}`; `{pool.site.id}` has {there} {words}, and none is bought for a job"
    return (Out(reason=RefusalReason.CAPACITY, text=text),)


def _there(desk: Desk, pool: PoolSpec, option: PurchaseOption) -> int:
    """Nodes of a site that are there already."""
    if option is PurchaseOption.OWNED:
        return pool.declared.held
    if option is not PurchaseOption.COMMITTED:
        return 0
    month = f"{desk.ground.today:%Y-%m}"
    return sum(each.nodes for each in pool.declared.commitments if each.ends >= month)


def _price(desk: Desk, pool: PoolSpec, option: PurchaseOption) -> NodeHour | None:
    key = (pool.id, option)
    if key not in desk.prices:
        desk.prices[key] = node_hour(desk.ground, pool, option)
    return desk.prices[key]


def _is_weak(desk: Desk, pool: PoolSpec, option: PurchaseOption) -> bool:
    if option not in _RENTED:
        return False
    _, figures = pool_offers(replace(pool, options=(option,)), desk.ground.estate, desk.ground.catalog)
    return any(figure.provenance is not None and figure.provenance.confidence.is_weak for figure in figures)


def _out(verdict: Verdict) -> Out:
    return Out(reason=verdict.reason, text=verdict.text)
