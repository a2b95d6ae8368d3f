"""What is billed is what was planned: price rows times the plan's own demand, and idle, are the plan's charges."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.placement import API, batch, chat, hall, place, region, rented, servers, solved
from tests.factories.served import compiled, serve, two_sites, upstream

from tripoint.domain.charge import Charge, ChargeKind
from tripoint.domain.estate import Estate
from tripoint.domain.money import Tariff
from tripoint.domain.purchase import Commitment, PurchaseOption
from tripoint.domain.serving import Serving
from tripoint.domain.table import Candidate, RoutingTable, TokenPrice
from tripoint.domain.units import HOURS_PER_MONTH, SECONDS_PER_HOUR, TOKENS_PER_MTOK
from tripoint.domain.workload import Workload
from tripoint.engines.gateway.table.candidates import LAST_RESORT
from tripoint.engines.gateway.table.tariffs.rows import part_of, price_version, tariff_of
from tripoint.engines.placement.columns.coefficients import mtok_per_share
from tripoint.engines.placement.outcome import Outcome

NODE_RATE = 8 * 0.5 / 0.3
"""Requests per second of `chat()` on eight accelerators."""
ROUNDED = 2e-6
"""Price rows are rounded to a pico-dollar a token, records to a nano-dollar: relative to prices of this size."""
NANO = 1e9


def candidates(table: RoutingTable) -> dict[str, Candidate]:
    """The only route's candidates by upstream."""
    (route,) = table.routes
    return {table.targets[each.target].id: each for each in route.candidates}


def held(table: RoutingTable) -> dict[str, int]:
    """What each upstream's nodes cost an hour, nano-dollars."""
    return {target.id: target.held_nano_per_hour for target in table.targets}


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_a_token_of_ones_own_node_costs_the_nodes_whole_hour() -> None:
    """At the margin the energy work adds, in full also the hour itself; a third of the time is prefill."""
    table = compiled(two_sites()).table
    own, hour = candidates(table)["hall-1"], held(table)["hall-1"]
    busy = (8.0 - 10.0 * 0.3) * 1.35 * 0.1
    request = (hour / NANO + busy) / (NODE_RATE * SECONDS_PER_HOUR)
    assert own.tariff.nano(1000, 500) == pytest.approx(request * NANO, abs=2)
    assert own.tariff.pico_in == pytest.approx(request / 3 / 1000 * 1e12, abs=1)
    assert own.tariff.pico_out == pytest.approx(request * 2 / 3 / 500 * 1e12, abs=1)
    assert own.marginal.nano(1000, 500) == pytest.approx(busy / (NODE_RATE * SECONDS_PER_HOUR) * NANO, rel=1e-3)
    assert own.firm.nano(1000, 500) == pytest.approx(hour / (NODE_RATE * SECONDS_PER_HOUR), abs=2)
    assert hour > 0


def test_a_rented_node_is_paid_while_it_is_up() -> None:
    """50 USD an hour for each node behind the upstream; what a request takes up of it is all firm."""
    table = compiled(two_sites(serve(upstream("cloud-1", "cloud", "big", nodes=3.0)))).table
    found = candidates(table)["cloud-1"]
    assert held(table)["cloud-1"] == 150 * 10**9
    assert found.tariff.nano(1000, 500) == pytest.approx(50.0 / (NODE_RATE * SECONDS_PER_HOUR) * NANO, rel=ROUNDED)
    assert found.firm[1:4] == found.tariff[1:4]
    assert found.marginal == found.tariff


def test_committed_nodes_are_free_at_the_margin_and_not_free_of_charge() -> None:
    """Routing fills them first; what is billed is the commitment's own rate."""
    signed = (
        Commitment(nodes=1, ends="2028-01", usd_per_hour=20.0),
        Commitment(nodes=3, ends="2028-01", usd_per_hour=40.0),
    )
    past = Commitment(nodes=9, ends="2026-12", usd_per_hour=1.0)
    pool = rented(PurchaseOption.COMMITTED, commitments=(*signed, past))
    estate = place(region(pools=(pool,)), workloads=(chat(),), serving=serve(upstream("c", "cloud", "big", nodes=4.0)))
    table = compiled(estate).table
    found = candidates(table)["c"]
    assert held(table)["c"] == 4 * 35 * 10**9, "the mean of those that run"
    assert found.tariff.nano(1000, 500) == pytest.approx(35.0 / (NODE_RATE * SECONDS_PER_HOUR) * NANO, rel=ROUNDED)
    assert found.marginal.nano(1000, 500) == 0
    assert found.price.of(1000, 500) == 0.0


def test_spot_tokens_carry_the_work_that_is_done_twice() -> None:
    """The node is paid once an hour; a quarter more hours are needed for the same work."""
    section = serve(upstream("c", "cloud", "big", option=PurchaseOption.SPOT))
    table = compiled(replace(two_sites(section), workloads=(chat(allows_spot=True),))).table
    assert held(table)["c"] == 20 * 10**9
    assert candidates(table)["c"].tariff.nano(1000, 500) == pytest.approx(
        20.0 * 1.25 / (NODE_RATE * SECONDS_PER_HOUR) * NANO, rel=ROUNDED
    )


def test_held_nodes_cost_their_book_value_until_it_is_written_off() -> None:
    """And never nothing after that; nodes beyond those held are bought new."""
    section = serve(upstream("h", "hall", "server", nodes=2.0))

    def hour(**fields: object) -> int:
        return held(compiled(place(hall(pool=servers(**fields)), workloads=(chat(),), serving=section)).table)["h"]

    written_off, until, bought, half = (
        hour(held=2),
        hour(held=2, held_until="2027-02"),
        hour(),
        hour(held=1, held_until="2027-01"),
    )
    assert 0 < written_off < until < bought
    assert half == pytest.approx((written_off + bought) / 2, abs=2)


# --- what is declared ------------------------------------------------------------------------------------------------


def test_prices_declared_for_nodes_steer_and_do_not_bill() -> None:
    """A free lunch on one's own nodes is a way to route, not what they cost."""
    plain = candidates(compiled(two_sites()).table)["hall-1"]
    for declared in (0.0, 7.0):
        section = serve(upstream("hall-1", "hall", "server", usd_in_per_mtok=declared, usd_out_per_mtok=declared))
        found = candidates(compiled(two_sites(section)).table)["hall-1"]
        assert found.price.usd_in == declared / 1e6
        assert found.marginal.pico_in == declared * 1e6
        assert (found.tariff, found.firm) == (plain.tariff, plain.firm)


def test_prices_declared_for_an_api_are_what_is_billed() -> None:
    """They are the contract, a free one too; list stays what the vendor asks of everybody."""
    site = region(pools=(), apis=(API,))
    for usd_in, usd_out in ((3.0, 9.0), (0.0, 0.0)):
        section = serve(upstream("api", "cloud", usd_in_per_mtok=usd_in, usd_out_per_mtok=usd_out))
        found = candidates(compiled(place(site, workloads=(chat(),), serving=section)).table)["api"]
        assert found.tariff.nano(1000, 500) == 1000 * usd_in * 1000 + 500 * usd_out * 1000
        assert found.list_tariff.nano(1000, 500) == 1000 * 4_000 + 500 * 20_000
        assert not any(found.firm[1:])
    plain = candidates(compiled(place(site, workloads=(chat(),), serving=serve(upstream("api", "cloud")))).table)["api"]
    assert plain.tariff[1:4] == (4_000_000, 400_000, 20_000_000), "in, cached and out, to the pico-dollar"


@pytest.mark.parametrize(("declared", "is_billed"), [(None, False), (0.0, False), (2.0, True)])
def test_nodes_without_figures_are_never_free(declared: float | None, is_billed: bool) -> None:
    """Own prices where they say something, else as dear as the dearest of the route, and told."""
    own = {} if declared is None else {"usd_in_per_mtok": declared, "usd_out_per_mtok": declared}
    section = serve(upstream("x", "cloud", "unheard-of", **own))
    result = compiled(two_sites(section))
    found = candidates(result.table)["x"]
    expected = TokenPrice(usd_in=2e-6, usd_out=2e-6, usd_cached=2e-6) if is_billed else LAST_RESORT
    assert found.tariff[1:4] == tariff_of("", expected)[1:4]
    assert [said.code for said in result.findings if said.code == "TP1701"] == ([] if is_billed else ["TP1701"])


def test_a_commitment_without_known_speed_is_billed_as_the_dearest() -> None:
    """At the margin it is free and known to be; in full nobody can say, so it is told."""
    pool = rented(
        PurchaseOption.ON_DEMAND, PurchaseOption.COMMITTED, commitments=(Commitment(nodes=1, ends="2028-01"),)
    )
    estate = place(
        region(pools=(pool,)),
        workloads=(chat(),),
        models=place().models,
        serving=serve(upstream("c", "cloud", "big", "m8", "embed"), fallbacks=()),
    )
    result = compiled(estate)
    assert candidates(result.table)["c"].tariff.nano(1000, 500) > 0
    assert held(result.table)["c"] > 0


# --- rows and versions -----------------------------------------------------------------------------------------------

PRICES = st.floats(0.0, 1e-3).map(lambda usd: 0.0 if usd < 1e-30 else usd)


@given(PRICES, PRICES, PRICES, st.floats(0.0, 1.0))
def test_a_row_is_its_price_to_half_a_pico_dollar(
    usd_in: float, usd_out: float, usd_cached: float, share: float
) -> None:
    """What is not free never becomes free, and a part is never more than the whole."""
    price = TokenPrice(usd_in=usd_in, usd_out=usd_out, usd_cached=usd_cached)
    row = tariff_of("r", price)
    for pico, usd in zip(row[1:4], (usd_in, usd_cached, usd_out), strict=True):
        assert abs(pico - usd * 1e12) <= 0.5 + 1e-9 * usd * 1e12 or (pico == 1 and 0.0 < usd < 1e-12)
        assert (pico == 0) == (usd == 0.0)
    part = part_of(TokenPrice(usd_in=usd_in * share, usd_out=usd_out, usd_cached=0.0), row)
    assert all(mine <= whole for mine, whole in zip(part[1:], row[1:], strict=True))


def test_the_version_is_that_of_the_prices_and_of_nothing_else() -> None:
    """Another share or address has the same version; one pico-dollar or another number of nodes has not."""
    table = compiled(two_sites()).table
    (route,) = table.routes
    first, *rest = route.candidates
    assert price_version(table.targets, table.routes) == table.prices
    assert len(table.prices) == 12
    moved = replace(route, candidates=(replace(first, share=0.123), *reversed(rest)))
    assert price_version(tuple(reversed(table.targets)), [moved]) == table.prices
    dearer = replace(first, tariff=first.tariff._replace(pico_out=first.tariff.pico_out + 1))
    assert price_version(table.targets, [replace(route, candidates=(dearer, *rest))]) != table.prices
    more = replace(table.targets[0], held_nano_per_hour=table.targets[0].held_nano_per_hour + 1)
    assert price_version((more, *table.targets[1:]), table.routes) != table.prices


# --- planned and spent -----------------------------------------------------------------------------------------------


@st.composite
def planned_estates(draw: st.DrawFn) -> Estate:
    """A hall with held servers, a region and an API, for one workload that may need more than the hall."""
    is_batch = draw(st.booleans())
    base: Workload = batch(mtok=draw(st.floats(50, 50_000))) if is_batch else chat(rate=draw(st.floats(0.5, 60.0)))
    demand = replace(
        base.demand,
        input_tokens=float(draw(st.integers(50, 4000))),
        output_tokens=float(draw(st.integers(20, 1500))),
        cached_share=draw(st.sampled_from((0.0, 0.25, 0.5))),
    )
    until = draw(st.sampled_from((None, "2031-01")))
    # The plan goes on writing off a node that it takes out of service, and no upstream runs on that one.
    nodes = draw(st.integers(1, 3)) if until is None else 1
    own = hall(pool=servers(held=nodes, max_nodes=nodes, held_until=until))
    elsewhere = draw(st.sampled_from((region("cloud"), region("api", pools=(), apis=(API,)))))
    return place(own, elsewhere, workloads=(replace(base, demand=demand),))


def served_by(outcome: Outcome) -> Serving:
    """An upstream on everything the plan uses, with the nodes it holds there."""
    assert outcome.decisions is not None
    nodes = {state.site: state.owned + state.committed + state.on_demand for state in outcome.decisions.pools}
    ways = {"hall": ("h", "server"), "cloud": ("c", "big"), "api": ("a", API)}
    used = {row.site for row in outcome.decisions.placements if row.share > 1e-9} | {
        site for site, count in nodes.items() if count > 1e-9
    }
    return serve(*(upstream(ways[site][0], site, ways[site][1], nodes=nodes.get(site, 1.0)) for site in sorted(used)))


def spent(tariff: Tariff, mtok_in: float, mtok_out: float, cached_share: float) -> float:
    """What so many tokens are billed by a row, USD; each request's own rounding left out."""
    tokens_in, tokens_out = mtok_in * TOKENS_PER_MTOK, mtok_out * TOKENS_PER_MTOK
    cached = tokens_in * cached_share
    pico = (tokens_in - cached) * tariff.pico_in + cached * tariff.pico_cached + tokens_out * tariff.pico_out
    return pico / 1e12


def charged(charges: tuple[Charge, ...], site: str) -> float:
    """The plan's own effective cost of what serves at a site, USD."""
    kinds = {ChargeKind.EGRESS, ChargeKind.PORT, ChargeKind.STORAGE, ChargeKind.MIGRATION, ChargeKind.RETRIEVAL}
    rows = [row for row in charges if row.site == site and row.kind not in kinds]
    return sum(row.effective_usd for row in rows)


@settings(max_examples=25, deadline=None)
@given(planned_estates())
def test_the_plans_own_demand_costs_what_the_plan_says(estate: Estate) -> None:
    """For a quarter of it: token API by token, nodes by usage and idle, both to the rounding of a price row."""
    outcome = solved(estate)
    assert outcome.decisions is not None
    instance = outcome.instance
    table = compiled(replace(estate, serving=served_by(outcome))).table
    found, hours = candidates(table), instance.grid.period_hours
    assert hours == 3 * HOURS_PER_MONTH
    usage, firm = dict.fromkeys(found, 0.0), dict.fromkeys(found, 0.0)
    share = estate.workloads[0].demand.cached_share or 0.0
    names = {"hall": "h", "cloud": "c", "api": "a"}
    for row in outcome.decisions.placements:
        if row.share <= 1e-12:
            continue
        lane = next(each for each in instance.lanes if each.fit.pool == row.pool and each.kind.value == row.lane)
        mtok_in, mtok_out = (each * row.share for each in mtok_per_share(instance, lane, row.period, row.block))
        name = names[row.site]
        usage[name] += spent(found[name].tariff, mtok_in, mtok_out, share)
        firm[name] += spent(found[name].firm, mtok_in, mtok_out, share)
    for name, site in (("h", "hall"), ("c", "cloud"), ("a", "api")):
        if name not in found:
            continue
        paid = held(table)[name] / NANO * hours
        idle = paid - firm[name]
        planned = charged(outcome.charges, site)
        assert usage[name] + idle == pytest.approx(planned, rel=1e-5, abs=1e-6), name
        assert idle >= -1e-5 * paid, "the plan never asks more of nodes than they can do"
        if name == "a":
            assert (paid, firm[name]) == (0.0, 0.0)
            assert usage[name] == pytest.approx(planned, rel=1e-9)
