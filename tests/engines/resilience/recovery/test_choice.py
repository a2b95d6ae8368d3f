"""Which of several changes is the remedy: the cheapest that is enough, whatever the order they were tried in."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.factories.placement import chat, place, region

from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.plan import ConflictSet
from tripoint.domain.recovery import Miss, Objective, Reached
from tripoint.engines.resilience.recovery.changes import Change
from tripoint.engines.resilience.recovery.choice import Choice, limits_told
from tripoint.engines.resilience.recovery.remedy import Price

ESTATE = place(region("near"), workloads=(chat(),))
LATE = Reached(
    workload="chat", disruption=DisruptionClass.SITE, loss="site `near`", rta_s=3600.0, low_s=3600.0, high_s=3600.0,
    objective=Objective(after=(DisruptionClass.SITE,), rto_minutes=10.0), least_share=1.0, steps=(), share=1.0,
    stores=(), rpa_s=0.0, cost_factor=1.0, misses=(Miss.TIME,),
)  # fmt: skip


def change(name: str) -> Change:
    """An edit of that name."""
    return Change(estate=ESTATE, does=name, lines=f"{name}: true")


def met(rta_s: float = 60.0) -> Reached:
    """All that is asked, after so many seconds."""
    return replace(LATE, rta_s=rta_s, misses=())


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=6))
def test_the_cheapest_change_that_is_enough_is_the_remedy(usd: list[float]) -> None:
    """Of any prices; the first of equal ones, since cheaper kinds are tried first."""
    choice = Choice(LATE)
    for number, each in enumerate(usd):
        choice = choice.reaching(change(f"change {number}"), met(), "", Price(each, 0.0))
        assert choice.is_free == (min(usd[: number + 1]) < 1.0)
    found = choice.remedy("")
    assert (found.is_possible, found.usd_per_month) == (True, min(usd))
    assert found.does == f"change {usd.index(min(usd))}"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_one_that_is_enough_counts_more_than_what_fails(order: tuple[int, ...]) -> None:
    """A change that falls short, one without any plan and one that is enough, in any order."""
    choice = Choice(LATE)
    for which in order:
        if which == 0:
            choice = choice.reaching(change("short"), replace(LATE, rta_s=900.0), "", Price(0.0, 0.0))
        elif which == 1:
            choice = choice.without_plan(change("impossible"), is_proven=True)
        else:
            choice = choice.reaching(change("enough"), met(), "a node", Price(70.0, 2.0))
    assert not choice.lacks_plan
    found = choice.remedy("")
    assert (found.does, found.change) == ("enough (a node)", "enough: true")
    assert (found.usd_per_month, found.open_usd_per_month) == (70.0, 2.0)


@given(st.lists(st.floats(700.0, 1e5), min_size=1, max_size=6))
def test_where_none_is_enough_the_soonest_is_told(rta_s: list[float]) -> None:
    """With what it reaches, also where that is later than now."""
    choice = Choice(LATE)
    for number, each in enumerate(rta_s):
        choice = choice.reaching(change(f"change {number}"), replace(LATE, rta_s=each), "", Price(0.0, 0.0))
    found = choice.remedy("")
    assert (found.is_possible, found.rta_s) == (False, min(rta_s))
    assert f"the nearest is change {rta_s.index(min(rta_s))}" in found.does


def test_without_any_plan_the_limits_are_told() -> None:
    """Those of the last change, where it is proven that there is none; nothing was found is no proof."""
    searched = Choice(LATE).without_plan(change("hot standby"), is_proven=False)
    assert searched.lacks_plan
    assert searched.remedy("").does == "no plan was found with hot standby"
    proven = searched.without_plan(change("cold standby"), is_proven=True)
    assert proven.remedy("power + racks").does == "no plan exists with cold standby: power + racks"
    assert proven.remedy("power + racks").rta_s == LATE.rta_s


def test_nothing_to_try_says_why() -> None:
    """Nothing planned helps, or something else has to be moved first."""
    assert Choice(LATE).remedy("").does == "nothing the planner decides would help"
    stopped = Choice(replace(LATE, stopped_by=("names",))).remedy("")
    assert stopped.does.startswith("no capacity helps while `names` needs what is lost")


def test_a_conflict_is_told_by_its_first_figures() -> None:
    """One family's figures name it themselves; several are named first, and two lines are enough."""
    one = ConflictSet(families=("power",), details=("power: 3 of 2 kW",), hint="")
    assert limits_told(one) == "power: 3 of 2 kW"
    several = ConflictSet(families=("power", "racks"), details=("a", "b", "c"), hint="")
    assert limits_told(several) == "power + racks; a; b"
    assert limits_told(replace(one, details=())) == "power"
