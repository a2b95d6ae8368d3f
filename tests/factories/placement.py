"""Planning instances whose coefficients fit on paper: the tiny catalogue with speeds, and pieces of estates.

On an eight-accelerator node `m8` takes 1000 in / 500 out at 8 x 0.5 / 0.3 s = 13.33 requests per second, planned to 0.8
of it: 0.09375 nodes per request per second, and one replica (0.125 nodes) while it is present at all. So a workload
of 16 requests per second occupies 1.5 nodes and 0.125.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from tests.factories.planning import highs
from tests.factories.sizing import sizing_catalog
from tests.factories.tiny_catalog import JUDGED

from tripoint.domain.catalog import Catalog, DefaultRow
from tripoint.domain.estate import Estate, Finance, Horizon, RiskTolerance
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.plan import ConflictSet
from tripoint.domain.purchase import NodePool, PurchaseOption
from tripoint.domain.site import CoolingClass, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import AcceleratorId, ModelId, NodeTypeId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind
from tripoint.engines.placement.conflict import explain
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.milp.program import Program
from tripoint.engines.placement.outcome import Outcome, solve_instance

API = "maker/chat-1"
"""The tiny catalogue's token API: 4 USD per million tokens in, 20 out."""
RATE_PER_REPLICA = 4 / 3
"""Requests per second one replica of `chat()` carries at the utilisation cap."""
ONE_REPLICA = 0.125
"""Nodes of one replica."""
TWO_LEVELS = tuple(2.0 if hour < 42 else 2 / 3 for hour in range(168))
"""A quarter of the week at twice the mean, the rest at two thirds of it."""

_DEFAULTS = {
    "spot.lost_work_share": 0.25,
    "standby.warm_fraction": 0.5,
    "standby.hot_rto_minutes": 5.0,
    "standby.warm_rto_minutes": 20.0,
    "standby.cold_rto_minutes": 1440.0,
    "migration.usd_per_move": 2000.0,
    "storage.archive_share": 0.5,
}


@cache
def placement_catalog() -> Catalog:
    """The sizing catalogue with the defaults only placement asks for."""
    base = sizing_catalog()
    extra = tuple(
        DefaultRow(key=key, low=None, typical=value, high=None, unit="unit", provenance=JUDGED, note="")
        for key, value in _DEFAULTS.items()
    )
    return replace(base, defaults=(*base.defaults, *extra))


def horizon(periods: int = 1, blocks: int = 1, review_months: int = 3) -> Horizon:
    """So many quarters, reviewed every quarter unless told otherwise."""
    return Horizon(months=3 * periods, period_months=3, blocks=blocks, review_months=review_months)


def place(*sites: Site, workloads: tuple[Workload, ...] = (), **fields: object) -> Estate:
    """An estate of one quarter without headroom on the demand."""
    models = (ModelSpec(id=ModelId("m8"), api_models=(API,)), ModelSpec(id=ModelId("embed")))
    given: dict[str, object] = {
        "models": models,
        "horizon": horizon(),
        "finance": Finance(risk_tolerance=RiskTolerance.HIGH),
    } | fields
    return Estate(apiVersion="tripoint/v1", sites=sites, workloads=workloads, **given)  # type: ignore[arg-type]  # fields of the case


def chat(name: str = "chat", rate: float = 16.0, **fields: object) -> Workload:
    """An interactive workload of 1000 in / 500 out on `m8`, flat unless `hour_of_week` is among its fields."""
    hours = fields.pop("hour_of_week", None)
    demand = Demand(
        requests_per_s=rate,
        input_tokens=1000.0,
        output_tokens=500.0,
        burstiness_cv=1.0,
        hour_of_week=hours or (1.0,) * 168,  # type: ignore[arg-type]  # weights by hour
    )
    given: dict[str, object] = {"model": ModelId("m8"), "demand": demand} | fields
    return Workload(id=WorkloadId(name), kind=WorkloadKind.INFERENCE, **given)  # type: ignore[arg-type]  # fields of the case


def training(name: str = "train", gpu_hours: float = 1000.0, gang: int = 8, **fields: object) -> Workload:
    """A fine-tuning run of so many `chip`-hours per month in gangs; `chip` is also what runs it."""
    demand = Demand(gpu_hours_per_month=gpu_hours, gang_gpus=gang, reference_accelerator=AcceleratorId("chip"))
    return Workload(id=WorkloadId(name), kind=WorkloadKind.FINE_TUNING, demand=demand, **fields)  # type: ignore[arg-type]  # fields of the case


def batch(name: str = "batch", mtok: float = 100.0, **fields: object) -> Workload:
    """Batch inference of so many million tokens per month, 1000 in / 500 out."""
    demand = Demand(mtok_per_month=mtok, input_tokens=1000.0, output_tokens=500.0)
    return Workload(
        id=WorkloadId(name),
        kind=WorkloadKind.BATCH_INFERENCE,
        model=ModelId("m8"),
        demand=demand,
        **fields,  # type: ignore[arg-type]  # fields by name
    )


def servers(**fields: object) -> NodePool:
    """Servers to own: 10 kW, 250,000 USD, no lead time unless told."""
    given: dict[str, object] = {"lead_time_months": 0} | fields
    return NodePool(node_type=NodeTypeId("server"), **given)  # type: ignore[arg-type]  # fields of the case


def hall(name: str = "hall", pool: NodePool | None = None, **fields: object) -> Site:
    """A colocation hall in NL that can cool servers, two to a rack; power envelope fields among the rest."""
    envelope: dict[str, object] = {"rack_density_kw": 20.0, "cooling": CoolingClass.AIR_CONTAINED}
    for key in ("it_kw", "racks", "contracted_kw", "feeds", "feed_count", "envelope_is_after_redundancy"):
        if key in fields:
            envelope[key] = fields.pop(key)
    given: dict[str, object] = {"pools": (pool or servers(),), "country": "NL"} | fields
    power = PowerEnvelope(energy_usd_per_kwh=0.1, **envelope)  # type: ignore[arg-type]  # fields of several kinds
    return Site(id=SiteId(name), kind=SiteKind.COLO, power=power, **given)  # type: ignore[arg-type]  # fields of the case


def region(name: str = "cloud", *options: PurchaseOption, **fields: object) -> Site:
    """A cloud region in the US that sells the eight-accelerator SKU (50 USD/h on demand) in the ways named."""
    pool = NodePool(node_type=NodeTypeId("big"), options=options or (PurchaseOption.ON_DEMAND,))
    given: dict[str, object] = {"provider": "aws", "region": "us-east-1", "pools": (pool,)} | fields
    return Site(id=SiteId(name), kind=SiteKind.CLOUD, **given)  # type: ignore[arg-type]  # fields of the case


def rented(*options: PurchaseOption, **fields: object) -> NodePool:
    """The cloud's eight-accelerator SKU, bought in the ways named (on demand when none is)."""
    ways = options or (PurchaseOption.ON_DEMAND,)
    return NodePool(node_type=NodeTypeId("big"), options=ways, **fields)  # type: ignore[arg-type]  # fields of the case


def resolved(estate: Estate) -> Instance:
    """The instance of an estate on the placement catalogue."""
    return prepare(estate, placement_catalog(), {})


def program_of(estate: Estate) -> Program:
    """The program of an estate."""
    form, _ = formulate(resolved(estate))
    return form.program()


def solved(estate: Estate) -> Outcome:
    """The solved instance of an estate."""
    return solve_instance(resolved(estate), highs)


def conflict_of(estate: Estate) -> ConflictSet:
    """Why an estate has no plan; fails when it has one."""
    outcome = solved(estate)
    assert outcome.is_infeasible
    return explain(outcome.program, highs)
