"""All catalogue files to one `Catalog`, with the digest that identifies them in a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

from tripoint.adapters.catalog_csv.rows import Sheet, check_headers, read_rows, read_sheet
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
    contents = _read_files(folder if folder is not None else files("tripoint").joinpath("catalogs"))
    sheets = {name: read_sheet(f"{name}.csv", _text(name, content)) for name, content in contents.items()}

    def rows(name: str, kind: type[Row], renames: Mapping[str, str] | None = None) -> tuple[Row, ...]:
        return read_rows(_sheet(sheets, name), kind, renames or {})

    return Catalog(
        digest=_digest(contents),
        as_of=_newest(sheets),
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
        sources=_sources(_sheet(sheets, "sources")),
    )


def _read_files(folder: Traversable) -> dict[str, bytes]:
    if not folder.is_dir():
        raise InternalError("the catalogue folder is missing from this installation")
    tables = (entry for entry in folder.iterdir() if entry.name.endswith(".csv"))
    return {table.name.removesuffix(".csv"): table.read_bytes() for table in tables}


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InternalError(f"byte {error.start} of {name}.csv is not UTF-8") from None


def _sheet(sheets: Mapping[str, Sheet], name: str) -> Sheet:
    if name not in sheets:
        raise InternalError(f"catalogue table `{name}.csv` is missing from this installation")
    return sheets[name]


def _digest(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(name.encode("utf-8") + b"\0" + contents[name] + b"\0")
    return f"sha256:{digest.hexdigest()}"


def _newest(sheets: Mapping[str, Sheet]) -> str:
    """Newest `as_of` of all tables; ISO dates compare as text."""
    return max((date for sheet in sheets.values() for date in sheet.column("as_of")), default="")


def _sources(sheet: Sheet) -> dict[str, str]:
    check_headers(sheet, ("key", "description"))
    return dict(zip(sheet.column("key"), sheet.column("description"), strict=True))
