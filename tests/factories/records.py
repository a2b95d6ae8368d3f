"""Usage records with every field filled in sensibly."""

from __future__ import annotations

from typing import Any

from tripoint.domain.record import AttemptRecord, Ending, Failure, Reason, Usage, UsageRecord


def attempt(upstream: str = "a", failure: Failure | str = "", **fields: Any) -> AttemptRecord:
    """An attempt at `upstream`, of the site of its name."""
    made = AttemptRecord(
        upstream=upstream, site=f"site-{upstream}", model="llama", reason=Reason.PLAN, started_s=0.0001, took_s=0.2,
        status=0 if failure else 200, failure=failure,
    )  # fmt: skip
    return made._replace(**fields)


def record(number: int = 0, **fields: Any) -> UsageRecord:
    """A streamed chat of 120 and 64 tokens that upstream `a` answered at once."""
    made = UsageRecord(
        id=f"req-{number}", at=1_795_000_000.25, tenant="default", key="key-1", workload="chat", model="llama",
        api="chat", site="site-a", upstream="a", status=200, ending=Ending.OK, error="", is_stream=True,
        usage=Usage(120, 64, 40, 8), ttft_s=0.05, tpot_s=0.0125, total_s=0.8, own_s=0.00012, reason=Reason.PLAN,
        nano=120_000, list_nano=300_000, marginal_nano=40_000, tariff="chat/a/llama", prices="0123456789ab",
        trace_id="0af7651916cd43dd8448eb211c80319c", attempts=(attempt(),),
    )  # fmt: skip
    return made._replace(**fields)


def refused(status: int = 404, error: str = "model_not_found", **fields: Any) -> UsageRecord:
    """A request refused before a workload was known."""
    return record(
        workload="", model="", site="", upstream="", status=status, ending=Ending.REFUSED, error=error,
        usage=Usage(0, 0), ttft_s=0.0, tpot_s=0.0, total_s=0.0, own_s=0.0, reason="", nano=0, list_nano=0,
        marginal_nano=0, tariff="", prices="", attempts=(), **fields,
    )  # fmt: skip


STORY = (
    record(0),
    record(1, nano=100_000_000, usage=Usage(7, 0, is_estimated=True), ttft_s=0.0, tpot_s=0.0),
    record(2, upstream="b", site="site-b", reason=Reason.FAILOVER,
           attempts=(attempt("a", Failure.RESET), attempt("b", reason=Reason.FAILOVER))),
    record(3, upstream="", site="", status=502, ending=Ending.FAILED, error="upstream_failed", reason="",
        usage=Usage(0, 0), ttft_s=0.0, tpot_s=0.0, own_s=0.0, nano=0, list_nano=0, marginal_nano=0, tariff="",
        prices="", attempts=(attempt("a", Failure.CONNECT),)),
    refused(),
)  # fmt: skip
"""Answered at once, counted by us, after a failover, not at all, and refused: one request each."""
