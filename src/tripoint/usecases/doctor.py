"""How old and how sure is the catalogue as a whole: `tripoint doctor`."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, fields

from tripoint.domain.catalog import Catalog
from tripoint.domain.provenance import Provenance
from tripoint.engines.facts.ages import is_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueAges:
    """The catalogue in four numbers."""

    as_of: str
    """Newest date in the tables."""
    digest: str
    """Digest of the tables."""
    rows: int
    """Rows that carry a source."""
    stale: int
    """Rows older than 180 days."""
    weak: int
    """Rows recalled or estimated."""


def catalogue_ages(catalog: Catalog, today: datetime.date) -> CatalogueAges:
    """Counts of old and of weak rows over all tables."""
    rows = tuple(_provenances(catalog))
    return CatalogueAges(
        as_of=catalog.as_of,
        digest=catalog.digest,
        rows=len(rows),
        stale=sum(is_stale(row, today) for row in rows),
        weak=sum(row.confidence.is_weak for row in rows),
    )


def _provenances(catalog: Catalog) -> Iterator[Provenance]:
    for table in fields(catalog):
        rows = getattr(catalog, table.name)
        if isinstance(rows, tuple):
            yield from (row.provenance for row in rows if row.provenance is not None)
