"""`tripoint ledger export`: the ledger as a bill that finance tools read.

Rows are sums by day or by hour, never single requests: one token may cost less than any bill shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from tripoint.domain.errors import OptionError
from tripoint.domain.ledger import Dimension, EntryKind, PriceRow, Spend, SpendQuery
from tripoint.domain.tenancy import Actor
from tripoint.engines.governance.focus.columns import DEFAULT_VERSION, VERSIONS, Column, columns_of
from tripoint.engines.governance.focus.parts import Issuer
from tripoint.engines.governance.focus.sheet import DIMENSIONS, Sheet, SheetMaker
from tripoint.engines.governance.ledger.days import day_number
from tripoint.ports import Ledger
from tripoint.usecases.observed import Span, observed_between
from tripoint.usecases.spend import see_spend

_NAMES: Final = tuple(Dimension(name) for name in DIMENSIONS)
_CHARGED: Final = tuple(kind for kind in EntryKind if kind is not EntryKind.IDLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Flags of one export."""

    since: str | None = None
    """First day, `YYYY-MM-DD`, UTC; the ledger's first when `None`."""
    until: str | None = None
    """Last day, inclusive; the ledger's last when `None`."""
    tenant: str | None = None
    """Only this tenant; idle capacity is then left out, which is nobody's."""
    is_hourly: bool = False
    """True for a row per hour instead of per day; idle capacity is by the hour always."""
    version: str = DEFAULT_VERSION
    """Version of FOCUS."""
    provider: str = "tripoint"
    """Who provides the service and issues the bill."""
    account: str = "estate"
    """The account that pays; tenants are its sub accounts."""
    tenant_names: Mapping[str, str] = field(default_factory=dict)
    """What people call tenants, by id; who is not in it is called by its id."""


class BillWriter(Protocol):
    """Writes rows into a file, whole or not at all."""

    def __call__(self, columns: Sequence[Column], sheets: Iterable[Sheet]) -> int:
        """How many rows were written; raises `FileError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export holds."""

    rows: int
    """Rows written."""
    days: int
    """Days with entries."""
    nano: int
    """Effective cost of all rows: what the ledger holds of those days, nano-dollars."""
    unpriced_nano: int
    """Part of it that stands without unit prices, since its price version is not kept, nano-dollars."""


def export_bill(ledger: Ledger, actor: Actor, options: ExportOptions, write: BillWriter) -> Exported:
    """Writes what an actor may see of the ledger.

    Raises `OptionError` for a version or a day that is none, `AccessError` and `MissingError` for want of rights,
    `FileError` where the file cannot be written.
    """
    if options.version not in VERSIONS:
        raise OptionError(f"there is no FOCUS version `{options.version}` here", hint=f"known: {', '.join(VERSIONS)}")
    for day in (options.since, options.until):
        if day is not None:
            day_number(day)
    source = _Source(ledger, actor, options)
    rows = write(columns_of(options.version), source.sheets())
    return Exported(rows=rows, days=source.days, nano=source.nano, unpriced_nano=source.unpriced_nano)


class _Source:
    """Reads the ledger a day at a time, and counts what goes out."""

    def __init__(self, ledger: Ledger, actor: Actor, options: ExportOptions) -> None:
        self._ledger = ledger
        self._actor = actor
        self._options = options
        self._prices: dict[str, dict[str, PriceRow]] = {}
        self.days = 0
        self.nano = 0
        self.unpriced_nano = 0

    def sheets(self) -> Iterator[Sheet]:
        options = self._options
        observed = observed_between(self._ledger, self._actor, Span(options.since, options.until), options.tenant)
        issuer = Issuer(options.provider, options.account, options.tenant_names, observed or (None, None))
        maker = SheetMaker(issuer, self._price_of)
        span = SpendQuery(by=(Dimension.DAY,), since=options.since, until=options.until, tenant=options.tenant)
        for day in see_spend(self._ledger, self._actor, span):
            self.days += 1
            spends = [*self._charged(day.by[0]), *self._idle(day.by[0])]
            self.nano += sum(spend.nano for spend in spends)
            self.unpriced_nano += sum(
                spend.nano
                for spend in spends
                if spend.by[1] == EntryKind.USAGE and self._price_of(spend.by[9], spend.by[8]) is None
            )
            yield maker.make(spends)

    def _charged(self, day: str) -> tuple[Spend, ...]:
        time = Dimension.HOUR if self._options.is_hourly else Dimension.DAY
        query = SpendQuery(
            by=(time, *_NAMES), since=day, until=day, tenant=self._options.tenant, kinds=_CHARGED
        )  # fmt: skip
        return see_spend(self._ledger, self._actor, query)

    def _idle(self, day: str) -> Iterator[Spend]:
        """Idle capacity by the hour: its unit is the hour in which it was held."""
        if self._options.tenant is not None or self._actor.tenant is not None:
            return
        held = (
            Dimension.HOUR, Dimension.KIND, Dimension.WORKLOAD, Dimension.MODEL, Dimension.SITE, Dimension.UPSTREAM,
            Dimension.TARIFF, Dimension.PRICES,
        )  # fmt: skip
        query = SpendQuery(by=held, since=day, until=day, kinds=(EntryKind.IDLE,))
        for spend in see_spend(self._ledger, self._actor, query):
            hour, kind, *rest = spend.by
            yield spend._replace(by=(hour, kind, "", "", *rest))

    def _price_of(self, version: str, tariff: str) -> PriceRow | None:
        if version not in self._prices:
            self._prices[version] = {row.tariff.id: row for row in self._ledger.prices(version)} if version else {}
        return self._prices[version].get(tariff)
