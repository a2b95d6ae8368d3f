"""`tripoint plan`: where each workload lives, what to buy when, and what it costs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tripoint.apps import planner, stores, wiring
from tripoint.apps.answer import Answer, answering, colours_are_welcome
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.books import observe_demand
from tripoint.apps.terminal.flags import FileToRead, FiniteRange, NamedPath, gap_option, time_limit_option
from tripoint.apps.terminal.planning import watched
from tripoint.domain.errors import FileError

if TYPE_CHECKING:
    from tripoint.domain.plan import Plan
    from tripoint.domain.source import LoadedEstate
    from tripoint.engines.placement.moved import Moved
    from tripoint.usecases.report import Written


@click.command()
@click.argument("estate", type=NamedPath())
@click.option(
    "--out", metavar="DIR", type=NamedPath(file_okay=False), help="Write report.html, plan.json and charges.csv here."
)
@gap_option("Stop once the plan is proven to be within this share of the best.")
@time_limit_option("Time limit, seconds; the best plan so far is kept.")
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Random seed of the solver.",
)
@click.option(
    "--threads", metavar="N", type=click.IntRange(min=1), help="Threads of the solver; TRIPOINT_THREADS, or 2."
)
@click.option("--demand", metavar="SOURCE",
              help="Plan on observed traffic: `ledger`, `ledger:URL`, its export, or an earlier plan.")  # fmt: skip
@click.option("--demand-since", metavar="DAY", help="First day of observed traffic, YYYY-MM-DD, UTC.")
@click.option("--demand-until", metavar="DAY", help="Last day of observed traffic, YYYY-MM-DD, UTC.")
@click.option("--no-baselines", is_flag=True, help="Leave out the alternatives the plan is compared with.")
@click.option("--warm", metavar="PLAN", type=FileToRead(),
              help="Start from an earlier plan.json: its decisions stay unless changing them pays.")  # fmt: skip
@click.option("--near", metavar="N", type=click.IntRange(0, 5), default=0, show_default=True,
              help="Also find up to N plans that are nearly as cheap and differ most.")  # fmt: skip
@click.option("--within", metavar="SHARE", type=FiniteRange(min=0, max=1), default=0.03, show_default=True,
              help="How much more those may cost, as a share of the cost.")  # fmt: skip
@click.option("--outlooks", metavar="FILE", type=NamedPath(),
              help="Decide the first purchases over several weighted outlooks of demand and prices.")  # fmt: skip
@click.option("--full", is_flag=True, help="Print every row, not only those that fit two screens.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def command(
    estate: str,
    out: str | None,
    gap: float,
    time_limit: float,
    seed: int,
    threads: int | None,
    demand: str | None,
    demand_since: str | None,
    demand_until: str | None,
    no_baselines: bool,
    warm: str | None,
    near: int,
    within: float,
    outlooks: str | None,
    full: bool,
    quiet: bool,
) -> Answer:
    """Decide where each workload lives, what to buy when, and what it costs.

    ESTATE is a YAML file or a folder. Ctrl-C once keeps the best plan so far; twice gives up. Ends with exit code 1
    when no plan exists, and then says which rules and limits conflict.
    For example: tripoint plan my-estate --out answer
    """
    from tripoint.apps.render.plan_text import plan_payload
    from tripoint.apps.render.reading.doubt import news
    from tripoint.usecases.plan import PlanOptions

    previous = wiring.read_plan(warm) if warm else None
    given, places = planner.read_outlooks(outlooks)
    options = PlanOptions(
        gap=gap,
        seconds=time_limit,
        seed=seed,
        threads=threads or read_settings().threads,
        baselines=not no_baselines,
        previous=previous,
        near=near,
        within=within,
        outlooks=given,
        outlook_places=places,
    )
    catalog = wiring.load_catalog()
    loaded, observed = _on_demand(wiring.load_estate(estate, catalog=catalog), demand, demand_since, demand_until)
    if out:  # a place that cannot be written is told before the long part, not after it
        wiring.open_folder(out)
    found = watched(loaded, options, catalog, is_quiet=quiet)
    written, failure = _written(found, out)
    payload = {**plan_payload(found), "written": [document.place for document in written]}
    payload |= {} if demand is None else {"demand": list(observed)}
    changes = _moved(previous, found)
    payload |= {} if previous is None else {"moved": [asdict(change) for change in changes]}
    return Answer(
        text=_text(found, written, is_full=full) + _told(previous, found, changes),
        payload=payload,
        findings=found.findings,
        told=None if full else news(found.findings),
        ok=payload["is_feasible"],
        failure=failure,
    )


def _on_demand(
    loaded: LoadedEstate, demand: str | None, since: str | None, until: str | None
) -> tuple[LoadedEstate, tuple[str, ...]]:
    """The estate on observed traffic where that is asked for, and what was taken of it."""
    if demand is None:
        return loaded, ()
    loaded, observed = stores.on_observed(loaded, observe_demand(demand, since, until))
    for line in observed:
        click.echo(f"demand: {line}", err=True)
    return loaded, observed


def _moved(previous: Plan | None, plan: Plan) -> tuple[Moved, ...]:
    from tripoint.engines.placement.moved import moved

    return () if previous is None or plan.solve is None else moved(previous, plan)


def _told(previous: Plan | None, plan: Plan, changes: tuple[Moved, ...]) -> str:
    """What moved against the earlier plan, and what that means in money."""
    if previous is None or previous.solve is None or plan.solve is None:
        return ""
    before, after = previous.solve.undiscounted_usd, plan.solve.undiscounted_usd
    lines = [
        "",
        "",
        f"Against the earlier plan: {before:,.0f} -> {after:,.0f} USD over the horizon, by the new figures.",
    ]
    if previous.demand != plan.demand:
        was, now = (each.demand.source if each.demand else "as declared" for each in (previous, plan))
        lines.append(f"  they are planned on other demand: {was}, and {now}")
    lines += [f"  {change}" for change in changes] or ["  nothing moved"]
    return "\n".join(lines)


def _written(plan: Plan, out: str | None) -> tuple[tuple[Written, ...], FileError | None]:
    """The documents; where the disk fails now, the answer is still to be shown."""
    try:
        return (wiring.write_plan(plan, out) if out else ()), None
    except FileError as error:
        return (), error


def _text(plan: Plan, written: tuple[Written, ...], *, is_full: bool) -> str:
    from tripoint.apps.render.plan_text import plan_text

    is_coloured = sys.stdout.isatty() and colours_are_welcome()
    lines = [plan_text(plan, is_coloured=is_coloured, is_full=is_full).rstrip("\n")]
    lines += ["", *(f"wrote {document.place}" for document in written)] if written else []
    return "\n".join(lines)
