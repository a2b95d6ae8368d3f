"""How fast are years of hours? A thousand scenario-years of forty sites, each with failures of its own.

No peer publishes such a figure. Beside it stands the same filling of places done hour by hour, as a plain simulation
would: a sample of hours, each filled by itself. Processor seconds are told too: a busy machine stretches the others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.measure import ratio, say, short, start, table, timed
from benchmarks.stress_worlds import failing_years, wide_world
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
    before = time.process_time()
    answers, took = timed(lambda: flows(tried, trials, start_hour=0, hours=HOURS), options.repeat)
    spent = (time.process_time() - before) / options.repeat
    rate, slow = options.years * HOURS * options.sites / took.median, filled / plain.median
    table(
        ("job", "time", "processor seconds", "scenario-years per second", "site-hours per second", "faster", "goal"),
        [
            (f"hour by hour, {SAMPLE} hours", str(plain), "", short(slow / HOURS / options.sites), short(slow), "1x",
             ""),
            (f"{options.years:,} years at once", str(took), short(spent), short(options.years / took.median),
             short(rate), ratio(rate, slow), "10 s"),
        ],
    )  # fmt: skip
    worst = min(min(outcome.margin for outcome in answer) for answer in answers)
    out = sum(outcome.outage_s > 0 for answer in answers for outcome in answer)
    say(f"{out:,} of {len(answers) * options.workloads:,} outcomes hold an outage; least margin {worst:.2f}.")


if __name__ == "__main__":
    main()
