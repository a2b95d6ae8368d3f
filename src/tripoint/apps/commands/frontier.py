"""`tripoint frontier`: cost against carbon, latency, resilience or the number of vendors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tripoint.apps import planner, wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.flags import NamedPath, gap_option, time_limit_option
from tripoint.apps.terminal.planning import watching

if TYPE_CHECKING:
    from tripoint.domain.front import Front


@click.command()
@click.argument("estate", type=NamedPath())
@click.option("--by", type=click.Choice(("carbon", "latency", "resilience", "vendors")), default="carbon",
              show_default=True, help="What to trade cost against.")  # fmt: skip
@click.option("--points", metavar="N", type=click.IntRange(2, 25), default=6, show_default=True,
              help="Most plans to find; resilience has five classes at most.")  # fmt: skip
@click.option("--out", metavar="DIR", type=NamedPath(file_okay=False),
              help="Write frontier.html with the chart, and a folder with each plan, here.")  # fmt: skip
@gap_option("Stop each solve once it is proven to be within this share of the best.")
@time_limit_option("Time limit of each solve, seconds.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def command(
    estate: str, by: str, points: int, out: str | None, gap: float, time_limit: float, quiet: bool
) -> Answer:  # fmt: skip
    """Trade cost against carbon, latency, resilience or the number of vendors.

    The cheapest plan is found under several ceilings, from the least that any plan can reach to what the cheapest of
    all has; for resilience, under classes from no standby at all to hot standby for every workload that can have it.
    Each plan is proven like any other; plans that another beats are left out. Ends with exit code 1 when no plan
    exists.

    For example: tripoint frontier my-estate --by carbon --out frontier
    """
    from tripoint.apps.render.why.frontier import frontier_payload, frontier_text
    from tripoint.domain.front import By
    from tripoint.usecases.frontier import FrontierOptions, frontier

    settings = read_settings()
    options = FrontierOptions(by=By(by), points=points, gap=gap, seconds=time_limit, threads=settings.threads)
    catalog = wiring.load_catalog()
    loaded = wiring.load_estate(estate, catalog=catalog)
    if out:  # a place that cannot be written is told before the long part, not after it
        wiring.open_folder(out)
    with watching(gap, is_quiet=quiet) as watch:
        found = frontier(loaded, catalog, planner.solver(), options, today=settings.today, watch=watch)
    folders, written = _written(found, Path(out)) if out and found.points else ((), [])
    payload = {**frontier_payload(found, folders), "written": written}
    lines = [frontier_text(found), *(["", *(f"wrote {place}" for place in written)] if written else [])]
    return Answer(text="\n".join(lines), payload=payload, ok=bool(found.points))


def _written(front: Front, folder: Path) -> tuple[tuple[str, ...], list[str]]:
    """Each plan in a folder of its own, then the page that leads to them: (folders, everything written)."""
    from tripoint.apps.render.html.frontier import FOLDER, frontier_html

    folders = [folder / FOLDER.format(number) for number in range(1, len(front.points) + 1)]
    written = [
        document.place
        for place, point in zip(folders, front.points, strict=True)
        for document in wiring.write_plan(point.plan, place)
    ]
    page = folder / "frontier.html"
    wiring.write_text(page, frontier_html(front))
    return tuple(map(str, folders)), [*written, str(page)]
