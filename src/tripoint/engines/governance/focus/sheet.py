"""Rows of an export, in parts: periods, lines and SKUs are made once and pointed at by number.

A million rows share a few thousand lines, so a writer that can join writes fast, and one that cannot still need not
make them anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

import numpy as np

from tripoint.domain.ledger import EntryKind, PriceRow, Spend
from tripoint.domain.money import PICO_PER_NANO
from tripoint.engines.governance.focus.columns import decimal_text
from tripoint.engines.governance.focus.meters import TOKENS, Amount, Meter, Metered, rate, split
from tripoint.engines.governance.focus.priced import METERS, Ints, priced
from tripoint.engines.governance.ledger.days import day_number, day_text

DIMENSIONS: Final = ("kind", "tenant", "key", "workload", "model", "site", "upstream", "tariff", "prices")
"""What the sums behind an export tell apart, beside time, in order."""


class Issuer(NamedTuple):
    """Whose bill it is."""

    provider: str
    """Who provides the service and issues the bill."""
    account: str
    """The account that pays for everything; tenants are its sub accounts."""
    tenants: Mapping[str, str] = {}  # read only, and a NamedTuple's default is shared by nature
    """What people call tenants, by id; who is not in it is called by its id."""


class Period(NamedTuple):
    """When a charge is for, ISO 8601 in UTC; ends are exclusive."""

    start: str
    """First moment of the charge."""
    end: str
    """First moment after it."""
    billing_start: str
    """First moment of its calendar month."""
    billing_end: str
    """First moment of the next."""


class Line(NamedTuple):
    """Whose charge it is and where it arose; `None` where there is nothing to say."""

    account: str
    """Account that pays for everything."""
    account_type: str
    """What such an account stands for."""
    currency: str
    """ISO 4217 code."""
    provider: str
    """Who provides, publishes and issues."""
    host: str | None
    """Where it ran: the site."""
    invoice: str | None
    """Invoice, when there is one."""
    commitment_status: str | None
    """Use of a commitment; none is known here, but the rules of quantities ask for the column."""
    category: str
    """Charge category."""
    charge_class: str | None
    """`Correction` for what corrects an earlier entry."""
    frequency: str
    """How often such a charge comes."""
    service_category: str
    """Category of the service."""
    service_subcategory: str
    """Its subcategory."""
    service: str
    """Its name."""
    reservation: str | None
    """Capacity that is held, for idle capacity."""
    reservation_status: str | None
    """`Unused` for idle capacity."""
    resource_name: str | None
    """Name of the upstream, where it has one beside its id."""
    resource_type: str | None
    """What the resource is."""
    tenant_type: str | None
    """What a sub account stands for."""
    tags: str | None
    """Key and workload as provider-defined tags, JSON."""
    credential: str | None
    """The key, JSON."""
    kind: str
    """Entry kind."""
    tenant: str | None
    """Tenant id."""
    tenant_name: str | None
    """What people call it."""
    key: str | None
    """Key id."""
    workload: str | None
    """Workload id."""
    model: str | None
    """Model spec id."""
    site: str | None
    """Site id."""
    upstream: str | None
    """Upstream id."""
    tariff: str | None
    """Price row."""
    prices: str | None
    """Price version."""


class Sku(NamedTuple):
    """What is charged for, at which price; `None` where there is nothing to say."""

    sku: str
    """What is sold, whatever its price."""
    meter: str
    """What is counted."""
    price: str
    """The SKU at this price; one SKU each."""
    description: str
    """For people."""
    unit: str
    """Unit of what was counted."""
    pricing_unit: str | None
    """Unit that is priced."""
    pricing_category: str
    """How the price came about."""
    contracted_price: str | None
    """Dollars per priced unit."""
    list_price: str | None
    """The same at list prices."""
    own_details: str | None
    """The model, JSON, by a key of ours."""
    details: str | None
    """The model, JSON, by FOCUS's key."""


class Row(NamedTuple):
    """One row: numbers of its parts, and its amount."""

    period: int
    """Its period."""
    line: int
    """Its line."""
    sku: int
    """Its SKU."""
    amount: Amount
    """Its amount."""


class Many(NamedTuple):
    """Rows as columns; every amount is there."""

    periods: Ints
    """[row] period."""
    lines: Ints
    """[row] line."""
    skus: Ints
    """[row] SKU."""
    amounts: Ints
    """[field of `Amount`, row]."""


class Sheet(NamedTuple):
    """Rows, and the parts they are the first to point at."""

    periods: tuple[Period, ...]
    """Periods that were not handed out before."""
    lines: tuple[Line, ...]
    """Lines likewise."""
    skus: tuple[Sku, ...]
    """SKUs likewise."""
    rows: tuple[Row, ...]
    """Rows that are not among `many`."""
    many: Many | None = None
    """The others."""

    @property
    def size(self) -> int:
        """How many rows there are."""
        return len(self.rows) + (0 if self.many is None else self.many.amounts.shape[1])

    def numbers(self) -> Iterator[tuple[int, int, int]]:
        """Period, line and SKU of each row, by number."""
        if self.many is not None:
            columns = (self.many.periods, self.many.lines, self.many.skus)
            yield from zip(*(each.tolist() for each in columns), strict=True)
        yield from ((row.period, row.line, row.sku) for row in self.rows)

    def amounts(self) -> Iterator[Mapping[str, Sequence[int | None]]]:
        """Amounts of the same rows in the same order, as columns by name, in one stretch or several."""
        if self.many is not None:
            yield dict(zip(Amount._fields, self.many.amounts.tolist(), strict=True))
        if self.rows:
            yield dict(zip(Amount._fields, zip(*(row.amount for row in self.rows), strict=True), strict=True))


PriceOf = Callable[[str, str], PriceRow | None]
"""The price row of a version (first) and a tariff (second)."""


_Part = TypeVar("_Part", Period, Sku, tuple[str, ...])


class SheetMaker:
    """Turns sums into rows, and remembers which parts were handed out; one per export."""

    def __init__(self, issuer: Issuer, price_of: PriceOf) -> None:
        self._issuer = issuer
        self._price_of = price_of
        self._times: dict[str, int] = {}
        self._periods: dict[Period, int] = {}
        self._lines: dict[tuple[str, ...], int] = {}
        self._skus: dict[Sku, int] = {}
        self._known: dict[tuple[str, ...], int] = {}

    def make(self, spends: Sequence[Spend]) -> Sheet:
        """The rows of sums by time (`YYYY-MM-DD`, or with `THH`) and `DIMENSIONS`."""
        counts = len(self._periods), len(self._lines), len(self._skus)
        rows: list[Row] = []
        usage: list[tuple[Spend, PriceRow]] = []
        for spend in spends:
            price = self._price_of(spend.by[9], spend.by[8]) if spend.by[9] else None
            if price is not None and spend.by[1] == EntryKind.USAGE:
                usage.append((spend, price))
            else:
                rows += self._rows(spend, price)
        many = self._many(usage)
        if many is None:
            rows += [row for spend, price in usage for row in self._rows(spend, price)]
        periods, skus = tuple(self._periods)[counts[0] :], tuple(self._skus)[counts[2] :]
        lines = tuple(_line(self._issuer, names) for names in tuple(self._lines)[counts[1] :])
        return Sheet(periods, lines, skus, tuple(rows), many)

    def _rows(self, spend: Spend, price: PriceRow | None) -> list[Row]:
        """Rows of one row of sums."""
        time, *names = spend.by
        metered = split(names[0], spend, price)
        if not metered:
            return []
        key = tuple(names)
        period, line = self._period(time), _number(self._lines, key)
        of_price = key[4:] if price is not None else ()
        return [Row(period, line, self._sku(of_price, names, each, price), each.amount) for each in metered]

    def _many(self, usage: Sequence[tuple[Spend, PriceRow]]) -> Many | None:
        """Rows of usage with its price row, as columns; `None` where they do not fit any."""
        numbers: dict[tuple[str, ...], int] = {}
        prices: list[PriceRow] = []
        skus: list[tuple[int, ...]] = []
        parts: list[tuple[int, int, int]] = []
        for spend, price in usage:
            key = spend.by[5:]
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(prices)
                prices.append(price)
                skus.append(tuple([self._priced_sku(key, spend.by[1:], meter, price) for meter in METERS]))
            parts.append((self._period(spend.by[0]), _number(self._lines, spend.by[1:]), number))
        found = priced([spend for spend, _ in usage], prices, [part[2] for part in parts])
        if found is None:
            return None
        periods, lines, rows = np.array(parts, np.int64).reshape(-1, 3).T[:, found.places]
        return Many(periods, lines, np.array(skus, np.int64).reshape(-1, 4)[rows, found.meters], found.amounts)

    def _period(self, time: str) -> int:
        known = self._times.get(time)
        if known is None:
            known = self._times[time] = _number(self._periods, period_of(time))
        return known

    def _sku(self, of_price: tuple[str, ...], names: Sequence[str], metered: Metered, price: PriceRow | None) -> int:
        """Number of a SKU; `of_price` is all that tells one with a price row from another, beside its meter."""
        if price is None:  # its unit price is its own cost
            return _number(self._skus, _lump_sku(names, metered))
        return self._priced_sku(of_price, names, metered.meter, price)

    def _priced_sku(self, of_price: tuple[str, ...], names: Sequence[str], meter: Meter, price: PriceRow) -> int:
        key = (*of_price, meter)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _number(self._skus, _priced_sku(names, meter, price))
        return known


def _number(numbers: dict[_Part, int], value: _Part) -> int:
    return numbers.setdefault(value, len(numbers))


def period_of(time: str) -> Period:
    """The period of a day, or of an hour of it."""
    day, _, hour = time.partition("T")
    month = f"{day[:7]}-01"
    after = f"{int(month[:4]) + 1}-01-01" if month[5:7] == "12" else f"{month[:4]}-{int(month[5:7]) + 1:02d}-01"
    tomorrow = day_text(day_number(day) + 1)
    if hour:
        last = hour == "23"
        start, end = f"{day}T{hour}", f"{tomorrow}T00" if last else f"{day}T{int(hour) + 1:02d}"
    else:
        start, end = f"{day}T00", f"{tomorrow}T00"
    return Period(f"{start}:00:00Z", f"{end}:00:00Z", f"{month}T00:00:00Z", f"{after}T00:00:00Z")


def _line(issuer: Issuer, names: Sequence[str]) -> Line:
    kind, tenant, key, workload, model, site, upstream, tariff, prices = (name or None for name in names)
    is_idle = kind == EntryKind.IDLE
    tags = {f"tripoint/{name}": value for name, value in (("key", key), ("workload", workload)) if value}
    return Line(
        account=issuer.account,
        account_type="Estate",
        currency="USD",
        provider=issuer.provider,
        host=site, invoice=None, commitment_status=None, category="Usage",
        charge_class="Correction" if kind == EntryKind.CORRECTION else None,
        frequency="Usage-Based",
        service_category="AI and Machine Learning",
        service_subcategory="Generative AI",
        service="Inference",
        reservation=(upstream or site or "unnamed") if is_idle else None,
        reservation_status="Unused" if is_idle else None,
        resource_name=None,
        resource_type="Upstream" if upstream else None,
        tenant_type="Tenant" if tenant else None,
        tags=_json(tags) if tags else None,
        credential=_json({"Type": "API Key", "Name": key}) if key else None,
        kind=kind or EntryKind.USAGE,
        tenant_name=issuer.tenants.get(tenant, tenant) if tenant else None,
        tenant=tenant, key=key, workload=workload, model=model, site=site, upstream=upstream, tariff=tariff,
        prices=prices,
    )  # fmt: skip


def _priced_sku(names: Sequence[str], meter: Meter, price: PriceRow) -> Sku:
    is_tokens = meter in TOKENS
    name = f"{names[7]}/{_slug(meter)}"
    return Sku(
        sku=name,
        meter=str(meter),
        price=f"{names[8]}/{name}",
        description=_described(meter, names),
        unit="Tokens" if is_tokens else "Requests",
        pricing_unit="1000000 Tokens" if is_tokens else "Requests",
        pricing_category="Standard",
        # A million tokens at so many pico-dollars each are so many micro-dollars.
        contracted_price=decimal_text(rate(price.tariff, meter), 6 if is_tokens else 12),
        list_price=decimal_text(rate(price.listed, meter), 6 if is_tokens else 12),
        own_details=_json({"x_ModelId": names[4]}) if names[4] else None,
        details=_json({"ModelId": names[4]}) if names[4] else None,
    )


def _lump_sku(names: Sequence[str], metered: Metered) -> Sku:
    """A SKU without a price row: its unit is the lump of the row, priced at what the row cost."""
    meter, amount = metered
    kind, model, site, upstream = names[0], names[4], names[5], names[6]
    name = "/".join(each for each in (kind, upstream or site, model, names[7], _slug(meter)) if each)
    is_priced, is_idle = amount.pricing_micro is not None, meter is Meter.IDLE
    unit = "Tokens" if meter in TOKENS else "Hours" if is_idle else "Lots"
    pricing_unit = "1000000 Tokens" if meter in TOKENS else unit
    negative = amount.nano < 0 or amount.list_nano < 0
    prices = (amount.nano, amount.list_nano)
    contracted, listed = (decimal_text(each * PICO_PER_NANO, 12) for each in prices)
    return Sku(
        sku=name,
        meter=str(meter),
        price=f"{name}/as-charged",
        description=_described(meter, names),
        unit=unit,
        pricing_unit=pricing_unit if is_priced else None,
        pricing_category="Other",
        contracted_price=contracted if is_priced and not negative else None,
        list_price=listed if is_priced and not negative else None,
        own_details=_json({"x_ModelId": model}) if model else None,
        details=_json({"ModelId": model}) if model else None,
    )


def _described(meter: Meter, names: Sequence[str]) -> str:
    what = {
        EntryKind.CORRECTION: "Correction",
        EntryKind.UNCONFIRMED: "Held for requests of a worker that died",
    }.get(EntryKind(names[0]), str(meter))
    return " ".join(
        (what, *(f"{word} {name}" for word, name in (("of", names[4]), ("at", names[6] or names[5])) if name))
    )


def _slug(meter: Meter) -> str:
    return meter.lower().replace(" ", "-")


def _json(values: dict[str, str]) -> str:
    return _encode(values)


_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
