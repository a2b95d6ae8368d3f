"""How full are the declared links, and which moves would overfill them? By period, at each period's busiest block.

The terms are those of the `links` family, so the same bytes count that the program was bound by. A workload would
overfill a link where all of it, served at a site, and what everything else sends in the plan exceed its bandwidth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tripoint.domain.units import LinkId
from tripoint.engines.placement.columns.coefficients import is_energy
from tripoint.engines.placement.columns.formulation import Terms
from tripoint.engines.placement.instance.instance import Instance
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
        shares, values = _shares_of(outcome), outcome.solution.values.tolist()
        for (link, _, period, _), terms in outcome.network.loads.items():
            if link not in limits:
                continue
            load = _Load(link=link, limit=limits[link], sent=[values[column] * gbps for column, gbps in terms])
            peaks[link][period] = max(peaks[link][period], sum(load.sent))
            for key, found in _overloads(shares, terms, load):
                if key not in worst or found.short_gbps > worst[key].short_gbps:
                    worst[key] = found
    return Traffic(peaks={link: tuple(series) for link, series in peaks.items()}, overloads=worst)


class _Share(NamedTuple):
    """What a column that is a share of a workload would send, were it all of it."""

    key: tuple[str, str]
    """(workload, site): whose requests, and where they are served."""
    weight: float
    """Over what one unit of the column sends."""


class _Load(NamedTuple):
    """What the plan sends over a link in one of its two directions, in a period and block."""

    link: LinkId
    """Which link."""
    limit: float
    """Its bandwidth, Gbit/s."""
    sent: list[float]
    """By term: Gbit/s in the plan."""


def _bandwidths(instance: Instance) -> dict[LinkId, float]:
    """[link] Gbit/s of all identical ends, where declared."""
    copies = {model.site.id: model.site.count for model in instance.sites}
    return {
        link.id: link.bandwidth_gbps * max(copies.get(link.source, 1), copies.get(link.target, 1))
        for link in instance.estate.links
        if link.bandwidth_gbps is not None
    }


def _shares_of(outcome: Outcome) -> dict[int, _Share]:
    """[column] of what is served."""
    instance = outcome.instance
    of_lane = [(workload.id, lane.fit.site) for lane in instance.lanes for workload in [instance.workload(lane)]]
    # Work that waits for nobody has one unit of share over all blocks; at the clock's pace it is spread by hours.
    spread = [is_energy(instance.workload(lane)) for lane in instance.lanes]
    weights = [block.weight for block in instance.grid.blocks]
    return {
        column: _Share(of_lane[lane], weights[block] if spread[lane] else 1.0)
        for (lane, _, block), column in outcome.form.serve.items()
    }


def _overloads(shares: Mapping[int, _Share], terms: Terms, load: _Load) -> Iterator[tuple[tuple[str, str], Overload]]:
    """What the link does not carry; data is nobody's share, and overfills nothing by moving."""
    total = sum(load.sent)
    wanted: dict[tuple[str, str], float] = {}
    own: dict[str, float] = {}
    for (column, gbps), now in zip(terms, load.sent, strict=True):
        share = shares.get(column)
        if share is None:
            continue
        key, whole = share.key, gbps * share.weight
        own[key[0]] = own.get(key[0], 0.0) + now
        if whole > wanted.get(key, -1.0):
            wanted[key] = whole
    for key, gbps in wanted.items():
        free = max(0.0, load.limit - (total - own[key[0]]))
        if gbps > free + _TOLERANCE * load.limit:
            yield key, Overload(link=load.link, wanted_gbps=gbps, free_gbps=free)
