"""What is asked of one workload today: rate, tokens, hour-of-week shape, or work to finish per month.

A fitted profile replaces the declared rate, tokens and shape (times `scale`); what neither says comes from
the catalogue's defaults, each as a figure. Batch and embedding demand is work (Mtok per month, from
`mtok_per_month` or from requests times tokens); training demand is accelerator-hours per month.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tripoint.domain.catalog import Catalog
from tripoint.domain.demand import DemandProfile
from tripoint.domain.estate import Estate
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.units import HOURS_PER_MONTH, HOURS_PER_WEEK, SECONDS_PER_DAY, SECONDS_PER_HOUR, TOKENS_PER_MTOK
from tripoint.domain.workload import Workload, WorkloadKind
from tripoint.engines.facts.defaults import default_figure
from tripoint.engines.sizing.demand.shapes import (
    DEFAULT_SHAPE,
    Weights,
    normalised,
    shape_weights,
    shifted_to_utc,
    utc_offset_hours,
)
from tripoint.engines.sizing.paths import place_country

SECONDS_PER_MONTH = HOURS_PER_MONTH * SECONDS_PER_HOUR
DEFAULT_ACTIVE_PARAMETERS_B = 8.0
"""Stands in for an unknown model where only the relative weight of workloads in the blocks depends on it."""
TRAINING = (WorkloadKind.TRAINING, WorkloadKind.FINE_TUNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Demand of one workload today."""

    requests_per_s: float
    """Mean requests (documents) per second; 0 for training."""
    input_tokens: float
    """Mean input tokens per request."""
    output_tokens: float
    """Mean output tokens per request."""
    cached_share: float
    """Share of input tokens from a prefix cache."""
    burstiness_cv: float
    """Coefficient of variation of inter-arrival times."""
    hour_of_week: Weights
    """168 UTC weights, mean 1."""
    payload_kb: float | None
    """Declared bytes on the wire per request, kB."""
    mtok_per_month: float
    """Million tokens to process per month, input and output together."""
    gpu_hours_per_month: float
    """Accelerator-hours per month on the reference accelerator."""
    gang_gpus: int
    """Accelerators one run needs at once; 0 when it needs no gang."""
    work_rate: float
    """Estimated accelerator work per second, arbitrary units comparable between workloads."""

    @property
    def tokens(self) -> float:
        """Tokens per request, both ways."""
        return self.input_tokens + self.output_tokens


def load_of(
    workload: Workload, estate: Estate, catalog: Catalog, profile: DemandProfile | None
) -> tuple[Load, tuple[Figure, ...]]:
    """Today's load of a workload, and the figures it rests on."""
    facts = _Facts(workload=workload, estate=estate, catalog=catalog, profile=profile)
    tokens_in, tokens_out = facts.tokens("input"), facts.tokens("output")
    burstiness, shape = facts.burstiness(), facts.shape_peak()
    ratio = default_figure(catalog, estate.assumptions, "sizing.prefill_decode_ratio")
    rate = 0.0 if workload.kind in TRAINING else facts.rate(tokens_in.value + tokens_out.value)
    cached = facts.cached_share()
    per_request = tokens_in.value * (1 - cached) / ratio.value + tokens_out.value
    load = Load(
        requests_per_s=rate,
        input_tokens=tokens_in.value,
        output_tokens=tokens_out.value,
        cached_share=cached,
        burstiness_cv=burstiness.value,
        hour_of_week=facts.weights(),
        payload_kb=workload.demand.payload_kb,
        mtok_per_month=rate * SECONDS_PER_MONTH * (tokens_in.value + tokens_out.value) / TOKENS_PER_MTOK,
        gpu_hours_per_month=facts.gpu_hours_per_month(),
        gang_gpus=facts.gang_gpus(),
        work_rate=rate * per_request * facts.active_parameters_b(),
    )
    used = (tokens_in, tokens_out, burstiness, shape)
    return load, tuple(figure for figure in used if figure.origin is not Origin.DECLARED and rate > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """One workload with everything its load is read from."""

    workload: Workload
    estate: Estate
    catalog: Catalog
    profile: DemandProfile | None

    def tokens(self, side: str) -> Figure:
        """Mean tokens of one side of a request."""
        demand, profile, kind = self.workload.demand, self.profile, self.workload.kind
        declared = demand.input_tokens if side == "input" else demand.output_tokens
        if profile is not None:
            fitted = profile.input_tokens if side == "input" else profile.output_tokens
            declared = fitted.mean if fitted is not None else declared
        if side == "output" and kind is WorkloadKind.EMBEDDING:
            declared = 0.0
        if kind in TRAINING:
            declared = declared or 0.0
        key = f"workload.{self.workload.id}.{side}_tokens"
        if declared is not None:
            return Figure(key=key, value=declared, unit="tokens", origin=Origin.DECLARED)
        return self._default(key, f"sizing.{side}_tokens")

    def burstiness(self) -> Figure:
        """Coefficient of variation of inter-arrival times."""
        declared = self.workload.demand.burstiness_cv
        if self.profile is not None and self.profile.burstiness_cv is not None:
            declared = self.profile.burstiness_cv
        key = f"workload.{self.workload.id}.burstiness_cv"
        if declared is not None:
            return Figure(key=key, value=declared, unit="", origin=Origin.DECLARED)
        return self._default(key, "sizing.burstiness_cv")

    def cached_share(self) -> float:
        """Share of input tokens served from a prefix cache; a profile only shows what could be, so it is declared."""
        return self.workload.demand.cached_share

    def rate(self, tokens: float) -> float:
        """Mean requests per second."""
        demand, profile = self.workload.demand, self.profile
        if profile is not None and profile.requests_per_s > 0:
            return profile.requests_per_s * demand.scale
        if demand.requests_per_s is not None:
            return demand.requests_per_s
        if demand.requests_per_day is not None:
            return demand.requests_per_day / SECONDS_PER_DAY
        if demand.mtok_per_month is not None and tokens > 0:
            return demand.mtok_per_month * TOKENS_PER_MTOK / tokens / SECONDS_PER_MONTH
        return 0.0

    def weights(self) -> Weights:
        """Hour-of-week weights in UTC: fitted, declared, or a named shape where the callers live."""
        demand = self.workload.demand
        if self.profile is not None and self.profile.hour_of_week is not None:
            return normalised(self.profile.hour_of_week)
        if demand.hour_of_week is not None and len(demand.hour_of_week) == HOURS_PER_WEEK:
            return normalised(demand.hour_of_week)
        local = shape_weights(demand.shape or DEFAULT_SHAPE)
        return normalised(shifted_to_utc(local, self._shares_by_offset()))

    def shape_peak(self) -> Figure:
        """Busiest hour over the mean, with who said so."""
        demand, profile = self.workload.demand, self.profile
        is_fitted = profile is not None and profile.hour_of_week is not None
        is_declared = is_fitted or demand.hour_of_week is not None or demand.shape is not None
        return Figure(
            key=f"workload.{self.workload.id}.peak_to_mean",
            value=max(self.weights()),
            unit="x mean",
            origin=Origin.DECLARED if is_declared else Origin.DEFAULT,
            note="" if is_declared else "no shape declared or fitted: taken as flat over the week",
        )

    def gpu_hours_per_month(self) -> float:
        """Accelerator-hours per month; a job log is scaled from its window to a month."""
        demand, profile = self.workload.demand, self.profile
        if profile is not None and profile.gpu_hours is not None and profile.window_s > 0:
            return profile.gpu_hours * SECONDS_PER_MONTH / profile.window_s * demand.scale
        return demand.gpu_hours_per_month or 0.0

    def gang_gpus(self) -> int:
        """Accelerators one run needs at once."""
        fitted = self.profile.gang_gpus if self.profile is not None else None
        return self.workload.demand.gang_gpus or fitted or 0

    def active_parameters_b(self) -> float:
        """Active parameters of the model, billions."""
        spec = next((model for model in self.estate.models if model.id == self.workload.model), None)
        name = (spec.like or spec.id) if spec is not None else self.workload.model
        known = next((model for model in self.catalog.models if model.id == name), None)
        declared = (spec.active_parameters_b or spec.parameters_b) if spec is not None else None
        return declared or (known.active_parameters_b if known is not None else DEFAULT_ACTIVE_PARAMETERS_B)

    def _shares_by_offset(self) -> Mapping[int, float]:
        shares: dict[int, float] = {}
        for caller in self.workload.callers:
            offset = utc_offset_hours(place_country(self.estate, self.catalog, caller.place))
            shares[offset] = shares.get(offset, 0.0) + caller.share
        return shares

    def _default(self, key: str, name: str) -> Figure:
        base = default_figure(self.catalog, self.estate.assumptions, name)
        return replace(base, key=key, note=f"not declared: `{name}`")
