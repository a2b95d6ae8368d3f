"""`tripoint report`: the report of a plan made earlier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import FileToRead
from tripoint.domain.errors import OptionError

if TYPE_CHECKING:
    from tripoint.apps.render.html.drawing.sections import Section
    from tripoint.domain.plan import Plan


@click.command()
@click.argument("plan", metavar="PLAN.json", type=FileToRead())
@click.option(
    "--out",
    metavar="DIR|FILE",
    type=click.Path(),
    help="Folder for all documents, or an .html file for the report alone.",
)
@click.option(
    "--stress",
    metavar="DIR",
    type=FileToRead(),
    help="What `tripoint stress --out DIR` found of this plan, as parts of the report.",
)
@answering
def command(plan: str, out: str | None, stress: str | None) -> Answer:
    """Write the report of a plan made earlier.

    PLAN.json is a file written by `tripoint plan --out`, or its folder. Without --out the report is written
    beside it, as report.html.
    """
    from tripoint.apps.render.plan_text import plan_payload

    found = wiring.read_plan(plan)
    more = _withstood(stress, found) if stress else ()
    target = Path(out) if out else (Path(plan) if Path(plan).is_dir() else Path(plan).parent) / "report.html"
    is_file = target.suffix.lower() in (".html", ".htm")
    written = (wiring.write_report(found, target, more),) if is_file else wiring.write_plan(found, target, more)
    places = [document.place for document in written]
    return Answer(
        text="\n".join(f"wrote {place}" for place in places), payload={**plan_payload(found), "written": places}
    )


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
