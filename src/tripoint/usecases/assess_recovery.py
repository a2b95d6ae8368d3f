"""Assess recovery: what a plan reaches after every loss, against what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.cut import DependencyReport
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Reached, Remedy, StandsBy
from tripoint.domain.score import Proof, Scores
from tripoint.domain.source import LoadedEstate
from tripoint.domain.workload import Standby
from tripoint.engines.placement.columns.serving import mode_of
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.resilience.recovery.assess import assess
from tripoint.engines.resilience.recovery.leaning import with_services
from tripoint.usecases.assess_dependencies import planned_dependencies
from tripoint.usecases.assess_scores import assess_scores
from tripoint.usecases.remedies import Pricing, remedies
from tripoint.usecases.same_estate import estate_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the estate can survive by design."""

    name: str
    """Estate name."""
    reached: tuple[Reached, ...]
    """Every workload after the worst loss of every class."""
    remedies: tuple[Remedy, ...]
    """What would meet the objectives that are missed, and its price; empty where they were not asked for."""
    dependencies: DependencyReport
    """What it leans on, what it cannot lose, and what that costs."""
    scores: Scores
    """Objectives met by design, by simulation and by drill."""
    stands_by: tuple[StandsBy, ...]
    """What the plan keeps against the loss of a site, of workloads that ask for standby."""

    @property
    def asked(self) -> tuple[Reached, ...]:
        """Those something is asked for."""
        return tuple(each for each in self.reached if each.objective is not None)

    @property
    def missed(self) -> tuple[Reached, ...]:
        """Those that miss something."""
        return tuple(each for each in self.reached if each.misses)


def assess_recovery(
    loaded: LoadedEstate,
    catalog: Catalog,
    plan: Plan,
    pricing: Pricing | None = None,
    *,
    today: date,
    proofs: Sequence[Proof] = (),
) -> Assessment:
    """What the plan of an estate reaches and, with `pricing`, what meeting the rest costs.

    `proofs` are results of trials and drills. Raises `OptionError` where the plan is none of this estate.
    """
    loaded = estate_of(plan, loaded)
    instance = prepare(loaded.estate, catalog, loaded.profiles)
    found = assess(instance, plan)
    leaned = planned_dependencies(instance, plan, today=today, reached=found)
    reached = with_services(found, leaned)
    missed = tuple(each for each in reached if each.misses)
    priced = () if pricing is None else remedies(loaded, catalog, plan, missed, pricing)
    return Assessment(
        name=loaded.estate.name,
        reached=reached,
        remedies=priced,
        dependencies=leaned,
        scores=assess_scores(instance, reached, priced, leaned, today=today, proofs=proofs),
        stands_by=_stands_by(instance),
    )


def _stands_by(instance: Instance) -> tuple[StandsBy, ...]:
    """Of every workload the planner keeps standby for: those somebody waits for that ask for it."""
    kept = (
        (declared, mode_of(instance, number))
        for number, declared in enumerate(instance.estate.workloads)
        if declared.kind.is_interactive
    )
    return tuple(
        StandsBy(workload=declared.id, mode=mode.value, share=declared.recovery.survive_share)
        for declared, mode in kept
        if mode is not Standby.NONE
    )
