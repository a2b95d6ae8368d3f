"""Reads the catalogue tables shipped as CSV: which dated prices, speeds and rules a plan may rest on.

Assumes one file per table under `tripoint/catalogs`, the columns of the table's dataclass with its provenance
spread over `source`, `as_of` and `confidence`, and an optional `note` for human readers. Nothing is cached:
the caller keeps what it loaded.
"""

from __future__ import annotations

from tripoint.adapters.catalog_csv.load import load_catalog

__all__ = ["load_catalog"]
