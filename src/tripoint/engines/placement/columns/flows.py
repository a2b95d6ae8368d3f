"""Bytes: which transfers a unit of each decision causes, which tariff they fall under and which links they load."""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.domain.provenance import Figure
from tripoint.domain.units import GBIT_PER_GB, SECONDS_PER_HOUR, LinkId
from tripoint.engines.costing.transfer import RESPONSE_SHARE, Tariff, tariff
from tripoint.engines.placement.columns.coefficients import volume_share
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

    def path(self, source: str, target: str) -> Path:
        """The path between two places."""
        if (source, target) not in self.paths:
            found = path_between(self.instance.estate, self.instance.catalog, source, target)
            self.paths[source, target] = found
        return self.paths[source, target]

    def send(self, column: int, source: str, target: str, period: int, gb_per_month: float) -> None:
        """One unit of the column sends a volume; charged at the source when it is a site of the estate."""
        site = self._site(source)
        if source == target or gb_per_month <= 0.0 or site is None:
            return
        path = self.path(source, target)
        key = self._tariff_key(site, path)
        self.volumes.setdefault((site, key, period), []).append((column, gb_per_month))

    def load(self, column: int, source: str, target: str, when: tuple[int, int], gbps: float) -> None:
        """One unit of the column loads every declared link on the path in a (period, block)."""
        if source == target or gbps <= 0.0:
            return
        here = source
        for name in self.path(source, target).links:
            link = next(link for link in self.instance.estate.links if link.id == name)
            forward = link.source == here
            here = link.target if forward else link.source
            self.loads.setdefault((name, forward, *when), []).append((column, gbps))

    def _site(self, place: str) -> int | None:
        for number, model in enumerate(self.instance.sites):
            if model.site.id == place:
                return number
        return None

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
    for (number, period, block), column in form.serve.items():
        lane = instance.lanes[number]
        workload = instance.workload(lane)
        gb = instance.demand(lane).gb_wire[period] * volume_share(instance, lane.workload, period, block)
        if gb <= 0.0:
            continue
        here = instance.sites[lane.site].site.id
        seconds = instance.block_hours(block) * SECONDS_PER_HOUR
        peak = peak_factor(form, lane.workload, period, block)
        for caller in workload.callers:
            part = gb * caller.share
            network.send(column, here, caller.place, period, part * RESPONSE_SHARE / months)
            network.send(column, caller.place, here, period, part * (1 - RESPONSE_SHARE) / months)
            gbps = part * GBIT_PER_GB / seconds * peak * max(RESPONSE_SHARE, 1 - RESPONSE_SHARE)
            network.load(column, caller.place, here, (period, block), gbps)
            network.load(column, here, caller.place, (period, block), gbps)


def peak_factor(form: Formulation, workload: int, period: int, block: int) -> float:
    """Busiest hour of the block over its mean."""
    demand = form.instance.grid.workloads[workload]
    mean = demand.mean_rate[period][block]
    return demand.peak_rate[period][block] / mean if mean > 0 else 1.0
