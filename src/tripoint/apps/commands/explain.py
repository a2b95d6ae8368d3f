"""`tripoint explain`: why a workload is where it is."""

from __future__ import annotations

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.flags import FileToRead, NamedPath, gap_option, time_limit_option
from tripoint.apps.terminal.planning import no_plan, phases, planned


@click.command()
@click.argument("workload")
@click.argument("estate", type=NamedPath())
@click.option("--plan", "given", metavar="PLAN", type=FileToRead(),
              help="Explain this plan.json, or the one in this folder; else the estate is planned first.")  # fmt: skip
@click.option("--at", metavar="SITE", help="Also say what it would cost to run it at this site alone.")
@gap_option("Stop each solve once it is proven to be within this share of the best.")
@time_limit_option("Time limit of each solve, seconds.")
@click.option("--full", is_flag=True, help="Print every row.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def command(
    workload: str,
    estate: str,
    given: str | None,
    at: str | None,
    gap: float,
    time_limit: float,
    full: bool,
    quiet: bool,
) -> Answer:
    """Explain why a workload is where it is, and what one more of each limit is worth.

    WORKLOAD is an id of ESTATE. The estate is planned again without its main site: the extra cost is why it is there.
    Limits that bind are priced by the program: one more kW, rack, node or Gbit/s. Ends with exit code 1 when the estate
    has no plan.

    For example: tripoint explain chat-eu my-estate --plan answer
    """
    from tripoint.apps.render.why.explanation import explanation_payload, explanation_text
    from tripoint.engines.answers.explanation.question import Question, places
    from tripoint.engines.placement.milp.program import SolveLimits

    catalog = wiring.load_catalog()
    loaded = wiring.load_estate(estate, catalog=catalog)
    question = Question(workload=workload, at=at or "")
    places(loaded.estate, question)  # a name that is wrong is told before the long part
    plan = planned(loaded, gap, time_limit, given=given, catalog=catalog, is_quiet=quiet)
    if plan.solve is None:
        return no_plan(estate, plan)

    limits = SolveLimits(gap=gap, seconds=time_limit, threads=read_settings().threads)
    found = wiring.explain(loaded, catalog, plan, question, limits, phases(is_quiet=quiet))
    return Answer(text=explanation_text(found, is_full=full), payload=explanation_payload(found))
