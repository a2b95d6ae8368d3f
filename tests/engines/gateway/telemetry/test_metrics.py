"""What workers count: every request once, whoever asks, in bounded memory; sums of workers are exact."""

from __future__ import annotations

from itertools import permutations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.metrics_page import series_of, total_of
from tests.factories.records import STORY, attempt, record
from tests.factories.serving import two_sites

from tripoint.domain.record import Ending, Failure, ShiftRecord, Usage, UsageRecord
from tripoint.domain.table import KeyEntry
from tripoint.engines.gateway.telemetry.counts.snapshots import exact, fold_snapshots, read_snapshot
from tripoint.engines.gateway.telemetry.exposition import exposition
from tripoint.engines.gateway.telemetry.meters import METERS
from tripoint.engines.gateway.telemetry.metrics import Metrics

records = st.builds(
    record,
    tenant=st.sampled_from(["default", "t1", "stranger"]),
    workload=st.sampled_from(["chat", "", "nobody"]),
    upstream=st.sampled_from(["a", "b", ""]),
    status=st.sampled_from([0, 200, 404, 503, 999, -1]),
    ending=st.sampled_from([*Ending, "odd"]),
    usage=st.builds(Usage, st.integers(-5, 10**9), st.integers(-5, 10**9), st.integers(0, 99), st.integers(0, 99)),
    ttft_s=st.floats(-1, 1e5),
    tpot_s=st.floats(0, 10),
    total_s=st.floats(0, 1e5),
    nano=st.integers(-(2**70), 2**70),
    attempts=st.lists(
        st.builds(attempt, st.sampled_from("abz"), st.sampled_from(["", *Failure, "odd"])), max_size=3
    ).map(tuple),
)


def page_of(told: list[UsageRecord]) -> str:
    """The page of one worker that counted these."""
    metrics = Metrics()
    for each in told:
        metrics.record(each)
    return exposition([metrics.snapshot()])


def test_a_story_is_told_in_full() -> None:
    """Requests, attempts, reasons, tokens, money and times of five requests."""
    page = page_of(list(STORY))
    assert total_of(page, "tripoint_requests_total") == 5
    assert total_of(page, "tripoint_requests_total", ending="ok", status="2xx") == 3
    assert total_of(page, "tripoint_requests_total", error="model_not_found", status="4xx", upstream="") == 1
    assert total_of(page, "tripoint_attempts_total") == 5
    assert total_of(page, "tripoint_attempts_total", upstream="a", failure="none", reason="plan") == 2
    assert total_of(page, "tripoint_attempts_total", upstream="a", failure="reset") == 1
    assert total_of(page, "tripoint_attempts_total", upstream="b", failure="none", reason="failover") == 1
    assert total_of(page, "tripoint_attempt_duration_seconds_count") == 5
    assert total_of(page, "tripoint_attempt_duration_seconds_count", upstream="a", failure="connect") == 1
    assert abs(total_of(page, "tripoint_attempt_duration_seconds_sum") - 5 * 0.2) < 1e-12
    assert total_of(page, "tripoint_route_reasons_total", reason="failover", upstream="b") == 1
    assert total_of(page, "tripoint_route_reasons_total") == 3
    assert total_of(page, "tripoint_input_tokens_total", tenant="default", model="llama") == 120 + 7 + 120
    assert total_of(page, "tripoint_output_tokens_total") == 2 * 64
    assert total_of(page, "tripoint_cached_input_tokens_total") == 2 * 40
    assert total_of(page, "tripoint_reasoning_output_tokens_total") == 2 * 8
    assert total_of(page, "tripoint_estimated_usage_requests_total") == 1
    assert abs(total_of(page, "tripoint_cost_usd_total") - (0.1 + 2 * 0.00012)) < 1e-12
    assert abs(total_of(page, "tripoint_marginal_cost_usd_total") - 3 * 0.00004) < 1e-12
    assert total_of(page, "tripoint_time_to_first_token_seconds_count") == 2
    assert total_of(page, "tripoint_request_duration_seconds_count") == 5
    assert total_of(page, "tripoint_own_overhead_seconds_count") == 3
    assert total_of(page, "tripoint_time_to_first_token_seconds_bucket", le="0.06", upstream="a") == 1
    assert total_of(page, "tripoint_time_to_first_token_seconds_bucket", le="0.04", upstream="a") == 0


def test_a_value_on_an_edge_is_within_it() -> None:
    """`le` means at most."""
    page = page_of([record(ttft_s=0.04)])
    assert total_of(page, "tripoint_time_to_first_token_seconds_bucket", le="0.04") == 1
    assert total_of(page, "tripoint_time_to_first_token_seconds_bucket", le="0.02") == 0


@settings(max_examples=25)
@given(st.lists(records, max_size=30))
def test_whatever_happens_every_request_is_counted_once(told: list[UsageRecord]) -> None:
    """Absurd numbers, unknown words and missing names lose no request and break no line of the page."""
    page = page_of(told)
    assert total_of(page, "tripoint_requests_total") == len(told)
    assert total_of(page, "tripoint_attempts_total") == sum(len(each.attempts) for each in told)
    assert total_of(page, "tripoint_attempt_duration_seconds_count") == sum(len(each.attempts) for each in told)
    assert total_of(page, "tripoint_input_tokens_total") == sum(max(0, each.usage.tokens_in) for each in told)
    assert total_of(page, "tripoint_time_to_first_token_seconds_count") == sum(each.ttft_s > 0 for each in told)
    assert all(value >= 0 for value in series_of(page).values())


@settings(max_examples=8)
@given(st.lists(st.lists(records, max_size=8), min_size=2, max_size=4))
def test_workers_add_up_in_any_order_and_however_folded(workers: list[list[UsageRecord]]) -> None:
    """The page of several workers is that of one who saw it all; folding some of them together changes no digit."""
    blobs = []
    for told in workers:
        metrics = Metrics()
        for each in told:
            metrics.record(each)
        blobs.append(metrics.snapshot())
    page = exposition(blobs)
    whole = series_of(page_of([each for told in workers for each in told]))
    together = series_of(page)
    assert together.keys() == whole.keys()
    assert all(abs(together[key] - value) <= 1e-9 * abs(value) for key, value in whole.items())
    for order in list(permutations(blobs))[:3]:
        assert exposition(order) == page
        assert exposition([fold_snapshots(order[:2]), *order[2:]]) == page
        assert exposition([fold_snapshots([fold_snapshots(order[:-1]), order[-1]])]) == page


@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-9, 1e12)), max_size=20))
def test_a_shortened_sum_is_the_same_sum(parts: list[float]) -> None:
    """No bit is lost, and two or three numbers do for twenty."""
    from fractions import Fraction

    shorter = exact(tuple(parts))
    assert sum(map(Fraction, shorter)) == sum(map(Fraction, parts))
    assert len(shorter) <= 4


def test_names_that_no_table_knows_become_no_labels() -> None:
    """Only names of the table do, whatever a record carries; how often that happened is told."""
    metrics = Metrics(two_sites(keys=(KeyEntry(id="k", tenant="t1", secret="env:K", workloads=(), sites=None),)))
    metrics.record(record(tenant="t1"))
    metrics.record(record(tenant='evil"} 1\nfoo 2', workload="no such", upstream="c", site="nowhere", model="gpt-999"))
    metrics.record(record(error="evil code"))
    metrics.event("malformed:evil cause")
    page = exposition([metrics.snapshot()])
    assert "evil" not in page
    assert "gpt-999" not in page
    assert total_of(page, "tripoint_requests_total", tenant="t1", upstream="a") == 1
    assert total_of(page, "tripoint_requests_total", tenant="other", workload="other", upstream="other") == 1
    assert total_of(page, "tripoint_requests_total", tenant="default", error="other") == 1
    assert total_of(page, "tripoint_label_overflows_total") >= 5


def test_a_new_table_adds_names_and_forgets_none() -> None:
    """Requests in flight over a reload keep their labels; new ones get theirs at once."""
    metrics = Metrics(two_sites())
    metrics.record(record(tenant="t2"))
    metrics.learn(two_sites(keys=(KeyEntry(id="k", tenant="t2", secret="env:K", workloads=(), sites=None),)))
    metrics.record(record(tenant="t2"))
    page = exposition([metrics.snapshot()])
    assert total_of(page, "tripoint_requests_total", tenant="other") == 1
    assert total_of(page, "tripoint_requests_total", tenant="t2", workload="chat") == 1


def test_series_are_bounded() -> None:
    """Two thousand tenants, errors and upstreams: the page stays small, the counts right."""
    metrics = Metrics(max_series=50)
    for number in range(2_000):
        name = f"n{number}"
        tried = (attempt(name, Failure.RESET), attempt(name))
        metrics.record(record(tenant=name, error=name, upstream=name, attempts=tried))
        metrics.shifted(ShiftRecord(0.0, name, "a", "b", 0.1, ""))
        metrics.event(f"malformed:{name}")
        metrics.event(name)
    page = exposition([metrics.snapshot()])
    assert page.count("\n") < 20_000
    assert total_of(page, "tripoint_requests_total") == 2_000
    assert total_of(page, "tripoint_requests_total", tenant="other") == 2_000 - 50
    assert total_of(page, "tripoint_attempts_total") == 4_000
    assert total_of(page, "tripoint_shifts_total") == 2_000
    assert total_of(page, "tripoint_malformed_requests_total") == 2_000
    assert total_of(page, "tripoint_malformed_requests_total", cause="other") == 2_000 - 64
    assert total_of(page, "tripoint_unknown_events_total") == 2_000
    assert total_of(page, "tripoint_route_reasons_total") == 2_000
    assert len(metrics._slots) <= 100


def test_events_are_counted_by_cause() -> None:
    """What the shell saw, with and without a cause."""
    metrics = Metrics()
    metrics.event("connection_opened")
    metrics.event("connection_refused:idle")
    metrics.event("malformed:chunk", 3)
    metrics.event("reload:refused")
    metrics.event("records_lost", 7)
    metrics.event("malformed:" + "x" * 500)
    page = exposition([metrics.snapshot()])
    assert total_of(page, "tripoint_connections_total") == 1
    assert total_of(page, "tripoint_connections_refused_total", cause="idle") == 1
    assert total_of(page, "tripoint_malformed_requests_total", cause="chunk") == 3
    assert total_of(page, "tripoint_malformed_requests_total", cause="other") == 1
    assert total_of(page, "tripoint_reloads_total", result="refused") == 1
    assert total_of(page, "tripoint_usage_records_lost_total") == 7


def test_a_snapshot_that_cannot_be_read_is_left_out_and_told() -> None:
    """Torn, empty, strange, of another version or other edges: the rest is shown."""
    metrics = Metrics()
    metrics.record(record())
    good = metrics.snapshot()
    known = read_snapshot(good)
    assert known is not None
    known.version += 1
    other_version = msgspec.msgpack.encode(known)
    known.version -= 1
    known.timings[0].ttft.counts.pop()
    other_edges = msgspec.msgpack.encode(known)
    page = exposition([b"", good[:-3], good, b"\xc0", other_version, other_edges])
    assert total_of(page, "tripoint_requests_total") == 1
    assert total_of(page, "tripoint_unreadable_snapshots") == 5
    assert read_snapshot(fold_snapshots([b"", good])) is not None


def test_every_meter_has_a_name_of_its_own() -> None:
    """No two meters share a name; all are ours."""
    names = [meter.name for meter in METERS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("tripoint_") for name in names)
