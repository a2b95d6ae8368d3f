"""AI artefacts: what a model needs of memory, and which measured figures describe its speed."""

from __future__ import annotations

from dataclasses import dataclass

from tripoint.domain.units import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A model as the planner sees it."""

    id: ModelId
    """Unique name."""
    parameters_b: float | None = None
    """Parameters in billions; from the catalogue when `like` names a known model."""
    active_parameters_b: float | None = None
    """Parameters active per token (mixture of experts), billions; all of them when not declared."""
    precisions: tuple[str, ...] | None = None
    """Weight precisions you accept, e.g. `fp8`, `bf16`; any the catalogue has measured when not declared."""
    context_tokens: int = 8192
    """Context length to leave memory for, tokens."""
    kv_mb_per_token: float | None = None
    """KV cache per token at bf16, MB; from the catalogue, else from the parameter count."""
    like: str | None = None
    """Catalogue model whose measured throughput describes this one; its own id when not declared."""
    api_models: tuple[str, ...] = ()
    """Token-priced API models that are an acceptable equivalent (catalogue ids)."""
    licence_countries: tuple[str, ...] | None = None
    """Countries or country sets the licence allows it to run in; anywhere when not declared."""
    licence_kinds: tuple[str, ...] | None = None
    """Site kinds the licence allows, e.g. `on_prem`; any when not declared."""
