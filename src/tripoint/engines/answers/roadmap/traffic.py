"""How full are the declared links, and which moves would overfill them? By period, at each period's busiest block.

The terms are those of the `links` family, so the same bytes count that the program was bound by. A workload would
overfill a link where all of it, served at a site, and what everything else sends in the plan exceed its bandwidth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tripoint.domain.units import LinkId
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.columns.formulation import Terms
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.placement.milp.program import FloatArray
from tripoint.engines.placement.outcome import Outcome

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """A link that does not carry all of a workload to a site."""

    link: LinkId
    """Which link."""
    wanted_gbps: float
    """What all of it would take in its busiest hours, Gbit/s; all identical sites together."""
    free_gbps: float
    """What the plan leaves it there, Gbit/s."""

    @property
    def short_gbps(self) -> float:
        """What is missing, Gbit/s."""
        return self.wanted_gbps - self.free_gbps


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Links of a plan."""

    peaks: Mapping[LinkId, tuple[float, ...]]
    """[link][period] Gbit/s in the busiest block of the busier direction, for links with a declared bandwidth."""
    overloads: Mapping[tuple[str, str], Overload]
    """(workload, site) -> the link that forbids all of it there, the worst of several."""


def traffic_of(outcome: Outcome) -> Traffic:
    """Traffic of a plan, and what does not fit."""
    instance = outcome.instance
    limits = _bandwidths(instance)
    peaks = {link: [0.0] * len(instance.periods) for link in limits}
    worst: dict[tuple[str, str], Overload] = {}
    if limits:
        shares = {column: (lane, block) for (lane, _, block), column in outcome.form.serve.items()}
        for (link, _, period, _), terms in outcome.network.loads.items():
            if link not in limits:
                continue
            sent = _sent(instance, shares, terms, outcome.solution.values)
            peaks[link][period] = max(peaks[link][period], sum(each.gbps for each in sent))
            for key, found in _overloads(sent, link, limits[link]):
                if key not in worst or found.short_gbps > worst[key].short_gbps:
                    worst[key] = found
    return Traffic(peaks={link: tuple(series) for link, series in peaks.items()}, overloads=worst)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What one column sends over a link."""

    workload: str
    """Whose requests; empty for data."""
    site: str
    """Where they are served."""
    gbps: float
    """In the plan, Gbit/s."""
    whole_gbps: float
    """If all of the workload were served so, Gbit/s."""


def _bandwidths(instance: Instance) -> dict[LinkId, float]:
    """[link] Gbit/s of all identical ends, where declared."""
    copies = {model.site.id: model.site.count for model in instance.sites}
    return {
        link.id: link.bandwidth_gbps * max(copies.get(link.source, 1), copies.get(link.target, 1))
        for link in instance.estate.links
        if link.bandwidth_gbps is not None
    }


def _sent(instance: Instance, shares: Mapping[int, tuple[int, int]], terms: Terms, values: FloatArray) -> list[_Sent]:
    sent: list[_Sent] = []
    for column, gbps in terms:
        now = float(values[column]) * gbps
        if column not in shares:
            sent.append(_Sent(workload="", site="", gbps=now, whole_gbps=0.0))
            continue
        number, block = shares[column]
        lane = instance.lanes[number]
        workload = instance.workload(lane)
        # Work that waits for nobody has one unit of share over all blocks; at the clock's pace it is spread by hours.
        whole = gbps * (instance.grid.blocks[block].weight if is_energy(workload) else 1.0)
        sent.append(_Sent(workload=workload.id, site=lane.fit.site, gbps=now, whole_gbps=whole))
    return sent


def _overloads(sent: list[_Sent], link: LinkId, limit: float) -> Iterator[tuple[tuple[str, str], Overload]]:
    total = sum(each.gbps for each in sent)
    wanted: dict[tuple[str, str], float] = {}
    own: dict[str, float] = {}
    for each in sent:
        own[each.workload] = own.get(each.workload, 0.0) + each.gbps
        key = (each.workload, each.site)
        wanted[key] = max(wanted.get(key, 0.0), each.whole_gbps)
    for key, gbps in wanted.items():
        free = max(0.0, limit - (total - own[key[0]]))
        if gbps > free + _TOLERANCE * limit:
            yield key, Overload(link=link, wanted_gbps=gbps, free_gbps=free)
