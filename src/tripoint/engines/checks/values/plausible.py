"""Is a figure in the unit it is taken for? Watts for kilowatts, prices by the month for prices by the hour, are told.

Every bound comes from the catalogue: what its hardware draws, costs and is sold for, how far its tariffs, grids and
facilities range. A figure many times beyond all of them may be right, so it is a warning, with both; no figure of 0 is
doubted, since nothing may well cost nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate, Finance
from tripoint.domain.findings import finding
from tripoint.domain.hardware import NodeType
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.purchase import OwnPrice
from tripoint.domain.serving import Upstream
from tripoint.domain.site import PowerEnvelope, Site
from tripoint.domain.source import join_path
from tripoint.domain.units import AcceleratorId
from tripoint.domain.workload import Demand, Slo
from tripoint.engines.checks.walk import entries
from tripoint.engines.facts.places import provider_of
from tripoint.engines.facts.pools import find_node_type
from tripoint.engines.sizing.paths import path_between, place_country

_ANY = math.inf
_FAR = 10.0
"""Times beyond everything known from which on a figure is doubted, where nothing else is said."""
_ENERGY_FAR = 6.0
"""The same for energy, whose price varies little: beyond 2 USD per kWh nobody runs accelerators."""
_PUE_MOST = 3.0
_CARBON_LEAST = 1.0
"""No grid of the catalogue is below 2 gCO2e per kWh; figures below 1 are in kg."""
_SHORTEST_FAR = 20.0
"""Objectives are what somebody wants, not what was measured: less is doubted later than elsewhere."""
_LONGEST_RTT_MS = 400.0
"""The longest of the catalogue: within it no link is too slow to be true."""
_GROWN_FAR = 100.0
"""Times what a site has, from which on an expansion step is doubted."""
_FACILITY = ("colo.", "finance.", "power.", "pue.", "rack.density.", "storage.", "weights.")
"""Defaults that are figures of the world; others, such as times of one's own procedures, may be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of a figure."""

    low: float
    high: float
    unit: str
    what: str
    """What has figures from `low` to `high`, as a sentence begins."""
    hint: str = "check the unit"
    below: float = _FAR
    """Times below `low` from which on a figure is doubted."""
    above: float = _FAR

    def doubts(self, path: str, value: float | None) -> Iterator[Finding]:
        """A warning where the figure is far from what is known."""
        if value is None or value <= 0 or math.isinf(self.high):
            return
        if self.low / self.below <= value <= self.high * self.above:
            return
        unit = f" {self.unit}" if self.unit else ""
        known = " to ".join(dict.fromkeys((_told(self.low), _told(self.high))))
        yield finding("TP1334", path, f"is {_told(value)}{unit}; {self.what} {known}{unit}", self.hint)


def check_plausible(estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    """Figures so far from everything the catalogue knows that their unit is probably another."""
    table = _table(catalog)
    for entry in entries(estate):
        known = table.get(entry.key)
        if known is not None and isinstance(entry.value, (int, float)):
            yield from known.doubts(entry.path, entry.value)
    hardware = _Hardware(catalog)
    for index, node in enumerate(estate.node_types):
        yield from hardware.node(f"node_types[{index}]", node)
    for index, site in enumerate(estate.sites):
        yield from _pools(f"sites[{index}].pools", site, estate, catalog, hardware)
        yield from _envelope(f"sites[{index}]", site)
    for index, line in enumerate(estate.prices):
        sold = find_node_type(estate, catalog, line.sku or "", (line.provider or "").strip().lower())
        if sold is not None:
            yield from hardware.hourly(f"prices[{index}].usd_per_hour", line.usd_per_hour, sold)
    yield from _links(estate, catalog)
    for row in catalog.defaults:
        if row.key.startswith(_FACILITY) and row.low and row.high:
            known = _Known(low=row.low, high=row.high, unit=row.unit, what="the catalogue has")
            yield from known.doubts(join_path("assumptions", row.key), estate.assumptions.get(row.key))


def _table(catalog: Catalog) -> Mapping[tuple[type, str], _Known]:
    """Bounds of fields that need no context."""
    return {**_of_sites(catalog), **_of_links(catalog), **_of_work(catalog)}


def _of_sites(catalog: Catalog) -> Mapping[tuple[type, str], _Known]:
    """Power, its price and its carbon, space, storage and staff."""
    spans = {row.key: (row.low or row.typical, row.high or row.typical) for row in catalog.defaults}

    def all_of(word: str) -> tuple[float, float]:
        return _span(figure for key, span in spans.items() if word in key for figure in span)

    grids = [*(row.gco2_per_kwh for row in catalog.regions), *(row.gco2_per_kwh for row in catalog.electricity)]
    carbon, pue = _span(grids), all_of("pue.")
    energy = _span(figure for row in catalog.electricity for figure in (row.low, row.high))
    storage = _span(row.usd_per_gb_month for row in catalog.storage)
    whose = "is it per W, per rack, or for all of it?"
    return {
        (PowerEnvelope, "energy_usd_per_kwh"): _of(
            energy, "USD per kWh", "grids cost", "is it per MWh, or in cents?", _ENERGY_FAR
        ),
        (PowerEnvelope, "pue"): replace(
            _of(pue, "", "halls have", "it is total energy over IT energy"), above=_PUE_MOST / pue[1]
        ),
        (PowerEnvelope, "rack_density_kw"): _of(all_of("rack.density."), "kW", "racks carry", "is it in W?"),
        (PowerEnvelope, "colo_usd_per_kw_month"): _of(
            all_of("usd_per_kw_month"), "USD per kW and month", "space and power cost", whose
        ),
        (PowerEnvelope, "grid_gco2_per_kwh"): replace(
            _of(carbon, "gCO2e per kWh", "grids emit", "is it in kg?"), below=carbon[0] / _CARBON_LEAST
        ),
        (Site, "storage_usd_per_gb_month"): _of(
            storage, "USD per GB and month", "storage costs", "is it per TB, or per year?"
        ),
        (Finance, "staff_usd_per_fte_year"): _of(
            all_of("staff_usd_per_fte_year"), "USD", "a year of one person costs", "is it per month, or per hour?"
        ),
    }


def _of_links(catalog: Catalog) -> Mapping[tuple[type, str], _Known]:
    """Bandwidth, transfer and ports."""
    carried = _span(row.capacity_gbps for row in catalog.ports)
    sent = _span(row.usd_per_gb for row in catalog.egress)
    ports = _span(row.usd_per_month for row in catalog.ports)
    return {
        (Link, "bandwidth_gbps"): _of(carried, "Gbit/s", "ports carry", "is it in Mbit/s?", _FAR, _ANY),
        (Link, "usd_per_gb"): _of(sent, "USD per GB", "transfer costs", "is it per TB?"),
        (Link, "port_usd_per_month"): _of(ports, "USD per month", "ports cost", "is it per year?"),
    }


def _of_work(catalog: Catalog) -> Mapping[tuple[type, str], _Known]:
    """Models, requests, objectives and the price of tokens."""
    sizes = _span(row.parameters_b for row in catalog.models)
    caches = _span(row.kv_mb_per_token for row in catalog.models)
    read = (1.0, _span(row.max_input_tokens for row in catalog.api_prices)[1])
    first, each = _span(row.ttft_ms for row in catalog.throughput), _span(row.tpot_ms for row in catalog.throughput)
    known: dict[tuple[type, str], _Known] = {
        (ModelSpec, "parameters_b"): _of(sizes, "billion", "models have", "is it in millions? 70 is a 70B model"),
        (ModelSpec, "kv_mb_per_token"): _of(caches, "MB per token", "caches take", "is it in kB?"),
        (Demand, "input_tokens"): _of(read, "tokens", "token APIs read", "is it of one request, on average?"),
        (Slo, "ttft_ms"): _of(first, "ms", "first tokens were measured at", "is it in s?", _ANY, _SHORTEST_FAR),
        (Slo, "tpot_ms"): _of(each, "ms", "tokens were measured at", "is it in s?", _ANY, _SHORTEST_FAR),
    }
    prices = {
        "usd_in_per_mtok": _span(row.usd_in_per_mtok for row in catalog.api_prices),
        "usd_out_per_mtok": _span(row.usd_out_per_mtok for row in catalog.api_prices),
        "usd_cached_per_mtok": _span(row.usd_cached_per_mtok for row in catalog.api_prices),
    }
    unit, hint = "USD per million tokens", "is it per token, per thousand tokens, or in cents?"
    for name, span in prices.items():
        for kind in (OwnPrice, Upstream):
            known[kind, name] = _of(span, unit, "token APIs cost", hint)
    return known


def _of(
    span: tuple[float, float], unit: str, what: str, hint: str, far: float = _FAR, near: float | None = None
) -> _Known:
    """What is known of a figure, doubted `far` times beyond and `near` times (as far, if not given) below the span."""
    return _Known(
        low=span[0], high=span[1], unit=unit, what=what, hint=hint, below=far if near is None else near, above=far
    )


def _told(value: float) -> str:
    return f"{value:,.0f}" if value >= 10_000 else f"{value:,.4g}"


def _span(figures: Iterable[float | None]) -> tuple[float, float]:
    """Least and greatest of the figures that are not 0; anything where a catalogue has none."""
    found = [figure for figure in figures if figure]
    return (min(found), max(found)) if found else (1.0, _ANY)


class _Hardware:
    """What nodes with an accelerator draw, cost and are sold for, per accelerator."""

    def __init__(self, catalog: Catalog) -> None:
        self._kw: dict[AcceleratorId, list[float]] = {}
        self._usd: dict[AcceleratorId, list[float]] = {}
        self._hour: dict[AcceleratorId, list[float]] = {}
        self._gpus: dict[AcceleratorId, int] = {}
        by_sku = {node.id: node for node in catalog.node_types}
        for node in catalog.node_types:
            of = node.accelerator
            self._gpus[of] = max(self._gpus.get(of, 0), node.gpus)
            self._kw.setdefault(of, []).extend(kw / node.gpus for kw in (node.max_kw, node.typical_kw) if kw)
            prices = (node.purchase_usd_low, node.purchase_usd_high)
            self._usd.setdefault(of, []).extend(usd / node.gpus for usd in prices if usd)
        for row in catalog.compute_prices:
            sold = by_sku.get(row.sku)  # type: ignore[call-overload]  # ids are plain text in price rows
            if sold is not None:
                self._hour.setdefault(sold.accelerator, []).append(row.usd_per_hour / sold.gpus)

    def node(self, path: str, node: NodeType) -> Iterator[Finding]:
        """A node type of the estate's own."""
        most = self._gpus.get(node.accelerator, 0)
        if most and node.gpus > most * _FAR:
            message = (
                f"is {node.gpus:,} accelerators; nodes of the catalogue with `{node.accelerator}` have up to {most}"
            )
            yield finding("TP1334", f"{path}.gpus", message, "is it of a rack, or of the whole cluster?")
        for name, value in (("max_kw", node.max_kw), ("typical_kw", node.typical_kw)):
            yield from self._doubts(self._kw, f"{path}.{name}", value, node, ("kW", "draw", "is it in W?"))
        for name, value in (("purchase_usd_low", node.purchase_usd_low), ("purchase_usd_high", node.purchase_usd_high)):
            yield from self.purchase(f"{path}.{name}", value, node)

    def purchase(self, path: str, value: float | None, node: NodeType) -> Iterator[Finding]:
        """A price such a node is bought at, USD."""
        yield from self._doubts(self._usd, path, value, node, ("USD", "cost", "is it in thousands, or for a rack?"))

    def hourly(self, path: str, value: float | None, node: NodeType) -> Iterator[Finding]:
        """A rate such a node is rented at, USD per node-hour."""
        words = ("USD per hour", "are rented at", "is it per month, or in cents?")
        yield from self._doubts(self._hour, path, value, node, words)

    @staticmethod
    def _doubts(
        table: Mapping[AcceleratorId, list[float]],
        path: str,
        value: float | None,
        node: NodeType,
        words: tuple[str, str, str],
    ) -> Iterator[Finding]:
        """Against nodes with as many of the same accelerator; nothing where the catalogue has none."""
        figures = table.get(node.accelerator)
        if figures:
            unit, verb, hint = words
            what = f"nodes with {node.gpus} `{node.accelerator}` {verb}"
            low, high = min(figures) * node.gpus, max(figures) * node.gpus
            yield from _Known(low=low, high=high, unit=unit, what=what, hint=hint).doubts(path, value)


def _pools(path: str, site: Site, estate: Estate, catalog: Catalog, hardware: _Hardware) -> Iterator[Finding]:
    for index, pool in enumerate(site.pools or ()):
        node = find_node_type(estate, catalog, pool.node_type, provider_of(site))
        if node is None:
            continue
        here = f"{path}[{index}]"
        for name in ("usd_per_hour", "spot_usd_per_hour", "committed_1y_usd_per_hour", "committed_3y_usd_per_hour"):
            yield from hardware.hourly(f"{here}.{name}", getattr(pool, name), node)
        for number, signed in enumerate(pool.commitments):
            yield from hardware.hourly(f"{here}.commitments[{number}].usd_per_hour", signed.usd_per_hour, node)
        yield from hardware.purchase(f"{here}.purchase_usd", pool.purchase_usd, node)


def _envelope(path: str, site: Site) -> Iterator[Finding]:
    """What is paid for and what is added, against what the site has; its racks are looked at by `TP1324`."""
    power = site.power
    if power is None or not power.it_kw:
        return
    of_site = _Known(low=power.it_kw, high=power.it_kw, unit="kW", what="the site's `it_kw` is", hint="is it in W?")
    yield from replace(of_site, below=_ANY).doubts(f"{path}.power.contracted_kw", power.contracted_kw)
    for index, step in enumerate(site.expansion):
        grown = replace(of_site, below=_ANY, above=_GROWN_FAR)
        yield from grown.doubts(f"{path}.expansion[{index}].adds_kw", step.adds_kw)


def _links(estate: Estate, catalog: Catalog) -> Iterator[Finding]:
    """Round trips against what the catalogue has for such a pair of places; within a country any may be near."""
    alone = replace(estate, links=())
    for index, link in enumerate(estate.links):
        if link.rtt_ms is None or link.source == link.target:
            continue
        usual = path_between(alone, catalog, link.source, link.target).rtt_ms
        if usual.low is None or usual.high is None:
            continue
        ends = {place_country(estate, catalog, end) for end in (link.source, link.target)}
        known = _Known(
            low=usual.low, high=usual.high, unit="ms", what="between such places it takes",
            hint="is it in s, or in µs?",
            below=_FAR if len(ends) > 1 and None not in ends else _ANY,
            above=max(_FAR, _LONGEST_RTT_MS / usual.high),
        )  # fmt: skip
        yield from known.doubts(f"links[{index}].rtt_ms", link.rtt_ms)
