"""The tiny catalogue with models and speeds whose arithmetic fits on paper, and workloads to place on it.

On `chip`, `m8` takes 0.1 ms per input token and 0.4 ms per output token under latency bounds, so 1000 in / 500 out
take 0.3 accelerator-seconds; half of that speed is left in production: 1.6667 requests per second and accelerator.
"""

from __future__ import annotations

from dataclasses import replace

from tests.factories.tiny_catalog import JUDGED, SOURCE, tiny_catalog

from tripoint.domain.catalog import (
    Catalog,
    CatalogModel,
    DefaultRow,
    LatencyRow,
    RegimeRule,
    ThroughputPoint,
    TrainingPoint,
)
from tripoint.domain.estate import Estate
from tripoint.domain.hardware import Accelerator
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.provenance import Provenance
from tripoint.domain.site import Site
from tripoint.domain.units import AcceleratorId, ModelId, SiteId, WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind

PREFILL_S, DECODE_S, DERATE = 1e-4, 4e-4, 0.5
RATE_PER_GPU = DERATE / (1000 * PREFILL_S + 500 * DECODE_S)

_DEFAULTS = {
    "sizing.throughput_derate": DERATE,
    "sizing.throughput_derate_modelled": 0.8,
    "sizing.utilisation_cap": 0.8,
    "sizing.prefill_decode_ratio": 4.0,
    "sizing.kv_memory_share": 0.9,
    "sizing.kv_sequences": 4.0,
    "sizing.wait_quantile": 0.95,
    "sizing.batch_overhead": 0.1,
    "sizing.tpot_over_floor": 2.0,
    "sizing.input_tokens": 1000.0,
    "sizing.output_tokens": 250.0,
    "sizing.burstiness_cv": 1.5,
    "network.bytes_per_token": 8.0,
    "hosting.api_ttft_ms": 600.0,
    "hosting.api_tpot_ms": 20.0,
    "weights.bytes_per_parameter.bf16": 2.0,
    "weights.bytes_per_parameter.fp8": 1.0,
    "weights.bytes_per_parameter.fp4": 0.56,
    "weights.bytes_per_parameter.int4": 0.56,
    "weights.bytes_per_parameter.int8": 1.0,
    "training.multi_node_min_gpus": 8.0,
    "training.fine_tuning_memory": 1.2,
    "training.checkpoint_bytes_per_parameter": 13.0,
    "rack.density.air": 12.0,
    "rack.density.air_contained": 20.0,
    "rack.density.direct_liquid": 120.0,
    "rack.density.passive": 1.0,
}


def sizing_catalog() -> Catalog:
    """The catalogue."""
    base = tiny_catalog()
    extra = tuple(
        DefaultRow(key=key, low=None, typical=value, high=None, unit="unit", provenance=JUDGED, note="")
        for key, value in _DEFAULTS.items()
    )
    slow = replace(base.accelerators[0], id=AcceleratorId("slow"), bf16_dense_tflops=250.0, memory_gb=16.0)
    return replace(
        base,
        defaults=(*base.defaults, *extra),
        accelerators=(*base.accelerators, slow),
        models=(model("m8", 8.0, 0.1), model("m70", 70.0, 0.3), model("embed", 0.1, None)),
        throughput=points(),
        training=(run("tune LoRA", "chip", 8, 2000.0), run("tune LoRA", "fast", 8, 6000.0)),
        latency=latency_rows(),
        regimes=(regime("gdpr", ("EEA",)), regime("hipaa", (), ("hipaa_baa",)), regime("nis2")),
    )


def points() -> tuple[ThroughputPoint, ...]:
    """Speeds on `chip`: two shapes of `m8` under bounds, one offline, one of `m70`, one of an embedding model."""
    return (
        point("m8", "fp8", "chat", (1000, 500), 500 / 0.3, ttft_ms=200.0, tpot_ms=40.0, gpus_per_replica=1),
        point("m8", "fp8", "rag", (4000, 500), 500 / 0.6, ttft_ms=300.0, tpot_ms=50.0, gpus_per_replica=1),
        point("m8", "fp8", "offline", (1000, 500), 500 / 0.2),
        point("m70", "fp8", "server", (1000, 500), 500 / 3.0, ttft_ms=2000.0, tpot_ms=200.0),
        point("embed", "bf16", "offline", (512, 0), 100_000.0),
    )


def point(
    model_id: str, precision: str, scenario: str, shape: tuple[float, float], speed: float, **fields: float
) -> ThroughputPoint:
    """A point on `chip`."""
    bounds = {"low": None, "high": None, "ttft_ms": None, "tpot_ms": None, "gpus_per_replica": None} | fields
    return ThroughputPoint(
        model=model_id,
        accelerator="chip",
        precision=precision,
        scenario=scenario,
        input_tokens=shape[0],
        output_tokens=shape[1],
        tokens_per_s_per_gpu=speed,
        provenance=SOURCE,
        **bounds,  # type: ignore[arg-type]  # numbers by name
    )


def model(name: str, billions: float, kv_mb: float | None) -> CatalogModel:
    """A dense model."""
    return CatalogModel(
        id=name, parameters_b=billions, active_parameters_b=billions, kv_mb_per_token=kv_mb, provenance=SOURCE
    )


def run(name: str, accelerator: str, gpus: int, speed: float) -> TrainingPoint:
    """A training run."""
    return TrainingPoint(
        workload=name, accelerator=accelerator, gpus=gpus, tokens_per_s_per_gpu=speed, provenance=SOURCE
    )


def regime(name: str, allow: tuple[str, ...] = (), requires: tuple[str, ...] = ()) -> RegimeRule:
    """A regime's rule."""
    return RegimeRule(
        regime=name, rule=f"{name}-1", allow=allow, requires=requires, summary="", legal_ref="law", provenance=SOURCE
    )


def latency_rows() -> tuple[LatencyRow, ...]:
    """Round trips: inside a country 8, US to NL 84, US to EU 90, edge to a nearby region 20."""

    def row(source: str, target: str, ms: float) -> LatencyRow:
        return LatencyRow(source=source, target=target, low_ms=ms / 2, typical_ms=ms, high_ms=ms * 2, provenance=SOURCE)

    return (
        row("same-region", "same-region", 1.0),
        row("same-country", "same-country", 8.0),
        row("US", "NL", 84.0),
        row("NA", "EU", 90.0),
        row("EU", "EU", 25.0),
        row("edge-fibre", "nearest-region", 20.0),
    )


def chip() -> Accelerator:
    """The tiny catalogue's accelerator."""
    return tiny_catalog().accelerators[0]


def workload(name: str = "chat", kind: WorkloadKind = WorkloadKind.INFERENCE, **fields: object) -> Workload:
    """A workload on `m8` of 1000 in / 500 out, Poisson, 10 requests per second all week long."""
    demand = Demand(requests_per_s=10.0, input_tokens=1000.0, output_tokens=500.0, burstiness_cv=1.0, shape="flat")
    given: dict[str, object] = {"model": ModelId("m8"), "demand": demand} | fields
    return Workload(id=WorkloadId(name), kind=kind, **given)  # type: ignore[arg-type]  # fields by name


def estate(*sites: Site, workloads: tuple[Workload, ...] = (), **fields: object) -> Estate:
    """An estate of `sites` with models of the catalogue."""
    models = (ModelSpec(id=ModelId("m8")), ModelSpec(id=ModelId("m70")), ModelSpec(id=ModelId("embed")))
    given: dict[str, object] = {"models": models} | fields
    return Estate(apiVersion="tripoint/v1", sites=sites, workloads=workloads, **given)  # type: ignore[arg-type]  # fields of the case


def provenance() -> Provenance:
    """Some source."""
    return SOURCE


def site_id(name: str) -> SiteId:
    """A site id."""
    return SiteId(name)
