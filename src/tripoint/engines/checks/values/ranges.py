"""Are numbers in range, and do those that belong together agree?

Each row of `_RANGES` bounds one field; the message shows the number found and the bound it breaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tripoint.domain.dataset import Dataset
from tripoint.domain.dependency import Dependency, Leaving
from tripoint.domain.errors import Finding
from tripoint.domain.estate import Estate, Finance, Horizon
from tripoint.domain.findings import finding
from tripoint.domain.hardware import NodeType
from tripoint.domain.link import Link
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.policy import Budget, ConcentrationCap, Policies
from tripoint.domain.purchase import Commitment, NodePool, OwnPrice
from tripoint.domain.recovery import Impact, Objective, Store, Timing, Tolerance
from tripoint.domain.serving import Hedging, Serving, Shifting, Upstream
from tripoint.domain.site import ExpansionStep, PowerEnvelope, Site
from tripoint.domain.units import HOURS_PER_WEEK, SECONDS_PER_DAY
from tripoint.domain.workload import Caller, DatasetUse, Demand, Recovery, Slo, TodayShare, Workload
from tripoint.engines.checks.walk import Entry, entries

_SUM_TOLERANCE = 0.001
_WEIGHTS = "1 in every hour is even traffic"
CEILING = 1e15
"""Beyond this a number is a mistake whatever its unit."""
_MOST_PER_S = 100_000_000
"""More requests a second than all there is; a program of such figures has no exact solution any more."""
_MOST_TOKENS = 100_000_000
"""Of one request."""
_PERCENT = "write a fraction: 0.3 is 30 %"


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of one field."""

    low: float
    high: float = CEILING
    unit: str = ""
    is_low_open: bool = False
    code: str = "TP1302"
    hint: str = ""
    hint_below: str = ""
    """Instead of `hint`, for a number that is too small."""

    def admits(self, value: float) -> bool:
        """True inside the bounds."""
        above = value > self.low if self.is_low_open else value >= self.low
        return above and value <= self.high

    def text(self) -> str:
        """The bounds in words."""
        if self.high == CEILING:
            return f"{'more than' if self.is_low_open else 'at least'} {self.low:g}{self._unit}"
        return f"{'more than ' if self.is_low_open else ''}{self.low:g} to {self.high:g}{self._unit}"

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


def _positive(unit: str, high: float = CEILING) -> Range:
    return Range(0, high, unit, is_low_open=True)


def _amount(unit: str) -> Range:
    return Range(0, unit=unit)


_SHARE = Range(0, 1, code="TP1301", hint=_PERCENT)
_PART = Range(0, 1, is_low_open=True, code="TP1301", hint=_PERCENT)
_GROWTH = Range(-1, 10, "per year", hint=_PERCENT)
_USD = _amount("USD")
_RATE = _amount("USD per hour")

_RANGES: Mapping[tuple[type, str], Range] = MappingProxyType(
    {
        (Horizon, "months"): Range(
            1, 120, "months", code="TP1307", hint="plan a shorter time", hint_below="plan a longer time"
        ),
        (Horizon, "period_months"): Range(1, 12, "months"),
        (Horizon, "blocks"): Range(1, 24, "blocks"),
        (Horizon, "review_months"): Range(1, 120, "months"),
        (Finance, "usd_per_unit"): _positive("USD"),
        (Finance, "discount_rate"): _SHARE,
        (Finance, "amortisation_years"): _positive("years", 20),
        (Finance, "residual_share"): _SHARE,
        (Finance, "maintenance_share_per_year"): _SHARE,
        (Finance, "staff_usd_per_fte_year"): _USD,
        (Finance, "gpus_per_fte"): _positive("accelerators"),
        (Site, "count"): Range(1, 100_000, "sites"),
        (Site, "storage_usd_per_gb_month"): _amount("USD per GB and month"),
        (PowerEnvelope, "it_kw"): _positive("kW"),
        (PowerEnvelope, "feed_count"): Range(1, 16, "feeds"),
        (PowerEnvelope, "rack_density_kw"): _positive("kW"),
        (PowerEnvelope, "racks"): Range(1, unit="racks"),
        (PowerEnvelope, "pue"): Range(1, 5, code="TP1304", hint="PUE is total energy over IT energy (ISO/IEC 30134-2)"),
        (PowerEnvelope, "energy_usd_per_kwh"): Range(
            0, 5, "USD per kWh", hint="is it in cents, or per MWh?", hint_below="check the sign"
        ),
        (PowerEnvelope, "colo_usd_per_kw_month"): _amount("USD per kW and month"),
        (PowerEnvelope, "contracted_kw"): _amount("kW"),
        (PowerEnvelope, "grid_gco2_per_kwh"): Range(0, 2000, "gCO2e per kWh"),
        (ExpansionStep, "adds_kw"): _amount("kW"),
        (ExpansionStep, "adds_racks"): _amount("racks"),
        (ExpansionStep, "one_off_usd"): _USD,
        (ExpansionStep, "usd_per_month"): _amount("USD per month"),
        (ExpansionStep, "lead_time_months"): Range(0, 120, "months"),
        (NodePool, "held"): _amount("nodes"),
        (NodePool, "max_nodes"): _amount("nodes"),
        (NodePool, "usd_per_hour"): _RATE,
        (NodePool, "spot_usd_per_hour"): _RATE,
        (NodePool, "committed_1y_usd_per_hour"): _RATE,
        (NodePool, "committed_3y_usd_per_hour"): _RATE,
        (NodePool, "purchase_usd"): _USD,
        (NodePool, "lead_time_months"): Range(0, 120, "months"),
        (Commitment, "nodes"): Range(1, unit="nodes"),
        (Commitment, "usd_per_hour"): _RATE,
        (Commitment, "term_months"): Range(1, 120, "months"),
        (OwnPrice, "usd_per_hour"): _RATE,
        (OwnPrice, "discount"): _SHARE,
        (OwnPrice, "usd_in_per_mtok"): _amount("USD per million tokens"),
        (OwnPrice, "usd_out_per_mtok"): _amount("USD per million tokens"),
        (OwnPrice, "usd_cached_per_mtok"): _amount("USD per million tokens"),
        (NodeType, "gpus"): Range(1, 10_000, "accelerators"),
        (NodeType, "max_kw"): _positive("kW"),
        (NodeType, "typical_kw"): _positive("kW"),
        (NodeType, "rack_units"): _positive("U"),
        (NodeType, "purchase_usd_low"): _USD,
        (NodeType, "purchase_usd_high"): _USD,
        (Link, "rtt_ms"): _amount("ms"),
        (Link, "bandwidth_gbps"): _positive("Gbit/s"),
        (Link, "usd_per_gb"): _amount("USD per GB"),
        (Link, "port_usd_per_month"): _amount("USD per month"),
        (Dataset, "size_gb"): _amount("GB"),
        (Dataset, "growth_per_year"): _GROWTH,
        (Dataset, "change_gb_per_month"): _amount("GB per month"),
        (Dataset, "retention_months"): _amount("months"),
        (Dataset, "rpo_minutes"): _amount("minutes"),
        (ModelSpec, "parameters_b"): Range(
            0, 100_000, "billion", is_low_open=True, hint="the unit is billions: 70 for a 70B model"
        ),
        (ModelSpec, "active_parameters_b"): Range(
            0, 100_000, "billion", is_low_open=True, hint="the unit is billions: 70 for a 70B model"
        ),
        (ModelSpec, "context_tokens"): Range(1, _MOST_TOKENS, "tokens"),
        (ModelSpec, "kv_mb_per_token"): _positive("MB"),
        (Demand, "requests_per_s"): Range(0, _MOST_PER_S, "requests per second"),
        (Demand, "requests_per_day"): Range(0, _MOST_PER_S * SECONDS_PER_DAY, "requests per day"),
        (Demand, "input_tokens"): _positive("tokens", _MOST_TOKENS),
        (Demand, "output_tokens"): Range(0, _MOST_TOKENS, "tokens"),
        (Demand, "cached_share"): _SHARE,
        (Demand, "burstiness_cv"): _positive("", 100),
        (Demand, "scale"): _positive(""),
        (Demand, "payload_kb"): _amount("kB"),
        (Demand, "mtok_per_month"): _amount("million tokens per month"),
        (Demand, "gpu_hours_per_month"): _amount("GPU-hours per month"),
        (Demand, "gang_gpus"): Range(1, unit="accelerators"),
        (Caller, "share"): _PART,
        (Slo, "ttft_ms"): _positive("ms"),
        (Slo, "tpot_ms"): _positive("ms"),
        (Slo, "availability"): _SHARE,
        (DatasetUse, "gb_per_month"): _amount("GB per month"),
        (Recovery, "rto_minutes"): _amount("minutes"),
        (Recovery, "rpo_minutes"): _amount("minutes"),
        (Recovery, "survive_share"): _SHARE,
        (Recovery, "spare_nodes"): _amount("nodes"),
        (Objective, "rto_minutes"): _amount("minutes"),
        (Objective, "rpo_minutes"): _amount("minutes"),
        (Objective, "least_share"): _SHARE,
        (Objective, "highest_cost_factor"): Range(1, hint_below="1 allows no more than the usual cost"),
        (Tolerance, "annual_loss_usd"): _USD,
        (Tolerance, "p95_outage_hours"): Range(0, 8760, "hours"),
        (Tolerance, "largest_dependency_share"): _SHARE,
        (Impact, "usd_per_hour"): _amount("USD per hour"),
        (Timing, "seconds"): _amount("s"),
        (Store, "size_gb"): _amount("GB"),
        (Store, "change_gb_per_hour"): _amount("GB per hour"),
        (Store, "lag_p99_s"): _amount("s"),
        (Store, "snapshot_every_minutes"): _positive("minutes"),
        (Store, "restore_gb_per_s"): _positive("GB/s"),
        (TodayShare, "share"): _PART,
        (Workload, "deadline_hours"): _positive("hours"),
        (Workload, "growth_per_year"): _GROWTH,
        (Workload, "priority"): Range(1, 5, hint="1 is served first, 5 last"),
        (Workload, "min_replicas"): _amount("replicas"),
        (ConcentrationCap, "max_share"): _SHARE,
        (Budget, "usd_per_period"): _positive("USD"),
        (Policies, "max_moves_per_period"): _amount("moves"),
        (Upstream, "nodes"): _positive("nodes"),
        (Upstream, "max_concurrency"): Range(1, 100_000, "requests"),
        (Upstream, "usd_in_per_mtok"): _amount("USD per million tokens"),
        (Upstream, "usd_out_per_mtok"): _amount("USD per million tokens"),
        (Dependency, "at_least"): Range(1, 1000, "alternatives"),
        (Dependency, "fails_per_year"): Range(0, 100_000, "per year"),
        (Dependency, "hours_to_repair"): _positive("hours", 8760),
        (Dependency, "grace_hours"): _amount("hours"),
        (Leaving, "rebuild_days"): _amount("days"),
        (Leaving, "revalidate_days"): _amount("days"),
        (Leaving, "dual_run_months"): _amount("months"),
        (Leaving, "bandwidth_gbps"): _positive("Gbit/s"),
        (Leaving, "one_off_usd"): _USD,
        (Serving, "retry_share"): _SHARE,
        (Serving, "deadline_s"): _positive("s", 86_400),
        (Serving, "first_byte_s"): _positive("s", 86_400),
        (Serving, "stall_s"): _positive("s", 86_400),
        (Shifting, "max_share"): _SHARE,
        (Shifting, "hysteresis"): _SHARE,
        (Shifting, "min_dwell_s"): _amount("s"),
        (Shifting, "step"): _PART,
        (Shifting, "max_cost_factor"): Range(1, hint_below="1 allows only the cheapest place; remove it for no limit"),
        (Hedging, "quantile"): _PART,
        (Hedging, "max_share"): _SHARE,
    }
)

_PAIRS: Mapping[type, tuple[tuple[str, str, str], ...]] = MappingProxyType(
    {
        NodeType: (("typical_kw", "max_kw", "kW"), ("purchase_usd_low", "purchase_usd_high", "USD")),
        ModelSpec: (("active_parameters_b", "parameters_b", "billion"),),
    }
)
"""Per type: the first field may not exceed the second."""


def check_values(estate: Estate) -> Iterator[Finding]:
    """Numbers out of range, sums that do not add up, pairs that contradict each other."""
    yield from check_single_values(estate)
    for path, owner in _owners(estate):
        yield from _ordered(path, owner)
    for index, workload in enumerate(estate.workloads):
        yield from _sums(f"workloads[{index}].callers", workload.callers)
        yield from _sums(f"workloads[{index}].today", workload.today)
        yield from _hour_of_week(f"workloads[{index}].demand.hour_of_week", workload.demand.hour_of_week)


def check_single_values(estate: Estate) -> Iterator[Finding]:
    """Numbers out of range, whatever else is declared."""
    for entry in entries(estate):
        yield from in_range(entry, _RANGES)


def in_range(entry: Entry, ranges: Mapping[tuple[type, str], Range]) -> Iterator[Finding]:
    """A number outside the bounds of its field."""
    bounds = ranges.get(entry.key)
    value = entry.value
    if bounds is None or isinstance(value, bool) or not isinstance(value, (int, float)) or bounds.admits(value):
        return
    found = f"is {value:g}{bounds._unit}" if abs(value) < CEILING else f"is {value:.3g}"
    wanted = bounds.text() if value <= CEILING or bounds.high < CEILING else f"at most {CEILING:g}{bounds._unit}"
    hint = bounds.hint_below if value <= bounds.low and bounds.hint_below else bounds.hint
    if not hint:
        hint = "check the sign" if value < 0 <= bounds.low else "check the unit"
    yield finding(bounds.code, entry.path, f"{found}, expects {wanted}", hint)


def _owners(estate: Estate) -> Iterator[tuple[str, object]]:
    for index, node in enumerate(estate.node_types):
        yield f"node_types[{index}]", node
    for index, model in enumerate(estate.models):
        yield f"models[{index}]", model


def _ordered(path: str, owner: object) -> Iterator[Finding]:
    for lesser, greater, unit in _PAIRS[type(owner)]:
        low, high = getattr(owner, lesser), getattr(owner, greater)
        if low is not None and high is not None and low > high:
            message = f"is {low:g} {unit}, more than `{greater}` ({high:g} {unit})"
            yield finding("TP1302", f"{path}.{lesser}", message, f"lower it, or raise `{greater}`")


def _sums(path: str, parts: tuple[Caller, ...] | tuple[TodayShare, ...]) -> Iterator[Finding]:
    total = sum(part.share for part in parts)
    if parts and abs(total - 1.0) > _SUM_TOLERANCE:
        shares = " + ".join(f"{part.share:g}" for part in parts[:6])
        more = " + ..." if len(parts) > 6 else ""
        yield finding(
            "TP1303", path, f"the shares {shares}{more} sum to {total:.4g}, expects 1", "let them add up to 1"
        )


def _hour_of_week(path: str, weights: tuple[float, ...] | None) -> Iterator[Finding]:
    if weights is None:
        return
    if len(weights) != HOURS_PER_WEEK:
        message = f"has {len(weights)} weights, expects {HOURS_PER_WEEK} (one per hour from Monday 00:00 UTC)"
        yield finding("TP1316", path, message, "give one per hour, or fit a `profile`: `tripoint demand fit`")
    elif not all(0 <= weight <= CEILING for weight in weights) or sum(weights) <= 0:
        worst = min(weights) if min(weights) < 0 else max(weights)
        yield finding("TP1316", path, f"holds {worst:g}; weights are 0 or more, and not all 0", _WEIGHTS)
