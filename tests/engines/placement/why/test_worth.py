"""The value of one more unit of a limit: the dual of the program, held against solving it again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.factories.placement import chat, hall, horizon, place, region, rented, resolved, servers
from tests.factories.planning import highs

from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.units import LinkId, SiteId
from tripoint.domain.workload import Caller
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.milp.program import INFINITY
from tripoint.engines.placement.why.worth import (
    Worth,
    divisible,
    limits_of,
    loosened,
    rule_of,
    whole_nodes,
    worths,
)

CALLED = chat(rate=32.0, demand=replace(chat(rate=32.0).demand, payload_kb=1000.0), callers=(Caller(place="NL"),))
LINE = Link(id=LinkId("line"), source=SiteId("NL"), target=SiteId("near"), bandwidth_gbps=0.05)
CHEAP = region("near", pools=(rented(usd_per_hour=10.0),))
CASES: dict[str, Estate] = {
    "power": place(hall(it_kw=20.0), region(), workloads=(chat(rate=32.0),), horizon=horizon(4)),
    "racks": place(hall(racks=1), region(), workloads=(chat(rate=32.0),), horizon=horizon(4)),
    "obtainable": place(hall(pool=servers(max_nodes=1)), region(), workloads=(chat(rate=32.0),), horizon=horizon(4)),
    "links": place(CHEAP, region(), workloads=(CALLED,), links=(LINE,)),
}
"""Estates where a cheap place is full and the rest goes to a dear one."""


def worths_in(estate: Estate) -> tuple[tuple[Worth, float, float], ...]:
    """Each limit that binds, with what a thousandth of a unit and a whole one save when the program is solved again."""
    form, _ = formulate(resolved(estate))
    program = form.program()
    around = divisible(program, highs(program).values)
    base = highs(around)
    found = worths(limits_of(form, program, 0), base.duals)
    return tuple(
        (
            each,
            (base.objective - highs(loosened(around, each.limit, 1e-3)).objective) / 1e-3,
            base.objective - highs(loosened(around, each.limit, 1.0)).objective,
        )
        for each in found
    )


@pytest.mark.parametrize("family", list(CASES))
def test_a_dual_is_what_solving_again_saves(family: str) -> None:
    """At the margin exactly; a whole unit saves no more than that, since the next one is never worth more."""
    found = worths_in(CASES[family])
    assert family in {each.limit.family for each, _, _ in found}
    for each, margin, whole in found:
        assert margin == pytest.approx(each.usd, rel=1e-3)
        assert 0.0 < whole <= each.usd * (1 + 1e-6)


@pytest.mark.parametrize("family", list(CASES))
def test_a_limit_that_is_far_away_is_worth_nothing(family: str) -> None:
    """The same estates with a hundred times the limit: nothing of that family binds."""
    estate = CASES[family]
    form, _ = formulate(resolved(estate))
    program = form.program()
    around = divisible(program, highs(program).values)
    for limit in limits_of(form, program, 0):
        around = loosened(around, limit, 100.0)
    assert worths(limits_of(form, program, 0), highs(around).duals) == ()


def test_limits_of_places_a_workload_may_not_be_are_not_its_own() -> None:
    """Confined to the region, the hall's power is no concern of it."""
    estate = place(hall(it_kw=20.0), region(), workloads=(chat(rate=32.0, only_at=("cloud",)),))
    form, _ = formulate(resolved(estate))
    assert not [each for each in limits_of(form, form.program(), 0) if "hall" in each.name]


def test_a_node_says_how_many_accelerators_it_is() -> None:
    """So that its value can be told by the GPU; a kW is made of none."""
    form, _ = formulate(resolved(CASES["obtainable"]))
    assert {each.gpus for each in limits_of(form, form.program(), 0) if each.family == "obtainable"} == {8}
    form, _ = formulate(resolved(CASES["power"]))
    assert {each.gpus for each in limits_of(form, form.program(), 0)} == {0}


def test_a_node_with_all_it_takes_is_worth_something_where_each_limit_alone_is_not() -> None:
    """One server fills its 10 kW and its only place: more of either serves nobody, more of both does."""
    estate = place(
        hall(it_kw=10.0, racks=9, pool=servers(max_nodes=1)),
        region(),
        workloads=(chat(rate=32.0),),
        horizon=horizon(4),
    )
    form, _ = formulate(resolved(estate))
    program = form.program()
    around = divisible(program, highs(program).values)
    base = highs(around)
    mine = limits_of(form, program, 0)
    binding = worths(mine, base.duals)
    assert binding
    for each in binding:
        assert highs(loosened(around, each.limit, 1.0)).objective == pytest.approx(base.objective)
    (node,) = whole_nodes(form, mine, binding)
    assert (node.pool, node.gpus) == ("hall/server", 8)
    assert {limit.family: units for limit, units in node.takes} == {"power": 10.0, "racks": 0.5, "obtainable": 1.0}
    assert base.objective - highs(node.added(around)).objective > 1000.0
    assert whole_nodes(form, mine, ()) == ()


def test_yes_and_no_are_held_and_nodes_divided() -> None:
    """No integer is left; who is where is fixed as the plan has it, how many nodes is left to the rows."""
    form, _ = formulate(resolved(CASES["obtainable"]))
    program = form.program()
    values = highs(program).values
    around = divisible(program, values)
    present, bought = sorted(set(form.present.values())), sorted(form.buy.values())
    assert around.integers == 0
    assert (around.lower[present] == values[present]).all()
    assert (around.upper[present] == values[present]).all()
    assert (program.upper[bought] == 1.0).all()
    assert (around.upper[bought] == INFINITY).all()


@pytest.mark.parametrize(
    ("label", "rule"),
    [
        ("power of `in in`, 15 kW, in 2027-Q1", "power of `in in`, 15 kW"),
        ("link `line`, 0.05 Gbit/s", "link `line`, 0.05 Gbit/s"),
    ],
)
def test_a_rule_is_its_label_without_the_period(label: str, rule: str) -> None:
    """One limit over many periods is one limit."""
    assert rule_of(label) == rule
