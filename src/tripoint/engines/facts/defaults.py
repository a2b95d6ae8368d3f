"""What is assumed where the estate says nothing? Default rows of the catalogue, or the estate's own value
for them.

Assumes keys as in the catalogue's `defaults` table (`pue.colo`); the figure's key is `default.<key>`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tripoint.domain.catalog import Catalog, DefaultRow
from tripoint.domain.errors import InternalError
from tripoint.domain.provenance import Figure, Origin
from tripoint.engines.facts.grades import origin_of


def default_figure(catalog: Catalog, overrides: Mapping[str, float], key: str) -> Figure:
    """The default `key`, or the value the estate's `assumptions` give it."""
    row = _row(catalog, key)
    if row is None:
        raise InternalError(
            f"no default `{key}` in the catalogue", hint="add a row to the catalogue's table of defaults"
        )
    if key in overrides:
        return _declared(row, float(overrides[key]))
    return Figure(
        key=f"default.{key}",
        value=row.typical,
        unit=row.unit,
        origin=origin_of(row.provenance),
        low=row.low,
        high=row.high,
        provenance=row.provenance,
        note=row.note,
    )


def first_default(catalog: Catalog, overrides: Mapping[str, float], *keys: str) -> Figure:
    """The first of `keys` the catalogue has, most specific first; the last one must exist."""
    for key in keys[:-1]:
        if has_default(catalog, key):
            return default_figure(catalog, overrides, key)
    return default_figure(catalog, overrides, keys[-1])


def has_default(catalog: Catalog, key: str) -> bool:
    """True when the catalogue has a default of that key."""
    return _row(catalog, key) is not None


def _row(catalog: Catalog, key: str) -> DefaultRow | None:
    return next((row for row in catalog.defaults if row.key == key), None)


def _declared(row: DefaultRow, value: float) -> Figure:
    return Figure(
        key=f"default.{row.key}",
        value=value,
        unit=row.unit,
        origin=Origin.DECLARED,
        note=f"own value under `assumptions`; the catalogue says {row.typical:g} {row.unit}",
    )
