"""How fast are years of hours? A thousand scenario-years of forty sites, each with failures of its own.

No peer publishes such a figure. Beside it stands the same filling of places done hour by hour, as a plain simulation
would: a sample of hours, each filled by itself. The years are played in one process, many at once, and over the
processes of this machine as `tripoint stress` plays trials, a year an order; both must say the same. Processor seconds
are told too: a busy machine stretches the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial

import numpy as np

from benchmarks.measure import ratio, say, short, spent_s, start, table, timed
from benchmarks.stress_worlds import Years, failing_years, wide_world
from tripoint.adapters.trials_process import ProcessTrials
from tripoint.domain.errors import InternalError
from tripoint.domain.stress import Order, Outcome
from tripoint.domain.units import HOURS_PER_YEAR
from tripoint.engines.stress.fluid.filling import fill
from tripoint.engines.stress.fluid.flow import flows
from tripoint.engines.stress.fluid.layout import layout_of
from tripoint.engines.stress.fluid.settings import setting_of
from tripoint.engines.stress.world import World

HOURS = int(HOURS_PER_YEAR)
SAMPLE = 200


def hour_by_hour(tried: World, hours: int) -> int:
    """Fills so many hours of the usual course one by one; site-hours filled."""
    layout = layout_of(tried)
    setting = setting_of(layout, ())
    asked = np.array([[tried.demanded[number].requests_per_s] for number in layout.workload_of])
    capacity, spare = np.ones((len(tried.places), 1)), np.zeros((len(layout.growing), 1))
    for _ in range(hours):
        fill(layout, setting, asked, capacity, spare)
    return hours * len(tried.places)


def played(trials: ProcessTrials, years: Years, count: int) -> list[tuple[Outcome, ...]]:
    """Outcomes of so many years in their order, played where the product plays trials."""
    orders = [Order(scenario="year", number=number, magnitudes={}) for number in range(count)]
    found = dict(trials.played(years, orders, lambda: False))
    return [found[number].outcomes for number in range(count)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the years, print years and hours per second."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.stress_fluid")
    parser.add_argument("--years", type=int, default=1000, help="scenario-years")
    parser.add_argument("--sites", type=int, default=40, help="sites")
    parser.add_argument("--workloads", type=int, default=12, help="workloads, a quarter of them deferred work")
    parser.add_argument("--failures", type=float, default=4.0, help="failures per site and year")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each")
    options = parser.parse_args(arguments)
    start("Years of hours")
    tried = wide_world(options.sites, options.workloads)
    trials = failing_years(tried, options.years, per_year=options.failures)
    count = sum(len(faults) for faults in trials)
    say(f"{options.years:,} years, {options.sites} sites, {options.workloads} workloads, {count:,} failures.\n")
    filled, plain = timed(lambda: hour_by_hour(tried, SAMPLE), options.repeat)
    before = spent_s()
    answers, took = timed(lambda: flows(tried, trials, start_hour=0, hours=HOURS), options.repeat)
    spent = (spent_s() - before) / options.repeat
    years, crew = Years(world=tried, per_year=options.failures), ProcessTrials()
    before = spent_s()
    over, shared = timed(partial(played, crew, years, options.years), options.repeat)
    processes = crew.processes
    del crew  # so that what its processes took can be told
    shared_s = (spent_s() - before) / options.repeat
    if over != answers:
        raise InternalError("years say something else over processes than in one")
    hours, slow = options.years * HOURS * options.sites, filled / plain.median
    table(
        ("job", "time", "processor seconds", "scenario-years per second", "site-hours per second", "faster", "goal"),
        [
            (f"hour by hour, {SAMPLE} hours", str(plain), "", short(slow / HOURS / options.sites), short(slow), "1x",
             ""),
            *(
                (f"{options.years:,} years {how}", str(time_s), short(cpu_s), short(options.years / time_s.median),
                 short(hours / time_s.median), ratio(hours / time_s.median, slow), "10 s")
                for how, time_s, cpu_s in (
                    ("in one process", took, spent), (f"over {processes} processes", shared, shared_s),
                )
            ),
        ],
    )  # fmt: skip
    worst = min(min(outcome.margin for outcome in answer) for answer in answers)
    out = sum(outcome.outage_s > 0 for answer in answers for outcome in answer)
    say(f"{out:,} of {len(answers) * options.workloads:,} outcomes hold an outage; least margin {worst:.2f}.")


if __name__ == "__main__":
    main()
