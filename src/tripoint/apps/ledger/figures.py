"""What the ledger process tells on the page of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tripoint.domain.ledger import Dimension, SpendQuery
from tripoint.domain.money import NANO_PER_USD
from tripoint.engines.gateway.telemetry import meters
from tripoint.engines.gateway.telemetry.counts.snapshots import Snapshot
from tripoint.engines.governance.ledger.anomalies import anomalies_of, history_query
from tripoint.engines.governance.ledger.days import day_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tripoint.apps.ledger.loader import Loader
    from tripoint.domain.budget import Tally
    from tripoint.engines.gateway.telemetry.meters import Meter
    from tripoint.ports import Ledger

Figure = tuple[str, tuple[str, ...], float]
"""Name, labels, value."""
_MOST_SERIES = 1000
_OTHER = "other"


def spend_figures(ledger: Ledger, now: float) -> list[Figure]:
    """Spend of the day."""
    today = day_of(now)
    asked = (
        (meters.SPEND_TODAY, (Dimension.TENANT,)),
        (meters.SPEND_TODAY_AT, (Dimension.KIND, Dimension.MODEL, Dimension.SITE)),
    )
    found: list[Figure] = []
    for meter, by in asked:
        rows = sorted(ledger.spend(SpendQuery(by=by, since=today, until=today)), key=lambda row: -abs(row.nano))
        found += [_figure(meter, row.by, row.nano / NANO_PER_USD) for row in rows[:_MOST_SERIES]]
        rest = sum(row.nano for row in rows[_MOST_SERIES:])
        if rest:
            found.append(_figure(meter, (_OTHER,) * len(by), rest / NANO_PER_USD))
    return found


def anomaly_figures(ledger: Ledger, now: float) -> list[Figure]:
    """What stands out today."""
    today = day_of(now)
    found = anomalies_of(today, ledger.spend(history_query(today)))
    return [_figure(meters.ANOMALY, (each.tenant, each.model), each.ratio) for each in found[:_MOST_SERIES]]


def standing_figures(loader: Loader, waiting: int, damaged: int, now: float) -> list[Figure]:
    """How loading goes."""
    return [
        _figure(meters.LEDGER_ENTRIES, (), loader.added),
        _figure(meters.LEDGER_REPEATED, (), loader.repeated),
        _figure(meters.LEDGER_DAMAGED, (), damaged),
        _figure(meters.LEDGER_LAG, (), max(0.0, now - loader.level_at)),
        _figure(meters.LEDGER_WAITING, (), waiting),
        _figure(meters.LEDGER_FAULT, (), 1.0 if loader.fault else 0.0),
        _figure(meters.LEDGER_TOLD, (), now),
    ]


def budget_figures(tallies: Sequence[Tally]) -> list[Figure]:
    """Where budgets stand, the fullest first where there are too many to tell."""
    fullest = sorted(tallies, key=lambda tally: -tally.spent_nano / max(1, tally.limit_nano))[:_MOST_SERIES]
    found: list[Figure] = []
    for tally in fullest:
        labels = tally.scope.tenant, tally.budget
        found.append(_figure(meters.BUDGET_LIMIT, labels, tally.limit_nano / NANO_PER_USD))
        found.append(_figure(meters.BUDGET_SPENT, labels, tally.spent_nano / NANO_PER_USD))
    return found


def snapshot_of(figures: list[Figure]) -> bytes:
    """The figures as workers' pages read them."""
    return msgspec.msgpack.encode(Snapshot(figures=figures))


def _figure(meter: Meter, labels: tuple[str, ...], value: float) -> Figure:
    return (meter.name, labels, float(value))
