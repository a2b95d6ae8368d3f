"""Assess recovery: what a plan reaches after every loss, against what is asked."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.catalog import Catalog
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Reached, Remedy
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.resilience.recovery.assess import assess
from tripoint.usecases.remedies import Pricing, remedies


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the estate can survive by design."""

    name: str
    """Estate name."""
    reached: tuple[Reached, ...]
    """Every workload after the worst loss of every class."""
    remedies: tuple[Remedy, ...]
    """What would meet the objectives that are missed, and its price; empty where they were not asked for."""
    is_same_estate: bool
    """False where the plan was made for another version of the estate."""

    @property
    def asked(self) -> tuple[Reached, ...]:
        """Those something is asked for."""
        return tuple(each for each in self.reached if each.objective is not None)

    @property
    def missed(self) -> tuple[Reached, ...]:
        """Those that miss something."""
        return tuple(each for each in self.reached if each.misses)


def assess_recovery(
    loaded: LoadedEstate, catalog: Catalog, plan: Plan, pricing: Pricing | None = None
) -> Assessment:  # fmt: skip
    """What the plan of an estate reaches and, with `pricing`, what meeting the rest costs.

    Raises:
        OptionError: the plan is none of this estate.
    """
    reached = assess(prepare(loaded.estate, catalog, loaded.profiles), plan)
    missed = tuple(each for each in reached if each.misses)
    return Assessment(
        name=loaded.estate.name,
        reached=reached,
        remedies=() if pricing is None else remedies(loaded, catalog, plan, missed, pricing),
        is_same_estate=plan.estate_digest == loaded.digest,
    )
