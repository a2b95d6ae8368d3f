"""Why a workload is where it is, on the estate whose answer can be checked with a pencil."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from tests.factories.planning import catalog

from tripoint.adapters.estate_yaml import load_estate_file
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.domain.errors import OptionError
from tripoint.domain.plan import Plan
from tripoint.domain.source import LoadedEstate
from tripoint.engines.answers.explanation.explained import Explained
from tripoint.engines.answers.explanation.question import Question
from tripoint.engines.placement.milp.program import SolveLimits
from tripoint.usecases.explain import explain
from tripoint.usecases.load import load_estate
from tripoint.usecases.plan import PlanOptions, plan

ROOT = Path(__file__).resolve().parents[2]
LIMITS = SolveLimits(gap=1e-6, seconds=60.0, threads=1)


@cache
def break_even(only_at: str = "", folder: Path | None = None) -> tuple[LoadedEstate, Plan]:
    """The shipped example, or a copy of it confined to some sites, and its plan."""
    path = ROOT / "examples" / "break-even"
    if folder is not None:
        shutil.copytree(path, folder)
        path = folder
        text = (path / "estate.yaml").read_text(encoding="utf-8")
        text = text.replace("    growth_per_year", f"    only_at: [{only_at}]\n    growth_per_year")
        (path / "estate.yaml").write_text(text, encoding="utf-8")
    loaded = load_estate(path, catalog(), load_estate_file)
    options = PlanOptions(gap=1e-6, threads=1, baselines=False)
    return loaded, plan(loaded, catalog(), HighsSolver(), options, today=date(2026, 11, 22))


def explained(at: str = "", workload: str = "assistant") -> Explained:
    """Why, on the shipped example."""
    loaded, made = break_even()
    return explain(loaded, catalog(), made, Question(workload=workload, at=at), HighsSolver(), LIMITS, lambda p: None)


def cost(made: Plan) -> float:
    """Over the horizon, USD."""
    assert made.solve is not None
    return made.solve.undiscounted_usd


def test_the_next_best_is_the_plan_of_the_estate_without_the_choice(tmp_path: Path) -> None:
    """What it costs more is the difference to the plan of an estate that confines the workload to the other sites."""
    found = explained().next_best
    assert found is not None
    assert found.asked == "not at `cage`"
    assert "cage" not in {home.site for home in found.homes}
    without = break_even("cloud, gpu-cloud", folder=tmp_path / "without")[1]
    assert found.worse_usd == pytest.approx(cost(without) - cost(break_even()[1]), rel=1e-4)
    assert 0 < found.least_npv_usd <= found.worse_npv_usd


def test_a_place_that_is_asked_for_is_priced_alone(tmp_path: Path) -> None:
    """The same, for one site and no other."""
    found = explained(at="gpu-cloud").instead
    assert found is not None
    assert {home.site for home in found.homes} == {"gpu-cloud"}
    alone = break_even("gpu-cloud", folder=tmp_path / "alone")[1]
    assert found.worse_usd == pytest.approx(cost(alone) - cost(break_even()[1]), rel=1e-4)


def test_homes_are_those_of_the_plan() -> None:
    """Two thirds on the servers of one's own; what may be used and is not is named; no limit binds there."""
    found = explained()
    assert found.homes[0].site == "cage"
    assert found.homes[0].share == pytest.approx(2 / 3, abs=0.01)
    assert found.unused == ("gpu-cloud",)
    assert found.summary.why.startswith("67 % on owned nodes at `cage`")


def test_without_another_place_the_conflict_is_the_answer(tmp_path: Path) -> None:
    """Confined to one site, nothing is next best, and the families say why."""
    loaded, made = break_even("cloud", folder=tmp_path / "one")
    found = explain(loaded, catalog(), made, Question(workload="assistant"), HighsSolver(), LIMITS, lambda p: None)
    assert found.next_best is not None
    assert found.next_best.conflict is not None
    assert "demand" in found.next_best.conflict.families
    refused = {row.site for row in found.refusals}
    assert refused == {"cage", "gpu-cloud"}


def test_names_that_are_not_there_are_refused_with_the_nearest() -> None:
    """Workloads and sites alike."""
    with pytest.raises(OptionError, match="no workload `asistant`") as workload:
        explained(workload="asistant")
    assert workload.value.hint == "did you mean `assistant`"
    with pytest.raises(OptionError, match="no site `cave`") as site:
        explained(at="cave")
    assert site.value.hint == "did you mean `cage`"


def test_a_closed_site_is_refused_with_its_reason(tmp_path: Path) -> None:
    """Asking for a place the rules forbid ends with the rule."""
    loaded, made = break_even("cloud", folder=tmp_path / "closed")
    question = Question(workload="assistant", at="cage")
    with pytest.raises(OptionError, match="`assistant` may not run at `cage`"):
        explain(loaded, catalog(), made, question, HighsSolver(), LIMITS, lambda p: None)


def test_the_plan_of_another_estate_is_refused(tmp_path: Path) -> None:
    """A place the estate does not open to the workload, and more servers than it allows."""
    loaded, made = break_even()
    other, _ = break_even("cloud", folder=tmp_path / "other")
    many = replace(made, purchases=tuple(replace(row, nodes=row.nodes * 50) for row in made.purchases))
    for estate, given in ((other, replace(made, estate_digest=other.digest)), (loaded, many)):
        with pytest.raises(OptionError, match="not one of this estate"):
            explain(estate, catalog(), given, Question(workload="assistant"), HighsSolver(), LIMITS, lambda p: None)
