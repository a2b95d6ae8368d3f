"""What draws power: accelerators and node types (SKUs and systems)."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.provenance import Provenance
from tripoint.domain.site import CoolingClass
from tripoint.domain.units import AcceleratorId, NodeTypeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """A chip or card."""

    id: AcceleratorId
    """Catalogue id."""
    name: str
    """Vendor's name."""
    vendor: str
    """Maker."""
    memory_gb: float
    """Memory, GB."""
    mem_bw_gb_s: float
    """Memory bandwidth, GB/s."""
    bf16_dense_tflops: float
    """Dense bf16 (or fp16) peak, TFLOPS."""
    fp8_dense_tflops: float | None
    """Dense fp8 peak, TFLOPS; `None` without fp8 units."""
    tdp_w: float | None
    """Thermal design power, W."""
    provenance: Provenance
    """Source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """A server, a cloud SKU or a rack-scale system: what is bought as one unit."""

    id: NodeTypeId
    """SKU or system id."""
    accelerator: AcceleratorId
    """Which accelerator it carries."""
    gpus: int
    """Accelerators per node."""
    provider: str | None = None
    """Provider who sells it by the hour; `None` for hardware anyone can own."""
    max_kw: float | None = None
    """Nameplate draw, kW."""
    typical_kw: float | None = None
    """Draw under a typical AI load, kW."""
    cooling: CoolingClass = CoolingClass.AIR
    """Least cooling class it needs."""
    rack_units: float | None = None
    """Height, U."""
    purchase_usd_low: float | None = None
    """Low end of the purchase price, USD."""
    purchase_usd_high: float | None = None
    """High end of the purchase price, USD."""
    provenance: Provenance | None = None
    """Source; `None` for the estate's own node types."""
