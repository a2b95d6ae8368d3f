"""Worlds the stress benchmarks are played on, made from numbers and always the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from tripoint.domain.fault import Fault, FaultKind
from tripoint.domain.money import Tariff
from tripoint.domain.serving import Api, Dialect, Shifting
from tripoint.domain.stress import Order, Trial
from tripoint.domain.table import Candidate, Route, RoutingTable, Target, TokenPrice
from tripoint.domain.units import HOURS_PER_YEAR, SECONDS_PER_HOUR
from tripoint.engines.stress.fluid.flow import Basin
from tripoint.engines.stress.fluid.layout import layout_of
from tripoint.engines.stress.kernel.streams import Streams
from tripoint.engines.stress.world import Callers, Demanded, Place, SteadyTiming, World

YEAR_S = HOURS_PER_YEAR * SECONDS_PER_HOUR
_HOME = 4
"""Sites each workload is planned at."""
_DEFERRED = 4
"""One workload in so many is work nobody waits for."""
_HELD_NANO = 20_000_000_000
_KINDS = (FaultKind.DOWN, FaultKind.CAPACITY, FaultKind.CAPACITY, FaultKind.DOWN)
_LEFT = (0.0, 0.3, 0.6, 0.0)
_REPAIR_HOURS = 6.0


def wide_world(sites: int, workloads: int) -> World:
    """Workloads with a daily rhythm, each planned at four sites and permitted at all."""
    names = [f"site-{number:02d}" for number in range(sites)]
    places = tuple(_place(name, number, workloads) for number, name in enumerate(names))
    asked = tuple(_demanded(number, names) for number in range(workloads))
    routes = tuple(_route(each, number, sites) for number, each in enumerate(asked))
    table = RoutingTable(
        name="wide", estate_digest="", plan_digest="", prices="", targets=tuple(map(_target, range(sites), names)),
        routes=routes, keys=(), labels=(), retry_share=0.2, deadline_s=60.0, first_byte_s=10.0, stall_s=10.0,
        shifting=Shifting(), hedging=None, prefix_affinity=False,
    )  # fmt: skip
    return World(name="wide", table=table, places=places, demanded=asked)


def failing_years(world: World, years: int, *, per_year: float) -> list[tuple[Fault, ...]]:
    """Failures of every site at random, each with a length of its own; the same years every time."""
    return [failing_year(world, year, per_year=per_year) for year in range(years)]


def failing_year(world: World, year: int, *, per_year: float) -> tuple[Fault, ...]:
    """One of them, by its number."""
    streams = Streams(1, year)
    faults: list[Fault] = []
    for number, place in enumerate(world.places):
        stream, index, at = streams.named(place.site), 0, 0.0
        while (at := at + stream.exponential(index) * YEAR_S / per_year) < YEAR_S:
            lasts = stream.exponential(index + 1) * _REPAIR_HOURS * SECONDS_PER_HOUR
            which = (number + index // 2) % len(_KINDS)
            faults.append(Fault(kind=_KINDS[which], on=(place.site,), at_s=at, until_s=at + lasts, size=_LEFT[which]))
            index += 2
    return tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Years:
    """Plays a failing year as a trial of hours is played: one order, one year, wherever it is sent."""

    world: World
    """What is tried."""
    per_year: float
    """Failures per site and year."""
    _kept: dict[str, Basin] = field(default_factory=dict, repr=False, compare=False)
    """The usual course, which all years of a process share."""

    def __call__(self, order: Order) -> Trial:
        """The year of an order."""
        if not self._kept:
            self._kept["basin"] = Basin(layout_of(self.world), start_hour=0, hours=int(HOURS_PER_YEAR))
        faults = failing_year(self.world, order.number, per_year=self.per_year)
        (outcomes,) = self._kept["basin"].play((faults,))
        return Trial(
            scenario=order.scenario, number=order.number, magnitudes=order.magnitudes, outcomes=outcomes, events=0
        )


def _place(name: str, number: int, workloads: int) -> Place:
    return Place(
        upstream=name, site=name, pool=f"{name}/node", provider="own", region="", kind="colo",
        option="owned", nodes=4.0, slots=64, timings={"model": SteadyTiming(first_s=0.2, in_s=1e-5, out_s=0.02)},
        rates={f"work-{each:02d}": 40.0 + 2.0 * (number % 5) for each in range(workloads)}, most_nodes=6.0,
        ready_after_s=900.0 if number % 8 == 0 else float("inf"), is_cold=False, usd_per_node_hour=20.0,
    )  # fmt: skip


def _demanded(number: int, sites: list[str]) -> Demanded:
    is_interactive = number % _DEFERRED != _DEFERRED - 1
    return Demanded(
        workload=f"work-{number:02d}", kind="inference" if is_interactive else "batch_inference", model="model",
        requests_per_s=90.0, hour_of_week=tuple(0.6 + 0.8 * (8 <= hour % 24 < 20) for hour in range(168)),
        burstiness_cv=1.0, tokens_in=800.0, tokens_out=200.0, growth_per_year=0.1 * (number % 3),
        priority=1 + number % 5, is_interactive=is_interactive, ttft_ms=1000.0 if is_interactive else None,
        tpot_ms=None, availability=0.999, least_share=0.95, deadline_hours=None if is_interactive else 24.0,
        permitted=tuple(sites),
        callers=(Callers(place="", share=1.0, rtt_ms={}, links={}),),
    )  # fmt: skip


def _route(asked: Demanded, number: int, sites: int) -> Route:
    homes = [(number * 3 + step * 7) % sites for step in range(_HOME)]
    candidates = tuple(_candidate(site, 1.0 / _HOME if site in homes else 0.0) for site in range(sites))
    return Route(
        workload=asked.workload, model="model", candidates=candidates, allowed={}, priority=asked.priority,
        ttft_ms=asked.ttft_ms, tpot_ms=None, tokens_out=200,
    )  # fmt: skip


def _candidate(site: int, share: float) -> Candidate:
    row = Tariff(f"row-{site}", 100_000 + site, 10_000, 400_000 + site)
    price = TokenPrice(usd_in=1e-7, usd_out=4e-7 + site * 1e-9, usd_cached=1e-8)
    return Candidate(
        target=site, model="model", name="model", share=share, price=price, tariff=row, list_tariff=row, marginal=row,
        firm=row, basis="made up",
    )  # fmt: skip


def _target(slot: int, name: str) -> Target:
    return Target(
        id=name, slot=slot, site=name, layer="dense", kind="colo", provider="own", country="DE",
        dialect=Dialect.OPENAI, is_tls=False, host="127.0.0.1", port=1, base_path="/v1", apis=(Api.CHAT,),
        max_concurrency=64, held_nano_per_hour=_HELD_NANO,
    )  # fmt: skip
