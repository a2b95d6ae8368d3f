"""`tripoint report`: the report of a plan made earlier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import FileToRead, NamedPath, time_limit_option
from tripoint.domain.errors import OptionError

if TYPE_CHECKING:
    from tripoint.apps.render.html.drawing.sections import Section
    from tripoint.domain.plan import Plan


_GAP = 0.001
"""How close to the best what is missing is planned again: as `tripoint assess recovery` does."""


@click.command()
@click.argument("plan", metavar="PLAN.json", type=FileToRead())
@click.option(
    "--out",
    metavar="DIR|FILE",
    type=NamedPath(),
    help="Folder for all documents, or an .html file for the report alone.",
)
@click.option(
    "--stress",
    metavar="DIR",
    type=FileToRead(),
    help="What `tripoint stress --out DIR` found of this plan, as parts of the report.",
)
@click.option(
    "--recovery",
    "estate",
    metavar="ESTATE",
    type=NamedPath(),
    help="The estate the plan is of: what it can survive, and the next three things to do, as parts of the report.",
)
@time_limit_option("With --recovery: time limit of each solve, seconds.")
@click.option("--prices/--no-prices", default=True, show_default=True,
              help="With --recovery: plan again for what every missed objective would cost.")  # fmt: skip
@answering
def command(
    plan: str, out: str | None, stress: str | None, estate: str | None, time_limit: float, prices: bool
) -> Answer:
    """Write the report of a plan made earlier.

    PLAN.json is a file written by `tripoint plan --out`, or its folder. Without --out the report is written
    beside it, as report.html.

    For example: tripoint report answer --stress answer --recovery my-estate
    """
    from tripoint.apps.render.plan_text import plan_payload

    found = wiring.read_plan(plan)
    more = (
        *(_recovered(estate, found, stress, time_limit if prices else None) if estate else ()),
        *(_withstood(stress, found) if stress else ()),
    )
    target = Path(out) if out else (Path(plan) if Path(plan).is_dir() else Path(plan).parent) / "report.html"
    is_file = target.suffix.lower() in (".html", ".htm")
    written = (wiring.write_report(found, target, more),) if is_file else wiring.write_plan(found, target, more)
    places = [document.place for document in written]
    return Answer(
        text="\n".join(f"wrote {place}" for place in places), payload={**plan_payload(found), "written": places}
    )


def _recovered(estate: str, plan: Plan, tried: str | None, longest_s: float | None) -> Sequence[Section]:
    """Parts about losses, scores and what to do next; trials score where they are given.

    What is missing is priced, each solve taking `longest_s` seconds at most; not at all where that is `None`.
    """
    from tripoint.apps import planner
    from tripoint.apps.render.html.resilience.page import resilience_sections
    from tripoint.apps.settings import read_settings
    from tripoint.apps.trials import plan_digest, read_stress
    from tripoint.engines.placement.milp.program import SolveLimits
    from tripoint.usecases.assess_recovery import assess_recovery
    from tripoint.usecases.assess_scores import stress_proofs
    from tripoint.usecases.remedies import Pricing
    from tripoint.usecases.same_estate import estate_of

    catalog = wiring.load_catalog()
    loaded = wiring.load_estate(estate, catalog=catalog)
    loaded = estate_of(plan, loaded)
    settings = read_settings()
    pricing = None
    if longest_s is not None:
        limits = SolveLimits(gap=_GAP, seconds=longest_s, threads=settings.threads)
        pricing = Pricing(
            solver=planner.solver(), limits=limits, tell=lambda phase: click.echo(f"{phase} ...", err=True)
        )
    proofs = stress_proofs(read_stress(tried), loaded, plan, plan_digest(plan), settings.today) if tried else ()
    return resilience_sections(assess_recovery(loaded, catalog, plan, pricing, today=settings.today, proofs=proofs))


def _withstood(folder: str, plan: Plan) -> Sequence[Section]:
    """Parts about the trials of this very plan; raises `OptionError` where they are of another."""
    from tripoint.apps.render.html.stress.page import stress_sections
    from tripoint.apps.trials import plan_digest, read_stress

    report = read_stress(folder)
    if report.plan_digest != plan_digest(plan):
        raise OptionError(
            f"`--stress {folder}` is of another plan: {report.plan_digest[:12]} was tried, this is "
            f"{plan_digest(plan)[:12]}",
            hint="try this plan: `tripoint stress ESTATE --plan PLAN.json --out DIR`",
        )
    return stress_sections(report)
