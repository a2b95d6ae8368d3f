"""All catalogue files to one `Catalog`, with the digest that identifies them in a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

from tripoint.adapters.catalog_csv.rows import read_cells, read_rows
from tripoint.domain.catalog import (
    ApiPrice,
    Catalog,
    CatalogModel,
    ComputePrice,
    CountrySet,
    DefaultRow,
    EgressTier,
    ElectricityRow,
    LatencyRow,
    PortPrice,
    PriceRatio,
    RegimeRule,
    RegionRow,
    StoragePrice,
    ThroughputPoint,
    TrainingPoint,
)
from tripoint.domain.errors import InternalError
from tripoint.domain.hardware import Accelerator, NodeType

Row = TypeVar("Row")

_LATENCY_ENDS = {"source": "from", "target": "to"}
"""The latency table's ends are called `from` and `to` in the file, where `source` is the provenance."""


def load_catalog(folder: Traversable | None = None) -> Catalog:
    """The catalogue shipped with tripoint, or the one in `folder` when given."""
    tables = _read_files(folder if folder is not None else files("tripoint").joinpath("catalogs"))

    def rows(name: str, kind: type[Row], renames: Mapping[str, str] | None = None) -> tuple[Row, ...]:
        return read_rows(f"{name}.csv", _content(tables, name), kind, renames or {})

    return Catalog(
        digest=_digest(tables),
        as_of=_newest(tables),
        accelerators=rows("accelerators", Accelerator),
        node_types=rows("node_types", NodeType),
        compute_prices=rows("compute_prices", ComputePrice),
        price_ratios=rows("price_ratios", PriceRatio),
        api_prices=rows("api_prices", ApiPrice),
        egress=rows("egress", EgressTier),
        ports=rows("ports", PortPrice),
        storage=rows("storage", StoragePrice),
        regions=rows("regions", RegionRow),
        latency=rows("latency", LatencyRow, _LATENCY_ENDS),
        electricity=rows("electricity", ElectricityRow),
        defaults=rows("defaults", DefaultRow),
        models=rows("models", CatalogModel),
        throughput=rows("throughput", ThroughputPoint),
        training=rows("training", TrainingPoint),
        regimes=rows("regimes", RegimeRule),
        country_sets=rows("country_sets", CountrySet),
        sources=_sources(tables),
    )


def _read_files(folder: Traversable) -> dict[str, bytes]:
    if not folder.is_dir():
        raise InternalError("the catalogue folder `catalogs` is missing from this installation")
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".csv")), key=lambda entry: entry.name)
    return {entry.name.removesuffix(".csv"): entry.read_bytes() for entry in found}


def _content(tables: Mapping[str, bytes], name: str) -> str:
    if name not in tables:
        raise InternalError(f"catalogue table `{name}.csv` is missing from this installation")
    return tables[name].decode("utf-8")


def _digest(tables: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tables):
        digest.update(name.encode("utf-8") + b"\0" + tables[name] + b"\0")
    return f"sha256:{digest.hexdigest()}"


def _newest(tables: Mapping[str, bytes]) -> str:
    """Newest `as_of` of all tables; ISO dates compare as text."""
    dates = [""]
    for name in tables:
        lines = _content(tables, name).splitlines()
        if lines and "as_of" in lines[0].split(","):
            headers = tuple(lines[0].split(","))
            dates.extend(cells["as_of"] for _, cells in read_cells(f"{name}.csv", "\n".join(lines), headers))
    return max(dates)


def _sources(tables: Mapping[str, bytes]) -> dict[str, str]:
    rows = read_cells("sources.csv", _content(tables, "sources"), ("key", "description"))
    return {cells["key"]: cells["description"] for _, cells in rows}
