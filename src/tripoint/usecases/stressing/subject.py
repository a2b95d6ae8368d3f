"""What a stress run tries: an estate and its plan, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.domain.stress import Remeasured
from tripoint.engines.gateway.table.shares import period_at
from tripoint.engines.stress.survey.worlds import survey
from tripoint.engines.stress.world import World
from tripoint.usecases.same_estate import estate_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is tried."""

    loaded: LoadedEstate
    """The estate."""
    catalog: Catalog
    """The catalogue it was planned with."""
    plan: Plan
    """Its plan."""
    world: World
    """Both, compiled."""
    period: int
    """Period of the plan it is of."""
    plan_digest: str
    """`sha256:` of the plan."""
    version: str
    """Version of tripoint."""
    remeasured: tuple[Remeasured, ...] = ()
    """Times of the world that were taken from answers."""

    @property
    def played(self) -> tuple[str, ...]:
        """Workloads that trials play, runs last."""
        return (*(each.workload for each in self.world.demanded), *(each.workload for each in self.world.runs))


def subject_of(loaded: LoadedEstate, catalog: Catalog, plan: Plan, *, today: date, digests: tuple[str, str]) -> Subject:
    """The estate and its plan, compiled to be tried; `digests` are the plan's and tripoint's version.

    Raises `OptionError` for a plan of another estate, or none at all.
    """
    if plan.solve is None:
        raise OptionError(f"there is no plan to test: {plan.why_none}", hint="`tripoint plan ESTATE` says more")
    loaded = estate_of(plan, loaded)
    return Subject(
        loaded=loaded,
        catalog=catalog,
        plan=plan,
        world=survey(loaded, catalog, plan, today=today),
        period=period_at(plan, today),
        plan_digest=digests[0],
        version=digests[1],
    )
