"""What rows of an export share: whose bill, when, whose charge, what was sold; each made from the names of sums."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tripoint.domain.ledger import EntryKind, PriceRow
from tripoint.domain.money import PICO_PER_NANO
from tripoint.engines.governance.focus.columns import decimal_text
from tripoint.engines.governance.focus.meters import TOKENS, Meter, Metered, rate
from tripoint.engines.governance.ledger.days import day_number, day_text


class Issuer(NamedTuple):
    """Whose bill it is."""

    provider: str
    """Who provides the service and issues the bill."""
    account: str
    """The account that pays for everything; tenants are its sub accounts."""
    tenants: Mapping[str, str] = {}  # read only, and a NamedTuple's default is shared by nature
    """What people call tenants, by id; who is not in it is called by its id."""
    observed: tuple[str | None, str | None] = (None, None)
    """When the first and the last answered request of the export began, ISO 8601 in UTC, where that is known."""


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
    observed_since: str | None
    """When the first answered request of the whole export began."""
    observed_until: str | None
    """When the last one did."""


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


def line_of(issuer: Issuer, names: Sequence[str]) -> Line:
    """Whose charge it is, of sums by `sheet.DIMENSIONS`."""
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
        prices=prices, observed_since=issuer.observed[0], observed_until=issuer.observed[1],
    )  # fmt: skip


def priced_sku(names: Sequence[str], meter: Meter, price: PriceRow) -> Sku:
    """What a meter of a price row sells."""
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


def lump_sku(names: Sequence[str], metered: Metered) -> Sku:
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
