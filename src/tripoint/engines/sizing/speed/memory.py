"""How many accelerators must hold one replica of a model?

Memory needed is weights (parameters x bytes at the precision) plus KV cache (MB per token x context x
sequences kept at full context), which fills only a share of what is left beside the weights: the rest are
activations, graphs and fragmentation. Tensor parallel widths are powers of two and stay inside one node:
splitting a replica over nodes puts the network into every token, and no catalogue figure describes that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tripoint.domain.catalog import Catalog, CatalogModel
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.provenance import Figure, Origin
from tripoint.engines.facts.grades import origin_of

MB_PER_GB = 1000.0
FAMILIES: Mapping[str, str] = MappingProxyType(
    {"bf16": "16-bit", "fp16": "16-bit", "fp8": "8-bit", "int8": "8-bit"}
    | dict.fromkeys(("fp4", "mxfp4", "int4"), "4-bit")
    | {"fp32": "32-bit"}
)
SYNONYMS: Mapping[str, str] = MappingProxyType({"fp16": "bf16", "mxfp4": "fp4", "awq": "int4", "nvfp4": "fp4"})
"""Names of one storage format in different tool chains."""
KV_EXPONENT = 0.5
"""KV cache grows slower than parameters: layers and heads both grow, and their product is weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """What of a model occupies memory and work."""

    name: str
    """Model id in the estate."""
    known_as: str
    """Catalogue model whose figures apply; the estate's own id when the catalogue does not know it."""
    parameters_b: float
    """Parameters, billions."""
    active_parameters_b: float
    """Active per token, billions."""
    kv_mb_per_token: Figure
    """KV cache per token at bf16, MB."""
    context_tokens: int
    """Context memory is left for, tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Memory one replica needs."""

    weights_gb: float
    """Weights, GB."""
    kv_gb: float
    """KV cache of the sequences kept at full context, and the slack it cannot fill, GB."""

    @property
    def total_gb(self) -> float:
        """Weights and KV cache together, GB."""
        return self.weights_gb + self.kv_gb


def canonical(precision: str) -> str:
    """One name per storage format."""
    name = precision.strip().lower()
    return SYNONYMS.get(name, name)


def model_size(spec: ModelSpec, catalog: Catalog) -> ModelSize | None:
    """Size of a model, declared or from the catalogue; `None` when neither knows its parameters."""
    known_as = spec.like or spec.id
    row = next((model for model in catalog.models if model.id == known_as), None)
    parameters = spec.parameters_b or (row.parameters_b if row is not None else None)
    if parameters is None:
        return None
    borrowed = row.active_parameters_b if row is not None and spec.parameters_b is None else parameters
    return ModelSize(
        name=spec.id,
        known_as=known_as,
        parameters_b=parameters,
        active_parameters_b=spec.active_parameters_b or borrowed,
        kv_mb_per_token=_kv_figure(spec, row, parameters, catalog),
        context_tokens=spec.context_tokens,
    )


def memory_need(size: ModelSize, bytes_per_parameter: float, sequences: float, kv_share: float) -> MemoryNeed:
    """Memory of one replica with `sequences` at full context; the KV cache stays at bf16 and fills `kv_share`."""
    kv_gb = size.kv_mb_per_token.value * size.context_tokens * sequences / MB_PER_GB
    return MemoryNeed(weights_gb=size.parameters_b * bytes_per_parameter, kv_gb=kv_gb / kv_share)


def smallest_width(need: MemoryNeed, gb_per_gpu: float, gpus_per_node: int) -> int | None:
    """Least power of two of accelerators that holds the replica inside one node; `None` when no width does."""
    width = 1
    while width <= gpus_per_node:
        if need.total_gb <= width * gb_per_gpu:
            return width
        width *= 2
    return None


def bytes_key(precision: str) -> str:
    """Key of the default that says how many bytes a parameter takes."""
    return f"weights.bytes_per_parameter.{canonical(precision)}"


def _kv_figure(spec: ModelSpec, row: CatalogModel | None, parameters_b: float, catalog: Catalog) -> Figure:
    key = f"model.{spec.id}.kv_mb_per_token"
    if spec.kv_mb_per_token is not None:
        return Figure(key=key, value=spec.kv_mb_per_token, unit="MB/token", origin=Origin.DECLARED)
    if row is not None and row.kv_mb_per_token is not None:
        origin = origin_of(row.provenance)
        return Figure(key=key, value=row.kv_mb_per_token, unit="MB/token", origin=origin, provenance=row.provenance)
    return _kv_estimate(key, parameters_b, catalog)


def _kv_estimate(key: str, parameters_b: float, catalog: Catalog) -> Figure:
    known = [model for model in catalog.models if model.kv_mb_per_token]
    if not known:
        return Figure(key=key, value=0.0, unit="MB/token", origin=Origin.DEFAULT, note="no known model to scale from")
    nearest = min(known, key=lambda model: abs(math.log(model.parameters_b / parameters_b)))
    scale = (parameters_b / nearest.parameters_b) ** KV_EXPONENT
    return Figure(
        key=key,
        value=(nearest.kv_mb_per_token or 0.0) * scale,
        unit="MB/token",
        origin=Origin.DEFAULT,
        note=f"scaled from `{nearest.id}` by the square root of the parameter ratio",
    )
