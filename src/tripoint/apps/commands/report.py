"""`tripoint report`: the report of a plan made earlier."""

from __future__ import annotations

from pathlib import Path

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering


@click.command()
@click.argument("plan", metavar="PLAN.json", type=click.Path())
@click.option(
    "--out",
    metavar="DIR|FILE",
    type=click.Path(),
    help="Folder for all documents, or an .html file for the report alone.",
)
@answering
def command(plan: str, out: str | None) -> Answer:
    """Write the report of a plan made earlier.

    PLAN.json is a file written by `tripoint plan --out`, or its folder. Without --out the report is written
    beside it, as report.html.
    """
    from tripoint.apps.render.plan_text import plan_payload

    found = wiring.read_plan(plan)
    target = Path(out) if out else (Path(plan) if Path(plan).is_dir() else Path(plan).parent) / "report.html"
    is_file = target.suffix.lower() in (".html", ".htm")
    written = (wiring.write_report(found, target),) if is_file else wiring.write_plan(found, target)
    places = [document.place for document in written]
    return Answer(
        text="\n".join(f"wrote {place}" for place in places), payload={**plan_payload(found), "written": places}
    )
