"""Why a workload is where it is, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from tripoint.apps.render.plan_text.layout import lines, printed, titled
from tripoint.apps.render.reading.amounts import percent, plural

if TYPE_CHECKING:
    from tripoint.domain.fit import Refusal
    from tripoint.engines.answers.explanation.explained import Barred, Explained, NodeValue, Otherwise, Value
    from tripoint.engines.answers.homes import Home

_TOLD = 0.005
_MOST = 6
_LEAST_USD = 0.5
"""Less is told as 0 USD."""
_CLOSE = 1.05
"""What is saved and what may be at most are one figure up to this factor."""


def explanation_text(found: Explained, *, is_full: bool = False, width: int | None = None) -> str:
    """Why here, the next best, what limits are worth, and why not elsewhere; amounts are USD."""
    summary = found.summary
    parts: list[RenderableType] = [
        Group(Text(f"{summary.id}: {summary.cost_usd:,.0f} USD over the horizon"), lines([summary.why])),
        titled("Lives, by volume over the horizon", lines(_homes(found.homes) or ["nowhere: it asks for nothing"])),
    ]
    for title, other in (("Next best", found.next_best), ("Instead", found.instead)):
        if other is not None:
            parts.append(titled(f"{title}, {other.asked}", lines(_otherwise(other))))
    worths = [*_values(found), *map(_barred, found.barred)]
    parts.append(titled("What one more unit of a limit is worth", lines(worths)))
    parts.append(titled("Why not elsewhere", lines(_closed(found, 10**9 if is_full else _MOST))))
    return printed(parts, width=width).rstrip("\n")


def explanation_payload(found: Explained) -> dict[str, Any]:
    """The members of the JSON document."""
    return {
        "workload": asdict(found.summary),
        "homes": [asdict(home) for home in found.homes],
        "next_best": None if found.next_best is None else asdict(found.next_best),
        "instead": None if found.instead is None else asdict(found.instead),
        "limits": [
            {
                "name": value.worth.limit.name,
                "family": value.worth.limit.family,
                "unit": value.worth.limit.unit,
                "gpus_per_unit": value.worth.limit.gpus,
                "dual_npv_usd": value.worth.usd,
                "saved_npv_usd": value.saved_usd,
            }
            for value in found.limits
        ],
        "nodes": [
            {
                "pool": value.node.pool,
                "gpus": value.node.gpus,
                "takes": [{"name": limit.name, "units": units} for limit, units in value.node.takes],
                "saved_npv_usd": value.saved_usd,
            }
            for value in found.nodes
        ],
        "barred": [
            {
                "pool": value.node.pool,
                "gpus": value.node.gpus,
                "lacks": [{"name": limit.name, "units": units} for limit, units in value.node.takes],
                "saved_npv_usd": value.saved_usd,
                "most_npv_usd": value.most_usd,
                "open_npv_usd": value.open_usd,
            }
            for value in found.barred
        ],
        "unused": list(found.unused),
        "refusals": [asdict(row) for row in found.refusals],
    }


def _homes(homes: tuple[Home, ...]) -> list[str]:
    shown = [home for home in homes if home.share >= _TOLD]
    return [f"{percent(home.share)} {home.way} at `{home.site}` ({home.pool})" for home in shown]


def _otherwise(other: Otherwise) -> list[str]:
    if other.conflict is not None:
        return [f"no plan exists: {' + '.join(other.conflict.families)}", *other.conflict.details[:_MOST]]
    change = f"the estate costs {_more(other.worse_usd, ' USD')}, {_more(other.worse_npv_usd)} discounted"
    if other.least_npv_usd > 0:
        told = f"{change}; proven: at least {other.least_npv_usd:,.0f} more discounted"
    else:
        told = f"{change}; the search leaves open whether that is more at all"
    if other.was_interrupted:
        told += "; the search around the plan ended before the gap asked for, and planning afresh may prove more"
    return [told, *_homes(other.homes)]


def _values(found: Explained) -> list[str]:
    """Limits whose next unit saves something, whole nodes that save more; what binds for nothing is in the JSON."""
    if not found.limits:
        parts = ", if nodes could be divided" if found.barred else ""
        return [f"no limit of its sites and links binds, with everybody where the plan has them{parts}"]
    alone = {value.worth.limit: value.saved_usd for value in found.limits}
    told = [_value(value) for value in found.limits if value.saved_usd >= _LEAST_USD]
    whole = [
        _node(value)
        for value in found.nodes
        if value.saved_usd >= _LEAST_USD + max(alone.get(limit, 0.0) * units for limit, units in value.node.takes)
    ]
    if not told and whole:
        told = ["one more unit of a single limit that binds saves nothing, because several bind together"]
    return [*told, *whole] or ["one more unit of any limit that binds saves nothing"]


def _node(value: NodeValue) -> str:
    """A node is bought with its rack and its power."""
    node = value.node
    takes = [f"{units:.3g} {limit.unit}" for limit, units in node.takes if limit.family != "obtainable"]
    each = f", {value.saved_usd / node.gpus:,.0f} a GPU" if node.gpus else ""
    return f"{node.pool}: one more node with {' and '.join(takes)} saves {value.saved_usd:,.0f} USD discounted{each}"


def _barred(value: Barred) -> str:
    """A whole node that some limit leaves too little for."""
    node = value.node
    lacks = " and ".join(f"{units:.3g} {limit.unit} ({limit.name})" for limit, units in node.takes)
    barred = f"{node.pool}: one more whole node does not fit for want of {lacks}"
    if value.saved_usd < _LEAST_USD:
        left = f" that was found; the search leaves up to {value.most_usd:,.0f} USD open"
        return f"{barred}; with that it saves nothing{left if value.most_usd >= _LEAST_USD else ''}"
    each = f", {value.saved_usd / node.gpus:,.0f} a GPU" if node.gpus else ""
    told = f"{barred}; with that it saves {value.saved_usd:,.0f} USD discounted{each}"
    if value.most_usd > value.saved_usd * _CLOSE:
        told += f", {value.most_usd:,.0f} at most"
    if value.saved_usd <= value.open_usd:
        told += f"; the plan's own search left {value.open_usd:,.0f} open"
    return told


def _value(value: Value) -> str:
    limit = value.worth.limit
    each = f", {value.saved_usd / limit.gpus:,.0f} a GPU" if limit.gpus else ""
    return f"{limit.name}: one more {limit.unit} saves {value.saved_usd:,.0f} USD discounted{each}"


def _closed(found: Explained, most: int) -> list[str]:
    priced = "" if found.instead is None else found.instead.asked
    unused = [site for site in found.unused if priced != f"only at `{site}`"]
    rows = [f"`{site}`: it may run there and does not; `--at {site}` prices that" for site in unused]
    by_site: dict[str, list[Refusal]] = {}
    for row in found.refusals:
        by_site.setdefault(row.site, []).append(row)
    for site, mine in by_site.items():
        first, more = mine[0], len(mine) - 1
        node = "" if first.node_type == "*" else f" on {first.node_type}"
        rest = f" ({plural(more, 'more refusal')} there)" if more else ""
        rows.append(f"`{site}`{node}: {first.text}{rest}")
    if len(rows) <= most:
        return rows or ["no site is closed to it"]
    return [*rows[: most - 1], f"... {len(rows) - most + 1} more with `--full`"]


def _more(usd: float, unit: str = "") -> str:
    return f"{abs(usd):,.0f}{unit} {'less' if usd < 0 else 'more'}"
