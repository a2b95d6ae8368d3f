"""Dependencies and scores of `tripoint assess recovery`, as people and programs meet them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.apps.conftest import RunCli
from tests.factories.estate_texts import ONE_REGION

from tripoint.adapters.stress_json import stress_to_json
from tripoint.apps import wiring
from tripoint.apps.trials import plan_digest
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.scenario import Scenario, TrialMode
from tripoint.domain.stress import Aim, Held, Interval, StressReport, Verdict

ESTATE = (
    ONE_REGION
    + """\
recovery:
  objectives: [{after: [process], rto_minutes: 10}]
  impacts: [{usd_per_hour: 1000}]
  tolerances: [{annual_loss_usd: 10}]
dependencies:
  - {id: sign-in, kind: identity, needed_by: [all], fails_per_year: 2, hours_to_repair: 3}
"""
)
STEADY = Interval(mean=0.0, p5=0.0, p95=0.0, worst=0.0)


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """One workload in one region that leans on a sign-in."""
    path = tmp_path / "estate.yaml"
    path.write_text(ESTATE, encoding="utf-8")
    return path


@pytest.fixture
def plan(run: RunCli, estate: Path, tmp_path: Path) -> Path:
    """A plan of it."""
    assert run("plan", estate, "--out", tmp_path / "out", "--gap", "0.001", "--no-baselines", "--quiet").code == 0
    return tmp_path / "out"


@pytest.fixture
def tried(estate: Path, plan: Path, tmp_path: Path) -> Path:
    """What a stress run of this plan wrote, in which the process came back in time."""
    held = Held(aim=Aim.RTO, target=600.0, reached=STEADY, met_share=1.0, is_met=True, breaks_at=None)
    verdict = Verdict(
        scenario="process-loss", workload="fraud", availability=STEADY, shed=STEADY, lost=STEADY, outage_s=STEADY,
        stale_s=STEADY, wait_p99_ms=STEADY, cost_delta_usd=STEADY, margin=STEADY, outside=0.0, first_limit="",
        held=(held,),
    )  # fmt: skip
    scenario = Scenario(
        id="process-loss", number=1, title="a process dies", disruption=DisruptionClass.PROCESS,
        mode=TrialMode.REQUESTS, minutes=5.0, magnitudes=(), strikes=(),
    )  # fmt: skip
    report = StressReport(
        name="one region", tripoint_version="0", estate_digest=wiring.load_estate(estate).digest,
        plan_digest=plan_digest(wiring.read_plan(plan)), seed=0, trials=1, scenarios=(scenario,), verdicts=(verdict,),
        replanned=(), untried=(), courses=(), played=1,
    )  # fmt: skip
    path = tmp_path / "tried" / "stress.json"
    path.parent.mkdir()
    path.write_text(stress_to_json(report), encoding="utf-8")
    return path.parent


def test_people_read_points_tolerances_ways_out_scores_and_what_next(run: RunCli, estate: Path, plan: Path) -> None:
    """In that order, each with its numbers."""
    told = run("assess", "recovery", estate, "--plan", plan, "--no-prices", "--quiet").out
    titles = ["Single points", "Expected to be down", "What the business bears", "Ways out", "Scores", "Next"]
    assert [told.index(title) for title in titles] == sorted(told.index(title) for title in titles)
    assert "identity sign-in" in told
    assert "more than the tolerance of 10 USD" in told
    assert "headline, the lowest: 0 %, by simulation" in told


def test_programs_read_the_same(run: RunCli, estate: Path, plan: Path) -> None:
    """Six hours of sign-in at 1,000 USD are 6,000 USD a year."""
    found = run("assess", "recovery", estate, "--plan", plan, "--no-prices", "--json").document()
    (point,) = (each for each in found["dependencies"]["points"] if each["member"] == "identity:sign-in")
    assert point["usd_per_year"] == pytest.approx(6000.0)
    assert found["scores"]["drill"]["met"] == 0
    assert found["scores"]["headline"] == 0.0
    assert found["scores"]["next"][0]["raises"] == "simulation"


def test_trials_of_this_plan_count_and_those_of_another_have_expired(
    run: RunCli, estate: Path, plan: Path, tried: Path
) -> None:
    """The folder `tripoint stress --out` wrote; with another digest of the plan nothing of it counts."""
    words = ("assess", "recovery", estate, "--plan", plan, "--no-prices", "--json", "--stress", tried)
    assert run(*words).document()["scores"]["simulation"]["met"] == 1
    report = json.loads((tried / "stress.json").read_text(encoding="utf-8"))
    (tried / "stress.json").write_text(json.dumps(report | {"plan_digest": "another"}), encoding="utf-8")
    simulation = run(*words).document()["scores"]["simulation"]
    assert (simulation["met"], [each["standing"] for each in simulation["graded"]]) == (0, ["expired"])


def test_a_page_is_written_where_asked(run: RunCli, estate: Path, plan: Path, tmp_path: Path) -> None:
    """The path is told, as text and as JSON, and the page is there."""
    words = ("assess", "recovery", estate, "--plan", plan, "--no-prices", "--out", tmp_path / "page")
    told = run(*words, "--quiet")
    page = tmp_path / "page" / "recovery.html"
    assert told.out.rstrip().endswith(f"written: {page}")
    assert "identity sign-in" in page.read_text(encoding="utf-8")
    assert run(*words, "--json").document()["written"] == [str(page)]


def test_a_folder_without_a_stress_report_is_told(run: RunCli, estate: Path, plan: Path, tmp_path: Path) -> None:
    """A refusal with the path, not a score without it."""
    told = run("assess", "recovery", estate, "--plan", plan, "--no-prices", "--quiet", "--stress", tmp_path / "none")
    assert told.code == 2
    assert "none" in told.err


def test_the_report_of_a_plan_shows_scores_and_what_to_do_next_with_its_cost(
    run: RunCli, estate: Path, plan: Path, tried: Path, tmp_path: Path
) -> None:
    """`report --recovery`: the parts of the assessment, each once, beside those of the plan; trials count if given.

    An estate the plan is not of is refused.
    """
    page = tmp_path / "with.html"
    assert run("report", plan, "--recovery", estate, "--out", page).code == 0
    text = page.read_text(encoding="utf-8")
    assert "run `tripoint stress` with this plan" in re.sub(r"<[^>]+>", "`", text).replace("``", "`")
    sections = re.findall(r'<section id="([a-z-]+)"', text)
    assert {"costs", "next", "objectives", "points", "hours"} <= set(sections)
    assert len(sections) == len(set(sections))
    assert run("report", plan, "--recovery", estate, "--stress", tried, "--out", page).code == 0
    assert "drill the loss of" in page.read_text(encoding="utf-8")
    estate.write_text(ESTATE.replace("requests_per_s: 3", "requests_per_s: 4"), encoding="utf-8")
    refused = run("report", plan, "--recovery", estate, "--out", page)
    assert (refused.code, "was made for another estate" in refused.err) == (2, True)
