"""The full program: twelve quarters, four blocks, standby, links, power, commitments; and planning after a change.

    python -m benchmarks.scale.full            # the three-layer example, 300 x 40, and planning again
    python -m benchmarks.scale.full 100x40     # planning again only, at a size between
    python -m benchmarks.scale.full 2000x100   # ten minutes

An estate of so many offers is drawn by its node pools: an offer is a pool and one way of buying its nodes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import tripoint
from benchmarks.measure import ROOT, in_a_process, ratio, say, short, start, table
from benchmarks.scale.estates import drawn
from benchmarks.scale.telling import HEADS, alone, cells, gap_of, offers_of, times, told_of
from tripoint.adapters.solver_highs import HighsSolver
from tripoint.apps.settings import read_settings
from tripoint.apps.wiring import load_catalog
from tripoint.domain.errors import SolverError
from tripoint.domain.estate import Estate
from tripoint.domain.plan import Plan
from tripoint.domain.purchase import OwnPrice
from tripoint.domain.source import LoadedEstate
from tripoint.usecases.plan import PlanOptions, plan

_THIS = "benchmarks.scale.full"
_LAYERS = ROOT / "examples" / "three-layer"


class Bar(NamedTuple):
    """A gap to be reached within a time; a gap of 1 asks for a certified plan only."""

    name: str
    workloads: int
    pools: int
    gap: float
    seconds: float
    solving: float = 0.7
    """Of its time, for solving: resolving, formulating and writing the answer take time as well."""


BARS = (
    Bar("three-layer", 0, 0, 1e-3, 10.0),
    Bar("300x40", 300, 12, 5e-3, 120.0),
    Bar("2000x100", 2000, 30, 1.0, 600.0, 0.55),
)
_LARGER = Bar("100x40", 100, 12, 5e-3, 60.0)
"""Larger than the example, for planning again."""
_AGAIN = (BARS[0], _LARGER)
_USUAL = ("three-layer", "300x40")


def main(arguments: Sequence[str] | None = None) -> None:
    """Plan each estate in a process of its own, then two of them again after a change."""
    parser = argparse.ArgumentParser(description=__doc__, prog=f"python -m {_THIS}")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(bar.name for bar in BARS)}; {' and '.join(_USUAL)}")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--again", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--without-peer", action="store_true", help="leave out HiGHS alone on the whole program")
    options = parser.parse_args(arguments)
    if options.one:
        bar = next(bar for bar in (*BARS, _LARGER) if bar.name == options.one)
        if options.alone:
            told = alone(_loaded(bar), min(bar.gap, 5e-3), bar.seconds * bar.solving)
        else:
            told = _again(bar) if options.again else _one(bar)
        json.dump(told, sys.stdout)
        return
    names = options.names or _USUAL
    unknown = [name for name in names if name not in {bar.name for bar in (*BARS, _LARGER)}]
    if unknown:
        parser.error(f"no such estate: {', '.join(unknown)}")
    start("Scale, full program")
    planned = {bar: in_a_process(_THIS, "--one", bar.name) for bar in BARS if bar.name in names}
    if planned:
        _print_first(planned, options.without_peer)
    again = [bar for bar in _AGAIN if bar.name in names or not options.names]
    if again:
        _print_again(again)


def _print_first(told: dict[Bar, dict[str, Any]], without_peer: bool) -> None:
    """What came of planning each once, and HiGHS alone beside it."""
    for bar in [bar for bar, each in told.items() if "none" in each]:
        say(f"{bar.name}: {told.pop(bar)['none']}; processor seconds are what counts on a busy machine.\n")
    rows = [_row(bar, each) for bar, each in told.items()]
    table((*HEADS, "bar", "whole run", "solve", "CPU", "peak MB"), rows)
    if not without_peer:
        _print_alone(told)


def _loaded(bar: Bar) -> LoadedEstate:
    if not bar.workloads:
        return tripoint.load_estate(_LAYERS)
    return LoadedEstate(estate=drawn(bar.workloads, bar.pools), profiles={}, digest="sha256:drawn")


def _planned(
    loaded: LoadedEstate, gap: float, seconds: float, previous: Plan | None = None
) -> tuple[Plan, float, float]:
    """The plan without its alternatives, and its wall and processor seconds."""
    options = PlanOptions(gap=gap, seconds=seconds, baselines=False, previous=previous)
    catalog, today = load_catalog(), read_settings().today
    wall, processor = time.perf_counter(), time.process_time()
    found = plan(loaded, catalog, HighsSolver(), options, today=today)
    return found, time.perf_counter() - wall, time.process_time() - processor


def _one(bar: Bar) -> dict[str, Any]:
    loaded = _loaded(bar)
    offers = offers_of(loaded)
    try:
        found, wall, processor = _planned(loaded, min(bar.gap, 5e-3), bar.seconds * bar.solving)
    except SolverError as error:
        return {"none": str(error)}
    return told_of(found, offers, wall, processor)


def _print_alone(ours: dict[Bar, dict[str, Any]]) -> None:
    say("HiGHS alone on the whole program: both cores, the same gap and time, in the same run; solves only.\n")
    rows = []
    for bar, mine in ours.items():
        told = in_a_process(_THIS, "--one", bar.name, "--alone")
        rows.append(
            (
                bar.name,
                gap_of(told),
                *times(told, "seconds", "cpu"),
                f"{mine['gap']:.3%}",
                short(mine["solve"]),
                "-" if told["usd"] is None else f"{mine['usd'] / told['usd']:.5f}",
                ratio(told["seconds"], mine["solve"]),
            )
        )
    heads = ("estate", "its gap", "seconds", "CPU", "our gap", "seconds", "our cost / its", "time / ours")
    table(heads, rows)


def _row(bar: Bar, told: dict[str, Any]) -> tuple[str, ...]:
    met = told["gap"] <= bar.gap and told["wall"] <= bar.seconds
    asked = f"{bar.gap:.1%} in {bar.seconds:g} s" if bar.gap < 1 else f"a plan in {bar.seconds:g} s"
    verdict = f"{asked}: {'met' if met else 'missed'}"
    return (*cells(bar.name, told), verdict, *times(told, "wall", "solve", "cpu", "peak_mb"))


def _agreed(estate: Estate) -> Estate:
    """The estate with a price agreement that can end: the drawn ones have none."""
    return estate if estate.prices else replace(estate, prices=(OwnPrice(provider="aws", discount=0.12),))


def _changed(estate: Estate) -> dict[str, Estate]:
    """The estate after one change each: half of a price agreement, one and a half of it, a smaller hall."""
    first, *others = estate.prices
    dearer = replace(first, discount=(first.discount or 0.0) / 2)
    cheaper = replace(first, discount=(first.discount or 0.0) * 1.5)
    hall = next(site.id for site in estate.sites if site.power is not None and site.power.it_kw and not site.count > 1)
    smaller = tuple(
        replace(site, power=replace(site.power, it_kw=(site.power.it_kw or 0.0) * 0.9))
        if site.power is not None and site.id == hall
        else site
        for site in estate.sites
    )
    return {
        "one price up": replace(estate, prices=(dearer, *others)),
        "one price down": replace(estate, prices=(cheaper, *others)),
        "one capacity": replace(estate, sites=smaller),
    }


def _again(bar: Bar) -> dict[str, Any]:
    """Planned afresh and from the earlier plan, after each change."""
    loaded = _loaded(bar)
    loaded = replace(loaded, estate=_agreed(loaded.estate))
    earlier, _, _ = _planned(loaded, bar.gap, bar.seconds * 6)
    told: dict[str, Any] = {}
    for name, estate in _changed(loaded.estate).items():
        changed = replace(loaded, estate=estate)
        cold, cold_wall, cold_s = _planned(changed, bar.gap, bar.seconds * 6)
        warm, warm_wall, warm_s = _planned(changed, bar.gap, bar.seconds * 6, earlier)
        assert cold.solve is not None
        assert warm.solve is not None
        told[name] = {
            "cold": (cold_wall, cold_s, cold.solve.seconds, cold.solve.gap),
            "warm": (warm_wall, warm_s, warm.solve.seconds, warm.solve.gap),
            "cost": warm.solve.incumbent_usd / cold.solve.incumbent_usd,
        }
    return told


def _print_again(bars: Sequence[Bar]) -> None:
    say("Planned afresh and from the earlier plan, after one change: seconds, share of planning afresh, gap.\n")
    rows = []
    for bar in bars:
        for change, told in in_a_process(_THIS, "--one", bar.name, "--again").items():
            cold, warm = told["cold"], told["warm"]
            seconds = tuple(f"{short(new)} of {short(old)}" for new, old in zip(warm[:3], cold[:3], strict=True))
            shares = tuple(f"{new / old:.1%}" for new, old in zip(warm[:3], cold[:3], strict=True))
            both = tuple(each for pair in zip(seconds, shares, strict=True) for each in pair)
            rows.append((bar.name, change, *both, f"{warm[3]:.3%}", f"{cold[3]:.3%}", f"{told['cost']:.5f}"))
    heads = ("wall clock", "of it", "CPU", "of it", "solve", "of it", "gap", "afresh", "cost / afresh")
    table(("estate", "change", *heads), rows)


if __name__ == "__main__":
    main()
