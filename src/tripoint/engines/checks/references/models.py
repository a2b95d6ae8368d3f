"""Can the size of every model that must be held in memory be known?"""

from __future__ import annotations

from collections.abc import Iterator

from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import did_you_mean, finding
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.workload import WorkloadKind
from tripoint.engines.checks.references.known import KnownNames

_TRAINING = (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING)


def check_models(estate: Estate, known: KnownNames) -> Iterator[Finding]:
    """Models that are served but neither declare their size nor resemble a catalogue model."""
    served = {workload.model for workload in estate.workloads if workload.kind not in _TRAINING}
    for index, model in enumerate(estate.models):
        if model.id in served and not _is_sized(model, known):
            message = f"the size of `{model.id}` is not declared, and the catalogue knows no such model"
            hint = did_you_mean(model.id, known.catalog_models) or "declare `parameters_b`"
            yield finding("TP1317", f"models[{index}]", message, f"{hint}; `like` names one it resembles")


def _is_sized(model: ModelSpec, known: KnownNames) -> bool:
    """True where a size is known; a wrong `like` is told by itself."""
    return model.parameters_b is not None or model.like is not None or model.id in known.catalog_models
