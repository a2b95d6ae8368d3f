"""Which copies follow, read from an estate."""

from __future__ import annotations

import pytest
from tests.factories.planning import catalog
from tests.factories.tried import loaded_of

from tripoint.engines.stress.copies.following import carried_gb_per_s, followings_of

ESTATE = """
apiVersion: tripoint/v1
name: copies
horizon: {start: 2027-01, months: 3, period_months: 3, blocks: 1}
sites:
  - {id: cloud, kind: cloud, provider: aws, region: eu-central-1, pools: [{node_type: g6e.12xlarge}]}
  - {id: spare, kind: cloud, provider: aws, region: eu-west-1, pools: [{node_type: g6e.12xlarge}]}
links:
  - {id: wan, source: cloud, target: spare, rtt_ms: 9, bandwidth_gbps: 8}
  - {id: open, source: spare, target: DE, rtt_ms: 9}
models: [{id: llama3.1-8b, precisions: [fp8]}]
datasets:
  - {id: orders, size_gb: 10, change_gb_per_month: 2628, copies: [cloud, spare]}
  - {id: notes, size_gb: 10, change_gb_per_month: 5, copies: [cloud, spare]}
  - {id: tapes, size_gb: 10, change_gb_per_month: 5, copies: [cloud, spare]}
workloads:
  - id: shop
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 1, input_tokens: 600, output_tokens: 100}
    writes: [{dataset: orders, gb_per_month: 10}, {dataset: tapes, gb_per_month: 10}]
recovery:
  stores:
    - {id: vault, dataset: tapes, replication: sync}
    - {id: state, workloads: [shop], sites: [spare, cloud], change_gb_per_hour: 36, lag_p99_s: 7}
"""


def test_copies_of_stores_and_of_what_workloads_write_follow() -> None:
    """A store as declared, a written dataset by its own figures; what is synchronous or only read does not follow."""
    estate = loaded_of(ESTATE).estate
    state, orders = followings_of(estate, catalog(), None)
    assert (state.store, state.workloads, state.source, state.target) == ("state", ("shop",), "spare", "cloud")
    assert (state.links, state.lag_s) == (("wan",), 7.0)
    assert state.gb_per_s == pytest.approx(0.01)
    assert (orders.store, orders.workloads, orders.source, orders.target) == ("orders", ("shop",), "cloud", "spare")
    assert orders.gb_per_s == pytest.approx(0.001)
    assert orders.lag_s > 0


def test_only_links_with_a_limit_have_one() -> None:
    """In GB per second."""
    assert carried_gb_per_s(loaded_of(ESTATE).estate) == {"wan": 1.0}
