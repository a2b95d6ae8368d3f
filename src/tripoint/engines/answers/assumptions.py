"""What the plan assumes, sorted by the money that rests on it.

A figure bears the charges whose unit price used it, and a sizing figure (throughput, derate, memory, latency) the
charges of the workloads on the pools it sized. One charge may rest on many figures, so the column does not add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tripoint.domain.charge import Charge
from tripoint.domain.decision import Placement
from tripoint.domain.provenance import Assumption, Figure
from tripoint.engines.facts.ages import is_stale
from tripoint.engines.placement.instance.instance import Instance


def assumptions(
    instance: Instance, placements: tuple[Placement, ...], charges: tuple[Charge, ...], today: date
) -> tuple[Assumption, ...]:
    """Every figure that some money rests on, most money first."""
    money = _by_price(charges)
    for key, usd in _by_sizing(instance, placements, charges):
        money[key] = money.get(key, 0.0) + usd
    rows = [_assumption(figure, money[figure.key], today) for figure in instance.figures if figure.key in money]
    return tuple(sorted(rows, key=lambda row: (-row.money_usd, row.figure.key)))


def _assumption(figure: Figure, money_usd: float, today: date) -> Assumption:
    stale = figure.provenance is not None and is_stale(figure.provenance, today)
    return Assumption(figure=figure, money_usd=money_usd, is_stale=stale)


def _by_price(charges: Iterable[Charge]) -> dict[str, float]:
    money: dict[str, float] = {}
    for row in charges:
        for key in row.basis:
            money[key] = money.get(key, 0.0) + row.effective_usd
    return money


def _by_sizing(
    instance: Instance, placements: tuple[Placement, ...], charges: tuple[Charge, ...]
) -> Iterable[tuple[str, float]]:
    """Cost of each (workload, pool) with the keys of the fit that sized it."""
    spent: dict[tuple[str | None, str], float] = {}
    for row in charges:
        place = (row.workload, f"{row.site}/{row.resource}")
        spent[place] = spent.get(place, 0.0) + row.effective_usd
    used = {(row.workload, row.pool) for row in placements}
    seen: set[tuple[str, str]] = set()
    for lane in instance.lanes:
        place_used = (lane.fit.workload, lane.fit.pool)
        if place_used not in used or place_used in seen:
            continue
        seen.add(place_used)
        usd = spent.get(place_used, 0.0)
        yield from ((key, usd) for key in dict.fromkeys(lane.fit.basis) if usd > 0)
