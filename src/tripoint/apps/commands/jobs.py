"""`tripoint jobs`: jobs that hand data on, and where they are best run."""

from __future__ import annotations

import click

from tripoint.apps import planner, wiring
from tripoint.apps.answer import Answer, answering
from tripoint.apps.settings import read_settings
from tripoint.apps.terminal.flags import NamedPath, gap_option, time_limit_option
from tripoint.apps.terminal.groups import NearestNameGroup
from tripoint.apps.terminal.planning import watching


@click.group(cls=NearestNameGroup)
def command() -> None:
    """Plan jobs that hand data on: where each is best run, and on what."""


@command.command()
@click.argument("jobs", type=NamedPath())
@click.option("--estate", metavar="ESTATE", type=NamedPath(),
              help="Run them at this estate's sites under its rules; else anywhere in the catalogue.")  # fmt: skip
@gap_option("Stop once the plan is proven to be within this share of the best.", default=0.0)
@time_limit_option("Time limit, seconds; the best plan so far is kept.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@answering
def plan(jobs: str, estate: str | None, gap: float, time_limit: float, quiet: bool) -> Answer:
    """Decide where jobs run that hand data on: on which instances, at what cost, with the data moved.

    JOBS is a YAML file or a folder. Nothing is submitted. Ends with exit code 1 when some job can run nowhere, and
    then says what excludes each offer.

    For example: tripoint jobs plan jobs.yaml --estate my-estate
    """
    from tripoint.apps.render.jobs.plan import jobs_payload, jobs_text
    from tripoint.usecases.jobs import JobOptions, plan_jobs

    settings = read_settings()
    catalog = wiring.load_catalog()
    sheet = planner.read_jobs(jobs)
    loaded = None if estate is None else wiring.load_estate(estate, catalog=catalog)
    options = JobOptions(gap=gap, seconds=time_limit, threads=settings.threads)
    with watching(gap, is_quiet=quiet) as watch:
        ground = None if loaded is None else loaded.estate
        found = plan_jobs(sheet, catalog, planner.solver(), options, estate=ground, today=settings.today, watch=watch)
    findings = () if loaded is None else loaded.findings
    return Answer(text=jobs_text(found), payload=jobs_payload(found), findings=findings, ok=not found.stuck)
