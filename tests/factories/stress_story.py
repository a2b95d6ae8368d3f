"""Reports of stress tests small enough to reckon by hand: every state of a cell, a knob that falls, a new plan."""

from __future__ import annotations

from dataclasses import replace

from tripoint.domain.cut import Spread
from tripoint.domain.disruption import DisruptionClass
from tripoint.domain.scenario import Magnitude, Scenario, TrialMode
from tripoint.domain.stress import (
    Aim,
    Held,
    Interval,
    OutageCourse,
    Replanned,
    StressReport,
    Struck,
    Unjudged,
    Untried,
    Verdict,
    YearlyLoss,
)

OUTAGE = Magnitude(name="outage", unit="h", mild=0.0, usual=4.0, severe=10.0)
LEFT = Magnitude(name="left", unit="left", mild=0.9, usual=0.7, severe=0.1)


def steady(value: float) -> Interval:
    """The same in every trial."""
    return Interval(mean=value, p5=value, p95=value, worst=value)


def scenario(name: str, title: str, *, number: int = 0, knobs: tuple[Magnitude, ...] = (OUTAGE,)) -> Scenario:
    """A scenario that strikes nothing: pages only tell of it."""
    return Scenario(
        id=name, number=number, title=title, disruption=DisruptionClass.SITE, mode=TrialMode.REQUESTS, minutes=5.0,
        magnitudes=knobs, strikes=(),
    )  # fmt: skip


def held(aim: Aim, *, is_met: bool = True, breaks_at: float | None = None, reached: float = 1.0) -> Held:
    """One objective."""
    return Held(aim=aim, target=0.999 if aim is Aim.AVAILABILITY else 0.0, reached=steady(reached),
                met_share=1.0 if is_met else 0.0, is_met=is_met, breaks_at=breaks_at)  # fmt: skip


def verdict(under: str, workload: str, in_time: float, *objectives: Held) -> Verdict:
    """One cell; residency is always held."""
    return Verdict(
        scenario=under, workload=workload, availability=steady(in_time), shed=steady((1.0 - in_time) / 2),
        lost=steady((1.0 - in_time) / 2), outage_s=steady(3600.0 * (1.0 - in_time)), stale_s=steady(0.0),
        wait_p99_ms=steady(12.0), cost_delta_usd=steady(5.0), margin=steady(0.25), outside=0.0,
        first_limit="colo is out" if in_time < 1.0 else "", held=(*objectives, held(Aim.RESIDENCY, reached=0.0)),
    )  # fmt: skip


def story() -> StressReport:
    """Three scenarios, two workloads: one cell breaks, one would, one holds, one asks for nothing."""
    return StressReport(
        name="shop", tripoint_version="0.0.0", estate_digest="sha256:" + "e" * 64, plan_digest="sha256:" + "p" * 64,
        seed=7, trials=20, is_searched=True,
        scenarios=(
            scenario("site-loss", "A site is lost", number=2),
            scenario("power-cap", "Power is capped", number=13, knobs=(LEFT,)),
            scenario("budget-cut", "The budget is cut", number=23, knobs=()),
        ),
        verdicts=(
            verdict("site-loss", "chat", 0.9, held(Aim.AVAILABILITY, is_met=False, breaks_at=2.0, reached=0.9)),
            verdict("site-loss", "index", 1.0),
            verdict("power-cap", "chat", 1.0, held(Aim.AVAILABILITY, breaks_at=0.3)),
            verdict("budget-cut", "chat", 1.0, held(Aim.AVAILABILITY)),
        ),
        replanned=(
            Replanned(scenario="budget-cut", magnitudes={}, usual_usd=1000.0, held_usd=1500.0, new_usd=1200.0,
                      given_up=(), conflict=(), first_limit="colo power", first_limit_at="2028-Q1"),
        ),
        untried=(Untried(scenario="spot-wave", why="no spot nodes in the plan"),),
        courses=(
            OutageCourse(scenario="site-loss", workload="chat", bin_s=60.0, offered=(10.0, 12.0, 9.0),
                         answered=(10.0, 7.0, 9.0), late=(0.0, 2.0, 0.0), shed=(0.0, 3.0, 0.0), lost=(0.0, 2.0, 0.0)),
            OutageCourse(scenario="power-cap", workload="chat", bin_s=60.0, offered=(5.0,), answered=(5.0,),
                         late=(0.0,), shed=(0.0,), lost=(0.0,)),
        ),
        played=60,
        losses=(
            YearlyLoss(scenario="site-loss", per_year=Spread(value=0.5, low=0.1, high=2.0),
                       hours=Spread(value=3.0, low=0.5, high=12.0), usd=Spread(value=4500.0, low=750.0, high=18000.0),
                       extra_usd=20.0),
            YearlyLoss(scenario="power-cap", per_year=Spread(value=1.0, low=0.5, high=2.0),
                       hours=Spread(value=0.0, low=0.0, high=0.0), usd=Spread(value=0.0, low=0.0, high=0.0),
                       extra_usd=0.0),
        ),
        struck=(Struck(scenario="site-loss", ids=("colo",)),),
        usd_per_year=Spread(value=4500.0, low=750.0, high=18000.0),
        unpriced=("index",),
        unjudged=(Unjudged(scenario="power-cap", workload="chat", aim=Aim.RTO, target=1800.0, most=150.0),),
    )  # fmt: skip


def mended() -> StressReport:
    """The same after a change that mends the one cell that broke."""
    first, *rest = story().verdicts
    better = verdict(first.scenario, first.workload, 1.0, held(Aim.AVAILABILITY))
    return replace(story(), verdicts=(better, *rest))
