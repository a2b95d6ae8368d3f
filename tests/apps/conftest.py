"""Running the command line inside the test process, and small estates to run it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tripoint.apps.cli import cli

SMALL_ESTATE = """\
apiVersion: tripoint/v1
name: small
horizon: {start: 2027-01, months: 12}
sites:
  - {id: cloud, kind: cloud, provider: aws, region: us-east-1, pools: [{node_type: p5.48xlarge}]}
models:
  - {id: llama3.1-70b, precisions: [fp8]}
workloads:
  - id: chat
    kind: inference
    model: llama3.1-70b
    demand: {requests_per_s: 4, input_tokens: 900, output_tokens: 250, shape: office_hours}
    slo: {ttft_ms: 2000, tpot_ms: 80}
    growth_per_year: 0.5
"""
IMPOSSIBLE_BUDGET = "policies: {budget: {usd_per_period: 10}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one run of the command line ended."""

    code: int
    """Exit code."""
    out: str
    """Standard output."""
    err: str
    """Standard error."""

    def document(self) -> dict[str, Any]:
        """Standard output as the one JSON document it must be."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


RunCli = Callable[..., Run]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """`run("check", path)` runs `tripoint check path` and tells how it ended."""
    monkeypatch.setenv("COLUMNS", "140")

    def call(*arguments: str | Path) -> Run:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="tripoint")
        return Run(code=result.exit_code, out=result.stdout, err=result.stderr)

    return call


@pytest.fixture
def small_estate(tmp_path: Path) -> Path:
    """An estate of one site and one workload."""
    path = tmp_path / "estate.yaml"
    path.write_text(SMALL_ESTATE, encoding="utf-8")
    return path


@pytest.fixture
def impossible_estate(tmp_path: Path) -> Path:
    """The same estate with a budget nothing fits into."""
    path = tmp_path / "impossible.yaml"
    path.write_text(SMALL_ESTATE + IMPOSSIBLE_BUDGET, encoding="utf-8")
    return path
