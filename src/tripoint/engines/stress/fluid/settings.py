"""What prices, links, slowness and policy make of a span: where each flow may go, and what a request costs there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tripoint.domain.fault import FaultKind
from tripoint.engines.stress.fluid.filling import COUNTED, LATE, OUTSIDE, USD, Setting
from tripoint.engines.stress.fluid.layout import EGRESS, ENERGY, PARTS, TOKEN, Flags, Layout, lateness
from tripoint.engines.stress.fluid.spans import Key
from tripoint.engines.stress.kernel.arithmetic import Floats
from tripoint.engines.stress.trial.conditions import fault_names

_PART_OF = {"token": TOKEN, "energy": ENERGY, "egress": EGRESS}


def setting_of(layout: Layout, key: Key) -> Setting:
    """The setting of spans with this key; an empty one is how everything usually is."""
    places = layout.world.places
    slow, held, price = np.ones(len(places)), np.ones(len(places)), np.ones(PARTS)
    added: dict[str, float] = {}
    kept: dict[str, float] = {}
    cut: dict[str, bool] = {}
    left: dict[str, bool] = {}
    for kind, names, size in key:
        if kind is FaultKind.SLOW:
            slow *= [size if fault_names(place).intersection(names) else 1.0 for place in places]
        elif kind is FaultKind.PRICE:
            for name in names:
                if name in _PART_OF:
                    price[_PART_OF[name]] *= size
            held *= [size if place.option in names else 1.0 for place in places]
        elif kind is FaultKind.LINK_DELAY:
            added.update({name: added.get(name, 0.0) + size for name in names})
        elif kind is FaultKind.LINK_LOSS:
            kept.update({name: kept.get(name, 1.0) * (1.0 - size) for name in names})
        elif kind is FaultKind.LINK_DOWN:
            cut.update(dict.fromkeys(names, True))
        elif kind is FaultKind.LEAVE:
            left.update(dict.fromkeys(names, True))
    counted = np.zeros((COUNTED, *layout.need.shape))
    counted[LATE] = lateness(layout, slow, (added, kept))
    counted[USD] = (layout.usd * price[:, None, None]).sum(axis=0)
    counted[OUTSIDE] = _outside(layout)
    return Setting(allowed=_allowed(layout, cut, left), counted=counted, held=held)


def _allowed(layout: Layout, cut: Mapping[str, bool], left: Mapping[str, bool]) -> Flags:
    """[F, P] where the table sends a flow, less the places that must be left and those no link leads to."""
    allowed = np.zeros(layout.need.shape, dtype=np.bool_)
    for flow, ways in enumerate(layout.ways):
        links = layout.links_of(flow)
        for at in ways:
            site = layout.world.places[at].site
            allowed[flow, at] = site not in left and not any(link in cut for link in links.get(site, ()))
    return allowed


def _outside(layout: Layout) -> Floats:
    """[F, P] 1 where policy, judged anew, forbids what the table permits."""
    permitted = [layout.world.demanded[number].permitted for number in layout.workload_of]
    return np.array([[float(place.site not in sites) for place in layout.world.places] for sites in permitted])
