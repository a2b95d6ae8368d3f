"""What does a million tokens cost at a site, by usage and with what was held for it?

    usage-based        = billed to the requests of a model at a site   / million tokens served
    reservation-based  = that, and the site's idle hours of its nodes  / million tokens served

The same two figures as the plan's, from what happened. Idle cost of an upstream is shared among the models it served in
proportion to what they were billed there, to the nano-dollar; where it served none, it stands alone. Corrections that
name no model, a tenant's credit for one, are neither and stand apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from tripoint.domain.money import usd

_MTOK = 1_000_000


class Part(NamedTuple):
    """Sums over a span of time: one upstream, one model, or idle capacity."""

    site: str
    """Site id."""
    upstream: str
    """Upstream id."""
    model: str
    """Model spec id; empty for idle capacity."""
    tokens: int
    """Tokens, both ways."""
    nano: int
    """Effective cost, nano-dollars; of idle rows and of all corrections where there is no model."""
    corrected: int = 0
    """Of it, corrections that name no model and are not of idle capacity, nano-dollars."""


class ModelCost(NamedTuple):
    """A model at a site; without a name, what was idle where nothing was served, and corrections of no model."""

    site: str
    """Site id."""
    model: str
    """Model spec id, empty for idle capacity of upstreams that served nothing."""
    tokens: int
    """Tokens served, both ways."""
    usage_nano: int
    """Billed to requests, nano-dollars."""
    idle_nano: int
    """Its part of what was idle, nano-dollars."""
    corrected_nano: int = 0
    """Corrections that name no model and are not of idle capacity, nano-dollars."""

    @property
    def usage_usd_per_mtok(self) -> Decimal | None:
        """Idle capacity left out, USD; `None` without tokens."""
        return usd(self.usage_nano) * _MTOK / self.tokens if self.tokens else None

    @property
    def reserved_usd_per_mtok(self) -> Decimal | None:
        """Idle capacity included, USD; `None` without tokens."""
        return usd(self.usage_nano + self.idle_nano) * _MTOK / self.tokens if self.tokens else None


def model_costs(parts: Iterable[Part]) -> tuple[ModelCost, ...]:
    """Cost by site and model; the sums of usage, of idle and of corrections are those of `parts`."""
    used: dict[tuple[str, str], dict[str, int]] = {}
    idle: dict[tuple[str, str], int] = {}
    found: dict[tuple[str, str], ModelCost] = {}
    for part in parts:
        place = (part.site, part.upstream)
        if not part.model:
            idle[place] = idle.get(place, 0) + part.nano - part.corrected
            if part.corrected:
                apart = found.get((part.site, ""), ModelCost(part.site, "", 0, 0, 0))
                found[part.site, ""] = apart._replace(corrected_nano=apart.corrected_nano + part.corrected)
            continue
        by_model = used.setdefault(place, {})
        by_model[part.model] = by_model.get(part.model, 0) + part.nano
        key = (part.site, part.model)
        known = found.get(key, ModelCost(part.site, part.model, 0, 0, 0))
        found[key] = known._replace(tokens=known.tokens + part.tokens, usage_nano=known.usage_nano + part.nano)
    for (site, upstream), nano in idle.items():
        for model, share in _shared(nano, used.get((site, upstream), {})).items():
            known = found.get((site, model), ModelCost(site, model, 0, 0, 0))
            found[site, model] = known._replace(idle_nano=known.idle_nano + share)
    return tuple(found[key] for key in sorted(found))


def _shared(nano: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`nano` by weight; the last takes what rounding leaves, nobody's where nothing weighs."""
    weighty = {name: weight for name, weight in sorted(weights.items()) if weight > 0}
    total = sum(weighty.values())
    if not total:
        return {"": nano}
    shares = {name: nano * weight // total for name, weight in weighty.items()}
    shares[max(weighty)] += nano - sum(shares.values())
    return shares
