"""Volumes told in other units change nothing: gigabytes as megabytes, tokens as thousandths of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from tests.factories.placement import API, batch, chat, hall, horizon, place, placement_catalog, region, servers
from tests.factories.planning import catalog, highs

from tripoint.domain.catalog import Catalog
from tripoint.domain.dataset import Dataset
from tripoint.domain.estate import Estate
from tripoint.domain.link import Link
from tripoint.domain.units import DatasetId, LinkId, SiteId
from tripoint.domain.workload import Caller, DatasetUse, Recovery, Slo, Standby, Workload
from tripoint.engines.placement.instance.prepare import prepare
from tripoint.engines.placement.outcome import Outcome, solve_instance
from tripoint.testing.strategies import small_estates

SMALLER = 1000.0
"""How many of the smaller unit make one of the larger."""
CORPUS, NOTES = DatasetId("corpus"), DatasetId("notes")
Told = tuple[Estate, Catalog]


def in_megabytes(estate: Estate, tables: Catalog) -> Told:
    """Every volume a thousand times, every price and limit of a volume to match: a GB is read as an MB."""
    told = replace(
        estate,
        datasets=tuple(_dataset(each) for each in estate.datasets),
        links=tuple(_link(each) for each in estate.links),
        workloads=tuple(_moved(each) for each in estate.workloads),
        sites=tuple(
            replace(site, storage_usd_per_gb_month=_per_unit(site.storage_usd_per_gb_month)) for site in estate.sites
        ),
    )
    egress = tuple(
        replace(row, from_gb=row.from_gb * SMALLER, to_gb=_times(row.to_gb), usd_per_gb=row.usd_per_gb / SMALLER)
        for row in tables.egress
    )
    storage = tuple(
        replace(
            row,
            usd_per_gb_month=row.usd_per_gb_month / SMALLER,
            retrieval_usd_per_gb=row.retrieval_usd_per_gb / SMALLER,
        )
        for row in tables.storage
    )
    sizes = {"network.bytes_per_token": SMALLER, "storage.replication_usd_per_gb": 1 / SMALLER}
    return told, _with_defaults(replace(tables, egress=egress, storage=storage), sizes)


def _dataset(each: Dataset) -> Dataset:
    return replace(
        each, size_gb=each.size_gb * SMALLER, change_gb_per_month=each.change_gb_per_month * SMALLER
    )  # fmt: skip


def _link(each: Link) -> Link:
    return replace(each, bandwidth_gbps=_times(each.bandwidth_gbps), usd_per_gb=_per_unit(each.usd_per_gb))


def _moved(load: Workload) -> Workload:
    return replace(
        load,
        demand=replace(load.demand, payload_kb=_times(load.demand.payload_kb)),
        reads=tuple(replace(use, gb_per_month=use.gb_per_month * SMALLER) for use in load.reads),
        writes=tuple(replace(use, gb_per_month=use.gb_per_month * SMALLER) for use in load.writes),
    )


def in_thousandths_of_tokens(estate: Estate, tables: Catalog) -> Told:
    """Every count of tokens a thousand times; prices, bytes and times of a token to match."""
    told = replace(
        estate,
        models=tuple(replace(model, context_tokens=round(model.context_tokens * SMALLER)) for model in estate.models),
        workloads=tuple(_asked(each) for each in estate.workloads),
    )
    prices = tuple(
        replace(
            row,
            usd_in_per_mtok=row.usd_in_per_mtok / SMALLER,
            usd_out_per_mtok=row.usd_out_per_mtok / SMALLER,
            usd_cached_per_mtok=_per_unit(row.usd_cached_per_mtok),
            usd_batch_in_per_mtok=_per_unit(row.usd_batch_in_per_mtok),
            usd_batch_out_per_mtok=_per_unit(row.usd_batch_out_per_mtok),
            max_input_tokens=None if row.max_input_tokens is None else round(row.max_input_tokens * SMALLER),
        )
        for row in tables.api_prices
    )
    speeds = tuple(
        replace(
            point,
            input_tokens=point.input_tokens * SMALLER,
            output_tokens=point.output_tokens * SMALLER,
            tokens_per_s_per_gpu=point.tokens_per_s_per_gpu * SMALLER,
            low=_times(point.low),
            high=_times(point.high),
            tpot_ms=_per_unit(point.tpot_ms),
        )
        for point in tables.throughput
    )
    models = tuple(replace(row, kv_mb_per_token=_per_unit(row.kv_mb_per_token)) for row in tables.models)
    counts = dict.fromkeys(("sizing.input_tokens", "sizing.output_tokens"), SMALLER)
    sizes = dict.fromkeys(("network.bytes_per_token", "hosting.api_tpot_ms"), 1 / SMALLER)
    return told, _with_defaults(replace(tables, api_prices=prices, throughput=speeds, models=models), counts | sizes)


def _asked(load: Workload) -> Workload:
    asked = load.demand
    demand = replace(
        asked,
        input_tokens=_times(asked.input_tokens),
        output_tokens=_times(asked.output_tokens),
        mtok_per_month=_times(asked.mtok_per_month),
    )
    return replace(load, demand=demand, slo=replace(load.slo, tpot_ms=_per_unit(load.slo.tpot_ms)))


def _times(value: float | None) -> float | None:
    return None if value is None else value * SMALLER


def _per_unit(usd: float | None) -> float | None:
    return None if usd is None else usd / SMALLER


def _with_defaults(tables: Catalog, factors: dict[str, float]) -> Catalog:
    rows = tuple(replace(row, typical=row.typical * factors.get(row.key, 1.0)) for row in tables.defaults)
    return replace(tables, defaults=rows)


def outcome(told: Told) -> Outcome:
    """What comes of planning an estate on these tables."""
    estate, tables = told
    return solve_instance(prepare(estate, tables, {}), highs)


def laden() -> Estate:
    """Callers, an API, data read from afar, written and copied, a line that is full, tiers that are passed."""
    near, far = Caller(place="NL", share=0.5), Caller(place="US", share=0.5)
    talk = chat(
        callers=(near, far),
        reads=(DatasetUse(dataset=CORPUS, gb_per_month=30_000.0),),
        slo=Slo(ttft_ms=3000.0, tpot_ms=100.0),
    )
    work = batch(mtok=4000.0, writes=(DatasetUse(dataset=NOTES, gb_per_month=12_000.0),))
    safe = chat("safe", rate=4.0, recovery=Recovery(standby=Standby.WARM))
    seen = chat("seen", rate=4.0, callers=(Caller(place="US"),), only_at=("cloud",))
    seen = replace(seen, demand=replace(seen.demand, payload_kb=3_000.0))
    corpus = Dataset(id=CORPUS, size_gb=40_000.0, change_gb_per_month=500.0, copies=(SiteId("hall"),), rpo_minutes=30.0)
    notes = Dataset(id=NOTES, size_gb=3_000.0, copies=(SiteId("cloud"),))
    line = Link(id=LinkId("line"), source=SiteId("hall"), target=SiteId("cloud"), rtt_ms=80.0, bandwidth_gbps=0.08)
    return place(
        hall(pool=servers(held=1, max_nodes=2)),
        region(),
        region("api", pools=(), apis=(API,)),
        workloads=(talk, work, safe, seen),
        datasets=(corpus, notes),
        links=(line,),
        horizon=horizon(2, 2),
    )


INTO = pytest.mark.parametrize("smaller", [in_megabytes, in_thousandths_of_tokens], ids=["bytes", "tokens"])


@INTO
def test_smaller_units_of_volume_change_nothing(smaller: Callable[[Estate, Catalog], Told]) -> None:
    """The same cost and the same nodes, on an estate where bytes and tokens both cost and bind."""
    large, small = outcome((laden(), placement_catalog())), outcome(smaller(laden(), placement_catalog()))
    assert large.decisions is not None
    assert small.decisions is not None
    assert small.solution.objective == pytest.approx(large.solution.objective, rel=1e-5)
    assert small.solution.bound == pytest.approx(large.solution.bound, rel=1e-5)
    assert _nodes(small) == pytest.approx(_nodes(large), abs=1e-6)


def _nodes(found: Outcome) -> list[float]:
    assert found.decisions is not None
    return [row.owned + row.committed + row.on_demand for row in found.decisions.pools]


@pytest.mark.parametrize("part", ["egress", "line", "data", "payload", "prices", "speeds"])
def test_a_unit_of_the_wrong_size_is_noticed(part: str) -> None:
    """The estate above is one on which each of these matters: told in the wrong unit alone, its cost is another."""
    estate, tables = laden(), placement_catalog()
    small, small_tables = in_megabytes(estate, tables)
    _, short_tables = in_thousandths_of_tokens(estate, tables)
    wrong = {
        "egress": (estate, replace(tables, egress=small_tables.egress)),
        "line": (replace(estate, links=tuple(replace(e, bandwidth_gbps=8e-5) for e in estate.links)), tables),
        "data": (replace(estate, datasets=small.datasets), tables),
        "payload": (estate, _with_defaults(tables, {"network.bytes_per_token": SMALLER})),
        "prices": (estate, replace(tables, api_prices=short_tables.api_prices)),
        "speeds": (estate, replace(tables, throughput=short_tables.throughput)),
    }[part]
    right, found = outcome((estate, tables)), outcome(wrong)
    assert found.solution.objective != pytest.approx(right.solution.objective, rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(small_estates())
def test_megabytes_change_nothing_on_any_estate(estate: Estate) -> None:
    """On the shipped catalogue, with its tiers."""
    large = outcome((estate, catalog()))
    assume(large.summary is not None)
    small = outcome(in_megabytes(estate, catalog()))
    assert small.solution.objective == pytest.approx(large.solution.objective, rel=1e-5, abs=0.01)
