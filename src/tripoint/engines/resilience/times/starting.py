"""What must happen until capacity that does not run serves: the same steps for assessments and for trials."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Part
from tripoint.engines.resilience.times.terms import Rate, default_rate

STARTED: tuple[tuple[Part, str], ...] = (
    (Part.WARM_UP, "warm_up"), (Part.SHIFT, "shift"), (Part.VALIDATE, "validate"),
)  # fmt: skip
"""After weights are loaded: steps with the keys of their defaults."""
CONTRACTED: tuple[tuple[Part, str], ...] = ((Part.SHIFT, "shift"), (Part.VALIDATE, "validate"))
"""Until tokens are bought where nobody bought any before."""


def road(estate: Estate, catalog: Catalog, name: str) -> Rate:
    """How much goes through what copies cross: `inside:<site>`, `link:<id>`, or `internet:<site>`."""
    kind, _, what = name.partition(":")
    link = next((each for each in estate.links if kind == "link" and each.id == what), None)
    if link is None or link.bandwidth_gbps is None:
        return default_rate(estate, catalog, f"stage_gbps.{'site' if kind == 'inside' else 'internet'}")
    share = default_rate(estate, catalog, "link_share")
    gb_per_s = link.bandwidth_gbps / 8.0
    return replace(
        share,
        gb_per_s=gb_per_s * share.gb_per_s,
        low=gb_per_s * share.low,
        high=gb_per_s * share.high,
        basis=f"link `{what}`: {link.bandwidth_gbps:g} Gbit/s, {share.gb_per_s:.0%} of it",
    )
