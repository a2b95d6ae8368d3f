"""Bytes: which transfers a unit of each decision causes, which tariff they fall under and which links they load."""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.domain.provenance import Figure
from tripoint.domain.units import GBIT_PER_GB, SECONDS_PER_HOUR, LinkId
from tripoint.engines.costing.transfer import RESPONSE_SHARE, Tariff, tariff
from tripoint.engines.placement.columns.formulation import Formulation, Terms
from tripoint.engines.placement.instance.instance import Instance
from tripoint.engines.sizing.paths import Path, path_between


@dataclass(slots=True)
class Network:
    """Paths and tariffs, looked up once each, and the volume terms collected while the program is built."""

    instance: Instance
    paths: dict[tuple[str, str], Path] = field(default_factory=dict)
    tariffs: dict[tuple[int, str], Tariff] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    volumes: dict[tuple[int, str, int], Terms] = field(default_factory=dict)
    """(site, tariff key, period) -> GB per month per unit of each column."""
    loads: dict[tuple[LinkId, bool, int, int], Terms] = field(default_factory=dict)
    """(link, from its source to its target, period, block) -> Gbit/s per unit of each column."""
    _charging: dict[tuple[str, str], tuple[int, str] | None] = field(default_factory=dict, repr=False)
    _sites: dict[str, int] = field(default_factory=dict, repr=False)
    _ends: dict[tuple[str, str], tuple[tuple[LinkId, bool], ...]] = field(default_factory=dict, repr=False)

    def path(self, source: str, target: str) -> Path:
        """The path between two places."""
        if (source, target) not in self.paths:
            found = path_between(self.instance.estate, self.instance.catalog, source, target)
            self.paths[source, target] = found
        return self.paths[source, target]

    def site_of(self, place: str) -> int | None:
        """Index of a site of the estate; `None` for any other place."""
        if not self._sites:
            self._sites.update((model.site.id, number) for number, model in enumerate(self.instance.sites))
        return self._sites.get(place)

    def volume_terms(self, source: str, target: str, period: int) -> Terms | None:
        """Where volumes from one place to the other are collected; `None` where nobody charges them."""
        if source == target:
            return None
        if (source, target) not in self._charging:
            site = self.site_of(source)
            path = self.path(source, target) if site is not None else None
            known = None if site is None or path is None else (site, self._tariff_key(site, path))
            self._charging[source, target] = known
        charging = self._charging[source, target]
        return None if charging is None else self.volumes.setdefault((*charging, period), [])

    def ends(self, source: str, target: str) -> tuple[tuple[LinkId, bool], ...]:
        """The declared links on the path, each with whether it is passed from its source to its target."""
        if (source, target) not in self._ends:
            declared = {link.id: link for link in self.instance.estate.links}
            here, passed = source, []
            for name in () if source == target else self.path(source, target).links:
                forward = declared[name].source == here
                here = declared[name].target if forward else declared[name].source
                passed.append((name, forward))
            self._ends[source, target] = tuple(passed)
        return self._ends[source, target]

    def send(self, column: int, source: str, target: str, period: int, gb_per_month: float) -> None:
        """One unit of the column sends a volume; charged at the source when it is a site of the estate."""
        terms = None if gb_per_month <= 0.0 else self.volume_terms(source, target, period)
        if terms is not None:
            terms.append((column, gb_per_month))

    def load(self, column: int, source: str, target: str, when: tuple[int, int], gbps: float) -> None:
        """One unit of the column loads every declared link on the path in a (period, block)."""
        if gbps > 0.0:
            for name, forward in self.ends(source, target):
                self.loads.setdefault((name, forward, *when), []).append((column, gbps))

    def _tariff_key(self, site: int, path: Path) -> str:
        link = path.charging_link
        key = path.transfer_class.value if link is None else f"link:{link.id}"
        if (site, key) not in self.tariffs:
            found, figures = tariff(
                self.instance.sites[site].site,
                path.transfer_class,
                self.instance.estate,
                self.instance.catalog,
                link,
            )
            self.tariffs[site, key] = found
            self.figures.update((figure.key, figure) for figure in figures)
        return key


def caller_flows(form: Formulation, network: Network) -> None:
    """Requests and responses between callers and the serving site, for every share column."""
    instance = form.instance
    months = instance.estate.horizon.period_months
    seconds = [instance.block_hours(block) * SECONDS_PER_HOUR for block in instance.blocks]
    for (number, period, block), column in form.serve.items():
        lane = instance.lanes[number]
        callers = instance.workload(lane).callers
        gb = instance.demand(lane).gb_wire[period] * form.volumes(lane.workload)[period][block] if callers else 0.0
        if gb <= 0.0:
            continue
        here = instance.sites[lane.site].site.id
        for caller in callers:
            part = gb * caller.share
            network.send(column, here, caller.place, period, part * RESPONSE_SHARE / months)
            network.send(column, caller.place, here, period, part * (1 - RESPONSE_SHARE) / months)
            if not network.ends(caller.place, here) and not network.ends(here, caller.place):
                continue
            peak = peak_factor(form, lane.workload, period, block)
            gbps = part * GBIT_PER_GB / seconds[block] * peak * max(RESPONSE_SHARE, 1 - RESPONSE_SHARE)
            network.load(column, caller.place, here, (period, block), gbps)
            network.load(column, here, caller.place, (period, block), gbps)


def peak_factor(form: Formulation, workload: int, period: int, block: int) -> float:
    """Busiest hour of the block over its mean."""
    demand = form.instance.grid.workloads[workload]
    mean = demand.mean_rate[period][block]
    return demand.peak_rate[period][block] / mean if mean > 0 else 1.0
