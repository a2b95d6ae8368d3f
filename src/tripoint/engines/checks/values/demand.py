"""Is the demand of every workload complete, free of contradiction, and of its kind?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from tripoint.domain.demand import DemandProfile
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate
from tripoint.domain.findings import finding
from tripoint.domain.units import WorkloadId
from tripoint.domain.workload import Demand, Workload, WorkloadKind

_TRAINING = (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING)
_TOKENS = (WorkloadKind.BATCH_INFERENCE, WorkloadKind.EMBEDDING)
_INTERACTIVE = (WorkloadKind.INFERENCE,)

_KINDS: Mapping[str, tuple[WorkloadKind, ...]] = MappingProxyType(
    {
        "requests_per_s": _INTERACTIVE + _TOKENS,
        "requests_per_day": _INTERACTIVE + _TOKENS,
        "input_tokens": _INTERACTIVE + _TOKENS,
        "output_tokens": _INTERACTIVE + _TOKENS,
        "burstiness_cv": _INTERACTIVE,
        "shape": _INTERACTIVE,
        "hour_of_week": _INTERACTIVE,
        "mtok_per_month": _TOKENS,
        "gpu_hours_per_month": _TRAINING,
        "reference_accelerator": _TRAINING,
        "gang_gpus": _TRAINING,
    }
)
"""Fields of `demand` and the kinds of workload they mean something for."""

_REPLACED = ("requests_per_s", "requests_per_day", "mtok_per_month", "gpu_hours_per_month")
"""Fields a profile always replaces; tokens and shape still count where the trace did not show them."""


def check_demand(estate: Estate) -> Iterator[Finding]:
    """Missing, contradicting or pointless fields of every workload."""
    if not estate.workloads:
        yield finding("TP1102", "workloads", "no workload is declared, an estate needs at least one", "add what to run")
    for index, workload in enumerate(estate.workloads):
        path = f"workloads[{index}]"
        yield from _missing(f"{path}.demand", workload)
        yield from _exclusive(f"{path}.demand", workload.demand)
        yield from _of_other_kinds(path, workload)
        if workload.model is None and workload.kind not in _TRAINING:
            message = f"workloads of kind `{workload.kind}` need a `model`"
            yield finding("TP1319", path, message, "name one of the estate's `models`")


def _missing(path: str, workload: Workload) -> Iterator[Finding]:
    demand = workload.demand
    if demand.profile is not None:
        return
    has_rate = demand.requests_per_s is not None or demand.requests_per_day is not None
    if workload.kind in _TRAINING:
        if demand.gpu_hours_per_month is None:
            yield _wanted(path, workload, "`gpu_hours_per_month` (with `reference_accelerator`)")
        elif demand.reference_accelerator is None:
            message = f"{demand.gpu_hours_per_month:g} GPU-hours per month, but not of which accelerator"
            yield finding("TP1314", path, message, "declare `reference_accelerator`")
    elif workload.kind in _TOKENS:
        if demand.mtok_per_month is None and not has_rate:
            yield _wanted(path, workload, "`mtok_per_month`")
    elif not has_rate:
        yield _wanted(path, workload, "`requests_per_s` or `requests_per_day`")


def _wanted(path: str, workload: Workload, what: str) -> Finding:
    message = f"workloads of kind `{workload.kind}` need {what}"
    return finding("TP1314", path, message, "or a `profile` written by `tripoint demand fit`")


def _exclusive(path: str, demand: Demand) -> Iterator[Finding]:
    if demand.requests_per_s is not None and demand.requests_per_day is not None:
        message = (
            f"{demand.requests_per_s:g} requests per second and {demand.requests_per_day:g} per day"
            f" ({demand.requests_per_day / 86400:.3g} per second) are both declared"
        )
        yield finding("TP1312", f"{path}.requests_per_day", message, "keep one of the two")
    if demand.shape is not None and demand.hour_of_week is not None:
        yield finding("TP1312", f"{path}.shape", "`shape` and `hour_of_week` are both declared", "keep one")
    if demand.profile is None:
        return
    for name in _REPLACED:
        if getattr(demand, name) is not None:
            message = f"`{name}` is declared beside a `profile`, which replaces it"
            yield finding("TP1312", f"{path}.{name}", message, "remove it, or the profile")


def _of_other_kinds(path: str, workload: Workload) -> Iterator[Finding]:
    kind = workload.kind
    for name, kinds in _KINDS.items():
        if getattr(workload.demand, name) is not None and kind not in kinds:
            yield _pointless(f"{path}.demand.{name}", name, kind)
    for name in ("ttft_ms", "tpot_ms"):
        if getattr(workload.slo, name) is not None and not kind.is_interactive:
            yield _pointless(f"{path}.slo.{name}", name, kind)
    if workload.deadline_hours is not None and kind.is_interactive:
        yield _pointless(f"{path}.deadline_hours", "deadline_hours", kind)
    if workload.recovery.spare_nodes and not kind.is_interactive:
        yield _pointless(f"{path}.recovery.spare_nodes", "spare_nodes", kind)


def _pointless(path: str, name: str, kind: WorkloadKind) -> Finding:
    return finding("TP1313", path, f"`{name}` does not apply to a workload of kind `{kind}`", "remove it")


def check_profiles(estate: Estate, profiles: Mapping[WorkloadId, DemandProfile]) -> Iterator[Finding]:
    """Profiles that describe another sort of work, or no demand at all."""
    for index, workload in enumerate(estate.workloads):
        profile = profiles.get(workload.id)
        if profile is None:
            continue
        path = f"workloads[{index}].demand.profile"
        wanted = "gpu_jobs" if workload.kind in _TRAINING else "requests"
        if profile.kind != wanted:
            message = f"the profile describes `{profile.kind}`, workloads of kind `{workload.kind}` need `{wanted}`"
            yield finding("TP1154", path, message, "name another profile, or check the workload's `kind`")
        elif profile.requests_per_s <= 0 and not profile.gpu_hours:
            message = f"the profile shows a rate of {profile.requests_per_s:g} per second"
            yield finding("TP1154", path, message, "fit it from a trace with more than one request")
