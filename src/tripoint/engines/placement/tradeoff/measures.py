"""What a plan can be judged by other than money, as sums over the columns of its program.

Each is linear, so that a ceiling on it is one row and the least of it is one more solve.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from tripoint.domain.units import GB_PER_TB, SECONDS_PER_HOUR
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.columns.flows import Network
from tripoint.engines.placement.columns.formulation import Formulation, Terms
from tripoint.engines.placement.milp.program import FloatArray

OWN = "own"
"""The provider of sites that nobody is paid for as a vendor."""
_VENDOR_TOKEN_USD = 1.0


class Measure(NamedTuple):
    """A sum over columns."""

    name: str
    """`carbon`, `latency`, `vendors`, `moves` or `egress`."""
    unit: str
    """Unit of its value."""
    columns: tuple[int, ...]
    """Columns with a part in it, each once."""
    weights: tuple[float, ...]
    """What one unit of each adds."""
    is_whole: bool = False
    """True where only whole values mean anything."""

    def of(self, values: FloatArray) -> float:
        """Its value at [columns] of a plan."""
        return float(np.asarray(self.weights) @ values[list(self.columns)]) if self.columns else 0.0


def carbon(form: Formulation) -> Measure:
    """Operational emissions over the horizon, t CO2e; those of token APIs, which nobody publishes, count as nothing."""
    terms = [
        (term.column, sum(rate.carbon_kg for rate in term.activity.rates) * term.quantity / 1000.0)
        for term in form.costs
    ]
    return _measure("carbon", "t CO2e", terms)


def latency(form: Formulation, network: Network) -> Measure:
    """Mean round trip between callers and the site that answers, over the requests of the horizon, ms.

    sum of requests[w,p,b] x caller's share x rtt x serve[l,p,b] / all requests of interactive workloads with callers.
    """
    instance = form.instance
    terms: Terms = []
    total = 0.0
    for workload, declared in enumerate(instance.estate.workloads):
        if is_energy(declared) or not declared.callers:
            continue
        rates = instance.grid.workloads[workload].mean_rate
        lanes = list(form.lanes_of(workload))
        far = {
            lane.site: sum(
                caller.share * network.path(instance.sites[lane.site].site.id, caller.place).rtt_ms.value
                for caller in declared.callers
            )
            for _, lane in lanes
        }
        for period in instance.periods:
            for block in instance.blocks:
                requests = rates[period][block] * instance.block_hours(block) * SECONDS_PER_HOUR
                total += requests
                terms += [
                    (form.serve[number, period, block], requests * far[lane.site])
                    for number, lane in lanes
                    if (number, period, block) in form.serve
                ]
    return _measure("latency", "ms", [(column, weight / total) for column, weight in terms] if total > 0 else [])


def moves(form: Formulation) -> Measure:
    """Times a workload enters a site it was not at."""
    return _measure("moves", "moves", [(column, 1.0) for column in form.enter.values()], is_whole=True)


def egress(form: Formulation) -> Measure:
    """What leaves sites at a price, over the horizon, TB."""
    months = float(form.instance.estate.horizon.period_months)
    terms = [(column, months * form.tier_gb[column] / GB_PER_TB) for column in form.tier.values()]
    return _measure("egress", "TB", terms)


def vendors(form: Formulation) -> Measure:
    """Providers other than oneself that something runs, waits or is kept at.

    Adds a column vendor[v], 1 when used, and rows: present[w,place,p] <= vendor[v] for each place at v; where a
    workload has no presence, sum over blocks of serve[l,p,b] <= blocks x vendor[v]; standby[l,p] <= vendor[v];
    copy[d,s,p] <= vendor[v]. A vendor that nothing uses costs a token price, so that the column tells who is used.
    """
    sites = form.instance.sites
    names = [model.site.provider.lower() for model in sites]
    used = {
        name: form.builder.column(f"vendor[{name}]", upper=1.0, integer=True)
        for name in dict.fromkeys(names)
        if name != OWN
    }
    form.penalties.extend((column, _VENDOR_TOKEN_USD) for column in used.values())
    for terms, most, site in _presences(form):
        column = used.get(names[site])
        if column is not None:
            label = f"`{sites[site].site.provider}` is used"
            form.builder.row("vendors", label, [*terms, (column, -most)], upper=0.0)
    return _measure("vendors", "vendors", [(column, 1.0) for column in used.values()], is_whole=True)


def _presences(form: Formulation) -> list[tuple[Terms, float, int]]:
    """(terms, their most, site) of everything that makes a site used."""
    instance = form.instance
    found: list[tuple[Terms, float, int]] = []
    seen: set[int] = set()
    loose: defaultdict[tuple[int, int], Terms] = defaultdict(list)
    for (number, period, _), column in form.serve.items():
        lane = instance.lanes[number]
        there = form.present.get((lane.workload, lane.fit.pool, period))
        if there is None:
            loose[number, period].append((column, 1.0))
        elif there not in seen:
            seen.add(there)
            found.append(([(there, 1.0)], 1.0, lane.site))
    for (number, _), terms in loose.items():
        most = 1.0 if is_energy(instance.workload(instance.lanes[number])) else float(len(terms))
        found.append((terms, most, instance.lanes[number].site))
    found += [([(column, 1.0)], 1.0, instance.lanes[number].site) for (number, _), column in form.standby.items()]
    found += [([(column, 1.0)], 1.0, site) for (_, site, _), column in form.copy.items()]
    return found


def _measure(name: str, unit: str, terms: Terms, *, is_whole: bool = False) -> Measure:
    sums: defaultdict[int, float] = defaultdict(float)
    for column, weight in terms:
        sums[column] += weight
    kept = {column: weight for column, weight in sums.items() if weight}
    return Measure(name, unit, tuple(kept), tuple(kept.values()), is_whole)
