"""Which metrics there are: name, kind, labels and meaning of each; the page about metrics is held against this table.

Units are base units and part of the name. Labels carry only names of the routing table and words of ours: what a
caller sent never becomes a label.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """Prometheus types in use."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Meter(NamedTuple):
    """One metric."""

    name: str
    """Its name as exposed, unit included."""
    kind: Kind
    """How it behaves."""
    labels: tuple[str, ...]
    """Names of its labels, `le` not counted."""
    help: str
    """What it says, one sentence."""


# Typed as of any length: a compiler would else spell each of them out as so many numbers, and box them anew each time.
TTFT_EDGES: Final[tuple[float, ...]] = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
TPOT_EDGES: Final[tuple[float, ...]] = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
)  # fmt: skip
TOTAL_EDGES: Final[tuple[float, ...]] = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
    163.84, 327.68, 655.36,
)  # fmt: skip
OWN_EDGES: Final[tuple[float, ...]] = (
    0.00005, 0.0001, 0.00015, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5,
)  # fmt: skip
TOKEN_EDGES: Final[tuple[int, ...]] = (
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
)  # fmt: skip

_WHO: Final = ("tenant", "workload", "model", "site", "upstream")
_WHERE: Final = ("workload", "model", "api", "site", "upstream")
_STATE: Final = ("upstream", "site")

REQUESTS: Final = Meter(
    "tripoint_requests_total",
    Kind.COUNTER,
    ("tenant", "workload", "api", "site", "upstream", "status", "ending", "error"),
    "Requests, by how they ended; the sum is everything offered.",
)
ATTEMPTS: Final = Meter(
    "tripoint_attempts_total",
    Kind.COUNTER,
    ("upstream", "site", "reason", "failure"),
    "Attempts sent to upstreams, by why each was made and how it failed.",
)
REASONS: Final = Meter(
    "tripoint_route_reasons_total",
    Kind.COUNTER,
    ("workload", "upstream", "reason"),
    "Answered requests by why the answering upstream was chosen.",
)
TOKENS_IN: Final = Meter("tripoint_input_tokens_total", Kind.COUNTER, _WHO, "Input tokens, cached ones included.")
TOKENS_OUT: Final = Meter("tripoint_output_tokens_total", Kind.COUNTER, _WHO, "Output tokens, reasoning included.")
TOKENS_CACHED: Final = Meter(
    "tripoint_cached_input_tokens_total", Kind.COUNTER, _WHO, "Input tokens read from the upstream's cache."
)
TOKENS_REASONING: Final = Meter(
    "tripoint_reasoning_output_tokens_total", Kind.COUNTER, _WHO, "Output tokens spent on reasoning."
)
ESTIMATED: Final = Meter(
    "tripoint_estimated_usage_requests_total", Kind.COUNTER, _WHO, "Requests whose tokens we counted ourselves."
)
COST: Final = Meter(
    "tripoint_cost_usd_total",
    Kind.COUNTER,
    _WHO,
    "Effective cost of requests, capacity taken up and billed attempts included; idle capacity is not in it.",
)
LIST_COST: Final = Meter("tripoint_list_cost_usd_total", Kind.COUNTER, _WHO, "The same at list prices.")
MARGINAL_COST: Final = Meter(
    "tripoint_marginal_cost_usd_total",
    Kind.COUNTER,
    _WHO,
    "What one more request cost each time: what routing compares.",
)
TTFT: Final = Meter("tripoint_time_to_first_token_seconds", Kind.HISTOGRAM, _WHERE, "Time to the first token.")
TPOT: Final = Meter(
    "tripoint_time_per_output_token_seconds", Kind.HISTOGRAM, _WHERE, "Mean time per output token after the first."
)
TOTAL: Final = Meter(
    "tripoint_request_duration_seconds",
    Kind.HISTOGRAM,
    _WHERE,
    "Time from the last byte of a request to the last byte of its answer.",
)
OWN: Final = Meter(
    "tripoint_own_overhead_seconds", Kind.HISTOGRAM, ("api",), "Time spent here before the first attempt was sent."
)
TOOK: Final = Meter(
    "tripoint_attempt_duration_seconds",
    Kind.HISTOGRAM,
    ("upstream", "site", "failure"),
    "How long attempts lasted, by how they failed; `none` for those that answered.",
)
REQUEST_TOKENS_IN: Final = Meter("tripoint_request_input_tokens", Kind.HISTOGRAM, _WHERE, "Input tokens of a request.")
REQUEST_TOKENS_OUT: Final = Meter(
    "tripoint_request_output_tokens", Kind.HISTOGRAM, _WHERE, "Output tokens of a request."
)
SHIFTS: Final = Meter(
    "tripoint_shifts_total", Kind.COUNTER, ("workload", "source", "target"), "Moves of traffic between upstreams."
)
CONNECTIONS: Final = Meter("tripoint_connections_total", Kind.COUNTER, (), "Connections of callers accepted.")
CONNECTIONS_REFUSED: Final = Meter(
    "tripoint_connections_refused_total", Kind.COUNTER, ("cause",), "Connections of callers refused or closed by us."
)
MALFORMED: Final = Meter(
    "tripoint_malformed_requests_total", Kind.COUNTER, ("cause",), "Requests refused before they could be read."
)
RELOADS: Final = Meter(
    "tripoint_reloads_total", Kind.COUNTER, ("result",), "Reloads of estate and plan, taken over or refused."
)
RECORDS_LOST: Final = Meter(
    "tripoint_usage_records_lost_total", Kind.COUNTER, (), "Usage records lost because the disk took none for too long."
)
UNKNOWN_EVENTS: Final = Meter("tripoint_unknown_events_total", Kind.COUNTER, (), "Events no metric is declared for.")
OVERFLOWS: Final = Meter(
    "tripoint_label_overflows_total",
    Kind.COUNTER,
    (),
    "Records counted under `other` because a label was unknown or the series are at their limit.",
)

OVERDRAWN: Final = Meter(
    "tripoint_budget_overdrawn_requests_total",
    Kind.COUNTER,
    (),
    "Requests that cost more than the upper bound reserved for them; what they cost is counted in full.",
)
BUDGET_LIMIT: Final = Meter(
    "tripoint_budget_limit_usd", Kind.GAUGE, ("tenant", "budget"), "Limit of a budget in the window that is open."
)
BUDGET_SPENT: Final = Meter(
    "tripoint_budget_spent_usd",
    Kind.GAUGE,
    ("tenant", "budget"),
    "What is spent of a budget in the window that is open.",
)

EVENTS: Final = {
    "connection_opened": CONNECTIONS,
    "connection_refused": CONNECTIONS_REFUSED,
    "malformed": MALFORMED,
    "reload": RELOADS,
    "records_lost": RECORDS_LOST,
    "budget_overdrawn": OVERDRAWN,
}
"""Metric of each family of events; an event's name is `family` or `family:cause`."""

IN_FLIGHT: Final = Meter(
    "tripoint_upstream_in_flight_requests", Kind.GAUGE, _STATE, "Requests an upstream has from all workers together."
)
CAPACITY: Final = Meter(
    "tripoint_upstream_capacity_requests", Kind.GAUGE, _STATE, "Requests an upstream may have at once when well."
)
LIMIT: Final = Meter(
    "tripoint_upstream_limit_requests",
    Kind.GAUGE,
    _STATE,
    "Requests an upstream may have now: none while shut, a growing share of its capacity while it starts.",
)
BREAKER: Final = Meter(
    "tripoint_upstream_breaker_state",
    Kind.GAUGE,
    (*_STATE, "state"),
    "1 for the state an upstream's breaker is in, 0 for the others.",
)
LEFT_ALONE: Final = Meter(
    "tripoint_upstream_left_alone_seconds",
    Kind.GAUGE,
    _STATE,
    "How long an upstream still asks for no requests, by its Retry-After.",
)
LIVE_TTFT: Final = Meter(
    "tripoint_upstream_live_time_to_first_token_seconds",
    Kind.GAUGE,
    (*_STATE, "percentile"),
    "Time to the first token as routing sees it now; absent without measurement.",
)
LIVE_TPOT: Final = Meter(
    "tripoint_upstream_live_time_per_output_token_seconds",
    Kind.GAUGE,
    (*_STATE, "percentile"),
    "Time per output token as routing sees it now; absent without measurement.",
)
SHARE: Final = Meter(
    "tripoint_workload_share_ratio",
    Kind.GAUGE,
    ("workload", "upstream"),
    "Share of a workload's traffic an upstream gets now.",
)
PLANNED_SHARE: Final = Meter(
    "tripoint_workload_planned_share_ratio",
    Kind.GAUGE,
    ("workload", "upstream"),
    "Share of a workload's traffic the plan puts on an upstream.",
)
SILENT: Final = Meter(
    "tripoint_upstream_silent",
    Kind.GAUGE,
    _STATE,
    "1 while several requests wait for an upstream much longer than usual and it has said nothing.",
)
RUNNING: Final = Meter(
    "tripoint_upstream_running_requests", Kind.GAUGE, _STATE, "Requests an upstream says it works on, everybody's."
)
WAITING: Final = Meter(
    "tripoint_upstream_waiting_requests", Kind.GAUGE, _STATE, "Requests an upstream says are in its queue."
)
CACHE_USAGE: Final = Meter(
    "tripoint_upstream_cache_usage_ratio",
    Kind.GAUGE,
    _STATE,
    "Share of its key-value cache an upstream says is in use.",
)
BUILD: Final = Meter("tripoint_build_info", Kind.GAUGE, ("version",), "Version of the gateway; always 1.")
TABLE: Final = Meter(
    "tripoint_routing_table_info",
    Kind.GAUGE,
    ("estate", "estate_digest", "plan_digest"),
    "The routing table in use; always 1.",
)
WORKERS: Final = Meter("tripoint_workers", Kind.GAUGE, (), "Workers that serve.")
DEGRADED: Final = Meter(
    "tripoint_degraded", Kind.GAUGE, ("part",), "1 while serving goes on without a part that should be there."
)
UNREADABLE: Final = Meter(
    "tripoint_unreadable_snapshots", Kind.GAUGE, (), "Snapshots of workers that this page could not count in."
)

LEDGER_ENTRIES: Final = Meter(
    "tripoint_ledger_entries_total", Kind.COUNTER, (), "Entries added since the ledger process began."
)
LEDGER_REPEATED: Final = Meter(
    "tripoint_ledger_repeated_entries_total", Kind.COUNTER, (), "Entries that came again and changed nothing."
)
LEDGER_DAMAGED: Final = Meter(
    "tripoint_ledger_damaged_stretches",
    Kind.GAUGE,
    (),
    "Stretches of segments that could not be read, ever; torn ends of killed workers included.",
)
LEDGER_LAG: Final = Meter(
    "tripoint_ledger_lag_seconds", Kind.GAUGE, (), "How long ago everything that was on disk was in the ledger too."
)
LEDGER_WAITING: Final = Meter(
    "tripoint_ledger_waiting_bytes", Kind.GAUGE, (), "Usage records on disk that are not in the ledger yet."
)
LEDGER_FAULT: Final = Meter("tripoint_ledger_fault", Kind.GAUGE, (), "1 while the ledger's store takes nothing.")
LEDGER_TOLD: Final = Meter(
    "tripoint_ledger_told_timestamp_seconds",
    Kind.GAUGE,
    (),
    "When the ledger process last wrote its figures; old when it is not running.",
)
SPEND_TODAY: Final = Meter(
    "tripoint_spend_today_usd",
    Kind.GAUGE,
    ("tenant",),
    "Effective cost of the day (UTC) in the ledger so far; idle capacity under an empty tenant.",
)
SPEND_TODAY_AT: Final = Meter(
    "tripoint_spend_today_by_site_usd",
    Kind.GAUGE,
    ("kind", "model", "site"),
    "The same by kind of entry, model and site.",
)
ANOMALY: Final = Meter(
    "tripoint_spend_anomaly_ratio",
    Kind.GAUGE,
    ("tenant", "model"),
    "Spend of the day over its usual, where it stands out; absent where it does not.",
)

BREAKER_STATES: Final = ("closed", "half_open", "open")
"""States a breaker can be in."""
PARTS: Final = ("usage_records", "metrics_files", "access_log", "ledger", "secrets", "upstreams")
"""Parts that can be missing while requests are still served."""

METERS: Final = (
    REQUESTS, ATTEMPTS, REASONS, TOKENS_IN, TOKENS_OUT, TOKENS_CACHED, TOKENS_REASONING, ESTIMATED, COST, LIST_COST,
    MARGINAL_COST, OVERDRAWN,
    TTFT, TPOT, TOTAL, OWN, TOOK, REQUEST_TOKENS_IN, REQUEST_TOKENS_OUT, SHIFTS, CONNECTIONS, CONNECTIONS_REFUSED,
    MALFORMED, RELOADS, RECORDS_LOST, UNKNOWN_EVENTS, OVERFLOWS, IN_FLIGHT, CAPACITY, LIMIT, BREAKER, LEFT_ALONE,
    SILENT, LIVE_TTFT, LIVE_TPOT, SHARE, PLANNED_SHARE, RUNNING, WAITING, CACHE_USAGE, BUILD, TABLE, WORKERS, DEGRADED,
    UNREADABLE, LEDGER_ENTRIES, LEDGER_REPEATED, LEDGER_DAMAGED, LEDGER_LAG, LEDGER_WAITING, LEDGER_FAULT, LEDGER_TOLD,
    SPEND_TODAY, SPEND_TODAY_AT, ANOMALY, BUDGET_LIMIT, BUDGET_SPENT,
)  # fmt: skip
"""All of them, in the order they are exposed."""
