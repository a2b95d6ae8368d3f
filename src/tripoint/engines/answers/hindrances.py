"""What keeps a workload from a place that is cheaper on paper: a link, a cap on a vendor, or a full site.

Each is read from the plan. A link hinders where all of the workload's traffic beside everything else's exceeds its
bandwidth; a vendor's cap where all of its cost beside what the vendor is paid already exceeds the share allowed in some
period; power, racks and `max_nodes` where they are full in some period. The first of these is told, in this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tripoint.domain.charge import Charge
from tripoint.engines.answers.roadmap.limits import Limit
from tripoint.engines.answers.roadmap.reached import full_periods
from tripoint.engines.answers.roadmap.traffic import Overload
from tripoint.engines.placement.instance.instance import Instance

_PHYSICAL = ("power", "racks", "nodes", "gpus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """One period, one workload and one provider."""

    provider_usd: float
    """Paid to the provider for whatever, USD."""
    elsewhere_usd: float
    """Paid to others for the workload, USD."""
    total_usd: float
    """Paid to everybody, USD."""

    def share(self, ratio: float) -> float:
        """Share of the provider if all of the workload were there, for `ratio` times what it costs elsewhere."""
        moved = self.elsewhere_usd * ratio
        total = self.total_usd - self.elsewhere_usd + moved
        return (self.provider_usd + moved) / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrances:
    """What the plan runs into."""

    overloads: Mapping[tuple[str, str], Overload] = field(default_factory=dict)
    """(workload, site) -> link that does not carry all of it there."""
    caps: Mapping[str, float] = field(default_factory=dict)
    """[site] largest share of cost its provider may have, where there is a cap."""
    ledgers: Mapping[tuple[str, str], tuple[Ledger, ...]] = field(default_factory=dict)
    """(workload, site) -> [period] what is paid to the site's provider and to others, where there is a cap."""
    limits: Sequence[Limit] = ()
    """Limits of sites and pools."""
    periods: tuple[str, ...] = ()
    """Labels."""

    def of(self, workload: str, site: str, pool: str, ratio: float = 1.0) -> str:
        """Why more of a workload cannot be at a pool at `ratio` times its cost; empty where nothing is in the way."""
        return self.link(workload, site) or self.cap(workload, site, ratio) or self.full(site, pool)

    def link(self, workload: str, site: str) -> str:
        """`line` has 8 of the 12 Gbit/s it would need for `cloud`."""
        found = self.overloads.get((workload, site))
        if found is None:
            return ""
        sizes = f"{found.free_gbps:.3g} of the {found.wanted_gbps:.3g} Gbit/s"
        return f"`{found.link}` has {sizes} it would need for `{site}`"

    def cap(self, workload: str, site: str, ratio: float = 1.0) -> str:
        """The cap of 40 % on the provider of `cloud` has no room for all of it."""
        share = self.caps.get(site, 1.0)
        if not any(each.share(ratio) > share for each in self.ledgers.get((workload, site), ())):
            return ""
        return f"the cap of {share * 100:.0f} % on the provider of `{site}` has no room for all of it"

    def full(self, site: str, pool: str) -> str:
        """`hall` is out of power from 2028-Q3."""
        for resource in _PHYSICAL:
            for limit in self.limits:
                if limit.resource != resource or limit.site != site or (resource == "nodes" and limit.name != pool):
                    continue
                periods = [period for period, is_full in enumerate(full_periods(limit)) if is_full]
                if periods:
                    return _told(limit, self.periods[periods[0]])
        return ""


NOTHING_IN_THE_WAY = Hindrances()


def hindrances(
    instance: Instance,
    charges: Iterable[Charge],
    limits: Sequence[Limit],
    overloads: Mapping[tuple[str, str], Overload],
) -> Hindrances:
    """The hindrances of a plan."""
    caps = _caps(instance)
    return Hindrances(
        overloads=overloads,
        caps=caps,
        ledgers=_ledgers(instance, tuple(charges), caps),
        limits=limits,
        periods=instance.grid.periods,
    )


def _told(limit: Limit, since: str) -> str:
    what = {
        "power": f"`{limit.site}` is out of power",
        "racks": f"`{limit.site}` is out of racks",
        "nodes": f"`{limit.name}` is at its `max_nodes`",
        "gpus": f"`{limit.site}` is out of accelerators",
    }
    return f"{what[limit.resource]} from {since}"


def _caps(instance: Instance) -> dict[str, float]:
    """[site] smallest cap on its provider."""
    found: dict[str, float] = {}
    for cap in instance.estate.policies.concentration:
        for model in instance.sites:
            provider = model.site.provider.lower()
            if provider == cap.provider.lower() if cap.provider else provider != "own":
                found[model.site.id] = min(cap.max_share, found.get(model.site.id, 1.0))
    return found


def _ledgers(
    instance: Instance, charges: tuple[Charge, ...], caps: Iterable[str]
) -> dict[tuple[str, str], tuple[Ledger, ...]]:
    """Only for sites under a cap."""
    providers = {str(model.site.id): model.site.provider.lower() for model in instance.sites}
    paid: dict[tuple[int, str | None, str], float] = {}
    for row in charges:
        key = (row.period, row.workload, row.provider.lower())
        paid[key] = paid.get(key, 0.0) + row.effective_usd
    total: dict[int, float] = {}
    provided: dict[tuple[int, str], float] = {}
    owed: dict[tuple[int, str | None], dict[str, float]] = {}
    for (period, who, to), usd in paid.items():
        total[period] = total.get(period, 0.0) + usd
        provided[period, to] = provided.get((period, to), 0.0) + usd
        owed.setdefault((period, who), {})[to] = usd

    def ledger(period: int, workload: str, provider: str) -> Ledger:
        mine = owed.get((period, workload), {})
        return Ledger(
            provider_usd=provided.get((period, provider), 0.0),
            elsewhere_usd=sum(usd for to, usd in mine.items() if to != provider),
            total_usd=total.get(period, 0.0),
        )

    return {
        (workload.id, site): tuple(ledger(period, workload.id, providers[site]) for period in instance.periods)
        for site in caps
        for workload in instance.estate.workloads
    }
