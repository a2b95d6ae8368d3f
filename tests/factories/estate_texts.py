"""Small estates as people write them, for tests that run commands; what a test is about is added below them."""

from __future__ import annotations

from typing import Final

ONE_REGION: Final = """\
apiVersion: tripoint/v1
name: one region
horizon: {start: 2027-01, months: 3, blocks: 1}
sites:
  - {id: near, kind: cloud, provider: aws, region: eu-central-1, pools: [{node_type: g6e.xlarge}]}
models: [{id: llama3.1-8b, precisions: [fp8]}]
workloads:
  - id: fraud
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 3, input_tokens: 500, output_tokens: 150}
    callers: [{place: DE}]
"""

TWO_REGIONS: Final = """\
apiVersion: tripoint/v1
name: two regions
horizon: {start: 2027-01, months: 3, blocks: 1}
sites:
  - {id: near, kind: cloud, provider: aws, region: eu-central-1, pools: [{node_type: g6e.xlarge}]}
  - {id: far, kind: cloud, provider: aws, region: eu-west-1, pools: [{node_type: g6e.xlarge}]}
models: [{id: llama3.1-8b, precisions: [fp8]}]
workloads:
  - id: fraud
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 3, input_tokens: 500, output_tokens: 150}
    callers: [{place: DE}]
"""
