"""Dependencies and scores as people read them: goldens of one estate, and what the JSON holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from tests.factories.leaning import chat, cloud, colo, estate, link, report, shared
from tests.factories.planning import catalog

from tripoint.apps.render.html.resilience.lists import steps
from tripoint.apps.render.plan_text.layout import WIDTH, printed
from tripoint.apps.render.resilience.dependencies import (
    dependency_parts,
    dependency_payload,
    service_lines,
    services_alone,
)
from tripoint.apps.render.resilience.scores import score_parts, score_payload
from tripoint.domain.cut import DependencyReport, LockIn
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.provenance import Figure, Origin
from tripoint.domain.recovery import Impact, RecoveryRules, Tolerance
from tripoint.domain.score import Graded, Ground, NextStep, Score, Scores, Standing

SITE = DisruptionClass.SITE
DAYS = Figure(key="exit.rebuild_days.portable", value=15.0, unit="days", origin=Origin.DEFAULT)
AWS = LockIn(
    id="provider:aws", text="provider aws", workloads=("chat",), stranded=("chat",), data_gb=86_400.0, move_days=1.0,
    rebuild_days=DAYS, revalidate_days=DAYS, exit_days=31.0, egress_usd=1728.0, dual_run_usd=20_000.0,
    commitment_usd=350_400.0, one_off_usd=0.0, exit_usd=372_128.0, substitutes=1, tested=0, surface=("tooling",),
)  # fmt: skip


def leaned(**rules: object) -> DependencyReport:
    """Two places, a shared room under both feeds, a duct, names in a circle, and one way out."""
    asked = estate(
        cloud("fra"), colo("hall"),
        workloads=(chat(("fra", 0.5), ("hall", 0.5), least=0.5), chat(("hall", 1.0), name="search", callers=("fra",))),
        links=(link("east", "fra", "hall", "duct"), link("west", "fra", "hall", "duct")),
        dependencies=(
            shared("ups-room", "other", needed_by=("hall/1", "hall/2")),
            shared("names", needs=("zone",), needed_by=("all",)),
            shared("zone", needs=("names",)),
        ),
        recovery=RecoveryRules(**rules),  # type: ignore[arg-type]  # fields of the case
    )  # fmt: skip
    return replace(report(asked, catalog()), lockins=(AWS,))


def shown(found: DependencyReport, *, is_full: bool = False) -> str:
    """The parts as they are printed."""
    return printed(dependency_parts(found, is_full=is_full), width=WIDTH)


def test_what_is_leaned_on_reads_as_expected(golden: Callable[[str, str], None]) -> None:
    """Money where hours are priced, tolerances with both numbers, circles and what nobody mentioned."""
    priced = leaned(
        impacts=(Impact(usd_per_hour=4000.0),),
        tolerances=(Tolerance(annual_loss_usd=10_000.0, p95_outage_hours=500.0, largest_dependency_share=0.5),),
    )
    golden("resilience/dependencies.txt", shown(priced))
    golden("resilience/dependencies_full.txt", shown(priced, is_full=True))


def test_a_pair_that_takes_two_workloads_down_is_one_pair() -> None:
    """The count is that of the rows `--full` prints; hours of a thing are added up over its workloads."""
    asked = estate(
        cloud("fra"), colo("hall"),
        workloads=tuple(chat(("fra", 0.5), ("hall", 0.5), least=0.5, name=name) for name in ("chat", "search")),
        dependencies=(
            shared("one"), shared("other"), shared("names", "identity", needs_any=("one", "other"), needed_by=("all",)),
        ),
    )  # fmt: skip
    found = report(asked, catalog())
    pairs = {cut.members for each in found.reliances for cut in each.pairs}
    assert sum(len(each.pairs) for each in found.reliances) == 2 * len(pairs)
    text = shown(found, is_full=True)
    assert f"pairs were tried, {len(pairs)} do so together" in text
    listed = text.partition("together take down")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(listed) == len(pairs)
    assert all(line.endswith("chat, search") for line in listed)
    (point,) = (each for each in found.points if each.member == "identity:names")
    assert point.hours_per_year == sum(
        cut.hours_per_year for each in found.reliances for cut in each.singles if cut.members == (point.member,)
    )
    assert "workload-hours" in text


def test_a_service_that_is_a_single_point_is_told_to_be_one() -> None:
    """Only shared services, once for all workloads they take down."""
    assert services_alone(leaned()) == {"chat": ("dns names", "dns zone"), "search": ("dns names", "dns zone")}
    (line,) = service_lines(services_alone(leaned()))
    assert line.startswith("chat, search after the loss of a shared service: dns names, dns zone each take it down")


def test_single_points_say_of_when_they_are() -> None:
    """A workload that grows may fall short later: recovery rows look at every period, single points at the first."""
    assert "busiest hours of every period of the plan" in shown(leaned())


def test_without_prices_it_says_what_to_declare(golden: Callable[[str, str], None]) -> None:
    """Hours alone, and a tolerance in money that cannot be known."""
    golden("resilience/dependencies_unpriced.txt", shown(leaned(tolerances=(Tolerance(annual_loss_usd=10_000.0),))))


def test_the_json_is_whole_and_plain() -> None:
    """Every cut set is there, and it is JSON."""
    found = leaned()
    payload = json.loads(json.dumps(dependency_payload(found)))
    assert [len(each["singles"]) for each in payload["reliances"]] == [len(each.singles) for each in found.reliances]
    assert payload["lockins"][0]["exit_usd"] == 372_128.0
    assert payload["usd_per_year"] is None


def score(ground: Ground, *standings: Standing) -> Score:
    """A score of objectives that stand so."""
    names = ("chat", "search", "index", "tuning")
    reasons = {Standing.FAILED: "site-loss", Standing.EXCLUDED: "no window this quarter",
               Standing.EXPIRED: "evening drill, since 2026-11-01"}  # fmt: skip
    return Score(
        ground=ground,
        graded=tuple(
            Graded(workload=name, disruption=SITE, standing=standing, because=reasons.get(standing, ""))
            for name, standing in zip(names, standings, strict=False)
        ),
    )


SCORES = Scores(
    design=score(Ground.DESIGN, Standing.MET, Standing.MET, Standing.MET, Standing.FAILED),
    simulation=score(Ground.SIMULATION, Standing.MET, Standing.MET, Standing.FAILED, Standing.MISSING),
    drill=score(Ground.DRILL, Standing.MET, Standing.EXCLUDED, Standing.EXPIRED, Standing.MISSING),
    usd_per_year=None,
    steps=(
        NextStep(
            does="drill the loss of site `fra`", raises=Ground.DRILL, objectives=2, usd_once=2091.0, usd_per_month=0.0,
            avoids_usd_per_year=None, cost_basis="16 hours of staff at 230,000 USD a year (catalogue)",
        ),
        NextStep(
            does="for `tuning`: standby: warm", raises=Ground.DESIGN, objectives=1, usd_once=0.0, usd_per_month=4100.0,
            avoids_usd_per_year=61_000.0, cost_basis="the plan made again with it, less the plan as it is",
        ),
    ),
)  # fmt: skip


def test_scores_read_as_expected(golden: Callable[[str, str], None]) -> None:
    """Side by side, what does not count told with its reason, and the steps with their cost."""
    golden("resilience/scores.txt", printed(score_parts(SCORES), width=WIDTH))


def test_a_drill_is_not_offered_without_what_it_changes_here() -> None:
    """A step of money says that its score cannot be raised yet; where no drill is next, nothing is said."""
    assert "no command records drills yet" in printed(score_parts(SCORES), width=WIDTH)
    others = replace(SCORES, steps=SCORES.steps[1:])
    assert "records drills" not in printed(score_parts(others), width=WIDTH)
    assert "No command records drills yet" in str(steps(SCORES).body)
    assert "records drills" not in str(steps(others).body)


def test_where_nothing_is_asked_nothing_is_scored() -> None:
    """No headline, and a sentence instead."""
    empty = replace(SCORES, design=score(Ground.DESIGN), simulation=score(Ground.SIMULATION), drill=score(Ground.DRILL))
    assert "no objective is declared" in printed(score_parts(empty), width=WIDTH)
    assert score_payload(empty)["headline"] is None


def test_the_scores_json_has_every_objective() -> None:
    """Met, asked and share by ground; the headline is the lowest, the drills'."""
    payload = json.loads(json.dumps(score_payload(SCORES)))
    assert [payload[name]["met"] for name in ("design", "simulation", "drill")] == [3, 2, 1]
    assert (payload["headline"], payload["weakest"]) == (0.25, "drill")
    assert [each["standing"] for each in payload["drill"]["graded"]] == ["met", "excluded", "expired", "missing"]
    assert len(payload["next"]) == 2
