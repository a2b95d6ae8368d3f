"""Why a workload is where it is, on the estate whose answer can be checked with a pencil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
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
from tripoint.engines.answers.explanation.explained import Barred, Explained
from tripoint.engines.answers.explanation.question import Question
from tripoint.engines.placement.milp.program import FloatArray, Program, Solution, SolveLimits, SolveProgress
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
    assert found.least_npv_usd == pytest.approx(found.worse_npv_usd, rel=1e-4)  # a program of 148 columns
    assert not found.was_interrupted


def test_a_place_that_is_asked_for_is_priced_alone(tmp_path: Path) -> None:
    """The same, for one site and no other."""
    found = explained(at="gpu-cloud").instead
    assert found is not None
    assert {home.site for home in found.homes} == {"gpu-cloud"}
    alone = break_even("gpu-cloud", folder=tmp_path / "alone")[1]
    assert found.worse_usd == pytest.approx(cost(alone) - cost(break_even()[1]), rel=1e-4)


def test_a_small_estate_is_planned_again_to_the_gap_that_was_asked_for() -> None:
    """More growth, from the earlier plan: it is proven as planning afresh proves it, not by the relaxation alone."""
    loaded, made = break_even()
    first = loaded.estate.workloads[0]
    grown = replace(first, growth_per_year=first.growth_per_year + 0.3)
    changed = replace(loaded, estate=replace(loaded.estate, workloads=(grown, *loaded.estate.workloads[1:])))
    options = PlanOptions(gap=1e-4, threads=1, nodes=5_000, baselines=False, previous=made)
    solve = plan(changed, catalog(), HighsSolver(), options, today=date(2026, 11, 22)).solve
    assert solve is not None
    assert solve.strategy == "warm"
    assert solve.gap <= 1e-4
    assert not solve.was_interrupted


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


def barred(folder: Path, it_kw: float) -> tuple[LoadedEstate, Plan]:
    """The example with more demand, and so much power in the cage: a server draws 10.2 kW."""
    text = (ROOT / "examples" / "break-even" / "estate.yaml").read_text(encoding="utf-8")
    text = text.replace("it_kw: 45", f"it_kw: {it_kw}").replace("requests_per_s: 1.5", "requests_per_s: 3")
    folder.mkdir()
    (folder / "estate.yaml").write_text(text, encoding="utf-8")
    loaded = load_estate(folder, catalog(), load_estate_file)
    return loaded, planned(loaded)


def planned(loaded: LoadedEstate) -> Plan:
    """Its plan, closely proven."""
    options = PlanOptions(gap=1e-6, threads=1, baselines=False)
    return plan(loaded, catalog(), HighsSolver(), options, today=date(2026, 11, 22))


def rows_of(loaded: LoadedEstate, made: Plan) -> tuple[Barred, ...]:
    """What explaining tells of whole nodes that do not fit."""
    question = Question(workload="assistant")
    return explain(loaded, catalog(), made, question, HighsSolver(), LIMITS, lambda p: None).barred


def test_a_whole_node_that_does_not_fit_is_priced_by_planning_again(tmp_path: Path) -> None:
    """A tenth of a kW bars the second server, and nothing would bind if servers could be divided: its worth is what an
    estate with that much more power costs less."""
    loaded, made = barred(tmp_path / "short", 20.3)
    (only,) = rows_of(loaded, made)
    assert only.node.pool == "cage/dgx-h100"
    ((limit, missing),) = only.node.takes
    assert (limit.family, limit.unit) == ("power", "kW")
    assert missing == pytest.approx(0.1)
    roomy, more = barred(tmp_path / "enough", 20.4)
    assert only.saved_usd == pytest.approx(cost(made) - cost(more), rel=1e-4)
    assert only.saved_usd > 10_000
    assert only.saved_usd <= only.most_usd + 1e-6
    assert only.open_usd < only.saved_usd
    assert [row.node.takes[0][1] for row in rows_of(roomy, more)] == [pytest.approx(10.2)]


def test_where_one_more_fits_nothing_is_told(tmp_path: Path) -> None:
    """Four servers' power, and fewer are bought."""
    assert rows_of(*barred(tmp_path / "plenty", 45)) == ()


def test_a_node_beyond_what_can_be_had_is_priced_with_its_place(tmp_path: Path) -> None:
    """Where `max_nodes` bars it, room is made in the columns that buy as well."""
    loaded, _ = barred(tmp_path / "first", 45)
    cage = loaded.estate.sites[2]
    assert cage.pools is not None
    one = replace(cage, pools=(replace(cage.pools[0], max_nodes=1),))
    short = replace(loaded, estate=replace(loaded.estate, sites=(*loaded.estate.sites[:2], one)))
    (only,) = rows_of(short, planned(short))
    ((limit, missing),) = only.node.takes
    assert limit.family == "obtainable"
    assert missing == pytest.approx(1.0)
    assert only.saved_usd > 10_000


class Recording:
    """A solver that keeps the time limits it was given, and the phase they belong to."""

    def __init__(self) -> None:
        self.phase = ""
        self.given: list[tuple[str, float]] = []
        self._solver = HighsSolver()

    def tell(self, phase: str) -> None:
        """The next phase begins."""
        self.phase = phase

    def solve(
        self,
        program: Program,
        limits: SolveLimits,
        progress: Callable[[SolveProgress], None],
        should_stop: Callable[[], bool],
        start: FloatArray | None = None,
    ) -> Solution:
        """As the solver does."""
        self.given.append((self.phase, limits.seconds))
        return self._solver.solve(program, limits, progress, should_stop, start)


def test_whole_nodes_that_do_not_fit_are_searched_for_a_share_of_the_time(tmp_path: Path) -> None:
    """They come on top of the answer, so none may take as long as it; which of how many is told."""
    loaded, made = barred(tmp_path / "short", 20.3)
    solver = Recording()
    explain(
        loaded, catalog(), made, Question(workload="assistant"), solver, replace(LIMITS, seconds=600.0), solver.tell
    )
    extra = [seconds for phase, seconds in solver.given if phase.startswith("planning with room")]
    assert extra
    assert max(extra) < 300.0
    assert max(seconds for _, seconds in solver.given) == 600.0
    assert any(phase.endswith("(1 of 1)") for phase, _ in solver.given)
