"""Two estates to be tried: one that everything breaks, one that bears what usually comes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from tests.factories.planning import catalog

from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.adapters.scenarios_yaml import read_scenarios
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.plan import Plan
from tripoint.domain.scenario import Scenario
from tripoint.domain.source import LoadedEstate
from tripoint.engines.placement.milp.program import SolveLimits
from tripoint.engines.stress.scenarios.ground import Ground, ground_of
from tripoint.engines.stress.survey.worlds import survey
from tripoint.engines.stress.world import World
from tripoint.usecases.load import load_estate
from tripoint.usecases.replan import Replanning

TODAY = date(2027, 1, 15)
SERVICES = ("dns", "keys", "identity", "registry", "certificate", "control", "clock")

FRAGILE = """
apiVersion: tripoint/v1
name: fragile
horizon: {start: 2027-01, months: 12, period_months: 3, blocks: 2}
sites:
  - {id: cloud, kind: cloud, provider: aws, region: eu-central-1, apis: [openai/gpt-5.4-mini],
     pools: [{node_type: g6e.12xlarge, options: [on_demand]}]}
  - {id: market, kind: cloud, provider: aws, region: eu-west-1, pools: [{node_type: g6.12xlarge, options: [spot]}]}
  - id: cage
    kind: colo
    country: DE
    failure_domains: [metro]
    power: {it_kw: 12, rack_density_kw: 12, racks: 1, pue: 1.3, cooling: air, energy_usd_per_kwh: 0.2}
    pools: [{node_type: l40s-8, held: 1, held_until: 2027-12, max_nodes: 2, lead_time_months: 3}]
links: [{id: wire, source: DE, target: cage, rtt_ms: 5, bandwidth_gbps: 1, conduits: [duct]}]
models:
  - {id: llama3.1-8b, precisions: [fp8]}
  - {id: llama3.1-70b, api_models: [openai/gpt-5.4-mini], precisions: [fp8]}
datasets: [{id: notes, size_gb: 40000, copies: [cage]}]
workloads:
  - id: desk
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 34, input_tokens: 600, output_tokens: 150}
    callers: [{place: DE}]
    slo: {ttft_ms: 2000, availability: 0.9999}
    only_at: [cage]
    reads: [{dataset: notes, gb_per_month: 100}]
    classification: secret
    priority: 1
    growth_per_year: 0.8
  - id: help
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 6, input_tokens: 600, output_tokens: 150, payload_kb: 500}
    callers: [{place: DE}]
    slo: {ttft_ms: 2000, availability: 0.9999}
    only_at: [cloud]
    priority: 2
  - id: write
    kind: inference
    model: llama3.1-70b
    demand: {requests_per_s: 0.2, input_tokens: 600, output_tokens: 150}
    callers: [{place: DE}]
    slo: {availability: 0.9999}
    only_at: [cloud]
    priority: 2
  - id: digest
    kind: batch_inference
    model: llama3.1-8b
    demand: {mtok_per_month: 20000, input_tokens: 1000, output_tokens: 200}
    deadline_hours: 6
    only_at: [market]
    priority: 3
dependencies:
  - {id: dns, kind: dns, needed_by: [all]}
  - {id: keys, kind: keys, needed_by: [all]}
  - {id: identity, kind: identity, needed_by: [all]}
  - {id: certificate, kind: certificate, needed_by: [all]}
  - {id: control, kind: control, needed_by: [all]}
  - {id: clock, needed_by: [all]}
recovery:
  objectives:
    - {after: [process, node, rack, power, site, region, provider, link, shared_service, people],
       rto_minutes: 0.05, highest_cost_factor: 1.0001}
    - {after: [data], rto_minutes: 60, rpo_minutes: 15}
"""

STURDY = """
apiVersion: tripoint/v1
name: sturdy
horizon: {start: 2027-01, months: 12, period_months: 3, blocks: 2}
sites:
  - {id: fra, kind: cloud, provider: aws, region: eu-central-1, apis: [openai/gpt-5.4-mini],
     pools: [{node_type: g6.12xlarge}]}
  - {id: sky, kind: gpu_cloud, provider: coreweave, country: US, apis: [openai/gpt-5.4-mini],
     pools: [{node_type: hgx-h100}]}
  - id: cage
    kind: colo
    country: DE
    failure_domains: [metro]
    power: {it_kw: 40, rack_density_kw: 20, racks: 4, pue: 1.3, cooling: air, energy_usd_per_kwh: 0.2}
    pools: [{node_type: l40s-8, held: 4, held_until: 2030-12, max_nodes: 8, lead_time_months: 1}]
  - id: hall
    kind: colo
    country: DE
    failure_domains: [valley]
    power: {it_kw: 40, rack_density_kw: 20, racks: 4, pue: 1.3, cooling: air, energy_usd_per_kwh: 0.2}
    pools: [{node_type: l40s-8, held: 4, held_until: 2030-12, max_nodes: 8, lead_time_months: 1}]
links:
  - {id: wire, source: DE, target: cage, rtt_ms: 5, bandwidth_gbps: 1, conduits: [duct]}
  - {id: cable, source: DE, target: hall, rtt_ms: 6, bandwidth_gbps: 1, conduits: [river]}
models: [{id: llama3.1-8b, precisions: [fp8]}, {id: llama3.1-70b, api_models: [openai/gpt-5.4-mini], precisions: [fp8]}]
datasets: [{id: notes, size_gb: 10, copies: [cage, hall]}]
workloads:
  - id: desk
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 4, input_tokens: 600, output_tokens: 100}
    callers: [{place: DE}]
    slo: {ttft_ms: 20000, availability: 0.9}
    reads: [{dataset: notes, gb_per_month: 10}]
    classification: secret
    recovery: {standby: hot, rto_minutes: 600, survive_share: 0.5}
  - id: help
    kind: inference
    model: llama3.1-8b
    demand: {requests_per_s: 0.5, input_tokens: 600, output_tokens: 100}
    callers: [{place: DE}]
    slo: {ttft_ms: 20000, availability: 0.9}
    priority: 5
  - id: digest
    kind: batch_inference
    model: llama3.1-8b
    demand: {mtok_per_month: 500, input_tokens: 1000, output_tokens: 200}
    deadline_hours: 160
    priority: 5
    not_at: [colo]
  - id: write
    kind: inference
    model: llama3.1-70b
    demand: {requests_per_s: 0.1, input_tokens: 600, output_tokens: 150}
    callers: [{place: DE}]
    slo: {ttft_ms: 20000, availability: 0.9}
    priority: 5
    not_at: [colo]
policies: {budget: {usd_per_period: 900000}}
dependencies:
  - {id: dns, kind: dns, needed_by: [all], grace_hours: 1000}
  - {id: keys, kind: keys, needed_by: [all], grace_hours: 1000}
  - {id: identity, kind: identity, needed_by: [all], grace_hours: 1000}
  - {id: certificate, kind: certificate, needed_by: [all], grace_hours: 1000}
  - {id: control, kind: control, needed_by: [all], grace_hours: 1000}
  - {id: clock, needed_by: [all], grace_hours: 1000}
recovery:
  objectives:
    - {after: [process, node, power, site, region, provider, link, shared_service, people],
       rto_minutes: 600, least_share: 0.5, highest_cost_factor: 5}
    - {after: [data], workloads: [desk], rto_minutes: 6000, rpo_minutes: 6000}
"""


@dataclass(frozen=True)
class Tried:
    """An estate with everything it is tried with."""

    loaded: LoadedEstate
    plan: Plan
    world: World
    ground: Ground


@cache
def tried(text: str) -> Tried:
    """An estate, planned and surveyed."""
    loaded = loaded_of(text)
    plan = replanning()(loaded, catalog(), is_explained=False)
    assert plan.solve is not None
    world = survey(loaded, catalog(), plan, today=TODAY)
    return Tried(loaded, plan, world, ground_of(loaded.estate, catalog(), plan, world))


def loaded_of(text: str) -> LoadedEstate:
    """The estate a text declares."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.yaml"
        path.write_text(text, encoding="utf-8")
        return load_estate(path, catalog(), load_estate_file)


def replanning() -> Replanning:
    """Plans without a clock's say."""
    limits = SolveLimits(gap=1e-4, seconds=60.0, nodes=20_000, threads=1)
    return Replanning(solver=HighsSolver(), limits=limits, today=TODAY)


@cache
def shipped() -> Sequence[Scenario]:
    """The catalogue's scenarios."""
    return read_scenarios()[0].scenarios
