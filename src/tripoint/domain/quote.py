"""Prices as other people's files state them, and what an import made of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from tripoint.domain.purchase import OwnPrice, PurchaseOption
from tripoint.domain.units import NodeTypeId


class CatalogueRow(NamedTuple):
    """One row of a SkyPilot catalogue, as text; empty where the file says nothing."""

    place: int
    """Its line in the file, the header being 1."""
    instance: str
    """Instance type."""
    accelerator: str
    """Accelerator the row counts."""
    accelerators: str
    """How many of them."""
    price: str
    """USD per hour on demand."""
    spot_price: str
    """USD per hour as spot."""
    region: str
    """Region."""
    zone: str
    """Availability zone."""


class MapEntry(NamedTuple):
    """One entry of a LiteLLM price map, its single values as text."""

    place: int
    """Number of the entry, from 1."""
    name: str
    """Name of the model in the map."""
    fields: Mapping[str, str] | None
    """Its fields; `None` where the entry is not an object."""
    is_repeated: bool = False
    """The map has an entry of that name already."""


class Taken(NamedTuple):
    """One line made for the price sheet."""

    line: OwnPrice
    """The line."""
    rows: int
    """Prices of the file it was made of."""
    first: int
    """Where the first of them is."""
    note: str = ""
    """How it was made, where that is not plain."""


class Dropped(NamedTuple):
    """Prices of a file that were left out for one reason."""

    reason: str
    """Why."""
    rows: int
    """How many."""
    first: int
    """Where the first of them is."""
    examples: tuple[tuple[str, int], ...]
    """What they say and how often, most first; the first 5,000 different ones."""
    cost: tuple[tuple[str, Decimal], ...] = ()
    """What they cost together, by currency; empty for files that bill nothing."""


class ImportedSheet(NamedTuple):
    """What an import took, what it dropped and why; every price read is in one of the two."""

    read: int
    """Prices the file states."""
    taken: tuple[Taken, ...]
    """Lines made, in order of provider, SKU, region and option."""
    dropped: tuple[Dropped, ...]
    """What was left out, most first."""
    doubts: tuple[str, ...] = ()
    """What a person should look at, though it was taken."""


class NodeUse(NamedTuple):
    """Node-hours of a bill."""

    provider: str
    """Provider, lower case."""
    region: str
    """Region id."""
    node_type: NodeTypeId
    """Catalogue id."""
    option: PurchaseOption
    """How they were bought."""
    group: str
    """What they were used for: the tag chosen, else the sub account; empty when the bill has neither."""
    hours: Decimal
    """Node-hours."""
    usd: Decimal
    """What they cost, USD."""


class CommitmentUse(NamedTuple):
    """One commitment discount of a bill."""

    id: str
    """The provider's id."""
    type: str
    """The provider's word for it, e.g. `Savings Plan`."""
    category: str
    """`Spend` or `Usage`; empty when the bill does not say."""
    provider: str
    """Provider, lower case."""
    regions: tuple[str, ...]
    """Where it was used."""
    node_types: tuple[NodeTypeId, ...]
    """Nodes of the catalogue it was used for."""
    used_usd: Decimal
    """Effective cost of what was used, USD."""
    unused_usd: Decimal
    """Effective cost of what was not, USD."""
    used_hours: Decimal
    """Node-hours used of nodes the catalogue knows."""
    rows: int
    """Rows of the bill."""
    has_effective: bool = True
    """False where a row of it has no effective cost, so that billed cost stands for it."""

    @property
    def utilisation(self) -> Decimal | None:
        """Share of its cost that was used, 0 to 1; `None` when it cost nothing, so that nobody can say."""
        whole = self.used_usd + self.unused_usd
        return self.used_usd / whole if whole > 0 else None


class Leaving(NamedTuple):
    """Bytes that left a region, by what the provider calls it."""

    provider: str
    """Provider, lower case."""
    region: str
    """Region id."""
    path: str
    """`internet`, `inter_region` or `zones`."""
    gb: Decimal
    """Volume, GB."""
    usd: Decimal
    """What it cost, USD."""
    rows: int
    """Rows of the bill."""


class BilledPlace(NamedTuple):
    """A region of a provider in which something was used."""

    provider: str
    """Provider, lower case."""
    region: str
    """Region id."""
    rows: int
    """Rows of usage."""
    usd: Decimal
    """What they cost, USD."""
    unknown: tuple[tuple[str, Decimal], ...]
    """What is sold there by the hour and names no node type of the catalogue, with its hours, most first."""


class ForeignUse(NamedTuple):
    """Usage of a bill in a currency that no rate was given for."""

    currency: str
    """ISO 4217 code."""
    provider: str
    """Provider, lower case."""
    region: str
    """Region id; empty when the bill names none."""
    group: str
    """What it was for, as in `NodeUse`."""
    rows: int
    """Rows of the bill."""
    amount: Decimal
    """What it cost, in its own currency."""


class BillReading(NamedTuple):
    """What a bill says about prices and about what runs where."""

    sheet: ImportedSheet
    """Rates, and the rows that gave none."""
    uses: tuple[NodeUse, ...]
    """Node-hours by place, node type, option and group."""
    commitments: tuple[CommitmentUse, ...]
    """Commitments, dearest first."""
    leaving: tuple[Leaving, ...]
    """What left, dearest first."""
    places: tuple[BilledPlace, ...]
    """Where anything was used, by provider and region."""
    start: float
    """First moment of usage, seconds since 1970; 0 for a bill without any."""
    end: float
    """First moment after the last one."""
    foreign: tuple[ForeignUse, ...] = ()
    """Usage that was left out for want of a rate, by currency, dearest first."""

    @property
    def hours(self) -> Decimal:
        """Length of the bill, hours."""
        return Decimal(str(self.end - self.start)) / 3600
