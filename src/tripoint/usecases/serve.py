"""Serve an estate: load it (and its plan), compile the routing table, refuse what must not be served."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import EstateError, Severity
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.table.compile import Compiled, compile_table

PLAN_OF_ANOTHER_ESTATE = "TP1703"


def compile_routing(
    loaded: LoadedEstate,
    catalog: Catalog,
    plan: Plan | None,
    *,
    today: date,
    previous: RoutingTable | None = None,
    is_strict: bool = False,
) -> Compiled:
    """The routing table of a checked estate; `is_strict` refuses a plan that was made for another estate.

    Raises `EstateError` with every finding when there is an error: then the table before it serves on.
    """
    compiled = compile_table(loaded, catalog, plan, today=today, previous=previous)
    said = compiled.findings
    if is_strict:
        said = tuple(
            replace(each, severity=Severity.ERROR) if each.code == PLAN_OF_ANOTHER_ESTATE else each for each in said
        )
    if any(each.severity is Severity.ERROR for each in said):
        raise EstateError(said)
    return Compiled(table=compiled.table, findings=(*loaded.findings, *said))


__all__ = ["Compiled", "compile_routing"]
