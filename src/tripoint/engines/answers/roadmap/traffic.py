"""How full are the declared links? Traffic of the plan by period, at each period's busiest block.

The terms are those of the `links` family, so the same bytes count that the program was bound by.
"""

from __future__ import annotations

from collections.abc import Mapping

from tripoint.domain.units import LinkId
from tripoint.engines.placement.formulate import formulate
from tripoint.engines.placement.outcome import Outcome


def link_traffic(outcome: Outcome) -> Mapping[LinkId, tuple[float, ...]]:
    """[link][period] Gbit/s in the busiest block of the busier direction, for links with a declared bandwidth."""
    estate = outcome.instance.estate
    bounded = {link.id for link in estate.links if link.bandwidth_gbps is not None}
    peaks = {link: [0.0] * len(outcome.instance.periods) for link in bounded}
    if not bounded:
        return {}
    _, network = formulate(outcome.instance)
    values = outcome.solution.values
    for (link, _, period, _), terms in network.loads.items():
        if link in peaks:
            gbps = sum(float(values[column]) * each for column, each in terms)
            peaks[link][period] = max(peaks[link][period], gbps)
    return {link: tuple(series) for link, series in peaks.items()}
