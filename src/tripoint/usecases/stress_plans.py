"""Scenarios that last: the estate is changed and planned anew, with the planner's own functions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.plan import Headroom, Plan
from tripoint.domain.policy import CostView
from tripoint.domain.scenario import Scenario
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Outcome, Replanned, Trial, Verdict
from tripoint.engines.stress.changes.estates import changed, sacrifices, without
from tripoint.engines.stress.changes.prices import effective_usd, factor_of, factors_of
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.ground import Ground
from tripoint.engines.stress.scenarios.knobs import Values, at_position, position_of, usual
from tripoint.engines.stress.scenarios.resolve import faults_of
from tripoint.engines.stress.search.distance import Distance, distance
from tripoint.engines.stress.summary.targets import targets_of
from tripoint.engines.stress.summary.verdicts import HeldKey, met_by, verdicts


class Replanner(Protocol):
    """Plans an estate that was changed; infeasible is an answer."""

    def __call__(self, loaded: LoadedEstate, catalog: Catalog, *, is_explained: bool) -> Plan:
        """The plan; without one, with the families in conflict where `is_explained`."""
        ...


_RESOLUTION = 1 / 8
_FEW = 12
"""So many workloads are tried one by one."""
_HOLDABLE = (FaultKind.PRICE, FaultKind.BUDGET)
"""Faults the old decisions outlast: they cost something else, or too much."""


class Structural:
    """An estate, its plan, and what plans anew."""

    def __init__(
        self, loaded: LoadedEstate, catalog: Catalog, plan: Plan, ground: Ground, replanner: Replanner
    ) -> None:
        self._loaded, self._catalog, self._plan, self._ground = loaded, catalog, plan, ground
        self._replan = replanner

    def tried(self, scenario: Scenario, *, is_searched: bool = True) -> tuple[Replanned, tuple[Verdict, ...]]:
        """What planning again comes to at the usual magnitudes, with verdicts and the distance to failure."""
        what, trial = self.at(scenario, usual(scenario))
        asked = targets_of(self._loaded.estate, scenario)
        breaks: dict[HeldKey, float | None] = {}
        if is_searched and scenario.magnitudes:
            knob = scenario.magnitudes[0]
            met = met_by(scenario, (trial,), asked)
            search: Distance[HeldKey] = distance(met, _RESOLUTION).told(position_of(knob, knob.usual), met)
            while positions := search.asks():
                for position in positions:
                    values = {**usual(scenario), knob.name: at_position(knob, position)}
                    search = search.told(
                        position, met_by(scenario, (self.at(scenario, values, is_told=False)[1],), asked)
                    )
            for key in search.brackets:
                place = search.breaks_at(key)
                breaks[key] = None if place is None else at_position(knob, place)
        return what, verdicts(scenario, (trial,), asked, breaks)

    def at(self, scenario: Scenario, values: Values, *, is_told: bool = True) -> tuple[Replanned, Trial]:
        """The estate with these magnitudes, planned anew; workloads are given up until a plan exists."""
        faults = faults_of(scenario, values, self._ground, Streams(0, 0))
        estate, catalog = changed(self._loaded.estate, self._catalog, faults, self._ground.spend_usd_per_period)
        plan = self._planned(estate, catalog, is_explained=is_told)
        conflict = plan.conflict.families if plan.conflict is not None else ()
        given_up: tuple[str, ...] = ()
        if plan.solve is None:
            given_up, plan = self._without_some(estate, catalog, plan)
        what = self._replanned(scenario, values, faults, (plan, given_up, conflict))
        costing = plan
        if what.is_held:
            costing, factors = self._plan, factors_of(faults)
            charges = tuple(replace(each, effective_usd=each.effective_usd * factor_of(each, factors))
                            for each in costing.charges)  # fmt: skip
            costing = replace(costing, charges=charges)
        return what, Trial(
            scenario=scenario.id,
            number=0,
            magnitudes=dict(values),
            outcomes=tuple(self._outcome(each.id, costing, given_up) for each in self._plan.workloads),
            events=0,
        )

    def _without_some(self, estate: Estate, catalog: Catalog, none: Plan) -> tuple[tuple[str, ...], Plan]:
        """What has to be given up, the least urgent first, and the plan of the rest.

        Of few workloads each is taken back in turn, the most urgent first, where a plan exists with it; of many the
        least urgent are given up in batches that double until one does.
        """
        order = sacrifices(estate)
        if len(order) > _FEW:
            return self._in_batches(estate, catalog, none, order)
        gone, plan = order, none
        for workload in reversed(order):
            fewer = tuple(each for each in gone if each != workload)
            with_it = self._planned(without(estate, fewer), catalog)
            if with_it.solve is not None:
                gone, plan = fewer, with_it
        return gone, plan

    def _in_batches(
        self, estate: Estate, catalog: Catalog, none: Plan, order: tuple[str, ...]
    ) -> tuple[tuple[str, ...], Plan]:
        count = 1
        while count < len(order):
            plan = self._planned(without(estate, order[:count]), catalog)
            if plan.solve is not None:
                return order[:count], plan
            count *= 2
        return order, none

    def _planned(self, estate: Estate, catalog: Catalog, *, is_explained: bool = False) -> Plan:
        kept = {each.id for each in estate.workloads}
        profiles = {name: profile for name, profile in self._loaded.profiles.items() if name in kept}
        return self._replan(replace(self._loaded, estate=estate, profiles=profiles), catalog, is_explained=is_explained)

    def _replanned(
        self,
        scenario: Scenario,
        values: Values,
        faults: Sequence[Fault],
        came_to: tuple[Plan, tuple[str, ...], tuple[str, ...]],
    ) -> Replanned:
        plan, given_up, conflict = came_to
        can_hold = all(fault.kind in _HOLDABLE for fault in faults)
        held_usd = effective_usd(self._plan.charges, factors_of(faults)) if can_hold else None
        new_usd = effective_usd(plan.charges, factors_of(())) if plan.solve is not None else None
        is_held = (
            held_usd is not None and new_usd is not None and held_usd < new_usd and not given_up
            and self._is_still_a_plan(faults)
        )  # fmt: skip
        limit = _first_limit(self._plan if is_held else plan)
        return Replanned(
            scenario=scenario.id,
            magnitudes=dict(values),
            usual_usd=effective_usd(self._plan.charges, factors_of(())),
            held_usd=held_usd,
            new_usd=held_usd if is_held else new_usd,
            given_up=given_up,
            conflict=conflict,
            first_limit=limit.name if limit is not None else "",
            first_limit_at=limit.exhausted if limit is not None else "",
            is_held=is_held,
        )

    def _is_still_a_plan(self, faults: Sequence[Fault]) -> bool:
        """Whether the old decisions keep every rule at other prices: those of money are the only ones that may break.

        Under caps on a vendor's share of the money nothing is said.
        """
        policies = self._loaded.estate.policies
        if policies.concentration or any(fault.kind is not FaultKind.PRICE for fault in faults):
            return False
        if policies.budget is None:
            return True
        is_billed, factors = policies.budget.view is CostView.BILLED, factors_of(faults)
        spent: dict[int, list[float]] = {}
        for each in self._plan.charges:
            usd = each.billed_usd if is_billed else each.effective_usd
            spent.setdefault(each.period, []).append(usd * factor_of(each, factors))
        return all(math.fsum(rows) <= policies.budget.usd_per_period for rows in spent.values())

    def _outcome(self, workload: str, plan: Plan, given_up: Sequence[str]) -> Outcome:
        """A workload over the horizon: placed whole or given up, and what it costs."""
        usual_usd = _cost(self._plan, workload)
        is_placed = workload not in given_up
        limit = _first_limit(plan)
        return Outcome(
            workload=workload, offered=1.0, answered=float(is_placed), late=0.0, shed=float(not is_placed), lost=0.0,
            outside=0.0, outage_s=0.0, stale_s=0.0, ttft_p99_ms=0.0, wait_p99_ms=0.0,
            usd=_cost(plan, workload), usual_usd=usual_usd,
            margin=_margin(plan), first_limit="" if limit is None else f"{limit.name} in {limit.exhausted}",
        )  # fmt: skip


def _cost(plan: Plan, workload: str) -> float:
    """Effective cost of a workload over the horizon, USD, what nobody is charged for spread in proportion."""
    own = {each.id: each.cost_usd for each in plan.workloads}
    spread = math.fsum(own.values())
    whole = math.fsum(charge.effective_usd for charge in plan.charges)
    return own.get(workload, 0.0) * (whole / spread if spread > 0.0 else 1.0)


def _first_limit(plan: Plan) -> Headroom | None:
    """The limit that is reached first, as the roadmap has it."""
    reached = [each for each in plan.headroom if each.exhausted]
    return min(reached, key=lambda each: each.exhausted) if reached else None


def _margin(plan: Plan) -> float:
    """Least free share of any limit over the horizon; 1 where nothing is limited."""
    shares = [
        1.0 - used / limit
        for each in plan.headroom
        for used, limit in zip(each.used, each.limit, strict=True)
        if limit > 0.0
    ]
    return max(-1.0, min(shares, default=1.0))
