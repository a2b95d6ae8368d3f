"""How fast does an accelerator train, relative to the one the GPU-hours were counted on?

The ratio of measured tokens per second of one training workload on both, at the most similar scale; a LoRA
run stands for fine-tuning and a pre-training run for training, the other one where only that is measured.
Without a common measurement the ratio of dense bf16 peaks stands in, which flatters neither memory nor
network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tripoint.domain.catalog import Catalog, TrainingPoint
from tripoint.domain.hardware import Accelerator
from tripoint.domain.provenance import Confidence, Figure, Origin
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.facts.grades import merged, origin_of

DEFAULT_REFERENCE = "h100-sxm"
"""Accelerator GPU-hours are taken to be counted on when the estate does not say."""
FINE_TUNING_MARK = "lora"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPair:
    """Two points of one training workload."""

    candidate: TrainingPoint
    """On the accelerator asked about."""
    reference: TrainingPoint
    """On the reference accelerator."""

    @property
    def ratio(self) -> float:
        """Speed of the candidate over the reference."""
        return self.candidate.tokens_per_s_per_gpu / self.reference.tokens_per_s_per_gpu


def relative_speed(
    catalog: Catalog, kind: WorkloadKind, accelerator: str, reference: str, gang_gpus: int
) -> Figure | None:
    """Speed over the reference; `None` when neither a common run nor both peaks are known."""
    key = f"training.{kind.value}.{accelerator}/{reference}"
    if accelerator == reference:
        note = "the accelerator the GPU-hours are counted on"
        return Figure(key=key, value=1.0, unit="x reference", origin=Origin.DEFAULT, note=note)
    pair = closest_pair(catalog, kind, (accelerator, reference), gang_gpus)
    if pair is not None:
        provenance = merged((pair.candidate.provenance, pair.reference.provenance))
        note = (
            f"`{pair.candidate.workload}`, {pair.candidate.gpus} {accelerator} against "
            f"{pair.reference.gpus} {reference}"
        )
        origin = origin_of(provenance)
        return Figure(key=key, value=pair.ratio, unit="x reference", origin=origin, provenance=provenance, note=note)
    return _peak_ratio(catalog, key, accelerator, reference)


def closest_pair(
    catalog: Catalog, kind: WorkloadKind, accelerators: tuple[str, str], gang_gpus: int
) -> TrainingPair | None:
    """The pair of points that is of the right kind first, then of the most similar scale."""
    candidate, reference = accelerators
    pairs = [
        TrainingPair(candidate=one, reference=two)
        for one in catalog.training
        for two in catalog.training
        if one.accelerator == candidate and two.accelerator == reference and one.workload == two.workload
    ]
    return min(pairs, key=lambda pair: _distance(pair, kind, max(gang_gpus, 1)), default=None)


def _distance(pair: TrainingPair, kind: WorkloadKind, gang_gpus: int) -> tuple[bool, float]:
    is_tuning_run = FINE_TUNING_MARK in pair.candidate.workload.lower()
    is_other_kind = is_tuning_run != (kind is WorkloadKind.FINE_TUNING)
    apart = abs(math.log(pair.candidate.gpus / pair.reference.gpus))
    off_scale = abs(math.log(pair.reference.gpus / gang_gpus))
    return is_other_kind, apart + off_scale / 2


def _peak_ratio(catalog: Catalog, key: str, accelerator: str, reference: str) -> Figure | None:
    rows: dict[str, Accelerator] = {row.id: row for row in catalog.accelerators}
    one, two = rows.get(accelerator), rows.get(reference)
    if one is None or two is None or one.bf16_dense_tflops <= 0 or two.bf16_dense_tflops <= 0:
        return None
    provenance = merged((one.provenance, two.provenance), grade=Confidence.ESTIMATE)
    return Figure(
        key=key,
        value=one.bf16_dense_tflops / two.bf16_dense_tflops,
        unit="x reference",
        origin=Origin.DEFAULT,
        provenance=provenance,
        note=f"no common training run: dense bf16 peaks {one.bf16_dense_tflops:g} / {two.bf16_dense_tflops:g} TFLOPS",
    )
