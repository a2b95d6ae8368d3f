"""A plan of jobs as text of 80 columns at most and as JSON."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from tripoint.apps.render.plan_text.layout import lines, printed, table, titled
from tripoint.apps.render.reading.amounts import gap_percent, plural, significant, volume
from tripoint.domain.job import Excluded, JobPlan, PlannedJob

WIDTH = 80
_COLUMNS = (
    ("Job", "l"), ("Place", "l"), ("On", "f"), ("Hours", "r"), ("USD", "r"), ("Moved", "r"), ("USD ", "r"),
)  # fmt: skip
_REASONS = 3
"""Most reasons told of a job."""


def jobs_text(plan: JobPlan, *, width: int | None = None) -> str:
    """Where jobs run, what that costs, how it is known, and what else there is; or why some job runs nowhere."""
    parts: list[RenderableType] = [Text(f"{plan.name}: {plural(plan.asked, 'job')}", style="bold")]
    if plan.stuck:
        parts.append(titled("Runs nowhere", lines(_stuck(plan))))
    else:
        parts.append(table(_COLUMNS, [_row(each) for each in plan.jobs]))
        parts.append(lines(_sums(plan)))
        parts.append(titled("Next best, all else staying", lines(_instead(plan))))
    room = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)
    return printed(parts, width=width or room).rstrip("\n")


def jobs_payload(plan: JobPlan) -> dict[str, Any]:
    """The members of the JSON document."""
    return {
        **asdict(plan),
        "gap": plan.gap,
        "compute_usd": plan.compute_usd,
        "moved_usd": plan.moved_usd,
        "jobs": [
            {**asdict(each), "usd": each.offer.usd, "moved_gb": each.moved_gb, "moved_usd": each.moved_usd}
            for each in plan.jobs
        ],
    }


def _row(planned: PlannedJob) -> tuple[str, ...]:
    offer = planned.offer
    usd = f"{'~' if offer.is_weak else ''}{offer.usd:,.2f}"
    on = f"{offer.nodes} x {offer.node_type} {offer.option.replace('_', ' ')}"
    return (
        planned.job, offer.site, on, significant(offer.hours), usd, volume(planned.moved_gb),
        f"{planned.moved_usd:,.2f}",
    )  # fmt: skip


def _sums(plan: JobPlan) -> Iterator[str]:
    yield (
        f"{plan.usd:,.2f} USD: {plan.compute_usd:,.2f} for instances, {plan.moved_usd:,.2f} for moving data; "
        f"nothing costs less than {plan.bound_usd:,.2f} (gap {gap_percent(plan.gap)})"
    )
    if plan.one_place is None:
        yield "no site may run all of them"
    else:
        one = plan.one_place
        more = one.usd - plan.usd
        told = f"{more:,.2f} USD more" if more >= 0.005 else "no dearer"
        yield f"all at `{one.site}`, the cheapest single place: {one.usd:,.2f} USD, {told}"
    yield f"{significant(plan.hours)} hours from first to last, without transfers and waiting for instances"
    yield f"of {plan.offers:,} offers at {plural(plan.sites, 'site')}"
    if any(each.offer.is_weak for each in plan.jobs):
        yield "~ rests on a price or speed that is an estimate or recalled: `tripoint prices search` shows it"


def _instead(plan: JobPlan) -> Iterator[str]:
    for each in plan.jobs:
        if each.instead is None:
            yield f"{each.job}: there is no other offer"
            continue
        offer = each.instead.offer
        yield (
            f"{each.job}: {offer.nodes} x {offer.node_type} {offer.option.replace('_', ' ')} at {offer.site}, "
            f"{each.instead.dearer_usd:,.2f} USD more"
        )


def _stuck(plan: JobPlan) -> Iterator[str]:
    for job in plan.stuck:
        rows = [row for row in plan.excluded if row.job == job]
        yield f"{job}: " + ", ".join(f"{row.count:,} by {_word(row)}" for row in rows)
        for row in rows[:_REASONS]:
            yield f"  {_word(row)}: {row.example}"


def _word(row: Excluded) -> str:
    return str(row.reason).replace("_", " ")
