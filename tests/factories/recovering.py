"""Estates whose recoveries can be added up by hand: round lengths for every step, and plans of the tiny catalogue.

After the loss of a site: 60 s to detect, 600 s for a person to decide, 300 s to rent a node, 8 GB of weights (`m8` at
one byte per parameter) at 1 GB/s from the internet or at 10 GB/s inside a site, 8 s to load, 30 s to warm up, 5 s to
shift and 20 s to validate.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

from tests.factories.placement import placement_catalog
from tests.factories.planning import catalog
from tests.factories.tiny_catalog import JUDGED

from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.catalog import Catalog, DefaultRow
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.recovery import Reached
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.resilience.recovery.assess import assess
from tripoint.usecases.plan import PlanOptions, plan

TODAY = date(2026, 11, 22)
DETECT, DECIDE, RENT, SPARE, LOAD, WARM_UP, SHIFT, VALIDATE = 60.0, 600.0, 300.0, 100.0, 8.0, 30.0, 5.0, 20.0
RENTED_S = DETECT + DECIDE + RENT + 8.0 + LOAD + WARM_UP + SHIFT + VALIDATE
"""A rented node at a site that has not had the weights: they come over the internet in 8 s."""
REPAIR_S = 7200.0

_KEYS = {
    **{f"recovery.detect.{kind.value}": DETECT for kind in DisruptionClass if kind is not DisruptionClass.PEOPLE},
    **{f"recovery.repair.{kind.value}": REPAIR_S for kind in DisruptionClass if kind is not DisruptionClass.PEOPLE},
    "recovery.repair.process": 10.0,
    "recovery.decide": DECIDE,
    "recovery.approver_absent": 3600.0,
    "recovery.provision.rented": RENT,
    "recovery.provision.spare": SPARE,
    "recovery.serves_without": 3600.0,
    "recovery.warm_up": WARM_UP,
    "recovery.shift": SHIFT,
    "recovery.validate": VALIDATE,
    "recovery.load_gb_per_s": 1.0,
    "recovery.stage_gbps.internet": 8.0,
    "recovery.stage_gbps.site": 80.0,
    "recovery.link_share": 0.5,
    "recovery.change_peak": 2.0,
    "recovery.replication_lag": 30.0,
    "recovery.restore_gb_per_s": 0.5,
}


@cache
def recovering_catalog() -> Catalog:
    """The placement catalogue with the steps of a recovery; each may take half as long, or twice.

    Defaults that none of the two names are the shipped ones: only answers ask for them.
    """
    base = placement_catalog()
    known = {row.key for row in base.defaults} | set(_KEYS)
    others = tuple(row for row in catalog().defaults if row.key not in known)
    extra = tuple(
        DefaultRow(key=key, low=value / 2, typical=value, high=value * 2, unit="unit", provenance=JUDGED, note="")
        for key, value in _KEYS.items()
    )
    return replace(base, defaults=(*base.defaults, *extra, *others))


def loaded(estate: Estate) -> LoadedEstate:
    """An estate as if it had been read."""
    return LoadedEstate(estate=estate, profiles={}, digest="sha256:drawn")


def resolved(estate: Estate) -> Instance:
    """The instance of an estate."""
    return prepare(estate, recovering_catalog(), {})


def planned(estate: Estate) -> Plan:
    """The cheapest plan of an estate."""
    options = PlanOptions(gap=1e-6, threads=1, baselines=False)
    return plan(loaded(estate), recovering_catalog(), HighsSolver(), options, today=TODAY)


def reached(estate: Estate, made: Plan | None = None) -> dict[tuple[str, DisruptionClass], Reached]:
    """(workload, class) -> what is reached."""
    found = assess(resolved(estate), made or planned(estate))
    return {(each.workload, each.disruption): each for each in found}
