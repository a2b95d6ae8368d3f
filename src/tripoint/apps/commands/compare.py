"""`tripoint compare`: what two plans do differently, and why the cost changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import NamedPath, gap_option, refuse_missing, time_limit_option
from tripoint.apps.terminal.planning import planned

if TYPE_CHECKING:
    from tripoint.domain.plan import Plan


@click.command()
@click.argument("before", metavar="A", type=NamedPath())
@click.argument("after", metavar="B", type=NamedPath())
@gap_option("Estates: stop planning once proven to be within this share of the best.")
@time_limit_option("Estates: time limit of each solve, seconds.")
@click.option("--full", is_flag=True, help="Print every row.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def command(before: str, after: str, gap: float, time_limit: float, full: bool, quiet: bool) -> Answer:
    """Show what two plans do differently, and why the cost changed.

    A and B are each a plan.json, a folder that holds one, or an estate, which is planned first. The difference is shown
    by workload, site and kind of charge, each adding up to the cent, and split into demand, prices and placement. Ends
    with exit code 1 when one of them has no plan.

    For example: tripoint compare answer-old answer
    """
    from tripoint.apps.render.reading.conflict import conflict_payload
    from tripoint.apps.render.why.comparison import comparison_payload, comparison_text, conflict_lines
    from tripoint.engines.answers.comparison.comparison import compare

    for given in (before, after):  # neither is planned where the other is not there
        refuse_missing(given, otherwise="name a plan.json, a folder that holds one, or an estate")
    plans = [_plan(given, gap, time_limit, is_quiet=quiet) for given in (before, after)]
    names = (before, after)
    missing = [(name, plan) for name, plan in zip(names, plans, strict=True) if plan.solve is None]
    if missing:
        why = [{"name": name, **conflict_payload(plan.conflict)} for name, plan in missing]
        nothing = {"a": before, "b": after, "without_plan": [name for name, _ in missing], "conflicts": why}
        return Answer(text=conflict_lines(missing), payload=nothing, ok=False)
    found = compare(plans[0], plans[1])
    return Answer(text=comparison_text(found, names, is_full=full), payload=comparison_payload(found, names))


def _plan(given: str, gap: float, seconds: float, *, is_quiet: bool) -> Plan:
    """A plan written earlier, or that of an estate, planned now."""
    path = Path(given)
    if path.suffix == ".json" or (path / "plan.json").is_file():
        return wiring.read_plan(given)
    return planned(given, gap, seconds, is_quiet=is_quiet)
