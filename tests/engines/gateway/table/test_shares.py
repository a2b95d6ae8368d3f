"""The plan's shares as the data path's prior: the right period, the right mean, the right upstreams."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.placement import batch, chat
from tests.factories.plan import infeasible_plan, small_plan
from tests.factories.served import compiled, serve, two_sites, upstream

from tripoint.domain.decision import Placement, PoolState
from tripoint.domain.demand import Block
from tripoint.domain.plan import Plan
from tripoint.domain.purchase import PurchaseOption
from tripoint.engines.gateway.table.shares import Seat, period_at, planned_options, planned_shares, spread

HALL, CLOUD = ("hall", "server"), ("cloud", "big")


def block(name: str, weight: float) -> Block:
    """A block of so much of the time."""
    return Block(name=name, hours_of_week=(), weight=weight, longest_gap_hours=0.0)


def row(pool: tuple[str, str], share: float, period: int = 0, at: int = 0, **fields: str) -> Placement:
    """Part of `chat` on a pool."""
    given: dict[str, str] = {"workload": "chat", "lane": "firm"} | fields
    site, node_type = pool
    return Placement(
        site=site, pool=f"{site}/{node_type}", node_type=node_type, period=period, block=at, share=share, nodes=1.0,
        **given,
    )  # fmt: skip


def plan_of(*rows: Placement, pools: tuple[PoolState, ...] = (), digest: str = "sha256:aa") -> Plan:
    """A plan of two quarters from 2027-01, busy for a quarter of the time, that places these rows."""
    return replace(
        small_plan(),
        estate_digest=digest,
        start="2027-01",
        period_months=3,
        periods=("2027-Q1", "2027-Q2"),
        blocks=(block("b1", 0.25), block("b2", 0.75)),
        placements=rows,
        pools=pools,
    )


def state(pool: tuple[str, str], **nodes: float) -> PoolState:
    """Nodes of a pool in the first period and block."""
    site, node_type = pool
    given = {"owned": 0.0, "committed": 0.0, "on_demand": 0.0, "spot": 0.0, "used": 0.0} | nodes
    return PoolState(
        pool=f"{site}/{node_type}", site=site, node_type=node_type, period=0, block=0, gpus_per_node=8, **given
    )


@pytest.mark.parametrize(
    ("today", "period"),
    [
        (date(2026, 1, 1), 0),
        (date(2027, 1, 1), 0),
        (date(2027, 3, 31), 0),
        (date(2027, 4, 1), 1),
        (date(2031, 1, 1), 1),
    ],
)
def test_the_period_is_the_one_that_is_now(today: date, period: int) -> None:
    """The first before the horizon, the last after it."""
    assert period_at(plan_of(), today) == period


def test_shares_of_requests_are_weighed_by_hours_and_those_of_work_add_up() -> None:
    """A quarter of the time all in the hall, else half and half; batch work is done where it is done."""
    interactive = plan_of(row(HALL, 1.0), row(HALL, 0.5, at=1), row(CLOUD, 0.5, at=1))
    assert planned_shares(interactive, chat(), 0) == {(HALL, False): 0.625, (CLOUD, False): 0.375}
    assert planned_shares(interactive, chat(), 1) == {}
    work = plan_of(row(HALL, 0.9, workload="batch"), row(CLOUD, 0.1, at=1, workload="batch", lane="spot"))
    assert planned_shares(work, batch(), 0) == {(HALL, False): 0.9, (CLOUD, True): 0.1}


def test_the_table_carries_the_plans_shares() -> None:
    """Mapped from pools to the upstreams on them."""
    plan = plan_of(row(HALL, 0.75), row(CLOUD, 0.25), row(HALL, 0.75, at=1), row(CLOUD, 0.25, at=1))
    result = compiled(two_sites(), plan)
    (route,) = result.table.routes
    assert [each.share for each in route.candidates] == pytest.approx([0.75, 0.25])
    assert result.findings == ()
    assert result.table.plan_digest.startswith("sha256:")
    assert [each.share for each in compiled(two_sites()).table.routes[0].candidates] == [0.0, 0.0]


def test_upstreams_on_one_pool_share_by_capacity() -> None:
    """Three quarters of the places, three quarters of the pool's share."""
    section = serve(
        upstream("small", "hall", "server", max_concurrency=10),
        upstream("large", "hall", "server", max_concurrency=30),
        upstream("cloud-1", "cloud", "big"),
    )
    plan = plan_of(row(HALL, 0.8), row(CLOUD, 0.2), row(HALL, 0.8, at=1), row(CLOUD, 0.2, at=1))
    (route,) = compiled(two_sites(section), plan).table.routes
    assert [each.share for each in route.candidates] == pytest.approx([0.2, 0.6, 0.2])


def test_a_planned_pool_without_an_upstream_is_told_and_spread() -> None:
    """The rest keeps its proportion."""
    plan = plan_of(row(HALL, 0.5), row(("hall", "gone"), 0.5), row(HALL, 0.5, at=1), row(("hall", "gone"), 0.5, at=1))
    result = compiled(two_sites(), plan)
    assert [each.share for each in result.table.routes[0].candidates] == [1.0, 0.0]
    assert [said.code for said in result.findings] == ["TP1702"]
    assert "50 % of `chat` on `hall/gone`" in result.findings[0].message


def test_a_plan_that_can_be_followed_nowhere_gives_no_shares() -> None:
    """Better none than invented ones."""
    result = compiled(two_sites(), plan_of(row(("hall", "gone"), 1.0)))
    assert [each.share for each in result.table.routes[0].candidates] == [0.0, 0.0]


def test_policy_outweighs_the_plan() -> None:
    """A share planned where today's rules forbid it is spread over those still allowed."""
    plan = plan_of(row(HALL, 0.5), row(CLOUD, 0.5), row(HALL, 0.5, at=1), row(CLOUD, 0.5, at=1))
    result = compiled(two_sites(workloads=(chat(not_at=("cloud",)),)), plan)
    table = result.table
    assert [(table.targets[each.target].id, each.share) for each in table.routes[0].candidates] == [("hall-1", 1.0)]
    assert [said.code for said in result.findings] == ["TP1702"]


def test_a_plan_of_another_estate_is_told_with_both_digests() -> None:
    """The first dozen digits tell them apart."""
    result = compiled(two_sites(), plan_of(row(HALL, 1.0), digest="sha256:" + "b" * 64))
    (said,) = result.findings
    assert (said.code, said.severity) == ("TP1703", "warning")
    assert "digest bbbbbbbbbbbb, this one has aa;" in said.message


def test_an_infeasible_plan_is_an_error_and_its_shares_are_not_read() -> None:
    """The use case refuses; the table is that without a plan."""
    result = compiled(two_sites(), infeasible_plan())
    assert [(said.code, said.severity) for said in result.findings] == [("TP1704", "error")]
    assert result.table.plan_digest == ""


def test_the_plan_says_how_nodes_are_paid() -> None:
    """The firmest way in use: that has room first, and there one more request costs least."""
    pools = (state(CLOUD, committed=2.0, on_demand=1.0), state(HALL, owned=3.0), state(("x", "y"), spot=1.0))
    found = planned_options(plan_of(pools=pools), 0)
    assert found == {
        CLOUD: PurchaseOption.COMMITTED,
        HALL: PurchaseOption.OWNED,
        ("x", "y"): PurchaseOption.SPOT,
    }
    (route,) = compiled(two_sites(), plan_of(row(CLOUD, 1.0), pools=pools)).table.routes
    assert route.candidates[1].price.of(1000, 500) == 0.0


def test_spot_shares_go_to_spot_upstreams() -> None:
    """And firm ones to the others on the same pool."""
    seats = [Seat(pool=CLOUD, capacity=1.0), Seat(pool=CLOUD, capacity=1.0, is_spot=True)]
    assert spread({(CLOUD, True): 0.7, (CLOUD, False): 0.3}, seats).shares == pytest.approx((0.3, 0.7))


def test_an_upstream_of_unknown_node_type_stands_for_its_site() -> None:
    """Where nothing else at the site does."""
    assert spread({(CLOUD, False): 1.0}, [Seat(pool=("cloud", ""), capacity=1.0)]).shares == (1.0,)


pools = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"))
planned = st.dictionaries(st.tuples(pools, st.booleans()), st.floats(0.001, 1.0), max_size=6)
seats = st.lists(st.builds(Seat, pool=pools, capacity=st.floats(0.0, 100.0), is_spot=st.booleans()), max_size=6)


@given(planned, seats)
def test_shares_sum_to_one_or_are_all_zero(plan: dict[tuple[tuple[str, str], bool], float], at: list[Seat]) -> None:
    """Nothing is lost silently: what no seat takes is named."""
    found = spread(plan, at)
    total = sum(found.shares)
    assert total == pytest.approx(1.0) or total == 0.0
    assert len(found.shares) == len(at)
    taken = sum(plan.values()) - sum(found.lost.values())
    assert (total == 0.0) == (taken < 1e-9)
