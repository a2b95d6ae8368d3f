"""A request's marginal price is the planner's cost of the same activity, split over its tokens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.factories.placement import API, batch, chat, hall, place, placement_catalog, region, rented, servers
from tests.factories.planning import catalog
from tests.factories.served import TODAY, compiled, serve, two_sites, upstream

from tripoint.domain.charge import Rate
from tripoint.domain.estate import Estate
from tripoint.domain.purchase import Commitment, PurchaseOption
from tripoint.domain.source import LoadedEstate
from tripoint.domain.table import Candidate
from tripoint.domain.units import SECONDS_PER_HOUR, TOKENS_PER_MTOK, UpstreamId
from tripoint.domain.workload import Caller, Workload
from tripoint.engines.costing.rates import api_mtok_in, api_mtok_out
from tripoint.engines.costing.statement import Activity, effective_usd, price
from tripoint.engines.costing.transfer import tariff, tariff_cost
from tripoint.engines.gateway.table.compile import compile_table
from tripoint.engines.placement.columns.coefficients import busy_hours_per_share, mtok_per_share
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.instance.instance import Instance, Lane, LaneKind
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.sizing.paths import path_between
from tripoint.testing.strategies import small_estates

NODE_RATE = 8 * 0.5 / 0.3
"""Requests per second of `chat()` on eight accelerators."""
ENERGY_HOUR = (8.0 - 10.0 * 0.3) * 1.35 * 0.1
"""What work adds to the draw of a `server` in the hall: kW x PUE x USD per kWh."""


def candidates(estate: Estate) -> dict[str, Candidate]:
    """The only route's candidates by upstream."""
    table = compiled(estate).table
    (route,) = table.routes
    return {table.targets[each.target].id: each for each in route.candidates}


def activity(lane: Lane, rates: tuple[Rate, ...], instance: Instance) -> Activity:
    """A unit of what a lane consumes, as the planner's statement has it."""
    site = instance.sites[lane.site]
    return Activity(
        period=0,
        provider=site.site.provider,
        site=site.site.id,
        layer=site.layer,
        resource=lane.fit.node_type,
        option="",
        workload=lane.fit.workload,
        status=None,
        rates=rates,
    )


def test_an_owned_node_costs_the_energy_work_adds_and_nothing_else() -> None:
    """13.3 requests a second on a node whose busy hour is 0.675 USD; a third of the time is prefill."""
    own = candidates(two_sites())["hall-1"].price
    request = ENERGY_HOUR / (NODE_RATE * SECONDS_PER_HOUR)
    assert own.usd_in == pytest.approx(request / 3 / 1000)
    assert own.usd_out == pytest.approx(request * 2 / 3 / 500)
    assert own.usd_cached == 0.0
    assert own.of(1000, 500) == pytest.approx(request)


def test_a_rented_node_costs_its_busy_time() -> None:
    """50 USD an hour over the requests of a busy hour; the basis names the price row."""
    found = candidates(two_sites())["cloud-1"]
    assert found.price.of(1000, 500) == pytest.approx(50.0 / (NODE_RATE * SECONDS_PER_HOUR))
    assert found.basis.startswith("on_demand: price.aws.big.us-east-1.on_demand")


def test_spot_pays_for_work_done_twice_as_in_the_plan() -> None:
    """40 % of 50 USD, and a quarter of the work is lost; interactive work may not be there unless declared."""
    estate = two_sites(serve(upstream("cloud-1", "cloud", "big", option=PurchaseOption.SPOT)))
    assert compiled(estate).table.routes == ()
    only_spot = place(region("cloud", PurchaseOption.SPOT), workloads=(chat(),), serving=serve(upstream("c", "cloud")))
    assert compiled(only_spot).table.routes == ()
    estate = replace(estate, workloads=(chat(allows_spot=True),))
    found = candidates(estate)["cloud-1"].price
    assert found.of(1000, 500) == pytest.approx(50.0 * 0.4 * 1.25 / (NODE_RATE * SECONDS_PER_HOUR))


def test_a_commitment_is_paid_whether_it_works_or_not() -> None:
    """Room on committed nodes costs nothing more, and needs no known speed to say so."""
    pool = rented(
        PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED, commitments=(Commitment(nodes=1, ends="2028-01"),)
    )
    estate = place(
        region(pools=(pool,)), workloads=(chat(),), serving=serve(upstream("cloud-1", "cloud", "big", "m8", "embed"))
    )
    found = candidates(estate)["cloud-1"]
    assert found.price.of(1000, 500) == 0.0
    assert "paid whether it works or not" in found.basis


def test_a_token_api_costs_its_prices() -> None:
    """In, out and cached, each as the catalogue has it; the site sells nothing else, so no node type need be named."""
    estate = place(region(pools=(), apis=(API,)), workloads=(chat(),), serving=serve(upstream("api", "cloud")))
    own = candidates(estate)["api"].price
    assert (own.usd_in, own.usd_out, own.usd_cached) == pytest.approx((4e-6, 20e-6, 0.4e-6))


def test_declared_prices_win() -> None:
    """Both, or one with the other from the cost function."""
    both = serve(upstream("hall-1", "hall", "server", usd_in_per_mtok=1.0, usd_out_per_mtok=2.0))
    own = candidates(two_sites(both))["hall-1"]
    assert (own.price.usd_in, own.price.usd_out) == (1e-6, 2e-6)
    assert own.basis == "declared: upstream `hall-1`"
    one = serve(upstream("hall-1", "hall", "server", usd_out_per_mtok=2.0))
    mixed, plain = candidates(two_sites(one))["hall-1"], candidates(two_sites())["hall-1"]
    assert (mixed.price.usd_in, mixed.price.usd_out) == (plain.price.usd_in, 2e-6)
    assert mixed.basis.startswith("declared: upstream `hall-1`; owned: ")


def test_what_nobody_prices_is_as_dear_as_the_dearest_and_told() -> None:
    """An unknown place never looks free."""
    section = serve(upstream("hall-1", "hall", "server"), upstream("cloud-1", "cloud", "unheard-of"))
    result = compiled(two_sites(section))
    table = result.table
    known, unknown = table.routes[0].candidates
    assert unknown.price == known.price
    assert unknown.basis == "not known: as the most expensive of the route"
    assert [said.code for said in result.findings] == ["TP1701"]
    assert "`cloud-1`" in result.findings[0].message
    alone = candidates(two_sites(serve(upstream("cloud-1", "cloud", "unheard-of"))))["cloud-1"].price
    assert (alone.usd_in, alone.usd_out) == (10e-6, 30e-6)
    assert "`cloud` has no pool and sells no API called `unheard-of`" in result.findings[0].message


def test_an_objective_it_misses_does_not_make_a_place_free_of_charge() -> None:
    """The planner would refuse the pool; requests that end up there still cost what they cost."""
    strict = chat(slo=replace(chat().slo, tpot_ms=1.0))
    assert candidates(two_sites(workloads=(strict,)))["hall-1"].price == candidates(two_sites())["hall-1"].price


def test_the_answer_pays_to_leave_the_site() -> None:
    """Half the bytes of a request, at the tariff of the path to each caller."""
    workload = chat(callers=(Caller(place="US", share=0.5), Caller(place="DE", share=0.5)))
    estate = two_sites(workloads=(workload,))
    found = candidates(estate)["cloud-1"]
    cloud = next(site for site in estate.sites if site.id == "cloud")
    gb = 1500 * 8.0 / 1e9
    month = 16.0 * 730 * 3600 * gb
    usd = 0.0
    for caller in workload.callers:
        path = path_between(estate, placement_catalog(), "cloud", caller.place)
        priced, _ = tariff(cloud, path.transfer_class, estate, placement_catalog(), path.charging_link)
        volume = month * 0.5 * 0.5
        step = volume * 1e-6
        usd += gb * 0.25 * (tariff_cost(priced, volume) - tariff_cost(priced, volume - step)) / step
    assert found.price.usd_request == pytest.approx(usd)
    assert usd > 0.0
    assert "; egress " in found.basis


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    """A hall, a region and an API; one workload of any shape."""
    tokens_in, tokens_out = draw(st.integers(1, 6000)), draw(st.integers(1, 2000))
    is_batch = draw(st.booleans())
    base: Workload = batch() if is_batch else chat(rate=draw(st.floats(0.01, 200.0)))
    demand = replace(
        base.demand,
        input_tokens=float(tokens_in),
        output_tokens=float(tokens_out),
        cached_share=draw(st.floats(0.0, 0.95)),
    )
    ways = draw(st.sampled_from(((PurchaseOption.ON_DEMAND,), (PurchaseOption.ON_DEMAND, PurchaseOption.SPOT))))
    sites = (
        hall(pool=servers(held=draw(st.integers(1, 4)))),
        region("cloud", *ways),
        region("api", pools=(), apis=(API,)),
    )
    section = serve(upstream("h", "hall", "server"), upstream("c", "cloud", "big"), upstream("a", "api", API))
    return place(*sites, workloads=(replace(base, demand=demand),), serving=section)


@settings(max_examples=60, deadline=None)
@given(estates())
def test_price_times_requests_is_what_the_planner_charges(estate: Estate) -> None:
    """Per period and block, for owned nodes, rented nodes and a token API: equal to 1e-9 relative."""
    instance = prepare(estate, placement_catalog(), {})
    found = candidates(estate)
    demand = instance.grid.workloads[0]
    mean = (demand.input_tokens, demand.output_tokens, demand.input_tokens * demand.cached_share)
    compared = 0
    for lane in instance.lanes:
        if lane.kind is LaneKind.SPOT:
            continue
        mtok_in, mtok_out = mtok_per_share(instance, lane, 0, 0)
        requests = mtok_in * TOKENS_PER_MTOK / demand.input_tokens
        assume(requests > 0)
        if lane.kind is LaneKind.API:
            assert lane.offer is not None
            tokens = activity(lane, api_mtok_in(lane.offer, demand.cached_share), instance)
            answers = activity(lane, api_mtok_out(lane.offer), instance)
            charged = sum(row.effective_usd for row in (*price(tokens, mtok_in), *price(answers, mtok_out)))
            name = "a"
        else:
            assert lane.pool is not None
            pool = instance.pools[lane.pool]
            hours = busy_hours_per_share(instance, lane, 0, 0)
            unit = activity(lane, pool.on_demand_hour or pool.busy_hour, instance)
            charged = sum(row.effective_usd for row in price(unit, hours))
            name = "c" if pool.on_demand_hour else "h"
        assert found[name].price.of(*mean) * requests == pytest.approx(charged, rel=1e-9)
        compared += 1
    assert compared == 3


@settings(max_examples=20, deadline=None)
@given(estates())
def test_owned_and_api_prices_are_the_programs_own_objective(estate: Estate) -> None:
    """Where a lane's share has its cost on the column itself, the coefficients agree to 1e-9 relative."""
    instance = prepare(estate, placement_catalog(), {})
    form, _ = formulate(instance)
    found = candidates(estate)
    demand = instance.grid.workloads[0]
    mean = (demand.input_tokens, demand.output_tokens, demand.input_tokens * demand.cached_share)
    for (number, period, block), column in form.serve.items():
        lane = instance.lanes[number]
        is_owned = lane.pool is not None and not instance.pools[lane.pool].on_demand_hour
        if not (is_owned or lane.kind is LaneKind.API):
            continue
        coefficient = sum(effective_usd(term.activity) * term.quantity for term in form.costs if term.column == column)
        requests = mtok_per_share(instance, lane, period, block)[0] * TOKENS_PER_MTOK / demand.input_tokens
        name = "h" if is_owned else "a"
        assert found[name].price.of(*mean) * requests == pytest.approx(coefficient, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(small_estates())
def test_on_the_shipped_catalogue_too(drawn: Estate) -> None:
    """Any estate, an upstream on every pool: each lane's price is the planner's to 1e-9 relative."""
    where = dict.fromkeys((site.id, pool.node_type) for site in drawn.sites for pool in site.pools or ())
    upstreams = [
        upstream(f"u{n}", site, node_type, "llama3.1-8b", "bge-base") for n, (site, node_type) in enumerate(where)
    ]
    estate = replace(drawn, serving=serve(*upstreams))
    loaded = LoadedEstate(estate=estate, profiles={}, digest="")
    table = compile_table(loaded, catalog(), None, today=TODAY, previous=None).table
    names = {upstream.id: f"{upstream.site}/{upstream.node_type}" for upstream in upstreams}
    found = {
        (route.workload, names[UpstreamId(table.targets[each.target].id)]): each
        for route in table.routes
        for each in route.candidates
    }
    instance = prepare(estate, catalog(), {})
    for lane in instance.lanes:
        candidate = found.get((lane.fit.workload, lane.fit.pool))
        if lane.kind is not LaneKind.FIRM or candidate is None or candidate.basis.startswith("committed"):
            continue
        assert lane.pool is not None
        pool, demand = instance.pools[lane.pool], instance.demand(lane)
        rates = pool.on_demand_hour if candidate.basis.startswith("on_demand") else pool.busy_hour
        charged = effective_usd(activity(lane, rates, instance)) * busy_hours_per_share(instance, lane, 0, 0)
        requests = mtok_per_share(instance, lane, 0, 0)[0] * TOKENS_PER_MTOK / demand.input_tokens
        mean = (demand.input_tokens, demand.output_tokens, demand.input_tokens * demand.cached_share)
        cost = candidate.price.of(*mean) - candidate.price.usd_request
        assert cost * requests == pytest.approx(charged, rel=1e-9)
