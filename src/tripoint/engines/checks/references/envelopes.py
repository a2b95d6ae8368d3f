"""Does what stands in a hall today fit its power, and can its racks carry the power it has?

Assumes nameplates (`max_kw`), as the plan does: each node may draw that much, and the envelope counts after
redundancy. Node types without a nameplate are left out, so what is told is the least.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tripoint.domain.errors import Finding
from tripoint.domain.findings import finding
from tripoint.domain.hardware import NodeType
from tripoint.domain.site import PowerEnvelope, Site


def check_envelope(path: str, site: Site, nodes: Mapping[str, tuple[NodeType, ...]]) -> Iterator[Finding]:
    """Held nodes beyond the envelope, and an envelope beyond the racks; rented places are the provider's concern."""
    if site.power is None or site.kind.is_rented:
        return
    yield from _held(path, site, site.power, nodes)
    yield from _carried(path, site, site.power)


def _held(path: str, site: Site, power: PowerEnvelope, nodes: Mapping[str, tuple[NodeType, ...]]) -> Iterator[Finding]:
    draw, held = 0.0, 0
    for pool in site.pools or ():
        kw = next((node.max_kw for node in nodes.get(pool.node_type, ())), None)
        if kw is not None:
            draw, held = draw + pool.held * kw, held + pool.held
    usable = power.usable_kw
    if usable is None or draw <= usable:
        return
    nodes_held = "node held draws" if held == 1 else f"{held} nodes held draw"
    message = f"the {nodes_held} up to {draw:,.6g} kW, the site may load {usable:,.6g} kW"
    hint = "the plan retires what power cannot carry; correct `power.it_kw` or `held`"
    yield finding("TP1323", f"{path}.power.it_kw", message, hint)


def _carried(path: str, site: Site, power: PowerEnvelope) -> Iterator[Finding]:
    """Racks of expansion steps count: their power may have been brought in already."""
    if power.usable_kw is None or power.racks is None or power.rack_density_kw is None:
        return
    racks = power.racks + sum(step.adds_racks for step in site.expansion)
    carried = racks * power.rack_density_kw
    if power.usable_kw <= carried:
        return
    message = (
        f"the site may load {power.usable_kw:,.6g} kW, its {racks} rack{'' if racks == 1 else 's'} of"
        f" {power.rack_density_kw:g} kW carry {carried:,.6g} kW"
    )
    yield finding("TP1324", f"{path}.power.it_kw", message, "check the unit (kW), or declare more `racks`")
