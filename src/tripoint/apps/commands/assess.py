"""`tripoint assess`: what an estate can survive."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tripoint.apps import planner, wiring
from tripoint.apps.answer import Answer, answering, plural
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.flags import FileToRead, NamedPath, gap_option, time_limit_option
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.apps.terminal.planning import no_plan, phases, planned
from tripoint.apps.trials import plan_digest, read_stress

if TYPE_CHECKING:
    from tripoint.usecases.assess_recovery import Assessment


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Work out what an estate can survive."""


@command.command()
@click.argument("estate", type=NamedPath())
@click.option("--plan", "given", metavar="PLAN", type=FileToRead(),
              help="Assess this plan.json, or the one in this folder; else the estate is planned first.")  # fmt: skip
@gap_option("Stop each solve once it is proven to be within this share of the best.")
@time_limit_option("Time limit of each solve, seconds; every missed objective takes one or more.")
@click.option("--prices/--no-prices", default=True, show_default=True,
              help="Plan again for what every missed objective would cost.")  # fmt: skip
@click.option("--stress", "tried", metavar="DIR", type=FileToRead(),
              help="Score what this stress.json, or the one in this folder, found by simulation.")  # fmt: skip
@click.option("--out", metavar="DIR", type=NamedPath(file_okay=False), help="Write recovery.html here.")
@click.option("--full", is_flag=True, help="Print every row.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def recovery(
    estate: str,
    given: str | None,
    gap: float,
    time_limit: float,
    prices: bool,
    tried: str | None,
    out: str | None,
    full: bool,
    quiet: bool,
) -> Answer:
    """Compute recovery time and data loss of each workload after each kind of loss.

    Times are sums of steps, each with its source and date; recovery points are those of the worst store. Also shows
    single points of failure and pairs, with hours and loss per year; how hard each dependency is to leave; and how
    many objectives are met by design, by simulation and by drill. Ends with exit code 1 when an objective is missed,
    or the estate has no plan.

    For example: tripoint assess recovery my-estate --plan answer --out answer
    """
    from tripoint.engines.placement.milp.program import SolveLimits
    from tripoint.usecases.assess_recovery import assess_recovery
    from tripoint.usecases.assess_scores import stress_proofs
    from tripoint.usecases.remedies import Pricing
    from tripoint.usecases.same_estate import estate_of

    catalog = wiring.load_catalog()
    loaded = wiring.load_estate(estate, catalog=catalog)
    settings = read_settings()
    plan = planned(loaded, gap, time_limit, given=given, catalog=catalog, is_quiet=quiet)
    if plan.solve is None:
        return no_plan(estate, plan)
    loaded = estate_of(plan, loaded)

    limits = SolveLimits(gap=gap, seconds=time_limit, threads=settings.threads)
    pricing = Pricing(solver=planner.solver(), limits=limits, tell=phases(is_quiet=quiet)) if prices else None
    proofs = stress_proofs(read_stress(tried), loaded, plan, plan_digest(plan), settings.today) if tried else ()
    found = assess_recovery(loaded, catalog, plan, pricing, today=settings.today, proofs=proofs)
    return _answer(found, is_full=full, written=wiring.write_recovery(found, out) if out else "")


def _answer(found: Assessment, *, is_full: bool, written: str) -> Answer:
    """What was found, as text and as JSON."""
    from tripoint.apps.render.plan_text.layout import printed
    from tripoint.apps.render.resilience.dependencies import dependency_parts, dependency_payload
    from tripoint.apps.render.resilience.recovery import (
        recovery_parts,
        recovery_payload,
        remedy_parts,
        remedy_payload,
        standby_parts,
    )
    from tripoint.apps.render.resilience.scores import score_parts, score_payload

    parts = [
        *recovery_parts(found.reached, leaned=found.dependencies, is_full=is_full),
        *standby_parts(found.stands_by),
        *remedy_parts(found.remedies),
        *dependency_parts(found.dependencies, is_full=is_full),
        *score_parts(found.scores, is_full=is_full),
    ]
    met = f"{len(found.asked) - len(found.missed)} of {plural(len(found.asked), 'objective')} met by design"
    return Answer(
        text=f"{printed(parts)}\n{met}" + (f"\nwritten: {written}" if written else ""),
        payload={
            "name": found.name,
            "objectives": len(found.asked),
            "met": len(found.asked) - len(found.missed),
            "reached": recovery_payload(found.reached),
            "stands_by": [asdict(each) for each in found.stands_by],
            "remedies": remedy_payload(found.remedies),
            "dependencies": dependency_payload(found.dependencies),
            "scores": score_payload(found.scores),
            "written": [written] if written else [],
        },
        ok=not found.missed,
    )
