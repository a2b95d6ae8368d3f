"""`tripoint demand`: from logs and traces to demand profiles."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tripoint.apps import wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.terminal.flags import FileToRead, NamedPath
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.apps.terminal.progress import working_display

if TYPE_CHECKING:
    from tripoint.domain.demand import DemandProfile

UNITS = ("s", "ms", "us", "ns")
KINDS = ("requests", "gpu_jobs")
DEFAULT_BLOCKS = 5
DEFAULT_MEMORY_MB = 512


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Turn request logs and traces into demand profiles.

    An estate uses a profile by naming it: demand: {profile: chat.json, scale: 10}
    """


@command.command()
@click.argument("file", type=FileToRead())
@click.option("--out", metavar="FILE", type=NamedPath(dir_okay=False), help="Write the profile here, as JSON.")
@click.option("--svg", metavar="FILE", type=NamedPath(dir_okay=False), help="Draw the profile here.")
@click.option("--name", metavar="NAME", help="Name of the profile; from the file's name when not given.")
@click.option("--description", metavar="TEXT", help="What the file is; kept in the profile.")
@click.option(
    "--map", "maps", metavar="ROLE=COLUMN", multiple=True, help="Which column is the timestamp, input, output, ..."
)
@click.option("--kind", type=click.Choice(KINDS), help="What the rows are; detected when not given.")
@click.option("--unit", type=click.Choice(UNITS), help="Unit of numeric timestamps; detected when not given.")
@click.option("--duration-unit", type=click.Choice(UNITS), help="Unit of the duration of GPU jobs.")
@click.option("--starts-at", metavar="INSTANT", help="When a trace with relative times began, e.g. 2026-01-05T00:00Z.")
@click.option("--companion", metavar="FILE", type=FileToRead(), help="ServeGen: the file of token distributions.")
@click.option(
    "--blocks",
    metavar="N",
    type=click.IntRange(1, 24),
    default=DEFAULT_BLOCKS,
    show_default=True,
    help="Blocks of the load-duration curve.",
)
@click.option(
    "--memory",
    metavar="MB",
    type=click.IntRange(min=64),
    default=DEFAULT_MEMORY_MB,
    show_default=True,
    help="Memory to use before spilling to disk.",
)
@answering
def fit(
    file: str,
    out: str | None,
    svg: str | None,
    name: str | None,
    description: str | None,
    maps: tuple[str, ...],
    kind: str | None,
    unit: str | None,
    duration_unit: str | None,
    starts_at: str | None,
    companion: str | None,
    blocks: int,
    memory: int,
) -> Answer:
    """Fit a demand profile to a log or trace.

    FILE is CSV, JSON lines or Parquet, of requests (timestamp, input and output tokens, perhaps tenant) or of GPU
    jobs (start, duration, GPUs), of any size. What was dropped is reported. Roles for --map: timestamp, input, output,
    tenant, blocks; submit, start, end, duration, gpus.

    For example: tripoint demand fit requests.csv --out profile.json
    """
    from tripoint.usecases.demand import FitOptions, parse_map

    options = FitOptions(
        name=name,
        description=description,
        columns=parse_map(maps),
        kind=kind,
        unit=unit,
        duration_unit=duration_unit,
        starts_at=starts_at,
        companion=companion,
        blocks=blocks,
        memory_mb=memory,
    )
    with working_display(f"reading {file}"):
        profile = wiring.fit_demand(file, options)
    return _answer(profile, out, svg)


@command.command()
@click.argument("profile", type=FileToRead())
@click.option("--svg", metavar="FILE", type=NamedPath(dir_okay=False), help="Draw the profile here.")
@answering
def show(profile: str, svg: str | None) -> Answer:
    """Show a demand profile written earlier.

    For example: tripoint demand show profile.json
    """
    return _answer(wiring.read_profile(profile), None, svg)


def _answer(profile: DemandProfile, out: str | None, svg: str | None) -> Answer:
    from tripoint.apps.render.demand import render_demand
    from tripoint.apps.render.demand_svg import demand_svg
    from tripoint.apps.render.plain import plain_text

    if out:
        wiring.write_profile(out, profile)
    if svg:
        wiring.write_text(svg, demand_svg(profile))
    written = [path for path in (out, svg) if path]
    lines = [plain_text(render_demand(profile)), *(f"wrote {path}" for path in written)]
    return Answer(text="\n".join(lines), payload={"profile": asdict(profile), "written": written})
