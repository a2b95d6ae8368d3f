"""Fits worked out on paper, one refusal of every kind, and what must hold for any fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.sizing import RATE_PER_GPU, estate, point, sizing_catalog, workload
from tests.factories.tiny_catalog import cloud, colo

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import DemandGrid
from tripoint.domain.estate import Estate, Finance, Horizon, RiskTolerance
from tripoint.domain.fit import Fit, Refusal, RefusalReason
from tripoint.domain.hardware import NodeType
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import CertificationRule, Policies
from tripoint.domain.purchase import NodePool
from tripoint.domain.site import CoolingClass, ExpansionStep, PowerEnvelope, Site, SiteKind
from tripoint.domain.units import AcceleratorId, ModelId, NodeTypeId, SiteId
from tripoint.domain.workload import Caller, Demand, Slo, Workload, WorkloadKind
from tripoint.engines.facts.pools import pool_specs
from tripoint.engines.facts.prices.offers import api_offers
from tripoint.engines.sizing.demand.grid import demand_grid
from tripoint.engines.sizing.fit.fits import fit_all
from tripoint.engines.sizing.replicas.queueing import QueueTarget, replicas_for

YEAR = Horizon(months=12, period_months=12, blocks=2)
EXACT = Finance(risk_tolerance=RiskTolerance.HIGH)
HALL = PowerEnvelope(it_kw=100.0, rack_density_kw=40.0, cooling=CoolingClass.AIR_CONTAINED)
API = "maker/chat-1"

Answers = tuple[tuple[Fit, ...], tuple[Refusal, ...]]


def answers(whole: Estate, catalog: Catalog | None = None) -> Answers:
    """Fits and refusals of an estate."""
    facts = catalog or sizing_catalog()
    grid: DemandGrid = demand_grid(whole, facts, {})[0]
    apis = {site.id: api_offers(site, whole, facts)[0] for site in whole.sites}
    fits, refusals, figures = fit_all(whole, facts, grid, pool_specs(whole, facts), apis)
    known = {figure.key for figure in figures}
    assert all(key in known for fit in fits for key in fit.basis)
    return fits, refusals


def small_world(asked: Workload, site: Site | None = None, **fields: object) -> Estate:
    """One workload and one site, with no headroom on the demand."""
    at = site or colo(power=HALL)
    return estate(at, workloads=(asked,), horizon=YEAR, finance=EXACT, **fields)


def only_fit(asked: Workload, site: Site | None = None, **fields: object) -> Fit:
    """The one fit; fails when there is a refusal."""
    fits, refusals = answers(small_world(asked, site, **fields))
    assert not refusals
    (fit,) = fits
    return fit


def most_nodes(fit: Fit) -> float:
    """Nodes the whole demand takes in its busiest block."""
    return max(nodes for blocks in fit.nodes for nodes in blocks)


def only_refusal(asked: Workload, site: Site | None = None, **fields: object) -> Refusal:
    """The one refusal; fails when there is a fit."""
    fits, refusals = answers(small_world(asked, site, **fields))
    assert not fits
    (refusal,) = refusals
    return refusal


def pool(**fields: object) -> NodePool:
    """A pool of the tiny catalogue's eight-accelerator server."""
    return NodePool(node_type=NodeTypeId("server"), **fields)  # type: ignore[arg-type]  # fields by name


def test_a_fit_on_paper() -> None:
    """10 requests/s; 0.3 s each, half the speed left, used to 0.8, eight replicas per node."""
    fit = only_fit(workload())
    assert pytest.approx(5 / 3) == RATE_PER_GPU
    assert (fit.precision, fit.gpus_per_replica, fit.site, fit.pool) == ("fp8", 1, "colo", "colo/server")
    assert fit.fixed_nodes == pytest.approx(1 / 8)
    assert fit.nodes_per_unit == pytest.approx(1 / (8 * 0.8 * RATE_PER_GPU))
    assert fit.busy_nodes_per_unit == pytest.approx(1 / (8 * RATE_PER_GPU))
    assert most_nodes(fit) == pytest.approx(8 / 8)
    assert fit.rtt_ms is None


def test_the_queue_adds_replicas_where_the_first_token_is_urgent() -> None:
    """500 ms less 200 ms of prefill and 84 ms of way leave 216 ms to wait, at the 95th percentile."""
    urgent = workload(callers=(Caller(place="US"),), slo=Slo(ttft_ms=516.0))
    fit = only_fit(urgent)
    prefill_ms = 1000 * 1e-4 * 1000
    target = QueueTarget(
        service_rate=RATE_PER_GPU,
        wait_budget_s=(516.0 - 84.0 - prefill_ms) / 1000,
        quantile=0.95,
        utilisation_cap=0.8,
    )
    relaxed = only_fit(workload())
    assert fit.rtt_ms == 84.0
    assert fit.ttft_ms == pytest.approx(84.0 + prefill_ms)
    assert most_nodes(fit) * 8 == pytest.approx(replicas_for(target, 10.0))
    assert fit.fixed_nodes + 10 * fit.nodes_per_unit >= replicas_for(target, 10.0) / 8 - 1e-9
    assert fit.fixed_nodes + fit.nodes_per_unit > relaxed.fixed_nodes + relaxed.nodes_per_unit


def test_bursty_callers_need_more_than_steady_ones() -> None:
    """The same mean, three times the variation."""
    slo = Slo(ttft_ms=600.0)
    bursty = workload(slo=slo, demand=replace(workload().demand, burstiness_cv=3.0))
    assert most_nodes(only_fit(bursty)) > most_nodes(only_fit(workload(slo=slo)))


def test_high_availability_holds_a_spare_replica() -> None:
    """Three nines: two at least, and one more than needed at the peak."""
    spare = only_fit(workload(slo=Slo(availability=0.999)))
    plain = only_fit(workload(slo=Slo(availability=0.99)))
    assert most_nodes(spare) == pytest.approx(most_nodes(plain) + 1 / 8)
    assert spare.fixed_nodes == pytest.approx(plain.fixed_nodes + 1 / 8)
    assert spare.nodes_per_unit == pytest.approx(plain.nodes_per_unit)


def test_a_declared_minimum_is_held() -> None:
    """Sixteen replicas are two nodes whatever the demand, and cover it all."""
    fit = only_fit(workload(min_replicas=16))
    assert (most_nodes(fit), fit.fixed_nodes, fit.nodes_per_unit) == (2.0, 2.0, 0.0)
    assert fit.busy_nodes_per_unit == pytest.approx(1 / (8 * RATE_PER_GPU))


def test_identical_sites_are_told_as_one_total() -> None:
    """Five halls split the demand; each keeps its own least replica."""
    five = only_fit(workload(), replace(colo(power=HALL), count=5))
    assert most_nodes(five) == pytest.approx(10 / 8)
    assert five.fixed_nodes == pytest.approx(5 / 8)
    assert five.nodes_per_unit == pytest.approx(1 / (8 * 0.8 * RATE_PER_GPU))


def test_a_cached_prompt_saves_its_share_of_prefill() -> None:
    """All input cached: only the 0.2 s of output remain of 0.3 s."""
    cached = workload(demand=replace(workload().demand, cached_share=1.0))
    ratio = only_fit(cached).busy_nodes_per_unit / only_fit(workload()).busy_nodes_per_unit
    assert ratio == pytest.approx(2 / 3)


def test_batch_work_takes_node_hours_from_the_offline_point() -> None:
    """1500 tokens in 0.2 s, half left, eight accelerators, 10 % overhead: 27 Mtok/h per accelerator at full speed."""
    batch = workload(
        kind=WorkloadKind.BATCH_INFERENCE,
        demand=Demand(mtok_per_month=100.0, input_tokens=1000.0, output_tokens=500.0),
    )
    fit = only_fit(batch)
    assert fit.nodes_per_unit == pytest.approx(1.1 / (27.0 * 0.5 * 8))
    assert fit.busy_nodes_per_unit == fit.nodes_per_unit
    assert (fit.fixed_nodes, fit.ttft_ms) == (0.0, None)


def test_embeddings_take_node_hours_from_input_tokens() -> None:
    """100,000 tokens/s, half left, eight accelerators: 1440 Mtok per node-hour, 10 % overhead."""
    embed = workload(
        kind=WorkloadKind.EMBEDDING,
        model=ModelId("embed"),
        demand=Demand(mtok_per_month=100.0, input_tokens=512.0),
    )
    assert only_fit(embed).nodes_per_unit == pytest.approx(1.1 / 1440)


def test_training_takes_reference_hours_and_its_gang() -> None:
    """Counted on `fast`, run on `chip`, a third of its speed; 20 accelerators are three nodes."""
    demand = Demand(gpu_hours_per_month=100.0, gang_gpus=20, reference_accelerator=AcceleratorId("fast"))
    fit = only_fit(workload(kind=WorkloadKind.FINE_TUNING, demand=demand))
    assert fit.nodes_per_unit == pytest.approx(3 / 8)
    assert fit.fixed_nodes == 3.0


QUAD = NodeType(id=NodeTypeId("quad"), accelerator=AcceleratorId("chip"), gpus=4, max_kw=5.0, purchase_usd_low=1e5)


def run_of(gang: int | None, kind: WorkloadKind = WorkloadKind.TRAINING, **fields: object) -> Workload:
    """A run on so many accelerators; of no model unless told."""
    demand = Demand(gpu_hours_per_month=10.0, gang_gpus=gang, reference_accelerator=AcceleratorId("chip"))
    return workload("run", kind, **({"model": None, "demand": demand} | fields))


def test_a_gang_larger_than_a_small_node_is_refused_there() -> None:
    """Nodes of 4 have no fabric: a gang of 5 is out and told both numbers and the key; one of 4 stays in a node."""
    at = colo(power=HALL, pool=NodePool(node_type=QUAD.id))
    refusal = only_refusal(run_of(5), at, node_types=(QUAD,))
    assert (refusal.reason, refusal.actual, refusal.limit) == (RefusalReason.GANG, 5.0, 4.0)
    assert "needs 5 accelerators at once; `quad` has 4, and nodes of fewer than 8" in refusal.text
    assert "`training.multi_node_min_gpus`" in refusal.text
    assert only_fit(run_of(4), at, node_types=(QUAD,)).fixed_nodes == 1.0
    own = {"training.multi_node_min_gpus": 4.0}
    assert only_fit(run_of(5), at, node_types=(QUAD,), assumptions=own).fixed_nodes == 2.0


def test_a_model_whose_state_a_gang_cannot_hold_is_not_trained_there() -> None:
    """70 billion x 13 bytes are 910 GB: 8 x 80 are too few, 12 are enough; the refusal says so."""
    at, m70 = colo(power=HALL), ModelId("m70")
    refusal = only_refusal(run_of(8, model=m70), at)
    assert (refusal.reason, refusal.unit) == (RefusalReason.MEMORY, "GB")
    assert (refusal.actual, refusal.limit) == pytest.approx((910.0, 640.0))
    assert "raise `gang_gpus` to 12" in refusal.text
    assert only_refusal(run_of(11, model=m70), at).limit == 880.0
    assert only_fit(run_of(12, model=m70), at).fixed_nodes == 2.0
    assert only_fit(run_of(8, model=ModelId("m8")), at).fixed_nodes == 1.0


def test_a_run_without_a_gang_must_fit_in_a_node() -> None:
    """Nothing says it may be split: a node of 640 GB is what it has."""
    refusal = only_refusal(run_of(None, model=ModelId("m70")), colo(power=HALL))
    assert (refusal.actual, refusal.limit) == pytest.approx((910.0, 640.0))


@pytest.mark.parametrize(("precisions", "need"), [(None, 168.0), (("bf16", "fp4"), 70 * 0.56 * 1.2)])
def test_fine_tuning_keeps_the_weights_and_a_fifth_more(precisions: tuple[str, ...] | None, need: float) -> None:
    """Two bytes each where no precision is declared, the smallest accepted one otherwise."""
    models = (ModelSpec(id=ModelId("m70"), precisions=precisions),)
    asked = run_of(1, WorkloadKind.FINE_TUNING, model=ModelId("m70"))
    fits, refusals = answers(small_world(asked, models=models))
    if need <= 80.0:
        assert fits
    else:
        (refusal,) = refusals
        assert refusal.actual == pytest.approx(need)
        assert "fine-tuning `m70` needs 168 GB (70 billion parameters x 2.4 bytes)" in refusal.text


def test_a_model_of_unknown_size_is_not_judged_by_memory() -> None:
    """Nothing is refused on a guess."""
    models = (ModelSpec(id=ModelId("house")),)
    assert only_fit(run_of(1, model=ModelId("house")), models=models).fixed_nodes == 1.0


def test_an_api_needs_no_nodes() -> None:
    """It is in when the model accepts it, with its own times."""
    models = (ModelSpec(id=ModelId("m8"), api_models=(API,)),)
    at = replace(cloud(pool=pool()), apis=(API,), pools=())
    fit = only_fit(workload(callers=(Caller(place="US"),)), at, models=models)
    assert (fit.is_api, fit.pool, fit.fixed_nodes, fit.nodes_per_unit) == (True, f"cloud/{API}", 0.0, 0.0)
    assert (fit.ttft_ms, fit.tpot_ms) == (608.0, 20.0)
    assert answers(small_world(workload(), at)) == ((), ())


def test_of_several_precisions_the_fastest_that_keeps_the_objective_is_taken() -> None:
    """bf16 is slower but answers within 20 ms a token; fp8 is faster at 50 ms."""
    quick = point("m8", "bf16", "server", (1000, 500), 500 / 0.9, ttft_ms=500.0, tpot_ms=20.0)
    catalog = replace(sizing_catalog(), throughput=(*sizing_catalog().throughput, quick))
    for tpot, precision in ((60.0, "fp8"), (30.0, "bf16")):
        (fit,), refusals = answers(small_world(workload(slo=Slo(tpot_ms=tpot))), catalog)
        assert (fit.precision, refusals) == (precision, ())


def test_a_precision_that_is_not_accepted_and_would_do_is_named() -> None:
    """Only fp8 is accepted, whose point has 50 ms; bf16 is known at 20 ms, int8 at 40 ms."""
    points = [
        point("m8", name, "server", (1000, 500), 500 / 0.9, ttft_ms=500.0, tpot_ms=tpot)
        for name, tpot in (("bf16", 20.0), ("int8", 40.0))
    ]
    catalog = replace(sizing_catalog(), throughput=(*sizing_catalog().throughput, *points))
    for accepted, advice in ((("fp8",), "accept `bf16` (20 ms) in the model's `precisions`, relax"), (None, None)):
        models = (ModelSpec(id=ModelId("m8"), precisions=accepted),)
        whole = small_world(workload(slo=Slo(tpot_ms=30.0)), models=models)
        fits, refusals = answers(whole, catalog)
        if advice is None:
            assert [fit.precision for fit in fits] == ["bf16"]
        else:
            assert advice in refusals[0].text


def test_a_bound_is_not_told_as_the_speed_of_answers() -> None:
    """Measured while tokens might take 50 ms: they may have been faster; a chat point states its time."""
    base = sizing_catalog()
    bounded = point("m8", "fp8", "server", (1000, 500), 500 / 0.9, ttft_ms=500.0, tpot_ms=50.0)
    for points, is_bound in (((bounded,), True), (base.throughput, False)):
        catalog = replace(base, throughput=points)
        refusals = answers(small_world(workload(slo=Slo(tpot_ms=30.0))), catalog)[1]
        assert ("the bound it was measured under" in refusals[0].text) == is_bound


def test_a_rule_refuses_the_whole_site_once() -> None:
    """One refusal with `*`, not one per node type or API."""
    at = replace(cloud(), apis=(API,))
    refusal = only_refusal(workload(regimes=("gdpr",)), at)
    assert (refusal.node_type, refusal.reason, refusal.site) == ("*", RefusalReason.RESIDENCY, "cloud")


NEEDS_LIQUID = NodeType(
    id=NodeTypeId("rack"), accelerator=AcceleratorId("chip"), gpus=72, max_kw=130.0, cooling=CoolingClass.DIRECT_LIQUID
)
LIQUID = PowerEnvelope(it_kw=100.0, rack_density_kw=140.0, cooling=CoolingClass.DIRECT_LIQUID)
TINY = NodeType(id=NodeTypeId("box"), accelerator=AcceleratorId("slow"), gpus=1, max_kw=0.2)
RACK, BOX = NodePool(node_type=NodeTypeId("rack")), NodePool(node_type=NodeTypeId("box"))
GANG = Demand(gpu_hours_per_month=10.0, gang_gpus=64, reference_accelerator=AcceleratorId("chip"))
LONG = Demand(requests_per_s=1.0, input_tokens=9000.0, output_tokens=10.0)

CASES: dict[RefusalReason, tuple[Workload, Site, float | None, float | None]] = {
    RefusalReason.CONFINED: (workload(only_at=("edge",)), colo(power=HALL), None, None),
    RefusalReason.RESIDENCY: (workload(regimes=("gdpr",)), colo("US", power=HALL), None, None),
    RefusalReason.CERTIFICATION: (workload(regimes=("hipaa",)), colo(power=HALL), None, None),
    RefusalReason.LICENCE: (workload(model=ModelId("bound")), colo(power=HALL), None, None),
    RefusalReason.COOLING: (workload(), colo(power=HALL, pool=RACK), None, None),
    RefusalReason.RACK_DENSITY: (workload(), colo(power=replace(HALL, rack_density_kw=8.0)), 10.0, 8.0),
    RefusalReason.POWER: (workload(), colo(power=LIQUID, pool=RACK), 130.0, 100.0),
    RefusalReason.CONTEXT: (workload(demand=LONG), colo(power=HALL), 9010.0, 8192.0),
    RefusalReason.MEMORY: (workload(model=ModelId("m70")), colo(power=HALL, pool=BOX), None, 16.0),
    RefusalReason.NO_THROUGHPUT: (workload(), colo(power=HALL, pool=BOX), None, None),
    RefusalReason.TPOT: (workload(slo=Slo(tpot_ms=30.0)), colo(power=HALL), 50.0, 30.0),
    RefusalReason.LATENCY: (
        workload(slo=Slo(ttft_ms=150.0), callers=(Caller(place="US"),)),
        colo(power=HALL),
        184.0,
        150.0,
    ),
    RefusalReason.GANG: (
        workload(kind=WorkloadKind.TRAINING, demand=GANG),
        colo(power=HALL, pool=pool(max_nodes=4)),
        8.0,
        4.0,
    ),
    RefusalReason.CAPACITY: (workload(min_replicas=17), colo(power=HALL, pool=pool(max_nodes=2)), 2.125, 2.0),
    RefusalReason.NO_PRICE: (workload(), colo(power=HALL, pool=pool(options=())), None, None),
}
MODELS = (
    ModelSpec(id=ModelId("m8")),
    ModelSpec(id=ModelId("m70"), precisions=("fp8",)),
    ModelSpec(id=ModelId("bound"), like="m8", licence_kinds=("cloud",)),
)


@pytest.mark.parametrize("reason", CASES, ids=lambda reason: reason.value)
def test_every_reason_is_told_with_its_numbers(reason: RefusalReason) -> None:
    """One estate per reason; figures found and allowed where there are any."""
    asked, site, actual, limit = CASES[reason]
    if reason is RefusalReason.NO_THROUGHPUT:
        asked = workload(model=ModelId("m8"), demand=replace(asked.demand, input_tokens=10.0, output_tokens=5.0))
    refusal = only_refusal(asked, site, models=MODELS, node_types=(NEEDS_LIQUID, TINY))
    assert refusal.reason is reason
    assert refusal.text
    assert not refusal.text.endswith(".")
    if actual is not None:
        assert refusal.actual == pytest.approx(actual)
    if limit is not None:
        assert refusal.limit == pytest.approx(limit)
        assert f"{limit:g}" in refusal.text
        assert refusal.unit


def test_tokens_are_told_to_the_last_one() -> None:
    """A context of a million and a request a little longer are not the same number, and neither is a power of ten."""
    long = Demand(requests_per_s=1.0, input_tokens=1_048_576.0, output_tokens=10.0)
    spec = ModelSpec(id=ModelId("m8"), context_tokens=1_048_576)
    refusal = only_refusal(workload(demand=long), colo(power=HALL), models=(spec,))
    assert refusal.text.startswith("a mean request has 1048586 tokens; `m8` leaves memory for 1048576;")


def test_every_reason_sizing_can_give_has_its_case() -> None:
    """Spot is a question of the offer, asked where offers are chosen."""
    assert set(RefusalReason) - set(CASES) == {RefusalReason.SPOT_NOT_ALLOWED}


def test_rules_are_told_before_physics() -> None:
    """A hall that can neither hold the node nor the certificate says the certificate."""
    rules = Policies(certification=(CertificationRule(requires=("c5",)),))
    whole = small_world(workload(), colo(power=HALL, pool=RACK), policies=rules, node_types=(NEEDS_LIQUID,))
    assert answers(whole)[1][0].reason is RefusalReason.CERTIFICATION


def test_an_expansion_step_may_power_a_node() -> None:
    """100 kW and 50 more carry a rack of 130 kW."""
    step = ExpansionStep(id="hall-2", adds_kw=50.0)
    at = replace(colo(power=LIQUID, pool=RACK), expansion=(step,))
    assert only_fit(workload(), at, node_types=(NEEDS_LIQUID,)).pool == "colo/rack"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"slo": Slo(tpot_ms=10.0)}, RefusalReason.TPOT),
        ({"slo": Slo(ttft_ms=500.0)}, RefusalReason.LATENCY),
        ({"kind": WorkloadKind.EMBEDDING}, RefusalReason.NO_PRICE),
    ],
)
def test_apis_are_held_to_the_same_objectives(fields: dict[str, object], reason: RefusalReason) -> None:
    """20 ms a token, 600 ms to the first one, and sold for conversations only."""
    models = (ModelSpec(id=ModelId("m8"), api_models=(API,)),)
    at = replace(cloud(), apis=(API,), pools=())
    assert only_refusal(workload(**fields), at, models=models).reason is reason  # type: ignore[arg-type]  # fields of several kinds


def test_an_api_must_read_the_declared_context() -> None:
    """8192 tokens declared, 4000 readable."""
    base = sizing_catalog()
    catalog = replace(base, api_prices=(replace(base.api_prices[0], max_input_tokens=4000),))
    models = (ModelSpec(id=ModelId("m8"), api_models=(API,)),)
    whole = small_world(workload(), replace(cloud(), apis=(API,), pools=()), models=models)
    (refusal,) = answers(whole, catalog)[1]
    assert (refusal.reason, refusal.limit) == (RefusalReason.CONTEXT, 4000.0)


@given(
    rate=st.floats(0.001, 500.0),
    availability=st.sampled_from([None, 0.999]),
    ttft=st.one_of(st.none(), st.floats(200.0, 5000.0)),
    count=st.integers(1, 20),
    burst=st.floats(1.0, 3.0),
)
def test_any_fit_carries_its_demand(
    rate: float, availability: float | None, ttft: float | None, count: int, burst: float
) -> None:
    """Nodes of the fit at its peak do the work, within the cap, on every site; busy is part of what is held."""
    demand = Demand(requests_per_s=rate, input_tokens=1000.0, output_tokens=500.0, burstiness_cv=burst)
    asked = workload(demand=demand, slo=Slo(ttft_ms=ttft, availability=availability))
    site = replace(colo(power=HALL), kind=SiteKind.EDGE, id=SiteId("edge"), count=count)
    fits, _ = answers(small_world(asked, site))
    for fit in fits:
        nodes = most_nodes(fit)
        assert nodes * 8 * RATE_PER_GPU * 0.8 >= rate * (1 - 1e-9)
        assert fit.busy_nodes_per_unit * rate <= nodes * (1 + 1e-9)
        assert nodes >= count / 8
        assert nodes <= fit.fixed_nodes + fit.nodes_per_unit * rate + 1e-6


def test_every_pair_gets_exactly_one_answer() -> None:
    """Pools and accepted APIs of allowed sites, and one `*` per forbidden site."""
    models = (ModelSpec(id=ModelId("m8"), api_models=(API,)), ModelSpec(id=ModelId("m70")))
    sites = (replace(cloud(), apis=(API,)), colo(power=HALL), replace(colo("US", HALL), id=SiteId("us")))
    asked = (workload("a"), workload("b", model=ModelId("m70"), regimes=("gdpr",)), workload("c", not_at=("colo",)))
    whole = estate(*sites, workloads=asked, models=models, horizon=YEAR)
    fits, refusals = answers(whole)
    pairs: list[tuple[str, str, str]] = [(fit.workload, fit.site, fit.node_type) for fit in fits]
    pairs += [(refusal.workload, refusal.site, refusal.node_type) for refusal in refusals]
    assert len(pairs) == len(set(pairs))
    expected = {("a", "cloud", node) for node in ("big", "small", API)}
    expected |= {("a", "colo", "server"), ("a", "us", "server")}
    expected |= {("b", "cloud", "*"), ("b", "colo", "server"), ("b", "us", "*")}
    expected |= {("c", "cloud", node) for node in ("big", "small", API)} | {("c", "colo", "*"), ("c", "us", "*")}
    assert set(pairs) == expected
