"""What is asked of workloads after losses of a class: the share that counts as recovered, and the countries to stay in.

`assess recovery` holds plans against the same, so that both tell of the same outage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Part
from tripoint.domain.workload import Workload
from tripoint.engines.facts.places import country_of
from tripoint.engines.resilience.times.objectives import countries_of, objective_of
from tripoint.engines.resilience.times.terms import Way, assumed
from tripoint.engines.stress.world import Demanded, World

_NOTICED = (
    DisruptionClass.PROCESS, DisruptionClass.NODE, DisruptionClass.RACK, DisruptionClass.POWER, DisruptionClass.REGION,
    DisruptionClass.PROVIDER, DisruptionClass.LINK,
)  # fmt: skip
"""Classes that are noticed later or sooner than the loss of a site; of others capacity is not what is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What is different after losses of one class."""

    demanded: tuple[Demanded, ...]
    """Workloads with what is asked then."""
    late_s: float
    """How much later than that of a site the loss is known, s; negative where sooner."""

    def of(self, world: World) -> World:
        """The world as it is asked then; more capacity serves as much later."""
        places = tuple(replace(each, ready_after_s=each.ready_after_s + self.late_s) for each in world.places)
        return replace(world, demanded=self.demanded, places=places)


def after_losses(
    estate: Estate, catalog: Catalog, demanded: Sequence[Demanded], homes: Mapping[tuple[str, str], float]
) -> dict[DisruptionClass, After]:
    """Classes after which something is different.

    `homes` are (workload, site) with the share of it that is there usually: nothing is asked of what stays.
    """
    workloads = {str(each.id): each for each in estate.workloads}
    found: dict[DisruptionClass, After] = {}
    for kind in DisruptionClass:
        asked = tuple(_asked(estate, catalog, (workloads[each.workload], each, kind), homes) for each in demanded)
        late_s = 0.0
        if kind in _NOTICED:
            late_s = _detected_s(estate, catalog, kind) - _detected_s(estate, catalog, DisruptionClass.SITE)
        if asked != tuple(demanded) or late_s != 0.0:
            found[kind] = After(demanded=asked, late_s=late_s)
    return found


def _asked(
    estate: Estate,
    catalog: Catalog,
    of: tuple[Workload, Demanded, DisruptionClass],
    homes: Mapping[tuple[str, str], float],
) -> Demanded:
    workload, usual, kind = of
    objective = objective_of(estate, workload, kind)
    share = None if objective is None else objective.least_share
    allowed = countries_of(estate, catalog, workload, kind)
    sites = {str(site.id): site for site in estate.sites}
    return replace(
        usual,
        least_share=usual.least_share if share is None else share,
        permitted=usual.permitted
        if allowed is None
        else tuple(
            name
            for name in usual.permitted
            if homes.get((usual.workload, name), 0.0) > 0.0 or (country_of(sites[name], catalog) or "") in allowed
        ),
    )


def _detected_s(estate: Estate, catalog: Catalog, kind: DisruptionClass) -> float:
    way = Way(disruption=kind, workload="", site="")
    return assumed(estate, catalog, Part.DETECT, f"detect.{kind.value}", way).seconds
