"""What holds in every scenario of the catalogue, at any magnitudes and any luck: policy, money, counting."""

from __future__ import annotations

from functools import cache
from math import fsum, isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.budgeting import budget
from tests.factories.planning import catalog
from tests.factories.tried import FRAGILE, STURDY, replanning, shipped, tried

from tripoint.domain.catalog import Catalog
from tripoint.domain.plan import Plan
from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Order
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.playing import Player
from tripoint.engines.stress.scaling import scaled
from tripoint.engines.stress.scenarios.knobs import at_position
from tripoint.engines.stress.trial.arrivals import arrivals_of
from tripoint.engines.stress.trial.play import Rules, play
from tripoint.usecases.stressing.plans import Structural

pytestmark = pytest.mark.no_cover  # whole trials, over and over: each room's own tests say which lines are covered
PLAYED = tuple(each for each in shipped() if each.mode is not TrialMode.PLAN)
BY_REQUEST = tuple(each for each in PLAYED if each.mode is TrialMode.REQUESTS)
PLANNED = tuple(each for each in shipped() if each.mode is TrialMode.PLAN)
ESTATES = st.sampled_from((FRAGILE, STURDY))
POSITIONS = st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4)
SLACK = 1e-6


@cache
def player(text: str) -> Player:
    """Plays every scenario on an estate, at a small scale."""
    estate = tried(text)
    known = {each.id: each for each in PLAYED}
    return Player(world=estate.world, ground=estate.ground, scenarios=known, seed=9, most_requests=500.0)


class Spying:
    """Plans again, and remembers which budget each plan was made under."""

    def __init__(self) -> None:
        self.plans: list[tuple[float | None, Plan]] = []
        self._replan = replanning()

    def __call__(self, loaded: LoadedEstate, catalog: Catalog, *, is_explained: bool) -> Plan:
        """See `Replanner`."""
        plan = self._replan(loaded, catalog, is_explained=is_explained)
        limit = loaded.estate.policies.budget
        self.plans.append((None if limit is None else limit.usd_per_period, plan))
        return plan


def order_of(scenario: Scenario, positions: list[float], number: int) -> Order:
    """Every magnitude somewhere in its range."""
    values = {
        each.name: at_position(each, position) for each, position in zip(scenario.magnitudes, positions, strict=False)
    }
    return Order(scenario=scenario.id, number=number, magnitudes=values)


@pytest.mark.parametrize("scenario", PLAYED, ids=lambda each: each.id)
@settings(deadline=None, max_examples=6)
@given(text=ESTATES, positions=POSITIONS, number=st.integers(0, 10_000))
def test_policy_holds_and_everything_is_counted_once(
    scenario: Scenario, text: str, positions: list[float], number: int
) -> None:
    """Nothing outside the permitted sites; what was asked is answered, shed or lost; no figure out of its range."""
    trial = player(text)(order_of(scenario, positions, number))
    assert trial.outcomes
    for each in trial.outcomes:
        slack = SLACK * max(1.0, each.offered)
        assert each.outside == 0.0
        assert each.answered + each.shed + each.lost == pytest.approx(each.offered, abs=slack)
        assert min(each.answered, each.late, each.shed, each.lost, each.outage_s, each.stale_s) >= 0.0
        assert each.late <= each.answered + slack
        assert each.usd >= 0.0
        assert -1.0 - SLACK <= each.margin <= 1.0 + SLACK
        assert isfinite(each.usd)


@pytest.mark.parametrize("scenario", BY_REQUEST, ids=lambda each: each.id)
@settings(deadline=None, max_examples=4)
@given(
    text=ESTATES, positions=POSITIONS, number=st.integers(0, 10_000), limit_usd=st.sampled_from([0.0, 0.0005, 0.005])
)
def test_a_budget_is_not_overspent(
    scenario: Scenario, text: str, positions: list[float], number: int, limit_usd: float
) -> None:
    """Under the ledger's own leases, whatever the scenario does: what records say was spent is within the limit."""
    playing = player(text)
    hour, seconds = playing.start_hour(scenario, number), scenario.minutes * 60.0
    world = scaled(playing.world, 0.02)
    draws = Streams(9, number)
    arrivals = arrivals_of(world, start_hour=hour, seconds=seconds, draws=draws)
    money = tuple(
        budget(f"{each.workload}-day", round(limit_usd * 1e9), tenant="acme", workload=each.workload)
        for each in world.demanded
    )
    faults = playing.faults(order_of(scenario, positions, number))
    found = play(
        world, faults, arrivals, draws=draws, until_s=seconds, rules=Rules(budgets=money, is_recording=True)
    )  # fmt: skip
    for each in world.demanded:
        spent = sum(record.nano for record in found.records if record.workload == each.workload)
        assert spent <= round(limit_usd * 1e9)
    assert sum(tally.spent_nano for tally in found.spent) == sum(record.nano for record in found.records)
    assert all(outcome.outside == 0 for outcome in found.outcomes)
    assert limit_usd > 0.0 or all(outcome.answered == 0 for outcome in found.outcomes)


@pytest.mark.parametrize("scenario", PLANNED, ids=lambda each: each.id)
@settings(deadline=None, max_examples=2)
@given(text=ESTATES, positions=POSITIONS)
def test_plans_made_again_keep_to_the_budget(scenario: Scenario, text: str, positions: list[float]) -> None:
    """A plan under any magnitudes spends no more in a period than the estate has, or tells what it gave up."""
    estate = tried(text)
    values = dict(order_of(scenario, positions, 0).magnitudes)
    made = Spying()
    structural = Structural(estate.loaded, catalog(), estate.plan, estate.ground, made)
    what, trial = structural.at(scenario, values, is_told=False)
    assert {each.workload for each in trial.outcomes if each.shed} == set(what.given_up)
    for limit, plan in made.plans:
        if limit is None or plan.solve is None:
            continue
        for period in range(len(plan.periods)):
            spent = fsum(charge.effective_usd for charge in plan.charges if charge.period == period)
            assert spent <= limit * (1 + 1e-6)
