"""The table as a whole: addresses taken apart, slots that stay, capacities, and the same bytes every time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.factories.placement import batch, chat, training
from tests.factories.served import M8, compiled, serve, two_sites, upstream

from tripoint.adapters.table_json import table_to_json
from tripoint.domain.modelspec import ModelSpec
from tripoint.domain.serving import Api, Dialect, Hedging, Probe, Shifting
from tripoint.domain.workload import Caller, Slo
from tripoint.engines.gateway.table.targets import UNKNOWN_CONCURRENCY, address_of


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://10.0.0.5:8000/v1", (False, "10.0.0.5", 8000, "/v1")),
        ("https://h.example/v1/", (True, "h.example", 443, "/v1")),
        ("http://h.example", (False, "h.example", 80, "")),
        ("https://[2001:db8::1]:9000/openai/v1", (True, "2001:db8::1", 9000, "/openai/v1")),
    ],
)
def test_an_address_is_taken_apart(url: str, address: tuple[bool, str, int, str]) -> None:
    """Ports of the scheme are filled in and a trailing slash is dropped."""
    assert address_of(url) == address


def test_a_target_carries_what_the_data_path_needs() -> None:
    """Site, layer, provider and country come from the estate, everything else from the upstream."""
    section = serve(
        upstream(
            "claude",
            "cloud",
            "big",
            url="https://a.example:8443/v1",
            dialect=Dialect.ANTHROPIC,
            secret="env:KEY",
            api_version="2023-06-01",
            max_concurrency=7,
            metrics="/metrics",
            probe=Probe.GENERATE,
            is_reproducible=True,
        ),
        upstream("hall-1", "hall", "server", apis=(Api.CHAT,)),
    )
    claude, own = compiled(two_sites(section)).table.targets
    assert (claude.site, claude.layer, claude.kind, claude.provider, claude.country) == (
        "cloud", "public", "cloud", "aws", "US",
    )  # fmt: skip
    assert (claude.is_tls, claude.host, claude.port, claude.base_path) == (True, "a.example", 8443, "/v1")
    assert (claude.apis, claude.max_concurrency, claude.secret) == ((Api.MESSAGES,), 7, "env:KEY")
    assert (claude.metrics_path, claude.probe, claude.is_reproducible) == ("/metrics", Probe.GENERATE, True)
    assert (own.apis, own.country, own.layer) == ((Api.CHAT,), "NL", "dense")


def test_a_route_carries_the_workloads_objectives() -> None:
    """Priority, objectives, typical answer, round trip of the farthest caller and the sized context."""
    workload = chat(slo=Slo(ttft_ms=900.0, tpot_ms=80.0), priority=1, callers=(Caller(place="hall"),))
    (route,) = compiled(two_sites(workloads=(workload,))).table.routes
    assert (route.workload, route.model, route.priority, route.ttft_ms, route.tpot_ms) == ("chat", "m8", 1, 900.0, 80.0)
    assert route.tokens_out == 500
    assert route.candidates[0].rtt_ms == 0.0
    assert route.candidates[1].rtt_ms > 0.0
    assert route.candidates[0].context_tokens == 8192


def test_runs_are_not_served_and_batch_work_is() -> None:
    """A route per workload that answers requests."""
    table = compiled(two_sites(workloads=(chat(), batch(), training(only_at=("cloud",))))).table
    assert [route.workload for route in table.routes] == ["chat", "batch"]


def test_capacity_comes_from_the_planners_sizing() -> None:
    """Little's law: 13.3 requests/s x (0.1 s prefill + 500 x 50 ms) of stay on a node, less than the KV cache holds."""
    hall, cloud = compiled(two_sites()).table.targets
    stay = 0.1 + 500 * 0.05
    assert hall.max_concurrency == pytest.approx(8 * 0.5 / 0.3 * stay, abs=1.0)
    doubled = serve(upstream("hall-1", "hall", "server", nodes=2.0), upstream("cloud-1", "cloud", "big"))
    assert compiled(two_sites(doubled)).table.targets[0].max_concurrency == pytest.approx(
        2 * cloud.max_concurrency, abs=2.0
    )


def test_no_more_requests_than_the_kv_cache_holds() -> None:
    """A model with a large cache and long answers: memory, not speed, is what runs out."""
    workload = chat()
    long = replace(workload, demand=replace(workload.demand, output_tokens=7000.0))
    models = (ModelSpec(id=M8, kv_mb_per_token=0.2),)
    target, _ = compiled(two_sites(workloads=(long,), models=models)).table.targets
    held_gb = 80.0 - 8.0
    assert target.max_concurrency == pytest.approx(8 * held_gb * 0.9 / (8000 * 0.2 / 1000), abs=1.0)


def test_unknown_speeds_get_a_stated_capacity() -> None:
    """As does a token API, whose limits are its vendor's."""
    table = compiled(two_sites(serve(upstream("x", "cloud", "unheard-of")))).table
    assert table.targets[0].max_concurrency == UNKNOWN_CONCURRENCY


def test_slots_stay_while_id_and_address_do() -> None:
    """A moved or new upstream gets a slot nobody had, so that it inherits no count of requests held."""
    first = compiled(two_sites()).table
    assert [each.slot for each in first.targets] == [0, 1]
    section = serve(
        upstream("new", "hall", "server"),
        upstream("cloud-1", "cloud", "big"),
        upstream("hall-1", "hall", "server", url="https://moved.example/v1"),
    )
    second = compiled(two_sites(section), previous=first).table
    assert {each.id: each.slot for each in second.targets} == {"new": 2, "cloud-1": 1, "hall-1": 3}
    third = compiled(two_sites(section), previous=second).table
    assert third == second


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1), max_size=5))
def test_slots_are_never_shared_and_never_inherited(reloads: list[list[str]]) -> None:
    """Over any sequence of reloads: distinct, stable while present, new ones none of the table before, few in all."""
    previous = None
    for names in reloads:
        section = serve(*(upstream(name, "hall", usd_in_per_mtok=1.0, usd_out_per_mtok=1.0) for name in names))
        table = compiled(two_sites(section), previous=previous).table
        slots = {each.id: each.slot for each in table.targets}
        assert len(set(slots.values())) == len(slots)
        before: dict[str, int] = {} if previous is None else {each.id: each.slot for each in previous.targets}
        for name, slot in slots.items():
            assert slot == before[name] if name in before else slot not in before.values()
        assert max(slots.values()) < 12
        previous = table


def test_the_rest_of_the_section_is_carried_over() -> None:
    """Limits, shifting and hedging as declared."""
    section = serve(
        upstream("hall-1", "hall", "server"),
        retry_share=0.2,
        deadline_s=30.0,
        first_byte_s=5.0,
        stall_s=3.0,
        shifting=Shifting(max_share=0.5),
        hedging=Hedging(quantile=0.9),
        prefix_affinity=False,
    )
    table = compiled(two_sites(section)).table
    assert (table.retry_share, table.deadline_s, table.first_byte_s, table.stall_s) == (0.2, 30.0, 5.0, 3.0)
    assert (table.shifting.max_share, table.hedging, table.prefix_affinity) == (0.5, Hedging(quantile=0.9), False)
    assert (table.estate_digest, table.plan_digest, table.schema) == ("sha256:aa", "", "tripoint/routing-table/v2")


def test_nothing_to_serve_is_an_error() -> None:
    """An estate without upstreams, or whose upstreams policy all removes."""
    assert [said.code for said in compiled(two_sites(serve())).findings] == ["TP1705"]
    confined = two_sites(workloads=(chat(only_at=("edge",)),))
    assert [said.code for said in compiled(confined).findings] == ["TP1705"]


def test_the_same_input_gives_the_same_bytes() -> None:
    """Nothing depends on hashing or on what was compiled before."""
    estate = two_sites(workloads=(chat(), batch()))
    assert table_to_json(compiled(estate).table) == table_to_json(compiled(estate).table)
