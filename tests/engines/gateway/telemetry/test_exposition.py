"""The page Prometheus reads: what promtool says of it, states of upstreams, OpenTelemetry's names."""

from __future__ import annotations

import shutil
import subprocess

import msgspec
import pytest
from tests.conftest import missing_component
from tests.factories.metrics_page import series_of, total_of
from tests.factories.records import STORY, record

from tripoint.domain.record import ShiftRecord, Usage
from tripoint.engines.gateway.health.load import UpstreamLoad
from tripoint.engines.gateway.routing.query import TargetState
from tripoint.engines.gateway.telemetry.counts.snapshots import Snapshot
from tripoint.engines.gateway.telemetry.exposition import GatewayState, exposition
from tripoint.engines.gateway.telemetry.meters import METERS, PARTS, Meter
from tripoint.engines.gateway.telemetry.metrics import Metrics
from tripoint.engines.gateway.telemetry.semconv import CONVENTIONS, EDGES, prometheus_name
from tripoint.engines.gateway.telemetry.text import number

STATE = TargetState(
    upstream="a", site="site-a", breaker="half_open", held=3, capacity=8, limit=2, limited_s=1.5, is_silent=False,
    ttft_p50_s=0.1, ttft_p95_s=0.2, ttft_p99_s=0.4, tpot_p50_s=0.01, weights=(("chat", 0.25, 0.4),),
)  # fmt: skip
NAMES = ("plain", 'quoted "name"', "back\\slash", "Zürich 東京", "line\nbreak", "\ud800")


def full_page(convention: str = "1.41.0") -> str:
    """A page on which every family is there."""
    metrics = Metrics()
    for each in STORY:
        metrics.record(each)
    metrics.shifted(ShiftRecord(0.0, "chat", "a", "b", 0.25, "cheaper"))
    for event in (
        "connection_opened",
        "connection_refused:full",
        "malformed:chunk",
        "reload:ok",
        "records_lost",
        "budget_overdrawn",
        "odd",
    ):
        metrics.event(event)
    gateway = GatewayState(
        version="0.1.0", estate="three layers", estate_digest="sha256:1", plan_digest="", workers=2,
        degraded=("usage_records",), loads={"a": UpstreamLoad(5, 2, 0.75)}, providers={"a": "own"},
        convention=convention,
    )  # fmt: skip
    figures = [(meter.name, ("llama",) * len(meter.labels), 1.5) for meter in METERS if _is_told_by_the_ledger(meter)]
    ledger = msgspec.msgpack.encode(Snapshot(figures=[*figures, ("odd", (), 1.0), (figures[0][0], ("odd",), 1.0)]))
    return exposition([metrics.snapshot(), ledger], [STATE], gateway)


def _is_told_by_the_ledger(meter: Meter) -> bool:
    beginnings = ("tripoint_budget_limit", "tripoint_budget_spent", "tripoint_ledger_", "tripoint_spend_")
    return meter.name.startswith(beginnings)


@pytest.fixture
def promtool() -> str:
    """The real promtool."""
    found = shutil.which("promtool")
    if found is None:
        missing_component("promtool is not on the PATH")
    assert found is not None
    return found


def check(promtool: str, page: str) -> tuple[int, str]:
    """Exit code and complaints of `promtool check metrics`."""
    run = subprocess.run([promtool, "check", "metrics"], input=page.encode(), capture_output=True, check=False)
    return run.returncode, run.stderr.decode()


@pytest.mark.parametrize("convention", ["", *CONVENTIONS])
def test_promtool_has_nothing_to_say(promtool: str, convention: str) -> None:
    """A full page passes without a single lint complaint, by every convention."""
    assert check(promtool, full_page(convention)) == (0, "")


def test_promtool_accepts_strange_names_and_an_empty_gateway(promtool: str) -> None:
    """Quotes, backslashes, line ends and halves of surrogate pairs in names; and nothing counted yet."""
    metrics = Metrics()
    for name in NAMES:
        metrics.record(record(tenant=name, workload=name, upstream=name))
    states = [STATE._replace(upstream=name, site=name, weights=((name, 1.0, 1.0),)) for name in NAMES]
    assert check(promtool, exposition([metrics.snapshot()], states, GatewayState(estate=NAMES[4]))) == (0, "")
    assert check(promtool, exposition([])) == (0, "")


def test_a_full_page_has_every_meter_in_order() -> None:
    """Each family once, with HELP and TYPE, in the order of the table; the conventions' after ours."""
    headings = [line.split()[2] for line in full_page().splitlines() if line.startswith("# TYPE")]
    ours = [name for name in headings if name.startswith("tripoint_")]
    assert ours == [meter.name for meter in METERS]
    assert headings[: len(ours)] == ours
    assert len(set(headings)) == len(headings) == len(ours) + 4


def test_states_of_upstreams_are_told() -> None:
    """Places, breaker, live latency, shares and what the upstream says itself."""
    page = full_page()
    assert total_of(page, "tripoint_upstream_in_flight_requests", upstream="a", site="site-a") == 3
    assert total_of(page, "tripoint_upstream_breaker_state", state="half_open") == 1
    assert total_of(page, "tripoint_upstream_breaker_state") == 1
    assert total_of(page, "tripoint_upstream_live_time_to_first_token_seconds", percentile="99") == 0.4
    assert total_of(page, "tripoint_upstream_live_time_per_output_token_seconds", percentile="50") == 0.01
    assert total_of(page, "tripoint_workload_share_ratio", workload="chat", upstream="a") == 0.25
    assert total_of(page, "tripoint_workload_planned_share_ratio", workload="chat", upstream="a") == 0.4
    assert total_of(page, "tripoint_upstream_running_requests") == 5
    assert total_of(page, "tripoint_upstream_waiting_requests") == 2
    assert total_of(page, "tripoint_upstream_cache_usage_ratio") == 0.75


def test_without_measurement_there_is_no_live_latency() -> None:
    """A zero would be taken for the best of all."""
    page = exposition([], [STATE._replace(ttft_p50_s=0.0, ttft_p95_s=0.0, ttft_p99_s=0.0, tpot_p50_s=0.0)])
    assert "tripoint_upstream_in_flight_requests" in page
    assert "_live_" not in page


def test_what_is_missing_is_told_and_what_is_not_as_well() -> None:
    """Every part has its series, so that an alert can be written before the first fault."""
    page = full_page()
    assert total_of(page, "tripoint_degraded", part="usage_records") == 1
    assert total_of(page, "tripoint_degraded") == 1
    assert len([1 for name, _ in series_of(page) if name == "tripoint_degraded"]) == len(PARTS)


@pytest.mark.parametrize("version", [version for version, each in CONVENTIONS.items() if each.metrics])
def test_histograms_are_told_by_the_conventions_names_and_edges(version: str) -> None:
    """Same counts and sums as ours, over exactly the edges asked for, under the attributes of that version."""
    page = full_page(version)
    provider = CONVENTIONS[version].attributes["provider"].replace(".", "_")
    for metric, edges in EDGES.items():
        name = prometheus_name(metric)
        told = {dict(labels)["le"] for found, labels in series_of(page) if found == f"{name}_bucket"}
        assert told == {*map(number, edges), "+Inf"}
        assert all(
            {provider, "gen_ai_operation_name", "gen_ai_request_model"} <= {label for label, _ in labels}
            for found, labels in series_of(page)
            if found.startswith(name)
        )
    for mine, other in (
        ("tripoint_time_to_first_token_seconds", "gen_ai_server_time_to_first_token_seconds"),
        ("tripoint_request_duration_seconds", "gen_ai_server_request_duration_seconds"),
    ):
        assert total_of(page, f"{mine}_count") == total_of(page, f"{other}_count")
        assert total_of(page, f"{mine}_bucket", le="2.5") == total_of(page, f"{other}_bucket", le="2.5")
    tokens = total_of(page, "gen_ai_client_token_usage_sum", gen_ai_token_type="input")
    assert tokens == total_of(page, "tripoint_input_tokens_total") > 0
    assert total_of(page, "gen_ai_server_request_duration_seconds_count", **{provider: "own"}) == 2


def test_what_lies_above_the_conventions_edges_is_in_their_last_interval() -> None:
    """Our histograms go further than theirs."""
    metrics = Metrics()
    metrics.record(record(ttft_s=30.0, usage=Usage(10**9, 1)))
    page = exposition([metrics.snapshot()])
    assert total_of(page, "tripoint_time_to_first_token_seconds_bucket", le="40") == 1
    assert total_of(page, "gen_ai_server_time_to_first_token_seconds_bucket", le="10") == 0
    assert total_of(page, "gen_ai_server_time_to_first_token_seconds_bucket", le="+Inf") == 1


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (3.0, "3"), (0.25, "0.25"), (1e300, "1e+300"), (float("inf"), "+Inf"), (float("-inf"), "-Inf"),
     (float("nan"), "NaN"), (-2, "-2"), (1e-7, "1e-07")],
)  # fmt: skip
def test_numbers_are_written_as_the_format_has_them(value: float, told: str) -> None:
    """Whole numbers plainly, others so that they read back the same."""
    assert number(value) == told
