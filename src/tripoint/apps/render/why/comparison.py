"""Two plans beside each other, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from tripoint.apps.render.plan_text.layout import lines, printed, table, titled
from tripoint.apps.render.reading.conflict import reasons

if TYPE_CHECKING:
    from tripoint.domain.plan import Plan
    from tripoint.engines.answers.comparison.comparison import Change, Comparison

_MOST = 8
"""Rows of each part unless every row is asked for."""
_SHARED = "shared by all"
_Row = tuple[Any, ...]
"""Name and amounts in cents."""


def comparison_text(
    found: Comparison, names: tuple[str, str], *, is_full: bool = False, width: int | None = None
) -> str:
    """The difference, why, in three views, what moved, and what to bear in mind; amounts are USD."""
    most = 10**9 if is_full else _MOST
    parts: list[RenderableType] = [
        Group(
            Text(f"A: {names[0]}", overflow="fold"),
            Text(f"B: {names[1]}", overflow="fold"),
            Text(f"{_usd(found.before)} -> {_usd(found.after)} USD over the horizon: {_signed(found.cents)} USD"),
        )
    ]
    if any(change.cents for change in (*found.workloads, *found.sites, *found.kinds)):
        parts += [
            _view("By workload", "Workload", found.workloads, most),
            _causes(found, most),
            _view("By site", "Site", found.sites, most),
            _view("By kind of charge", "Kind", found.kinds, most),
        ]
    if found.prices:
        parts.append(_prices(found, most))
    told = [*(str(row) for row in found.moved), *found.steps]
    none = "nothing" if found.is_same else "no share of 5 % or more, and no nodes, expansions or copies"
    parts.append(titled("What moved", lines(_cut(told, most) or [none])))
    if found.notes:
        parts.append(titled("To bear in mind", lines(found.notes)))
    return printed(parts, width=width).rstrip("\n")


def comparison_payload(found: Comparison, names: tuple[str, str]) -> dict[str, Any]:
    """The members of the JSON document; money as whole cents of USD."""
    return {
        "a": names[0],
        "b": names[1],
        "before_cents": found.before,
        "after_cents": found.after,
        "change_cents": found.cents,
        "workloads": [
            {**_changed(change), **causes._asdict()}
            for change, causes in zip(found.workloads, found.causes, strict=True)
        ],
        "sites": [{"site": change.name, **_changed(change)} for change in found.sites],
        "kinds": [{"kind": change.name, **_changed(change)} for change in found.kinds],
        "prices": [row._asdict() for row in found.prices],
        "moved": [
            {"what": row.what, "where": row.where, "before": row.before, "after": row.after, "unit": row.unit}
            for row in found.moved
        ],
        "steps": list(found.steps),
        "notes": list(found.notes),
    }


def _changed(change: Change) -> dict[str, int]:
    return {"before_cents": change.before, "after_cents": change.after, "change_cents": change.cents}


def _causes(found: Comparison, most: int) -> Group:
    columns = (("Workload", "l"), ("Change", "r"), ("Demand", "r"), ("Prices", "r"), ("Placement and use", "r"))
    rows = [
        (change.name or _SHARED, change.cents, why.demand, why.prices, why.placement)
        for change, why in zip(found.workloads, found.causes, strict=True)
    ]
    told = [[name, *map(_signed, amounts)] for name, *amounts in _summed(rows, most)]
    return titled("Why", table(columns, told))


def _view(title: str, heading: str, changes: tuple[Change, ...], most: int) -> Group:
    rows = [(change.name or _SHARED, change.before, change.after, change.cents) for change in changes]
    told = [[name, _usd(before), _usd(after), _signed(change)] for name, before, after, change in _summed(rows, most)]
    return titled(title, table(((heading, "l"), ("A", "r"), ("B", "r"), ("Change", "r")), told))


def _summed(rows: list[_Row], most: int) -> list[_Row]:
    """The first rows, the others as one, and the total: what is shown adds up to the cent."""
    rows = [row for row in rows if any(row[1:])]
    shown = rows if len(rows) <= most else rows[: most - 1]
    rest = rows[len(shown) :]
    others = [_sum(f"{len(rest)} others", rest)] if rest else []
    return [*shown, *others, _sum("total", rows)]


def _sum(name: str, rows: list[_Row]) -> _Row:
    return (name, *(sum(column) for column in list(zip(*rows, strict=True))[1:]))


def _prices(found: Comparison, most: int) -> Group:
    told = [
        f"{row.kind} {row.resource or row.site} at `{row.site}`{f' {row.option}' if row.option else ''}: "
        f"{row.before_usd:,.6g} -> {row.after_usd:,.6g} USD a {row.unit}, {_signed(row.cents)} USD"
        for row in found.prices
    ]
    return titled("Prices that changed", lines(_cut(told, most)))


def _cut(told: list[str], most: int) -> list[str]:
    if len(told) <= most:
        return told
    return [*told[: most - 1], f"... {len(told) - most + 1:,} more with `--full`"]


def _usd(cents: int) -> str:
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole:,}.{rest:02d}"


def _signed(cents: int) -> str:
    return f"+{_usd(cents)}" if cents > 0 else _usd(cents)


def conflict_lines(told: Iterable[tuple[str, Plan]]) -> str:
    """Each plan that does not exist, and why."""
    return "\n".join(
        "\n".join(
            [f"{name}: no plan exists: {plan.why_none}", printed([lines(reasons(plan.conflict))]).rstrip("\n")]
        ).rstrip("\n")
        for name, plan in told
    )
