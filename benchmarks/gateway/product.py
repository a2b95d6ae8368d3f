"""The product as an entrant: an estate that uses everything, and the same with one feature after the other left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.compile_gateway import FAST, digest, is_made

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
  - {{id: {model}, like: llama3.1-8b, precisions: [fp8, int8], context_tokens: 131072}}
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
TENANT, WORKLOAD = "team", "assistant"
USD_A_DAY = "1000000"
"""Of every budget: no run comes near it."""
A_MINUTE = "1000000000"
"""Requests and tokens that the quota allows: no run comes near them."""
AT_ONCE = "100000"
WITHOUT = Path(__file__).resolve().parent / "without"


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What one variant has."""

    keys: bool = True
    """Client keys."""
    policy: bool = True
    """A classification and a rule of residency."""
    affinity: bool = True
    """Requests that begin alike stay together."""
    access_log: bool = False
    """A line of JSON a request, beside its usage record."""
    without: str = ""
    """What `without/sitecustomize.py` leaves out of the worker."""
    is_compiled: bool = False
    """The data path compiled by `make fast`."""
    accounts: bool = False
    """Tenant, key, quota and three budgets in a store, and an answer ends once its record is durable."""


def _accounts(store: str) -> str:
    """Creates, by the product's own commands, who pays and what limits them; the key's text."""

    def run(*words: str) -> Any:
        command = [sys.executable, "-m", "tripoint", *words, "--store", store, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    run("tenant", "create", TENANT)
    made = run("key", "create", "--tenant", TENANT, "--workload", WORKLOAD)
    whose = ("--tenant", TENANT)
    run("quota", "set", *whose, "--requests-per-min", A_MINUTE, "--tokens-per-min", A_MINUTE, "--concurrency", AT_ONCE)
    for scope in ((), ("--key", made["key"]["id"]), ("--workload", WORKLOAD)):
        run("budget", "set", *whose, *scope, "--usd", USD_A_DAY, "--per", "day")
    return str(made["secret"])


def _start(features: Features) -> Callable[[Ground], Start]:
    def start(ground: Ground) -> Start:
        upstream = (
            f'url: "{ground.url}/v1", models: {{{MODEL}: {UPSTREAM_MODEL}}}, max_concurrency: 2000, '
            "secret: env:BENCH_UPSTREAM_KEY"
        )
        estate = ESTATE.format(
            model=MODEL,
            upstream=upstream,
            classified=CLASSIFIED if features.policy else "",
            keys=KEYS if features.keys and not features.accounts else "",
            affinity=str(features.affinity).lower(),
        )
        command = [sys.executable, "-m", "tripoint", "serve", ground.write("estate.yaml", estate)]
        command += ["--port", str(ground.port), "--workers", "1", "--run-dir", str(ground.folder / "run")]
        if features.access_log:
            command += ["--access-log", str(ground.folder / "access.log")]
        env = {"BENCH_KEY": KEY, "BENCH_UPSTREAM_KEY": "sk-upstream", "BENCH_WITHOUT": features.without}
        key = KEY
        if features.accounts:
            store = f"sqlite:///{ground.folder / 'store.db'}"
            key = _accounts(store)
            command += ["--store", store, "--durable"]
        first = [str(WITHOUT)] if features.without else []
        first += [str(FAST)] if features.is_compiled else []
        if first:
            env["PYTHONPATH"] = os.pathsep.join(filter(None, (*first, os.environ.get("PYTHONPATH", ""))))
        headers = (f"Authorization: Bearer {key}",) if features.keys else ()
        return Start(command=tuple(command), env=env, headers=headers)

    return start


def _version() -> str:
    return version("tripoint")


def _compiled_version() -> str:
    return _version() if is_made(FAST, digest()) else ""


PRODUCT = Peer(name="tripoint", version=_version, start=_start(Features()))
COMPILED = Peer(name="tripoint, compiled", version=_compiled_version, start=_start(Features(is_compiled=True)))
"""The same, where `make fast` has compiled the present sources."""
COMPILED_ALONE = Peer(
    name="tripoint, compiled, no ledger",
    version=_compiled_version,
    start=_start(Features(is_compiled=True, without="ledger")),
)
"""The data path by itself: records on disk, and nobody beside it who enters them into the ledger."""
ACCOUNTS = Peer(name="tripoint, accounts", version=_version, start=_start(Features(accounts=True)))
"""With tenants and keys of a store, a quota, budgets of tenant, key and workload, and a durable ledger."""
COMPILED_ACCOUNTS = Peer(
    name="tripoint, compiled, accounts",
    version=_compiled_version,
    start=_start(Features(is_compiled=True, accounts=True)),
)
"""The same, compiled."""
VARIANTS = tuple(
    Peer(name=f"tripoint {name}", version=_version, start=_start(features), rules=("saturation",))
    for name, features in {
        "with access log": Features(access_log=True),
        "without keys": Features(keys=False),
        "without affinity": Features(affinity=False),
        "without metrics": Features(without="metrics"),
        "without ledger": Features(without="ledger"),
        "without records": Features(without="records"),
        "without trace": Features(without="trace"),
        "without any": Features(keys=False, policy=False, affinity=False, without="ledger,metrics,records,trace"),
    }.items()
)
"""The product with or without one feature: the difference is what the feature costs."""
