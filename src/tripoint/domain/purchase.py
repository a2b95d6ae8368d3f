"""How capacity is bought: purchase options, commitments already signed, and offers (something buyable at a site)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tripoint.domain.units import NodeTypeId, OfferId, PoolId, SiteId


class PurchaseOption(StrEnum):
    """The ways of buying; FOCUS pricing categories are Standard, Dynamic, Committed and Other."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    COMMITTED = "committed"
    OWNED = "owned"
    PER_TOKEN = "per_token"

    @property
    def focus_pricing_category(self) -> str:
        """Value of the FOCUS 1.2 column PricingCategory."""
        return {
            PurchaseOption.ON_DEMAND: "Standard",
            PurchaseOption.SPOT: "Dynamic",
            PurchaseOption.COMMITTED: "Committed",
            PurchaseOption.OWNED: "Other",
            PurchaseOption.PER_TOKEN: "Standard",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A promise to buy that is already signed; it runs on, and is paid, until it ends."""

    nodes: int
    """Nodes committed."""
    ends: str
    """Last month paid, `YYYY-MM`."""
    usd_per_hour: float | None = None
    """Price per node-hour, used or not, USD; catalogue rate when not declared."""
    term_months: int | None = None
    """Original term in months, for the catalogue rate; 12 when not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePool:
    """Nodes of one type held or obtainable at a site."""

    node_type: NodeTypeId
    """Catalogue SKU or system id, or one of the estate's own `node_types`."""
    held: int = 0
    """Nodes owned and installed today (per site)."""
    held_until: str | None = None
    """Month the held nodes' book value is written off, `YYYY-MM`; taken as already written off when not declared."""
    max_nodes: int | None = None
    """Most nodes of this type at the site, all purchase options together (per site); unlimited when not declared."""
    options: tuple[PurchaseOption, ...] | None = None
    """Purchase options that may be used; by kind of site when not declared."""
    commitments: tuple[Commitment, ...] = ()
    """Commitments already signed."""
    usd_per_hour: float | None = None
    """Own on-demand rate per node-hour, USD."""
    spot_usd_per_hour: float | None = None
    """Own spot rate per node-hour, USD."""
    committed_1y_usd_per_hour: float | None = None
    """Own rate of a one-year commitment per node-hour, USD."""
    committed_3y_usd_per_hour: float | None = None
    """Own rate of a three-year commitment per node-hour, USD."""
    purchase_usd: float | None = None
    """Own purchase price per node, USD."""
    lead_time_months: int | None = None
    """Months from order to service of an owned node; catalogue figure when not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Something buyable at a site: site x node type x purchase option x price."""

    id: OfferId
    """`site/node_type/option[-term]`."""
    site: SiteId
    """Where."""
    pool: PoolId
    """`site/node_type`; for token APIs `site/api-model`."""
    node_type: NodeTypeId
    """What; the API model id for `per_token`."""
    option: PurchaseOption
    """How it is bought."""
    term_months: int | None = None
    """Length of a new commitment, months."""
    list_usd: float = 0.0
    """List price: USD per node-hour (elastic, committed), per node (owned), per million input tokens (per token)."""
    price_usd: float = 0.0
    """Price after own rates and discounts, same unit as `list_usd`."""
    usd_in_per_mtok: float = 0.0
    """Per-token offers: price of a million input tokens, USD."""
    usd_out_per_mtok: float = 0.0
    """Per-token offers: price of a million output tokens, USD."""
    usd_cached_per_mtok: float = 0.0
    """Per-token offers: price of a million cached input tokens, USD."""
    basis: tuple[str, ...] = ()
    """Keys of the figures the price rests on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPrice:
    """One line of the estate's own price sheet: a rate or a discount that replaces list prices."""

    provider: str | None = None
    """Provider it applies to; any when not declared."""
    sku: str | None = None
    """Node type or API model it applies to; any when not declared."""
    region: str | None = None
    """Region it applies to; any when not declared."""
    option: PurchaseOption | None = None
    """Purchase option it applies to; any when not declared."""
    usd_per_hour: float | None = None
    """Own rate per node-hour, USD; excludes `discount`."""
    discount: float | None = None
    """Share taken off list, 0 to 1; excludes own rates."""
    usd_in_per_mtok: float | None = None
    """Own price of a million input tokens of an API model, USD; needs `usd_out_per_mtok`, excludes the others."""
    usd_out_per_mtok: float | None = None
    """Own price of a million output tokens, USD."""
    usd_cached_per_mtok: float | None = None
    """Own price of a million cached input tokens, USD; that of fresh ones when not declared."""

    @property
    def is_per_token(self) -> bool:
        """True for a line that prices tokens."""
        return any(usd is not None for usd in (self.usd_in_per_mtok, self.usd_out_per_mtok, self.usd_cached_per_mtok))
