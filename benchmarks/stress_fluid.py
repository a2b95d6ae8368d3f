"""How fast are years of hours? A thousand scenario-years of forty sites, each with failures of its own.

No peer publishes such a figure, so the limit beside it is one bare numpy pass over the same hours: adding up demand of
every workload at every site, once. Capacity, priorities, policy, prices, outages and backlogs are what the rest buys.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from benchmarks.measure import ratio, say, short, start, table, timed
from benchmarks.stress_worlds import failing_years, wide_world
from tripoint.domain.units import HOURS_PER_YEAR
from tripoint.engines.stress.fluid.flow import flows

HOURS = int(HOURS_PER_YEAR)


def bare(years: int, sites: int, workloads: int) -> float:
    """The limit: one pass over demand by year, hour, site and workload."""
    level = np.full((workloads, HOURS), 1.5)
    total = 0.0
    for _ in range(years):
        for _ in range(sites):
            total += float(level.sum())
    return total


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
    _, limit = timed(lambda: bare(options.years, options.sites, options.workloads), options.repeat)
    answers, took = timed(lambda: flows(tried, trials, start_hour=0, hours=HOURS), options.repeat)
    hours = options.years * HOURS
    table(
        ("job", "time", "scenario-years per second", "site-hours per second", "time, of the limit", "goal"),
        [
            ("bare pass (limit)", str(limit), short(options.years / limit.median),
             short(hours * options.sites / limit.median), "1x", ""),
            ("fluid trials", str(took), short(options.years / took.median),
             short(hours * options.sites / took.median), ratio(took.median, limit.median), "10 s"),
        ],
    )  # fmt: skip
    worst = min(min(outcome.margin for outcome in answer) for answer in answers)
    out = sum(outcome.outage_s > 0 for answer in answers for outcome in answer)
    say(f"{out:,} of {len(answers) * options.workloads:,} outcomes hold an outage; least margin {worst:.2f}.")


if __name__ == "__main__":
    main()
