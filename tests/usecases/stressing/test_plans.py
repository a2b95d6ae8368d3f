"""Scenarios that last: what a search that falls short may not make of a plan."""

from __future__ import annotations

from dataclasses import replace
from math import fsum

import pytest
from tests.factories.planning import catalog
from tests.factories.tried import FRAGILE, shipped, tried

from tripoint.domain.catalog import Catalog
from tripoint.domain.plan import Plan
from tripoint.domain.policy import Budget
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Replanned, Trial
from tripoint.engines.stress.scenarios.knobs import usual
from tripoint.usecases.stressing.plans import Structural

ENERGY = next(each for each in shipped() if each.id == "price-energy")


def again(times: float, budget: Budget | None = None) -> tuple[Replanned, Trial]:
    """Energy at other prices, where a search finds a plan of so many times the cost of the one at hand."""
    at_hand = tried(FRAGILE)
    estate = at_hand.loaded.estate
    loaded = replace(at_hand.loaded, estate=replace(estate, policies=replace(estate.policies, budget=budget)))

    def found(loaded: LoadedEstate, catalog: Catalog, *, is_explained: bool) -> Plan:
        charges = tuple(replace(each, effective_usd=each.effective_usd * times) for each in at_hand.plan.charges)
        return replace(at_hand.plan, charges=charges)

    structural = Structural(loaded, catalog(), at_hand.plan, at_hand.ground, found)
    return structural.at(ENERGY, usual(ENERGY))


def test_a_dearer_plan_is_not_taken_where_the_old_one_still_holds() -> None:
    """Nobody has to follow a search that fell short: the new plan is the old one, and costs what that does."""
    what, trial = again(2.0)
    assert what.is_held
    assert what.new_usd == what.held_usd
    assert what.held_usd is not None
    assert what.held_usd > what.usual_usd
    assert what.regret_usd == 0.0
    assert fsum(each.usd for each in trial.outcomes) == pytest.approx(what.held_usd)


def test_a_cheaper_plan_is_taken() -> None:
    """And holding on to the old one is regretted by the difference."""
    what, trial = again(0.5)
    assert not what.is_held
    assert what.regret_usd == pytest.approx(what.held_usd - 0.5 * what.usual_usd)  # type: ignore[operator]  # it is held
    assert fsum(each.usd for each in trial.outcomes) == pytest.approx(what.new_usd)


def test_decisions_that_break_the_budget_at_other_prices_are_not_held() -> None:
    """What was planned may cost less and still more than a period allows."""
    assert not again(2.0, Budget(usd_per_period=1.0))[0].is_held
    assert again(2.0, Budget(usd_per_period=1e9))[0].is_held
