"""The product as an entrant: an estate that uses everything, and the same with one feature after the other left out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version

from benchmarks.gateway.peers import KEY, MODEL, UPSTREAM_MODEL, Ground, Peer, Start

ESTATE = """apiVersion: tripoint/v1
name: bench
horizon: {{start: 2027-01, months: 12, period_months: 3, blocks: 2}}
sites:
  - id: cloud
    kind: cloud
    provider: aws
    region: us-east-1
    pools: [{{node_type: g6e.12xlarge, options: [on_demand]}}]
  - id: dense
    kind: colo
    country: NL
    power: {{it_kw: 20, rack_density_kw: 10, racks: 2, cooling: air, pue: 1.3, energy_usd_per_kwh: 0.16}}
    pools: [{{node_type: l40s-8, held: 1, held_until: 2028-12, max_nodes: 1}}]
  - id: edge
    kind: edge
    country: DE
    power: {{it_kw: 2, rack_density_kw: 2, racks: 1, cooling: air, pue: 1.4, energy_usd_per_kwh: 0.24}}
    pools: [{{node_type: l4-4-edge, held: 1, held_until: 2028-12, max_nodes: 1}}]
models:
  - {{id: {model}, like: llama3.1-8b, precisions: [fp8, int8]}}
workloads:
  - id: assistant
    kind: inference
    model: {model}
    demand: {{requests_per_s: 56, input_tokens: 300, output_tokens: 60, shape: consumer}}
    callers: [{{place: US, share: 0.5}}, {{place: DE, share: 0.5}}]
    slo: {{ttft_ms: 1500, tpot_ms: 100}}
{classified}serving:
  upstreams:
    - {{id: cloud-1, site: cloud, node_type: g6e.12xlarge, {upstream}}}
    - {{id: dense-1, site: dense, node_type: l40s-8, {upstream}}}
    - {{id: edge-1, site: edge, node_type: l4-4-edge, {upstream}}}
{keys}  prefix_affinity: {affinity}
"""
CLASSIFIED = """    classification: customer
policies:
  residency: [{allow: [EEA, US], classifications: [customer]}]
"""
KEYS = "  keys: [{id: bench, tenant: team, secret: env:BENCH_KEY, workloads: [assistant]}]\n"
BARE = "benchmarks.gateway.bare"


def _start(*, has_keys: bool = True, affinity: bool = True, without: str = "") -> Callable[[Ground], Start]:
    """How it is started; `without` names what `benchmarks.gateway.bare` leaves out of the worker."""

    def start(ground: Ground) -> Start:
        upstream = (
            f'url: "{ground.url}/v1", models: {{{MODEL}: {UPSTREAM_MODEL}}}, max_concurrency: 2000, '
            "secret: env:BENCH_UPSTREAM_KEY"
        )
        estate = ESTATE.format(
            model=MODEL,
            upstream=upstream,
            classified=CLASSIFIED,
            keys=KEYS if has_keys else "",
            affinity=str(affinity).lower(),
        )
        path = ground.write("estate.yaml", estate)
        command = (sys.executable, "-m", BARE if without else "tripoint", "serve", path)
        flags = ("--port", str(ground.port), "--workers", "1", "--run-dir", str(ground.folder / "run"))
        env = {"BENCH_KEY": KEY, "BENCH_UPSTREAM_KEY": "sk-upstream", "BENCH_WITHOUT": without}
        headers = (f"Authorization: Bearer {KEY}",) if has_keys else ()
        return Start(command=(*command, *flags), env=env, headers=headers)

    return start


def _version() -> str:
    return version("tripoint")


PRODUCT = Peer(name="tripoint", version=_version, start=_start())
VARIANTS: tuple[Peer, ...] = (
    Peer(name="tripoint without keys", version=_version, start=_start(has_keys=False)),
    Peer(name="tripoint without affinity", version=_version, start=_start(affinity=False)),
)
"""The product without one feature; what it is cheaper by is what the feature costs."""
