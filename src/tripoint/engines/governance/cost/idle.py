"""What was paid for nodes in an hour and used by nobody? A row of its own, per upstream and hour.

    idle = what the nodes cost in the hour - firm part of what was served there, by its price rows

The firm part of a row is what it holds of hours that are paid anyway; energy that only work draws and egress are paid
because of the request, and lie outside. So for every upstream and hour, to the nano-dollar,

    billed to requests + idle = cost of the nodes + what the requests caused beyond them

Where more was served than the nodes are sized for, requests were billed more than the nodes cost: a correction takes
the difference back. Records that come late, or prices that become known late, make a correction of the difference;
nothing entered is ever changed. An id tells the hour, the upstream and how many rows came before, so that of two who
enter the same at once only one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tripoint.domain.ledger import Adjustment, EntryKind, PriceRow
from tripoint.domain.money import PICO_PER_NANO, usd
from tripoint.domain.pricelist import PriceList
from tripoint.engines.governance.ledger.days import hour_text

HOUR_S = 3600
"""Seconds of an hour."""
PREFIX = "idle/"
"""How the id of every row made here begins."""
_MS = 1000

Prices = Mapping[tuple[str, str], PriceRow]
"""Price rows by version and id."""


class Served(NamedTuple):
    """What was served at an upstream in an hour by one price row."""

    prices: str
    """Price version."""
    tariff: str
    """Price row."""
    tokens_in: int
    """Input tokens, cached ones included."""
    cached: int
    """Input tokens read from a cache."""
    tokens_out: int
    """Output tokens."""
    nano: int
    """What it was billed, nano-dollars."""


class Entered(NamedTuple):
    """What has been entered for an hour of an upstream before."""

    first: str
    """Id of the first row."""
    nano: int
    """Sum of all of them, nano-dollars."""
    rows: int
    """How many there are."""


class Paid(NamedTuple):
    """What nodes behind an upstream cost in an hour."""

    upstream: str
    """Upstream id."""
    site: str
    """Site id."""
    hour: int
    """Hours since 1970, UTC."""
    nano: int
    """Cost, nano-dollars; 0 where none were held."""
    prices: str
    """The last price version in force in the hour."""


def paid_in(lists: Sequence[PriceList], hour: int) -> tuple[Paid, ...]:
    """What each upstream's nodes cost in an hour, by the lists in force; `lists` by time. Parts of an hour count so."""
    start, end = hour * HOUR_S * _MS, (hour + 1) * HOUR_S * _MS
    parts: dict[tuple[str, str], int] = {}
    prices: dict[tuple[str, str], str] = {}
    for number, each in enumerate(lists):
        until = round(lists[number + 1].at * _MS) if number + 1 < len(lists) else end
        span = min(end, until) - max(start, round(each.at * _MS))
        if span <= 0:
            continue
        for held in each.holdings:
            key = (held.upstream, held.site)
            parts[key] = parts.get(key, 0) + held.nano_per_hour * span
            prices[key] = each.version
    whole = HOUR_S * _MS
    return tuple(
        Paid(upstream, site, hour, part // whole, prices[upstream, site])
        for (upstream, site), part in sorted(parts.items())
    )


def firm_used(served: Iterable[Served], prices: Prices) -> int:
    """The part of what was billed that pays for nodes, nano-dollars; all of it where the row is not known (yet).

    Rounded once a row and hour, so that no request's rounding adds up.
    """
    total = 0
    for each in served:
        row = prices.get((each.prices, each.tariff))
        if row is None:
            total += each.nano
            continue
        firm = row.firm
        pico = (
            (each.tokens_in - each.cached) * firm.pico_in
            + each.cached * firm.pico_cached
            + each.tokens_out * firm.pico_out
        )
        total += (pico + PICO_PER_NANO // 2) // PICO_PER_NANO
    return total


def idle_row(paid: Paid, served: Iterable[Served], prices: Prices, before: Entered | None) -> Adjustment | None:
    """The row that brings an hour to what was paid and not used; `None` where it is there already."""
    owed = paid.nano - firm_used(served, prices)
    missing = owed - (before.nano if before is not None else 0)
    count = before.rows if before is not None else 0
    if missing == 0:
        return None
    hour = hour_text(paid.hour)
    if before is not None:
        reason = f"{hour}: {_usd(owed)} idle instead of {_usd(before.nano)}, since more became known of the hour"
    elif owed > 0:
        reason = f"{hour}: nodes cost {_usd(paid.nano)}, {_usd(paid.nano - owed)} of that was used"
    else:
        reason = f"{hour}: {_usd(paid.nano - owed)} billed for nodes that cost {_usd(paid.nano)}"
    is_idle = before is None and owed > 0
    return Adjustment(
        id=f"{PREFIX}{paid.upstream}/{hour}/{count}",
        kind=EntryKind.IDLE if is_idle else EntryKind.CORRECTION,
        at=float(paid.hour * HOUR_S),
        tenant="",
        key="",
        workload="",
        model="",
        site=paid.site,
        upstream=paid.upstream,
        nano=missing,
        list_nano=missing,
        tokens_in=0,
        tokens_out=0,
        prices=paid.prices,
        corrects=before.first if before is not None else "",
        reason=reason,
    )


def _usd(nano: int) -> str:
    """Exact, without zeros that say nothing."""
    return f"{usd(nano).normalize():f} USD"
