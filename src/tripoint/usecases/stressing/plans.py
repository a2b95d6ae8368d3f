"""Scenarios that last: the estate is changed and planned anew, with the planner's own functions."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.scenario import Scenario
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Replanned, Trial, Verdict
from tripoint.engines.stress.changes.estates import changed, sacrifices, without
from tripoint.engines.stress.changes.plans import Anew, outcomes, replanned, repriced
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.scenarios.ground import Ground
from tripoint.engines.stress.scenarios.knobs import Values, usual
from tripoint.engines.stress.scenarios.resolve import faults_of
from tripoint.engines.stress.search.rounds import RESOLUTION, Search
from tripoint.engines.stress.summary.targets import targets_of
from tripoint.engines.stress.summary.verdicts import verdicts


class Replanner(Protocol):
    """Plans an estate that was changed; infeasible is an answer."""

    def __call__(self, loaded: LoadedEstate, catalog: Catalog, *, is_explained: bool) -> Plan:
        """The plan; without one, with the families in conflict where `is_explained`."""
        ...


_FEW = 12
"""So many workloads are tried one by one."""


class Structural:
    """An estate, its plan, and what plans anew."""

    def __init__(
        self, loaded: LoadedEstate, catalog: Catalog, plan: Plan, ground: Ground, replanner: Replanner
    ) -> None:
        self._loaded, self._catalog, self._plan, self._ground = loaded, catalog, plan, ground
        self._replan = replanner

    def tried(self, scenario: Scenario, resolution: float | None = RESOLUTION) -> tuple[Replanned, tuple[Verdict, ...]]:
        """What planning again comes to at the usual magnitudes, with verdicts and the distance to failure.

        That distance is found to `resolution`, a share of the magnitude's range; `None` leaves it out.
        """
        what, trial = self.at(scenario, usual(scenario))
        asked = targets_of(self._loaded.estate, scenario)
        search = Search(1, resolution or 1.0)
        if resolution is not None:
            search.begin(scenario, asked, (trial,))
        while orders := search.orders():
            search.told([self.at(scenario, order.magnitudes, is_told=False)[1] for order in orders])
        return what, verdicts(scenario, (trial,), asked, search.breaks(scenario.id))

    def at(self, scenario: Scenario, values: Values, *, is_told: bool = True) -> tuple[Replanned, Trial]:
        """The estate with these magnitudes, planned anew; workloads are given up until a plan exists."""
        faults = faults_of(scenario, values, self._ground, Streams(0, 0))
        estate, catalog = changed(self._loaded.estate, self._catalog, faults, self._ground.spend_usd_per_period)
        plan = self._planned(estate, catalog, is_explained=is_told)
        conflict = plan.conflict.families if plan.conflict is not None else ()
        given_up: tuple[str, ...] = ()
        if plan.solve is None:
            given_up, plan = self._without_some(estate, catalog, plan)
        policies = self._loaded.estate.policies
        what = replanned(scenario.id, values, faults, self._plan, Anew(plan, given_up, conflict), policies)
        costing = repriced(self._plan, faults) if what.is_held else plan
        return what, Trial(
            scenario=scenario.id,
            number=0,
            magnitudes=dict(values),
            outcomes=outcomes(self._plan, costing, given_up),
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
