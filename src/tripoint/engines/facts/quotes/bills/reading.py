"""Rates, commitments and egress out of a FOCUS bill, whoever issued it.

A rate is what node-hours of one node type, region and purchase option cost over how many there were. What is no price
of a node-hour is left out with its reason and its money; nothing is guessed, converted or spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

from tripoint.domain.bill import BillRow
from tripoint.domain.catalog import Catalog
from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.quote import BillReading, ForeignUse, NodeUse, Taken
from tripoint.domain.units import HOURS_PER_MONTH, NodeTypeId
from tripoint.engines.facts.quotes.bills.commitments import Commitments
from tripoint.engines.facts.quotes.bills.leaving import Leavings
from tripoint.engines.facts.quotes.bills.places import Places
from tripoint.engines.facts.quotes.bills.skus import SkuNames
from tripoint.engines.facts.quotes.numbers import rounded
from tripoint.engines.facts.quotes.tally import Tally

_OPTIONS: Final[Mapping[str, PurchaseOption]] = {
    "Standard": PurchaseOption.ON_DEMAND,
    "Dynamic": PurchaseOption.SPOT,
    "Committed": PurchaseOption.COMMITTED,
}
_HOURS: Final[Mapping[str, Decimal]] = {
    "hour": Decimal(1),
    "hours": Decimal(1),
    "hrs": Decimal(1),
    "1 hour": Decimal(1),
    "node-hour": Decimal(1),
    "node-month": Decimal(str(HOURS_PER_MONTH)),
}
_ALIKE: Final = Decimal("1.01")
"""List rates of SKUs of one node type that differ by less are the same price."""

_DEAR: Final = Decimal("1.05")
"""A rate beyond this share of list is worth a look."""

_Key = tuple[str, str, NodeTypeId, PurchaseOption]


class BillTerms(NamedTuple):
    """How a bill is to be read."""

    is_billed: bool = False
    """Takes billed cost for the price instead of effective cost."""
    usd_per: Mapping[str, Decimal] = {"USD": Decimal(1)}
    """USD per unit of each currency that may be taken."""
    tag: str = ""
    """Tag, or column of the provider's own, that says what nodes were used for; the sub account when empty."""


@dataclass(slots=True)
class _Sums:
    """Node-hours of one rate, summed so far."""

    first: int
    rows: int = 0
    hours: Decimal = Decimal(0)
    usd: Decimal = Decimal(0)
    has_effective: bool = True
    listed: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """List cost and hours by SKU price."""

    def add(self, row: BillRow, hours: Decimal, usd: Decimal, listed: Decimal) -> None:
        name = row.sku_price or row.sku
        cost, before = self.listed.get(name, (Decimal(0), Decimal(0)))
        self.listed[name] = (cost + listed, before + hours)
        self.rows += 1
        self.hours += hours
        self.usd += usd
        self.has_effective = self.has_effective and row.has_effective


def read_bill_rows(rows: Iterable[BillRow], catalog: Catalog, terms: BillTerms) -> BillReading:
    """Reads a bill once, row by row; memory grows with its rates, not with its rows."""
    reader = _Reader(catalog, terms)
    for row in rows:
        reader.add(row)
    return reader.reading()


class _Reader:
    """One pass over a bill."""

    def __init__(self, catalog: Catalog, terms: BillTerms) -> None:
        self._terms = terms
        self._names = SkuNames(catalog)
        self._tally = Tally()
        self._sums: dict[_Key, _Sums] = {}
        self._uses: dict[tuple[_Key, str], tuple[Decimal, Decimal]] = {}
        self._commitments = Commitments()
        self._leavings = Leavings()
        self._places = Places()
        self._start = self._end = 0.0
        self._lacking = 0
        self._foreign: dict[tuple[str, str, str, str], tuple[int, Decimal]] = {}

    def add(self, row: BillRow) -> None:
        """Counts one row."""
        self._tally.read += 1
        # A purchase may reach over its whole term, and a correction is of a time before the bill.
        if row.category == "Usage" and not row.charge_class:
            self._start = min(self._start or row.start, row.start)
            self._end = max(self._end, row.end)
            self._lacking += not row.has_effective
        reason = self._take(row)
        if reason:
            cost = row.billed if self._terms.is_billed else row.effective
            is_usage = row.category == "Usage" and not row.charge_class
            if is_usage and row.currency and row.currency not in self._terms.usd_per:
                self._add_foreign(row, cost)
            self._tally.drop(reason, row.place, _told(row), (row.currency or "no currency", cost))

    def _take(self, row: BillRow) -> str:
        """Takes a row into a rate, or says why not."""
        terms = self._terms
        reason = _why_no_usage(row, terms)
        if reason:
            return reason
        factor = terms.usd_per[row.currency]
        usd = (row.billed if terms.is_billed else row.effective) * factor
        provider, region = self._names.provider(row.provider), row.region or row.region_name
        if row.commitment or row.commitment_status:
            self._commitments.add(provider, region, row, row.effective * factor)
        if region:
            self._places.add(provider, region, usd)
        if row.commitment_status == "Unused":
            return "it is committed and was not used; it counts as utilisation, not as a price"
        hours = _hours(row)
        if min(row.billed, row.effective, row.listed, hours or 0) < 0:
            return "it is negative"
        if self._leavings.add(provider, region, row, usd):
            return "it is bytes that leave; egress is listed separately"
        if hours is None:
            return "it is not sold by the hour"
        node = self._names.node_type(provider, row)
        if isinstance(node, str):
            if region:
                self._places.add_unknown(provider, region, row.description or row.sku, hours)
            return node
        option = _OPTIONS.get(row.pricing_category)
        if option is None:
            return f"its pricing category is {row.pricing_category or 'not given'}"
        if not region or not hours:
            return "no hours were used" if region else "no region is given"
        self._commitments.add_nodes(row, node.id, hours)
        key = (provider, region, node.id, option)
        self._sums.setdefault(key, _Sums(row.place)).add(row, hours, usd, row.listed * factor)
        group = _group(row, terms.tag)
        before = self._uses.get((key, group), (Decimal(0), Decimal(0)))
        self._uses[key, group] = (before[0] + hours, before[1] + usd)
        return ""

    def _add_foreign(self, row: BillRow, cost: Decimal) -> None:
        where = (self._names.provider(row.provider), row.region or row.region_name)
        key = (row.currency, *where, _group(row, self._terms.tag))
        rows, amount = self._foreign.get(key, (0, Decimal(0)))
        self._foreign[key] = (rows + 1, amount + cost)

    def reading(self) -> BillReading:
        """Everything the bill said."""
        taken: list[Taken] = []
        doubts: list[str] = []
        if self._lacking and not self._terms.is_billed:
            doubts.append(f"rows of usage without `EffectiveCost`: {self._lacking:,}; billed cost is taken for it")
        for key, sums in self._sums.items():
            reason, example = self._why_no_rate(key, sums)
            if reason:
                self._tally.drop(reason, sums.first, example, ("USD", sums.usd), sums.rows)
                continue
            taken.append(self._taken(key, sums))
            doubts += self._doubts(key, sums)
        return BillReading(
            sheet=self._tally.sheet(taken, doubts),
            uses=tuple(NodeUse(*key, group, *sums) for (key, group), sums in sorted(self._uses.items())),
            commitments=self._commitments.found(),
            leaving=self._leavings.found(),
            places=self._places.found(),
            start=self._start,
            end=self._end,
            foreign=tuple(
                ForeignUse(*key, *sums)
                for key, sums in sorted(self._foreign.items(), key=lambda each: (each[0][0], -each[1][1], each[0]))
            ),
        )

    def _taken(self, key: _Key, sums: _Sums) -> Taken:
        provider, region, sku, option = key
        line = OwnPrice(
            provider=provider,
            sku=sku,
            region=None if self._is_everywhere(provider, region) else region,
            option=option,
            usd_per_hour=rounded(sums.usd / sums.hours),
        )
        return Taken(line, sums.rows, sums.first, f"{round(sums.hours, 2):,} node-hours")

    def _is_everywhere(self, provider: str, region: str) -> bool:
        """True for a country in place of a region, where the bill names no other place of the provider."""
        is_country = not self._names.is_region(provider, region) and self._names.is_country(region)
        return is_country and all(each[1] == region for each in self._sums if each[0] == provider)

    def _doubts(self, key: _Key, sums: _Sums) -> Iterator[str]:
        """What a person should look at in a rate that was taken."""
        provider, region, sku, _ = key
        usd, listed = sums.usd / sums.hours, _listed(sums)
        if listed and usd > _DEAR * listed:
            yield f"`{sku}` in `{region}`: {usd:.6g} USD/h is above the list price of {listed:.6g} USD/h"
        if self._is_everywhere(provider, region):
            yield f"`{region}` is a country, the only place of `{provider}` in the bill: its rates hold everywhere"
        elif not self._names.is_region(provider, region):
            yield f"`{region}` is not a region of `{provider}` the catalogue knows: `{sku}` is priced there alone"

    def _why_no_rate(self, key: _Key, sums: _Sums) -> tuple[str, str]:
        """Why the rows of a rate give none, and an example; empty when they do."""
        _, region, sku, option = key
        rates = {name: cost / hours for name, (cost, hours) in sums.listed.items() if cost > 0}
        if rates and max(rates.values()) > min(rates.values()) * _ALIKE:
            told = ", ".join(f"{name} {rate:.4g}" for name, rate in sorted(rates.items(), key=lambda each: each[1]))
            return "SKUs of one node type cost differently; one rate would fit none", f"{sku} {region}: {told} USD/h"
        if rounded(sums.usd / sums.hours) > 0:
            return "", ""
        listed = _listed(sums)
        if not listed:
            return "it costs nothing", f"{sku} {region} {option}"
        is_billed = self._terms.is_billed or not sums.has_effective
        word = "billed" if is_billed else "effective"
        hint = "" if is_billed else "; `--cost billed` takes billed cost"
        return f"{word} cost is 0 where list cost is not{hint}", f"{sku} {region}: list {listed:.6g} USD/h"


def _why_no_usage(row: BillRow, terms: BillTerms) -> str:
    """Why a row is no usage in a currency that can be taken; empty when it is."""
    if row.category != "Usage":
        return f"it is not usage: {row.category or 'no charge category'}"
    if row.charge_class:
        return f"it changes an earlier bill: {row.charge_class}"
    if row.currency not in terms.usd_per:
        return f"its currency is {row.currency}, and no rate was given" if row.currency else "no currency is given"
    return ""


def _hours(row: BillRow) -> Decimal | None:
    """Node-hours of a row; `None` where it is not sold by the hour."""
    for unit, quantity in ((row.unit, row.consumed), (row.pricing_unit, row.priced)):
        factor = _HOURS.get(unit.lower())
        if factor is not None and quantity is not None:
            return quantity * factor
    return None


def _listed(sums: _Sums) -> Decimal:
    """Mean list rate, USD per node-hour; 0 when the bill has no list cost."""
    return sum((cost for cost, _ in sums.listed.values()), Decimal(0)) / sums.hours


def _group(row: BillRow, tag: str) -> str:
    if tag:
        return row.tags.get(tag) or row.custom.get(tag, "")
    return row.custom.get("x_Workload") or row.sub_account_name or row.sub_account


def _told(row: BillRow) -> str:
    what = row.description or " ".join(part for part in (row.sku, row.meter) if part) or row.service or row.category
    return f"{row.provider}: {what}" if row.provider else what
