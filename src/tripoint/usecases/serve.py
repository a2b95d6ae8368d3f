"""Serve an estate: load it (and its plan), compile the routing table, refuse what must not be served."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tripoint.domain.catalog import Catalog
from tripoint.domain.errors import EstateError, Finding, Severity
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.domain.table import RoutingTable
from tripoint.engines.gateway.table.compile import USED_ALL_THE_SAME, Compiled, compile_table

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
        said = tuple(_refused(each) if each.code == PLAN_OF_ANOTHER_ESTATE else each for each in said)
    if any(each.severity is Severity.ERROR for each in said):
        raise EstateError(said)
    return Compiled(table=compiled.table, findings=(*loaded.findings, *said))


def _refused(doubt: Finding) -> Finding:
    """The doubt about a plan of another estate as the reason why it is not served."""
    message = f"{doubt.message.removesuffix(USED_ALL_THE_SAME)}; strictly, such a plan is not served"
    return replace(doubt, severity=Severity.ERROR, message=message, hint=f"{doubt.hint}, or serve without `--strict`")


__all__ = ["Compiled", "compile_routing"]
