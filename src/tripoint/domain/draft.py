"""An estate as a bill alone can tell it: facts, and what a person must decide."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tripoint.domain.purchase import PurchaseOption
from tripoint.domain.quote import CommitmentUse, ForeignUse, Leaving
from tripoint.domain.site import SiteKind
from tripoint.domain.units import AcceleratorId, NodeTypeId, SiteId


class DraftPool(NamedTuple):
    """Nodes that were paid at a site."""

    node_type: NodeTypeId
    """Catalogue id."""
    hours: Decimal
    """Node-hours billed."""
    nodes: Decimal
    """Nodes at once, on average over the bill."""
    usd: Decimal
    """What they cost, USD."""
    commitments: tuple[CommitmentUse, ...]
    """Commitments that were used for them."""


class DraftSite(NamedTuple):
    """A region of a provider."""

    id: SiteId
    """Name made of both."""
    kind: SiteKind
    """Kind of the provider."""
    provider: str
    """Provider."""
    region: str
    """Region."""
    is_known: bool
    """Whether the catalogue knows the region, and with it the country."""
    is_country: bool
    """Whether the bill names a country where others name a region."""
    pools: tuple[DraftPool, ...]
    """Nodes of the catalogue, dearest first."""
    unknown: tuple[tuple[str, Decimal], ...]
    """What else is sold there by the hour, with its hours."""
    leaving: tuple[Leaving, ...]
    """What left it, per month."""


class DraftShare(NamedTuple):
    """Where part of a workload runs today."""

    site: SiteId
    """Site."""
    node_type: NodeTypeId
    """On what."""
    option: PurchaseOption
    """Bought how."""
    share: Decimal
    """Part of the workload, 0 to 1; the parts of one workload sum to 1."""


class DraftWorkload(NamedTuple):
    """Accelerator-hours of one group of the bill on one accelerator."""

    id: str
    """Name made of both."""
    group: str
    """The group as the bill writes it; empty where it has none."""
    accelerator: AcceleratorId
    """Accelerator."""
    gpu_hours_per_month: Decimal
    """Accelerator-hours a month."""
    today: tuple[DraftShare, ...]
    """Where they were."""


class EstateDraft(NamedTuple):
    """Everything the bill told."""

    sites: tuple[DraftSite, ...]
    """Places where something known ran; where nothing known did, those with something sold by the hour."""
    workloads: tuple[DraftWorkload, ...]
    """What ran."""
    commitments: tuple[CommitmentUse, ...]
    """Commitments that are tied to no nodes the catalogue knows."""
    elsewhere: tuple[tuple[str, str, int, Decimal], ...]
    """Provider, region, rows and cost of the places that are no sites."""
    start: str
    """First month that can be planned, `YYYY-MM`: the one after the bill."""
    foreign: tuple[ForeignUse, ...] = ()
    """Usage in currencies without a rate, of which nothing is in the draft."""
