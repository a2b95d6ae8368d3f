"""Plans near a plan: where they are sought, how far apart they are, which are told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.placement import batch, chat, hall, horizon, place, region, rented, resolved, servers
from tests.factories.planning import highs

from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.tradeoff.front import aimed, under
from tripoint.engines.placement.tradeoff.near import ALIKE, Ground, elsewhere, ground, most_unlike, shares, within

Shares = dict[tuple[str, str], float]


def around(*sites: Any, loads: Any = ()) -> Ground:
    """The ground around the cheapest plan of a small estate."""
    instance = resolved(place(*sites, workloads=loads or (chat(), batch()), horizon=horizon(2, 2)))
    plan = highs(formulate(instance)[0].program())
    return ground(*formulate(instance), plan.values)


def two_clouds(dear: float, loads: Any = ()) -> Ground:
    """One cloud for 50 USD an hour, another vendor's for a little more."""
    other = region("other", provider="else", pools=(rented(usd_per_hour=dear),))
    return around(region(pools=(rented(usd_per_hour=50.0),)), other, loads=loads)


def test_the_ground_holds_the_plan_and_counts_only_vendors_in_use() -> None:
    """The plan is a plan of the wider program as well, and uses one vendor."""
    found = two_clouds(51.0)
    assert found.program.worst_violation(found.start) < 1e-6
    measures = {measure.name: measure for measure in found.measures}
    assert measures["vendors"].of(found.start) == 1.0
    assert measures["staying"].of(found.start) == pytest.approx(100.0)


def test_nothing_dearer_than_the_share_is_near() -> None:
    """The other cloud costs 2 % more: within 3 % all of the work may leave, within 1 % about half of it."""
    found = two_clouds(51.0, loads=(batch(mtok=10_000.0),))
    staying = found.measures[-1]
    for share, least in ((0.03, 0.0), (0.01, 50.0)):
        program = within(found, share, staying)
        far = highs(aimed(program, staying))
        cost = float(found.program.cost @ far.values)
        assert cost <= float(found.program.cost @ found.start) * (1 + share) * (1 + 1e-5)
        assert staying.of(far.values) == pytest.approx(least, abs=1.0)


def test_then_it_is_as_cheap_as_the_measure_allows() -> None:
    """With nothing staying, the price is that of the other cloud for all of it."""
    found = two_clouds(51.0)
    staying = found.measures[-1]
    program = within(found, 0.05, staying)
    far = highs(aimed(program, staying))
    cheapest = highs(under(program, staying.of(far.values)))
    assert cheapest.objective == pytest.approx(found.program.cost @ found.start * 1.02, rel=1e-3)
    assert cheapest.objective <= float(found.program.cost @ far.values) + 1e-6


def test_shares_add_up_to_each_workload() -> None:
    """Interactive by the hours of a block, divisible work by its whole."""
    found = around(hall(pool=servers(held=2)), region())
    placed = shares(found.form, found.start)
    for workload in ("chat", "batch"):
        assert sum(share for (name, _), share in placed.items() if name == workload) == pytest.approx(1.0)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 2), min_size=1, max_size=6), st.integers(0, 5))
def test_those_that_are_told_differ_from_the_plan_and_from_each_other(parts: list[tuple[float, float]], n: int) -> None:
    """Never the plan itself, never two alike, never more than asked for; the farthest is among them."""
    placed: list[Shares] = [
        {("a", "x"): one, ("a", "y"): 1 - one, ("b", "x"): other, ("b", "y"): 1 - other} for one, other in parts
    ]
    chosen = most_unlike(placed, n)
    assert len(chosen) <= n
    assert 0 not in chosen
    kept = (0, *chosen)
    for number, one in enumerate(kept):
        for other in kept[:number]:
            assert elsewhere(placed[one], placed[other]) >= ALIKE
    far = max(range(len(placed)), key=lambda each: elsewhere(placed[each], placed[0]))
    if n and elsewhere(placed[far], placed[0]) >= ALIKE:
        best = max(elsewhere(placed[each], placed[0]) for each in chosen)
        assert best == pytest.approx(elsewhere(placed[far], placed[0]))


def test_all_of_it_elsewhere_is_one() -> None:
    """Each workload weighs alike."""
    assert elsewhere({("a", "x"): 1.0}, {("a", "y"): 1.0}) == 1.0
    assert elsewhere({("a", "x"): 1.0, ("b", "x"): 1.0}, {("a", "y"): 1.0, ("b", "x"): 1.0}) == 0.5
