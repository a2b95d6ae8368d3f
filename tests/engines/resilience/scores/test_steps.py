"""The next things to do: what raises the lowest score first, then what is worth most."""

from __future__ import annotations

from tests.factories.leaning import chat, cloud, colo, estate, link, report
from tests.factories.planning import catalog

from tripoint.domain.cut import DependencyReport
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.estate import Estate
from tripoint.domain.recovery import Impact, Miss, Objective, Reached, RecoveryRules, Remedy
from tripoint.domain.score import Ground, NextStep, Proof
from tripoint.engines.resilience.scores.grading import asked_of, designed, graded
from tripoint.engines.resilience.scores.steps import Findings, next_steps

SITE, LINK = DisruptionClass.SITE, DisruptionClass.LINK
ESTATE = estate(
    cloud("fra"), colo("hall", pools=None), workloads=(chat(("fra", 1.0), callers=("hall",)),),
    links=(link("line", "hall", "fra", port_usd_per_month=1000.0),),
    recovery=RecoveryRules(impacts=(Impact(usd_per_hour=5000.0),)),
)  # fmt: skip


def reached(workload: str, loss: str, *misses: Miss, disruption: DisruptionClass = SITE) -> Reached:
    """One objective, met unless it misses something."""
    return Reached(
        workload=workload, disruption=disruption, loss=loss, objective=Objective(after=(disruption,), rto_minutes=5.0),
        least_share=1.0, steps=(), rta_s=600.0, low_s=600.0, high_s=600.0, share=1.0, stores=(), rpa_s=0.0,
        cost_factor=1.0, misses=misses,
    )  # fmt: skip


def remedy(
    workload: str, usd: float, rta_s: float = 0.0, *, does: str = "a warm node", possible: bool = True
) -> Remedy:
    """What meets it."""
    return Remedy(
        workload=workload, disruption=SITE, asked="", does=does, usd_per_month=usd, rta_s=0.0, rpa_s=0.0,
        is_possible=possible,
    )  # fmt: skip


def steps(
    found: tuple[Reached, ...],
    remedies: tuple[Remedy, ...] = (),
    proofs: tuple[Proof, ...] = (),
    asked: Estate = ESTATE,
    most: int = 9,
) -> tuple[NextStep, ...]:
    """Steps of an assessment."""
    every = (*designed(found), *proofs)
    leaned: DependencyReport = report(asked, catalog())
    design, simulation, drill = (graded(asked_of(found), every, ground, "2026-11-22") for ground in Ground)
    return next_steps(
        Findings(
            estate=asked, catalog=catalog(), reached=found, remedies=remedies, report=leaned,
            scores=(design, simulation, drill),
        ),
        most,
    )  # fmt: skip


def passed(workload: str, ground: Ground) -> Proof:
    """A loss of a site that was survived."""
    return Proof(workload=workload, disruption=SITE, ground=ground, is_met=True)


def test_one_stress_run_tries_all_objectives() -> None:
    """It costs nothing and raises the score by all that nobody tried."""
    first = steps((reached("chat", "site `fra`"), reached("search", "site `fra`")))[0]
    assert (first.raises, first.objectives, first.usd_once, first.usd_per_month) == (Ground.SIMULATION, 2, 0.0, 0.0)


def test_one_drill_serves_every_objective_of_its_loss() -> None:
    """The loss two workloads share comes before that of one; its cost is staff, by the catalogue's figures."""
    found = (reached("chat", "site `fra`"), reached("ask", "site `hall`"), reached("search", "site `fra`"))
    tried = tuple(passed(each.workload, Ground.SIMULATION) for each in found)
    first, second, *_ = steps(found, proofs=tried)
    assert (first.does, first.objectives, first.raises) == ("drill the loss of site `fra`", 2, Ground.DRILL)
    assert (second.does, second.objectives) == ("drill the loss of site `hall`", 1)
    assert first.usd_once == second.usd_once == 16.0 * 230_000.0 / 1760.0


def test_what_would_fail_a_drill_is_not_drilled() -> None:
    """An objective missed by design is mended first."""
    found = steps((reached("chat", "site `fra`", Miss.TIME),), (remedy("chat", 800.0),))
    assert not [step for step in found if step.raises is Ground.DRILL]
    assert next(step.does for step in found if step.raises is Ground.DESIGN) == "for `chat`: a warm node"


def test_a_remedy_tells_what_it_costs_and_avoids() -> None:
    """With no break left, all expected loss of the class goes: of the site itself, 0.3 times 3 hours at 5,000 USD."""
    (step,) = [
        each
        for each in steps((reached("chat", "site `fra`", Miss.TIME),), (remedy("chat", 800.0),))
        if each.does.endswith("a warm node")
    ]
    assert step.usd_per_month == 800.0
    assert step.avoids_usd_per_year is not None
    assert abs(step.avoids_usd_per_year - 0.3 * 3.0 * 5000.0) < 1e-6


def test_one_change_for_two_workloads_is_one_step() -> None:
    """The same change at the same price is told once, with both."""
    found = (reached("chat", "site `fra`", Miss.TIME), reached("search", "site `fra`", Miss.TIME))
    told = [step for step in steps(found, (remedy("chat", 800.0), remedy("search", 800.0))) if "warm" in step.does]
    assert [(step.does, step.objectives) for step in told] == [("for `chat`, `search`: a warm node", 2)]


def test_the_impossible_is_not_proposed() -> None:
    """What nothing helps is no step."""
    found = steps((reached("chat", "site `fra`", Miss.TIME),), (remedy("chat", 0.0, possible=False),))
    assert not [step for step in found if step.raises is Ground.DESIGN and "chat" in step.does]


def test_a_single_link_is_doubled_for_what_the_first_costs() -> None:
    """A thousand a month, and the loss of the link it takes away."""
    (step,) = [each for each in steps((reached("chat", "site `fra`"),)) if "second" in each.does]
    assert (step.usd_per_month, step.raises) == (1000.0, Ground.DESIGN)
    assert step.avoids_usd_per_year is not None
    assert step.avoids_usd_per_year > 12_000.0


def test_the_lowest_score_comes_first_and_three_are_enough() -> None:
    """With design at half and the others full, remedies lead; no more than asked are told."""
    found = (reached("chat", "site `fra`", Miss.TIME), reached("search", "site `hall`"))
    proofs = tuple(passed(name, ground) for name in ("chat", "search") for ground in (Ground.SIMULATION, Ground.DRILL))
    dear, cheap = remedy("chat", 9000.0, does="a hot node"), remedy("chat", 100.0)
    told = steps(found, (dear, cheap), proofs, most=2)
    assert {step.raises for step in told} == {Ground.DESIGN}
    assert len(told) == 2
